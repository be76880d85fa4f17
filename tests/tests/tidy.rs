//! The rules of this code base that a machine can check: arrows between crates, words that must be absent, files that
//! must stay small, and documents that must stay true.

use raptorgate_tests::machine::workspace;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Longest source file.
const FILE_LINES_MAX: usize = 500;
/// Longest function.
const FUNCTION_LINES_MAX: usize = 60;
/// Folders that are no part of the project.
const NOT_OURS: [&str; 5] = ["target", ".git", ".deps", "__pycache__", "artifacts"];

/// A text file of the workspace.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The lines that are code outside tests, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let production = self.text.lines().take_while(|l| l.trim() != "#[cfg(test)]");
        production.enumerate().map(|(n, l)| (n + 1, l)).filter(|(_, l)| !l.trim_start().starts_with("//"))
    }

    fn is_under(&self, folders: &[&str]) -> bool {
        folders.iter().any(|f| self.path.starts_with(f))
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("read a folder").map(|e| e.expect("an entry").path()) {
        let name = entry.file_name().expect("a name").to_string_lossy().into_owned();
        if NOT_OURS.contains(&name.as_str()) || entry.is_symlink() {
            continue;
        }
        if entry.is_dir() { walk(&entry, found) } else { found.push(entry) }
    }
}

fn files(extensions: &[&str]) -> Vec<Source> {
    let root = workspace();
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let wanted =
        |p: &PathBuf| extensions.is_empty() || p.extension().is_some_and(|e| extensions.iter().any(|x| e == *x));
    let read = |p: PathBuf| {
        let text = fs::read_to_string(&p).ok()?;
        Some(Source { path: p.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned(), text })
    };
    paths.into_iter().filter(wanted).filter_map(read).collect()
}

fn none(rule: &str, breaches: Vec<String>) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

/// Dependencies of each member by kind (`normal`, `dev`, `build`), as cargo reads the manifests.
fn dependencies() -> BTreeMap<String, Vec<(String, String)>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let arguments = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let output = Command::new(cargo).args(arguments).current_dir(workspace()).output().expect("run cargo metadata");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo's metadata");
    let text = |v: &Value| v.as_str().unwrap_or("normal").to_owned();
    let of = |p: &Value| {
        p["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter()
            .map(|d| (text(&d["name"]), text(&d["kind"])))
            .collect()
    };
    metadata["packages"].as_array().expect("packages").iter().map(|p| (text(&p["name"]), of(p))).collect()
}

#[test]
fn crates_depend_only_along_the_arrows() {
    let order = [
        "raptorgate-config",
        "raptorgate-policies",
        "raptorgate-guards",
        "raptorgate-filters",
        "raptorgate",
        "raptorgate-tests",
        "raptorgate-benches",
    ];
    let rank = |name: &str| order.iter().position(|o| *o == name);
    let mut breaches = Vec::new();
    for (package, dependencies) in dependencies() {
        let own = rank(&package).unwrap_or_else(|| panic!("{package} has no place in the order of crates"));
        let backwards = dependencies.iter().filter(|(d, _)| rank(d).is_some_and(|r| r >= own || r >= 5));
        breaches.extend(backwards.map(|(d, _)| format!("{package} -> {d}")));
    }
    none("config <- policies <- filters <- proxy <- tests, benches", breaches);
}

/// What must never be in a crate: as a dependency, or as a word of its code.
const FORBIDDEN: [(&str, &str, &[&str]); 4] = [
    ("raptorgate-config", "config/", &["tokio", "http", "hyper", "h2", "axum", "redis", "pingora"]),
    ("raptorgate-policies", "policies/", &["http", "hyper", "h2", "axum", "pingora"]),
    ("raptorgate-guards", "guards/", &["tokio", "http", "hyper", "h2", "axum", "redis", "pingora", "fs", "net"]),
    ("raptorgate-filters", "filters/", &["pingora", "redis", "hyper", "h2", "axum"]),
];

#[test]
fn crates_do_not_know_what_is_above_them() {
    let mut breaches = Vec::new();
    let dependencies = dependencies();
    let sources = files(&["rs"]);
    for (package, folder, words) in FORBIDDEN {
        for (name, kind) in dependencies[package].iter().filter(|(_, kind)| kind == "normal") {
            let family = name.split('-').next().unwrap_or_default();
            if words.contains(&family) {
                breaches.push(format!("{package} depends on {name} ({kind})"));
            }
        }
        // Examples are programs of developers.
        for source in sources.iter().filter(|s| s.is_under(&[folder]) && !s.path.contains("/examples/")) {
            for (line, code) in source.code() {
                let uses = |w: &&&str| code.contains(&format!("{w}::")) || code.contains(&format!("use {w}"));
                breaches.extend(words.iter().filter(uses).map(|w| format!("{}:{line} uses {w}", source.path)));
            }
        }
    }
    none("these crates must not know these", breaches);
}

