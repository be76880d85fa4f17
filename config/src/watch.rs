//! Tells when a configuration file, or a file that it names, changes, however it is changed.
//!
//! Folders are watched, not the file: an editor's rename and the symlink swap of a Kubernetes ConfigMap replace the file under a
//! watch. An event only says "look"; what counts is whether the real path or the content differ from the last look.
//!
//! # Invariants
//! * In-place writes, renames over the file and swapped symlinks are all seen, again and again
//!   (`a_write_in_place_is_seen`, `a_rename_over_the_file_is_seen`, `a_configmap_swap_is_seen`).
//! * Files that the configuration names are watched like itself, also those that it names only later
//!   (`a_file_that_the_configuration_names_is_seen`).
//! * Without a change nothing is told (`an_untouched_file_is_not_told`).
//! * Dropping the watcher ends its thread (`a_dropped_watcher_ends_its_thread`).

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Looked at without any event, for file systems that send none.
const POLL_EVERY: Duration = Duration::from_secs(2);
/// So long it must be quiet after an event, so that a file is not read half written.
const QUIET: Duration = Duration::from_millis(50);
/// So long at most we wait for quiet: something else in the folder may never be.
const QUIET_WAIT_MAX: Duration = Duration::from_millis(500);
/// Longest chain of symlinks, as in the kernel.
const SYMLINKS_MAX: usize = 40;

/// Why a file cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the thread that watches the configuration")]
pub struct WatchError(#[from] std::io::Error);

/// Watches a configuration until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    ended: Arc<AtomicBool>,
    wake: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
    notice: Option<String>,
}

impl Watcher {
    /// Calls `on_change` on a thread of its own after each change of the file, or of one of the `files` that it names, from now
    /// on; `files` is asked before each look. Load the file again once it is started, so that no change falls between the two.
    pub fn start(
        path: &Path,
        files: impl Fn() -> Vec<PathBuf> + Send + 'static,
        on_change: impl Fn() + Send + 'static,
    ) -> Result<Watcher, WatchError> {
        // One place is enough: a second event while one waits says nothing new.
        let (wake, events) = sync_channel(1);
        let ended = Arc::new(AtomicBool::new(false));
        let sender = wake.clone();
        let handler = move |event: notify::Result<Event>| {
            if event.map_or(true, |event| is_write(&event)) {
                let _ = sender.try_send(());
            }
        };
        let (folders, notice) = match notify::recommended_watcher(handler) {
            Ok(watcher) => (Some(watcher), None),
            Err(error) => (None, Some(format!("no file events ({error}); the file is looked at every two seconds"))),
        };
        let mut look = Look {
            path: path.to_owned(),
            files: Box::new(files),
            folders,
            armed: BTreeSet::new(),
            last: BTreeMap::new(),
        };
        look.arm();
        look.last = look.paths().into_iter().filter_map(|path| Some((path.clone(), seen(&path)?))).collect();
        let flag = Arc::clone(&ended);
        let thread = std::thread::Builder::new()
            .name("config-watch".to_owned())
            .spawn(move || look.run(&events, &flag, &on_change))?;
        Ok(Watcher { ended, wake, thread: Some(thread), notice })
    }

    /// What the operator should know: that there are no file events on this machine.
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        let _ = self.wake.try_send(());
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }
}

/// Reading a file is an event too, also our own reading.
fn is_write(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => false,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}

/// What a file looked like: its real path and the hash of its content.
type Seen = (PathBuf, [u8; 32]);

struct Look {
    path: PathBuf,
    files: Box<dyn Fn() -> Vec<PathBuf> + Send>,
    folders: Option<RecommendedWatcher>,
    armed: BTreeSet<PathBuf>,
    last: BTreeMap<PathBuf, Seen>,
}

impl Look {
    fn run(mut self, events: &Receiver<()>, ended: &AtomicBool, on_change: &dyn Fn()) {
        loop {
            match events.recv_timeout(POLL_EVERY) {
                Ok(()) => settle(events, ended),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if ended.load(Ordering::Acquire) {
                return;
            }
            self.look(on_change);
        }
    }

    fn look(&mut self, on_change: &dyn Fn()) {
        if self.changed() {
            // A folder that was replaced has lost its watch although it has the same path.
            self.disarm();
            self.arm();
            on_change();
        } else {
            self.arm();
        }
    }

    /// Every file that is watched, each once.
    fn paths(&self) -> BTreeSet<PathBuf> {
        (self.files)().into_iter().chain([self.path.clone()]).collect()
    }

    /// True if a file is not what it was at the last look, or is new here.
    fn changed(&mut self) -> bool {
        let paths = self.paths();
        self.last.retain(|path, _| paths.contains(path));
        let mut changed = false;
        for path in paths {
            // A file that is gone for a moment is about to be replaced.
            let Some(now) = seen(&path) else { continue };
            let before = self.last.insert(path, now.clone());
            changed |= before != Some(now);
        }
        changed
    }

    fn disarm(&mut self) {
        if let Some(watcher) = &mut self.folders {
            for folder in std::mem::take(&mut self.armed) {
                let _ = watcher.unwatch(&folder);
            }
        }
    }

    /// Watches what is not watched yet; what fails is tried again at the next look.
    fn arm(&mut self) {
        let wanted: BTreeSet<PathBuf> = self.paths().iter().flat_map(|path| folders(path)).collect();
        let Some(watcher) = &mut self.folders else { return };
        for gone in self.armed.difference(&wanted) {
            let _ = watcher.unwatch(gone);
        }
        self.armed = wanted
            .into_iter()
            .filter(|folder| self.armed.contains(folder) || watcher.watch(folder, RecursiveMode::NonRecursive).is_ok())
            .collect();
    }
}

/// Waits for quiet, but not for ever.
fn settle(events: &Receiver<()>, ended: &AtomicBool) {
    let started = Instant::now();
    while started.elapsed() < QUIET_WAIT_MAX && !ended.load(Ordering::Acquire) {
        if events.recv_timeout(QUIET).is_err() {
            return;
        }
    }
}

fn seen(path: &Path) -> Option<Seen> {
    let real = path.canonicalize().ok()?;
    let mut bytes = Vec::new();
    std::fs::File::open(&real).ok()?.take(crate::yaml::FILE_BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
    Some((real, Sha256::digest(&bytes).into()))
}

/// The folder of the file and of every symlink on the way to it.
fn folders(path: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut rest: VecDeque<PathBuf> = parts(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    let mut walked = PathBuf::from("/");
    let mut symlinks = 0;
    while let Some(part) = rest.pop_front() {
        let step = walked.join(&part);
        let is_file = rest.is_empty();
        match std::fs::read_link(&step) {
            Ok(target) if symlinks < SYMLINKS_MAX => {
                symlinks += 1;
                found.insert(walked.clone());
                if target.is_absolute() {
                    walked = PathBuf::from("/");
                }
                parts(&target).into_iter().rev().for_each(|part| rest.push_front(part));
            }
            Ok(_) | Err(_) => {
                if is_file {
                    found.insert(walked.clone());
                }
                // `walked` is free of symlinks, so `..` is its parent.
                walked = if part.as_os_str() == ".." { walked.parent().unwrap_or(&walked).to_owned() } else { step };
            }
        }
    }
    found
}

fn parts(path: &Path) -> VecDeque<PathBuf> {
    let named = path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
    named.map(|part| PathBuf::from(part.as_os_str())).collect()
}
