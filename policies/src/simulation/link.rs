//! A gateway's connection to the server: a call takes its time, and what becomes of it is the server's to say.

use super::server::{Answer, Op, Server};
use crate::ledger::*;
use crate::store::{Accounts, Admissions, Ending, Entries, Now, Settlements, StoreError};
use async_trait::async_trait;
use parking_lot::Mutex;
use std::sync::Arc;
use std::task::Poll;

/// Lets others go on for so many steps.
pub async fn pause(mut steps: u8) {
    std::future::poll_fn(|_| {
        steps = steps.saturating_sub(1);
        if steps == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A gateway's connection to the server.
pub struct Link(pub Arc<Mutex<Server>>);

impl Link {
    /// Somebody may go on, or die, before the server hears of it and before the answer is heard.
    async fn on_its_way(&self) {
        let steps = {
            let mut server = self.0.lock();
            if server.healthy { 0 } else { server.rng.u8(..4) }
        };
        pause(steps).await;
    }

    async fn call(&self, tenant: &StoreName, op: Op) -> Result<Answer, StoreError> {
        self.on_its_way().await;
        let answer = self.0.lock().deliver(tenant, op);
        self.on_its_way().await;
        answer
    }
}

macro_rules! expect {
    ($answer:expr, $kind:ident) => {
        match $answer? {
            Answer::$kind(answer) => Ok(answer),
            other => unreachable!("{other:?}"),
        }
    };
}

#[async_trait]
impl Admissions for Link {
    async fn admit(&self, tenant: &StoreName, admit: &Admit, _: Now) -> Result<Admission, StoreError> {
        admit.check()?;
        expect!(self.call(tenant, Op::Admit(admit.clone())).await, Admission)
    }
    async fn dispatch(&self, tenant: &StoreName, dispatch: &Dispatch) -> Result<Clearance, StoreError> {
        expect!(self.call(tenant, Op::Dispatch(dispatch.clone())).await, Clearance)
    }
    async fn extend(&self, _: &StoreName, _: &Extend, _: Now) -> Result<Extension, StoreError> {
        Err(StoreError::Closed)
    }
    async fn renew(&self, tenant: &StoreName, renew: &Renew, _: Now) -> Result<Renewal, StoreError> {
        expect!(self.call(tenant, Op::Renew(renew.clone())).await, Renewal)
    }
    async fn key(&self, _: &StoreName, _: &KeyUse, _: Now) -> Result<Option<KeyAnswer>, StoreError> {
        Err(StoreError::Closed)
    }
}

#[async_trait]
impl Settlements for Link {
    /// Many in one round trip: of those behind one that failed some may have been done.
    async fn finish(&self, tenant: &StoreName, endings: &[Ending], _: Now) -> Result<Vec<Settlement>, StoreError> {
        self.on_its_way().await;
        let mut answers = Vec::new();
        let mut failed = None;
        for ending in endings {
            let answer = self.0.lock().deliver(tenant, Op::Finish(ending.clone()));
            match answer {
                Ok(Answer::Settlement(settlement)) if failed.is_none() => answers.push(settlement),
                Ok(_) => {}
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        self.on_its_way().await;
        match failed {
            Some(error) if answers.is_empty() => Err(error),
            _ => Ok(answers),
        }
    }
    async fn reap(&self, tenant: &StoreName, reap: &Reap, _: Now) -> Result<Reaped, StoreError> {
        expect!(self.call(tenant, Op::Reap(*reap)).await, Reaped)
    }
    async fn tenants(&self) -> Result<Vec<StoreName>, StoreError> {
        Ok(self.0.lock().tenants.keys().cloned().collect())
    }
}

#[async_trait]
impl Accounts for Link {
    async fn account(&self, _: &StoreName, _: &AccountName) -> Result<Option<Account>, StoreError> {
        Err(StoreError::Closed)
    }
    async fn accounts(
        &self,
        _: &StoreName,
        _: Option<&AccountName>,
        _: usize,
    ) -> Result<Vec<(AccountName, Account)>, StoreError> {
        Err(StoreError::Closed)
    }
    async fn set_limit(&self, _: &StoreName, _: &SetLimit, _: Now) -> Result<Change, StoreError> {
        Err(StoreError::Closed)
    }
    async fn credit(&self, _: &StoreName, _: &Credit, _: Now) -> Result<Change, StoreError> {
        Err(StoreError::Closed)
    }
    async fn drop_past(&self, _: &StoreName, _: &DropPast, _: Now) -> Result<Dropped, StoreError> {
        Err(StoreError::Closed)
    }
}

#[async_trait]
impl Entries for Link {
    async fn head(&self, _: &StoreName) -> Result<Head, StoreError> {
        Err(StoreError::Closed)
    }
    async fn entries(&self, _: &StoreName, _: u64, _: usize) -> Result<Vec<Entry>, StoreError> {
        Err(StoreError::Closed)
    }
    async fn archived(&self, _: &StoreName) -> Result<Head, StoreError> {
        Err(StoreError::Closed)
    }
    async fn trim(&self, _: &StoreName, _: &Head) -> Result<Trim, StoreError> {
        Err(StoreError::Closed)
    }
}
