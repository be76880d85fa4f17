//! What a store elsewhere was not told yet: a journal of endings beside the gateway, sent in order until it has them all.
//!
//! An ending is in the journal before the client's last byte is sent, so that neither the death of this process nor that of
//! the store loses it. Each is sent with its number and that of the one before; a store that was set back answers from
//! where on it needs them again, and knows by their ids what it has already.
//!
//! # Invariants
//! * Endings of a tenant reach the store in the order of the journal, all of them, over restarts of both
//!   (`endings_survive_the_death_of_gateway_and_store`).
//! * A store that was restored from an older state is told again what it lost, and charges nothing twice
//!   (`a_store_that_was_set_back_is_told_again`), also while nothing comes (`a_store_that_was_set_back_is_told_again_by_an_idle_gateway`).
//! * The end of a request waits for the store where that is asked for, and goes on without it after its patience
//!   (`a_synchronous_end_waits_for_the_store_and_not_for_ever`).
//! * Whatever fails around it, in whichever order, what the upstream served is charged once
//!   (`money_adds_up_whatever_fails`).
//! * At most [`UNTOLD_MAX`] endings wait; beyond it no new request is let in (`a_full_spool_lets_nobody_in`).

use crate::journal::{Journal, JournalError, JournalOptions};
use crate::ledger::{LedgerId, Mark, Note, Settlement, StoreName, Void, VoidReason};
use crate::store::{Ending, Now, Store, StoreError};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Endings that may wait for the store.
pub const UNTOLD_MAX: usize = 100_000;

/// Endings sent in one round trip.
const BATCH_MAX: usize = if cfg!(test) { 3 } else { 64 };

/// Bytes of kept replies in one round trip, unless a single one has more: many at once would outlast the time that an answer may take.
const BATCH_REPLY_BYTES_MAX: usize = 256 << 10;

/// Journal that is kept of endings which the store has, so that it can be told again.
const KEPT_BYTES: u64 = 256 << 20;

/// How far the store is, is written down after so many endings.
const PROGRESS_EVERY: u64 = if cfg!(test) { 4 } else { 256 };

/// A store is asked whether it still has what it was told when nothing came for so long …
const PROBED_AFTER: Duration = Duration::from_secs(30);

/// … and no more when nothing came for so long: it knows ended requests by their ids for a month.
const PROBED_FOR: Duration = Duration::from_secs(7 * 86_400);

/// Pause before a store that failed is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// One record of the journal.
#[derive(Serialize, Deserialize)]
enum Record {
    Ending {
        tenant: StoreName,
        ending: Ending,
    },
    /// The store has everything of a tenant up to this number.
    Told {
        tenant: StoreName,
        through: u64,
    },
}

/// The journal and what is to be sent of it.
pub struct Spool {
    journal: Journal,
    gateway: StoreName,
    store: Arc<dyn Store>,
    lanes: Mutex<BTreeMap<StoreName, Lane>>,
    /// Endings that wait in all lanes: each request that comes asks for it.
    waiting: AtomicUsize,
    work: Notify,
    /// The store has taken something.
    moved: Notify,
    _lock: File,
}

/// One tenant's endings.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<(u64, Ending)>,
    /// The last number that the store has.
    told: u64,
    /// When the store took something last, or the first of what waits came.
    moved_at: Option<Instant>,
    /// When the store was asked last whether it still has everything.
    probed_at: Option<Instant>,
    /// The request that the last number belongs to.
    last: Option<LedgerId>,
    since_progress: u64,
}

/// Why a spool does not open.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Its journal does not.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its folder cannot be used.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Another process has it.
    #[error("{0} is used by another process: each gateway needs a folder of its own")]
    InUse(String),
}

impl Spool {
    /// Opens the spool of a folder, or makes it. What the store may not have is sent when [`Spool::run`] runs.
    pub fn open(folder: &Path, store: Arc<dyn Store>) -> Result<Self, SpoolError> {
        Self::open_with(folder, store, JournalOptions::default())
    }

    /// The same with a journal that is kept otherwise.
    pub(crate) fn open_with(folder: &Path, store: Arc<dyn Store>, options: JournalOptions) -> Result<Self, SpoolError> {
        std::fs::create_dir_all(folder)?;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        lock.try_lock().map_err(|_| SpoolError::InUse(folder.display().to_string()))?;
        let gateway = gateway_name(&folder.join("gateway"))?;
        let mut lanes: BTreeMap<StoreName, Lane> = BTreeMap::new();
        let first = Journal::first(&folder.join("journal"))?;
        let read = |sequence, bytes: &[u8]| {
            match postcard::from_bytes(bytes).map_err(|_| unreadable(sequence))? {
                Record::Ending { tenant, ending } => {
                    let lane = lanes.entry(tenant).or_default();
                    lane.moved_at = Some(Instant::now());
                    lane.waiting.push_back((sequence, ending));
                }
                Record::Told { tenant, through } => {
                    let lane = lanes.entry(tenant).or_default();
                    lane.told = lane.told.max(through);
                    lane.waiting.retain(|(sequence, _)| *sequence > through);
                }
            }
            Ok(())
        };
        let (journal, _) = Journal::open(&folder.join("journal"), options, first.saturating_sub(1), read)?;
        let waiting = AtomicUsize::new(lanes.values().map(|lane| lane.waiting.len()).sum());
        Ok(Self {
            journal,
            gateway,
            store,
            lanes: Mutex::new(lanes),
            waiting,
            work: Notify::new(),
            moved: Notify::new(),
            _lock: lock,
        })
    }

