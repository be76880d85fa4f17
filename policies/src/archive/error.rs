//! Why a ledger cannot be archived, or an archive not be believed, and what to do.

use crate::ledger::{Broken, Head};
use std::path::{Path, PathBuf};

/// What went wrong. Nothing was removed from the store but what was archived and verified before.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The gateway or its store.
    #[error("{0}")]
    Ledger(String),
    /// The folder or a file in it.
    #[error("cannot use {}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Another process archives into the folder.
    #[error("{} is in use\n  help: another `raptorgate ledger archive` runs; wait for it to end", .0.display())]
    InUse(PathBuf),
    /// A line in the store is not what it was.
    #[error(
        "the ledger in the store is damaged, and nothing was removed: {0}\n  help: `raptorgate ledger verify` tells the same; \
         restore the store from a backup that it finds whole"
    )]
    InStore(Broken),
    /// A line in a file is not what it was.
    #[error("{}: {broken}{HELP_COPY}", path.display())]
    InFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        broken: Broken,
    },
    /// A file is not what was sealed.
    #[error("{}: not what was sealed{HELP_COPY}", .0.display())]
    Changed(PathBuf),
    /// A file whose seal is gone or is none.
    #[error("{}: no seal of its file{HELP_COPY}", .0.display())]
    NoSeal(PathBuf),
    /// A line of a file is no line of a ledger.
    #[error("{}:{line}: not a line of a ledger{HELP_COPY}", path.display())]
    NoLine {
        /// Which file.
        path: PathBuf,
        /// Which line of it.
        line: u64,
    },
    /// A file is missing.
    #[error("entries {first} to {last} are in no file of {}\n  help: bring back the files that were moved away", folder.display())]
    Missing {
        /// Where.
        folder: PathBuf,
        /// The first entry that is missing.
        first: u64,
        /// The last.
        last: u64,
    },
    /// The folder has entries that the store would have to have archived, or that overlap.
    #[error(
        "{}: does not begin behind entry {archived}, through which the store is archived; nothing was removed\n  \
         help: the folder is that of another store, or the store was restored from an older state: archive into a new folder",
        file.display()
    )]
    Elsewhere {
        /// Which file.
        file: PathBuf,
        /// Through which line the store is archived.
        archived: u64,
    },
    /// The store has another line where the file ends.
    #[error(
        "{}: the store has no entry {} with hash {}; nothing was removed\n  \
         help: the folder is that of another store, or the store was restored from an older state: archive into a new folder",
        file.display(), through.version, through.hash
    )]
    OtherLedger {
        /// Which file.
        file: PathBuf,
        /// Its last line.
        through: Head,
    },
    /// More files than are looked at.
    #[error("{} has more than {max} files\n  help: move older ones away", folder.display())]
    TooMany {
        /// Where.
        folder: PathBuf,
        /// How many are looked at.
        max: usize,
    },
}

const HELP_COPY: &str = "\n  help: bring back the file and its .sha256 from a copy; nothing was removed from the store";

/// Names the file in an error of the disk.
pub(super) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> ArchiveError {
    let path = path.to_owned();
    move |error| ArchiveError::File { path, error }
}
