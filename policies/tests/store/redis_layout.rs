//! What stands in which key, for how long, in how many bytes; and what becomes of it when somebody else writes there.

use crate::operations::*;
use crate::servers::{Program, Server};
use raptorgate_policies::ledger::*;
use raptorgate_policies::store::redis::RedisStore;
use raptorgate_policies::store::{Accounts, Admissions, Entries, Now, Settlements, StoreError};
use std::collections::BTreeMap;

/// All keys with what stands in them.
fn dump(server: &Server) -> BTreeMap<String, Vec<u8>> {
    let keys: Vec<String> = server.ask(&["KEYS", "*"]).unwrap();
    keys.into_iter().map(|key| (key.clone(), server.ask(&["DUMP", &key]).unwrap())).collect()
}

/// One of everything.
fn full(number: u128) -> Admit {
    let rates = vec![RateUse { name: name("r"), step: RateStep::of(1, 1000, 60 * SECOND) }];
    let slots = vec![Slot { name: name("s"), count_max: 9 }];
    Admit { rates, slots, ..keyed(number, number as u8) }
}

fn ending(number: u128) -> Settle {
    let correction = RateCorrection { delta_micros: -1, window_micros: 60 * SECOND };
    let reply = KeyEnding::Reply { reply: Some(vec![1]), keep_micros: GRACE };
    Settle {
        mark: Some(Mark { gateway: name("g"), sequence: number as u64, previous: 0 }),
        rates: vec![RateFix { name: name("r"), correction }],
        keys: vec![KeyEnd { key: [number as u8; 32], ending: reply }],
        ..settle(number, 5, &["k"])
    }
}

/// A tenant with one request that ended and one that runs.
async fn furnished(store: &RedisStore, now: Now) {
    for number in [1, 2] {
        store.admit(&tenant(), &full(number), now).await.unwrap();
    }
    store.finish(&tenant(), &endings(vec![ending(1)]), now).await.unwrap();
    let set =
        SetLimit { base: name("k"), limit: LimitChange::Amount(Nanos::new(900)), version: 1, note: Note::default() };
    store.set_limit(&tenant(), &set, now).await.unwrap();
    let kind = CreditKind::TopUp;
    let credit = Credit { name: name("c"), account: account("k"), kind, amount: Nanos::ZERO, note: Note::default() };
    store.credit(&tenant(), &credit, now).await.unwrap();
}

#[tokio::test]
async fn what_was_tampered_with_is_an_error_and_never_zero() {
    let server = Server::start(Program::Redis);
    let store = server.store();
    furnished(&store, after(0)).await;
    let (account, key) = ("rg1:{acme}:a:k@2026-11", format!("rg1:{{acme}}:k:{}", "02".repeat(32)));
    let running = id(2).as_u128().to_be_bytes();
    let tampered: Vec<(&str, Vec<&[u8]>)> = vec![
        ("HSET", vec![account.as_bytes(), b"h", b"abc"]),
        ("HSET", vec![account.as_bytes(), b"h", b""]),
        ("HSET", vec![account.as_bytes(), b"s", b"1.5"]),
        ("HSET", vec![account.as_bytes(), b"t", b"1e3"]),
        ("HSET", vec![account.as_bytes(), b"l", b"999999999999999999999"]),
        ("HDEL", vec![account.as_bytes(), b"s"]),
        ("HDEL", vec![account.as_bytes(), b"l"]),
        ("SET", vec![account.as_bytes(), b"0"]),
        ("HSET", vec![b"rg1:{acme}:o", b"k", b"1 a"]),
        ("HSET", vec![b"rg1:{acme}:o", b"k", b"none"]),
        ("SET", vec![b"rg1:{acme}:r:r", b"-5"]),
        ("SET", vec![b"rg1:{acme}:r:r", b"now"]),
        ("HSET", vec![b"rg1:{acme}:head", b"v", b"x"]),
        ("HSET", vec![b"rg1:{acme}:head", b"h", b"0"]),
        ("HDEL", vec![b"rg1:{acme}:head", b"v"]),
        ("HDEL", vec![b"rg1:{acme}:head", b"v", b"h"]),
        ("HSET", vec![b"rg1:{acme}:head", b"n", b"two"]),
        ("HSET", vec![key.as_bytes(), b"o", b"me"]),
        ("HSET", vec![key.as_bytes(), b"t", b"z"]),
        ("HSET", vec![key.as_bytes(), b"u", b"soon"]),
        ("HDEL", vec![key.as_bytes(), b"p"]),
        ("SET", vec![b"rg1:{acme}:s:s", b"1"]),
        ("HSET", vec![b"rg1:{acme}:h", &running, b"\x93\x01"]),
        ("HSET", vec![b"rg1:{acme}:h", &running, b"nothing"]),
        ("HDEL", vec![b"rg1:{acme}:h", &running]),
        ("ZREM", vec![b"rg1:{acme}:x", &running]),
    ];
    let whole = dump(&server);
    for (command, arguments) in tampered {
        let told =
            format!("{command} {}", arguments.iter().map(|a| String::from_utf8_lossy(a)).collect::<Vec<_>>().join(" "));
        if command == "SET" {
            redis::cmd("DEL").arg(arguments[0]).exec(&mut server.control()).unwrap();
        }
        redis::cmd(command).arg(&arguments).exec(&mut server.control()).unwrap();
        assert!(is_noticed(&server, &store).await, "{told}: nobody noticed");
        restore(&server, &whole);
    }
    let admitted = store.admit(&tenant(), &full(4), after(1)).await.unwrap();
    assert!(matches!(admitted, Admission::Admitted(_)), "{admitted:?}");
}

