//! What the gateway tells its operators: metrics, the access log, its own log.
//!
//! # Invariants
//! * No query, header value, body or prompt is written anywhere (`a_record_has_no_query`; [`access_record::AccessRecord`] has no field for them).
//! * Label values come from the configuration or from enums (`unknown_models_share_one_label`).

pub mod access_log;
pub mod access_record;
pub mod json_line;
pub mod log;
pub mod metrics;
pub mod names;
pub mod rfc3339;
pub mod route_metrics;
pub mod store_metrics;
pub mod upstream_metrics;

pub use access_log::AccessLog;
pub use access_record::{AccessRecord, EndKind, Phase, PhaseMicros, Protocol, RecordedUsage};
pub use metrics::Metrics;
pub use route_metrics::{ListenerMetrics, RouteMetrics};
pub use upstream_metrics::{AttemptResult, UpstreamMetrics};
