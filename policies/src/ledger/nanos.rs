//! Amounts as the ledger keeps them.
//!
//! # Invariants
//! * An amount is an integer of 64 bits and nothing is rounded (`a_sum_that_does_not_fit_is_no_sum`).

use serde::{Deserialize, Serialize};
use std::fmt;

/// Nano-units of the currency of the account that they stand in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Nanos(i64);

impl Nanos {
    /// Nothing.
    pub const ZERO: Nanos = Nanos(0);
    /// The largest amount; what is spent beyond it counts as this much.
    pub const MAX: Nanos = Nanos(i64::MAX);

    /// So many nano-units.
    pub const fn new(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Both together, if that fits.
    pub fn checked_add(self, other: Nanos) -> Option<Nanos> {
        self.0.checked_add(other.0).map(Nanos)
    }

    /// One without the other, if that fits.
    pub fn checked_sub(self, other: Nanos) -> Option<Nanos> {
        self.0.checked_sub(other.0).map(Nanos)
    }

    /// Both together, or the bound.
    pub fn saturating_add(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_add(other.0))
    }

    /// The amount that is nearest to a sum made in 128 bits.
    pub fn clamp(sum: i128) -> Nanos {
        Nanos(i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX }))
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_does_not_fit_is_no_sum() {
        assert_eq!(Nanos::MAX.checked_add(Nanos::new(1)), None);
        assert_eq!(Nanos::new(i64::MIN).checked_sub(Nanos::new(1)), None);
        assert_eq!(Nanos::MAX.saturating_add(Nanos::new(1)), Nanos::MAX);
        assert_eq!(Nanos::clamp(i128::from(i64::MIN) - 1), Nanos::new(i64::MIN));
        assert_eq!(Nanos::new(-5).checked_add(Nanos::new(7)), Some(Nanos::new(2)));
    }
}