/// Whether a hold that runs, a key that is held, or a new request in the same account is refused, and nothing written.
async fn is_noticed(server: &Server, store: &RedisStore) -> bool {
    let asked = [Admit { fingerprint: [9; 32], ..full(2) }, Admit { keys: full(2).keys, ..full(3) }, full(4)];
    let mut noticed = false;
    for admit in asked {
        let before = dump(server);
        if let Err(error) = store.admit(&tenant(), &admit, after(1)).await {
            assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
            assert!(dump(server) == before, "{error}: written all the same");
            noticed = true;
        }
    }
    noticed
}

fn restore(server: &Server, whole: &BTreeMap<String, Vec<u8>>) {
    let mut control = server.control();
    redis::cmd("FLUSHALL").exec(&mut control).unwrap();
    for (key, value) in whole {
        redis::cmd("RESTORE").arg(key).arg(0).arg(value).exec(&mut control).unwrap();
    }
}

#[tokio::test]
async fn how_a_request_ended_and_its_mark_are_read_strictly() {
    let server = Server::start(Program::Redis);
    let store = server.store();
    furnished(&store, after(0)).await;
    let day = format!("rg1:{{acme}}:f:{}", id(1).day());
    let field = id(1).as_u128().to_be_bytes();
    for bad in ["", "-5", "5.0", "xyz", "n"] {
        redis::cmd("HSET").arg(&day).arg(&field).arg(bad).exec(&mut server.control()).unwrap();
        for answer in [
            store.finish(&tenant(), &endings(vec![settle(1, 5, &[])]), after(1)).await.err(),
            store.admit(&tenant(), &full(1), after(1)).await.err(),
        ] {
            assert!(matches!(answer, Some(StoreError::Corrupt(_))), "{bad:?}: {answer:?}");
        }
    }
    server.ask::<i64>(&["HSET", "rg1:{acme}:m", "g", "many"]).unwrap();
    let marked = store.finish(&tenant(), &endings(vec![ending(2)]), after(1)).await;
    assert!(matches!(marked, Err(StoreError::Corrupt(_))), "{marked:?}");
    server.ask::<i64>(&["HSET", "rg1:{acme}:a:k@2026-11", "s", "+1"]).unwrap();
    for read in [store.account(&tenant(), &account("k")).await.err(), store.accounts(&tenant(), None, 9).await.err()] {
        assert!(matches!(read, Some(StoreError::Corrupt(_))), "{read:?}");
    }
    for (field, bad) in [("a", "x"), ("ah", "0")] {
        server.ask::<i64>(&["HSET", "rg1:{acme}:head", "a", "1", "ah", GENESIS]).unwrap();
        server.ask::<i64>(&["HSET", "rg1:{acme}:head", field, bad]).unwrap();
        let trimmed = store.trim(&tenant(), &Head { version: 2, hash: GENESIS.to_owned() }).await;
        assert!(matches!(trimmed, Err(StoreError::Corrupt(_))), "{field} {bad}: {trimmed:?}");
    }
    server.ask::<i64>(&["SADD", "rg1:tenants", "no tenant"]).unwrap();
    assert!(matches!(store.tenants().await, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn all_keys_of_a_tenant_are_in_its_slot() {
    let server = Server::start(Program::Redis);
    furnished(&server.store(), after(0)).await;
    let keys: Vec<String> = server.ask(&["KEYS", "*"]).unwrap();
    let kinds = ["a:", "c", "f:", "h", "head", "i", "k:", "l", "m", "o", "r:", "s:", "x"];
    for kind in kinds {
        let start = format!("rg1:{{acme}}:{kind}");
        assert!(keys.iter().any(|key| key.starts_with(&start)), "no {start} among {keys:?}");
    }
    for key in keys.iter().filter(|key| *key != "rg1:tenants") {
        assert!(key.starts_with("rg1:{acme}:"), "{key}");
    }
}

#[tokio::test]
async fn scripts_run_on_a_node_of_a_cluster() {
    for program in [Program::Redis, Program::Valkey] {
        let server = Server::with(program, &["--cluster-enabled", "yes"]);
        server.ask::<String>(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).unwrap();
        while !server.ask::<String>(&["CLUSTER", "INFO"]).unwrap().contains("cluster_state:ok") {
            tokio::task::yield_now().await;
        }
        furnished(&server.store(), after(0)).await;
        let reaped = server.store().reap(&tenant(), &Reap { grace_micros: 1, count_max: 9 }, after(LEASE)).await;
        assert_eq!(reaped.unwrap().suspect, [id(2)]);
    }
}

#[tokio::test]
async fn what_may_be_forgotten_is_and_money_is_not() {
    let server = Server::start(Program::Redis);
    furnished(&server.store(), Now::Store).await;
    let keys: Vec<String> = server.ask(&["KEYS", "*"]).unwrap();
    for key in keys {
        let left: i64 = server.ask(&["TTL", &key]).unwrap();
        let due = match key.strip_prefix("rg1:{acme}:").unwrap_or("tenants").split(':').next().unwrap() {
            "f" => 41 * 86_400 - 60..=41 * 86_400,
            "r" => 55..=125,
            // one is answered and kept for its time; the other runs, and is unknown after its lease for its time
            "k" => 900..=1_090,
            _ => -1..=-1,
        };
        assert!(due.contains(&left), "{key} lives for {left} s");
    }
}

fn used(server: &Server) -> i64 {
    let info: String = server.ask(&["INFO", "memory"]).unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    line.trim().parse().unwrap()
}

/// Names as they are in earnest: three budgets.
fn usual(number: u128) -> Admit {
    let budget = |base: &str| Part { limit: None, ..part(base, 0, 1_250_000) };
    let bases = ["month-INR-user-asha", "month-INR-tenant", "day-INR-key-k1"];
    admit(number << 20, bases.map(budget).to_vec())
}

#[tokio::test]
async fn holds_and_endings_take_few_bytes() {
    let server = Server::start(Program::Redis);
    let store = server.store();
    let count = 4000;
    store.admit(&tenant(), &usual(count + 1), after(0)).await.unwrap();
    let empty = used(&server);
    for number in 0..count {
        store.admit(&tenant(), &usual(number), after(0)).await.unwrap();
    }
    let held = used(&server);
    let lines = memory(&server, "rg1:{acme}:l");
    let per_hold = (held - empty - lines) / count as i64;
    for from in (0..count).step_by(100) {
        let settles = (from..from + 100).map(|number| settle(number << 20, 1_234_567, &[])).collect();
        store.finish(&tenant(), &endings(settles), after(1)).await.unwrap();
    }
    let keys: Vec<String> = server.ask(&["KEYS", "rg1:{acme}:f:*"]).unwrap();
    let per_ending = keys.iter().map(|key| memory(&server, key)).sum::<i64>() / count as i64;
    let lines = memory(&server, "rg1:{acme}:l") / (2 * count as i64);
    println!("{per_hold} B for a hold, {per_ending} B for an ending in {} hashes, {lines} B for a line", keys.len());
    assert!(per_hold <= 423, "{per_hold} B for a hold");
    assert!(per_ending <= 35, "{per_ending} B for an ending");
}

fn memory(server: &Server, key: &str) -> i64 {
    server.ask(&["MEMORY", "USAGE", key, "SAMPLES", "0"]).unwrap()
}
