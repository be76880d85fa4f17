//! Each way in which a server refuses has its own error, and leaves nothing half done.

use crate::operations::*;
use crate::servers::{Program, Server, patient};
use raptorgate_policies::ledger::*;
use raptorgate_policies::store::redis::{BreakerOptions, RedisOptions, RedisStore};
use raptorgate_policies::store::{Accounts, Admissions, Applied, Entries, Settlements, StoreError};
use std::time::Duration;

/// A client that asks however often it was refused.
fn stubborn(url: String) -> RedisStore {
    let breaker = BreakerOptions { failures_max: u32::MAX, ..BreakerOptions::default() };
    RedisStore::new(&RedisOptions { breaker, ..patient(url) }).unwrap()
}

fn first() -> Admit {
    admit(1, vec![part("b", 100, 60)])
}

async fn admits(store: &RedisStore) -> Result<Admission, StoreError> {
    store.admit(&tenant(), &first(), after(1)).await
}

/// The fault, what it takes it away again, and that nothing was done in between.
async fn refuses(server: &Server, faulty: &[&[&str]], mended: &[&[&str]], class: &str) {
    let store = server.store();
    admits(&store).await.unwrap();
    for words in faulty {
        server.ask::<redis::Value>(words).unwrap();
    }
    let head = store.head(&tenant()).await.unwrap();
    let second = admit(2, vec![part("b", 100, 1)]);
    let refused = store.admit(&tenant(), &second, after(2)).await.unwrap_err();
    assert_eq!((refused.class(), refused.applied()), (class, Applied::No));
    let refused = store.finish(&tenant(), &endings(vec![settle(1, 5, &["b"])]), after(3)).await.unwrap_err();
    assert_eq!((refused.class(), refused.applied()), (class, Applied::No));
    assert_eq!(store.head(&tenant()).await.unwrap(), head);
    for words in mended {
        server.ask::<redis::Value>(words).unwrap();
    }
    let done = store.finish(&tenant(), &endings(vec![settle(1, 5, &["b"])]), after(4)).await.unwrap();
    assert_eq!(done, [charged(5, Timing::InTime)], "what was refused is done later");
}

async fn on_both(faulty: &[&[&str]], mended: &[&[&str]], class: &str) {
    for program in [Program::Redis, Program::Valkey] {
        refuses(&Server::start(program), faulty, mended, class).await;
    }
}

#[tokio::test]
async fn scripts_that_were_flushed_are_brought_again() {
    let server = Server::start(Program::Redis);
    let store = server.store();
    let flush = || server.ask::<String>(&["SCRIPT", "FLUSH"]).unwrap();
    for number in 0..20 {
        flush();
        let admitted = store.admit(&tenant(), &admit(number, vec![part("b", 1000, 1)]), after(1)).await.unwrap();
        assert!(matches!(admitted, Admission::Admitted(_)));
    }
    flush();
    let settles = (0..10).map(|number| settle(number, number as i64, &["b"])).collect();
    let done = store.finish(&tenant(), &endings(settles), after(2)).await.unwrap();
    assert_eq!(done, (0..10).map(|charge| charged(charge, Timing::InTime)).collect::<Vec<_>>());
    flush();
    assert_eq!(store.accounts(&tenant(), None, 9).await.unwrap().len(), 1);
    assert_eq!(store.key(&tenant(), &key_use(1, None), after(3)).await.unwrap(), None);
}

#[tokio::test]
async fn a_replica_takes_no_writes() {
    let other = Server::start(Program::Redis);
    let server = Server::start(Program::Redis);
    let port = other.port.to_string();
    let store = server.store();
    admits(&store).await.unwrap();
    // its data is replaced by that of the primary; what matters is what it says
    server.ask::<String>(&["REPLICAOF", "127.0.0.1", &port]).unwrap();
    let refused = store.admit(&tenant(), &admit(2, vec![]), after(2)).await.unwrap_err();
    assert_eq!(refused, StoreError::ReadOnly);
    server.ask::<String>(&["REPLICAOF", "NO", "ONE"]).unwrap();
    assert!(store.admit(&tenant(), &admit(2, vec![]), after(2)).await.is_ok());
}