#[test]
fn refusals_become_status_codes_in_one_place() {
    // The admin, ops and demo servers are servers of their own; custom replies of filters carry what they were given.
    let allowed = ["filters/src/render.rs", "proxy/src/admin", "proxy/src/ops", "proxy/src/demo", "tests/", "benches/"];
    let mut breaches = Vec::new();
    let judged = |s: &&Source| !s.is_under(&allowed) && !s.path.contains("/tests/");
    for source in files(&["rs"]).iter().filter(judged) {
        let names_one = |code: &str| {
            code.match_indices("StatusCode::")
                .any(|(at, m)| code[at + m.len()..].starts_with(|c: char| c.is_ascii_uppercase()))
        };
        // What an upstream says about its own reply is read by name: 101, 204, 304.
        let is_reading = |code: &str| {
            ["SWITCHING_PROTOCOLS", "NO_CONTENT", "NOT_MODIFIED", "CONTINUE"].iter().any(|n| code.contains(n))
        };
        let lines = source.code().filter(|(_, code)| names_one(code) && !is_reading(code));
        breaches.extend(lines.map(|(line, code)| format!("{}:{line} {}", source.path, code.trim())));
    }
    none("status codes of refusals stand in filters/src/render.rs alone", breaches);
}

#[test]
fn every_module_says_what_it_is() {
    let silent = files(&["rs"]).into_iter().filter(|s| !s.text.starts_with("//!")).map(|s| s.path).collect();
    none("the first line of a module is a sentence about it (//!)", silent);
}

#[test]
fn every_invariant_names_a_test_that_exists() {
    let sources = files(&["rs"]);
    let functions: BTreeSet<String> = sources.iter().flat_map(|s| function_names(&s.text)).collect();
    let mut breaches = Vec::new();
    for source in &sources {
        let docs: Vec<&str> = source.text.lines().map_while(|l| l.strip_prefix("//!")).collect();
        let Some(start) = docs.iter().position(|l| l.trim() == "# Invariants") else { continue };
        for name in docs[start..].iter().flat_map(|l| l.split('`').skip(1).step_by(2)) {
            let last = name.rsplit("::").next().unwrap_or(name);
            let looks_like_a_test = last.matches('_').count() >= 2
                && last.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if looks_like_a_test && !functions.contains(last) {
                breaches.push(format!("{}: {name}", source.path));
            }
        }
    }
    none("an invariant names a test that is not there", breaches);
}

fn function_names(text: &str) -> Vec<String> {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    text.match_indices("fn ").map(|(at, m)| name(&text[at + m.len()..])).filter(|n| !n.is_empty()).collect()
}

#[test]
fn files_and_functions_stay_small() {
    let mut breaches = Vec::new();
    for source in files(&["rs"]) {
        let lines: Vec<&str> = source.text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            breaches.push(format!("{} has {} lines", source.path, lines.len()));
        }
        for (start, line) in lines.iter().enumerate().filter(|(_, l)| is_function_start(l)) {
            let indent = &line[..line.len() - line.trim_start().len()];
            let end = lines[start..].iter().position(|l| l.trim_end() == format!("{indent}}}")).unwrap_or(0);
            if end + 1 > FUNCTION_LINES_MAX {
                breaches.push(format!("{}:{} has {} lines", source.path, start + 1, end + 1));
            }
        }
    }
    none("files stay below 500 lines, functions below 60", breaches);
}

fn is_function_start(line: &str) -> bool {
    let words = [
        "fn ",
        "pub fn ",
        "async fn ",
        "pub async fn ",
        "pub(crate) fn ",
        "pub(crate) async fn ",
        "pub(super) fn ",
        "const fn ",
        "pub const fn ",
    ];
    words.iter().any(|w| line.trim_start().starts_with(w)) && !line.trim_end().ends_with([';', '}'])
}

#[test]
fn nothing_is_called_common_or_utils() {
    let vague = ["common", "utils", "util", "helpers", "misc"];
    let part_of = |path: &str| path.split('/').any(|p| vague.contains(&p.trim_end_matches(".rs")));
    none(
        "a room has a name that says what lives there",
        files(&["rs"]).into_iter().map(|s| s.path).filter(|p| part_of(p)).collect(),
    );
}