    /// Takes an ending, and gives its number. It is sent whatever happens from here on.
    pub fn put(&self, tenant: &StoreName, ending: Ending) -> Result<u64, JournalError> {
        let record = Record::Ending { tenant: tenant.clone(), ending };
        let bytes = postcard::to_stdvec(&record).map_err(|error| JournalError::Failed(error.to_string().into()))?;
        let Record::Ending { ending, .. } = record else { return Ok(self.journal.last()) };
        let mut lanes = self.lanes.lock();
        // Numbered under the lock: the order of a lane is that of the journal.
        let sequence = self.journal.append(&bytes)?;
        let lane = lanes.entry(tenant.clone()).or_default();
        if lane.waiting.is_empty() {
            lane.moved_at = Some(Instant::now());
        }
        lane.waiting.push_back((sequence, ending));
        self.waiting.fetch_add(1, Relaxed);
        drop(lanes);
        self.work.notify_one();
        Ok(sequence)
    }

    /// Waits until the store has everything of a tenant up to this number; as long as [`Spool::run`] runs.
    pub async fn taken(&self, tenant: &StoreName, sequence: u64) {
        loop {
            let mut moved = std::pin::pin!(self.moved.notified());
            // before the look: what moves between look and wait is not missed
            moved.as_mut().enable();
            if self.lanes.lock().get(tenant).is_none_or(|lane| lane.told >= sequence) {
                return;
            }
            moved.await;
        }
    }

