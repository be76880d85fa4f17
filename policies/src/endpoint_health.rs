//! Whether an endpoint is believed to work: what its health checks say, and what its requests say.
//!
//! Two machines side by side. *Checks* make an endpoint unhealthy and healthy again by results in a row. *Ejection* leaves
//! an endpoint out for a time after attempts that failed in a row; it comes back on probation, where one failure is enough,
//! and each time out is twice as long as the last until it has been calm for as long as it was out. Either way it comes
//! back slowly: from a tenth of its weight to all of it.
//!
//! # Invariants
//! * Only failures in a row count, and one success ends the row (`a_success_ends_a_row_of_failures`).
//! * An ejection ends by itself, whatever else happens, after `open_max` at the latest
//!   (`whatever_happens_every_ejection_ends`).
//! * What began before an endpoint came back says nothing about it now (`old_attempts_say_nothing`).
//! * Never more of the endpoints are ejected than the share that may be (`room_is_never_exceeded`).

use raptorgate_config::model::{Ejection, HealthCheck};
use std::time::{Duration, Instant};

/// Whole weight, in thousandths.
pub const PERMILLE: u32 = 1_000;
/// Where a returning endpoint begins.
const RETURN_PERMILLE: u32 = 100;

/// What is known of one endpoint.
#[derive(Clone, Debug, Default)]
pub struct EndpointHealth {
    check: Check,
    /// Failed attempts in a row.
    failures: u32,
    /// Where it is out, or was last.
    ejected: Option<Interval>,
    /// Ejections without a calm time between them.
    streak: u32,
    /// It came back and has not served anything well since.
    probation: bool,
    returned_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interval {
    since: Instant,
    until: Instant,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Check {
    /// Not checked yet: believed to work.
    #[default]
    Unknown,
    Healthy {
        failed: u32,
    },
    Unhealthy {
        passed: u32,
    },
}

/// Whether requests go to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// With its whole weight.
    In,
    /// With a part of its weight, which grows.
    Returning,
    /// Its health checks fail.
    Unhealthy,
    /// Its requests failed.
    Ejected {
        /// When it comes back.
        until: Instant,
    },
}

impl Standing {
    /// True if requests go to it.
    pub fn is_in(self) -> bool {
        match self {
            Self::In | Self::Returning => true,
            Self::Unhealthy | Self::Ejected { .. } => false,
        }
    }

    /// The name in metrics and in the admin API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Returning => "returning",
            Self::Unhealthy => "unhealthy",
            Self::Ejected { .. } => "ejected",
        }
    }
}

/// Result of one health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The expected status came in time.
    Passed,
    /// Anything else.
    Failed,
}

/// What a health check changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Requests go to it again.
    BecameHealthy,
    /// Requests go elsewhere.
    BecameUnhealthy,
}

/// What a failed attempt asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Wish {
    /// Nothing.
    None,
    /// Ejection, if there is room for one more: call [`EndpointHealth::eject`].
    Eject,
}

impl EndpointHealth {
    /// Notes the result of a health check.
    pub fn checked(&mut self, checked: Checked, rules: &HealthCheck, now: Instant) -> Option<Change> {
        let (next, change) = match (self.check, checked) {
            (Check::Unknown, Checked::Passed) => (Check::Healthy { failed: 0 }, None),
            (Check::Unknown, Checked::Failed) => (Check::Unhealthy { passed: 0 }, Some(Change::BecameUnhealthy)),
            (Check::Healthy { .. }, Checked::Passed) => (Check::Healthy { failed: 0 }, None),
            (Check::Healthy { failed }, Checked::Failed) => match failed.saturating_add(1) {
                failed if failed >= rules.unhealthy_after => {
                    (Check::Unhealthy { passed: 0 }, Some(Change::BecameUnhealthy))
                }
                failed => (Check::Healthy { failed }, None),
            },
            (Check::Unhealthy { .. }, Checked::Failed) => (Check::Unhealthy { passed: 0 }, None),
            (Check::Unhealthy { passed }, Checked::Passed) => match passed.saturating_add(1) {
                passed if passed >= rules.healthy_after => (Check::Healthy { failed: 0 }, Some(Change::BecameHealthy)),
                passed => (Check::Unhealthy { passed }, None),
            },
        };
        self.check = next;
        if change == Some(Change::BecameHealthy) {
            self.returned_at = Some(now);
        }
        change
    }

