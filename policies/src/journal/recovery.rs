//! What a journal's files tell after a stop, planned or not.
//!
//! # Invariants
//! * A tail that a crash tore is cut, and what is cut was not acknowledged as durable (`a_torn_tail_is_cut_at_any_byte`).
//! * Damage to a record that was durable is never cut away: the journal does not open
//!   (`damage_before_a_durable_record_is_refused`).

use super::JournalError;
use super::frame::{self, Frame, Read};
use std::path::{Path, PathBuf};

/// Name of a segment's file: the number of its first record.
pub(super) fn file_name(first: u64) -> String {
    format!("{first:020}.journal")
}

/// The segments of a folder in order, with the number of their first record.
pub(super) fn segments(folder: &Path) -> Result<Vec<(u64, PathBuf)>, JournalError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".journal")).and_then(|n| n.parse().ok());
        if let Some(first) = number {
            found.push((first, entry.path()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// What was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// In which file.
    pub file: PathBuf,
    /// From which byte on.
    pub at: u64,
    /// Number of the record that was being written.
    pub sequence: u64,
}

/// What one segment holds.
#[derive(Debug)]
pub(super) struct Scan {
    /// Bytes of whole records.
    pub end: usize,
    /// Number of the next record.
    pub next: u64,
    /// There is something behind the last whole record.
    pub torn: bool,
}

/// Reads the records of a segment, the first of which must have the number `first`.
pub(super) fn scan(
    path: &Path,
    bytes: &[u8],
    first: u64,
    mut each: impl FnMut(&Frame<'_>) -> Result<(), JournalError>,
) -> Result<Scan, JournalError> {
    let (mut at, mut next) = (0, first);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        match frame::read(rest) {
            Read::Frame(frame) if frame.sequence == next => {
                each(&frame)?;
                at += frame.bytes();
                next += 1;
            }
            Read::End if rest.iter().all(|b| *b == 0) => return Ok(Scan { end: at, next, torn: false }),
            Read::End | Read::Bad | Read::Frame(_) => {
                return match durable_behind(rest, next) {
                    Some(_) => Err(JournalError::Damaged { file: path.to_owned(), at: at as u64, sequence: next }),
                    None => Ok(Scan { end: at, next, torn: true }),
                };
            }
        }
    }
}

/// Looks behind a bad record for a good one that says that the bad one was durable.
fn durable_behind(bytes: &[u8], bad: u64) -> Option<u64> {
    (1..bytes.len()).find_map(|at| {
        let rest = bytes.get(at..)?;
        let (sequence, durable) = frame::claimed(rest)?;
        // No more records than bytes: a number beyond is chance, and no checksum is made for chance.
        let plausible = sequence > bad && sequence - bad <= bytes.len() as u64 && durable < sequence;
        let good = || matches!(frame::read(rest), Read::Frame(_));
        (plausible && durable >= bad && good()).then_some(sequence)
    })
}