#[tokio::test]
async fn a_replica_without_its_primary_takes_no_writes() {
    let server = Server::with(Program::Redis, &["--replica-serve-stale-data", "no"]);
    let store = server.store();
    admits(&store).await.unwrap();
    // port 1: nobody there
    server.ask::<String>(&["REPLICAOF", "127.0.0.1", "1"]).unwrap();
    assert_eq!(admits(&store).await.unwrap_err(), StoreError::ReadOnly);
}

#[tokio::test]
async fn a_server_that_loads_its_data_says_so() {
    let slow = ["--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024"];
    let mut server = Server::with(Program::Redis, &[&slow[..], &["--appendonly", "no"]].concat());
    let store = stubborn(server.url());
    admits(&store).await.unwrap();
    server
        .ask::<i64>(&[
            "EVAL",
            "for i = 1, 1000 do redis.call('SET', 'x' .. i, string.rep('x', 2000)) end return 1",
            "0",
        ])
        .unwrap();
    server.ask::<String>(&["SAVE"]).unwrap();
    server.kill();
    server.start_again_without_waiting();
    let mut seen = Vec::new();
    let again = loop {
        match admits(&store).await {
            Ok(admission) => break admission,
            Err(error) => seen.push(error),
        }
    };
    assert!(seen.contains(&StoreError::Loading), "it answered at once");
    let Admission::Admitted(again) = again else { panic!("{again:?}") };
    assert!(again.again, "what was saved is there");
}

#[tokio::test]
async fn a_full_server_is_out_of_memory() {
    on_both(&[&["CONFIG", "SET", "maxmemory", "1"]], &[&["CONFIG", "SET", "maxmemory", "0"]], "out_of_memory").await;
}

#[tokio::test]
async fn a_server_without_its_replicas_is_not_durable() {
    let set = |value: &'static str| ["CONFIG", "SET", "min-replicas-to-write", value];
    on_both(&[&set("1")], &[&set("0")], "not_durable").await;
}

#[tokio::test]
async fn a_server_that_cannot_save_is_not_durable() {
    let server = Server::start(Program::Redis);
    // a folder stands where its file would
    std::fs::create_dir(server.folder.path().join("dump.rdb")).unwrap();
    server.ask::<String>(&["CONFIG", "SET", "save", "3600 1"]).unwrap();
    server.ask::<String>(&["BGSAVE"]).unwrap();
    while !server.ask::<String>(&["INFO", "persistence"]).unwrap().contains("rdb_last_bgsave_status:err") {
        tokio::task::yield_now().await;
    }
    refuses_once(&server, StoreError::NotDurable).await;
    server.ask::<String>(&["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"]).unwrap();
    assert!(admits(&server.store()).await.is_ok());
}

async fn refuses_once(server: &Server, error: StoreError) {
    assert_eq!(admits(&server.store()).await.unwrap_err(), error);
}

#[tokio::test]
async fn a_server_that_runs_a_long_script_is_busy() {
    let server = Server::with(Program::Redis, &["--busy-reply-threshold", "20"]);
    let store = stubborn(server.url());
    admits(&store).await.unwrap();
    let url = server.url();
    let script = std::thread::spawn(move || {
        let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
        redis::cmd("EVAL").arg("while true do end").arg(0).query::<()>(&mut connection)
    });
    let busy = loop {
        match admits(&store).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(error) => break error,
        }
    };
    assert_eq!(busy, StoreError::Busy);
    server.ask::<String>(&["SCRIPT", "KILL"]).unwrap();
    assert!(script.join().unwrap().is_err());
    assert!(admits(&store).await.is_ok());
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let server = Server::with(Program::Redis, &["--requirepass", "right"]);
    let at = |user: &str| format!("redis://{user}@127.0.0.1:{}", server.port);
    let with = |url: String| RedisStore::new(&patient(url)).unwrap();
    assert_eq!(admits(&with(server.url())).await.unwrap_err(), StoreError::AccessDenied);
    assert_eq!(admits(&with(at(":wrong"))).await.unwrap_err(), StoreError::AccessDenied);
    assert!(admits(&with(at(":right"))).await.is_ok());
    let mut control = redis::Client::open(at(":right")).unwrap().get_connection().unwrap();
    let rules = ["SETUSER", "low", "on", ">pw", "~*", "+@all", "-evalsha"];
    redis::cmd("ACL").arg(&rules).query::<()>(&mut control).unwrap();
    assert_eq!(admits(&with(at("low:pw"))).await.unwrap_err(), StoreError::AccessDenied);
}

