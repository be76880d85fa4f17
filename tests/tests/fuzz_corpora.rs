//! Every fuzz target on a stable toolchain: its corpus, and changed inputs of it.

use raptorgate_tests::fuzz::mutation::{self, Bound};
use raptorgate_tests::fuzz::{TARGETS, Target};
use raptorgate_tests::machine::workspace;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

/// Seeds of all targets together.
const CORPUS_BYTES_MAX: usize = 300_000;
/// Fewer are no corpus.
const SEEDS_MIN: usize = 3;
/// Of a test run; `FUZZ_SEED` chooses another.
const SEED: u64 = 1;
/// For each target, unless `FUZZ_SECONDS` says how long. All of them take a few seconds in a debug build.
const INPUTS: u64 = 3_000;

/// The seeds of a target by their names.
fn named_corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder = workspace().join("fuzz/corpus").join(target.name);
    let read = |name: String| (name.clone(), fs::read(folder.join(name)).expect("a seed"));
    entries(&folder).into_iter().map(read).collect()
}

fn corpus(target: &Target) -> Vec<Vec<u8>> {
    named_corpus(target).into_iter().map(|(_, seed)| seed).collect()
}

fn entries(folder: &Path) -> BTreeSet<String> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    read.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// All targets, or the one that `FUZZ_TARGET` names.
fn chosen() -> Vec<Target> {
    let name = std::env::var("FUZZ_TARGET").ok().filter(|name| !name.is_empty());
    let chosen: Vec<Target> = TARGETS.into_iter().filter(|t| name.as_deref().is_none_or(|n| n == t.name)).collect();
    assert!(!chosen.is_empty(), "no fuzz target is called {name:?}");
    chosen
}

/// All programs are alike, so their form is checked here and not by a formatter that has to find libFuzzer first.
fn program_of(name: &str) -> String {
    format!(
        "//! libFuzzer's program for the target `{name}`.\n#![no_main]\n\n\
         libfuzzer_sys::fuzz_target!(|data: &[u8]| raptorgate_tests::fuzz::run(\"{name}\", data));\n"
    )
}

#[test]
fn every_target_has_a_program_and_a_corpus() {
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names.len(), TARGETS.len(), "two targets of one name");
    assert_eq!(entries(&workspace().join("fuzz/corpus")), names);
    let programs = entries(&workspace().join("fuzz/fuzz_targets"));
    assert_eq!(programs, names.iter().map(|name| format!("{name}.rs")).collect());
    let manifest = fs::read_to_string(workspace().join("fuzz/Cargo.toml")).expect("the manifest");
    for name in &names {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} is no program");
        let program = fs::read_to_string(workspace().join(format!("fuzz/fuzz_targets/{name}.rs"))).expect("a program");
        assert_eq!(program, program_of(name), "{name} is another program");
    }
    let seeds: Vec<Vec<u8>> = TARGETS.iter().flat_map(corpus).collect();
    assert!(seeds.iter().map(Vec::len).sum::<usize>() <= CORPUS_BYTES_MAX, "the corpora are too large");
}

#[test]
fn every_seed_keeps_its_law() {
    let mut broken = Vec::new();
    for target in TARGETS {
        let seeds = named_corpus(&target);
        assert!(seeds.len() >= SEEDS_MIN, "{} has {} seeds", target.name, seeds.len());
        let breaks = |seed: &[u8]| catch_unwind(AssertUnwindSafe(|| (target.run)(seed))).is_err();
        broken.extend(seeds.iter().filter(|(_, seed)| breaks(seed)).map(|(name, _)| format!("{}/{name}", target.name)));
    }
    assert!(broken.is_empty(), "these seeds break their laws (panics above): {broken:?}");
}

#[test]
fn changed_seeds_keep_their_laws() {
    let seed = number("FUZZ_SEED").unwrap_or(SEED);
    let bound =
        number("FUZZ_SECONDS").map_or(Bound::Inputs(INPUTS), |seconds| Bound::Time(Duration::from_secs(seconds)));
    for target in chosen() {
        let inputs = mutation::run(&target, &corpus(&target), seed, bound);
        println!("{}: {inputs} inputs, seed {seed}", target.name);
        assert!(inputs > 0);
    }
}

#[test]
fn the_loop_finds_a_broken_law() {
    let broken = Target { name: "broken", run: |data| assert!(!data.starts_with(b"ab"), "found") };
    let bound = Bound::Inputs(100_000);
    let seeds = [b"b---".to_vec(), b"a---".to_vec()];
    let found = catch_unwind(|| mutation::run(&broken, &seeds, SEED, bound));
    assert!(found.is_err(), "a law that three bytes break was kept");
}
