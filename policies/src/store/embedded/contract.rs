//! The contract's operations, each one application of the state machine.

use super::Embedded;
use super::book::Touched;
use crate::ledger::tenant::rows::{RowKind, parse_value, row_key};
use crate::ledger::{
    Account, AccountName, Admission, Admit, Change, Checked, Clearance, Credit, Dispatch, DropPast, Dropped, Entry,
    Extend, Extension, Head, KeyAnswer, KeyEnd, KeyEnding, KeyUse, LedgerId, Reap, Reaped, Renew, Renewal, SetLimit,
    Settlement, StoreName, Trim,
};
use crate::store::{Accounts, Admissions, Ending, Entries, Now, Settlements, StoreError};
use async_trait::async_trait;
use std::collections::BTreeMap;

impl<'a> Touched<'a> {
    fn request(id: LedgerId) -> Self {
        Self { id: Some(id), ..Self::default() }
    }

    fn admission(admit: &'a Admit) -> Self {
        let keys = admit.keys.iter().map(|key| &key.key).collect();
        Self { id: Some(admit.id), keys, ..Self::default() }
    }

    fn ending(id: LedgerId, keys: &'a [KeyEnd]) -> Self {
        let reply = |end: &KeyEnd| match &end.ending {
            KeyEnding::Reply { reply, .. } => reply.as_ref().map_or(0, Vec::len),
            KeyEnding::Free | KeyEnding::Unknown { .. } => 0,
        };
        let reply_bytes = keys.iter().map(reply).sum();
        Self { id: Some(id), keys: keys.iter().map(|end| &end.key).collect(), reply_bytes, is_new_work: false }
    }
}

#[async_trait]
impl Admissions for Embedded {
    async fn admit(&self, tenant: &StoreName, admit: &Admit, now: Now) -> Result<Admission, StoreError> {
        admit.check()?;
        let touched = Touched { is_new_work: true, ..Touched::admission(admit) };
        self.shared.apply(tenant, now, &touched, |state, now| state.admit(admit, now)).map(|(answer, _)| answer)
    }

    async fn dispatch(&self, tenant: &StoreName, dispatch: &Dispatch) -> Result<Clearance, StoreError> {
        let touched = Touched::default();
        self.shared.apply(tenant, Now::Store, &touched, |state, _| state.dispatch(dispatch)).map(|(answer, _)| answer)
    }

    async fn extend(&self, tenant: &StoreName, extend: &Extend, now: Now) -> Result<Extension, StoreError> {
        extend.check()?;
        let touched = Touched::request(extend.id);
        self.shared.apply(tenant, now, &touched, |state, now| state.extend(extend, now)).map(|(answer, _)| answer)
    }

    async fn renew(&self, tenant: &StoreName, renew: &Renew, now: Now) -> Result<Renewal, StoreError> {
        renew.check()?;
        let touched = Touched::admission(&renew.admitted);
        self.shared.apply(tenant, now, &touched, |state, now| state.renew(renew, now)).map(|(answer, _)| answer)
    }

    async fn key(&self, tenant: &StoreName, key: &KeyUse, now: Now) -> Result<Option<KeyAnswer>, StoreError> {
        let touched = Touched { keys: vec![&key.key], ..Touched::default() };
        self.shared.apply(tenant, now, &touched, |state, now| state.key(key, now)).map(|(answer, _)| answer)
    }
}

#[async_trait]
impl Settlements for Embedded {
    async fn finish(&self, tenant: &StoreName, endings: &[Ending], now: Now) -> Result<Vec<Settlement>, StoreError> {
        // All of them before any is applied.
        for ending in endings {
            match ending {
                Ending::Settle(settle) => settle.check()?,
                Ending::Void(void) => void.check()?,
            }
        }
        let mut answers = Vec::with_capacity(endings.len());
        let mut last = 0;
        for ending in endings {
            let (answer, through) = match ending {
                Ending::Settle(settle) => {
                    let touched = Touched::ending(settle.id, &settle.keys);
                    self.shared.apply(tenant, now, &touched, |state, now| state.settle(settle, now))?
                }
                Ending::Void(void) => {
                    let touched = Touched::ending(void.id, &void.keys);
                    self.shared.apply(tenant, now, &touched, |state, now| state.void(void, now))?
                }
            };
            answers.push(answer);
            last = last.max(through);
        }
        self.shared.acknowledge(last).await?;
        Ok(answers)
    }

