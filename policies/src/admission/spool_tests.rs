//! Laws of the spool, with a store in memory that can fail, forget and be set back.

use super::*;
use crate::admission::Keeper;
use crate::ledger::*;
use crate::store::{Accounts, Admissions, Entries, Settlements};
use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A store that loses what it was told, as a server does that is restored from an older state.
#[derive(Default)]
struct Remote {
    state: Mutex<TenantState>,
    down: AtomicBool,
    /// Answers are lost after the operation.
    deaf: AtomicBool,
}

impl Remote {
    fn apply<T>(&self, operation: impl FnOnce(&mut TenantState) -> T) -> Result<T, StoreError> {
        if self.down.load(Relaxed) {
            return Err(StoreError::Unreachable);
        }
        let answer = operation(&mut self.state.lock());
        if self.deaf.load(Relaxed) { Err(StoreError::Timeout) } else { Ok(answer) }
    }
}

#[async_trait]
impl Admissions for Remote {
    async fn admit(&self, _: &StoreName, admit: &Admit, _: Now) -> Result<Admission, StoreError> {
        self.apply(|state| state.admit(admit, 1))
    }
    async fn dispatch(&self, _: &StoreName, dispatch: &Dispatch) -> Result<Clearance, StoreError> {
        self.apply(|state| state.dispatch(dispatch))
    }
    async fn extend(&self, _: &StoreName, extend: &Extend, _: Now) -> Result<Extension, StoreError> {
        self.apply(|state| state.extend(extend, 1))
    }
    async fn renew(&self, _: &StoreName, renew: &Renew, _: Now) -> Result<Renewal, StoreError> {
        self.apply(|state| state.renew(renew, 1))
    }
    async fn key(&self, _: &StoreName, key: &KeyUse, _: Now) -> Result<Option<KeyAnswer>, StoreError> {
        self.apply(|state| state.key(key, 1))
    }
}

#[async_trait]
impl Settlements for Remote {
    async fn finish(&self, _: &StoreName, endings: &[Ending], _: Now) -> Result<Vec<Settlement>, StoreError> {
        let one = |state: &mut TenantState, ending: &Ending| match ending {
            Ending::Settle(settle) => state.settle(settle, 1),
            Ending::Void(void) => state.void(void, 1),
        };
        self.apply(|state| endings.iter().map(|ending| one(state, ending)).collect())
    }
    async fn reap(&self, _: &StoreName, reap: &Reap, _: Now) -> Result<Reaped, StoreError> {
        self.apply(|state| state.reap(reap, 1))
    }
    async fn tenants(&self) -> Result<Vec<StoreName>, StoreError> {
        Ok(vec![tenant()])
    }
}

#[async_trait]
impl Accounts for Remote {
    async fn account(&self, _: &StoreName, name: &AccountName) -> Result<Option<Account>, StoreError> {
        self.apply(|state| state.accounts.get(name).copied())
    }
    async fn accounts(
        &self,
        _: &StoreName,
        _: Option<&AccountName>,
        _: usize,
    ) -> Result<Vec<(AccountName, Account)>, StoreError> {
        Err(StoreError::Closed)
    }
    async fn set_limit(&self, _: &StoreName, set: &SetLimit, _: Now) -> Result<Change, StoreError> {
        self.apply(|state| state.set_limit(set, 1))
    }
    async fn credit(&self, _: &StoreName, credit: &Credit, _: Now) -> Result<Change, StoreError> {
        self.apply(|state| state.credit(credit, 1))
    }
    async fn drop_past(&self, _: &StoreName, drop: &DropPast, _: Now) -> Result<Dropped, StoreError> {
        self.apply(|state| state.drop_past(drop, 1))
    }
}

#[async_trait]
impl Entries for Remote {
    async fn head(&self, _: &StoreName) -> Result<Head, StoreError> {
        self.apply(|state| state.head.clone())
    }
    async fn entries(&self, _: &StoreName, _: u64, _: usize) -> Result<Vec<Entry>, StoreError> {
        self.apply(|state| state.entries.clone())
    }
    async fn archived(&self, _: &StoreName) -> Result<Head, StoreError> {
        self.apply(|state| state.archived.clone())
    }
    async fn trim(&self, _: &StoreName, _: &Head) -> Result<Trim, StoreError> {
        Err(StoreError::Closed)
    }
}

fn tenant() -> StoreName {
    StoreName::of(&["acme"])
}

fn account() -> AccountName {
    AccountName { base: StoreName::of(&["b"]), window: StoreName::of(&["w"]) }
}

fn settle(id: u128, charge: i64) -> Ending {
    Ending::Settle(Settle {
        id: LedgerId::from_u128(id),
        charge: Nanos::new(charge),
        accounts: vec![account()],
        certainty: Certainty::Exact,
        rates: vec![],
        keys: vec![],
        waste: vec![],
        mark: None,
        note: Note::default(),
    })
}

