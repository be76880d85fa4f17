//! Laws of admission.

use super::*;
use crate::ledger::{Account, Admission, Checked, TenantState};
use crate::store::embedded::{Embedded, EmbeddedOptions};
use crate::store::{Accounts, Ending};
use proptest::prelude::*;
use raptorgate_config::model::BudgetWindow;
use raptorgate_config::units::Currency;
use std::time::Instant;

const NOW: Timestamp = Timestamp::from_micros(1_764_057_600_000_000); // 2025-11-25T08:00:00Z

const UNIT: i64 = 1_000_000_000;

fn inr(units: i64) -> Money {
    Money::from_nanos(units * UNIT, Currency::INR)
}

fn plan(budgets: Vec<Budget>, limits: Vec<RateLimit>) -> Plan {
    Plan {
        route: "chat".into(),
        budgets: budgets.into_iter().map(Arc::new).collect(),
        limits: limits.into_iter().map(Arc::new).collect(),
        idempotency: None,
        lock: None,
        zones: [("acme".to_owned(), TimeZone::get("Asia/Kolkata").unwrap())].into(),
    }
}

fn budget(name: &str, per: Per, limit: Money) -> Budget {
    Budget { name: name.into(), per, limit, window: BudgetWindow::Month, enforce: Enforcement::Hard }
}

fn tokens(quantity: u64) -> RateLimit {
    RateLimit { name: "tpm".into(), per: Per::User, counts: Counted::Tokens(quantity, Duration::from_secs(60)) }
}

const CALLER: Caller<'_> =
    Caller { tenant: "acme", user: "asha", key: "k1", end_user: Some("ravi"), execution: "run-7" };

fn needs(units: i64, tokens: u64) -> Needs {
    let cost = Nanos::new(units * UNIT);
    Needs { cost_max: cost, cost_predicted: cost, tokens, ..Needs::default() }
}

fn prepare(plan: &Plan, needs: Needs) -> Prepared {
    plan.prepare(LedgerId::mint(), CALLER, needs, NOW, Note::default())
}

/// A route with one budget, for tests beside.
pub(super) fn one_budget() -> Plan {
    plan(vec![budget("b", Per::User, inr(1_000_000))], vec![])
}

/// A request on it.
pub(super) fn prepare_one(plan: &Plan) -> Prepared {
    prepare(plan, needs(1, 0))
}

#[test]
fn each_budget_has_the_account_of_its_subject_and_month() {
    let all = [Per::Tenant, Per::User, Per::EndUser, Per::Key, Per::Route, Per::Execution];
    let plan = plan(all.iter().enumerate().map(|(n, per)| budget(&format!("b{n}"), *per, inr(1))).collect(), vec![]);
    let accounts: Vec<String> =
        prepare(&plan, needs(1, 0)).admit.parts.iter().map(|part| part.account.to_string()).collect();
    assert_eq!(
        accounts,
        [
            "b0:INR:tenant@2025-11",
            "b1:INR:user:asha@2025-11",
            "b2:INR:end_user:asha:ravi@2025-11",
            "b3:INR:key:k1@2025-11",
            "b4:INR:route:chat@2025-11",
            "b5:INR:execution:asha:run-7@2025-11",
        ]
    );
}

#[test]
fn a_refusal_names_the_budget_and_what_is_left_of_it() {
    let plan = plan(vec![budget("day", Per::User, inr(10))], vec![]);
    let mut state = TenantState::default();
    let first = prepare(&plan, needs(7, 0));
    assert!(matches!(state.admit(&first.admit, NOW.micros()), Admission::Admitted(_)));
    let second = prepare(&plan, needs(4, 0));
    let Admission::Refused(refusal) = state.admit(&second.admit, NOW.micros()) else { panic!("7 + 4 > 10") };
    let Denial::BudgetExceeded { budget, limit, available, needed, resets_at } = second.denial(refusal) else {
        panic!("it is a budget")
    };
    assert_eq!((budget.to_string(), limit, available, needed), ("day".to_owned(), inr(10), inr(3), inr(4)));
    // the first of December begins in India at 18:30 of the day before
    assert_eq!(resets_at, Some(Timestamp::from_micros(1_764_527_400_000_000)));
}

#[test]
fn a_request_larger_than_a_limit_is_told_so() {
    let plan = plan(vec![], vec![tokens(100)]);
    let mut state = TenantState::default();
    let large = prepare(&plan, needs(0, 101));
    let Admission::Refused(refusal) = state.admit(&large.admit, NOW.micros()) else { panic!("101 > 100") };
    assert!(matches!(large.denial(refusal), Denial::ExceedsRateLimit { .. }));
    let most = prepare(&plan, needs(0, 60));
    assert!(matches!(state.admit(&most.admit, NOW.micros()), Admission::Admitted(_)));
    let next = prepare(&plan, needs(0, 60));
    let Admission::Refused(refusal) = state.admit(&next.admit, NOW.micros()) else { panic!("120 > 100") };
    let Denial::RateLimited { retry_after, .. } = next.denial(refusal) else { panic!("it is a rate") };
    assert_eq!(retry_after, Duration::from_secs(12), "20 tokens of 100 a minute");
    assert_eq!(next.refused_quota(refusal).unwrap().resets_in, retry_after);
}