    async fn reap(&self, tenant: &StoreName, reap: &Reap, now: Now) -> Result<Reaped, StoreError> {
        reap.check()?;
        let touched = Touched::default();
        self.shared.apply(tenant, now, &touched, |state, now| state.reap(reap, now)).map(|(answer, _)| answer)
    }

    async fn tenants(&self) -> Result<Vec<StoreName>, StoreError> {
        Ok(self.shared.book.lock().tenants.keys().cloned().collect())
    }
}

#[async_trait]
impl Accounts for Embedded {
    async fn account(&self, tenant: &StoreName, name: &AccountName) -> Result<Option<Account>, StoreError> {
        let book = self.shared.book.lock();
        Ok(book.tenants.get(tenant).and_then(|state| state.accounts.get(name)).copied())
    }

    async fn accounts(
        &self,
        tenant: &StoreName,
        after: Option<&AccountName>,
        count_max: usize,
    ) -> Result<Vec<(AccountName, Account)>, StoreError> {
        let book = self.shared.book.lock();
        let Some(state) = book.tenants.get(tenant) else { return Ok(Vec::new()) };
        let own = |(name, account): (&AccountName, &Account)| (name.clone(), *account);
        Ok(match after {
            Some(after) => state.accounts.after(after).take(count_max).map(own).collect(),
            None => state.accounts.iter().take(count_max).map(own).collect(),
        })
    }

    async fn set_limit(&self, tenant: &StoreName, set: &SetLimit, now: Now) -> Result<Change, StoreError> {
        let touched = Touched::default();
        let (answer, through) = self.shared.apply(tenant, now, &touched, |state, now| state.set_limit(set, now))?;
        self.shared.acknowledge(through).await?;
        Ok(answer)
    }

    async fn credit(&self, tenant: &StoreName, credit: &Credit, now: Now) -> Result<Change, StoreError> {
        let touched = Touched::default();
        let (answer, through) = self.shared.apply(tenant, now, &touched, |state, now| state.credit(credit, now))?;
        self.shared.acknowledge(through).await?;
        Ok(answer)
    }

    async fn drop_past(&self, tenant: &StoreName, drop: &DropPast, now: Now) -> Result<Dropped, StoreError> {
        drop.check()?;
        let touched = Touched::default();
        self.shared.apply(tenant, now, &touched, |state, now| state.drop_past(drop, now)).map(|(answer, _)| answer)
    }
}

#[async_trait]
impl Entries for Embedded {
    async fn head(&self, tenant: &StoreName) -> Result<Head, StoreError> {
        Ok(self.shared.book.lock().tenants.get(tenant).map(|state| state.head.clone()).unwrap_or_default())
    }

    async fn entries(&self, tenant: &StoreName, after: u64, count_max: usize) -> Result<Vec<Entry>, StoreError> {
        let key = |version: u64| row_key(tenant, RowKind::Entry, &version.to_be_bytes());
        let book = self.shared.book.lock();
        let archived = book.tenants.get(tenant).map_or(0, |state| state.archived.version);
        let (from, to) = (key(after.max(archived).saturating_add(1)), key(u64::MAX));
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = self.shared.disk.range(&from, &to, count_max)?.into_iter().collect();
        for layer in book.storing.as_deref().into_iter().chain([&book.waiting]) {
            let fresh = layer.range(&from, &to).take(count_max);
            rows.extend(fresh.filter_map(|(key, value)| Some((key.to_vec(), value?.to_vec()))));
        }
        drop(book);
        let bad = |_| StoreError::Corrupt("a line of the ledger cannot be read".into());
        rows.into_values().take(count_max).map(|value| parse_value(&value).map_err(bad)).collect()
    }

    async fn archived(&self, tenant: &StoreName) -> Result<Head, StoreError> {
        Ok(self.shared.book.lock().tenants.get(tenant).map(|state| state.archived.clone()).unwrap_or_default())
    }

    /// The lines go with the checkpoint that remembers them as archived; until then nobody sees them any more.
    async fn trim(&self, tenant: &StoreName, through: &Head) -> Result<Trim, StoreError> {
        let line = self.entries(tenant, through.version.saturating_sub(1), 1).await?.into_iter().next();
        let (touched, no_time) = (Touched::default(), Now::At(0));
        let (answer, _) =
            self.shared.apply(tenant, no_time, &touched, |state, _| state.trim(through, line.as_ref()))?;
        self.shared.checkpoint()?;
        Ok(answer)
    }
}