    /// There are no health checks any more: what they said is forgotten.
    pub fn forget_checks(&mut self) {
        self.check = Check::Unknown;
    }

    /// An attempt that began at `began` has been answered well.
    pub fn succeeded(&mut self, began: Instant, now: Instant) {
        if self.speaks_of_now(began, now) {
            self.failures = 0;
            self.probation = false;
        }
    }

    /// An attempt that began at `began` has failed.
    pub fn failed(&mut self, began: Instant, rules: &Ejection, now: Instant) -> Wish {
        if !self.speaks_of_now(began, now) {
            return Wish::None;
        }
        self.failures = self.failures.saturating_add(1);
        let enough = if self.probation { 1 } else { rules.consecutive_failures };
        if self.failures >= enough { Wish::Eject } else { Wish::None }
    }

    /// Leaves it out from `now` on; until when.
    pub fn eject(&mut self, rules: &Ejection, now: Instant) -> Instant {
        let calm = self.ejected.is_none_or(|last| now >= last.until + (last.until - last.since));
        self.streak = if calm { 0 } else { self.streak.saturating_add(1) };
        let factor = 1u32.checked_shl(self.streak).unwrap_or(u32::MAX);
        let until = now + rules.open_for.saturating_mul(factor).min(rules.open_max);
        self.ejected = Some(Interval { since: now, until });
        self.failures = 0;
        self.probation = true;
        // known now: it is in the future until then
        self.returned_at = Some(until);
        until
    }

    /// Whether requests go to it, and with how much of its weight, in thousandths. `slow_start` is the time from a tenth
    /// to all of it.
    pub fn standing(&self, slow_start: Duration, now: Instant) -> (Standing, u32) {
        if let Some(until) = self.ejected_until(now) {
            return (Standing::Ejected { until }, RETURN_PERMILLE);
        }
        if matches!(self.check, Check::Unhealthy { .. }) {
            return (Standing::Unhealthy, RETURN_PERMILLE);
        }
        match self.returned_at.map(|at| now.saturating_duration_since(at)) {
            Some(back) if back < slow_start => (Standing::Returning, ramp(back, slow_start)),
            Some(_) | None => (Standing::In, PERMILLE),
        }
    }

    /// Failed attempts in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    fn ejected_until(&self, now: Instant) -> Option<Instant> {
        self.ejected.map(|interval| interval.until).filter(|until| now < *until)
    }

    /// It is in, and the attempt began after it last came back.
    fn speaks_of_now(&self, began: Instant, now: Instant) -> bool {
        self.ejected_until(now).is_none() && self.ejected.is_none_or(|interval| began >= interval.until)
    }
}

/// A tenth at first, all of it at the end, evenly between.
fn ramp(back: Duration, slow_start: Duration) -> u32 {
    let span = u128::from(PERMILLE - RETURN_PERMILLE);
    let grown = span * back.as_micros() / slow_start.as_micros().max(1);
    RETURN_PERMILLE + u32::try_from(grown).unwrap_or(PERMILLE - RETURN_PERMILLE)
}

