//! Laws of the embedded store, some of them over a process that is killed.

use super::*;
use crate::crash::DISK_ERROR;
use crate::ledger::*;
use crate::store::{Accounts, Admissions, Ending, Entries, Now, Settlements};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::process::{Command, Stdio};

const SMALL: EmbeddedOptions = EmbeddedOptions {
    durability: Durability::Journal,
    journal: JournalOptions { segment_bytes: 256 << 10, group: Duration::from_micros(100) },
    checkpoint_bytes: 40_000,
    checkpoint_interval: Duration::from_secs(3600),
};

fn tenant() -> StoreName {
    StoreName::of(&["acme"])
}

fn account() -> AccountName {
    AccountName { base: StoreName::of(&["b"]), window: StoreName::of(&["w"]) }
}

/// Every request has a key of its own.
fn key(id: LedgerId) -> KeyHash {
    let mut key = [0; 32];
    key[..16].copy_from_slice(&id.as_u128().to_be_bytes());
    key
}

fn admit(id: LedgerId, amount: i64) -> Admit {
    let part = Part {
        account: account(),
        limit: Some(Nanos::new(1_000_000_000)),
        enforce: Enforce::Hard,
        amount: Nanos::new(amount),
    };
    Admit {
        id,
        fingerprint: [1; 32],
        lease_micros: 1 << 40,
        keys: vec![KeyUse {
            key: key(id),
            fingerprint: None,
            lease_micros: 1,
            keep_micros: 1_000_000_000,
            on_unknown: OnUnknown::RunAgain,
        }],
        slots: vec![],
        rates: vec![],
        parts: vec![part],
        note: Note::default(),
    }
}

