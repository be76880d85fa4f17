//! Laws of the state machine.

use super::*;
use crate::ledger::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const LEASE: u64 = 120_000_000;
const GRACE: u64 = 900_000_000;

fn account(name: &str) -> AccountName {
    AccountName { base: StoreName::of(&[name]), window: StoreName::of(&["2026-11"]) }
}

fn part(name: &str, limit: i64, amount: i64) -> Part {
    Part { account: account(name), limit: Some(Nanos::new(limit)), enforce: Enforce::Hard, amount: Nanos::new(amount) }
}

fn admit(id: u128, parts: Vec<Part>) -> Admit {
    Admit {
        id: LedgerId::from_u128(id),
        fingerprint: [id as u8; 32],
        lease_micros: LEASE,
        keys: vec![],
        slots: vec![],
        rates: vec![],
        parts,
        note: Note::default(),
    }
}

fn settle(id: u128, charge: i64, names: &[&str]) -> Settle {
    Settle {
        id: LedgerId::from_u128(id),
        charge: Nanos::new(charge),
        accounts: names.iter().map(|name| account(name)).collect(),
        certainty: Certainty::Exact,
        rates: vec![],
        keys: vec![],
        waste: vec![],
        mark: None,
        note: Note::default(),
    }
}

fn void(id: u128) -> Void {
    Void {
        id: LedgerId::from_u128(id),
        reason: VoidReason::NotServed,
        rates: vec![],
        keys: vec![],
        waste: vec![],
        mark: None,
        note: Note::default(),
    }
}

fn keyed(id: u128, key: u8) -> Admit {
    let key = KeyUse {
        key: [key; 32],
        fingerprint: Some([7; 32]),
        lease_micros: LEASE,
        keep_micros: GRACE,
        on_unknown: OnUnknown::Refuse,
    };
    Admit { keys: vec![key], ..admit(id, vec![part("k", 1000, 10)]) }
}

fn is_admitted(admission: &Admission) -> bool {
    matches!(admission, Admission::Admitted(_))
}

fn numbers(state: &TenantState, name: &str) -> (i64, i64) {
    let account = state.account(&account(name));
    (account.held.get(), account.spent.get())
}

#[test]
fn a_thousand_requests_with_room_for_seven_hundred() {
    let mut state = TenantState::default();
    let admitted = (0..1000).filter(|id| is_admitted(&state.admit(&admit(*id, vec![part("b", 7000, 10)]), 1))).count();
    assert_eq!(admitted, 700);
    assert_eq!(numbers(&state, "b"), (7000, 0));
}

#[test]
fn settling_twice_charges_once() {
    let mut state = TenantState::default();
    state.admit(&admit(1, vec![part("b", 100, 60)]), 1);
    let done = Settlement::Done { finish: Finish::Settled { charge: Nanos::new(42) }, timing: Timing::InTime };
    assert_eq!(state.settle(&settle(1, 42, &["b"]), 2), done);
    assert_eq!(
        state.settle(&settle(1, 43, &["b"]), 3),
        Settlement::Duplicate(Finish::Settled { charge: Nanos::new(42) })
    );
    assert_eq!(state.void(&void(1), 4), Settlement::Duplicate(Finish::Settled { charge: Nanos::new(42) }));
    assert!(matches!(state.admit(&admit(1, vec![part("b", 100, 60)]), 5), Admission::Finished(_)));
    assert_eq!(numbers(&state, "b"), (0, 42));
}

#[test]
fn a_refusal_leaves_no_trace() {
    let mut state = TenantState::default();
    state.admit(&admit(1, vec![part("b", 100, 60)]), 1);
    let before = state.clone();
    let rate = RateUse { name: StoreName::of(&["r"]), step: RateStep::of(1, 10, 1_000) };
    let slot = Slot { name: StoreName::of(&["s"]), count_max: 5 };
    let refused =
        Admit { slots: vec![slot], rates: vec![rate], ..admit(2, vec![part("a", 100, 5), part("b", 100, 41)]) };
    let budget = Refusal::Budget { index: 1, available: Nanos::new(40) };
    assert_eq!(state.admit(&refused, 2), Admission::Refused(budget));
    assert_eq!(state, before);
}

#[test]
fn admitting_again_takes_nothing_again() {
    let mut state = TenantState::default();
    let first = admit(1, vec![part("b", 100, 60)]);
    assert!(is_admitted(&state.admit(&first, 1)));
    let Admission::Admitted(again) = state.admit(&first, 2) else { panic!("it was let in before") };
    assert!(again.again);
    assert_eq!(again.available, [Some(Nanos::new(40))]);
    let other = Admit { fingerprint: [9; 32], ..first };
    assert_eq!(state.admit(&other, 3), Admission::Conflict);
}

