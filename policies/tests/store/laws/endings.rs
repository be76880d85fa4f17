//! Requests end.

use super::*;
use raptorgate_policies::store::Ending;

pub async fn settling_twice_charges_once(store: &dyn Store) {
    let_in(store, &admit(1, vec![part("b", 100, 60)]), after(1)).await;
    assert_eq!(settle_one(store, settle(1, 42, &["b"]), after(2)).await, charged(42, Timing::InTime));
    let before = Settlement::Duplicate(Finish::Settled { charge: Nanos::new(42) });
    assert_eq!(settle_one(store, settle(1, 43, &["b"]), after(3)).await, before);
    assert_eq!(void_one(store, void(1, VoidReason::NotSent), after(4)).await, before);
    assert_eq!(numbers(store, "b").await, (0, 42));
}

pub async fn a_cost_that_comes_late_is_charged_all_the_same(store: &dyn Store) {
    let_in(store, &admit(1, vec![part("b", 100, 60)]), after(0)).await;
    let reap = Reap { grace_micros: GRACE, count_max: 10 };
    let at = |micros| store.reap(&TENANT, &reap, after(micros));
    assert_eq!(at(LEASE - 1).await.unwrap(), Reaped::default());
    assert_eq!(at(LEASE).await.unwrap().suspect, [id(1)]);
    assert_eq!(numbers(store, "b").await, (60, 0), "a suspect hold still holds");
    assert_eq!(at(LEASE + GRACE - 1).await.unwrap(), Reaped::default());
    assert_eq!(at(LEASE + GRACE).await.unwrap().voided, [id(1)]);
    assert_eq!(numbers(store, "b").await, (0, 0));
    let late = settle_one(store, settle(1, 42, &["b"]), after(LEASE + GRACE + 1)).await;
    assert_eq!(late, charged(42, Timing::Late));
    assert_eq!(numbers(store, "b").await, (0, 42));
    let last = store.entries(&tenant(), 0, 100).await.unwrap().pop().unwrap();
    assert!(last.body.contains(r#""flags":["late"]"#), "{}", last.body);
}

static TENANT: std::sync::LazyLock<StoreName> = std::sync::LazyLock::new(tenant);

pub async fn all_that_are_due_are_given_up(store: &dyn Store) {
    for number in 0..250 {
        let_in(store, &admit(number, vec![part("b", 1_000_000, 60)]), after(number as u64)).await;
    }
    let reap = |count_max| Reap { grace_micros: GRACE, count_max };
    let now = after(LEASE + 239);
    assert_eq!(store.reap(&tenant(), &reap(0), now).await.unwrap(), Reaped::default());
    let some = store.reap(&tenant(), &reap(110), now).await.unwrap().suspect;
    assert_eq!(some, (0..110).map(id).collect::<Vec<_>>(), "the oldest first");
    let rest = store.reap(&tenant(), &reap(1000), now).await.unwrap().suspect;
    assert_eq!(rest, (110..240).map(id).collect::<Vec<_>>(), "ten more are not due");
    let voided = store.reap(&tenant(), &reap(1000), after(LEASE + 239 + GRACE)).await.unwrap();
    assert_eq!((voided.voided.len(), voided.suspect.len()), (240, 10));
    assert_eq!(numbers(store, "b").await, (600, 0));
}

pub async fn a_renewal_keeps_a_hold_alive(store: &dyn Store) {
    let admitted = admit(1, vec![part("b", 100, 60)]);
    let_in(store, &admitted, after(0)).await;
    let reap = Reap { grace_micros: GRACE, count_max: 10 };
    let renew = Renew { admitted, fence: 0, extensions: 0 };
    assert_eq!(store.renew(&tenant(), &renew, after(10)).await.unwrap(), Renewal::Renewed);
    assert_eq!(store.reap(&tenant(), &reap, after(LEASE)).await.unwrap(), Reaped::default());
    assert_eq!(store.reap(&tenant(), &reap, after(LEASE + 10)).await.unwrap().suspect, [id(1)]);
    assert_eq!(store.renew(&tenant(), &renew, after(LEASE + 11)).await.unwrap(), Renewal::Renewed);
    assert_eq!(settle_one(store, settle(1, 5, &["b"]), after(LEASE + 12)).await, charged(5, Timing::InTime));
    let finished = Renewal::Finished(Finish::Settled { charge: Nanos::new(5) });
    assert_eq!(store.renew(&tenant(), &renew, after(LEASE + 13)).await.unwrap(), finished);
}

pub async fn many_end_in_order_in_one_go(store: &dyn Store) {
    let count = 300;
    for number in 0..count {
        let_in(store, &admit(number, vec![part("b", 1_000_000, 60)]), after(1)).await;
    }
    let one = |number: u128| match number % 3 {
        0 => Ending::Void(void(number, VoidReason::NotServed)),
        _ => Ending::Settle(settle(number, number as i64, &["b"])),
    };
    let all: Vec<Ending> = (0..count).map(one).collect();
    let settlements = store.finish(&tenant(), &all, after(2)).await.unwrap();
    for (number, settlement) in settlements.iter().enumerate() {
        let Settlement::Done { finish, timing: Timing::InTime } = settlement else {
            panic!("{number}: {settlement:?}")
        };
        let due = match number % 3 {
            0 => Finish::Voided(VoidReason::NotServed),
            _ => Finish::Settled { charge: Nanos::new(number as i64) },
        };
        assert_eq!(*finish, due);
    }
    assert_eq!(settlements.len(), count as usize);
    let lines = store.entries(&tenant(), count as u64, 1000).await.unwrap();
    for (number, line) in (0..count).zip(&lines) {
        assert!(line.body.contains(&id(number).to_string()), "{number}: {}", line.body);
    }
    assert_eq!(store.finish(&tenant(), &[], after(3)).await.unwrap(), []);
}

pub async fn a_store_that_is_behind_says_from_where(store: &dyn Store) {
    let marked = |number, sequence, previous| Settle {
        mark: Some(Mark { gateway: name("g"), sequence, previous }),
        ..settle(number, 1, &["b"])
    };
    let big = u64::MAX - 1;
    assert_eq!(settle_one(store, marked(1, 5, 0), after(1)).await, charged(1, Timing::Late));
    assert_eq!(settle_one(store, marked(3, 9, 7), after(2)).await, Settlement::Gap { have: 5 });
    assert_eq!(settle_one(store, marked(2, 7, 5), after(3)).await, charged(1, Timing::Late));
    assert_eq!(settle_one(store, marked(3, 9, 7), after(4)).await, charged(1, Timing::Late));
    assert!(matches!(settle_one(store, marked(1, 5, 0), after(5)).await, Settlement::Duplicate(_)));
    assert_eq!(settle_one(store, marked(4, big, 9), after(6)).await, charged(1, Timing::Late));
    assert_eq!(settle_one(store, marked(5, u64::MAX, u64::MAX), after(7)).await, Settlement::Gap { have: big });
    let behind =
        Void { mark: Some(Mark { gateway: name("h"), sequence: 2, previous: 1 }), ..void(9, VoidReason::NotSent) };
    assert_eq!(void_one(store, behind, after(8)).await, Settlement::Gap { have: 0 });
    assert_eq!(numbers(store, "b").await, (0, 4));
}

pub async fn how_thousands_ended_is_known(store: &dyn Store) {
    let count = 6000;
    let all: Vec<Ending> = (0..count).map(|number| Ending::Settle(settle(number, 1, &["b"]))).collect();
    assert_eq!(store.finish(&tenant(), &all, after(1)).await.unwrap().len(), count as usize);
    let again = store.finish(&tenant(), &all, after(2)).await.unwrap();
    assert!(again.iter().all(|settlement| matches!(settlement, Settlement::Duplicate(_))));
    assert_eq!(numbers(store, "b").await, (0, 6000));
}

pub async fn a_void_tells_its_reason_ever_after(store: &dyn Store) {
    let reasons = [VoidReason::NotSent, VoidReason::NotServed, VoidReason::TakenOver, VoidReason::Unresolved];
    for (number, reason) in (0..).zip(reasons) {
        let_in(store, &admit(number, vec![part("b", 100, 10)]), after(1)).await;
        let finish = Finish::Voided(reason);
        let done = Settlement::Done { finish, timing: Timing::InTime };
        assert_eq!(void_one(store, void(number, reason), after(2)).await, done);
        assert_eq!(void_one(store, void(number, VoidReason::NotSent), after(3)).await, Settlement::Duplicate(finish));
        assert_eq!(settle_one(store, settle(number, 3, &["b"]), after(4)).await, charged(3, Timing::Late));
    }
    assert_eq!(numbers(store, "b").await, (0, 12), "who was void and cost something is charged");
}

pub async fn an_estimate_is_marked(store: &dyn Store) {
    let estimated = Settle { certainty: Certainty::Estimated, ..settle(1, 3, &["b"]) };
    settle_one(store, estimated, after(1)).await;
    let line = store.entries(&tenant(), 0, 1).await.unwrap().remove(0);
    assert!(line.body.contains(r#""flags":["late","estimated"]"#), "{}", line.body);
}

pub async fn a_failed_attempt_is_told_once_and_charged_to_nobody(store: &dyn Store) {
    let failed = |attempt: u32| Waste {
        certainty: Certainty::Estimated,
        note: Note::new(format!(r#"{{"attempt":{attempt},"upstream":"agents","cost":"0.000000004 INR"}}"#)).unwrap(),
    };
    let_in(store, &admit(1, vec![part("b", 100, 10)]), after(1)).await;
    let settled = Settle { waste: vec![failed(1), failed(2)], ..settle(1, 3, &["b"]) };
    assert_eq!(settle_one(store, settled.clone(), after(2)).await, charged(3, Timing::InTime));
    settle_one(store, settled, after(3)).await;
    assert_eq!(numbers(store, "b").await, (0, 3));
    let_in(store, &admit(2, vec![part("b", 100, 10)]), after(4)).await;
    let unserved = Void { waste: vec![failed(1)], ..void(2, VoidReason::NotServed) };
    for at in [5, 6] {
        void_one(store, unserved.clone(), after(at)).await;
    }
    assert_eq!(numbers(store, "b").await, (0, 3), "nobody is charged");
    let lines = store.entries(&tenant(), 0, 100).await.unwrap();
    let told: Vec<serde_json::Value> = lines.iter().map(|line| serde_json::from_str(&line.body).unwrap()).collect();
    let ops: Vec<&str> = told.iter().map(|line| line["op"].as_str().unwrap()).collect();
    assert_eq!(ops, ["hold", "settle", "waste", "waste", "hold", "void", "waste"]);
    let second = serde_json::json!({
        "v": 4, "ts": START + 2, "op": "waste", "id": id(1).to_string(), "at": [], "flags": ["estimated"],
        "note": {"attempt": 2, "upstream": "agents", "cost": "0.000000004 INR"},
    });
    assert_eq!(told[3], second);
    let many = Settle { waste: vec![failed(1); WASTE_MAX + 1], ..settle(3, 1, &["b"]) };
    assert!(store.finish(&tenant(), &endings_of(many), after(7)).await.is_err());
}
