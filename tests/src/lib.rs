//! The harness of the end-to-end tests: a recording upstream, a gateway process, and clients that see every byte.
//!
//! # Invariants
//! * What judges the gateway stands outside it: the upstream is a process of its own with its own log, and neither it nor
//!   the clients share HTTP code with the gateway (`tests/harness.rs` proves both against each other).
//! * Nothing waits by sleeping: [`poll`] looks again until a deadline, and the upstream waits for named signals.

pub mod accounts;
pub mod certificates;
pub mod coded;
pub mod conformance;
pub mod dns_stub;
pub mod fuzz;
pub mod gateway;
pub mod h1;
pub mod h2_client;
pub mod machine;
pub mod poll;
pub mod python;
pub mod redis;
pub mod reply;
pub mod upstream;
pub mod wire;
