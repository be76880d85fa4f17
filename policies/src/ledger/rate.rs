//! The generic cell rate algorithm on whole microseconds: one number for each limited subject.
//!
//! A charge of `n` units against a limit of `q` units in a window of `w` microseconds moves the theoretical arrival
//! time by `n × w ÷ q`, rounded up by whoever makes the charge. The store itself knows neither units nor limits.
//!
//! # Invariants
//! * From rest, at most one whole window's worth passes at once (`a_burst_is_one_window`).
//! * A refusal tells the exact time after which the same charge passes (`the_told_wait_is_exact`).
//! * No clock that steps and no settled surplus locks anybody out for longer than two windows
//!   (`a_debt_is_two_windows_at_most`).

use serde::{Deserialize, Serialize};

/// One charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateStep {
    /// What it moves the arrival time by, in microseconds.
    pub increment_micros: u64,
    /// The limit's window in microseconds.
    pub window_micros: u64,
}

/// Why a charge does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateRefusal {
    /// It will, after so many microseconds, if nobody else comes.
    After(u64),
    /// It is larger than what passes in a whole window.
    Never,
}

impl RateStep {
    /// The charge of `units` against a limit of `quantity` units in a window.
    pub fn of(units: u64, quantity: u64, window_micros: u64) -> Self {
        let increment = (u128::from(units) * u128::from(window_micros)).div_ceil(u128::from(quantity.max(1)));
        // 2^62: sums of two do not overflow
        let increment_micros = u64::try_from(increment).unwrap_or(u64::MAX).min(1 << 62);
        Self { increment_micros, window_micros }
    }

    /// The arrival time after this charge.
    pub fn take(self, arrival: u64, now: u64) -> Result<u64, RateRefusal> {
        if self.increment_micros > self.window_micros {
            return Err(RateRefusal::Never);
        }
        let next = self.resting(arrival, now).saturating_add(self.increment_micros);
        let latest = now.saturating_add(self.window_micros);
        if next <= latest { Ok(next) } else { Err(RateRefusal::After(next - latest)) }
    }

    /// What arrival time counts now: never in the past, never more than two windows ahead.
    pub fn resting(self, arrival: u64, now: u64) -> u64 {
        arrival.clamp(now, now.saturating_add(self.window_micros.saturating_mul(2)))
    }
}

/// What a settled request gives back or takes in addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateCorrection {
    /// Moves the arrival time; negative gives back.
    pub delta_micros: i64,
    /// The limit's window in microseconds.
    pub window_micros: u64,
}

impl RateCorrection {
    /// The arrival time after the correction; `None`: at rest, nothing need be remembered.
    pub fn apply(self, arrival: u64, now: u64) -> Option<u64> {
        let step = RateStep { increment_micros: 0, window_micros: self.window_micros };
        let moved = step.resting(arrival, now).saturating_add_signed(self.delta_micros);
        let moved = step.resting(moved, now);
        (moved > now).then_some(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_is_one_window() {
        let step = RateStep::of(1, 60, 60_000_000);
        let (mut arrival, mut passed) = (0, 0);
        while let Ok(next) = step.take(arrival, 1_000) {
            (arrival, passed) = (next, passed + 1);
        }
        assert_eq!(passed, 60);
        assert_eq!(step.take(arrival, 1_000), Err(RateRefusal::After(1_000_000)));
        assert_eq!(RateStep::of(61, 60, 60_000_000).take(0, 0), Err(RateRefusal::Never));
    }

    #[test]
    fn a_debt_is_two_windows_at_most() {
        let step = RateStep::of(1, 1, 1_000);
        assert_eq!(step.take(u64::MAX, 5_000), Err(RateRefusal::After(2_000)));
        let surplus = RateCorrection { delta_micros: i64::MAX, window_micros: 1_000 };
        assert_eq!(surplus.apply(0, 5_000), Some(7_000));
        let back = RateCorrection { delta_micros: i64::MIN, window_micros: 1_000 };
        assert_eq!(back.apply(6_000, 5_000), None);
    }

    proptest! {
        #[test]
        fn the_told_wait_is_exact(
            units in 1..100_u64, quantity in 1..100_u64, window in 1..10_000_000_u64, arrival in 0..30_000_000_u64, now in 0..20_000_000_u64,
        ) {
            let step = RateStep::of(units, quantity, window);
            match step.take(arrival, now) {
                Ok(next) => prop_assert!(next <= now + window),
                Err(RateRefusal::Never) => prop_assert!(step.increment_micros > window),
                Err(RateRefusal::After(wait)) => {
                    // a wait is told from what counts now: a debt that was forgiven stays forgiven
                    let arrival = step.resting(arrival, now);
                    prop_assert!(step.take(arrival, now + wait).is_ok());
                    prop_assert!(step.take(arrival, now + wait - 1).is_err());
                }
            }
        }
    }
}
