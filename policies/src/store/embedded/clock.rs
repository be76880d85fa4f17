//! A wall clock that does not step: what it starts at is the system's, what passes is measured by the monotonic clock.
//!
//! # Invariants
//! * It never shows less than it showed before, also over a restart (`time_goes_on_after_a_restart_with_an_earlier_clock`).

use crate::Timestamp;
use std::time::Instant;

/// The clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct SteadyClock {
    started: Instant,
    micros_at_start: u64,
}

impl SteadyClock {
    /// Starts at the system's time, or at `earliest` if that is later.
    pub fn start(earliest: u64) -> Self {
        Self { started: Instant::now(), micros_at_start: Timestamp::now().micros().max(earliest) }
    }

    #[cfg(test)]
    pub fn micros_at_start(&self) -> u64 {
        self.micros_at_start
    }

    /// Microseconds since the epoch.
    pub fn now(&self) -> u64 {
        let passed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.micros_at_start.saturating_add(passed)
    }
}
