//! Laws of archiving, on a store in a folder whose process is killed, and on one in memory that can be damaged.

use super::*;
use crate::ledger::{AccountName, Certainty, GENESIS, LedgerId, Nanos, Note, Settle, StoreName};
use crate::store::embedded::{Embedded, EmbeddedOptions};
use crate::store::{Ending, Entries, Now, Settlements};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

fn tenant() -> StoreName {
    StoreName::of(&["acme"])
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A store in a folder, a few lines at a time.
struct Stored(Embedded);

impl Stored {
    fn open(folder: &Path) -> Self {
        Self(Embedded::open(&folder.join("store"), EmbeddedOptions::default()).unwrap())
    }

    fn write(&self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            let settle = Settle {
                id: LedgerId::from_u128(u128::from(number)),
                charge: Nanos::new(1),
                accounts: vec![AccountName { base: StoreName::of(&["b"]), window: StoreName::of(&["w"]) }],
                certainty: Certainty::Exact,
                rates: vec![],
                keys: vec![],
                waste: vec![],
                mark: None,
                note: Note::new(r#"{"é":"\"\\"}"#).unwrap(),
            };
            block_on(self.0.finish(&tenant(), &[Ending::Settle(settle)], Now::At(1_000 + number))).unwrap();
        }
    }
}

impl Source for Stored {
    fn page(&mut self, after: u64) -> Result<Page, String> {
        block_on(async {
            let entries = self.0.entries(&tenant(), after, 7).await.unwrap();
            let (head, archived) = (self.0.head(&tenant()).await.unwrap(), self.0.archived(&tenant()).await.unwrap());
            Ok(Page { entries, head, archived })
        })
    }

    fn trim(&mut self, through: &Head) -> Result<Trim, String> {
        block_on(self.0.trim(&tenant(), through)).map_err(|error| error.to_string())
    }
}

fn run(folder: &Path, keep: Keep) -> Result<Done, ArchiveError> {
    let mut archive = Archive::open(&folder.join("archive"))?;
    archive.entries_max = 20;
    super::archive(&archive, &tenant(), &mut Stored::open(folder), keep)
}

/// Names and bytes of all files but the lock.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let all = std::fs::read_dir(folder.join("archive")).unwrap().map(|entry| entry.unwrap());
    let name = |entry: &std::fs::DirEntry| entry.file_name().into_string().unwrap();
    all.filter(|e| !name(e).starts_with('.')).map(|e| (name(&e), std::fs::read(e.path()).unwrap())).collect()
}

fn versions(stored: &mut Stored) -> Vec<u64> {
    let (mut seen, mut after) = (Vec::new(), 0);
    loop {
        let page = stored.page(after).unwrap();
        let Some(last) = page.entries.last() else { return seen };
        after = last.version;
        seen.extend(page.entries.iter().map(|entry| entry.version));
    }
}

/// Not a test by itself: the process that [`killed_at_any_moment_it_is_completed_by_the_next_run`] kills.
#[test]
fn archiving_victim() {
    let Ok(folder) = std::env::var("RAPTORGATE_ARCHIVING_VICTIM") else { return };
    run(Path::new(&folder), Keep::Entries(10)).unwrap();
}

fn kill_one(folder: &Path, crash: &str) -> bool {
    let mut victim = Command::new(std::env::current_exe().unwrap());
    victim.args(["archive::tests::archiving_victim", "--exact", "--nocapture"]);
    victim.env("RAPTORGATE_ARCHIVING_VICTIM", folder).env("RAPTORGATE_CRASH", crash);
    victim.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().code().is_none()
}

#[test]
fn killed_at_any_moment_it_is_completed_by_the_next_run() {
    let whole = tempfile::tempdir().unwrap();
    Stored::open(whole.path()).write(1..71);
    let done = run(whole.path(), Keep::Entries(10)).unwrap();
    assert_eq!((done.segments.len(), done.archived.version, done.head.version), (3, 60, 70));
    let due = files(whole.path());
    assert_eq!(due.len(), 6, "{:?}", due.keys());
    let places = ["partial", "written", "sealing", "sealed", "named", "verified", "trimmed"]
        .map(|place| format!("archive.{place}"));
    let mut kills = 0;
    for place in places.iter().map(String::as_str).chain(["checkpoint.before", "checkpoint.stored"]) {
        for pass in 1..=3 {
            let folder = tempfile::tempdir().unwrap();
            Stored::open(folder.path()).write(1..71);
            kills += usize::from(kill_one(folder.path(), &format!("{place}:{pass}")));
            run(folder.path(), Keep::Entries(10)).unwrap();
            assert!(files(folder.path()) == due, "{place}:{pass}: {:?}", files(folder.path()).keys());
            assert_eq!(versions(&mut Stored::open(folder.path())), (61..=70).collect::<Vec<_>>(), "{place}:{pass}");
            let again = run(folder.path(), Keep::Entries(10)).unwrap();
            assert_eq!((again.segments, again.archived.version), (vec![], 60));
        }
    }
    assert_eq!(kills, 27, "the places are not passed");
}