#[test]
fn a_cost_that_comes_late_is_charged_all_the_same() {
    let mut state = TenantState::default();
    state.admit(&admit(1, vec![part("b", 100, 60)]), 1);
    let reap = Reap { grace_micros: GRACE, count_max: 10 };
    assert_eq!(state.reap(&reap, LEASE), Reaped::default());
    assert_eq!(state.reap(&reap, LEASE + 1).suspect, [LedgerId::from_u128(1)]);
    assert_eq!(numbers(&state, "b"), (60, 0), "a suspect hold still holds");
    assert_eq!(state.reap(&reap, LEASE + 1 + GRACE).voided, [LedgerId::from_u128(1)]);
    assert_eq!(numbers(&state, "b"), (0, 0));
    let late = Settlement::Done { finish: Finish::Settled { charge: Nanos::new(42) }, timing: Timing::Late };
    assert_eq!(state.settle(&settle(1, 42, &["b"]), LEASE + GRACE + 2), late);
    assert_eq!(numbers(&state, "b"), (0, 42));
    assert!(state.entries.last().unwrap().body.contains(r#""flags":["late"]"#));
}

#[test]
fn an_admission_that_comes_after_its_void_takes_nothing() {
    let mut state = TenantState::default();
    state.void(&void(1), 1);
    let late = state.admit(&admit(1, vec![part("b", 100, 60)]), 2);
    assert_eq!(late, Admission::Finished(Finish::Voided(VoidReason::NotServed)));
}

#[test]
fn a_hold_grows_as_far_as_the_budget_goes() {
    let mut state = TenantState::default();
    state.admit(&admit(1, vec![part("b", 100, 60)]), 1);
    let extend = |number, amount| Extend {
        id: LedgerId::from_u128(1),
        number,
        amounts: vec![Nanos::new(amount)],
        lease_micros: LEASE,
    };
    assert_eq!(state.extend(&extend(1, 30), 2), Extension::Extended);
    assert_eq!(state.extend(&extend(1, 30), 3), Extension::Extended);
    assert_eq!(numbers(&state, "b"), (90, 0), "an extension that was sent twice counts once");
    assert_eq!(state.extend(&extend(2, 11), 4), Extension::Refused { index: 0, available: Nanos::new(10) });
    state.settle(&settle(1, 95, &["b"]), 5);
    assert_eq!(state.extend(&extend(2, 1), 6), Extension::Finished(Finish::Settled { charge: Nanos::new(95) }));
}

#[test]
fn a_store_that_forgot_a_hold_has_it_again_with_its_renewal() {
    let mut state = TenantState::default();
    let renew = Renew { admitted: admit(1, vec![part("b", 100, 150)]), fence: 9, extensions: 2 };
    assert_eq!(state.renew(&renew, 1), Renewal::Recreated);
    assert_eq!(state.renew(&renew, 2), Renewal::Renewed);
    assert_eq!(numbers(&state, "b"), (150, 0));
    let next = state.admit(&admit(2, vec![part("b", 100, 1)]), 3);
    assert_eq!(next, Admission::Refused(Refusal::Budget { index: 0, available: Nanos::new(-50) }));
}

#[test]
fn a_key_runs_one_request_and_replays_its_reply() {
    let mut state = TenantState::default();
    let Admission::Admitted(first) = state.admit(&keyed(1, 1), 10) else { panic!("the key is free") };
    assert_eq!(first.fence, 1);
    let in_progress = KeyAnswer::InProgress { holder: LedgerId::from_u128(1), left_micros: LEASE - 1 };
    assert_eq!(state.admit(&keyed(2, 1), 11), Admission::Keyed { index: 0, answer: in_progress });
    let mut other = keyed(2, 1);
    other.keys[0].fingerprint = Some([8; 32]);
    assert_eq!(state.admit(&other, 11), Admission::Keyed { index: 0, answer: KeyAnswer::Mismatch });
    let ending = KeyEnding::Reply { reply: Some(b"hello".to_vec()), keep_micros: 1000 };
    let keys = vec![KeyEnd { key: [1; 32], ending }];
    state.settle(&Settle { keys, ..settle(1, 5, &["k"]) }, 20);
    let replied = KeyAnswer::Replied { holder: LedgerId::from_u128(1), reply: Some(b"hello".to_vec()) };
    assert_eq!(state.admit(&keyed(2, 1), 1019), Admission::Keyed { index: 0, answer: replied });
    assert!(is_admitted(&state.admit(&keyed(2, 1), 1020)), "what is kept is kept for so long");
}

#[test]
fn a_key_whose_owner_died_is_taken_over_before_it_was_sent_and_unknown_after() {
    let mut state = TenantState::default();
    state.admit(&keyed(1, 1), 0);
    let Admission::Admitted(second) = state.admit(&keyed(2, 1), LEASE) else { panic!("the lease is over") };
    assert_eq!(second.fence, 2);
    assert_eq!(numbers(&state, "k"), (10, 0), "the hold of the dead is given back");
    let dispatch = |id| Dispatch { id: LedgerId::from_u128(id), keys: vec![[1; 32]] };
    assert_eq!(state.dispatch(&dispatch(1)), Clearance::Lost, "who lost the key sends nothing");
    assert_eq!(state.dispatch(&dispatch(2)), Clearance::Go);
    let unknown = KeyAnswer::Unknown { holder: LedgerId::from_u128(2) };
    assert_eq!(state.admit(&keyed(3, 1), 2 * LEASE), Admission::Keyed { index: 0, answer: unknown });
    let mut again = keyed(3, 1);
    again.keys[0].on_unknown = OnUnknown::RunAgain;
    assert!(is_admitted(&state.admit(&again, 2 * LEASE)));
}

#[test]
fn a_key_that_is_over_is_as_if_it_had_never_been() {
    let replied = |state: &mut TenantState| {
        state.admit(&keyed(1, 1), 0);
        let keys = vec![KeyEnd { key: [1; 32], ending: KeyEnding::Reply { reply: None, keep_micros: 10 } }];
        state.settle(&Settle { keys, ..settle(1, 5, &["k"]) }, 1);
    };
    let (mut known, mut forgotten) = (TenantState::default(), TenantState::default());
    [&mut known, &mut forgotten].into_iter().for_each(replied);
    forgotten.keys.remove(&[1; 32]);
    let renew = Renew { admitted: keyed(2, 1), fence: 1, extensions: 0 };
    for state in [&mut known, &mut forgotten] {
        assert_eq!(state.renew(&renew, 11), Renewal::Recreated);
        assert_eq!(state.dispatch(&Dispatch { id: LedgerId::from_u128(2), keys: vec![[1; 32]] }), Clearance::Go);
    }
    assert!(known == forgotten);
}

#[test]
fn who_takes_a_key_over_does_not_change_how_its_owner_ended() {
    let mut state = TenantState::default();
    state.admit(&keyed(1, 1), 0);
    state.settle(&settle(1, 5, &["k"]), 1);
    // out of memory, as a store does with what ended long ago
    state.take_rows(&StoreName::of(&["t"]));
    state.finished.evict(&LedgerId::from_u128(1));
    assert!(is_admitted(&state.admit(&keyed(2, 1), LEASE)));
    assert_eq!(state.finished.get(&LedgerId::from_u128(1)), None);
}

#[test]
fn a_store_that_is_behind_says_from_where() {
    let mark = |sequence, previous| Some(Mark { gateway: StoreName::of(&["g"]), sequence, previous });
    let mut state = TenantState::default();
    assert!(matches!(state.settle(&Settle { mark: mark(5, 0), ..settle(1, 1, &["b"]) }, 1), Settlement::Done { .. }));
    let gap = state.settle(&Settle { mark: mark(9, 7), ..settle(3, 1, &["b"]) }, 2);
    assert_eq!(gap, Settlement::Gap { have: 5 });
    assert!(matches!(state.settle(&Settle { mark: mark(7, 5), ..settle(2, 1, &["b"]) }, 3), Settlement::Done { .. }));
    assert!(matches!(state.settle(&Settle { mark: mark(9, 7), ..settle(3, 1, &["b"]) }, 4), Settlement::Done { .. }));
    assert!(matches!(state.settle(&Settle { mark: mark(5, 0), ..settle(1, 1, &["b"]) }, 5), Settlement::Duplicate(_)));
    assert_eq!(numbers(&state, "b"), (0, 3));
}

#[test]
fn an_operators_limit_holds_until_it_is_taken_back() {
    let mut state = TenantState::default();
    let set = |version, limit| SetLimit { base: account("b").base, limit, version, note: Note::default() };
    assert_eq!(state.set_limit(&set(2, LimitChange::Amount(Nanos::new(10))), 1), Change::Done);
    assert_eq!(state.set_limit(&set(1, LimitChange::Unlimited), 2), Change::Superseded);
    let refused = state.admit(&admit(1, vec![part("b", 100, 11)]), 3);
    assert_eq!(refused, Admission::Refused(Refusal::Budget { index: 0, available: Nanos::new(10) }));
    assert_eq!(state.set_limit(&set(3, LimitChange::Configured), 4), Change::Done);
    assert!(is_admitted(&state.admit(&admit(1, vec![part("b", 100, 11)]), 5)));
}

#[test]
fn a_credit_counts_once() {
    let mut state = TenantState::default();
    state.admit(&admit(1, vec![part("b", 100, 60)]), 1);
    let credit = |name: &str, kind, amount| Credit {
        name: StoreName::of(&[name]),
        account: account("b"),
        kind,
        amount: Nanos::new(amount),
        note: Note::default(),
    };
    assert_eq!(state.credit(&credit("t1", CreditKind::TopUp, 50), 2), Change::Done);
    assert_eq!(state.credit(&credit("t1", CreditKind::TopUp, 50), 3), Change::Superseded);
    assert_eq!(state.credit(&credit("t2", CreditKind::TopUp, i64::MAX), 4), Change::Overflow);
    assert_eq!(state.account(&account("b")).available(), Some(Nanos::new(90)));
    state.settle(&settle(1, 60, &["b"]), 5);
    assert_eq!(state.credit(&credit("r1", CreditKind::Refund, 20), 6), Change::Done);
    assert_eq!(numbers(&state, "b"), (0, 40));
}

#[test]
fn amounts_at_the_edge_of_64_bits_are_exact_or_refused() {
    let mut state = TenantState::default();
    let max = i64::MAX;
    assert!(is_admitted(&state.admit(&admit(1, vec![part("b", max, (1 << 53) + 1)]), 1)));
    let rest = max - (1 << 53) - 1;
    let refused = state.admit(&admit(2, vec![part("b", max, rest + 1)]), 2);
    assert_eq!(refused, Admission::Refused(Refusal::Budget { index: 0, available: Nanos::new(rest) }));
    assert!(is_admitted(&state.admit(&admit(2, vec![part("b", max, rest)]), 2)));
    let soft = Part { enforce: Enforce::Soft, ..part("b", max, 1) };
    assert_eq!(state.admit(&admit(3, vec![soft]), 3), Admission::Overflow);
    state.settle(&settle(1, max, &["b"]), 4);
    state.settle(&settle(2, max, &["b"]), 5);
    assert_eq!(numbers(&state, "b"), (0, max), "a settled cost is never refused");
}

/// What a generated operation does; numbers choose among few ids, accounts and keys, so that they meet.
#[derive(Clone, Debug)]
enum Op {
    Admit { id: u8, accounts: u8, amount: i64, soft: bool, key: Option<u8> },
    Extend { id: u8, number: u32, amount: i64 },
    Settle { id: u8, charge: i64 },
    Void { id: u8 },
    Renew { id: u8 },
    Reap,
}

fn op() -> impl Strategy<Value = Op> {
    let amount = prop_oneof![0..200_i64, Just(i64::MAX), Just((1 << 53) + 1)];
    prop_oneof![
        4 => (any::<u8>(), 0..8_u8, amount.clone(), any::<bool>(), proptest::option::of(0..3_u8))
            .prop_map(|(id, accounts, amount, soft, key)| Op::Admit { id: id % 40, accounts, amount, soft, key }),
        1 => (any::<u8>(), 1..4_u32, 0..100_i64).prop_map(|(id, number, amount)| Op::Extend { id: id % 40, number, amount }),
        3 => (any::<u8>(), amount).prop_map(|(id, charge)| Op::Settle { id: id % 40, charge }),
        1 => any::<u8>().prop_map(|id| Op::Void { id: id % 40 }),
        1 => any::<u8>().prop_map(|id| Op::Renew { id: id % 40 }),
        1 => Just(Op::Reap),
    ]
}

fn built(id: u8, accounts: u8, amount: i64, soft: bool, key: Option<u8>) -> Admit {
    let names = ["a", "b", "c"].into_iter().enumerate().filter(|(bit, _)| accounts & (1 << bit) != 0);
    let enforce = if soft { Enforce::Soft } else { Enforce::Hard };
    let parts = names.map(|(_, name)| Part { enforce, ..part(name, 500, amount) }).collect();
    let keys = key.map_or_else(Vec::new, |key| keyed(0, key).keys);
    Admit { keys, ..admit(id.into(), parts) }
}

fn apply(state: &mut TenantState, op: &Op, now: u64) {
    match *op {
        Op::Admit { id, accounts, amount, soft, key } => {
            state.admit(&built(id, accounts, amount, soft, key), now);
        }
        Op::Extend { id, number, amount } => {
            let id = LedgerId::from_u128(id.into());
            let parts = state.holds.get(&id).map_or(0, |hold| hold.parts.len());
            let amounts = vec![Nanos::new(amount); parts];
            state.extend(&Extend { id, number, amounts, lease_micros: LEASE }, now);
        }
        Op::Settle { id, charge } => {
            state.settle(&settle(id.into(), charge, &["a", "b"]), now);
        }
        Op::Void { id } => {
            state.void(&void(id.into()), now);
        }
        Op::Renew { id } => {
            state.renew(&Renew { admitted: built(id, 3, 7, false, None), fence: 0, extensions: 0 }, now);
        }
        Op::Reap => {
            state.reap(&Reap { grace_micros: LEASE, count_max: 5 }, now);
        }
    }
}

/// Reads the lines again, with none of the code that wrote them.
fn add_up(entries: &[Entry]) -> BTreeMap<(String, String), i128> {
    let mut sums = BTreeMap::new();
    for entry in entries {
        let body: serde_json::Value = serde_json::from_str(&entry.body).unwrap();
        for moved in body["at"].as_array().unwrap() {
            let text = |at: usize| moved[at].as_str().unwrap().to_owned();
            *sums.entry((text(0), text(1))).or_insert(0) += text(2).parse::<i128>().unwrap();
        }
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn held_is_the_sum_of_the_holds(ops in proptest::collection::vec((op(), 0..LEASE / 4), 1..120)) {
        let mut state = TenantState::default();
        let mut now = 0;
        for (op, pause) in &ops {
            now += pause;
            apply(&mut state, op, now);
        }
        for (name, account) in state.accounts.iter() {
            let parts = state.holds.iter().flat_map(|(_, hold)| &hold.parts).filter(|part| part.account == *name);
            let held: i128 = parts.map(|part| i128::from(part.amount.get())).sum();
            prop_assert_eq!(held, i128::from(account.held.get()), "{}", name);
        }
        let expiries: BTreeSet<(u64, LedgerId)> = state.holds.iter().map(|(id, hold)| (hold.expires_at, *id)).collect();
        prop_assert_eq!(expiries, state.expiries);
    }

    #[test]
    fn the_lines_add_up_to_the_accounts(ops in proptest::collection::vec((op(), 0..LEASE / 4), 1..120)) {
        let mut state = TenantState::default();
        let mut now = 0;
        for (op, pause) in &ops {
            now += pause;
            apply(&mut state, op, now);
        }
        let head = state.entries.iter().try_fold(Head::default(), |head, entry| head.follow(entry)).unwrap();
        prop_assert_eq!(&head, &state.head);
        let sums = add_up(&state.entries);
        for (name, account) in state.accounts.iter() {
            let sum = |field: &str| sums.get(&(name.to_string(), field.to_owned())).copied().unwrap_or(0);
            prop_assert_eq!((sum("held"), sum("spent")), (account.held.get().into(), account.spent.get().into()));
        }
    }

    #[test]
    fn the_rows_make_the_same_state_again(ops in proptest::collection::vec((op(), 0..LEASE / 4), 1..60)) {
        let tenant = StoreName::of(&["t"]);
        let (mut state, mut again) = (TenantState::default(), TenantState::default());
        let mut now = 0;
        for (op, pause) in &ops {
            now += pause;
            apply(&mut state, op, now);
            for (key, value) in state.take_rows(&tenant) {
                let (found, kind, inner) = rows::parse_key(&key).unwrap();
                prop_assert_eq!(&found, &tenant);
                again.put_row(kind, inner, value.as_deref()).unwrap();
            }
            prop_assert!(state == again);
        }
        prop_assert!(again.take_rows(&tenant).is_empty());
    }

    #[test]
    fn sending_an_operation_twice_changes_nothing(ops in proptest::collection::vec((op(), 0..LEASE / 4), 1..60)) {
        let (mut once, mut twice) = (TenantState::default(), TenantState::default());
        let mut now = 0;
        for (op, pause) in &ops {
            now += pause;
            apply(&mut once, op, now);
            apply(&mut twice, op, now);
            if !matches!(op, Op::Reap) {
                apply(&mut twice, op, now);
            }
        }
        prop_assert!(once == twice);
    }
}
