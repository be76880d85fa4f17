//! Archiving a ledger: its oldest lines go to files, and only when those are durable and were read back are the lines removed
//! from the store.
//!
//! A file holds lines of one tenant, as `ledger export` prints them, and is never written again. Beside it stands its seal
//! ([`Segment::seal_name`]): the SHA-256 of the file, for `sha256sum -c`, and the hashes of the chain before its first and at
//! its last line.
//!
//! # Invariants
//! * Killed at any moment and run again, it loses no line and archives none twice
//!   (`killed_at_any_moment_it_is_completed_by_the_next_run`).
//! * Nothing is removed that was not read back and found to be what the chain says (`what_cannot_be_verified_is_not_trimmed`).
//! * Files and what is left in the store are one chain from its first line on (`files_and_store_are_one_chain`).
//! * One file has at most [`SEGMENT_ENTRIES_MAX`] lines (`a_file_has_a_bounded_number_of_lines`).

mod error;
mod files;
mod segment;
#[cfg(test)]
mod tests;

pub use error::ArchiveError;
pub use files::Archive;
pub use segment::{Seal, Segment, line_of, parse_line};

use crate::crash;
use crate::ledger::{Entry, Head, StoreName, Trim};

/// Lines in one file: what is more goes to the next. Each file is trimmed from the store before the next is begun.
pub const SEGMENT_ENTRIES_MAX: u64 = 50_000;

/// Some lines of a ledger, and its two ends.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The lines, in order; none: there are no more.
    pub entries: Vec<Entry>,
    /// Where the ledger ends.
    pub head: Head,
    /// The line that the first one in the store follows.
    pub archived: Head,
}

/// A ledger in a store, wherever that is. Errors are told to the operator as they are.
pub trait Source {
    /// Lines behind this one, as many as come at once.
    fn page(&mut self, after: u64) -> Result<Page, String>;

    /// Removes lines up to and with this one.
    fn trim(&mut self, through: &Head) -> Result<Trim, String>;
}

/// Which lines stay in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// None.
    Nothing,
    /// The last so many.
    Entries(u64),
    /// The first that was written at this moment or later, in microseconds since the epoch, and all behind it.
    Since(u64),
}

/// Which line is the first that stays.
#[derive(Clone, Copy, Debug)]
struct Stop {
    /// The last line that may be archived: a ledger that grows meanwhile does not hold us up.
    through: u64,
    since_micros: u64,
}

impl Stop {
    fn new(keep: Keep, head: &Head) -> Self {
        let (through, since_micros) = match keep {
            Keep::Nothing => (head.version, u64::MAX),
            Keep::Entries(count) => (head.version.saturating_sub(count), u64::MAX),
            Keep::Since(micros) => (head.version, micros),
        };
        Self { through, since_micros }
    }

    fn stays(&self, entry: &Entry) -> bool {
        entry.version > self.through || entry.at_micros().is_none_or(|at| at >= self.since_micros)
    }
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Files that were written, or were there and had not been trimmed.
    pub segments: Vec<Segment>,
    /// Through which line the ledger is archived now.
    pub archived: Head,
    /// Where it ended when this began.
    pub head: Head,
}

/// Archives the oldest lines of a tenant's ledger, file by file.
///
/// # Errors
/// Whatever keeps a file from being written and verified. What was archived by then is archived; nothing else was removed.
pub fn archive(
    archive: &Archive,
    tenant: &StoreName,
    source: &mut impl Source,
    keep: Keep,
) -> Result<Done, ArchiveError> {
    let start = source.page(0).map_err(ArchiveError::Ledger)?;
    archive.tidy(tenant, start.archived.version)?;
    let stop = Stop::new(keep, &start.head);
    let mut done = Done { segments: Vec::new(), archived: start.archived, head: start.head };
    loop {
        let segment = match archive.begun(tenant, done.archived.version)? {
            Some(begun) => begun,
            None => match write(archive, tenant, &done.archived, source, stop)? {
                Some(written) => written,
                None => return Ok(done),
            },
        };
        let through = archive.verify(&segment, &done.archived, |_| {})?;
        crash::point("archive.verified");
        match source.trim(&through).map_err(ArchiveError::Ledger)? {
            Trim::Done | Trim::Superseded => {}
            Trim::OtherLine => return Err(ArchiveError::OtherLedger { file: archive.path(&segment), through }),
        }
        crash::point("archive.trimmed");
        done.segments.push(segment);
        done.archived = through;
    }
}

/// Writes the next file; `None` if no line is to be archived.
fn write(
    archive: &Archive,
    tenant: &StoreName,
    from: &Head,
    source: &mut impl Source,
    stop: Stop,
) -> Result<Option<Segment>, ArchiveError> {
    let mut head = from.clone();
    let mut writing = None;
    'pages: loop {
        let page = source.page(head.version).map_err(ArchiveError::Ledger)?;
        if page.entries.is_empty() {
            break;
        }
        for entry in page.entries {
            if head.version - from.version >= archive.entries_max || stop.stays(&entry) {
                break 'pages;
            }
            head = head.follow(&entry).map_err(ArchiveError::InStore)?;
            let file = match &mut writing {
                Some(file) => file,
                None => writing.insert(archive.begin(tenant)?),
            };
            file.put(&entry)?;
            crash::point("archive.partial");
        }
    }
    let Some(file) = writing else { return Ok(None) };
    let segment = Segment { tenant: tenant.clone(), first: from.version + 1, last: head.version };
    file.seal(&segment, from, &head)?;
    Ok(Some(segment))
}
