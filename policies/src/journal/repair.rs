//! Cuts a journal before the first record that cannot be read, on an operator's word.
//!
//! # Invariants
//! * Nothing is thrown away: what is cut is kept in files beside it (`a_repaired_journal_opens_and_keeps_what_was_cut`).

use super::JournalError;
use super::recovery::{scan, segments};
use std::path::{Path, PathBuf};

/// What was cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// In which file.
    pub file: PathBuf,
    /// From which byte on.
    pub at: u64,
    /// Number of the first record that is gone.
    pub sequence: u64,
    /// Where the whole file as it was is kept.
    pub kept: PathBuf,
}

/// Cuts the journal of a folder before its first damage; `None` if there is none.
pub fn repair(folder: &Path) -> Result<Option<Repaired>, JournalError> {
    let mut found: Option<Repaired> = None;
    let mut due = None;
    let segments = segments(folder)?;
    let last = segments.last().map(|(first, _)| *first);
    for (first, path) in segments {
        if found.is_some() || due.is_some_and(|due| due != first) {
            // Behind a gap nothing can be replayed.
            let kept = aside(&path)?;
            let gap = Repaired { file: path, at: 0, sequence: due.unwrap_or(first), kept };
            found.get_or_insert(gap);
            continue;
        }
        let bytes = std::fs::read(&path)?;
        match scan(&path, &bytes, first, |_| Ok(())) {
            // A torn end is cut when the journal is opened; behind one there is no other segment.
            Ok(scan) if !scan.torn || Some(first) == last => due = Some(scan.next),
            Ok(scan) => found = Some(cut(path, &bytes, scan.end as u64, scan.next)?),
            Err(JournalError::Damaged { at, sequence, .. }) => found = Some(cut(path, &bytes, at, sequence)?),
            Err(other) => return Err(other),
        }
    }
    Ok(found)
}

fn cut(file: PathBuf, bytes: &[u8], at: u64, sequence: u64) -> Result<Repaired, JournalError> {
    let kept = aside(&file)?;
    let whole = usize::try_from(at).ok().and_then(|at| bytes.get(..at)).unwrap_or_default();
    std::fs::write(&file, whole)?;
    std::fs::File::open(&file)?.sync_all()?;
    Ok(Repaired { file, at, sequence, kept })
}

/// Keeps a copy of a file under another name, and removes it.
fn aside(path: &Path) -> Result<PathBuf, JournalError> {
    let kept = path.with_extension("damaged");
    std::fs::rename(path, &kept)?;
    Ok(kept)
}
