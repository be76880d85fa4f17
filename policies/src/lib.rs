//! raptorgate's decisions and shared state. Nothing here knows HTTP.

pub mod admission;
pub mod archive;
pub mod balance;
pub mod buffers;
pub mod client_certificate;
pub mod clock;
mod crash;
pub mod denial;
pub mod endpoint_health;
pub mod flood;
pub mod identity;
pub mod journal;
pub mod keys;
pub mod ledger;
pub mod pricing;
pub mod request_id;
pub mod resolution;
pub mod seal;
#[cfg(test)]
mod simulation;
pub mod store;
pub mod totals;
pub mod trace;
pub mod usage;

pub use clock::Timestamp;
pub use denial::{Denial, TimeoutPhase};
pub use identity::Identity;
pub use usage::Usage;