fn spent(remote: &Remote) -> i64 {
    remote.state.lock().accounts.get(&account()).map_or(0, |account| account.spent.get())
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[test]
fn endings_survive_the_death_of_gateway_and_store() {
    let folder = tempfile::tempdir().unwrap();
    let remote = Arc::new(Remote::default());
    let mut total = 0;
    for round in 0..6_u32 {
        let spool = Spool::open(folder.path(), remote.clone()).unwrap();
        block_on(spool.send_all()).unwrap();
        assert_eq!((spool.untold(), spent(&remote)), (0, total), "round {round}");
        // in some rounds nobody hears, in some what is heard is not answered
        remote.down.store(round % 3 == 1, Relaxed);
        remote.deaf.store(round % 3 == 2, Relaxed);
        for n in 0..300 {
            spool.put(&tenant(), settle(u128::from(round) * 1000 + n, 7)).unwrap();
            total += 7;
            if n % 50 == 49 {
                let sent = block_on(spool.send_all());
                assert_eq!(sent.is_ok(), round % 3 == 0, "{sent:?}");
            }
        }
        remote.down.store(false, Relaxed);
        remote.deaf.store(false, Relaxed);
        // the process ends without a word
    }
    let spool = Spool::open(folder.path(), remote.clone()).unwrap();
    block_on(spool.send_all()).unwrap();
    assert_eq!(spent(&remote), total);
}

#[test]
fn a_store_that_was_set_back_is_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let remote = Arc::new(Remote::default());
    let spool = Spool::open(folder.path(), remote.clone()).unwrap();
    let put = |spool: &Spool, ids: std::ops::Range<u128>| {
        ids.for_each(|id| {
            spool.put(&tenant(), settle(id, 5)).unwrap();
        });
        block_on(spool.send_all())
    };
    put(&spool, 0..100).unwrap();
    let older = remote.state.lock().clone();
    put(&spool, 100..700).unwrap();
    *remote.state.lock() = older.clone();
    put(&spool, 700..701).unwrap();
    assert_eq!(spent(&remote), 701 * 5);
    // and over a restart of the gateway, which then knows of nothing that waits
    drop(spool);
    *remote.state.lock() = older;
    let spool = Spool::open(folder.path(), remote.clone()).unwrap();
    put(&spool, 701..703).unwrap();
    assert_eq!(spent(&remote), 703 * 5);
    assert_eq!(spool.untold(), 0);
    let charged = remote.state.lock().finished.len();
    assert_eq!(charged, 703, "each once");
}

#[test]
fn a_full_spool_lets_nobody_in() {
    let folder = tempfile::tempdir().unwrap();
    let remote = Arc::new(Remote::default());
    remote.down.store(true, Relaxed);
    let spool = Arc::new(Spool::open(folder.path(), remote.clone()).unwrap());
    let keeper = Keeper::with_spool(remote.clone(), spool.clone(), Duration::ZERO);
    for id in 0..UNTOLD_MAX as u128 {
        block_on(keeper.finish(&tenant(), settle(id, 1)));
    }
    assert_eq!((keeper.figures().open, keeper.figures().untold), (0, UNTOLD_MAX));
    remote.down.store(false, Relaxed);
    let plan = crate::admission::tests::one_budget();
    let prepared = Arc::new(crate::admission::tests::prepare_one(&plan));
    assert_eq!(block_on(keeper.admit(&prepared)), Err(StoreError::Unreachable));
    block_on(spool.send_all()).unwrap();
    assert!(block_on(keeper.admit(&prepared)).is_ok());
    assert_eq!(spent(&remote), UNTOLD_MAX as i64);
}

#[test]
fn a_second_gateway_needs_a_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let first = Spool::open(folder.path(), Arc::new(Remote::default())).unwrap();
    let second = Spool::open(folder.path(), Arc::new(Remote::default())).map(drop);
    assert!(matches!(second, Err(SpoolError::InUse(_))), "{second:?}");
    let name = first.gateway.clone();
    drop(first);
    assert_eq!(Spool::open(folder.path(), Arc::new(Remote::default())).unwrap().gateway, name);
}

#[test]
fn a_synchronous_end_waits_for_the_store_and_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let remote = Arc::new(Remote::default());
    let spool = Arc::new(Spool::open(folder.path(), remote.clone()).unwrap());
    let keeper = Keeper::with_spool(remote.clone(), spool.clone(), Duration::from_millis(50));
    block_on(async {
        let ends = async |id| keeper.finish(&tenant(), settle(id, 1)).await;
        tokio::select! { () = ends(1) => assert_eq!(spent(&remote), 1, "the store has it"), () = spool.run() => {} }
        remote.down.store(true, Relaxed);
        tokio::select! { () = ends(2) => assert_eq!(spool.untold(), 1, "the journal has it"), () = spool.run() => {} }
        remote.down.store(false, Relaxed);
        spool.send_all().await.unwrap();
        assert_eq!(spent(&remote), 2);
    });
}

#[test]
fn a_store_that_was_set_back_is_told_again_by_an_idle_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let remote = Arc::new(Remote::default());
    let spool = Spool::open(folder.path(), remote.clone()).unwrap();
    let put = |ids: std::ops::Range<u128>| {
        ids.for_each(|id| drop(spool.put(&tenant(), settle(id, 5))));
        block_on(spool.send_all()).unwrap();
    };
    put(0..10);
    let older = remote.state.lock().clone();
    put(10..20);
    let lines = remote.state.lock().entries.len();
    block_on(spool.probe(Instant::now() + PROBED_AFTER));
    assert_eq!((spool.untold(), remote.state.lock().entries.len()), (0, lines), "a store that has all is only asked");
    *remote.state.lock() = older;
    block_on(spool.probe(Instant::now() + PROBED_AFTER));
    assert_eq!(spool.untold(), 0, "it was asked just now");
    block_on(spool.probe(Instant::now() + 3 * PROBED_AFTER));
    block_on(spool.send_all()).unwrap();
    assert_eq!((spool.untold(), spent(&remote)), (0, 100));
}
