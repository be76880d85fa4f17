//! What every store must do, each law a function of a store that holds nothing yet.

pub mod accounts;
pub mod admissions;
pub mod endings;
pub mod entries;
pub mod keys;
pub mod limits;

use crate::operations::*;
use raptorgate_policies::ledger::*;
use raptorgate_policies::store::{Now, Store};

/// What is held and spent in an account of the tenant.
async fn numbers(store: &dyn Store, base: &str) -> (i64, i64) {
    let account = store.account(&tenant(), &account(base)).await.unwrap().unwrap_or_default();
    (account.held.get(), account.spent.get())
}

/// Admits, and says so if it was let in.
async fn let_in(store: &dyn Store, admit: &Admit, now: Now) -> Admitted {
    match store.admit(&tenant(), admit, now).await.unwrap() {
        Admission::Admitted(admitted) => admitted,
        other => panic!("{} was not let in: {other:?}", admit.id),
    }
}

/// Settles one.
async fn settle_one(store: &dyn Store, settle: Settle, now: Now) -> Settlement {
    store.finish(&tenant(), &endings_of(settle), now).await.unwrap().remove(0)
}

fn endings_of(settle: Settle) -> Vec<raptorgate_policies::store::Ending> {
    endings(vec![settle])
}

/// Voids one.
async fn void_one(store: &dyn Store, void: Void, now: Now) -> Settlement {
    store.finish(&tenant(), &[raptorgate_policies::store::Ending::Void(void)], now).await.unwrap().remove(0)
}

fn budget(index: usize, available: i64) -> Admission {
    Admission::Refused(Refusal::Budget { index, available: Nanos::new(available) })
}
