//! How far a limit is used up, as its caller is told.
//!
//! # Invariants
//! * What is told to be left passes (`what_is_told_to_be_left_passes`).

use crate::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaUnit {
    /// Requests.
    Requests,
    /// Tokens.
    Tokens,
    /// Nano-units of money.
    Cost,
}

/// How far a limit is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The limit's name.
    pub limit: Arc<str>,
    /// What it counts.
    pub unit: QuotaUnit,
    /// How much may come in a window.
    pub quantity: u64,
    /// The window.
    pub window: Duration,
    /// How much may come now.
    pub remaining: u64,
    /// When it is whole again, if nothing else comes; for a limit that refused: when to try again.
    pub resets_in: Duration,
}

impl Quota {
    pub(super) fn new(
        limit: Arc<str>,
        unit: QuotaUnit,
        quantity: u64,
        window_micros: u64,
        arrival: u64,
        now: Timestamp,
    ) -> Self {
        let debt = arrival.saturating_sub(now.micros());
        let free = u128::from(window_micros.saturating_sub(debt));
        // Rounded down: a charge is rounded up.
        let remaining = (free * u128::from(quantity)).checked_div(u128::from(window_micros)).unwrap_or(0);
        Self {
            limit,
            unit,
            quantity,
            window: Duration::from_micros(window_micros),
            remaining: u64::try_from(remaining).unwrap_or(u64::MAX),
            resets_in: Duration::from_micros(debt),
        }
    }

    pub(super) fn used_up(limit: Arc<str>, unit: QuotaUnit, quantity: u64, window_micros: u64, wait: u64) -> Self {
        let (window, resets_in) = (Duration::from_micros(window_micros), Duration::from_micros(wait));
        Self { limit, unit, quantity, window, remaining: 0, resets_in }
    }
}
