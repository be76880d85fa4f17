//! The folder of an archive.
//!
//! A file is written under another name, synced, and renamed when its seal is in place: so a file with its own name is whole
//! and sealed, and what a run that was killed left behind is known by its name.

use super::error::at;
use super::segment::{hex, line_of, parse_line, seal};
use super::{ArchiveError, SEGMENT_ENTRIES_MAX, Seal, Segment};
use crate::crash;
use crate::ledger::{Entry, Head, StoreName};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

/// Held by who writes.
const LOCK: &str = ".raptorgate-archive.lock";
/// Files of a folder that are looked at.
const FILES_MAX: usize = 1_000_000;
/// Longest line of a file; the ledger's own are a tenth of it. A longer one is no line.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// A folder with the files of any number of tenants.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    /// Lines in one file.
    pub(super) entries_max: u64,
    _lock: Option<File>,
}

impl Archive {
    /// Opens a folder to archive into it, or makes it; nobody else may meanwhile.
    pub fn open(folder: &Path) -> Result<Self, ArchiveError> {
        fs::create_dir_all(folder).map_err(at(folder))?;
        let path = folder.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), entries_max: SEGMENT_ENTRIES_MAX, _lock: Some(lock) }),
            Err(fs::TryLockError::WouldBlock) => Err(ArchiveError::InUse(folder.to_owned())),
            Err(fs::TryLockError::Error(error)) => Err(at(&path)(error)),
        }
    }

    /// Opens a folder to read it.
    pub fn read(folder: &Path) -> Result<Self, ArchiveError> {
        fs::read_dir(folder).map_err(at(folder))?;
        Ok(Self { folder: folder.to_owned(), entries_max: SEGMENT_ENTRIES_MAX, _lock: None })
    }

    /// Where a file is.
    pub fn path(&self, segment: &Segment) -> PathBuf {
        self.folder.join(segment.file_name())
    }

    fn names(&self) -> Result<Vec<String>, ArchiveError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(at(&self.folder))? {
            // A name that is no text is none of ours.
            names.extend(entry.map_err(at(&self.folder))?.file_name().into_string().ok());
            if names.len() > FILES_MAX {
                return Err(ArchiveError::TooMany { folder: self.folder.clone(), max: FILES_MAX });
            }
        }
        Ok(names)
    }

    /// The files of a tenant, in the order of their lines.
    pub fn segments(&self, tenant: &StoreName) -> Result<Vec<Segment>, ArchiveError> {
        let names = self.names()?;
        let mut segments: Vec<Segment> = names.iter().filter_map(|name| Segment::parse(name)).collect();
        segments.retain(|segment| segment.tenant == *tenant);
        segments.sort_by_key(|segment| (segment.first, segment.last));
        Ok(segments)
    }

    /// Removes what a run that was killed left half done: the lines are all still in the store.
    pub(super) fn tidy(&self, tenant: &StoreName, archived: u64) -> Result<(), ArchiveError> {
        for path in [self.partial(tenant, "jsonl"), self.partial(tenant, "sha256")] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&path)(error)),
                Ok(()) | Err(_) => {}
            }
        }
        for name in self.names()? {
            let Some(segment) = name.strip_suffix(".sha256").and_then(Segment::parse) else { continue };
            if segment.tenant == *tenant && segment.first > archived && !self.path(&segment).exists() {
                let path = self.folder.join(name);
                fs::remove_file(&path).map_err(at(&path))?;
            }
        }
        self.sync()
    }

    /// The file that goes on behind this line, if one was written and not trimmed. Any other beyond it is not this ledger's.
    pub(super) fn begun(&self, tenant: &StoreName, archived: u64) -> Result<Option<Segment>, ArchiveError> {
        let beyond = self.segments(tenant)?.into_iter().find(|segment| segment.last > archived);
        match beyond {
            Some(other) if other.first != archived + 1 => {
                Err(ArchiveError::Elsewhere { file: self.path(&other), archived })
            }
            begun => Ok(begun),
        }
    }

    fn partial(&self, tenant: &StoreName, what: &str) -> PathBuf {
        self.folder.join(format!("{tenant}.{what}.partial"))
    }

    /// Begins a file.
    pub(super) fn begin<'a>(&'a self, tenant: &StoreName) -> Result<Writing<'a>, ArchiveError> {
        let path = self.partial(tenant, "jsonl");
        let file = BufWriter::new(File::create(&path).map_err(at(&path))?);
        Ok(Writing { archive: self, path, file, sha256: Sha256::new() })
    }

    fn sync(&self) -> Result<(), ArchiveError> {
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(at(&self.folder))
    }

    /// Reads a file whole, and gives every line to `each` that follows the one before: the hash of the chain at its end.
    pub fn verify(&self, segment: &Segment, from: &Head, mut each: impl FnMut(&Head)) -> Result<Head, ArchiveError> {
        let path = self.path(segment);
        let sealed = self.sealed(segment)?;
        let mut file = BufReader::new(File::open(&path).map_err(at(&path))?);
        let (mut sha256, mut head, mut text) = (Sha256::new(), from.clone(), Vec::new());
        for line in 1.. {
            text.clear();
            if file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut text).map_err(at(&path))? == 0 {
                break;
            }
            sha256.update(&text);
            let entry = text.strip_suffix(b"\n").and_then(|text| std::str::from_utf8(text).ok()).and_then(parse_line);
            let entry = entry.ok_or_else(|| ArchiveError::NoLine { path: path.clone(), line })?;
            head = head.follow(&entry).map_err(|broken| ArchiveError::InFile { path: path.clone(), broken })?;
            each(&head);
        }
        if head.version != segment.last || seal(hex(&sha256.finalize()), from, &head) != sealed {
            return Err(ArchiveError::Changed(path));
        }
        Ok(head)
    }

    fn sealed(&self, segment: &Segment) -> Result<Seal, ArchiveError> {
        let path = self.folder.join(segment.seal_name());
        let missing = || ArchiveError::NoSeal(path.clone());
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
            read => read.map_err(at(&path))?,
        };
        Seal::parse(&text, segment).ok_or_else(missing)
    }

    /// Reads all files of a tenant, from its first line on.
    pub fn verify_all(&self, tenant: &StoreName, mut each: impl FnMut(&Head)) -> Result<(Head, usize), ArchiveError> {
        let (mut head, segments) = (Head::default(), self.segments(tenant)?);
        for segment in &segments {
            if segment.first > head.version + 1 {
                let (folder, first) = (self.folder.clone(), head.version + 1);
                return Err(ArchiveError::Missing { folder, first, last: segment.first - 1 });
            }
            head = self.verify(segment, &head, &mut each)?;
        }
        Ok((head, segments.len()))
    }

    /// The error that says that lines behind the last file are in no file.
    pub fn lacks(&self, first: u64, last: u64) -> ArchiveError {
        ArchiveError::Missing { folder: self.folder.clone(), first, last }
    }
}

