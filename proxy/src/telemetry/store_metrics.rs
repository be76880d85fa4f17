//! A store whose every operation is timed, and whose answers are counted.
//!
//! # Invariants
//! * It answers as the store behind it does, and asks it once (`a_measured_store_is_the_store_behind_it`).

use super::metrics::Vectors;
use async_trait::async_trait;
use prometheus::{Histogram, IntCounter, IntCounterVec};
use raptorgate_policies::ledger::{
    Account, AccountName, Admission, Admit, Change, Clearance, Credit, Dispatch, DropPast, Dropped, Entry, Extend,
    Extension, Finish, Head, KeyAnswer, KeyUse, Reap, Reaped, Renew, Renewal, SetLimit, Settlement, StoreName, Timing,
    Trim,
};
use raptorgate_policies::store::{Accounts, Admissions, Ending, Entries, Now, Settlements, Store, StoreError};
use std::sync::Arc;
use std::time::Instant;

/// What a store is asked to do, as metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A request asks to be let in.
    Admit,
    /// A request with keys is about to be sent.
    Dispatch,
    /// More is held for a stream.
    Extend,
    /// A hold is kept alive.
    Renew,
    /// One request waits for another's key.
    Key,
    /// Requests end.
    Finish,
    /// A look for lost holds and accounts of past windows.
    Reap,
    /// An operator reads.
    Read,
    /// An operator changes something.
    Change,
}

impl Operation {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::Admit,
        Self::Dispatch,
        Self::Extend,
        Self::Renew,
        Self::Key,
        Self::Finish,
        Self::Reap,
        Self::Read,
        Self::Change,
    ];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admit => "admit",
            Self::Dispatch => "dispatch",
            Self::Extend => "extend",
            Self::Renew => "renew",
            Self::Key => "key",
            Self::Finish => "finish",
            Self::Reap => "reap",
            Self::Read => "read",
            Self::Change => "change",
        }
    }
}

/// What became of an ending, as metrics name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Settled,
    Voided,
    SettledLate,
    VoidedLate,
    Duplicate,
}

impl Ended {
    const ALL: [Self; 5] = [Self::Settled, Self::Voided, Self::SettledLate, Self::VoidedLate, Self::Duplicate];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Voided => "voided",
            Self::SettledLate => "settled_late",
            Self::VoidedLate => "voided_late",
            Self::Duplicate => "duplicate",
        }
    }
}

/// Metrics of the store.
pub struct StoreMetrics {
    durations: [Histogram; Operation::ALL.len()],
    errors: IntCounterVec,
    settlements: [IntCounter; Ended::ALL.len()],
    set_back: IntCounter,
}

impl StoreMetrics {
    pub(super) fn new(vectors: &Vectors) -> Self {
        for what in Operation::ALL {
            vectors.store_errors.with_label_values(&[what.as_str(), "timeout"]); // a rate needs a series that starts at 0
        }
        Self {
            durations: Operation::ALL.map(|what| vectors.store_duration.with_label_values(&[what.as_str()])),
            errors: vectors.store_errors.clone(),
            settlements: Ended::ALL.map(|how| vectors.settlements.with_label_values(&[how.as_str()])),
            set_back: vectors.store_set_back.with_label_values::<&str>(&[]),
        }
    }

    fn settled(&self, settlement: &Settlement) {
        let ended = match settlement {
            Settlement::Done { finish: Finish::Settled { .. }, timing: Timing::InTime } => Ended::Settled,
            Settlement::Done { finish: Finish::Settled { .. }, timing: Timing::Late } => Ended::SettledLate,
            Settlement::Done { finish: Finish::Voided(_), timing: Timing::InTime } => Ended::Voided,
            Settlement::Done { finish: Finish::Voided(_), timing: Timing::Late } => Ended::VoidedLate,
            Settlement::Duplicate(_) => Ended::Duplicate,
            Settlement::Gap { .. } => return self.set_back.inc(),
        };
        if let Some(counter) = self.settlements.get(ended as usize) {
            counter.inc();
        }
    }
}

/// A store behind a stop-watch.
pub struct MeasuredStore {
    inner: Arc<dyn Store>,
    metrics: Arc<StoreMetrics>,
}

impl MeasuredStore {
    /// Measures what this store does.
    pub fn new(inner: Arc<dyn Store>, metrics: Arc<StoreMetrics>) -> Self {
        Self { inner, metrics }
    }

    async fn time<T>(
        &self,
        what: Operation,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let answer = work.await;
        if let Some(histogram) = self.metrics.durations.get(what as usize) {
            histogram.observe(begun.elapsed().as_secs_f64());
        }
        answer.inspect_err(|e| self.metrics.errors.with_label_values(&[what.as_str(), e.class()]).inc())
    }
}

#[async_trait]
impl Admissions for MeasuredStore {
    async fn admit(&self, tenant: &StoreName, admit: &Admit, now: Now) -> Result<Admission, StoreError> {
        self.time(Operation::Admit, self.inner.admit(tenant, admit, now)).await
    }

    async fn dispatch(&self, tenant: &StoreName, dispatch: &Dispatch) -> Result<Clearance, StoreError> {
        self.time(Operation::Dispatch, self.inner.dispatch(tenant, dispatch)).await
    }

    async fn extend(&self, tenant: &StoreName, extend: &Extend, now: Now) -> Result<Extension, StoreError> {
        self.time(Operation::Extend, self.inner.extend(tenant, extend, now)).await
    }