#[test]
fn tests_do_not_sleep_and_are_not_switched_off() {
    let switched_off = format!("#[{}", "ignore");
    let sleeps = ["thread::sleep(", "time::sleep(Duration"];
    let mut breaches = Vec::new();
    for source in files(&["rs"]).iter().filter(|s| s.path != "tests/tests/tidy.rs") {
        let lines = source.text.lines().enumerate();
        let bad = lines.filter(|(_, l)| {
            l.contains(&switched_off) || (source.is_under(&["tests/tests/"]) && sleeps.iter().any(|w| l.contains(w)))
        });
        breaches.extend(bad.map(|(n, l)| format!("{}:{} {}", source.path, n + 1, l.trim())));
    }
    none("tests wait for what they need, and all of them run", breaches);
}

#[test]
fn versions_stand_in_one_place_each_with_its_reason() {
    let mut breaches = Vec::new();
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).expect("the workspace manifest");
    let section = manifest
        .split("[workspace.dependencies]")
        .nth(1)
        .expect("dependencies")
        .split("\n[")
        .next()
        .expect("a section");
    let declared: Vec<&str> = section.lines().filter(|l| l.contains(" = ")).collect();
    breaches.extend(
        declared.iter().filter(|l| !l.contains("path = ") && !l.contains(" # ")).map(|l| format!("no reason: {l}")),
    );
    let manifests = files(&["toml"]).into_iter().filter(|s| s.path.ends_with("/Cargo.toml"));
    // The fuzz targets are a workspace of their own: what libFuzzer needs has its version there.
    let (fuzz, members): (Vec<Source>, Vec<Source>) = manifests.partition(|s| s.path == "fuzz/Cargo.toml");
    let fuzz =
        fuzz[0].text.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).expect("dependencies");
    breaches
        .extend(fuzz.lines().filter(|l| l.contains(" = ") && !l.contains(" # ")).map(|l| format!("no reason: {l}")));
    for member in &members {
        let is_version = |l: &&str| {
            !l.starts_with('#') && (l.contains("version = \"") || l.contains(" = \"0.") || l.contains(" = \"1"))
        };
        breaches.extend(member.text.lines().filter(is_version).map(|l| format!("{}: {l}", member.path)));
    }
    for name in declared.iter().filter_map(|l| l.split(" = ").next()) {
        let used = |m: &Source| {
            m.text.lines().any(|l| {
                l.starts_with(&format!("{name}.workspace")) || l.starts_with(&format!("{name} = {{ workspace"))
            })
        };
        if !members.iter().any(used) {
            breaches.push(format!("used by nobody: {name}"));
        }
    }
    none("a dependency has one version, one reason, and a user", breaches);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let folders = ["work", "root", "home", "Users"].map(|f| format!("/{f}/"));
    let mut breaches = Vec::new();
    for source in files(&[]).iter().filter(|s| s.path != "tests/tests/tidy.rs") {
        for (n, line) in source.text.lines().enumerate() {
            let absolute = |f: &String| {
                line.match_indices(f.as_str())
                    .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "./}-_".contains(c)))
            };
            if folders.iter().any(absolute) {
                breaches.push(format!("{}:{} {}", source.path, n + 1, line.trim()));
            }
        }
    }
    none("a path that exists on one machine only", breaches);
}

#[test]
fn links_and_paths_in_documents_exist() {
    let root = workspace();
    let mut breaches = Vec::new();
    for document in files(&["md"]) {
        let folder = root.join(&document.path).parent().expect("a folder").to_owned();
        for link in document.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            let is_outside = file.contains("://") || file.starts_with("mailto:") || file.contains(' ');
            if !file.is_empty() && !is_outside && !folder.join(file).exists() {
                breaches.push(format!("{} links to {link}", document.path));
            }
        }
        for path in document.text.split('`').skip(1).step_by(2).filter(|p| is_source_path(p)) {
            if !root.join(path).exists() {
                breaches.push(format!("{} names {path}", document.path));
            }
        }
    }
    none("a document speaks of a file that is not there", breaches);
}

fn is_source_path(text: &str) -> bool {
    let crates = [
        "config/src/",
        "policies/src/",
        "filters/src/",
        "proxy/src/",
        "tests/src/",
        "tests/tests/",
        "benches/",
        "fuzz/",
        "docs/",
        "examples/",
        "scripts/",
    ];
    crates.iter().any(|c| text.starts_with(c)) && !text.contains([' ', '*', '{', '<', '\n'])
}

#[test]
fn every_document_is_linked_from_another() {
    let readme = fs::read_to_string(workspace().join("README.md")).unwrap_or_default();
    let documents = files(&["md"]);
    let all: String = documents.iter().map(|d| d.text.as_str()).collect();
    let name = |s: &Source| s.path.rsplit('/').next().unwrap_or_default().to_owned();
    let unreachable = |s: &&Source| s.is_under(&["docs/"]) && !all.contains(&name(s)) && !readme.contains(&name(s));
    none("a document that nothing links to", documents.iter().filter(unreachable).map(|s| s.path.clone()).collect());
}
