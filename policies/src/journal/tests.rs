//! Laws of the journal, some of them over a process that is killed.

use super::*;
use crate::crash::DISK_ERROR;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::process::{Command, Stdio};

const SMALL: JournalOptions = JournalOptions { segment_bytes: 4096, group: Duration::from_micros(100) };

fn payload(sequence: u64) -> Vec<u8> {
    format!("{sequence}:").bytes().cycle().take(20 + usize::try_from(sequence * 7 % 300).unwrap()).collect()
}

fn read(folder: &Path) -> Result<(Vec<u64>, Recovered), JournalError> {
    let mut numbers = Vec::new();
    let (_, found) = Journal::open(folder, SMALL, 0, |sequence, bytes| {
        assert_eq!(bytes, payload(sequence), "record {sequence}");
        numbers.push(sequence);
        Ok(())
    })?;
    Ok((numbers, found))
}

fn empty(folder: &Path) -> Journal {
    Journal::open(folder, SMALL, 0, |_, _| panic!("nothing was written yet")).unwrap().0
}

fn written(folder: &Path, records: u64) {
    let journal = empty(folder);
    (1..=records).for_each(|n| assert_eq!(journal.append(&payload(n)).unwrap(), n));
    journal.close().unwrap();
}

fn only_file(folder: &Path) -> PathBuf {
    let segments = recovery::segments(folder).unwrap();
    assert_eq!(segments.len(), 1);
    segments[0].1.clone()
}

#[test]
fn what_was_written_is_read_over_many_segments() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), 200);
    assert!(recovery::segments(folder.path()).unwrap().len() > 5);
    let (numbers, found) = read(folder.path()).unwrap();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
    assert_eq!(found, Recovered { records: 200, cut: None });
}

#[test]
fn what_is_checkpointed_is_removed_and_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = empty(folder.path());
    (1..=200).for_each(|n| assert_eq!(journal.append(&payload(n)).unwrap(), n));
    let before = journal.bytes();
    journal.remove_through(150).unwrap();
    assert!(journal.bytes() < before / 2);
    drop(journal);
    let mut numbers = Vec::new();
    let each = |sequence, _: &[u8]| {
        numbers.push(sequence);
        Ok(())
    };
    Journal::open(folder.path(), SMALL, 150, each).unwrap();
    assert_eq!(numbers, (151..=200).collect::<Vec<_>>());
    let missing = Journal::open(folder.path(), SMALL, 10, |_, _| Ok(()));
    assert!(matches!(missing, Err(JournalError::Missing { due: 11, .. })), "{missing:?}");
}

#[test]
fn a_torn_tail_is_cut_at_any_byte() {
    let folder = tempfile::tempdir().unwrap();
    let journal = empty(folder.path());
    // nothing is known to be durable when these are written: all in one group
    (1..=8).for_each(|n| assert_eq!(journal.append(&payload(n)).unwrap(), n));
    drop(journal);
    let file = only_file(folder.path());
    let whole = std::fs::read(&file).unwrap();
    let mut ends = vec![0];
    (1..=8).for_each(|n| ends.push(ends.last().unwrap() + HEADER_BYTES + payload(n).len()));
    let durable_ends = ends.iter().position(|end| frame::claimed(&whole[*end..]).is_some_and(|(_, d)| d > 0));
    let first_free = durable_ends.map_or(0, |_| ends[7]);
    for cut in (first_free..*ends.last().unwrap()).step_by(7) {
        let mut torn = whole.clone();
        torn[cut..].fill(0);
        std::fs::write(&file, &torn).unwrap();
        let (numbers, found) = read(folder.path()).unwrap();
        let records = ends.iter().filter(|end| **end <= cut).count() - 1;
        assert_eq!(numbers.len(), records, "cut at {cut}");
        // a header that begins with zeros looks like the end
        let visible = torn[ends[records]..cut].iter().any(|b| *b != 0);
        assert_eq!(found.cut.is_some(), visible, "cut at {cut}");
        // and the journal goes on from there
        let next = records as u64 + 1;
        let (journal, _) = Journal::open(folder.path(), SMALL, 0, |_, _| Ok(())).unwrap();
        assert_eq!(journal.append(&payload(next)).unwrap(), next);
        drop(journal);
        assert_eq!(read(folder.path()).unwrap().0.len(), records + 1);
    }
}

#[test]
fn damage_before_a_durable_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), 8);
    let file = only_file(folder.path());
    let whole = std::fs::read(&file).unwrap();
    let end: usize = (1..=8).map(|n| HEADER_BYTES + payload(n).len()).sum();
    for at in 0..end {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&file, &damaged).unwrap();
        let opened = read(folder.path());
        assert!(matches!(opened, Err(JournalError::Damaged { .. })), "byte {at}: {opened:?}");
    }
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(read(folder.path()).unwrap().0.len(), 8);
}