#[test]
fn files_and_store_are_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    Stored::open(folder.path()).write(1..31);
    // times are 1001 and on
    assert_eq!(run(folder.path(), Keep::Since(1_013)).unwrap().archived.version, 12);
    Stored::open(folder.path()).write(31..41);
    assert_eq!(run(folder.path(), Keep::Entries(5)).unwrap().archived.version, 35);
    assert_eq!(run(folder.path(), Keep::Entries(50)).unwrap().segments, []);
    let mut stored = Stored::open(folder.path());
    let archive = Archive::read(&folder.path().join("archive")).unwrap();
    let mut seen = 0;
    let (head, count) = archive.verify_all(&tenant(), |_| seen += 1).unwrap();
    let left = stored.page(0).unwrap();
    assert_eq!((head.clone(), count, seen), (left.archived.clone(), 3, 35));
    let end = left.entries.iter().try_fold(head, |head, entry| head.follow(entry)).unwrap();
    assert_eq!(end, left.head);
    let first = archive.segments(&tenant()).unwrap().remove(0);
    assert_eq!(first.file_name(), "acme-000000000001-000000000012.jsonl");
    let mut sha256sum = Command::new("sha256sum");
    sha256sum.args(["-c", "--strict", &first.seal_name()]).current_dir(folder.path().join("archive"));
    let checked = sha256sum.output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// A ledger in memory.
#[derive(Default)]
struct InMemory {
    page: Page,
    trimmed: u64,
}

impl InMemory {
    fn of(lines: u64) -> Self {
        let mut memory = Self::default();
        for version in 1..=lines {
            let body = format!("{{\"v\":{version},\"ts\":{version},\"op\":\"settle\"}}");
            let hash = crate::ledger::chain(&memory.page.head.hash, &body);
            memory.page.head = Head { version, hash: hash.clone() };
            memory.page.entries.push(Entry { version, body, hash });
        }
        memory
    }
}

impl Source for InMemory {
    fn page(&mut self, after: u64) -> Result<Page, String> {
        let behind = self.page.entries.iter().filter(|entry| entry.version > after.max(self.trimmed));
        Ok(Page { entries: behind.take(1000).cloned().collect(), ..self.page.clone() })
    }

    fn trim(&mut self, through: &Head) -> Result<Trim, String> {
        let known = self.page.entries.iter().any(|e| e.version == through.version && e.hash == through.hash);
        if known {
            (self.trimmed, self.page.archived) = (through.version, through.clone());
        }
        Ok(if known { Trim::Done } else { Trim::OtherLine })
    }
}

#[test]
fn a_file_has_a_bounded_number_of_lines() {
    let folder = tempfile::tempdir().unwrap();
    let mut memory = InMemory::of(SEGMENT_ENTRIES_MAX + 1);
    // a ledger that has many lines is read a few at a time
    let archive = Archive::open(folder.path()).unwrap();
    let done = super::archive(&archive, &tenant(), &mut memory, Keep::Nothing).unwrap();
    let ends: Vec<(u64, u64)> = done.segments.iter().map(|segment| (segment.first, segment.last)).collect();
    assert_eq!(ends, [(1, SEGMENT_ENTRIES_MAX), (SEGMENT_ENTRIES_MAX + 1, SEGMENT_ENTRIES_MAX + 1)]);
}

fn into(folder: &Path, memory: &mut InMemory) -> Result<Done, ArchiveError> {
    super::archive(&Archive::open(folder).unwrap(), &tenant(), memory, Keep::Nothing)
}

#[test]
fn what_cannot_be_verified_is_not_trimmed() {
    let folder = tempfile::tempdir().unwrap();
    let mut damaged = InMemory::of(9);
    damaged.page.entries[4].body.push(' ');
    let told = into(folder.path(), &mut damaged).unwrap_err();
    assert!(matches!(told, ArchiveError::InStore(crate::ledger::Broken::Hash { version: 5 })), "{told}");
    let mut lost = InMemory::of(9);
    lost.page.entries.remove(0);
    assert!(matches!(into(folder.path(), &mut lost).unwrap_err(), ArchiveError::InStore(_)));
    let mut other = InMemory::of(9);
    other.page.archived = Head { version: 0, hash: "1".repeat(40) };
    assert!(matches!(into(folder.path(), &mut other).unwrap_err(), ArchiveError::InStore(_)));
    assert_eq!((damaged.trimmed, lost.trimmed, other.trimmed), (0, 0, 0));
    let archive = Archive::open(folder.path()).unwrap();
    assert_eq!(archive.segments(&tenant()).unwrap(), []);
}

