//! An append-only journal in numbered segments: what is written here survives.
//!
//! [`Journal::append`] returns when the record is in the file: it survives the death of this process. A thread makes
//! what was written durable, many records at once; [`Journal::durable`] waits for that, and what it has waited for
//! survives the loss of power.
//!
//! # Invariants
//! * What was appended is there after a kill at any moment (`what_was_appended_survives_a_kill`).
//! * A full disk refuses a record before anything is written, and the journal goes on when there is room again
//!   (`a_full_disk_refuses_and_recovers`).
//! * After one failed write or sync nothing is taken any more: a failed sync that is tried again may lie
//!   (`a_failed_write_ends_the_journal`).

mod frame;
mod recovery;
mod repair;
mod segment;
mod sync;
#[cfg(test)]
mod tests;

pub use frame::PAYLOAD_BYTES_MAX;
pub use recovery::Cut;
pub use repair::{Repaired, repair};

use crate::crash;
use frame::{Frame, HEADER_BYTES};
use parking_lot::Mutex;
use segment::Segment;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use sync::Syncer;

/// How a journal is kept.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// Size of a segment in bytes. A record that is larger gets a segment of its own.
    pub segment_bytes: u64,
    /// How long a record waits for others before the disk is asked to keep it.
    pub group: Duration,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { segment_bytes: 16 << 20, group: Duration::from_micros(500) }
    }
}

/// What goes wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The disk has no room for another segment. Nothing was written.
    #[error("no room for the journal")]
    Full,
    /// A record that was durable cannot be read any more.
    #[error("{} is damaged at byte {at}, in record {sequence}; run `raptorgate ledger repair`", file.display())]
    Damaged {
        /// In which file.
        file: PathBuf,
        /// At which byte.
        at: u64,
        /// Number of the record.
        sequence: u64,
    },
    /// Records between two segments are missing.
    #[error("record {due} is missing: {} begins with record {found}", file.display())]
    Missing {
        /// The file behind the gap.
        file: PathBuf,
        /// The record that was due.
        due: u64,
        /// The record that it begins with.
        found: u64,
    },
    /// A record is longer than [`PAYLOAD_BYTES_MAX`].
    #[error("a record of {0} bytes is too large")]
    TooLarge(usize),
    /// A write or a sync failed before.
    #[error("the journal failed: {0}")]
    Failed(Arc<str>),
    /// The files cannot be read or made.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A journal that is open. At most one for a folder: whoever opens it holds a lock.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    options: JournalOptions,
    writer: Mutex<Writer>,
    syncer: Syncer,
}

#[derive(Debug)]
struct Writer {
    segment: Segment,
    next: u64,
    buffer: Vec<u8>,
}

/// What was found when a journal was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Records that were read.
    pub records: u64,
    /// A torn tail.
    pub cut: Option<Cut>,
}

impl Journal {
    /// Opens the journal of a folder, and gives each record with a number above `after` to `each`.
    ///
    /// An empty folder begins with record `after + 1`.
    pub fn open(
        folder: &Path,
        options: JournalOptions,
        after: u64,
        mut each: impl FnMut(u64, &[u8]) -> Result<(), JournalError>,
    ) -> Result<(Self, Recovered), JournalError> {
        std::fs::create_dir_all(folder)?;
        let mut found = Recovered::default();
        let mut next = None;
        let mut tail = None;
        for (first, path) in recovery::segments(folder)? {
            let due = next.unwrap_or(first);
            if let Some(cut) = found.cut.take() {
                return Err(JournalError::Damaged { file: cut.file, at: cut.at, sequence: cut.sequence });
            }
            if first != due || (next.is_none() && first > after + 1) {
                let due = next.unwrap_or(after + 1);
                return Err(JournalError::Missing { file: path, due, found: first });
            }
            let bytes = std::fs::read(&path)?;
            let scan = recovery::scan(&path, &bytes, first, |frame| {
                if frame.sequence <= after || frame.payload.is_empty() {
                    return Ok(());
                }
                found.records += 1;
                each(frame.sequence, frame.payload)
            })?;
            if scan.torn {
                found.cut = Some(Cut { file: path.clone(), at: scan.end as u64, sequence: scan.next });
            }
            next = Some(scan.next);
            tail = Some((path, scan.end as u64));
        }
        let next = next.unwrap_or(after + 1).max(after + 1);
        let segment = match tail {
            Some((path, end)) => Segment::reopen(&path, end)?,
            None => Segment::create(folder, next, options.segment_bytes)?,
        };
        let syncer = Syncer::start(options.group, next - 1)?;
        let writer = Mutex::new(Writer { segment, next, buffer: Vec::new() });
        Ok((Self { folder: folder.to_owned(), options, writer, syncer }, found))
    }

    /// Makes sure that a record of this size can be written; on [`JournalError::Full`] nothing has changed.
    pub fn reserve(&self, payload_bytes: usize) -> Result<(), JournalError> {
        self.writer.lock().make_room(self, payload_bytes)
    }

    /// Writes a record, and returns its number. It survives the death of this process from here on.
    pub fn append(&self, payload: &[u8]) -> Result<u64, JournalError> {
        let mut writer = self.writer.lock();
        writer.make_room(self, payload.len())?;
        let sequence = writer.next;
        writer.write(Frame { sequence, durable: self.syncer.durable(), payload }, &self.syncer)?;
        Ok(sequence)
    }

