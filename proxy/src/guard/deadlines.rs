//! The time-outs of one request towards its upstream: first byte, idle, total.
//!
//! Pingora has one read time-out for all reads; these are told apart, so each gets its own code.
//!
//! # Invariants
//! * Time is an argument (`each_deadline_has_its_own_name`).

use raptorgate_config::model::Timeouts;
use raptorgate_policies::{Denial, TimeoutPhase};
use std::time::Instant;

/// When this request's patience ends.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    timeouts: Timeouts,
    total: Instant,
    waiting_since: Instant,
    awaiting: TimeoutPhase,
}

impl Deadlines {
    /// A request accepted at `now`.
    pub fn new(timeouts: Timeouts, now: Instant) -> Self {
        let total = now.checked_add(timeouts.total).unwrap_or(now);
        Self { timeouts, total, waiting_since: now, awaiting: TimeoutPhase::FirstByte }
    }

    /// A new attempt: the wait for the first byte begins again.
    pub fn attempt(&mut self, now: Instant) {
        self.waiting_since = now;
        self.awaiting = TimeoutPhase::FirstByte;
    }

    /// The reply's head has come.
    pub fn head(&mut self, now: Instant) {
        self.awaiting = TimeoutPhase::Idle;
        self.waiting_since = now;
    }

    /// Something came from the upstream.
    pub fn activity(&mut self, now: Instant) {
        self.waiting_since = now;
    }

    /// When to look again.
    pub fn next(&self) -> Instant {
        let patience = match self.awaiting {
            TimeoutPhase::Idle => self.timeouts.idle,
            TimeoutPhase::Connect | TimeoutPhase::FirstByte | TimeoutPhase::Total => self.timeouts.first_byte,
        };
        self.waiting_since.checked_add(patience).map_or(self.total, |at| at.min(self.total))
    }

    /// What has run out at `now`.
    pub fn expired(&self, now: Instant) -> Option<Denial> {
        if now >= self.total {
            return Some(Denial::UpstreamTimeout(TimeoutPhase::Total));
        }
        (now >= self.next()).then_some(Denial::UpstreamTimeout(self.awaiting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_deadline_has_its_own_name() {
        let seconds = Duration::from_secs;
        let timeouts = Timeouts { connect: seconds(1), first_byte: seconds(10), idle: seconds(5), total: seconds(20) };
        let start = Instant::now();
        let mut deadlines = Deadlines::new(timeouts, start);
        assert_eq!(deadlines.expired(start + seconds(9)), None);
        assert_eq!(deadlines.expired(start + seconds(10)), Some(Denial::UpstreamTimeout(TimeoutPhase::FirstByte)));
        deadlines.head(start + seconds(9));
        assert_eq!(deadlines.expired(start + seconds(14)), Some(Denial::UpstreamTimeout(TimeoutPhase::Idle)));
        deadlines.activity(start + seconds(14));
        assert_eq!(deadlines.expired(start + seconds(18)), None);
        assert_eq!(deadlines.expired(start + seconds(20)), Some(Denial::UpstreamTimeout(TimeoutPhase::Total)));
    }
}