/// True if one more of `endpoints` may be ejected while `ejected` are.
pub fn has_room(ejected: usize, endpoints: usize, max_percent: f64) -> bool {
    // counts are small: a double holds them exactly
    (ejected as f64 + 1.0) * 100.0 <= endpoints as f64 * max_percent
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLOW_START: Duration = Duration::from_secs(30);

    fn rules() -> Ejection {
        Ejection {
            consecutive_failures: 3,
            open_for: Duration::from_secs(30),
            open_max: Duration::from_secs(300),
            max_ejected_percent: 50.0,
            slow_start: SLOW_START,
        }
    }

    fn check_rules() -> HealthCheck {
        HealthCheck {
            path: "/healthz".to_owned(),
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            healthy_after: 2,
            unhealthy_after: 3,
            expect_status: Vec::new(),
            host: None,
        }
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn is_in(health: &EndpointHealth, now: Instant) -> bool {
        health.standing(SLOW_START, now).0.is_in()
    }

    /// Fails until it wishes to be ejected, and ejects.
    fn fail_out(health: &mut EndpointHealth, now: Instant) -> Duration {
        let wished = (0..10).any(|_| health.failed(now, &rules(), now) == Wish::Eject);
        assert!(wished);
        health.eject(&rules(), now).duration_since(now)
    }

    #[test]
    fn a_success_ends_a_row_of_failures() {
        let now = Instant::now();
        let mut health = EndpointHealth::default();
        for _ in 0..10 {
            assert_eq!(health.failed(now, &rules(), now), Wish::None);
            assert_eq!(health.failed(now, &rules(), now), Wish::None);
            health.succeeded(now, now);
        }
        assert_eq!([(); 3].map(|()| health.failed(now, &rules(), now)), [Wish::None, Wish::None, Wish::Eject]);
        // no room: it goes on, and wishes again
        assert!(is_in(&health, now));
        assert_eq!(health.failed(now, &rules(), now), Wish::Eject);
    }

    #[test]
    fn it_comes_back_slowly() {
        let start = Instant::now();
        let mut health = EndpointHealth::default();
        assert_eq!(health.standing(SLOW_START, start), (Standing::In, PERMILLE));
        assert_eq!(fail_out(&mut health, start), seconds(30));
        assert!(!is_in(&health, start + seconds(29)));
        for (second, standing) in [
            (30, (Standing::Returning, 100)),
            (40, (Standing::Returning, 400)),
            (59, (Standing::Returning, 970)),
            (60, (Standing::In, 1_000)),
        ] {
            assert_eq!(health.standing(SLOW_START, start + seconds(second)), standing, "second {second}");
        }
        assert_eq!(health.standing(Duration::ZERO, start + seconds(30)), (Standing::In, PERMILLE));
    }

    #[test]
    fn on_probation_one_failure_is_enough_and_costs_twice_the_time() {
        let mut now = Instant::now();
        let mut health = EndpointHealth::default();
        let mut out = vec![fail_out(&mut health, now)];
        for _ in 0..5 {
            now += *out.last().unwrap();
            assert_eq!(health.failed(now, &rules(), now), Wish::Eject);
            out.push(health.eject(&rules(), now) - now);
        }
        assert_eq!(out, [30, 60, 120, 240, 300, 300].map(seconds));
        // one success ends probation, and a calm time as long as the last ends the growth
        now += seconds(300);
        health.succeeded(now, now);
        assert_eq!(health.failed(now, &rules(), now), Wish::None);
        assert_eq!(fail_out(&mut health, now + seconds(299)), seconds(300), "not calm for long enough");
        assert_eq!(fail_out(&mut health, now + seconds(299 + 300 + 300)), seconds(30));
    }

    #[test]
    fn old_attempts_say_nothing() {
        let start = Instant::now();
        let mut health = EndpointHealth::default();
        fail_out(&mut health, start);
        let back = start + seconds(30);
        for now in [start + seconds(1), back, back + seconds(5)] {
            assert_eq!(health.failed(start, &rules(), now), Wish::None, "an attempt from before it was ejected");
            health.succeeded(start, now);
        }
        assert_eq!(health.failed(back, &rules(), back), Wish::Eject, "still on probation");
    }

    #[test]
    fn checks_count_in_a_row_and_the_first_decides() {
        let now = Instant::now();
        let rules = check_rules();
        let mut health = EndpointHealth::default();
        let mut check = |checked| health.checked(checked, &rules, now);
        use Checked::{Failed, Passed};
        assert_eq!(check(Failed), Some(Change::BecameUnhealthy), "the first check of all decides alone");
        assert_eq!([Passed, Failed, Passed].map(&mut check), [None; 3]);
        assert_eq!(check(Passed), Some(Change::BecameHealthy));
        assert_eq!([Failed, Failed, Passed, Failed, Failed].map(&mut check), [None; 5]);
        assert_eq!(check(Failed), Some(Change::BecameUnhealthy));
        assert_eq!(health.standing(SLOW_START, now).0, Standing::Unhealthy);
        health.forget_checks();
        assert!(is_in(&health, now), "without checks nobody is unhealthy");
    }

    #[test]
    fn who_becomes_healthy_comes_back_slowly_and_who_starts_healthy_does_not() {
        let now = Instant::now();
        let rules = check_rules();
        let mut health = EndpointHealth::default();
        assert_eq!(health.checked(Checked::Passed, &rules, now), None);
        assert_eq!(health.standing(SLOW_START, now), (Standing::In, PERMILLE));
        for _ in 0..3 {
            health.checked(Checked::Failed, &rules, now);
        }
        for _ in 0..2 {
            health.checked(Checked::Passed, &rules, now);
        }
        assert_eq!(health.standing(SLOW_START, now), (Standing::Returning, 100));
    }

    #[test]
    fn room_is_never_exceeded() {
        for (endpoints, percent, most) in [
            (1, 50.0, 0),
            (2, 50.0, 1),
            (3, 50.0, 1),
            (4, 50.0, 2),
            (10, 30.0, 3),
            (3, 0.0, 0),
            (1, 100.0, 1),
            (3, 100.0, 3),
        ] {
            let ejected = (0..=endpoints).find(|ejected| !has_room(*ejected, endpoints, percent));
            assert_eq!(ejected, Some(most), "{percent} % of {endpoints}");
        }
    }

    #[derive(Clone, Copy, Debug)]
    enum Event {
        Wait(u64),
        Succeed,
        Fail,
        Check(Checked),
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            (0u64..200).prop_map(Event::Wait),
            Just(Event::Succeed),
            Just(Event::Fail),
            Just(Event::Check(Checked::Passed)),
            Just(Event::Check(Checked::Failed)),
        ];
        proptest::collection::vec(event, 0..200)
    }

    proptest! {
        #[test]
        fn whatever_happens_every_ejection_ends(events in events()) {
            let (rules, check_rules) = (rules(), check_rules());
            let mut now = Instant::now();
            let mut health = EndpointHealth::default();
            let mut row = 0;
            for event in events {
                let was_in = health.ejected_until(now).is_none();
                match event {
                    Event::Wait(n) => now += seconds(n),
                    Event::Succeed => {
                        health.succeeded(now, now);
                        row = 0;
                    }
                    Event::Fail => {
                        row += 1;
                        if health.failed(now, &rules, now) == Wish::Eject {
                            prop_assert!(was_in);
                            prop_assert!(row >= rules.consecutive_failures || health.streak > 0 || health.probation);
                            let until = health.eject(&rules, now);
                            prop_assert!(until > now && until <= now + rules.open_max);
                        }
                    }
                    Event::Check(checked) => drop(health.checked(checked, &check_rules, now)),
                }
                let (standing, permille) = health.standing(rules.slow_start, now);
                prop_assert!((RETURN_PERMILLE..=PERMILLE).contains(&permille));
                prop_assert_eq!(standing == Standing::In, permille == PERMILLE && standing.is_in());
                let end = now + rules.open_max + rules.slow_start;
                let settled = health.standing(rules.slow_start, end).0;
                prop_assert!(matches!(settled, Standing::In | Standing::Unhealthy), "{:?}", settled);
            }
        }
    }
}
