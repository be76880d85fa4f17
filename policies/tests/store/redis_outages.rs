//! Servers that stop, die and come back, and networks that lose answers.

use crate::fault_proxy::FaultProxy;
use crate::operations::*;
use crate::servers::{Program, Server, patient};
use raptorgate_policies::ledger::*;
use raptorgate_policies::store::redis::{BreakerOptions, RedisOptions, RedisStore};
use raptorgate_policies::store::{Accounts, Admissions, Applied, Entries, Settlements, StoreError};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Sends until there is an answer, as whoever keeps a journal does.
async fn until_answered<T, F: Future<Output = Result<T, StoreError>>>(mut send: impl FnMut() -> F) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match send().await {
            Ok(answer) => return answer,
            Err(error) => assert!(Instant::now() < end, "no answer: {error}"),
        }
        tokio::task::yield_now().await;
    }
}

async fn numbers(store: &RedisStore, base: &str) -> (i64, i64) {
    let account = store.account(&tenant(), &account(base)).await.unwrap().unwrap_or_default();
    (account.held.get(), account.spent.get())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_costs_a_few_time_outs_and_then_nothing() {
    let server = Server::start(Program::Redis);
    let breaker = BreakerOptions { pause_min: Duration::from_secs(3), ..BreakerOptions::default() };
    let times = RedisOptions { response_timeout: Duration::from_millis(200), ..RedisOptions::new(server.url()) };
    let store =
        RedisStore::new(&RedisOptions { breaker, connect_timeout: Duration::from_millis(200), ..times }).unwrap();
    until_answered(|| async { store.admit(&tenant(), &admit(0, vec![part("b", 1000, 10)]), after(0)).await }).await;
    server.signal("-STOP");
    let stopped = Instant::now();
    let mut errors = Vec::new();
    for number in 1..100 {
        let refused = store.admit(&tenant(), &admit(number, vec![part("b", 1000, 10)]), after(1)).await;
        errors.push(refused.unwrap_err());
    }
    assert!(stopped.elapsed() < Duration::from_millis(2500), "100 requests waited {:?}", stopped.elapsed());
    assert_eq!((errors[0].clone(), errors[0].applied()), (StoreError::Timeout, Applied::Unknown));
    assert_eq!(errors[50], StoreError::Unreachable);
    server.signal("-CONT");
    let again =
        until_answered(|| async { store.admit(&tenant(), &admit(1, vec![part("b", 1000, 10)]), after(2)).await });
    let Admission::Admitted(again) = again.await else { panic!("it was not let in") };
    assert!(again.again, "what timed out was applied when the server went on");
    assert_eq!(numbers(&store, "b").await, (20, 0), "and once only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_found_again_with_what_it_kept() {
    let mut server = Server::with(Program::Redis, &["--appendonly", "yes", "--appendfsync", "everysec"]);
    let store = server.store();
    for round in 0..3 {
        let admit = admit(round, vec![part("b", 1000, 10)]);
        until_answered(|| async { store.admit(&tenant(), &admit, after(1)).await }).await;
        server.kill();
        let refused = store.head(&tenant()).await.unwrap_err();
        assert!(matches!(refused, StoreError::Disconnected | StoreError::Unreachable), "{refused}");
        server.start_again();
        let again = until_answered(|| async { store.admit(&tenant(), &admit, after(2)).await }).await;
        let Admission::Admitted(again) = again else { panic!("{again:?}") };
        assert!(again.again, "a killed process loses nothing that it answered");
    }
    assert_eq!(numbers(&store, "b").await, (30, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_an_older_dataset_asks_for_what_it_lost() {
    let mut server = Server::start(Program::Redis);
    let store = server.store();
    let marked = |number: u64| Settle {
        mark: Some(Mark { gateway: name("g"), sequence: number, previous: number - 1 }),
        ..settle(number.into(), number as i64, &["b"])
    };
    let sent = |from, to| endings((from..=to).map(marked).collect());
    store.finish(&tenant(), &sent(1, 4), after(1)).await.unwrap();
    server.ask::<String>(&["SAVE"]).unwrap();
    store.finish(&tenant(), &sent(5, 10), after(2)).await.unwrap();
    assert_eq!(numbers(&store, "b").await, (0, 55));
    server.kill();
    server.start_again();
    let next = store.finish(&tenant(), &sent(11, 11), after(3)).await.unwrap();
    assert_eq!(next, [Settlement::Gap { have: 4 }]);
    assert_eq!(numbers(&store, "b").await, (0, 10), "nothing is taken before what was lost is there");
    let again = store.finish(&tenant(), &sent(5, 11), after(4)).await.unwrap();
    assert!(again.iter().all(|settlement| matches!(settlement, Settlement::Done { .. })), "{again:?}");
    let all = store.finish(&tenant(), &sent(1, 11), after(5)).await.unwrap();
    assert!(all.iter().all(|settlement| matches!(settlement, Settlement::Duplicate(_))), "{all:?}");
    assert_eq!(numbers(&store, "b").await, (0, 66));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_request_after_a_restart_is_answered() {
    let mut server = Server::with(Program::Redis, &["--appendonly", "yes", "--appendfsync", "always"]);
    let store = server.store();
    store.admit(&tenant(), &admit(0, vec![part("b", 1000, 10)]), after(1)).await.unwrap();
    server.kill();
    server.start_again();
    assert_eq!(store.head(&tenant()).await.unwrap().version, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_is_not_stormed() {
    let server = Server::start(Program::Redis);
    let proxy = FaultProxy::start(server.port).await;
    let store = Arc::new(RedisStore::new(&patient(proxy.url())).unwrap());
    for _ in 0..3 {
        let before = proxy.faults.connections.load(Ordering::SeqCst);
        let many = (0..300).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.head(&tenant()).await })
        });
        for one in many.collect::<Vec<_>>() {
            one.await.unwrap().unwrap();
        }
        assert_eq!(proxy.faults.connections.load(Ordering::SeqCst) - before, 1);
        proxy.faults.lose.store(2, Ordering::SeqCst);
        assert_eq!(store.head(&tenant()).await, Err(StoreError::Disconnected));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_is_lost_is_no_second_charge() {
    let server = Server::start(Program::Redis);
    let proxy = FaultProxy::start(server.port).await;
    let options = RedisOptions { response_timeout: Duration::from_millis(500), ..patient(proxy.url()) };
    let breaker = BreakerOptions { failures_max: u32::MAX, ..BreakerOptions::default() };
    let store = RedisStore::new(&RedisOptions { breaker, ..options }).unwrap();
    let (mut unknown, count) = (0, 60);
    for number in 0..count {
        match number % 4 {
            // in one: the store sends again by itself; in two: its caller does
            0 => proxy.faults.lose.store(1, Ordering::SeqCst),
            1 => proxy.faults.lose.store(2, Ordering::SeqCst),
            2 if number < 12 => proxy.faults.swallow.store(true, Ordering::SeqCst),
            _ => {}
        }
        let admit = Admit { keys: vec![key_use(number as u8, None)], ..admit(number, vec![part("b", 1_000_000, 10)]) };
        let ending = Settle {
            mark: Some(Mark { gateway: name("g"), sequence: number as u64 + 1, previous: number as u64 }),
            ..settle(number, 7, &["b"])
        };
        until_answered(|| async { store.admit(&tenant(), &admit, after(1)).await.inspect_err(|e| mend(&proxy, e)) })
            .await;
        proxy.faults.lose.store((number % 3) as u32, Ordering::SeqCst);
        let settles = endings(vec![ending]);
        let done = until_answered(|| async {
            store.finish(&tenant(), &settles, after(2)).await.inspect_err(|error| mend(&proxy, error))
        });
        match done.await[0] {
            Settlement::Done { .. } => {}
            Settlement::Duplicate(_) => unknown += 1,
            Settlement::Gap { have } => panic!("a gap after {have}"),
        }
    }
    assert!(unknown >= 20, "{unknown} answers were lost: too few to prove anything");
    assert_eq!(numbers(&store, "b").await, (0, 7 * count as i64));
    let lines = store.entries(&tenant(), 0, 1000).await.unwrap();
    assert_eq!(lines.len(), 2 * count as usize, "each is held once and settled once");
}

/// A network that swallowed answers gives them again after the time-out was seen.
fn mend(proxy: &FaultProxy, error: &StoreError) {
    assert!(error.applied() == Applied::Unknown || *error == StoreError::Unreachable, "{error}");
    if *error == StoreError::Timeout {
        proxy.faults.swallow.store(false, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cannot_be_read_is_never_a_wrong_one() {
    let server = Server::start(Program::Redis);
    let proxy = FaultProxy::start(server.port).await;
    let store =
        RedisStore::new(&RedisOptions { response_timeout: Duration::from_secs(1), ..patient(proxy.url()) }).unwrap();
    store.admit(&tenant(), &admit(1, vec![part("b", 100, 60)]), after(1)).await.unwrap();
    let mut errors = 0;
    for byte in *b"!x:+-_#,(=%~>$*" {
        proxy.faults.spoil_with.store(byte.into(), Ordering::SeqCst);
        proxy.faults.spoil.store(2, Ordering::SeqCst);
        for number in 2..6 {
            let refused = store.admit(&tenant(), &admit(number, vec![part("b", 100, 41)]), after(1)).await;
            match refused {
                Ok(Admission::Refused(Refusal::Budget { index: 0, available })) => {
                    assert_eq!(available, Nanos::new(40))
                }
                Ok(other) => panic!("{:?}: {other:?}", char::from(byte)),
                Err(_) => errors += 1,
            }
        }
        proxy.faults.spoil.store(0, Ordering::SeqCst);
        until_answered(|| async { store.head(&tenant()).await }).await;
        assert_eq!(numbers(&store, "b").await, (60, 0));
    }
    assert!(errors > 10, "{errors} errors: nothing was spoilt");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_to_another_question_is_not_taken() {
    let server = Server::start(Program::Redis);
    let proxy = FaultProxy::start(server.port).await;
    let store = RedisStore::new(&patient(proxy.url())).unwrap();
    for number in 0..10 {
        store.admit(&tenant(), &admit(number, vec![part("b", 1000, 10)]), after(1)).await.unwrap();
        let before = numbers(&store, "b").await;
        store.head(&tenant()).await.unwrap();
        assert_eq!(numbers(&store, "b").await, before);
        proxy.faults.repeat.store(1, Ordering::SeqCst);
        // of the same shape as the answer before, and another one
        let other = store.account(&tenant(), &account("c")).await;
        assert!(matches!(other, Err(StoreError::Corrupt(_))), "{other:?}");
        assert_eq!(store.account(&tenant(), &account("c")).await, Ok(None), "the connection is another one");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_cannot_connect_wait_no_longer_than_one() {
    let server = Server::start(Program::Redis);
    let proxy = FaultProxy::start(server.port).await;
    proxy.faults.swallow.store(true, Ordering::SeqCst);
    let breaker = BreakerOptions { failures_max: u32::MAX, ..BreakerOptions::default() };
    let options =
        RedisOptions { connect_timeout: Duration::from_millis(400), breaker, ..RedisOptions::new(proxy.url()) };
    let store = Arc::new(RedisStore::new(&options).unwrap());
    let started = Instant::now();
    let many = (0..50).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.head(&tenant()).await })
    });
    for one in many.collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap(), Err(StoreError::Unreachable));
    }
    assert!(started.elapsed() < Duration::from_secs(3), "50 waited {:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_at_once_over_four_clients_with_room_for_seven_hundred() {
    for program in [Program::Redis, Program::Valkey] {
        let server = Server::start(program);
        let clients: Vec<Arc<RedisStore>> = (0..4).map(|_| Arc::new(server.store())).collect();
        let tasks = (0..1000_u128).map(|number| {
            let store = clients[number as usize % 4].clone();
            tokio::spawn(async move {
                let parts = vec![part("user", 7000, 10), part("tenant", 9000, 10)];
                let admission = store.admit(&tenant(), &admit(number, parts), after(1)).await.unwrap();
                let admitted = matches!(admission, Admission::Admitted(_));
                for _ in 0..if admitted { 2 } else { 0 } {
                    store.finish(&tenant(), &endings(vec![settle(number, 10, &[])]), after(2)).await.unwrap();
                }
                admitted
            })
        });
        let mut admitted = 0;
        for task in tasks.collect::<Vec<_>>() {
            admitted += usize::from(task.await.unwrap());
        }
        assert_eq!(admitted, 700, "{program:?}");
        assert_eq!(numbers(&clients[0], "user").await, (0, 7000));
        assert_eq!(numbers(&clients[1], "tenant").await, (0, 7000));
    }
}
