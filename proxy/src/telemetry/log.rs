//! The gateway's own log: JSON lines on stderr, chosen by `RAPTORGATE_LOG`.
//!
//! # Invariants
//! * Pingora's own lines are off unless asked for: they hold request lines and addresses (`pingora_is_quiet_by_default`).

use tracing_subscriber::EnvFilter;

/// Environment variable with the filter, in the syntax of `tracing_subscriber::EnvFilter`.
pub const FILTER_VARIABLE: &str = "RAPTORGATE_LOG";
/// The filter if the variable is not set.
pub const DEFAULT_FILTER: &str = "info,pingora_core=off,pingora_proxy=off,pingora_pool=off";

/// Sends `tracing` and `log` to stderr; later calls do nothing.
///
/// # Errors
/// The filter in the environment is not valid.
pub fn init() -> Result<(), String> {
    init_or(DEFAULT_FILTER)
}

/// As [`init`], with another filter if the variable is not set.
///
/// # Errors
/// The filter in the environment is not valid.
pub fn init_or(default: &str) -> Result<(), String> {
    let filter = std::env::var(FILTER_VARIABLE).unwrap_or_else(|_| default.to_owned());
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| format!("{FILTER_VARIABLE}={filter:?} is not a log filter: {error}"))?;
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .finish();
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        // fails only if another bridge is there already
        let _ = tracing_log::LogTracer::init();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn pingora_is_quiet_by_default() {
        let memory = Memory::default();
        let writer = memory.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_env_filter(EnvFilter::try_new(DEFAULT_FILTER).unwrap())
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: "pingora_proxy::proxy_common", "GET /secret-path");
            tracing::error!(target: "pingora_core::services", "10.0.0.1 said CANARY");
            tracing::info!(target: "raptorgate::server", "listening");
        });
        let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("listening") && !text.contains("secret-path") && !text.contains("CANARY"), "{text}");
    }
}