fn settle(id: LedgerId, charge: i64, reply: Vec<u8>) -> Ending {
    let key = key(id);
    let ending = KeyEnding::Reply { reply: Some(reply), keep_micros: 1_000_000_000 };
    Ending::Settle(Settle {
        id,
        charge: Nanos::new(charge),
        accounts: vec![account()],
        certainty: Certainty::Exact,
        rates: vec![],
        keys: vec![KeyEnd { key, ending }],
        waste: vec![],
        mark: None,
        note: Note::default(),
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn spent(store: &Embedded) -> (i64, i64) {
    let account = block_on(store.account(&tenant(), &account())).unwrap().unwrap_or_default();
    (account.held.get(), account.spent.get())
}

/// All lines, checked and added up with nothing but their text.
fn lines_add_up(store: &Embedded) -> (u64, i64) {
    let entries = block_on(store.entries(&tenant(), 0, usize::MAX)).unwrap();
    let head = entries.iter().try_fold(Head::default(), |head, entry| head.follow(entry)).unwrap();
    assert_eq!(head, block_on(store.head(&tenant())).unwrap());
    let mut spent = 0;
    for entry in &entries {
        let body: serde_json::Value = serde_json::from_str(&entry.body).unwrap();
        for moved in body["at"].as_array().unwrap().iter().filter(|moved| moved[1] == "spent") {
            spent += moved[2].as_str().unwrap().parse::<i64>().unwrap();
        }
    }
    (head.version, spent)
}

#[test]
fn what_was_decided_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = (0, 0);
    for round in 0..4_u32 {
        let store = Embedded::open(folder.path(), SMALL).unwrap();
        assert_eq!(spent(&store), expected, "round {round}");
        for n in 0..40_u32 {
            let id = LedgerId::mint();
            let Ok(Admission::Admitted(_)) =
                block_on(store.admit(&tenant(), &admit(id, 10), Now::At(u64::from(n) + 1)))
            else {
                panic!("there is room")
            };
            if n % 4 > 0 {
                block_on(store.finish(&tenant(), &[settle(id, 3, vec![7; 100])], Now::At(2))).unwrap();
                expected.1 += 3;
            } else {
                expected.0 += 10;
            }
        }
        if round % 2 == 0 {
            store.checkpoint().unwrap();
        }
        assert_eq!(lines_add_up(&store).1, expected.1);
    }
}

#[test]
fn an_ended_request_and_a_kept_reply_are_found_after_they_left_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (id, other) = (LedgerId::from_u128(7), LedgerId::from_u128(14));
    let store = Embedded::open(folder.path(), SMALL).unwrap();
    block_on(store.admit(&tenant(), &admit(id, 10), Now::At(1))).unwrap();
    block_on(store.finish(&tenant(), &[settle(id, 3, b"hello".to_vec())], Now::At(2))).unwrap();
    store.checkpoint().unwrap();
    let found = |store: &Embedded| {
        let again = block_on(store.finish(&tenant(), &[settle(id, 4, vec![])], Now::At(3))).unwrap();
        assert_eq!(again, [Settlement::Duplicate(Finish::Settled { charge: Nanos::new(3) })]);
        let mut same = admit(other, 1);
        same.keys[0].key = key(id);
        let same_key = block_on(store.admit(&tenant(), &same, Now::At(4))).unwrap();
        let replied = KeyAnswer::Replied { holder: id, reply: Some(b"hello".to_vec()) };
        assert_eq!(same_key, Admission::Keyed { index: 0, answer: replied });
        assert_eq!(spent(store), (0, 3));
    };
    found(&store);
    drop(store);
    found(&Embedded::open(folder.path(), SMALL).unwrap());
}

#[test]
fn a_kept_reply_is_forgotten_when_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), SMALL).unwrap();
    let id = LedgerId::from_u128(7);
    block_on(store.admit(&tenant(), &admit(id, 10), Now::At(1))).unwrap();
    block_on(store.finish(&tenant(), &[settle(id, 3, b"hello".to_vec())], Now::At(2))).unwrap();
    store.checkpoint().unwrap();
    let row = crate::ledger::tenant::rows::row_key(&tenant(), crate::ledger::tenant::rows::RowKind::Key, &key(id));
    assert!(store.shared.disk.get(&row).unwrap().is_some());
    block_on(store.admit(&tenant(), &admit(LedgerId::from_u128(8), 10), Now::At(2_000_000_000))).unwrap();
    store.checkpoint().unwrap();
    assert_eq!(store.shared.disk.get(&row).unwrap(), None);
}

#[test]
fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = Embedded::open(folder.path(), SMALL).unwrap();
    let second = Embedded::open(folder.path(), SMALL).map(drop);
    assert!(matches!(&second, Err(StoreError::Journal(why)) if why.contains("another process")), "{second:?}");
    drop(first);
    Embedded::open(folder.path(), SMALL).unwrap();
}

#[test]
fn a_store_whose_disk_is_full_refuses_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), SMALL).unwrap();
    DISK_ERROR.set(Some(("journal.allocate", ErrorKind::StorageFull)));
    let admit_one = || block_on(store.admit(&tenant(), &admit(LedgerId::mint(), 1), Now::At(1)));
    let admitted = (0..10_000).take_while(|_| admit_one().is_ok()).count() as i64;
    assert!((10..9_000).contains(&admitted), "{admitted}");
    assert_eq!(admit_one(), Err(StoreError::OutOfMemory));
    assert_eq!(spent(&store), (admitted, 0), "what was refused holds nothing");
    DISK_ERROR.set(None);
    assert!(admit_one().is_ok());
    drop(store);
    let store = Embedded::open(folder.path(), SMALL).unwrap();
    assert_eq!(spent(&store), (admitted + 1, 0));
}

