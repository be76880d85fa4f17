//! The load harness: proxies as child processes, one upstream, one client, CPU read from `/proc`.

pub mod chunked;
pub mod compare;
pub mod contender;
pub mod load;
pub mod machine;
pub mod peers;
pub mod process;
pub mod report;
pub mod statistics;
pub mod tls;
pub mod upstream;
pub mod wire;
pub mod workload;

/// Why a measurement ended early, for a person to read.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
