//! The state machine itself as a store: what every other store has to answer.

use async_trait::async_trait;
use raptorgate_policies::ledger::*;
use raptorgate_policies::store::{Accounts, Admissions, Ending, Entries, Now, Settlements, StoreError};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::SystemTime;

/// All tenants in memory.
#[derive(Default)]
pub struct Reference(Mutex<BTreeMap<StoreName, TenantState>>);

fn micros(now: Now) -> u64 {
    match now {
        Now::At(micros) => micros,
        Now::Store => SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64,
    }
}

impl Reference {
    fn with<T>(&self, tenant: &StoreName, run: impl FnOnce(&mut TenantState) -> T) -> Result<T, StoreError> {
        Ok(run(self.0.lock().unwrap().entry(tenant.clone()).or_default()))
    }
}

#[async_trait]
impl Admissions for Reference {
    async fn admit(&self, tenant: &StoreName, admit: &Admit, now: Now) -> Result<Admission, StoreError> {
        admit.check()?;
        self.with(tenant, |state| state.admit(admit, micros(now)))
    }

    async fn dispatch(&self, tenant: &StoreName, dispatch: &Dispatch) -> Result<Clearance, StoreError> {
        self.with(tenant, |state| state.dispatch(dispatch))
    }

    async fn extend(&self, tenant: &StoreName, extend: &Extend, now: Now) -> Result<Extension, StoreError> {
        extend.check()?;
        self.with(tenant, |state| state.extend(extend, micros(now)))
    }

    async fn renew(&self, tenant: &StoreName, renew: &Renew, now: Now) -> Result<Renewal, StoreError> {
        renew.check()?;
        self.with(tenant, |state| state.renew(renew, micros(now)))
    }

    async fn key(&self, tenant: &StoreName, key: &KeyUse, now: Now) -> Result<Option<KeyAnswer>, StoreError> {
        self.with(tenant, |state| state.key(key, micros(now)))
    }
}

#[async_trait]
impl Settlements for Reference {
    async fn finish(&self, tenant: &StoreName, endings: &[Ending], now: Now) -> Result<Vec<Settlement>, StoreError> {
        for ending in endings {
            match ending {
                Ending::Settle(settle) => settle.check()?,
                Ending::Void(void) => void.check()?,
            }
        }
        self.with(tenant, |state| {
            let one = |ending: &Ending| match ending {
                Ending::Settle(settle) => state.settle(settle, micros(now)),
                Ending::Void(void) => state.void(void, micros(now)),
            };
            endings.iter().map(one).collect()
        })
    }

    async fn reap(&self, tenant: &StoreName, reap: &Reap, now: Now) -> Result<Reaped, StoreError> {
        reap.check()?;
        self.with(tenant, |state| state.reap(reap, micros(now)))
    }

    async fn tenants(&self) -> Result<Vec<StoreName>, StoreError> {
        Ok(self.0.lock().unwrap().keys().cloned().collect())
    }
}

#[async_trait]
impl Accounts for Reference {
    async fn account(&self, tenant: &StoreName, name: &AccountName) -> Result<Option<Account>, StoreError> {
        self.with(tenant, |state| state.accounts.get(name).copied())
    }

    async fn accounts(
        &self,
        tenant: &StoreName,
        after: Option<&AccountName>,
        count_max: usize,
    ) -> Result<Vec<(AccountName, Account)>, StoreError> {
        self.with(tenant, |state| {
            let behind = |name: &AccountName| after.is_none_or(|after| name > after);
            let rows = state.accounts.iter().filter(|(name, _)| behind(name)).take(count_max);
            rows.map(|(name, account)| (name.clone(), *account)).collect()
        })
    }

    async fn set_limit(&self, tenant: &StoreName, set: &SetLimit, now: Now) -> Result<Change, StoreError> {
        self.with(tenant, |state| state.set_limit(set, micros(now)))
    }

    async fn credit(&self, tenant: &StoreName, credit: &Credit, now: Now) -> Result<Change, StoreError> {
        self.with(tenant, |state| state.credit(credit, micros(now)))
    }

    async fn drop_past(&self, tenant: &StoreName, drop: &DropPast, now: Now) -> Result<Dropped, StoreError> {
        drop.check()?;
        self.with(tenant, |state| state.drop_past(drop, micros(now)))
    }
}

#[async_trait]
impl Entries for Reference {
    async fn head(&self, tenant: &StoreName) -> Result<Head, StoreError> {
        self.with(tenant, |state| state.head.clone())
    }

    async fn entries(&self, tenant: &StoreName, after: u64, count_max: usize) -> Result<Vec<Entry>, StoreError> {
        self.with(tenant, |state| {
            state.entries.iter().filter(|entry| entry.version > after).take(count_max).cloned().collect()
        })
    }

    async fn archived(&self, tenant: &StoreName) -> Result<Head, StoreError> {
        self.with(tenant, |state| state.archived.clone())
    }

    async fn trim(&self, tenant: &StoreName, through: &Head) -> Result<Trim, StoreError> {
        self.with(tenant, |state| {
            let line = state.entries.iter().find(|entry| entry.version == through.version).cloned();
            state.trim(through, line.as_ref())
        })
    }
}
