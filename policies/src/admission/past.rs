//! Goes through the accounts of all tenants, again and again, and lets the store drop those of windows that are long over.
//!
//! # Invariants
//! * What one call does is bounded, however many tenants and accounts there are (`a_sweep_is_made_in_small_steps`).

use crate::ledger::{AccountName, DropPast, LOOKED_MAX, StoreName};
use crate::store::{Now, Store};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long an account stays after its window is over. A cost may come as late as its request ends, plus lease and grace of
/// its hold, plus however long its gateway could not tell the store: beyond a month nobody waits for one. If it comes all the same
/// it is charged, to an account made anew.
pub const ACCOUNT_GRACE: Duration = Duration::from_secs(35 * 86_400);

/// Accounts are gone through so often at most: a window that is over for five weeks can wait an hour.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Looks at the store in one call: 8,000 accounts, of which 512 may go.
const STEPS_MAX: usize = 16;

/// How far it has come.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    began: Option<Instant>,
    tenants: VecDeque<StoreName>,
    after: Option<AccountName>,
}

impl Sweep {
    /// Some steps further; does nothing while it is too early to begin again.
    pub async fn go_on(&mut self, store: &dyn Store, now: Instant) {
        if self.tenants.is_empty() {
            if self.began.is_some_and(|began| now.duration_since(began) < SWEEP_EVERY) {
                return;
            }
            // a store that cannot be asked now is asked at the next call
            let Ok(tenants) = store.tenants().await else { return };
            (self.began, self.tenants, self.after) = (Some(now), tenants.into(), None);
        }
        for _ in 0..STEPS_MAX {
            let Some(tenant) = self.tenants.front() else { return };
            self.after = step(store, tenant, self.after.take()).await;
            if self.after.is_none() {
                self.tenants.pop_front();
            }
        }
    }
}

/// One look; behind which account to go on.
async fn step(store: &dyn Store, tenant: &StoreName, after: Option<AccountName>) -> Option<AccountName> {
    let drop = DropPast { after, looked_max: LOOKED_MAX, grace_micros: super::micros(ACCOUNT_GRACE) };
    match store.drop_past(tenant, &drop, Now::Store).await {
        Ok(dropped) => {
            if dropped.count > 0 {
                tracing::info!(%tenant, accounts = dropped.count, "accounts of windows that are long over were dropped");
            }
            dropped.next
        }
        Err(error) => {
            tracing::warn!(class = error.class(), "the store could not drop accounts of windows that are over");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Credit, CreditKind, Nanos, Note};
    use crate::store::Accounts;
    use crate::store::embedded::{Embedded, EmbeddedOptions};

    async fn top_up(store: &Embedded, tenant: &StoreName, base: &str, window: &str) {
        let account = AccountName { base: StoreName::of(&[base]), window: StoreName::of(&[window]) };
        let name = StoreName::of(&[base, window]);
        let credit = Credit { name, account, kind: CreditKind::TopUp, amount: Nanos::new(1), note: Note::default() };
        store.credit(tenant, &credit, Now::Store).await.unwrap();
    }

    #[tokio::test]
    async fn a_sweep_is_made_in_small_steps() {
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(folder.path(), EmbeddedOptions::default()).unwrap();
        let tenants: Vec<StoreName> = (0..20).map(|n| StoreName::of(&[&format!("t{n:02}")])).collect();
        for tenant in &tenants {
            for n in 0..40 {
                top_up(&store, tenant, &format!("b{n}"), "2020-01").await;
            }
            top_up(&store, tenant, "b", "total").await;
        }
        let left = async || {
            let mut left = Vec::new();
            for tenant in &tenants {
                left.push(store.accounts(tenant, None, 100).await.unwrap().len());
            }
            left
        };
        let (mut sweep, mut now) = (Sweep::default(), Instant::now());
        sweep.go_on(&store, now).await;
        assert_eq!(left().await.iter().filter(|count| **count == 1).count(), STEPS_MAX / 2, "two looks at each");
        for _ in 0..2 {
            sweep.go_on(&store, now).await;
        }
        assert_eq!(left().await, [1; 20], "all are gone but those without end");
        top_up(&store, &tenants[0], "b", "2020-02").await;
        now += SWEEP_EVERY - Duration::from_secs(1);
        sweep.go_on(&store, now).await;
        assert_eq!(left().await[0], 2, "it is too early");
        now += Duration::from_secs(1);
        sweep.go_on(&store, now).await;
        assert_eq!(left().await[0], 1);
    }
}