    /// Waits until a record survives the loss of power.
    pub async fn durable(&self, sequence: u64) -> Result<(), JournalError> {
        self.syncer.wait(sequence).await
    }

    /// Makes everything durable that was written.
    pub fn sync(&self) -> Result<(), JournalError> {
        self.syncer.now()
    }

    /// Number of the last record.
    pub fn last(&self) -> u64 {
        self.writer.lock().next - 1
    }

    /// Removes segments whose records all have numbers up to `through`.
    pub fn remove_through(&self, through: u64) -> Result<(), JournalError> {
        let current = self.writer.lock().segment.path().to_owned();
        let segments = recovery::segments(&self.folder)?;
        let ends = segments.iter().skip(1).map(|(first, _)| first - 1);
        for ((_, path), last) in segments.iter().zip(ends) {
            if last <= through && *path != current {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Begins another segment, so that the one before can be removed whole.
    pub fn start_segment(&self) -> Result<(), JournalError> {
        let mut writer = self.writer.lock();
        self.syncer.check()?;
        if writer.segment.is_empty() {
            return Ok(());
        }
        writer.roll(self, self.options.segment_bytes)
    }

    /// Like [`Journal::remove_through`], but one segment at most: the oldest.
    pub fn remove_oldest_through(&self, through: u64) -> Result<(), JournalError> {
        let current = self.writer.lock().segment.path().to_owned();
        match &recovery::segments(&self.folder)?[..] {
            [(_, oldest), (next, _), ..] if *oldest != current && next - 1 <= through => {
                Ok(std::fs::remove_file(oldest)?)
            }
            _ => Ok(()),
        }
    }

    /// Number of the first record that is kept in a folder; 1 if there is none.
    pub fn first(folder: &Path) -> Result<u64, JournalError> {
        if !folder.exists() {
            return Ok(1);
        }
        Ok(recovery::segments(folder)?.first().map_or(1, |(first, _)| *first))
    }

    /// Gives each record that is kept and has a number above `after` to `each`, up to the last that was written.
    pub fn read_after(&self, after: u64, mut each: impl FnMut(u64, &[u8])) -> Result<(), JournalError> {
        let last = self.last();
        let segments = recovery::segments(&self.folder)?;
        let ends = segments.iter().skip(1).map(|(first, _)| first - 1).chain([u64::MAX]);
        for ((_, path), _) in segments.iter().zip(ends).filter(|(_, end)| *end > after) {
            let bytes = std::fs::read(path)?;
            let mut at = 0;
            // what is being written meanwhile ends the segment
            while let frame::Read::Frame(frame) = frame::read(bytes.get(at..).unwrap_or_default()) {
                at += frame.bytes();
                if frame.sequence > after && frame.sequence <= last && !frame.payload.is_empty() {
                    each(frame.sequence, frame.payload);
                }
            }
        }
        Ok(())
    }

    /// Bytes of all segments.
    pub fn bytes(&self) -> u64 {
        let segments = recovery::segments(&self.folder).unwrap_or_default();
        segments.iter().filter_map(|(_, path)| path.metadata().ok()).map(|meta| meta.len()).sum()
    }

    /// Makes everything durable, and says so in the file: damage to any record is found from here on.
    pub fn close(&self) -> Result<(), JournalError> {
        let mut writer = self.writer.lock();
        self.syncer.now()?;
        let sequence = writer.next;
        writer.make_room(self, 0)?;
        writer.write(Frame { sequence, durable: sequence - 1, payload: b"" }, &self.syncer)?;
        self.syncer.now()
    }
}

impl Writer {
    fn make_room(&mut self, journal: &Journal, payload_bytes: usize) -> Result<(), JournalError> {
        journal.syncer.check()?;
        if payload_bytes > PAYLOAD_BYTES_MAX {
            return Err(JournalError::TooLarge(payload_bytes));
        }
        let bytes = (payload_bytes + HEADER_BYTES) as u64;
        if self.segment.room() >= bytes {
            return Ok(());
        }
        self.roll(journal, journal.options.segment_bytes.max(bytes))
    }

    fn roll(&mut self, journal: &Journal, bytes: u64) -> Result<(), JournalError> {
        let next = Segment::create(&journal.folder, self.next, bytes)?;
        crash::point("journal.rolled");
        let full = std::mem::replace(&mut self.segment, next);
        // what was not synced yet goes to the disk with the next group
        journal.syncer.written(full.file(), self.next - 1);
        Ok(())
    }

    fn write(&mut self, frame: Frame<'_>, syncer: &Syncer) -> Result<(), JournalError> {
        self.buffer.clear();
        frame.encode(&mut self.buffer);
        crash::point("journal.before_write");
        let written = match crash::torn("journal.torn_write") {
            true => self.segment.write(self.buffer.get(..self.buffer.len() / 2).unwrap_or_default()),
            false => self.segment.write(&self.buffer),
        };
        crash::point("journal.torn_write");
        written.map_err(|error| syncer.fail(&error))?;
        crash::point("journal.after_write");
        self.next += 1;
        syncer.written(self.segment.file(), frame.sequence);
        Ok(())
    }
}
