//! What is in memory: the tenants' state machines, and what changed since the last checkpoint.

use super::disk::{Disk, finish_key};
use super::layer::Layer;
use crate::ledger::tenant::rows::{Row, RowKind, parse_key, row_key};
use crate::ledger::tenant::{KeyState, TenantState};
use crate::ledger::{KeyHash, LedgerId, StoreName};
use crate::store::StoreError;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long it is kept in memory how a request ended, in milliseconds; later it is looked up.
const FINISHED_MILLIS: u64 = 600_000;

#[derive(Debug, Default)]
pub(super) struct Book {
    pub tenants: BTreeMap<StoreName, TenantState>,
    pub waiting: Layer,
    pub storing: Option<Arc<Layer>>,
    /// Requests that ended before are not in memory.
    pub horizon_millis: u64,
    pub broken: Option<String>,
    pub closed: bool,
}

/// What an operation may ask for that memory may not hold.
#[derive(Default)]
pub(super) struct Touched<'a> {
    pub id: Option<LedgerId>,
    pub keys: Vec<&'a KeyHash>,
    pub reply_bytes: usize,
    /// Refused while changes cannot be stored.
    pub is_new_work: bool,
}

/// One operation in the journal.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Record {
    pub at: u64,
    pub rows: Vec<Row>,
}

impl Book {
    pub fn restore(
        &mut self,
        tenant: StoreName,
        kind: RowKind,
        inner: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let state = self.tenants.entry(tenant).or_default();
        state.put_row(kind, inner, value).map_err(|bad| StoreError::Corrupt(bad.to_string()))
    }

    pub fn replay(&mut self, record: Record, through: u64) -> Result<(), StoreError> {
        for (key, value) in &record.rows {
            let (tenant, kind, inner) = parse_key(key).map_err(|bad| StoreError::Corrupt(bad.to_string()))?;
            self.restore(tenant, kind, inner, value.as_deref())?;
        }
        record.rows.into_iter().for_each(|row| self.waiting.put(row));
        (self.waiting.through, self.waiting.at) = (through, self.waiting.at.max(record.at));
        Ok(())
    }

    /// A row that is not in memory, unless it is known that there is none.
    fn look_up(&self, disk: &Disk, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(value) = self.waiting.get(key).or_else(|| self.storing.as_ref()?.get(key)) {
            return Ok(value.map(<[u8]>::to_vec));
        }
        disk.get(key)
    }

    /// Brings into memory what an operation may ask for and memory does not hold.
    pub fn recall(&mut self, disk: &Disk, tenant: &StoreName, touched: &Touched<'_>) -> Result<(), StoreError> {
        let bad = |_| StoreError::Corrupt("a row of the checkpoint cannot be read".into());
        let state = self.tenants.get(tenant);
        let known = |id: &LedgerId| state.is_some_and(|s| s.holds.get(id).is_some() || s.finished.get(id).is_some());
        let ids = touched.id.filter(|id| id.millis() <= self.horizon_millis && !known(id));
        let keys = touched.keys.iter().copied().filter(|key| state.is_none_or(|s| s.keys.get(*key).is_none()));
        let mut wanted: Vec<Vec<u8>> = ids.map(|id| finish_key(tenant, id)).into_iter().collect();
        wanted.extend(keys.map(|key| row_key(tenant, RowKind::Key, key)));
        for key in wanted {
            if let Some(value) = self.look_up(disk, &key)? {
                let (tenant, kind, inner) = parse_key(&key).map_err(bad)?;
                self.restore(tenant, kind, inner, Some(&value))?;
            }
        }
        Ok(())
    }

    /// Lets go of what a checkpoint has stored and nobody will ask for soon.
    pub fn forget(&mut self, now: u64) {
        self.horizon_millis = (now / 1000).saturating_sub(FINISHED_MILLIS).max(self.horizon_millis);
        for state in self.tenants.values_mut() {
            let old = |id: &LedgerId| id.millis() <= self.horizon_millis;
            let ended: Vec<LedgerId> = state.finished.iter().map(|(id, _)| *id).take_while(old).collect();
            ended.iter().for_each(|id| state.finished.evict(id));
            let over = |state: &KeyState| match state {
                KeyState::Replied { .. } => true,
                KeyState::Unknown { until } => *until <= now,
                // whoever runs may still ask to be sent
                KeyState::Running { .. } => false,
            };
            let kept = state.keys.iter().filter(|(_, record)| over(&record.state));
            let kept: Vec<KeyHash> = kept.map(|(key, _)| *key).collect();
            kept.iter().for_each(|key| state.keys.evict(key));
            let resting: Vec<StoreName> =
                state.arrivals.iter().filter(|(_, arrival)| **arrival <= now).map(|(name, _)| name.clone()).collect();
            for name in resting {
                state.arrivals.remove(&name);
            }
        }
    }
}
