//! How long a body that comes slowly is waited for: a grace, and then as long as its rate allows.
//!
//! # Invariants
//! * Only time in which something was asked for counts (`a_body_pays_for_its_time_with_its_bytes`).

use std::time::{Duration, Instant};

/// How long a body may trickle before its rate is looked at.
const RATE_GRACE: Duration = Duration::from_secs(10);

/// The pace of one body.
#[derive(Clone, Copy, Debug)]
pub struct BodyPace {
    /// Bytes per second; 0: any pace is good.
    rate_min: u64,
    bytes: u64,
    waited: Duration,
    waiting_since: Option<Instant>,
}

impl BodyPace {
    /// A body of which nothing has come. `rate_min`: bytes per second; 0: any.
    pub fn new(rate_min: u64) -> Self {
        Self { rate_min, bytes: 0, waited: Duration::ZERO, waiting_since: None }
    }

    /// Something is asked for at `now` and is not there: until when that is good; `None`: for ever.
    pub fn wait(&mut self, now: Instant) -> Option<Instant> {
        let paid = Duration::from_secs(self.bytes.checked_div(self.rate_min)?);
        let since = *self.waiting_since.get_or_insert(now);
        let left = paid.saturating_add(RATE_GRACE).saturating_sub(self.waited);
        Some(since.checked_add(left).unwrap_or(since))
    }

    /// Something came at `now`: the time until then was spent waiting for the client.
    pub fn came(&mut self, now: Instant) {
        if let Some(since) = self.waiting_since.take() {
            self.waited = self.waited.saturating_add(now.saturating_duration_since(since));
        }
    }

    /// So many bytes of the body came.
    pub fn count(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// The next body begins.
    pub fn restart(&mut self) {
        *self = Self::new(self.rate_min);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_pays_for_its_time_with_its_bytes() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pace = BodyPace::new(100);
        assert_eq!(pace.wait(at(0)), Some(at(10)));
        assert_eq!(pace.wait(at(4)), Some(at(10)), "asking again begins no new wait");
        pace.came(at(6));
        pace.count(500);
        // 6 of 10 + 5 seconds are gone; from 6 to 60 nobody asked
        assert_eq!(pace.wait(at(60)), Some(at(69)));
        pace.came(at(69));
        assert_eq!(pace.wait(at(70)), Some(at(70)), "nothing is left");
        pace.restart();
        assert_eq!(pace.wait(at(70)), Some(at(80)));
        assert_eq!(BodyPace::new(0).wait(start), None);
    }
}