#[test]
fn a_record_that_cannot_be_written_ends_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), SMALL).unwrap();
    block_on(store.admit(&tenant(), &admit(LedgerId::mint(), 1), Now::At(1))).unwrap();
    DISK_ERROR.set(Some(("journal.write", ErrorKind::Other)));
    let refused = block_on(store.admit(&tenant(), &admit(LedgerId::mint(), 1), Now::At(1)));
    DISK_ERROR.set(None);
    assert!(matches!(refused, Err(StoreError::Journal(_))), "{refused:?}");
    let after = block_on(store.admit(&tenant(), &admit(LedgerId::mint(), 1), Now::At(1)));
    assert!(matches!(after, Err(StoreError::Journal(_))), "memory is ahead of the journal: {after:?}");
    drop(store);
    let store = Embedded::open(folder.path(), SMALL).unwrap();
    assert_eq!(spent(&store), (1, 0));
}

#[test]
fn lines_are_read_in_pages_and_can_be_trimmed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), SMALL).unwrap();
    for n in 1..=30_u128 {
        block_on(store.admit(&tenant(), &admit(LedgerId::from_u128(n * 1000), 1), Now::At(1))).unwrap();
        if n == 10 {
            store.checkpoint().unwrap();
        }
    }
    let versions = |after, count| -> Vec<u64> {
        block_on(store.entries(&tenant(), after, count)).unwrap().iter().map(|entry| entry.version).collect()
    };
    assert_eq!(versions(0, 100), (1..=30).collect::<Vec<_>>());
    assert_eq!(versions(8, 5), [9, 10, 11, 12, 13]);
    let line = block_on(store.entries(&tenant(), 11, 1)).unwrap().remove(0);
    let through = Head { version: 12, hash: line.hash };
    assert_eq!(block_on(store.trim(&tenant(), &through)).unwrap(), Trim::Done);
    assert_eq!(versions(0, 3), [13, 14, 15]);
    assert_eq!(block_on(store.head(&tenant())).unwrap().version, 30);
    drop(store);
    let store = Embedded::open(folder.path(), SMALL).unwrap();
    assert_eq!(block_on(store.entries(&tenant(), 0, 1)).unwrap()[0].version, 13);
    assert_eq!(block_on(store.archived(&tenant())).unwrap(), through);
}

#[test]
fn time_goes_on_after_a_restart_with_an_earlier_clock() {
    let clock = SteadyClock::start(u64::MAX / 2);
    assert!(clock.now() >= u64::MAX / 2);
    assert!(clock.now() >= clock.micros_at_start());
}

/// Not a test by itself: the process that [`every_kill_leaves_what_was_acknowledged`] kills.
#[test]
fn victim() {
    let Ok(folder) = std::env::var("RAPTORGATE_VICTIM") else { return };
    let mut out = std::io::stdout().lock();
    let store = Embedded::open(Path::new(&folder), SMALL).unwrap();
    for n in 0..160 {
        let id = LedgerId::mint();
        writeln!(out, "asked {id}").unwrap();
        let admission = block_on(store.admit(&tenant(), &admit(id, 10), Now::Store)).unwrap();
        assert!(matches!(admission, Admission::Admitted(_)), "{admission:?}");
        writeln!(out, "held {id}").unwrap();
        if n % 3 > 0 {
            writeln!(out, "settling {id}").unwrap();
            block_on(store.finish(&tenant(), &[settle(id, 3, vec![n; 300])], Now::Store)).unwrap();
            writeln!(out, "settled {id}").unwrap();
        }
    }
}

/// What the victims said of each request: the last word counts.
type Heard = BTreeMap<LedgerId, String>;

