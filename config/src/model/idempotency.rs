//! Idempotency keys and execution locks.

use std::time::Duration;

/// What holds for requests with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// What a request gets whose key is held by one that still runs.
    pub on_duplicate: OnDuplicate,
    /// How long it waits at most.
    pub wait_max: Duration,
    /// How long a reply is kept, and its key is known.
    pub keep: Duration,
    /// Largest reply that is kept, headers included.
    pub reply_bytes_max: usize,
    /// How long a request has its key unless its gateway renews that.
    pub lease: Duration,
    /// A request without a key is refused.
    pub required: bool,
    /// Methods whose keys are looked at; upper case, never empty.
    pub methods: Vec<String>,
}

/// What a request gets whose key is held by one that still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDuplicate {
    /// It waits for the reply of the one that runs.
    Wait,
    /// 409 `idempotency_in_progress`.
    Reject,
}

/// Requests of the same execution run one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionLock {
    /// How long a request waits for the one before it.
    pub wait_max: Duration,
}
