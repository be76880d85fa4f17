//! The contract of the stores: the same laws on every implementation, random operations compared with the state machine,
//! and the ways in which a server fails. The servers are real ones, started here on free ports.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod contract;
mod fault_proxy;
mod laws;
mod model;
mod operations;
mod redis_checks;
mod redis_faults;
mod redis_layout;
mod redis_outages;
mod reference;
mod servers;
