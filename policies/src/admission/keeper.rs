//! Who looks after holds: each that was opened is renewed while its request runs, ended when it ends, and ended again if
//! the store could not be told.
//!
//! # Invariants
//! * An ending that the store did not take is sent until it does (`an_ending_is_sent_until_the_store_takes_it`).
//! * A hold whose request runs for longer than its lease is not given up (`a_long_request_keeps_its_hold`).
//! * An answer that costs more than is held for it goes on only while its budgets hold more
//!   (`a_stream_goes_on_as_long_as_its_budget_holds_more`).

use super::past::Sweep;
use super::progress::Progress;
use super::{Prepared, SentLog, Spool, UNTOLD_MAX, Used};
use crate::Denial;
use crate::ledger::{Admission, Extension, LedgerId, Nanos, Note, Reap, Refusal, Renewal, StoreName, VoidReason};
use crate::store::{Applied, Ending, Now, Store, StoreError};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a hold lives unless it is renewed.
pub const HOLD_LEASE: Duration = Duration::from_secs(120);

/// How long a hold that nobody renewed stays suspect before it is given back.
pub const SUSPECT_GRACE: Duration = Duration::from_secs(900);

/// Holds are renewed so often, those with a key of a short lease more often.
pub(super) const RENEW_AFTER: Duration = Duration::from_secs(30);

/// Endings that wait in memory together with the replies they keep. Beyond it they wait without: of such a reply it is then only
/// known that it was given.
const UNTOLD_REPLIES_MAX: usize = 256;

/// Holds that one look for lost ones treats at most.
const REAPED_MAX: u32 = 1_000;

/// Looks after the holds of this process.
pub struct Keeper {
    store: Arc<dyn Store>,
    /// Where endings wait if the store is elsewhere.
    spool: Option<Arc<Spool>>,
    /// How long the end of a request waits for such a store; what it has not then, it is told later.
    patience: Duration,
    /// What was sent and has not ended, for the next start.
    sent: Option<SentLog>,
    open: Mutex<BTreeMap<LedgerId, Open>>,
    untold: Mutex<VecDeque<(StoreName, Ending)>>,
    past: Mutex<Sweep>,
}

struct Open {
    prepared: Arc<Prepared>,
    fence: u64,
    renewed_at: Instant,
    progress: Progress,
}

/// Whether an answer may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passed {
    /// It may.
    GoesOn,
    /// A budget has no more for it.
    UsedUp(Denial),
}

/// For metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeeperFigures {
    /// Holds of requests that run.
    pub open: usize,
    /// Endings that the store was not told yet.
    pub untold: usize,
    /// For how long the store has taken none of them.
    pub stalled_for: Duration,
}

