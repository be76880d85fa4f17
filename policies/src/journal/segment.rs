//! One file of a journal, with room set aside before it is written to.

use super::JournalError;
use super::recovery::file_name;
use crate::crash;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open segment.
#[derive(Debug)]
pub(super) struct Segment {
    file: Arc<File>,
    path: PathBuf,
    at: u64,
    bytes: u64,
}

impl Segment {
    /// Makes a file and sets its room aside, so that no later write finds the disk full.
    pub fn create(folder: &Path, first: u64, bytes: u64) -> Result<Self, JournalError> {
        let path = folder.join(file_name(first));
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        let made = crash::io("journal.allocate")
            .and_then(|()| set_aside(&file, bytes))
            .and_then(|()| file.sync_all())
            .and_then(|()| File::open(folder)?.sync_all());
        if let Err(error) = made {
            // Half-made segments would be taken for journals.
            let _ = std::fs::remove_file(&path);
            return Err(if is_full(&error) { JournalError::Full } else { error.into() });
        }
        Ok(Self { file: Arc::new(file), path, at: 0, bytes })
    }

    /// Goes on with a file that was written up to `end`; what is behind is cleared.
    pub fn reopen(path: &Path, end: u64) -> Result<Self, JournalError> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let bytes = file.metadata()?.len();
        // shorter and then longer again: what is behind reads as zeros
        file.set_len(end)?;
        match set_aside(&file, bytes) {
            Err(error) if is_full(&error) => {}
            other => other?,
        }
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), path: path.to_owned(), at: end, bytes })
    }

    /// True if nothing was written to it.
    pub fn is_empty(&self) -> bool {
        self.at == 0
    }

    /// Bytes that can still be written.
    pub fn room(&self) -> u64 {
        self.bytes.saturating_sub(self.at)
    }

    /// Writes behind what was written.
    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        crash::io("journal.write")?;
        self.file.write_all_at(bytes, self.at)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// The file, for whoever syncs it.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn set_aside(file: &File, bytes: u64) -> std::io::Result<()> {
    if bytes == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        // Some file systems cannot: writes find a full disk by themselves.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => file.set_len(bytes),
        other => other.map_err(Into::into),
    }
}

fn is_full(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}