    async fn renew(&self, tenant: &StoreName, renew: &Renew, now: Now) -> Result<Renewal, StoreError> {
        self.time(Operation::Renew, self.inner.renew(tenant, renew, now)).await
    }

    async fn key(&self, tenant: &StoreName, key: &KeyUse, now: Now) -> Result<Option<KeyAnswer>, StoreError> {
        self.time(Operation::Key, self.inner.key(tenant, key, now)).await
    }
}

#[async_trait]
impl Settlements for MeasuredStore {
    async fn finish(&self, tenant: &StoreName, endings: &[Ending], now: Now) -> Result<Vec<Settlement>, StoreError> {
        let answers = self.time(Operation::Finish, self.inner.finish(tenant, endings, now)).await?;
        answers.iter().for_each(|answer| self.metrics.settled(answer));
        Ok(answers)
    }

    async fn reap(&self, tenant: &StoreName, reap: &Reap, now: Now) -> Result<Reaped, StoreError> {
        self.time(Operation::Reap, self.inner.reap(tenant, reap, now)).await
    }

    async fn tenants(&self) -> Result<Vec<StoreName>, StoreError> {
        self.time(Operation::Reap, self.inner.tenants()).await
    }
}

#[async_trait]
impl Accounts for MeasuredStore {
    async fn account(&self, tenant: &StoreName, name: &AccountName) -> Result<Option<Account>, StoreError> {
        self.time(Operation::Read, self.inner.account(tenant, name)).await
    }

    async fn accounts(
        &self,
        tenant: &StoreName,
        after: Option<&AccountName>,
        count_max: usize,
    ) -> Result<Vec<(AccountName, Account)>, StoreError> {
        self.time(Operation::Read, self.inner.accounts(tenant, after, count_max)).await
    }

    async fn set_limit(&self, tenant: &StoreName, set: &SetLimit, now: Now) -> Result<Change, StoreError> {
        self.time(Operation::Change, self.inner.set_limit(tenant, set, now)).await
    }

    async fn credit(&self, tenant: &StoreName, credit: &Credit, now: Now) -> Result<Change, StoreError> {
        self.time(Operation::Change, self.inner.credit(tenant, credit, now)).await
    }

    async fn drop_past(&self, tenant: &StoreName, drop: &DropPast, now: Now) -> Result<Dropped, StoreError> {
        self.time(Operation::Reap, self.inner.drop_past(tenant, drop, now)).await
    }
}

#[async_trait]
impl Entries for MeasuredStore {
    async fn head(&self, tenant: &StoreName) -> Result<Head, StoreError> {
        self.time(Operation::Read, self.inner.head(tenant)).await
    }

    async fn entries(&self, tenant: &StoreName, after: u64, count_max: usize) -> Result<Vec<Entry>, StoreError> {
        self.time(Operation::Read, self.inner.entries(tenant, after, count_max)).await
    }

    async fn archived(&self, tenant: &StoreName) -> Result<Head, StoreError> {
        self.time(Operation::Read, self.inner.archived(tenant)).await
    }

    async fn trim(&self, tenant: &StoreName, through: &Head) -> Result<Trim, StoreError> {
        self.time(Operation::Change, self.inner.trim(tenant, through)).await
    }
}

#[cfg(test)]
mod tests {
    use crate::telemetry::Metrics;
    use raptorgate_policies::ledger::{Admit, Certainty, LedgerId, Nanos, Note, Settle, Settlement, StoreName};
    use raptorgate_policies::store::embedded::{Embedded, EmbeddedOptions};
    use raptorgate_policies::store::{Ending, Now, Settlements};
    use std::sync::Arc;

    #[tokio::test]
    async fn a_measured_store_is_the_store_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let metrics = Metrics::new().unwrap();
        let store = Arc::new(Embedded::open(folder.path(), EmbeddedOptions::default()).unwrap());
        let measured = metrics.measured(store.clone());
        let (tenant, id) = (StoreName::of(&["acme"]), LedgerId::mint());
        let empty = Admit {
            id,
            fingerprint: [0; 32],
            lease_micros: 1,
            keys: vec![],
            slots: vec![],
            rates: vec![],
            parts: vec![],
            note: Note::default(),
        };
        measured.admit(&tenant, &empty, Now::At(1)).await.unwrap();
        let settle = Ending::Settle(Settle {
            id,
            charge: Nanos::ZERO,
            accounts: vec![],
            certainty: Certainty::Exact,
            rates: vec![],
            keys: vec![],
            waste: vec![],
            mark: None,
            note: Note::default(),
        });
        for _ in 0..2 {
            measured.finish(&tenant, std::slice::from_ref(&settle), Now::At(2)).await.unwrap();
        }
        let behind = store.finish(&tenant, &[settle], Now::At(3)).await.unwrap();
        assert!(matches!(behind[..], [Settlement::Duplicate(_)]), "{behind:?}");
        let text = metrics.encode().unwrap();
        for line in [
            "raptorgate_settlements_total{ending=\"settled\"} 1",
            "raptorgate_settlements_total{ending=\"duplicate\"} 1",
            "raptorgate_store_duration_seconds_count{operation=\"admit\"} 1",
            "raptorgate_store_duration_seconds_count{operation=\"finish\"} 2",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