#[test]
fn a_file_that_was_changed_is_found_and_nothing_is_trimmed_on_it() {
    let folder = tempfile::tempdir().unwrap();
    into(folder.path(), &mut InMemory::of(9)).unwrap();
    let segment = Segment { tenant: tenant(), first: 1, last: 9 };
    let (file, seal) = (folder.path().join(segment.file_name()), folder.path().join(segment.seal_name()));
    let (lines, sealed) = (std::fs::read_to_string(&file).unwrap(), std::fs::read_to_string(&seal).unwrap());
    let changes: [(&Path, String); 8] = [
        (&file, lines.replace("\\\"ts\\\":5", "\\\"ts\\\":6")),
        (&file, lines.lines().skip(1).map(|line| line.to_owned() + "\n").collect()),
        (&file, lines.lines().take(8).map(|line| line.to_owned() + "\n").collect()),
        (&file, lines.trim_end().to_owned()),
        (&file, lines.clone() + "\n"),
        (&file, lines.replacen(": ", ":", 1).replacen("\"version\":1,", "\"version\": 1,", 1)),
        (&seal, sealed.replacen("# chain ", "# chain 0", 1)),
        (&seal, String::new()),
    ];
    for (at, (path, changed)) in changes.into_iter().enumerate() {
        let whole = if path == file { &lines } else { &sealed };
        assert_ne!(&changed, whole, "change {at}");
        std::fs::write(path, &changed).unwrap();
        let mut memory = InMemory::of(9);
        let told = into(folder.path(), &mut memory).expect_err(&format!("change {at} was not found"));
        assert!(told.to_string().contains("acme-000000000001-000000000009.jsonl"), "{told}");
        assert_eq!(memory.trimmed, 0, "change {at}: {told}");
        std::fs::write(path, whole).unwrap();
    }
    std::fs::remove_file(&seal).unwrap();
    assert!(matches!(into(folder.path(), &mut InMemory::of(9)).unwrap_err(), ArchiveError::NoSeal(_)));
}

#[test]
fn a_folder_of_another_ledger_or_time_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    into(folder.path(), &mut InMemory::of(9)).unwrap();
    let mut older = InMemory::of(5);
    let told = into(folder.path(), &mut older).unwrap_err();
    assert!(matches!(&told, ArchiveError::OtherLedger { .. }) && told.to_string().contains("new folder"), "{told}");
    let mut between = InMemory::of(12);
    let line = between.page.entries[3].clone();
    between.trim(&Head { version: line.version, hash: line.hash }).unwrap();
    let told = into(folder.path(), &mut between).unwrap_err();
    assert!(matches!(told, ArchiveError::Elsewhere { archived: 4, .. }), "{told}");
    assert_eq!((older.trimmed, between.trimmed), (0, 4));
    let mut again = InMemory::of(12);
    assert_eq!(
        into(folder.path(), &mut again).unwrap().segments.len(),
        2,
        "one that was set back takes up what is there"
    );
    std::fs::remove_file(folder.path().join("acme-000000000001-000000000009.jsonl")).unwrap();
    let missing = Archive::read(folder.path()).unwrap().verify_all(&tenant(), |_| {}).unwrap_err();
    assert!(matches!(missing, ArchiveError::Missing { first: 1, last: 9, .. }), "{missing}");
}

#[test]
fn two_do_not_archive_into_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Archive::open(folder.path()).unwrap();
    assert!(matches!(Archive::open(folder.path()), Err(ArchiveError::InUse(_))));
}

#[test]
fn a_name_tells_what_is_in_the_file() {
    for name in ["acme", "a-1", "a-000000000001", "..", "é /", &"x".repeat(500), ""] {
        for (first, last) in [(1, 1), (7, 50_000), (1 << 50, 1 << 53)] {
            let segment = Segment { tenant: StoreName::of(&[name]), first, last };
            assert_eq!(Segment::parse(&segment.file_name()), Some(segment.clone()));
            assert!(!segment.file_name().contains('/') && segment.seal_name().len() <= 255);
        }
    }
    for bad in
        ["acme-1-2.jsonl", "acme-000000000002-000000000001.jsonl", "-000000000001-000000000002.jsonl", "acme.jsonl", ""]
    {
        assert_eq!(Segment::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_seal_is_read_strictly() {
    let segment = Segment { tenant: tenant(), first: 1, last: 2 };
    let seal = Seal { sha256: "ab".repeat(32), after: GENESIS.to_owned(), chain: "c".repeat(40) };
    let text = seal.text(&segment);
    assert_eq!(Seal::parse(&text, &segment), Some(seal));
    for bad in [
        text.replace("entries 1", "entries 2"),
        text.clone() + "\n",
        text.replace("  ", " "),
        text.replace(".jsonl", ""),
    ] {
        assert_eq!(Seal::parse(&bad, &segment), None, "{bad}");
    }
}