/// When a victim dies.
enum Moment {
    /// When it passes a place for the so many-th time.
    Place(&'static str, u64),
    /// When it has said so many words, wherever it is by then.
    AfterWords(u64),
}

/// Runs a victim until it is killed; false if it came to its end.
fn kill_one(folder: &Path, moment: &Moment, heard: &mut Heard) -> bool {
    let mut victim = Command::new(std::env::current_exe().unwrap());
    victim.args(["store::embedded::tests::victim", "--exact", "--nocapture"]);
    victim.env("RAPTORGATE_VICTIM", folder);
    let mut words_left = None;
    match moment {
        Moment::Place(place, passes) => drop(victim.env("RAPTORGATE_CRASH", format!("{place}:{passes}"))),
        Moment::AfterWords(words) => words_left = Some(*words),
    }
    let mut victim = victim.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    for line in BufReader::new(victim.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((word, id)) = line.split_once(' ')
            && let Some(id) = LedgerId::parse(id)
        {
            heard.insert(id, word.to_owned());
            words_left = words_left.map(|left| left.saturating_sub(1));
        }
        if words_left == Some(0) {
            victim.kill().unwrap();
        }
    }
    victim.wait().unwrap().code().is_none()
}

/// What was heard of is there, and what was only asked for is there whole or not at all.
fn check(folder: &Path, heard: &Heard, round: &str) {
    let store = Embedded::open(folder, SMALL).unwrap();
    let (held, spent) = spent(&store);
    let count = |words: &[&str]| heard.values().filter(|word| words.contains(&word.as_str())).count() as i64;
    let (sure_holds, sure_settles) = (count(&["held"]), count(&["settled"]));
    let (asked, settling) = (count(&["asked"]), count(&["settling"]));
    assert!((sure_settles * 3..=(sure_settles + settling) * 3).contains(&spent), "{round}: {spent} spent");
    let unsettled = (sure_settles + settling) - spent / 3;
    let least = (sure_holds + unsettled) * 10;
    assert!((least..=least + asked * 10).contains(&held), "{round}: {held} held, at least {least}");
    assert_eq!(lines_add_up(&store).1, spent, "{round}");
}

/// Places, and how often a victim passes each at least.
const PLACES: [(&str, u64); 9] = [
    ("journal.before_write", 250),
    ("journal.torn_write", 250),
    ("journal.after_write", 250),
    ("journal.before_sync", 9),
    ("journal.after_sync", 9),
    ("journal.rolled", 1),
    ("checkpoint.before", 2),
    ("checkpoint.stored", 2),
    ("checkpoint.removed", 2),
];

/// Stores that are killed side by side, and how often each is.
const FOLDERS: u64 = 10;
const KILLS: usize = 24;

/// Kills victims of one store one after another; how often at each place, and how often anywhere.
fn kill_many(seed: u64) -> BTreeMap<&'static str, usize> {
    let (folder, mut rng) = (tempfile::tempdir().unwrap(), fastrand::Rng::with_seed(seed));
    let (mut heard, mut kills) = (Heard::new(), BTreeMap::new());
    for round in 0..KILLS {
        let (place, moment) = match PLACES.get(round % (PLACES.len() + 3)) {
            Some((place, passes)) => (*place, Moment::Place(place, rng.u64(1..=*passes))),
            None => ("anywhere", Moment::AfterWords(rng.u64(1..500))),
        };
        *kills.entry(place).or_default() += usize::from(kill_one(folder.path(), &moment, &mut heard));
        check(folder.path(), &heard, &format!("SEED={seed}, kill {round}, {place}"));
    }
    kills
}

#[test]
fn every_kill_leaves_what_was_acknowledged() {
    let seed = std::env::var("SEED").map_or_else(|_| fastrand::u64(..1 << 40), |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    let mut kills: BTreeMap<&str, usize> = BTreeMap::new();
    std::thread::scope(|scope| {
        let stores: Vec<_> = (0..FOLDERS).map(|n| scope.spawn(move || kill_many(seed + n))).collect();
        for store in stores {
            store.join().unwrap().into_iter().for_each(|(place, count)| *kills.entry(place).or_default() += count);
        }
    });
    println!("{kills:?}");
    assert!(kills.values().sum::<usize>() >= 200, "the places are not passed: {kills:?}");
    let seldom = PLACES.iter().filter(|(place, _)| kills.get(place).is_none_or(|count| *count < 6));
    assert_eq!(seldom.collect::<Vec<_>>(), Vec::<&(&str, u64)>::new(), "{kills:?}");
    assert!(kills["anywhere"] >= 30, "{kills:?}");
}
