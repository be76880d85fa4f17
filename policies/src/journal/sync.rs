//! The thread that makes what was written durable, many records with one call.

use super::JournalError;
use crate::crash;
use parking_lot::{Condvar, Mutex};
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Handle of the thread; the thread ends with it.
#[derive(Debug)]
pub(super) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    work: Mutex<Work>,
    wake: Condvar,
    /// Held while files are synced, so that numbers are told in order.
    syncing: Mutex<()>,
    durable: watch::Sender<Progress>,
}

#[derive(Debug, Default)]
struct Work {
    files: Vec<Arc<File>>,
    written: u64,
    closed: bool,
}

#[derive(Clone, Debug, Default)]
struct Progress {
    durable: u64,
    failed: Option<Arc<str>>,
}

impl Syncer {
    /// Starts the thread; records up to `durable` are durable.
    pub fn start(group: Duration, durable: u64) -> Result<Self, JournalError> {
        let shared = Arc::new(Shared {
            work: Mutex::new(Work { written: durable, ..Work::default() }),
            wake: Condvar::new(),
            syncing: Mutex::new(()),
            durable: watch::Sender::new(Progress { durable, failed: None }),
        });
        let theirs = shared.clone();
        let thread = std::thread::Builder::new().name("journal-sync".into()).spawn(move || theirs.run(group))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A record was written to a file.
    pub fn written(&self, file: &Arc<File>, sequence: u64) {
        let mut work = self.shared.work.lock();
        if !work.files.last().is_some_and(|last| Arc::ptr_eq(last, file)) {
            work.files.push(file.clone());
        }
        work.written = work.written.max(sequence);
        drop(work);
        self.shared.wake.notify_one();
    }

    /// The last durable record.
    pub fn durable(&self) -> u64 {
        self.shared.durable.borrow().durable
    }

    /// An error, if anything failed before.
    pub fn check(&self) -> Result<(), JournalError> {
        match &self.shared.durable.borrow().failed {
            Some(why) => Err(JournalError::Failed(why.clone())),
            None => Ok(()),
        }
    }

    /// Nothing is taken any more.
    pub fn fail(&self, error: &std::io::Error) -> JournalError {
        self.shared.fail(error)
    }

    /// Waits for a record to be durable.
    pub async fn wait(&self, sequence: u64) -> Result<(), JournalError> {
        let mut progress = self.shared.durable.subscribe();
        let reached = progress.wait_for(|p| p.durable >= sequence || p.failed.is_some()).await;
        match reached.map(|p| p.failed.clone()) {
            Ok(None) => Ok(()),
            Ok(Some(why)) => Err(JournalError::Failed(why)),
            Err(_) => Err(JournalError::Failed("the journal was closed".into())),
        }
    }

    /// Makes everything durable that was written.
    pub fn now(&self) -> Result<(), JournalError> {
        self.shared.sync();
        self.check()
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.work.lock().closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self, group: Duration) {
        loop {
            let mut work = self.work.lock();
            while work.files.is_empty() && !work.closed {
                self.wake.wait(&mut work);
            }
            if work.files.is_empty() {
                return;
            }
            if !work.closed {
                drop(work);
                std::thread::sleep(group);
            } else {
                drop(work);
            }
            self.sync();
        }
    }

    fn sync(&self) {
        let _in_order = self.syncing.lock();
        let (files, written) = {
            let mut work = self.work.lock();
            (std::mem::take(&mut work.files), work.written)
        };
        crash::point("journal.before_sync");
        for file in files {
            if let Err(error) = crash::io("journal.sync").and_then(|()| file.sync_data()) {
                self.fail(&error);
                return;
            }
        }
        crash::point("journal.after_sync");
        self.durable.send_if_modified(|progress| {
            let further = progress.failed.is_none() && progress.durable < written;
            if further {
                progress.durable = written;
            }
            further
        });
    }

    fn fail(&self, error: &std::io::Error) -> JournalError {
        let why: Arc<str> = error.to_string().into();
        self.durable.send_modify(|progress| {
            progress.failed.get_or_insert_with(|| why.clone());
        });
        JournalError::Failed(why)
    }
}
