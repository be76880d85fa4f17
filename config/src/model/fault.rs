//! What faults made on purpose mean, resolved.

use std::time::Duration;

/// Fault injection.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Wait before the request goes on.
    pub delay: Option<FaultDelay>,
    /// Answer with an error instead.
    pub abort: Option<FaultAbort>,
}

/// A delay for a share of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultDelay {
    /// 0–100.
    pub percent: f64,
    /// How long.
    pub duration: Duration,
}

/// An error for a share of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultAbort {
    /// 0–100.
    pub percent: f64,
    /// 400–599.
    pub status: u16,
}