/// A file that is being written.
pub(super) struct Writing<'a> {
    archive: &'a Archive,
    path: PathBuf,
    file: BufWriter<File>,
    sha256: Sha256,
}

impl Writing<'_> {
    /// One more line.
    pub fn put(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let line = line_of(entry) + "\n";
        self.sha256.update(&line);
        self.file.write_all(line.as_bytes()).map_err(at(&self.path))
    }

    /// Makes it durable, seals it and gives it its name.
    pub fn seal(self, segment: &Segment, from: &Head, head: &Head) -> Result<(), ArchiveError> {
        let file = self.file.into_inner().map_err(|error| at(&self.path)(error.into_error()))?;
        file.sync_all().map_err(at(&self.path))?;
        crash::point("archive.written");
        let (archive, sealed) = (self.archive, seal(hex(&self.sha256.finalize()), from, head));
        let partial = archive.partial(&segment.tenant, "sha256");
        let mut seal = File::create(&partial).map_err(at(&partial))?;
        seal.write_all(sealed.text(segment).as_bytes()).and_then(|()| seal.sync_all()).map_err(at(&partial))?;
        crash::point("archive.sealing");
        fs::rename(&partial, archive.folder.join(segment.seal_name())).map_err(at(&partial))?;
        archive.sync()?;
        crash::point("archive.sealed");
        fs::rename(&self.path, archive.path(segment)).map_err(at(&self.path))?;
        archive.sync()?;
        crash::point("archive.named");
        Ok(())
    }
}
