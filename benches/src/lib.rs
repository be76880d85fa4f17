//! The load harness: proxies as child processes, one upstream, one client, CPU read from `/proc`.

pub mod contender;
pub mod load;
pub mod report;
pub mod upstream;
pub mod wire;

/// Why a measurement ended early, for a person to read.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
