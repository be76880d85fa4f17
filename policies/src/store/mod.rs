//! Where shared state is kept: one contract, two implementations.
//!
//! Each method is one atomic operation that may be sent again. There is no reading of a value to write it back, so that a
//! race cannot be written down. What the operations mean is in [`crate::ledger::tenant`].

pub mod embedded;
mod error;
pub mod redis;

pub use error::{Applied, StoreError};

use crate::ledger::{
    Account, AccountName, Admission, Admit, Change, Clearance, Credit, Dispatch, DropPast, Dropped, Entry, Extend,
    Extension, Head, KeyAnswer, KeyEnd, KeyEnding, KeyUse, LedgerId, Reap, Reaped, Renew, Renewal, SetLimit, Settle,
    Settlement, StoreName, Trim, Void,
};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What time an operation happens at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Now {
    /// The store's own clock: one clock for all gateways.
    Store,
    /// Microseconds since the epoch; for tests and simulations.
    At(u64),
}

/// Requests come in, and live on.
#[async_trait]
pub trait Admissions: Send + Sync {
    /// Lets a request in, or does not: keys, places, rates and budgets, all or nothing.
    async fn admit(&self, tenant: &StoreName, admit: &Admit, now: Now) -> Result<Admission, StoreError>;

    /// Marks that a request with keys is about to be sent.
    async fn dispatch(&self, tenant: &StoreName, dispatch: &Dispatch) -> Result<Clearance, StoreError>;

    /// Holds more money for a request that runs.
    async fn extend(&self, tenant: &StoreName, extend: &Extend, now: Now) -> Result<Extension, StoreError>;

    /// Keeps a hold alive.
    async fn renew(&self, tenant: &StoreName, renew: &Renew, now: Now) -> Result<Renewal, StoreError>;

    /// What a key says to one that waits for it; `None`: it is free.
    async fn key(&self, tenant: &StoreName, key: &KeyUse, now: Now) -> Result<Option<KeyAnswer>, StoreError>;
}

/// How a request ends in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// Charged.
    Settle(Settle),
    /// Not charged.
    Void(Void),
}

impl Ending {
    /// The request.
    pub fn id(&self) -> LedgerId {
        match self {
            Self::Settle(settle) => settle.id,
            Self::Void(void) => void.id,
        }
    }

    /// Bytes of the replies that it keeps.
    pub fn reply_bytes(&self) -> usize {
        let (Self::Settle(Settle { keys, .. }) | Self::Void(Void { keys, .. })) = self;
        let bytes = |end: &KeyEnd| match &end.ending {
            KeyEnding::Reply { reply, .. } => reply.as_ref().map_or(0, Vec::len),
            KeyEnding::Free | KeyEnding::Unknown { .. } => 0,
        };
        keys.iter().map(bytes).sum()
    }

    /// Leaves out the replies that it keeps: it is then only known that they were given.
    pub fn forget_replies(&mut self) {
        let keys = match self {
            Self::Settle(settle) => &mut settle.keys,
            Self::Void(void) => &mut void.keys,
        };
        for end in keys {
            if let KeyEnding::Reply { reply, .. } = &mut end.ending {
                *reply = None;
            }
        }
    }
}

/// Requests end.
#[async_trait]
pub trait Settlements: Send + Sync {
    /// Ends requests, in the given order; as many answers come back, in the same order, until the first error.
    async fn finish(&self, tenant: &StoreName, endings: &[Ending], now: Now) -> Result<Vec<Settlement>, StoreError>;

    /// Looks for holds that nobody renewed.
    async fn reap(&self, tenant: &StoreName, reap: &Reap, now: Now) -> Result<Reaped, StoreError>;

    /// Tenants that were seen, for whoever reaps; in no order.
    async fn tenants(&self) -> Result<Vec<StoreName>, StoreError>;
}

/// What operators see and change.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// One account.
    async fn account(&self, tenant: &StoreName, name: &AccountName) -> Result<Option<Account>, StoreError>;

    /// Up to `count_max` accounts behind `after`, by name.
    async fn accounts(
        &self,
        tenant: &StoreName,
        after: Option<&AccountName>,
        count_max: usize,
    ) -> Result<Vec<(AccountName, Account)>, StoreError>;

    /// Overrides a configured limit.
    async fn set_limit(&self, tenant: &StoreName, set: &SetLimit, now: Now) -> Result<Change, StoreError>;

    /// Adds to what may be spent, or takes back what was.
    async fn credit(&self, tenant: &StoreName, credit: &Credit, now: Now) -> Result<Change, StoreError>;

    /// Drops accounts of windows that have been over for a while and hold nothing.
    async fn drop_past(&self, tenant: &StoreName, drop: &DropPast, now: Now) -> Result<Dropped, StoreError>;
}

/// The lines of the ledger.
#[async_trait]
pub trait Entries: Send + Sync {
    /// Where it ends.
    async fn head(&self, tenant: &StoreName) -> Result<Head, StoreError>;

    /// Up to `count_max` lines after line number `after`, in order. Lines that were archived are not there any more.
    async fn entries(&self, tenant: &StoreName, after: u64, count_max: usize) -> Result<Vec<Entry>, StoreError>;

    /// The last line that was archived and removed: the first of [`Entries::entries`] follows it.
    async fn archived(&self, tenant: &StoreName) -> Result<Head, StoreError>;

    /// Removes lines up to and with this one, and remembers it in the same step; whoever asks has archived them.
    async fn trim(&self, tenant: &StoreName, through: &Head) -> Result<Trim, StoreError>;
}

/// A store.
pub trait Store: Admissions + Settlements + Accounts + Entries {}

impl<S: Admissions + Settlements + Accounts + Entries> Store for S {}