proptest! {
    #[test]
    fn what_was_charged_too_much_is_given_back(
        quantity in 1..1_000_000_u64, asked in 0..1_000_000_u64, used in 0..2_000_000_u64,
    ) {
        let plan = plan(vec![], vec![tokens(quantity)]);
        let request = prepare(&plan, needs(0, asked));
        prop_assert!(request.admit.check().is_ok());
        let mut state = TenantState::default();
        if let Admission::Admitted(_) = state.admit(&request.admit, NOW.micros()) {
            state.settle(&request.settle(Used { cost: Nanos::ZERO, tokens: used }, Certainty::Exact, Note::default()), NOW.micros());
            // as if the tokens that were used had been charged from the beginning
            let step = RateStep::of(used, quantity, 60_000_000);
            let expected = step.resting(NOW.micros() + step.increment_micros, NOW.micros());
            let arrival = state.arrivals.get(&request.admit.rates[0].name).copied().unwrap_or(NOW.micros());
            prop_assert_eq!(arrival, expected);
        }
    }

    #[test]
    fn what_is_told_to_be_left_passes(quantity in 1..100_000_u64, taken in proptest::collection::vec(0..10_000_u64, 1..10)) {
        let plan = plan(vec![], vec![tokens(quantity)]);
        let mut state = TenantState::default();
        for units in taken {
            let request = prepare(&plan, needs(0, units));
            if let Admission::Admitted(admitted) = state.admit(&request.admit, NOW.micros()) {
                let quota = &request.quotas(&admitted)[0];
                let rest = prepare(&plan, needs(0, quota.remaining));
                let passes = matches!(state.clone().admit(&rest.admit, NOW.micros()), Admission::Admitted(_));
                prop_assert!(passes, "{quota:?}");
            }
        }
    }
}

fn spent(store: &Embedded, prepared: &Prepared) -> Account {
    block_on(store.account(&prepared.tenant, &prepared.admit.parts[0].account)).unwrap().unwrap_or_default()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn an_ending_is_sent_until_the_store_takes_it() {
    use crate::crash::DISK_ERROR;
    let folder = tempfile::tempdir().unwrap();
    let small = crate::journal::JournalOptions { segment_bytes: 4096, group: Duration::from_micros(100) };
    let options = EmbeddedOptions { journal: small, ..EmbeddedOptions::default() };
    let store = Arc::new(Embedded::open(folder.path(), options).unwrap());
    let keeper = Keeper::new(store.clone());
    let plan = plan(vec![budget("b", Per::User, inr(100))], vec![]);
    let request = Arc::new(prepare(&plan, needs(10, 0)));
    assert!(matches!(block_on(keeper.admit(&request)), Ok(Admission::Admitted(_))));
    let used = Used { cost: Nanos::new(3), tokens: 0 };
    DISK_ERROR.set(Some(("journal.allocate", std::io::ErrorKind::StorageFull)));
    block_on(keeper.finish(&request.tenant, Ending::Settle(request.settle(used, Certainty::Exact, Note::default()))));
    assert_eq!(keeper.figures(), KeeperFigures { open: 0, untold: 1, stalled_for: Duration::ZERO });
    block_on(keeper.tick(Instant::now()));
    assert_eq!(keeper.figures().untold, 1, "the disk is still full");
    DISK_ERROR.set(None);
    block_on(keeper.tick(Instant::now()));
    assert_eq!(keeper.figures().untold, 0);
    assert_eq!(spent(&store, &request).spent, Nanos::new(3));
}

#[test]
fn a_long_request_keeps_its_hold() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Embedded::open(folder.path(), EmbeddedOptions::default()).unwrap());
    let keeper = Keeper::new(store.clone());
    let plan = plan(vec![budget("b", Per::User, inr(100))], vec![]);
    let mut request = prepare(&plan, needs(10, 0));
    request.admit.lease_micros = 0;
    let request = Arc::new(request);
    assert!(matches!(block_on(keeper.admit(&request)), Ok(Admission::Admitted(_))));
    // its lease is over at once: without a renewal a look for lost holds makes it suspect
    block_on(keeper.tick(Instant::now()));
    block_on(keeper.tick(Instant::now() + Duration::from_secs(60)));
    assert_eq!(spent(&store, &request).held, Nanos::new(10_000_000_000));
    assert_eq!(keeper.figures().open, 1);
}

#[test]
fn a_stream_goes_on_as_long_as_its_budget_holds_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Embedded::open(folder.path(), EmbeddedOptions::default()).unwrap());
    let keeper = Keeper::new(store.clone());
    let plan = plan(vec![budget("b", Per::User, inr(25))], vec![]);
    let slices = Slices { whole: Nanos::new(100 * UNIT), slice: Nanos::new(10 * UNIT) };
    let request = Arc::new(prepare(&plan, Needs { slices, ..needs(10, 0) }));
    assert!(matches!(block_on(keeper.admit(&request)), Ok(Admission::Admitted(_))));
    let passed = |units: i64| {
        let used = Used { cost: Nanos::new(units * UNIT), tokens: units.unsigned_abs() };
        block_on(keeper.passed(&request, used, Instant::now())).unwrap()
    };
    for (cost, held) in [(7, 10), (8, 20), (15, 20), (16, 20), (20, 20)] {
        assert_eq!(passed(cost), Passed::GoesOn, "{cost}: of the 25 are 5 left, which is less than a slice");
        assert_eq!(spent(&store, &request).held, Nanos::new(held * UNIT), "{cost}");
    }
    let Passed::UsedUp(Denial::BudgetExceeded { budget, .. }) = passed(21) else { panic!("21 > 20") };
    assert_eq!(budget.to_string(), "b");
    block_on(keeper.tick(Instant::now() + Duration::from_secs(60)));
    assert_eq!(spent(&store, &request).held, Nanos::new(20 * UNIT), "a renewal says what is held by now");
}
