//! Idempotency keys and execution locks.

use super::*;

async fn end_key(store: &dyn Store, number: u128, key: u8, ending: KeyEnding, now: Now) {
    let keys = vec![KeyEnd { key: [key; 32], ending }];
    settle_one(store, Settle { keys, ..settle(number, 5, &["k"]) }, now).await;
}

fn says(answer: KeyAnswer) -> Admission {
    Admission::Keyed { index: 0, answer }
}

pub async fn a_key_runs_one_request_and_replays_its_reply(store: &dyn Store) {
    assert_eq!(let_in(store, &keyed(1, 1), after(10)).await.fence, 1);
    let in_progress = says(KeyAnswer::InProgress { holder: id(1), left_micros: LEASE - 1 });
    assert_eq!(store.admit(&tenant(), &keyed(2, 1), after(11)).await.unwrap(), in_progress);
    let mut other = keyed(2, 1);
    other.keys[0].fingerprint = Some([8; 32]);
    assert_eq!(store.admit(&tenant(), &other, after(11)).await.unwrap(), says(KeyAnswer::Mismatch));
    let ending = KeyEnding::Reply { reply: Some(b"hello".to_vec()), keep_micros: 1000 };
    end_key(store, 1, 1, ending, after(20)).await;
    let replied = says(KeyAnswer::Replied { holder: id(1), reply: Some(b"hello".to_vec()) });
    assert_eq!(store.admit(&tenant(), &keyed(2, 1), after(1019)).await.unwrap(), replied);
    assert_eq!(let_in(store, &keyed(2, 1), after(1020)).await.fence, 2, "what is kept is kept for so long");
    end_key(store, 2, 1, KeyEnding::Free, after(1021)).await;
    assert_eq!(let_in(store, &keyed(3, 1), after(1022)).await.fence, 3);
}

pub async fn a_reply_of_any_bytes_comes_back(store: &dyn Store) {
    let bytes: Vec<u8> = (0..REPLY_BYTES_MAX).map(|at| (at % 256) as u8).collect();
    for (number, reply) in [(1, Some(bytes)), (2, Some(vec![])), (3, None)] {
        let key = number as u8;
        let_in(store, &keyed(number, key), after(1)).await;
        let ending = KeyEnding::Reply { reply: reply.clone(), keep_micros: GRACE };
        end_key(store, number, key, ending, after(2)).await;
        let answer = store.key(&tenant(), &key_use(key, Some(7)), after(3)).await.unwrap().unwrap();
        assert!(answer == KeyAnswer::Replied { holder: id(number), reply }, "reply {number} is another one");
    }
}

pub async fn a_key_whose_owner_died_is_taken_over_before_it_was_sent_and_unknown_after(store: &dyn Store) {
    let_in(store, &keyed(1, 1), after(0)).await;
    assert_eq!(let_in(store, &keyed(2, 1), after(LEASE)).await.fence, 2);
    assert_eq!(numbers(store, "k").await, (10, 0), "the hold of the dead is given back");
    let taken = store.admit(&tenant(), &keyed(1, 1), after(LEASE)).await.unwrap();
    assert_eq!(taken, Admission::Finished(Finish::Voided(VoidReason::TakenOver)));
    let lost = store.dispatch(&tenant(), &dispatch(1, &[1])).await.unwrap();
    assert_eq!(lost, Clearance::Lost, "who lost the key sends nothing");
    assert_eq!(store.dispatch(&tenant(), &dispatch(2, &[1])).await.unwrap(), Clearance::Go);
    assert_eq!(store.dispatch(&tenant(), &dispatch(2, &[1])).await.unwrap(), Clearance::Go);
    assert_eq!(store.dispatch(&tenant(), &dispatch(2, &[1, 9])).await.unwrap(), Clearance::Lost);
    let unknown = says(KeyAnswer::Unknown { holder: id(2) });
    assert_eq!(store.admit(&tenant(), &keyed(3, 1), after(2 * LEASE)).await.unwrap(), unknown);
    let mut again = keyed(3, 1);
    again.keys[0].on_unknown = OnUnknown::RunAgain;
    let_in(store, &again, after(2 * LEASE)).await;
    end_key(store, 3, 1, KeyEnding::Unknown { keep_micros: 50 }, after(2 * LEASE)).await;
    let unknown = says(KeyAnswer::Unknown { holder: id(3) });
    assert_eq!(store.admit(&tenant(), &keyed(4, 1), after(2 * LEASE + 49)).await.unwrap(), unknown);
    let_in(store, &keyed(4, 1), after(2 * LEASE + 50)).await;
}

pub async fn a_lock_is_taken_in_turn(store: &dyn Store) {
    let lock = |number| Admit { keys: vec![key_use(1, None), key_use(2, Some(number as u8))], ..admit(number, vec![]) };
    assert_eq!(let_in(store, &lock(1), after(0)).await.fence, 1);
    let waits = Admission::Keyed { index: 0, answer: KeyAnswer::InProgress { holder: id(1), left_micros: LEASE - 5 } };
    assert_eq!(store.admit(&tenant(), &lock(2), after(5)).await.unwrap(), waits);
    let keys = [1, 2].map(|key| KeyEnd { key: [key; 32], ending: KeyEnding::Free }).to_vec();
    settle_one(store, Settle { keys, ..settle(1, 0, &[]) }, after(6)).await;
    assert_eq!(let_in(store, &lock(2), after(7)).await.fence, 2);
    let theirs = vec![KeyEnd { key: [1; 32], ending: KeyEnding::Free }];
    void_one(store, Void { keys: theirs, ..void(3, VoidReason::NotSent) }, after(8)).await;
    let held = store.key(&tenant(), &key_use(1, None), after(9)).await.unwrap();
    assert!(matches!(held, Some(KeyAnswer::InProgress { .. })), "nobody frees the lock of another");
}

pub async fn a_renewal_keeps_the_key(store: &dyn Store) {
    let admitted = keyed(1, 1);
    let_in(store, &admitted, after(0)).await;
    let renew = Renew { admitted, fence: 1, extensions: 0 };
    store.renew(&tenant(), &renew, after(LEASE - 1)).await.unwrap();
    let busy = says(KeyAnswer::InProgress { holder: id(1), left_micros: LEASE - 1 });
    assert_eq!(store.admit(&tenant(), &keyed(2, 1), after(LEASE)).await.unwrap(), busy);
    let_in(store, &keyed(2, 1), after(2 * LEASE)).await;
    assert!(matches!(store.renew(&tenant(), &renew, after(2 * LEASE)).await.unwrap(), Renewal::Finished(_)));
}

pub async fn who_waits_asks_without_taking(store: &dyn Store) {
    let key = key_use(1, Some(7));
    assert_eq!(store.key(&tenant(), &key, after(0)).await.unwrap(), None);
    let_in(store, &keyed(1, 1), after(0)).await;
    let running = Some(KeyAnswer::InProgress { holder: id(1), left_micros: LEASE });
    assert_eq!(store.key(&tenant(), &key, after(0)).await.unwrap(), running);
    assert_eq!(store.key(&tenant(), &key_use(1, Some(8)), after(0)).await.unwrap(), Some(KeyAnswer::Mismatch));
    assert_eq!(store.key(&tenant(), &key_use(1, None), after(0)).await.unwrap(), running);
    assert_eq!(store.key(&tenant(), &key, after(LEASE)).await.unwrap(), None, "who died before it was sent");
}
