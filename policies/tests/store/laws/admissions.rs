//! Requests come in and live on.

use super::*;
use raptorgate_policies::store::StoreError;

pub async fn admitting_again_takes_nothing_again(store: &dyn Store) {
    let first = admit(1, vec![part("b", 100, 60)]);
    assert!(!let_in(store, &first, after(1)).await.again);
    let again = let_in(store, &first, after(2)).await;
    assert!(again.again);
    assert_eq!(again.available, [Some(Nanos::new(40))]);
    assert_eq!(numbers(store, "b").await, (60, 0));
}

pub async fn one_id_is_one_request(store: &dyn Store) {
    let first = admit(1, vec![part("b", 100, 60)]);
    let_in(store, &first, after(1)).await;
    let other = Admit { fingerprint: [9; 32], ..first };
    assert_eq!(store.admit(&tenant(), &other, after(2)).await.unwrap(), Admission::Conflict);
    settle_one(store, settle(1, 42, &["b"]), after(3)).await;
    let finished = Admission::Finished(Finish::Settled { charge: Nanos::new(42) });
    assert_eq!(store.admit(&tenant(), &other, after(4)).await.unwrap(), finished);
}

pub async fn a_refusal_leaves_no_trace(store: &dyn Store) {
    let_in(store, &admit(1, vec![part("b", 100, 60)]), after(1)).await;
    let head = store.head(&tenant()).await.unwrap();
    let rates = vec![RateUse { name: name("r"), step: RateStep::of(10, 10, SECOND) }];
    let slots = vec![Slot { name: name("s"), count_max: 1 }];
    let parts = vec![part("a", 100, 5), part("b", 100, 41)];
    let refused = Admit { slots, rates, keys: vec![key_use(1, Some(1))], ..admit(2, parts) };
    assert_eq!(store.admit(&tenant(), &refused, after(2)).await.unwrap(), budget(1, 40));
    assert_eq!(store.head(&tenant()).await.unwrap(), head);
    assert_eq!(store.account(&tenant(), &account("a")).await.unwrap(), None);
    let smaller = Admit { parts: vec![part("b", 100, 40)], ..refused };
    let admitted = let_in(store, &smaller, after(3)).await;
    assert_eq!(admitted.fence, 1, "no key was taken before");
    assert_eq!(admitted.arrivals, [START + 3 + SECOND], "no rate was charged before");
}

pub async fn an_admission_that_comes_after_its_void_takes_nothing(store: &dyn Store) {
    void_one(store, void(1, VoidReason::NotServed), after(1)).await;
    let late = store.admit(&tenant(), &admit(1, vec![part("b", 100, 60)]), after(2)).await.unwrap();
    assert_eq!(late, Admission::Finished(Finish::Voided(VoidReason::NotServed)));
    assert_eq!(numbers(store, "b").await, (0, 0));
}

pub async fn a_soft_budget_is_only_watched(store: &dyn Store) {
    let soft = Part { enforce: Enforce::Soft, ..part("b", 100, 150) };
    assert_eq!(let_in(store, &admit(1, vec![soft]), after(1)).await.available, [Some(Nanos::new(-50))]);
    assert_eq!(store.admit(&tenant(), &admit(2, vec![part("b", 100, 0)]), after(2)).await.unwrap(), budget(0, -50));
    let unlimited = Part { limit: None, ..part("b", 0, 1) };
    assert_eq!(let_in(store, &admit(3, vec![unlimited]), after(3)).await.available, [None]);
}

pub async fn a_thousand_requests_with_room_for_seven_hundred(store: &dyn Store) {
    let mut admitted = 0;
    for number in 0..1000 {
        let admit = admit(number, vec![part("b", 7000, 10), part("c", 9000, 10)]);
        match store.admit(&tenant(), &admit, after(1)).await.unwrap() {
            Admission::Admitted(_) => admitted += 1,
            other => assert_eq!(other, budget(0, 0)),
        }
    }
    assert_eq!(admitted, 700);
    assert_eq!(numbers(store, "b").await, (7000, 0));
    assert_eq!(numbers(store, "c").await, (7000, 0));
}

pub async fn a_hold_grows_as_far_as_the_budget_goes(store: &dyn Store) {
    let_in(store, &admit(1, vec![part("b", 100, 60)]), after(1)).await;
    let grow = |number, amounts: &[i64]| extend(1, number, amounts);
    assert_eq!(store.extend(&tenant(), &grow(1, &[30]), after(2)).await.unwrap(), Extension::Extended);
    assert_eq!(store.extend(&tenant(), &grow(1, &[30]), after(3)).await.unwrap(), Extension::Extended);
    assert_eq!(numbers(store, "b").await, (90, 0), "an extension that was sent twice counts once");
    let refused = Extension::Refused { index: 0, available: Nanos::new(10) };
    assert_eq!(store.extend(&tenant(), &grow(2, &[11]), after(4)).await.unwrap(), refused);
    assert_eq!(store.extend(&tenant(), &grow(2, &[1, 1]), after(4)).await.unwrap(), Extension::Overflow);
    assert_eq!(store.extend(&tenant(), &extend(2, 1, &[1]), after(4)).await.unwrap(), Extension::Missing);
    settle_one(store, settle(1, 95, &["b"]), after(5)).await;
    let finished = Extension::Finished(Finish::Settled { charge: Nanos::new(95) });
    assert_eq!(store.extend(&tenant(), &grow(2, &[1]), after(6)).await.unwrap(), finished);
}

