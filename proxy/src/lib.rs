//! The guard in front of AI-agent backends: Pingora sessions on one side, the filters on the other.

pub mod admin;
pub mod ops;
pub mod telemetry;