#[test]
fn a_repaired_journal_opens_and_keeps_what_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), 60);
    assert_eq!(repair(folder.path()).unwrap(), None);
    let segments = recovery::segments(folder.path()).unwrap();
    let (first, path) = &segments[1];
    let mut bytes = std::fs::read(path).unwrap();
    let second = HEADER_BYTES + payload(*first).len();
    bytes[second + HEADER_BYTES] ^= 1;
    std::fs::write(path, &bytes).unwrap();
    assert!(matches!(read(folder.path()), Err(JournalError::Damaged { .. })));
    let cut = repair(folder.path()).unwrap().unwrap();
    assert_eq!((cut.at, cut.sequence), (second as u64, first + 1));
    assert_eq!(std::fs::read(&cut.kept).unwrap(), bytes);
    let (numbers, _) = read(folder.path()).unwrap();
    assert_eq!(numbers, (1..=*first).collect::<Vec<_>>());
    let kept = std::fs::read_dir(folder.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "damaged"));
    assert_eq!(kept.count(), segments.len() - 1, "the segments behind it are kept too");
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let journal = empty(folder.path());
    DISK_ERROR.set(Some(("journal.allocate", ErrorKind::StorageFull)));
    let refused = (1..=100).find_map(|n| journal.append(&payload(n)).err()).expect("the first segment is small");
    assert!(matches!(refused, JournalError::Full), "{refused:?}");
    let last = journal.last();
    assert!(last > 5);
    assert!(matches!(journal.reserve(4000), Err(JournalError::Full)));
    DISK_ERROR.set(None);
    (last + 1..=last + 30).for_each(|n| assert_eq!(journal.append(&payload(n)).unwrap(), n));
    drop(journal);
    assert_eq!(read(folder.path()).unwrap().0.len() as u64, last + 30);
}

#[test]
fn a_failed_write_ends_the_journal() {
    for place in ["journal.write", "journal.sync"] {
        let folder = tempfile::tempdir().unwrap();
        let journal = empty(folder.path());
        journal.append(&payload(1)).unwrap();
        journal.syncer.now().unwrap();
        DISK_ERROR.set(Some((place, ErrorKind::Other)));
        let failed = journal.append(&payload(2)).and_then(|_| journal.close());
        DISK_ERROR.set(None);
        // the thread may have synced record 2 before this thread's sync could fail
        if failed.is_err() {
            assert!(matches!(journal.append(&payload(3)), Err(JournalError::Failed(_))), "{place}");
        }
        drop(journal);
        assert!(!read(folder.path()).unwrap().0.is_empty(), "{place}");
    }
}

#[test]
fn one_writer_waits_for_many_records_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let journal = empty(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let last = (1..=500).map(|n| journal.append(&payload(n)).unwrap()).last().unwrap();
    runtime.block_on(journal.durable(last)).unwrap();
    assert_eq!(journal.syncer.durable(), 500);
}

/// Not a test by itself: the process that [`what_was_appended_survives_a_kill`] kills.
#[test]
fn victim() {
    let Ok(folder) = std::env::var("RAPTORGATE_VICTIM") else { return };
    let mut out = std::io::stdout().lock();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (journal, _) = Journal::open(Path::new(&folder), SMALL, 0, |_, _| Ok(())).unwrap();
    for n in journal.last() + 1..journal.last() + 60 {
        let sequence = journal.append(&payload(n)).unwrap();
        writeln!(out, "acked {sequence}").unwrap();
        if n % 10 == 0 {
            runtime.block_on(journal.durable(sequence)).unwrap();
        }
    }
}

#[test]
fn what_was_appended_survives_a_kill() {
    let places = [
        "journal.before_write",
        "journal.torn_write",
        "journal.after_write",
        "journal.rolled",
        "journal.before_sync",
        "journal.after_sync",
    ];
    let folder = tempfile::tempdir().unwrap();
    let (mut kills, mut acked) = (0, 0);
    for round in 1..=6 {
        for place in places {
            let mut victim = Command::new(std::env::current_exe().unwrap());
            victim
                .args(["journal::tests::victim", "--exact", "--nocapture"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null());
            let crash = format!("{place}:{}", if place == "journal.rolled" { 1 + round % 2 } else { round * 3 });
            let mut victim =
                victim.env("RAPTORGATE_VICTIM", folder.path()).env("RAPTORGATE_CRASH", crash).spawn().unwrap();
            for line in BufReader::new(victim.stdout.take().unwrap()).lines() {
                if let Some(number) = line.unwrap().strip_prefix("acked ") {
                    acked = number.parse().unwrap();
                }
            }
            kills += usize::from(victim.wait().unwrap().code().is_none());
            let (numbers, _) = read(folder.path()).unwrap();
            let kept = numbers.len() as u64;
            assert_eq!(numbers, (1..=kept).collect::<Vec<_>>());
            assert!(kept >= acked, "{place} in round {round}: {acked} acknowledged, {kept} there");
            acked = kept;
        }
    }
    assert!(kills >= 24, "only {kills} kills: the places are not passed");
}
