//! What the file may hold about idempotency keys.

use crate::decode::{At, Some1};
use crate::model::OnDuplicate;
use crate::patterns::Method;
use crate::shape::{block, words};
use crate::values::Bytes;
use std::time::Duration;

block! {
    /// `Idempotency-Key`: a request that comes again with the same key is not run again, but answered with the reply of the first.
    pub(crate) struct IdempotencyBlock {
        /// What a request gets whose key is held by one that still runs.
        on_duplicate: OnDuplicate = default("wait"),
        /// How long it waits at most, up to `10m`; beyond: 409 `idempotency_in_progress`.
        wait_max: At<Duration> = default("30s"),
        /// How long a reply is kept, and its key is known; `1m` to `30d`.
        keep: At<Duration> = default("24h"),
        /// Largest reply that is kept, headers included, up to `960 KiB`. Of a larger one it is only known that it was given: 409
        /// `result_not_stored`.
        reply_bytes_max: At<Bytes> = default("256 KiB"),
        /// How long a request has its key unless its gateway renews that: so long others wait for one whose gateway died; `15s` to `10m`.
        lease: At<Duration> = default("2m"),
        /// Whether a request without a key is refused, with 400 `idempotency_key_missing`.
        required: bool = default("false"),
        /// Methods whose keys are looked at.
        methods: Some1<At<Method>> = default("[POST, PATCH]"),
    }
}

words!(OnDuplicate {
    "wait" => OnDuplicate::Wait, "the reply of the one that runs, as soon as there is one";
    "reject" => OnDuplicate::Reject, "409 `idempotency_in_progress`";
});