pub async fn a_store_that_forgot_a_hold_has_it_again_with_its_renewal(store: &dyn Store) {
    let keys = vec![key_use(1, None)];
    let slots = vec![Slot { name: name("s"), count_max: 1 }];
    let admitted = Admit { keys, slots, ..admit(1, vec![part("b", 100, 150)]) };
    let renew = Renew { admitted, fence: 9, extensions: 2 };
    assert_eq!(store.renew(&tenant(), &renew, after(1)).await.unwrap(), Renewal::Recreated);
    assert_eq!(store.renew(&tenant(), &renew, after(2)).await.unwrap(), Renewal::Renewed);
    assert_eq!(numbers(store, "b").await, (150, 0));
    assert_eq!(store.admit(&tenant(), &admit(2, vec![part("b", 100, 1)]), after(3)).await.unwrap(), budget(0, -50));
    assert_eq!(store.extend(&tenant(), &extend(1, 2, &[7]), after(3)).await.unwrap(), Extension::Extended);
    assert_eq!(numbers(store, "b").await, (150, 0), "it was extended twice before it was forgotten");
    let full = Admit { slots: renew.admitted.slots.clone(), ..admit(3, vec![]) };
    let refused = Admission::Refused(Refusal::Slot { index: 0 });
    assert_eq!(store.admit(&tenant(), &full, after(4)).await.unwrap(), refused);
    assert_eq!(let_in(store, &keyed(4, 4), after(5)).await.fence, 10, "tokens go on behind the one that was told");
    let unknown = Some(KeyAnswer::Unknown { holder: id(1) });
    let dead = store.key(&tenant(), &key_use(1, None), after(3 + LEASE)).await.unwrap();
    assert_eq!(dead, unknown, "a key that was forgotten may have been sent, so nobody takes it over");
}

pub async fn an_operation_that_breaks_a_bound_is_refused(store: &dyn Store) {
    let twice = admit(1, vec![part("b", 1, 1), part("b", 1, 1)]);
    let error = store.admit(&tenant(), &twice, after(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid(_)), "{error}");
    let negative = endings(vec![settle(1, 1, &["b"]), settle(1, -1, &["b"])]);
    assert!(store.finish(&tenant(), &negative, after(1)).await.is_err());
    assert_eq!(store.head(&tenant()).await.unwrap().version, 0);
}

pub async fn the_store_has_a_clock_of_its_own(store: &dyn Store) {
    let_in(store, &Admit { lease_micros: 1, ..admit(1, vec![part("b", 100, 60)]) }, Now::Store).await;
    let_in(store, &admit(2, vec![part("b", 100, 1)]), Now::Store).await;
    let reap = Reap { grace_micros: GRACE, count_max: 10 };
    let mut reaped = Reaped::default();
    while reaped.suspect.is_empty() {
        reaped = store.reap(&tenant(), &reap, Now::Store).await.unwrap();
    }
    assert_eq!(reaped.suspect, [id(1)], "a microsecond is over, and a lease of two minutes is not");
}

pub async fn amounts_are_exact_to_the_edge_of_64_bits(store: &dyn Store) {
    let (max, odd) = (i64::MAX, (1 << 53) + 1);
    let_in(store, &admit(1, vec![part("b", max, odd)]), after(1)).await;
    let rest = max - odd;
    let over = admit(2, vec![part("b", max, rest + 1)]);
    assert_eq!(store.admit(&tenant(), &over, after(2)).await.unwrap(), budget(0, rest));
    let_in(store, &admit(2, vec![part("b", max, rest)]), after(2)).await;
    let soft = Part { enforce: Enforce::Soft, ..part("b", max, 1) };
    assert_eq!(store.admit(&tenant(), &admit(3, vec![soft]), after(3)).await.unwrap(), Admission::Overflow);
    settle_one(store, settle(1, odd, &["b"]), after(4)).await;
    assert_eq!(numbers(store, "b").await, (rest, odd));
    settle_one(store, settle(2, max, &["b"]), after(5)).await;
    assert_eq!(numbers(store, "b").await, (0, max), "a settled cost is never refused");
    let refund = |name_of: &str, amount| Credit {
        name: name(name_of),
        account: account("b"),
        kind: CreditKind::Refund,
        amount: Nanos::new(amount),
        note: Note::default(),
    };
    assert_eq!(store.credit(&tenant(), &refund("r1", max), after(6)).await.unwrap(), Change::Done);
    assert_eq!(store.credit(&tenant(), &refund("r2", max), after(7)).await.unwrap(), Change::Done);
    assert_eq!(numbers(store, "b").await, (0, -max));
    assert_eq!(store.credit(&tenant(), &refund("r3", 2), after(8)).await.unwrap(), Change::Overflow);
    assert_eq!(store.credit(&tenant(), &refund("r3", 1), after(8)).await.unwrap(), Change::Done);
    assert_eq!(numbers(store, "b").await, (0, i64::MIN));
}
