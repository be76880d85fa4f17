//! Gateways and their store in virtual time: the ledger, journals, the spool and the keeper as they are, with a server that
//! forgets, delays, doubles and falls silent, and gateways that die at any step. Everything that happens follows from a seed.
//!
//! `SEED=7 cargo test -p raptorgate-policies --lib simulation` plays one again, `TRACE=1` prints what the server did;
//! `SEEDS=1000000` plays so many.
//!
//! # Invariants
//! * What the upstream served is charged exactly once, and nothing else is: to the nano-unit, or for its prompt if its gateway
//!   died while it ran. Nothing is held in the end, the lines of the ledger are a whole chain and add up, a hold is given up
//!   when its lease and the grace are over and not before, a budget is overspent by no more than what the server forgot or
//!   gave up before it was charged, and a key runs once unless the server was set back (`money_adds_up_whatever_fails`).
//! * A store or a spool that breaks one of these is found (`a_store_that_is_wrong_is_found`).

mod fleet;
mod judge;
mod link;
mod server;

use crate::journal::JournalOptions;
use crate::ledger::LedgerId;
use fleet::Fleet;
use raptorgate_config::model::Config;
use raptorgate_config::{Origin, parse};
use server::Tally;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Seeds of one run.
const SEEDS: u64 = 10_000;

/// Journals that roll after some requests, and wait for nobody.
const SMALL: JournalOptions = JournalOptions { segment_bytes: 4096, group: Duration::ZERO };

/// One budget that is nearly always at its end, and one over all users.
const CONFIGURATION: &str = "
version: 1
listeners: [{ address: '127.0.0.1:0' }]
tenants: { acme: {}, other: {} }
prices: { m: { input: 1.00 INR, output: 1.00 INR } }
upstreams: { agents: { endpoints: [{ address: '127.0.0.1:1' }] } }
routes:
  - name: chat
    match: { path: /* }
    upstream: agents
    authenticate: { api_keys: [{ id: k, sha256: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', tenant: acme, user: asha }] }
    meter: { format: openai }
    idempotency: { keep: 30d }
    budgets:
      - { name: tight, per: user, limit: 0.000000200 INR, window: total }
      - { name: wide, per: tenant, limit: 0.000000300 INR, window: total }
    rate_limits: [{ name: parallel, per: user, concurrent: 6 }]
";

/// A defect that the simulation must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    /// The server does not know by the id that a charge came before.
    ChargesTwice,
    /// Nobody hears that the server was set back.
    IgnoresGaps,
    /// The server lets in whatever it costs.
    AsksNoBudget,
    /// The server gives holds up without a grace.
    ForgetsHolds,
    /// The server gives a key to everybody.
    SharesKeys,
}

/// A folder in memory if there is one: nothing here has to survive this process.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("raptorgate-simulation-").tempdir_in(parent).unwrap()
}

fn configuration() -> Arc<Config> {
    let origin = Origin { file: "raptorgate.yaml".to_owned(), folder: PathBuf::new() };
    Arc::new(parse(CONFIGURATION, &origin, &|_| None).unwrap_or_else(|problems| panic!("{problems}")).config)
}

/// Plays one seed: what happened, or what is wrong.
fn play(seed: u64, config: &Config, folder: &Path, defect: Option<Defect>) -> Result<Tally, String> {
    let folder = folder.join(seed.to_string());
    let run = || {
        let mut fleet = Fleet::new(seed, config, &folder, defect);
        fleet.run();
        fleet.come_to_rest()?;
        judge::judge(&fleet.server())
    };
    let result = std::panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_default())
    });
    let _ = std::fs::remove_dir_all(folder);
    result
}

/// Plays seeds in a few threads; the lowest that is wrong, whichever thread came first, or what happened in all.
fn play_many(seeds: std::ops::Range<u64>, defect: Option<Defect>) -> Result<Tally, (u64, String)> {
    let (config, folder) = (configuration(), folder());
    let (next, stop) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let found: Mutex<Result<Tally, (u64, String)>> = Mutex::new(Ok(Tally::default()));
    std::thread::scope(|scope| {
        // more than processors: a journal that is closed waits for its thread
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Relaxed) {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let result = play(seed, &config, folder.path(), defect);
                    let mut found = found.lock().unwrap();
                    match (result, &mut *found) {
                        (Ok(tally), Ok(all)) => all.add(&tally),
                        (Err(why), Ok(_)) => {
                            *found = Err((seed, why));
                            // lower ones are taken already, and are played to their end
                            stop.store(true, Relaxed);
                        }
                        (Err(why), Err((lowest, _))) if seed < *lowest => *found = Err((seed, why)),
                        (Ok(_) | Err(_), Err(_)) => {}
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

#[test]
fn money_adds_up_whatever_fails() {
    let began = Instant::now();
    let first = number("SEED").unwrap_or_else(|| u64::from(fastrand::u32(..)) << 20);
    let count = number("SEEDS").unwrap_or(if number("SEED").is_some() { 1 } else { SEEDS });
    println!("{count} seeds from SEED={first} on");
    match play_many(first..first + count, None) {
        Err((seed, why)) => {
            panic!("{why}\nplay it again: SEED={seed} cargo test -p raptorgate-policies --lib simulation")
        }
        Ok(tally) => {
            println!("{tally:#?}\nin {:?}", began.elapsed());
            if count >= 1000 {
                assert_eq!(tally.never(), Vec::<&str>::new(), "what never happened proves nothing");
            }
        }
    }
}

#[test]
fn a_store_that_is_wrong_is_found() {
    let defects = [
        (Defect::ChargesTwice, "charged"),
        (Defect::IgnoresGaps, "charged"),
        (Defect::AsksNoBudget, "overspent"),
        (Defect::ForgetsHolds, "given up"),
        (Defect::SharesKeys, "key"),
    ];
    for (defect, word) in defects {
        let (seed, why) = play_many(0..2000, Some(defect)).expect_err("a defect that nobody finds");
        println!("{defect:?}: found at SEED={seed}: {why}");
        assert!(why.contains(word), "{defect:?}: {why}");
    }
}

#[test]
fn a_seed_plays_the_same_twice() {
    let (config, folder) = (configuration(), folder());
    for seed in 0..20 {
        let [one, other] = [(); 2].map(|()| play(seed, &config, folder.path(), None));
        assert_eq!(one, other, "SEED={seed}");
    }
}

/// Ids that follow from the seed.
fn id(seed: u64, number: u64) -> LedgerId {
    let millis = 1_764_057_600_000_u128;
    LedgerId::from_u128(
        (millis << 80) | (0x7 << 76) | (0x8 << 60) | (u128::from(seed as u32) << 20) | u128::from(number),
    )
}