impl Keeper {
    /// Looks after holds in this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            spool: None,
            patience: Duration::ZERO,
            sent: None,
            open: Mutex::default(),
            untold: Mutex::default(),
            past: Mutex::default(),
        }
    }

    /// The same for a store elsewhere: endings go through a journal of this gateway, and the end of a request waits so long for the
    /// store to have it.
    pub fn with_spool(store: Arc<dyn Store>, spool: Arc<Spool>, patience: Duration) -> Self {
        Self { spool: Some(spool), patience, ..Self::new(store) }
    }

    /// Remembers what is sent in this journal, and ends what a process before this one had sent and not ended.
    pub async fn answering_for(mut self, sent: SentLog, left: Vec<(StoreName, Ending)>) -> Self {
        if !left.is_empty() {
            tracing::warn!(
                requests = left.len(),
                "the gateway ended before these did; what had not ended is charged for its prompt"
            );
        }
        for (tenant, ending) in left {
            self.end(&tenant, ending).await;
        }
        // What is told now and not taken is in memory or in the spool: to be told again is harmless, to be forgotten is not.
        if self.untold.lock().is_empty()
            && let Err(error) = sent.recovered()
        {
            tracing::warn!(%error, "the journal of what was sent could not be shortened");
        }
        self.sent = Some(sent);
        self
    }

    /// A request that was let in is about to be sent: from here on it costs. `floor` is what its prompt costs.
    pub fn sent(&self, prepared: &Prepared, floor: Nanos) {
        if let Some(Err(error)) = self.sent.as_ref().map(|log| log.sent(prepared.admit.id, floor)) {
            tracing::error!(%error, "it is not written down that a request was sent");
        }
    }

    /// Sends endings to a store elsewhere as they come, for ever. Does nothing for others.
    pub async fn send(&self) {
        match &self.spool {
            Some(spool) => spool.run().await,
            None => std::future::pending().await,
        }
    }

    /// Tells the store of what has ended, as far as it takes it; what it does not take is told after the next start.
    pub async fn flush(&self) {
        self.tell().await;
        if let Some(spool) = &self.spool
            && let Err(error) = spool.send_all().await
        {
            tracing::warn!(
                class = error.class(),
                untold = spool.untold(),
                "the store is told of the rest after the next start"
            );
        }
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Asks for a request to be let in. What is let in must be ended.
    pub async fn admit(&self, prepared: &Arc<Prepared>) -> Result<Admission, StoreError> {
        if self.untold() >= UNTOLD_MAX {
            return Err(StoreError::Unreachable);
        }
        // Before the store is asked: what it lets in without our hearing of it is found at the next start.
        if let Some(Err(error)) = self.sent.as_ref().map(|log| log.asked(prepared)) {
            tracing::error!(%error, "nobody is let in: it cannot be written down");
            return Err(StoreError::Journal(error.to_string()));
        }
        let asked = self.store.admit(&prepared.tenant, &prepared.admit, Now::Store).await;
        match &asked {
            Ok(Admission::Admitted(admitted)) => {
                let now = Instant::now();
                let progress = Progress::new(prepared.held().unwrap_or_default(), prepared.slices, now);
                let open = Open { prepared: prepared.clone(), fence: admitted.fence, renewed_at: now, progress };
                self.open.lock().insert(prepared.admit.id, open);
            }
            Ok(_) => self.forget(prepared.admit.id),
            // It may have been let in without us hearing of it.
            Err(error) if error.applied() == Applied::Unknown => {
                let void = prepared.void(VoidReason::NotSent, Note::default());
                self.end(&prepared.tenant, Ending::Void(void)).await;
                self.forget(prepared.admit.id);
            }
            Err(_) => self.forget(prepared.admit.id),
        }
        asked
    }

    /// Part of a request's answer has passed, and it has used so much by now: what a kill would not undo is written down, and
    /// more is held for it if it comes near to what it holds.
    pub async fn passed(&self, prepared: &Prepared, used: Used, now: Instant) -> Result<Passed, StoreError> {
        let id = prepared.admit.id;
        let (due, asks) = match self.open.lock().get_mut(&id) {
            Some(open) => (open.progress.is_due(used, now), open.progress.asks(used.cost, now)),
            None => return Ok(Passed::GoesOn),
        };
        if due && let Some(Err(error)) = self.sent.as_ref().map(|log| log.passed(id, used.cost)) {
            tracing::error!(%error, "it is not written down how far a request has come");
        }
        match asks.filter(|_| prepared.held().is_some()) {
            Some(amount) => self.extend(prepared, used.cost, amount, now).await,
            None => Ok(Passed::GoesOn),
        }
    }

    /// Holds more for a request. A store that does not answer is asked again, under the same number, when more has passed.
    async fn extend(
        &self,
        prepared: &Prepared,
        cost: Nanos,
        amount: Nanos,
        now: Instant,
    ) -> Result<Passed, StoreError> {
        let id = prepared.admit.id;
        let number = self.open.lock().get(&id).map_or(1, |open| open.progress.next_number());
        let answer = self.store.extend(&prepared.tenant, &prepared.extend(number, amount), Now::Store).await;
        let mut open = self.open.lock();
        let Some(progress) = open.get_mut(&id).map(|open| &mut open.progress) else { return Ok(Passed::GoesOn) };
        match answer {
            Ok(Extension::Extended) => progress.extended(amount),
            Ok(Extension::Refused { index, available }) => {
                progress.refused();
                if progress.is_beyond(cost) {
                    return Ok(Passed::UsedUp(prepared.denial(Refusal::Budget { index, available })));
                }
            }
            // Told at the next renewal, and charged at the end: of these the request is not to blame.
            Ok(Extension::Finished(_) | Extension::Overflow) => progress.lost(),
            // A renewal makes it again, with what is held by then.
            Ok(Extension::Missing) => progress.unanswered(amount, now),
            Err(error) => {
                progress.unanswered(amount, now);
                if progress.is_beyond(cost) {
                    return Err(error);
                }
                tracing::warn!(class = error.class(), "no more could be held for an answer that goes on");
            }
        }
        Ok(Passed::GoesOn)
    }

    /// Ends a request.
    pub async fn finish(&self, tenant: &StoreName, ending: Ending) {
        let id = ending.id();
        self.open.lock().remove(&id);
        match ending {
            // Of a charge the store knows by the id that it is the second. What it was told to cost nothing it would charge at the
            // next start: so that is written down first, and a hold that nobody heard of then is given back all the same.
            Ending::Void(_) => {
                self.forget(id);
                self.end(tenant, ending).await;
            }
            Ending::Settle(_) => {
                self.end(tenant, ending).await;
                self.forget(id);
            }
        }
    }

    fn forget(&self, id: LedgerId) {
        if let Some(log) = &self.sent {
            log.ended(id);
        }
    }

    async fn end(&self, tenant: &StoreName, mut ending: Ending) {
        if let Some(spool) = &self.spool {
            match spool.put(tenant, ending.clone()) {
                Ok(sequence) if self.patience > Duration::ZERO => {
                    if tokio::time::timeout(self.patience, spool.taken(tenant, sequence)).await.is_err() {
                        tracing::warn!("a reply ends before the store has its cost; the journal has it");
                    }
                    return;
                }
                Ok(_) => return,
                Err(error) => tracing::error!(%error, "an ending is kept in memory alone"),
            }
        }
        if let Err(error) = self.store.finish(tenant, std::slice::from_ref(&ending), Now::Store).await {
            tracing::warn!(class = error.class(), "the store did not take the end of a request; it is sent again");
            let mut untold = self.untold.lock();
            if untold.len() >= UNTOLD_REPLIES_MAX {
                ending.forget_replies();
            }
            untold.push_back((tenant.clone(), ending));
        }
    }

    /// Renews holds that are due, sends endings again, looks for holds that nobody looks after, and for accounts that are over. To be called every few
    /// seconds.
    pub async fn tick(&self, now: Instant) {
        self.renew(now).await;
        self.tell().await;
        self.reap().await;
        self.drop_past(now).await;
        self.probe(now).await;
    }

    async fn probe(&self, now: Instant) {
        if let Some(spool) = &self.spool {
            spool.probe(now).await;
        }
    }

    async fn renew(&self, now: Instant) {
        let due = |open: &Open| now.duration_since(open.renewed_at) >= open.prepared.renew_after();
        let renewals: Vec<_> = {
            let mut open = self.open.lock();
            let due = open.values_mut().filter(|open| due(open));
            due.map(|open| {
                open.renewed_at = now;
                (open.prepared.clone(), open.prepared.renew(open.fence, open.progress.held()))
            })
            .collect()
        };
        for (prepared, renew) in renewals {
            match self.store.renew(&prepared.tenant, &renew, Now::Store).await {
                Ok(Renewal::Renewed) => {}
                Ok(Renewal::Recreated) => tracing::warn!("the store had forgotten a hold and has it again"),
                Ok(Renewal::Finished(_)) => tracing::warn!("a hold was given up while its request runs"),
                Err(error) => tracing::warn!(class = error.class(), "a hold could not be renewed"),
            }
        }
    }

    async fn tell(&self) {
        let waiting = self.untold.lock().len();
        for _ in 0..waiting {
            let Some((tenant, ending)) = self.untold.lock().pop_front() else { return };
            if self.store.finish(&tenant, std::slice::from_ref(&ending), Now::Store).await.is_err() {
                self.untold.lock().push_front((tenant, ending));
                return;
            }
        }
    }

    async fn reap(&self) {
        let reap = Reap { grace_micros: super::micros(SUSPECT_GRACE), count_max: REAPED_MAX };
        for tenant in self.store.tenants().await.unwrap_or_default() {
            match self.store.reap(&tenant, &reap, Now::Store).await {
                Ok(reaped) => {
                    if !reaped.suspect.is_empty() || !reaped.voided.is_empty() {
                        let (suspect, voided) = (reaped.suspect.len(), reaped.voided.len());
                        tracing::warn!(%tenant, suspect, voided, "holds whose gateway is gone");
                    }
                }
                Err(error) => tracing::warn!(class = error.class(), "the store could not be asked for lost holds"),
            }
        }
    }

    /// Taken out and put back, so that no lock is held while the store is asked.
    async fn drop_past(&self, now: Instant) {
        let mut sweep = std::mem::take(&mut *self.past.lock());
        sweep.go_on(self.store.as_ref(), now).await;
        *self.past.lock() = sweep;
    }

    /// For metrics.
    pub fn figures(&self) -> KeeperFigures {
        let stalled_since = self.spool.as_ref().and_then(|spool| spool.stalled_since());
        let stalled_for = stalled_since.map(|since| since.elapsed()).unwrap_or_default();
        KeeperFigures { open: self.open.lock().len(), untold: self.untold(), stalled_for }
    }

    fn untold(&self) -> usize {
        self.untold.lock().len() + self.spool.as_ref().map_or(0, |spool| spool.untold())
    }
}