    /// Endings that the store was not told yet.
    pub fn untold(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// Since when the store has taken nothing of a tenant for which something waits; `None`: nothing waits.
    pub fn stalled_since(&self) -> Option<Instant> {
        let lanes = self.lanes.lock();
        lanes.values().filter(|lane| !lane.waiting.is_empty()).filter_map(|lane| lane.moved_at).min()
    }

    /// Sends what waits, for ever. What fails is tried again.
    pub async fn run(&self) {
        loop {
            let failed = self.send_all().await.is_err();
            if failed {
                tokio::time::sleep(PAUSE).await;
            } else if self.untold() == 0 {
                self.work.notified().await;
            }
        }
    }

    /// Sends what waits now; the first error ends it.
    pub async fn send_all(&self) -> Result<(), StoreError> {
        let tenants: Vec<StoreName> = {
            let lanes = self.lanes.lock();
            lanes.iter().filter(|(_, lane)| !lane.waiting.is_empty()).map(|(tenant, _)| tenant.clone()).collect()
        };
        for tenant in tenants {
            while self.send_some(&tenant).await? > 0 {}
        }
        Ok(())
    }

    /// Asks the store whether it still has what it was told of tenants for whom nothing came since: one that was set back would
    /// else learn it only with their next ending. To be called now and then.
    pub async fn probe(&self, now: Instant) {
        let idle = |lane: &mut Lane| {
            let moved_at = lane.moved_at.filter(|at| now.saturating_duration_since(*at) < PROBED_FOR)?;
            let quiet_since = lane.probed_at.map_or(moved_at, |probed_at| probed_at.max(moved_at));
            (lane.waiting.is_empty() && now.saturating_duration_since(quiet_since) >= PROBED_AFTER).then_some(())?;
            lane.probed_at = Some(now);
            Some((lane.last?, lane.told))
        };
        let idle: Vec<_> = {
            let mut lanes = self.lanes.lock();
            lanes.iter_mut().filter_map(|(tenant, lane)| Some((tenant.clone(), idle(lane)?))).collect()
        };
        for (tenant, (id, told)) in idle {
            // A store that has everything knows this request by its id, and answers that it has ended.
            let mark = Some(Mark { gateway: self.gateway.clone(), sequence: told, previous: told });
            let (reason, note) = (VoidReason::NotSent, Note::default());
            let known = Ending::Void(Void { id, reason, rates: vec![], keys: vec![], waste: vec![], mark, note });
            match self.store.finish(&tenant, &[known], Now::Store).await.as_deref() {
                Ok([Settlement::Gap { have }]) => {
                    if let Err(error) = self.rewind(&tenant, *have) {
                        tracing::error!(class = error.class(), "a store that was set back could not be told again");
                    }
                    self.work.notify_one();
                }
                Ok(_) => {}
                // the next one asks again
                Err(_) => return,
            }
        }
    }

    /// Sends the first endings of a tenant; how many are left.
    async fn send_some(&self, tenant: &StoreName) -> Result<usize, StoreError> {
        let (sequences, endings) = self.lanes.lock().get(tenant).map(|lane| self.batch(lane)).unwrap_or_default();
        if endings.is_empty() {
            return Ok(0);
        }
        let answers = self.store.finish(tenant, &endings, Now::Store).await.inspect_err(|error| {
            tracing::warn!(class = error.class(), "the store takes no endings; they are sent again");
        })?;
        for (sequence, answer) in sequences.into_iter().zip(answers) {
            match answer {
                Settlement::Done { .. } | Settlement::Duplicate(_) => self.told(tenant, sequence),
                Settlement::Gap { have } => return self.rewind(tenant, have),
            }
        }
        self.moved.notify_waiters();
        Ok(self.lanes.lock().get(tenant).map_or(0, |lane| lane.waiting.len()))
    }

    /// The first endings of a lane, each with the number of the one before.
    fn batch(&self, lane: &Lane) -> (Vec<u64>, Vec<Ending>) {
        let mut previous = lane.told;
        let mark = |(sequence, ending): &(u64, Ending)| {
            let mark = Mark { gateway: self.gateway.clone(), sequence: *sequence, previous };
            previous = *sequence;
            let mut ending = ending.clone();
            match &mut ending {
                Ending::Settle(settle) => settle.mark = Some(mark),
                Ending::Void(void) => void.mark = Some(mark),
            }
            (*sequence, ending)
        };
        let mut reply_bytes = 0;
        let fits = |(_, ending): &&(u64, Ending)| {
            let first = reply_bytes == 0;
            reply_bytes += ending.reply_bytes();
            first || reply_bytes <= BATCH_REPLY_BYTES_MAX
        };
        lane.waiting.iter().take(BATCH_MAX).take_while(fits).map(mark).collect()
    }

    fn told(&self, tenant: &StoreName, sequence: u64) {
        let mut lanes = self.lanes.lock();
        let Some(lane) = lanes.get_mut(tenant) else { return };
        let mut last = lane.last;
        while lane.waiting.front().is_some_and(|(first, _)| *first <= sequence) {
            last = lane.waiting.pop_front().map(|(_, ending)| ending.id());
            self.waiting.fetch_sub(1, Relaxed);
        }
        lane.told = lane.told.max(sequence);
        (lane.moved_at, lane.last) = (Some(Instant::now()), last);
        lane.since_progress += 1;
        if lane.since_progress < PROGRESS_EVERY {
            return;
        }
        lane.since_progress = 0;
        let oldest = lanes.values().filter_map(|lane| lane.waiting.front()).map(|(first, _)| *first - 1).min();
        drop(lanes);
        self.write_down(tenant, sequence);
        self.shorten(oldest.unwrap_or(sequence));
    }

    /// Without this record more is sent again after a restart, and nothing else.
    fn write_down(&self, tenant: &StoreName, through: u64) {
        let record = Record::Told { tenant: tenant.clone(), through };
        let written = postcard::to_stdvec(&record).map(|bytes| self.journal.append(&bytes));
        if !matches!(written, Ok(Ok(_))) {
            tracing::warn!("the spool could not note how far the store is");
        }
    }

    /// Removes the oldest segments beyond what is kept; none with an ending that the store may not have.
    fn shorten(&self, through: u64) {
        if self.journal.bytes() > KEPT_BYTES
            && let Err(error) = self.journal.remove_oldest_through(through)
        {
            tracing::warn!(%error, "the spool's journal could not be shortened");
        }
    }

    /// The store was set back: everything after `have` is sent again, from the journal.
    fn rewind(&self, tenant: &StoreName, have: u64) -> Result<usize, StoreError> {
        let mut again = VecDeque::new();
        let read = |sequence, bytes: &[u8]| {
            if let Ok(Record::Ending { tenant: of, ending }) = postcard::from_bytes(bytes)
                && of == *tenant
                && sequence > have
            {
                again.push_back((sequence, ending));
            }
        };
        let mut lanes = self.lanes.lock();
        self.journal.read_after(have, read).map_err(|error| StoreError::Journal(error.to_string()))?;
        let lane = lanes.entry(tenant.clone()).or_default();
        tracing::warn!(%tenant, endings = again.len(), "the store was set back; it is told again");
        self.waiting.fetch_add(again.len(), Relaxed);
        self.waiting.fetch_sub(lane.waiting.len(), Relaxed);
        (lane.waiting, lane.told) = (again, have);
        Ok(lane.waiting.len())
    }
}

fn unreadable(sequence: u64) -> JournalError {
    JournalError::Failed(format!("record {sequence} was not written by this version of raptorgate").into())
}

/// The name of this gateway in the store: made once for a folder, and never the same for two.
fn gateway_name(path: &Path) -> Result<StoreName, std::io::Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => StoreName::parse(text.trim()).ok_or_else(|| std::io::ErrorKind::InvalidData.into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let name = uuid::Uuid::new_v4().simple().to_string();
            let partial = path.with_extension("partial");
            std::fs::write(&partial, &name)?;
            File::open(&partial)?.sync_all()?;
            std::fs::rename(&partial, path)?;
            Ok(StoreName::of(&[&name]))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "spool_tests.rs"]
mod tests;
