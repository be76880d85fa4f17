//! The embedded store: one state machine in memory, a journal that has every change, and checkpoints of both.
//!
//! An operation is decided in memory; the rows that it changed are written to the journal before anybody hears of it. A
//! checkpoint stores changed rows together with the number of the last journal record that is in them, so that a start
//! reads the rows and replays exactly the rest.
//!
//! # Invariants
//! * What was acknowledged is there after a kill at any moment (`every_kill_leaves_what_was_acknowledged`).
//! * One process at a time: a second one is refused (`a_second_process_is_refused`).
//! * If a record cannot be written, nothing is acknowledged any more (`a_store_whose_disk_is_full_refuses_and_recovers`).

mod book;
mod clock;
mod contract;
mod disk;
mod layer;
mod shared;
#[cfg(test)]
mod tests;

use super::{Now, StoreError};
use crate::journal::{Cut, Journal, JournalError, JournalOptions, Recovered};
use book::{Book, Record, Touched};
use clock::SteadyClock;
use disk::Disk;
use parking_lot::{Condvar, Mutex};
use shared::Shared;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// When changes are acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// When they are in the journal's file: they survive the end of this process, and the loss of power but for the last
    /// group of about a millisecond.
    #[default]
    Journal,
    /// When settlements are on the disk.
    Synced,
}

/// How the store is kept.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedOptions {
    /// When settlements are acknowledged.
    pub durability: Durability,
    /// How its journal is kept.
    pub journal: JournalOptions,
    /// Changed rows that wait for a checkpoint, in bytes; more start one.
    pub checkpoint_bytes: usize,
    /// A checkpoint is made at least so often if anything changed.
    pub checkpoint_interval: Duration,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            journal: JournalOptions::default(),
            checkpoint_bytes: 32 << 20,
            checkpoint_interval: Duration::from_secs(30),
        }
    }
}

/// The store.
#[derive(Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
    recovered: Recovered,
}

impl Embedded {
    /// Opens the store of a folder, or makes it.
    pub fn open(folder: &Path, options: EmbeddedOptions) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| StoreError::Journal(format!("{}: {error}", folder.display()));
        std::fs::create_dir_all(folder).map_err(failed)?;
        let lock = lock(&folder.join("lock"))?;
        let (disk, mark) = Disk::open(&folder.join("checkpoint.redb"))?;
        let mut book = Book::default();
        disk.load(|tenant, kind, inner, value| book.restore(tenant, kind, inner, Some(value)))?;
        let mut at = mark.at;
        let (journal, recovered) =
            Journal::open(&folder.join("journal"), options.journal, mark.through, |through, bytes| {
                let record: Record = postcard::from_bytes(bytes).map_err(|_| unreadable(through))?;
                at = at.max(record.at);
                book.replay(record, through).map_err(|_| unreadable(through))
            })
            .map_err(from_journal)?;
        if let Some(cut) = &recovered.cut {
            warn_of(cut);
        }
        let clock = SteadyClock::start(at);
        book.horizon_millis = clock.now() / 1000;
        let shared = Arc::new(Shared {
            book: Mutex::new(book),
            journal,
            disk,
            clock,
            options,
            checkpointing: Mutex::new(()),
            wake: Condvar::new(),
            _lock: lock,
        });
        abandon_keys(&shared);
        let theirs = shared.clone();
        let thread =
            std::thread::Builder::new().name("checkpoints".into()).spawn(move || theirs.run()).map_err(failed)?;
        Ok(Self { shared, thread: Some(thread), recovered })
    }

    /// What was found when it was opened.
    pub fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Makes a checkpoint now.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        self.shared.checkpoint()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.shared.book.lock().closed = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Keys whose leases are ended in one operation: their rows fit into the room that is made sure of before.
const ABANDONED_AT_ONCE: usize = 256;

/// Requests of the process before this one are gone, so nobody has to wait for their keys. Where that cannot be written, their
/// leases run out by themselves.
fn abandon_keys(shared: &Shared) {
    let tenants: Vec<_> = shared.book.lock().tenants.keys().cloned().collect();
    for tenant in tenants {
        loop {
            let abandoned = shared.apply(&tenant, Now::Store, &Touched::default(), |state, now| {
                state.abandon_keys(ABANDONED_AT_ONCE, now)
            });
            match abandoned {
                Ok((0, _)) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "keys of requests that are gone stay held until their leases end");
                    return;
                }
            }
        }
    }
}

fn unreadable(sequence: u64) -> JournalError {
    JournalError::Failed(format!("record {sequence} was not written by this version of raptorgate").into())
}

fn warn_of(cut: &Cut) {
    tracing::warn!(file = %cut.file.display(), byte = cut.at, record = cut.sequence, "a journal's torn end was cut off");
}

/// How long a start waits for the process before it to end.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_PAUSE: Duration = Duration::from_millis(5);

/// Holds the lock for as long as the file is open.
fn lock(path: &Path) -> Result<File, StoreError> {
    let failed = |error: std::io::Error| StoreError::Journal(format!("{}: {error}", path.display()));
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    let began = Instant::now();
    while file.try_lock().is_err() {
        if began.elapsed() > LOCK_PATIENCE {
            return Err(StoreError::Journal(format!("{} is held by another process", path.display())));
        }
        std::thread::sleep(LOCK_PAUSE);
    }
    Ok(file)
}

fn from_journal(error: JournalError) -> StoreError {
    match error {
        JournalError::Full => StoreError::OutOfMemory,
        other => StoreError::Journal(other.to_string()),
    }
}