/// The rule of `docs/redis.md`.
fn documented_rule() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/redis.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rule = text.lines().find_map(|line| line.strip_prefix("ACL SETUSER raptorgate ")).expect("a rule for a user");
    rule.split(' ').map(str::to_owned).collect()
}

#[tokio::test]
async fn the_documented_permissions_are_enough() {
    for program in [Program::Redis, Program::Valkey] {
        let server = Server::start(program);
        let rule = [vec!["SETUSER".to_owned(), "raptorgate".to_owned()], documented_rule()].concat();
        redis::cmd("ACL").arg(&rule).query::<()>(&mut server.control()).unwrap();
        let password = rule.iter().find_map(|word| word.strip_prefix('>')).unwrap();
        let url = format!("redis://raptorgate:{password}@127.0.0.1:{}", server.port);
        let store = RedisStore::new(&patient(url)).unwrap();
        every_operation(&store).await;
        assert_eq!(store.check_server().await.map(|found| found.len()), Ok(1), "it keeps no append-only file");
    }
}

async fn every_operation(store: &RedisStore) {
    let tenant = tenant();
    let rates = vec![RateUse { name: name("r"), step: RateStep::of(1, 9, SECOND) }];
    let slots = vec![Slot { name: name("s"), count_max: 9 }];
    let admitted = Admit { rates, slots, ..keyed(1, 1) };
    store.admit(&tenant, &admitted, after(0)).await.unwrap();
    store.dispatch(&tenant, &dispatch(1, &[1])).await.unwrap();
    store.extend(&tenant, &extend(1, 1, &[1]), after(0)).await.unwrap();
    store.renew(&tenant, &Renew { admitted, fence: 1, extensions: 1 }, after(0)).await.unwrap();
    store.key(&tenant, &key_use(1, None), after(0)).await.unwrap();
    let correction = RateCorrection { delta_micros: -9, window_micros: SECOND };
    let settle = Settle {
        rates: vec![RateFix { name: name("r"), correction }],
        keys: vec![KeyEnd { key: [1; 32], ending: KeyEnding::Reply { reply: Some(vec![1]), keep_micros: 9 } }],
        mark: Some(Mark { gateway: name("g"), sequence: 1, previous: 0 }),
        ..settle(1, 5, &["k"])
    };
    store.finish(&tenant, &endings(vec![settle]), after(1)).await.unwrap();
    store.key(&tenant, &key_use(1, Some(7)), after(2)).await.unwrap();
    store.reap(&tenant, &Reap { grace_micros: 1, count_max: 1 }, after(3)).await.unwrap();
    let set = SetLimit { base: name("k"), limit: LimitChange::Unlimited, version: 1, note: Note::default() };
    store.set_limit(&tenant, &set, after(4)).await.unwrap();
    let kind = CreditKind::TopUp;
    let credit = Credit { name: name("c"), account: account("k"), kind, amount: Nanos::ZERO, note: Note::default() };
    store.credit(&tenant, &credit, after(4)).await.unwrap();
    store.account(&tenant, &account("k")).await.unwrap();
    store.accounts(&tenant, None, 1).await.unwrap();
    let drop = DropPast { after: None, looked_max: 9, grace_micros: 0 };
    let year_2036 = after(10 * 31_557_600 * SECOND);
    assert_eq!(store.drop_past(&tenant, &drop, year_2036).await.unwrap().count, 1);
    store.tenants().await.unwrap();
    store.head(&tenant).await.unwrap();
    let first = store.entries(&tenant, 0, 9).await.unwrap().remove(0);
    let through = Head { version: first.version, hash: first.hash };
    assert_eq!(store.trim(&tenant, &through).await.unwrap(), Trim::Done);
    assert_eq!(store.archived(&tenant).await.unwrap(), through);
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_nothing_was_done() {
    let refused = admits(&RedisStore::new(&patient("redis://127.0.0.1:1".into())).unwrap()).await.unwrap_err();
    assert_eq!((refused.clone(), refused.applied()), (StoreError::Unreachable, Applied::No));
    assert!(RedisStore::new(&RedisOptions::new("http://127.0.0.1:1")).is_err());
    let options = RedisOptions::new("redis://:secret@127.0.0.1:1");
    assert!(!format!("{options:?}").contains("secret"));
    assert_eq!(options.response_timeout, Duration::from_millis(50));
}
