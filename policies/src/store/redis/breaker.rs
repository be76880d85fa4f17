//! Leaves a store alone that does not answer, and looks again from time to time.
//!
//! # Invariants
//! * After some failures in a row nobody asks, until a pause is over; then one asks (`a_store_that_fails_is_left_alone`).
//! * Pauses double up to a bound, and begin anew after a success (`pauses_double_up_to_a_bound`).
//! * Who asked before the pause decides nothing after it (`old_news_changes_nothing`).
//! * A request that was given up while it looked again locks nobody out (`a_probe_that_never_returns_is_replaced`).

use std::time::{Duration, Instant};

/// When a store is left alone, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerOptions {
    /// Failures in a row after which nobody asks.
    pub failures_max: u32,
    /// The first pause.
    pub pause_min: Duration,
    /// The longest pause.
    pub pause_max: Duration,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self { failures_max: 5, pause_min: Duration::from_millis(200), pause_max: Duration::from_secs(2) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Everybody asks.
    Closed { failures: u32 },
    /// Nobody asks.
    Open { until: Instant },
    /// One asks; another one may if that one has not come back by then.
    HalfOpen { until: Instant },
}

/// The right to ask once. Whoever has it tells how it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Ticket(u64);

/// The state machine; the time and the chance are arguments.
#[derive(Debug)]
pub struct Breaker {
    options: BreakerOptions,
    state: State,
    pause: Duration,
    epoch: u64,
}

impl Breaker {
    /// One that lets everybody ask.
    pub fn new(options: BreakerOptions) -> Self {
        Self { options, state: State::Closed { failures: 0 }, pause: options.pause_min, epoch: 0 }
    }

    /// Whether to ask.
    pub fn ask(&mut self, now: Instant) -> Option<Ticket> {
        match self.state {
            State::Closed { .. } => {}
            State::Open { until } | State::HalfOpen { until } if until <= now => {
                self.state = State::HalfOpen { until: now + self.pause };
                self.epoch += 1;
            }
            State::Open { .. } | State::HalfOpen { .. } => return None,
        }
        Some(Ticket(self.epoch))
    }

    /// It answered.
    pub fn succeeded(&mut self, ticket: Ticket) {
        if ticket.0 == self.epoch {
            self.state = State::Closed { failures: 0 };
            self.pause = self.options.pause_min;
        }
    }

    /// It did not. `chance` is any number: gateways that failed together do not come back together.
    pub fn failed(&mut self, ticket: Ticket, now: Instant, chance: u64) {
        if ticket.0 != self.epoch {
            return;
        }
        let failures = match self.state {
            State::Closed { failures } => failures + 1,
            State::HalfOpen { .. } => self.options.failures_max,
            State::Open { .. } => return,
        };
        if failures < self.options.failures_max {
            self.state = State::Closed { failures };
            return;
        }
        // between three quarters of a pause and a whole one
        let quarter = u64::try_from(self.pause.as_micros() / 4).unwrap_or(u64::MAX);
        let less = Duration::from_micros(chance % quarter.max(1));
        self.state = State::Open { until: now + self.pause.saturating_sub(less) };
        self.pause = (self.pause * 2).min(self.options.pause_max);
        self.epoch += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn fail(breaker: &mut Breaker, now: Instant, times: u32) {
        for _ in 0..times {
            let ticket = breaker.ask(now).unwrap();
            breaker.failed(ticket, now, 0);
        }
    }

    #[test]
    fn a_store_that_fails_is_left_alone() {
        let (mut breaker, start) = (Breaker::new(BreakerOptions::default()), Instant::now());
        fail(&mut breaker, start, 4);
        let ticket = breaker.ask(start).unwrap();
        breaker.succeeded(ticket);
        fail(&mut breaker, start, 5);
        assert_eq!(breaker.ask(start + ms(199)), None);
        let probe = breaker.ask(start + ms(200)).unwrap();
        assert_eq!(breaker.ask(start + ms(200)), None, "one looks, the others wait");
        breaker.succeeded(probe);
        fail(&mut breaker, start + ms(201), 4);
        assert!(breaker.ask(start + ms(201)).is_some());
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        let (mut breaker, start) = (Breaker::new(BreakerOptions::default()), Instant::now());
        fail(&mut breaker, start, 5);
        let mut now = start;
        for pause in [200, 400, 800, 1600, 2000, 2000] {
            assert_eq!(breaker.ask(now + ms(pause - 1)), None);
            now += ms(pause);
            fail(&mut breaker, now, 1);
        }
        let probe = breaker.ask(now + ms(2000)).unwrap();
        breaker.succeeded(probe);
        fail(&mut breaker, now, 5);
        assert!(breaker.ask(now + ms(200)).is_some());
    }

    #[test]
    fn chance_shortens_a_pause_by_a_quarter_at_most() {
        for chance in [0, 1, 49_999, 50_000, u64::MAX] {
            let (mut breaker, start) = (Breaker::new(BreakerOptions::default()), Instant::now());
            fail(&mut breaker, start, 4);
            let ticket = breaker.ask(start).unwrap();
            breaker.failed(ticket, start, chance);
            assert_eq!(breaker.ask(start + ms(149)), None);
            assert!(breaker.ask(start + ms(200)).is_some());
        }
    }

    #[test]
    fn old_news_changes_nothing() {
        let (mut breaker, start) = (Breaker::new(BreakerOptions::default()), Instant::now());
        let old: Vec<Ticket> = (0..100).map(|_| breaker.ask(start).unwrap()).collect();
        old.iter().for_each(|ticket| breaker.failed(*ticket, start, 0));
        let probe = breaker.ask(start + ms(200)).unwrap();
        breaker.succeeded(old[0]);
        assert_eq!(breaker.ask(start + ms(200)), None);
        breaker.succeeded(probe);
        (0..10).for_each(|at| breaker.failed(old[at], start, 0));
        assert!(breaker.ask(start + ms(200)).is_some());
    }

    #[test]
    fn a_probe_that_never_returns_is_replaced() {
        let (mut breaker, start) = (Breaker::new(BreakerOptions::default()), Instant::now());
        fail(&mut breaker, start, 5);
        let _lost = breaker.ask(start + ms(200)).unwrap();
        assert_eq!(breaker.ask(start + ms(599)), None);
        assert!(breaker.ask(start + ms(600)).is_some());
    }
}
