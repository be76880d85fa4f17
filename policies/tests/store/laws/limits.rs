//! Concurrency and rates.

use super::*;

pub async fn as_many_run_as_may(store: &dyn Store) {
    let slot = |count_max| vec![Slot { name: name("s"), count_max }];
    let run = |number, count_max| Admit { slots: slot(count_max), ..admit(number, vec![]) };
    let_in(store, &run(1, 2), after(0)).await;
    let_in(store, &run(2, 2), after(1)).await;
    let full = Admission::Refused(Refusal::Slot { index: 0 });
    assert_eq!(store.admit(&tenant(), &run(3, 2), after(2)).await.unwrap(), full);
    settle_one(store, settle(1, 0, &[]), after(3)).await;
    let_in(store, &run(3, 2), after(4)).await;
    assert_eq!(store.admit(&tenant(), &run(4, 2), after(LEASE)).await.unwrap(), full);
    let_in(store, &run(4, 2), after(LEASE + 1)).await;
    void_one(store, void(3, VoidReason::NotSent), after(LEASE + 2)).await;
    let_in(store, &run(5, 2), after(LEASE + 3)).await;
    let none = Admission::Refused(Refusal::Slot { index: 0 });
    assert_eq!(store.admit(&tenant(), &run(6, 0), after(9 * LEASE)).await.unwrap(), none);
}

fn rated(number: u128, rates: &[(&str, RateStep)]) -> Admit {
    let rates = rates.iter().map(|(text, step)| RateUse { name: name(text), step: *step }).collect();
    Admit { rates, ..admit(number, vec![]) }
}

fn wait(index: usize, refusal: RateRefusal) -> Admission {
    Admission::Refused(Refusal::Rate { index, refusal })
}

pub async fn a_burst_is_one_window_and_the_told_wait_is_exact(store: &dyn Store) {
    let step = RateStep::of(1, 10, 10 * SECOND);
    for number in 0..10 {
        let admitted = let_in(store, &rated(number, &[("r", step)]), after(0)).await;
        assert_eq!(admitted.arrivals, [START + (number as u64 + 1) * SECOND]);
    }
    let eleventh = rated(11, &[("r", step)]);
    let refused = wait(0, RateRefusal::After(SECOND));
    assert_eq!(store.admit(&tenant(), &eleventh, after(0)).await.unwrap(), refused);
    let almost = wait(0, RateRefusal::After(1));
    assert_eq!(store.admit(&tenant(), &eleventh, after(SECOND - 1)).await.unwrap(), almost);
    let_in(store, &eleventh, after(SECOND)).await;
    let huge = rated(12, &[("r", RateStep::of(11, 10, 10 * SECOND))]);
    assert_eq!(store.admit(&tenant(), &huge, after(SECOND)).await.unwrap(), wait(0, RateRefusal::Never));
    let beyond = rated(12, &[("r", RateStep::of(u64::MAX, 1, 10 * SECOND))]);
    assert_eq!(store.admit(&tenant(), &beyond, after(SECOND)).await.unwrap(), wait(0, RateRefusal::Never));
}

pub async fn of_several_rates_the_slowest_is_told(store: &dyn Store) {
    let (fast, slow) = (RateStep::of(1, 1, SECOND), RateStep::of(1, 1, 60 * SECOND));
    let_in(store, &rated(1, &[("fast", fast), ("slow", slow)]), after(0)).await;
    let both = rated(2, &[("fast", fast), ("slow", slow), ("free", fast)]);
    assert_eq!(store.admit(&tenant(), &both, after(1)).await.unwrap(), wait(1, RateRefusal::After(60 * SECOND - 1)));
    let never = RateStep::of(2, 1, SECOND);
    let hopeless = rated(2, &[("slow", slow), ("one", never), ("two", never)]);
    assert_eq!(store.admit(&tenant(), &hopeless, after(1)).await.unwrap(), wait(1, RateRefusal::Never));
}

pub async fn what_was_charged_too_much_comes_back(store: &dyn Store) {
    let step = RateStep::of(10, 10, 10 * SECOND);
    let fix = |delta_micros| {
        let correction = RateCorrection { delta_micros, window_micros: 10 * SECOND };
        vec![RateFix { name: name("r"), correction }]
    };
    let_in(store, &rated(1, &[("r", step)]), after(0)).await;
    settle_one(store, Settle { rates: fix(-(4 * SECOND as i64)), ..settle(1, 0, &[]) }, after(0)).await;
    let four = rated(2, &[("r", RateStep::of(4, 10, 10 * SECOND))]);
    assert_eq!(let_in(store, &four, after(0)).await.arrivals, [START + 10 * SECOND]);
    void_one(store, Void { rates: fix(i64::MIN), ..void(2, VoidReason::NotSent) }, after(0)).await;
    let_in(store, &rated(3, &[("r", step)]), after(0)).await;
    settle_one(store, Settle { rates: fix(i64::MAX), ..settle(3, 0, &[]) }, after(0)).await;
    let one = rated(4, &[("r", RateStep::of(1, 10, 10 * SECOND))]);
    let two_windows = wait(0, RateRefusal::After(11 * SECOND));
    assert_eq!(store.admit(&tenant(), &one, after(0)).await.unwrap(), two_windows, "a debt is two windows at most");
    settle_one(store, Settle { rates: fix(1), ..settle(3, 0, &[]) }, after(0)).await;
    assert_eq!(store.admit(&tenant(), &one, after(0)).await.unwrap(), two_windows, "and a duplicate adds nothing");
}
