//! `bench-compare ENVOY [--quick] [--only NAME] [--markdown FILE]`: nginx, HAProxy, Envoy, bare Pingora and raptorgate, side by side.
//!
//! Looks for `bare-pingora` and `raptorgate` beside itself. `scripts/bench compare` builds all three and starts this one.

use raptorgate_benches::compare::{self, Plan};
use raptorgate_benches::contender::Place;
use raptorgate_benches::peers::Peers;
use raptorgate_benches::workload::Workload;
use raptorgate_benches::{Failure, machine, tls, upstream};
use std::path::PathBuf;
use std::time::Duration;

const FULL: Plan = Plan { rounds: 5, warm_up: Duration::from_millis(400), time: Duration::from_millis(2000) };
const QUICK: Plan = Plan { rounds: 2, warm_up: Duration::from_millis(200), time: Duration::from_millis(500) };
const USAGE: &str = "usage: bench-compare ENVOY [--quick] [--only NAME] [--markdown FILE]";

struct Arguments {
    envoy: PathBuf,
    plan: Plan,
    workloads: Vec<Workload>,
    markdown: Option<PathBuf>,
}

fn main() -> Result<(), Failure> {
    let arguments = arguments(std::env::args().skip(1))?;
    let folder = tempfile::tempdir()?;
    let programs = std::env::current_exe()?.parent().ok_or("no folder of programs")?.to_owned();
    let peers = Peers { nginx: "nginx".into(), haproxy: "haproxy".into(), envoy: arguments.envoy };
    let header = format!("{}. {}.", machine::description(), machine::versions(&peers, &programs));
    println!("{header}\n");
    let tls = tls::certificate_and_client(folder.path())?;
    let place =
        Place { programs, folder: folder.path().to_owned(), upstream: upstream::start()?, workload: Workload::Get };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let comparison = runtime.block_on(compare::run(&peers, place, &arguments.workloads, tls, arguments.plan))?;
    let report = format!(
        "Machine: {header} {}. {} {}.\n\n{}",
        method(arguments.plan),
        built(),
        comparison.quietness(),
        comparison.tables()
    );
    println!("\n{report}");
    if let Some(file) = arguments.markdown {
        std::fs::write(&file, report)?;
        println!("written to {}", file.display());
    }
    Ok(())
}

fn method(plan: Plan) -> String {
    format!(
        "{} rounds, the proxies in turn and each round beginning with another, {:.1} s to warm up and {:.1} s measured each",
        plan.rounds,
        plan.warm_up.as_secs_f64(),
        plan.time.as_secs_f64()
    )
}

/// How the programs of this workspace were built, as `scripts/bench` tells cargo.
fn built() -> String {
    let or_default = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let lto = or_default("CARGO_PROFILE_RELEASE_LTO", "fat");
    let units = or_default("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    format!("Pingora and raptorgate were built with {lto} LTO and {units} codegen units, and use mimalloc.")
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, Failure> {
    let envoy = words.next().ok_or(USAGE)?.into();
    let mut arguments = Arguments { envoy, plan: FULL, workloads: Workload::ALL.to_vec(), markdown: None };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => arguments.plan = QUICK,
            "--only" => {
                let part = words.next().ok_or(USAGE)?;
                arguments.workloads.retain(|w| w.name().contains(&part));
            }
            "--markdown" => arguments.markdown = Some(words.next().ok_or(USAGE)?.into()),
            _ => return Err(USAGE.into()),
        }
    }
    if arguments.workloads.is_empty() {
        return Err("no workload has that in its name".into());
    }
    Ok(arguments)
}
