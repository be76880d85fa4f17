//! raptorgate's decisions and shared state. Nothing here knows HTTP.

pub mod clock;
pub mod denial;
pub mod identity;
pub mod keys;
pub mod usage;

pub use clock::Timestamp;
pub use denial::{Denial, TimeoutPhase};
pub use identity::Identity;
pub use usage::Usage;
