//! The gateway's own log: JSON lines on stderr, chosen by `RAPTORGATE_LOG`.
//!
//! # Invariants
//! * A level for everything (`debug`, `trace`) does not switch the framework's lines on: they hold request lines, headers with
//!   credentials, and addresses (`no_level_makes_the_framework_talk`). Only naming one of these crates does.
//! * Lines below the wanted level cost nothing, also those of the framework (`what_is_not_logged_is_not_made`).

use tracing_log::{AsLog, LogTracer};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, ParseError};

/// Environment variable with the filter, in the syntax of `tracing_subscriber::EnvFilter`.
pub const FILTER_VARIABLE: &str = "RAPTORGATE_LOG";
/// What stands before every filter. The more special directive wins, so a bare level leaves these as they are.
pub const FRAMEWORK: &str = "pingora_core=off,pingora_proxy=off,pingora_pool=off,h2=off,hyper=off,hyper_util=off";
const DEFAULT_LEVEL: &str = "info";

/// Sends `tracing` and `log` to stderr; later calls do nothing.
///
/// # Errors
/// The filter in the environment is not valid.
pub fn init() -> Result<(), String> {
    init_or(DEFAULT_LEVEL)
}

/// As [`init`], with another level if the variable is not set.
///
/// # Errors
/// The filter in the environment is not valid.
pub fn init_or(level: &str) -> Result<(), String> {
    let wanted = std::env::var(FILTER_VARIABLE).unwrap_or_default();
    let filter =
        filter(level, &wanted).map_err(|error| format!("{FILTER_VARIABLE}={wanted:?} is not a log filter: {error}"))?;
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .finish();
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        // Without a level here, every line of the framework would be made before it is thrown away, with the body's text in it.
        // Fails only if another bridge is there already.
        let _ = LogTracer::init_with_filter(LevelFilter::current().as_log());
    }
    Ok(())
}

/// `wanted` comes last, so that what it names replaces what stands before.
fn filter(level: &str, wanted: &str) -> Result<EnvFilter, ParseError> {
    let wanted = if wanted.trim().is_empty() { level } else { wanted };
    EnvFilter::try_new(format!("{level},{FRAMEWORK},{wanted}"))
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

    fn logged(wanted: &str) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_env_filter(filter(DEFAULT_LEVEL, wanted).unwrap())
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: "pingora_proxy::proxy_common", "GET /CANARY");
            tracing::error!(target: "pingora_core::services", "10.0.0.1 said CANARY");
            tracing::debug!(target: "pingora_core::apps::http_app", "authorization: CANARY");
            tracing::trace!(target: "h2::hpack::decoder", "authorization: CANARY");
            tracing::trace!(target: "hyper::proto::h1::io", "CANARY");
            tracing::info!(target: "raptorgate::server", "listening");
            tracing::debug!(target: "raptorgate::server", "details");
        });
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn no_level_makes_the_framework_talk() {
        for wanted in ["", " ", "info", "debug", "trace", "raptorgate=trace", "trace,raptorgate=info"] {
            let text = logged(wanted);
            assert!(text.contains("listening") && !text.contains("CANARY"), "{wanted:?}: {text}");
        }
        assert!(logged("info,pingora_proxy=error").contains("GET /CANARY"), "unless a crate is named");
    }

    #[test]
    fn a_wanted_level_replaces_the_default() {
        assert!(logged("debug").contains("details"));
        assert!(!logged("").contains("details"));
        assert!(!logged("warn").contains("listening"));
    }

    #[test]
    fn what_is_not_logged_is_not_made() {
        init().unwrap();
        assert!(LevelFilter::current() < LevelFilter::TRACE, "the test's own {FILTER_VARIABLE}");
        assert_eq!(tracing_log::log::max_level(), LevelFilter::current().as_log());
    }

    #[test]
    fn a_wrong_filter_is_an_error() {
        assert!(filter(DEFAULT_LEVEL, "raptorgate=loud").is_err());
    }
}
