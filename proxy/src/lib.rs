//! The guard in front of AI-agent backends: Pingora sessions on one side, the filters on the other.

pub mod admin;
pub mod assembly;
pub mod cli;
pub mod control;
pub mod demo;
pub mod edge;
pub mod gateway;
pub mod guard;
pub mod listen;
pub mod ops;
pub mod runtime;
pub mod server;
mod store;
pub mod telemetry;
pub mod tls;
pub mod upstreams;

pub use server::Gateway;
