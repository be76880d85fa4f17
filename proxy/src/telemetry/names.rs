//! All metrics in one table: registration and docs/metrics.md come from it.
//!
//! # Invariants
//! * docs/metrics.md says what this table says (`the_document_lists_exactly_these_metrics`).
//! * Nothing is registered that is not here, and everything here is (`everything_in_the_table_is_exported`).

/// What kind of metric it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size, with these upper bounds.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Name as exported.
    pub name: &'static str,
    /// Kind.
    pub kind: Kind,
    /// One sentence for operators.
    pub help: &'static str,
    /// Label names, in the order values are given in.
    pub labels: &'static [&'static str],
}

/// Label value for what the configuration does not know.
pub const OTHER: &str = "other";

/// From a cached refusal to a long agent run.
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
/// From a store in memory to one that answers no more.
const STORE_SECONDS: &[f64] =
    &[0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];
/// Buckets of OpenTelemetry's `gen_ai.client.token.usage`.
const TOKENS: &[f64] = &[
    1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0,
    67108864.0,
];
/// Buckets of OpenTelemetry's `gen_ai.server.request.duration` and `gen_ai.server.time_to_first_token`.
const GEN_AI_SECONDS: &[f64] =
    &[0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

const fn metric(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind, help, labels }
}

/// Requests by route and class of the status sent.
pub const REQUESTS: Metric = metric(
    "raptorgate_requests_total",
    Kind::Counter,
    &["route", "status_class"],
    "Requests that ended, by class of the status sent: 1xx to 5xx, or none if the client left before one was.",
);
/// How long requests took.
pub const REQUEST_DURATION: Metric = metric(
    "raptorgate_request_duration_seconds",
    Kind::Histogram(SECONDS),
    &["route"],
    "Time from the request's head read to its end.",
);
/// Where the time went.
pub const PHASE_SECONDS: Metric = metric(
    "raptorgate_phase_seconds_total",
    Kind::Counter,
    &["route", "phase"],
    "Time spent in each phase, summed over requests; divide its rate by the rate of raptorgate_requests_total for a mean.",
);
/// Refusals.
pub const DENIALS: Metric = metric(
    "raptorgate_denials_total",
    Kind::Counter,
    &["route", "code"],
    "Requests refused or not answered, by error code (docs/errors.md).",
);
/// Requests with an idempotency key.
pub const IDEMPOTENT: Metric = metric(
    "raptorgate_idempotent_requests_total",
    Kind::Counter,
    &["route", "result"],
    "Requests with an idempotency key that the store was asked for: new, replayed, waited (for another one's reply), in_progress, mismatch, not_stored or unknown.",
);
/// How requests ended.
pub const ENDS: Metric =
    metric("raptorgate_request_ends_total", Kind::Counter, &["route", "end"], "Requests by the way they ended.");
/// Attempts at upstreams.
pub const UPSTREAM_ATTEMPTS: Metric = metric(
    "raptorgate_upstream_attempts_total",
    Kind::Counter,
    &["upstream", "result"],
    "Attempts at an upstream, by result; more attempts than requests means retries.",
);
/// Time to the upstream's first byte.
pub const UPSTREAM_FIRST_BYTE: Metric = metric(
    "raptorgate_upstream_first_byte_seconds",
    Kind::Histogram(SECONDS),
    &["upstream"],
    "Time from the request sent to the first byte of the upstream's reply.",
);
/// Connections to upstreams.
pub const UPSTREAM_CONNECTIONS: Metric = metric(
    "raptorgate_upstream_connections_total",
    Kind::Counter,
    &["upstream", "kind"],
    "Connections that attempts got, new (opened) or from the pool (reused).",
);
/// Requests at an upstream.
pub const UPSTREAM_IN_FLIGHT: Metric = metric(
    "raptorgate_upstream_requests_in_flight",
    Kind::Gauge,
    &["upstream"],
    "Requests at an upstream; bounded by pool.requests_max.",
);
/// Requests that wait for room at an upstream.
pub const UPSTREAM_WAITING: Metric = metric(
    "raptorgate_upstream_requests_waiting",
    Kind::Gauge,
    &["upstream"],
    "Requests that wait for room at an upstream; bounded by pool.pending_max.",
);
/// Requests without room at an upstream.
pub const UPSTREAM_OVERFLOWS: Metric = metric(
    "raptorgate_upstream_overflows_total",
    Kind::Counter,
    &["upstream", "reason"],
    "Requests refused with upstream_overloaded: too many wait already (full), or it waited too long (timeout).",
);
/// Endpoints by state.
pub const UPSTREAM_ENDPOINTS: Metric = metric(
    "raptorgate_upstream_endpoints",
    Kind::Gauge,
    &["upstream", "state"],
    "Endpoints of an upstream by state, once a second.",
);
/// Health checks.
pub const UPSTREAM_HEALTH_CHECKS: Metric = metric(
    "raptorgate_upstream_health_checks_total",
    Kind::Counter,
    &["upstream", "result"],
    "Active health checks, by result.",
);
/// Ejections.
pub const UPSTREAM_EJECTIONS: Metric = metric(
    "raptorgate_upstream_ejections_total",
    Kind::Counter,
    &["upstream"],
    "Endpoints left out for a while because their requests failed.",
);
/// Attempts while every endpoint was out.
pub const UPSTREAM_PANIC_ATTEMPTS: Metric = metric(
    "raptorgate_upstream_panic_attempts_total",
    Kind::Counter,
    &["upstream"],
    "Attempts made although every endpoint was unhealthy or ejected.",
);
/// Look-ups of host names.
pub const UPSTREAM_LOOKUPS: Metric = metric(
    "raptorgate_upstream_dns_lookups_total",
    Kind::Counter,
    &["upstream", "result"],
    "Look-ups of host names of endpoints, by result.",
);
/// Requests in flight.
pub const IN_FLIGHT: Metric =
    metric("raptorgate_in_flight_requests", Kind::Gauge, &[], "Requests accepted and not yet ended.");
/// Open client connections.
pub const CONNECTIONS: Metric =
    metric("raptorgate_connections", Kind::Gauge, &["listener"], "Open client connections, by listener address.");
/// Accepted client connections.
pub const CONNECTIONS_TOTAL: Metric = metric(
    "raptorgate_connections_total",
    Kind::Counter,
    &["listener"],
    "Client connections accepted, by listener address.",
);
/// Refused client connections.
pub const CONNECTIONS_REFUSED: Metric = metric(
    "raptorgate_connections_refused_total",
    Kind::Counter,
    &["listener", "reason"],
    "Client connections closed without being served: connections, connections_per_address, untrusted, proxy_header, handshake or silent.",
);
/// When certificates expire.
pub const CERTIFICATE_EXPIRY: Metric = metric(
    "raptorgate_certificate_expiry_timestamp_seconds",
    Kind::Gauge,
    &["listener", "certificate"],
    "When a listener's certificate expires, as Unix time; by listener address and certificate file as configured.",
);
/// Bytes of bodies held in memory.
pub const BUFFERED_BYTES: Metric =
    metric("raptorgate_buffered_bytes", Kind::Gauge, &[], "Bytes of bodies held in memory over all requests.");
/// Holds of requests that run.
pub const HOLDS_OPEN: Metric = metric(
    "raptorgate_holds_open",
    Kind::Gauge,
    &[],
    "Holds on budgets and limits of requests that run in this gateway, once a second.",
);
/// Endings that wait for the store.
pub const ENDINGS_UNTOLD: Metric = metric(
    "raptorgate_endings_untold",
    Kind::Gauge,
    &[],
    "Ended requests that the store could not be told of yet; they are sent until it takes them.",
);
/// For how long endings wait.
pub const ENDINGS_UNTOLD_SECONDS: Metric = metric(
    "raptorgate_endings_untold_seconds",
    Kind::Gauge,
    &[],
    "For how long the store has taken none of the ended requests that wait for it; 0 if none waits.",
);
/// How long the store takes.
pub const STORE_DURATION: Metric = metric(
    "raptorgate_store_duration_seconds",
    Kind::Histogram(STORE_SECONDS),
    &["operation"],
    "Duration of the store's operations; time-outs included.",
);
/// Operations that the store did not answer.
pub const STORE_ERRORS: Metric = metric(
    "raptorgate_store_errors_total",
    Kind::Counter,
    &["operation", "class"],
    "Operations that the store failed, by class: what was refused by a limit is not among them.",
);
/// What became of endings.
pub const SETTLEMENTS: Metric = metric(
    "raptorgate_settlements_total",
    Kind::Counter,
    &["ending"],
    "Ended requests that the store took: charged or not, in time or late, or known already.",
);
/// A store that was set back.
pub const STORE_SET_BACK: Metric = metric(
    "raptorgate_store_set_back_total",
    Kind::Counter,
    &[],
    "How often the store had lost endings that it once had, and was told them again from this gateway's journal.",
);
/// Bytes of replies read ahead of clients.
pub const READ_AHEAD_BYTES: Metric = metric(
    "raptorgate_read_ahead_bytes",
    Kind::Gauge,
    &[],
    "Bytes of replies that were read from HTTP/1.1 upstreams and not taken by their clients yet.",
);
/// Tokens.
pub const TOKENS_TOTAL: Metric = metric(
    "raptorgate_tokens_total",
    Kind::Counter,
    &["route", "model", "direction"],
    "Tokens metered; cached_input is the part of input that the provider read from its cache.",
);
/// Cost.
pub const COST_NANOS: Metric = metric(
    "raptorgate_cost_nanos_total",
    Kind::Counter,
    &["route", "model", "currency"],
    "Cost of metered tokens in nano-units (10^-9) of the currency; an integer, so that no paisa is lost.",
);
/// Attempts that nobody pays for.
pub const WASTED_ATTEMPTS: Metric = metric(
    "raptorgate_wasted_attempts_total",
    Kind::Counter,
    &["route", "upstream"],
    "Attempts that were sent to an upstream and failed: its provider may charge for them, and no caller is charged.",
);
/// What they cost.
pub const WASTE_NANOS: Metric = metric(
    "raptorgate_waste_nanos_total",
    Kind::Counter,
    &["route", "upstream", "currency"],
    "What their prompts are believed to have cost, in nano-units (10^-9) of the currency.",
);
/// Requests without a price.
pub const UNPRICED: Metric = metric(
    "raptorgate_unpriced_requests_total",
    Kind::Counter,
    &["route"],
    "Metered requests whose model has no price; their cost is 0.",
);
/// Requests whose tokens were estimated.
pub const ESTIMATED: Metric = metric(
    "raptorgate_estimated_requests_total",
    Kind::Counter,
    &["route"],
    "Metered requests whose tokens were counted from what passed, because the upstream gave no usage.",
);
/// Injection findings.
pub const SANITIZED: Metric = metric(
    "raptorgate_sanitized_total",
    Kind::Counter,
    &["route", "action"],
    "Prompt injection findings, by what was done: strip, block, neutralise, flag, report, or shadow.",
);
/// Requests for something else than their route is for.
pub const OFF_PURPOSE: Metric = metric(
    "raptorgate_off_purpose_total",
    Kind::Counter,
    &["route", "label", "action"],
    "Requests for something else than their route is for, by label, and what was done: block, flag, report or shadow.",
);
/// Masked values.
pub const MASKED: Metric = metric(
    "raptorgate_masked_total",
    Kind::Counter,
    &["route", "direction", "type"],
    "Personal data found and masked, by direction and type.",
);
/// Replies that gave the system prompt away.
pub const PROMPT_LEAKS: Metric = metric(
    "raptorgate_prompt_leaks_total",
    Kind::Counter,
    &["route", "action"],
    "Replies that gave the system prompt away, withheld or cut (block) or sent (report).",
);
/// Panics in filters.
pub const FILTER_PANICS: Metric = metric(
    "raptorgate_filter_panics_total",
    Kind::Counter,
    &["filter"],
    "Panics in a filter; each answered 500 for one request. Any is a defect worth a report.",
);
/// Number of the generation that is served.
pub const CONFIG_GENERATION: Metric =
    metric("raptorgate_config_generation", Kind::Gauge, &[], "Number of the configuration generation that is served.");
/// Reloads.
pub const CONFIG_RELOADS: Metric = metric(
    "raptorgate_config_reloads_total",
    Kind::Counter,
    &["result"],
    "Configurations read after the start: accepted, rejected, or unchanged.",
);
/// When a configuration was last refused.
pub const CONFIG_LAST_REJECTION: Metric = metric(
    "raptorgate_config_last_rejection_timestamp_seconds",
    Kind::Gauge,
    &[],
    "When a configuration was last rejected, as Unix time; 0 if none was.",
);
/// Access log lines lost.
pub const ACCESS_LOG_DROPPED: Metric = metric(
    "raptorgate_access_log_dropped_total",
    Kind::Counter,
    &[],
    "Access log records dropped because the log's output did not keep up or failed.",
);
/// The version.
pub const BUILD_INFO: Metric =
    metric("raptorgate_build_info", Kind::Gauge, &["version"], "Always 1; names the version.");
/// OpenTelemetry: tokens per call.
pub const GEN_AI_TOKENS: Metric = metric(
    "gen_ai_client_token_usage",
    Kind::Histogram(TOKENS),
    &["gen_ai_response_model", "gen_ai_token_type"],
    "Tokens per metered request (OpenTelemetry gen_ai.client.token.usage).",
);
/// OpenTelemetry: duration per call.
pub const GEN_AI_DURATION: Metric = metric(
    "gen_ai_server_request_duration_seconds",
    Kind::Histogram(GEN_AI_SECONDS),
    &["gen_ai_response_model"],
    "Duration of metered requests (OpenTelemetry gen_ai.server.request.duration).",
);
/// OpenTelemetry: time to first token.
pub const GEN_AI_FIRST_TOKEN: Metric = metric(
    "gen_ai_server_time_to_first_token_seconds",
    Kind::Histogram(GEN_AI_SECONDS),
    &["gen_ai_response_model"],
    "Time to the first byte of the reply of metered requests (OpenTelemetry gen_ai.server.time_to_first_token).",
);

/// Everything that is exported.
pub const ALL: &[Metric] = &[
    REQUESTS,
    REQUEST_DURATION,
    PHASE_SECONDS,
    DENIALS,
    IDEMPOTENT,
    ENDS,
    UPSTREAM_ATTEMPTS,
    UPSTREAM_FIRST_BYTE,
    UPSTREAM_CONNECTIONS,
    UPSTREAM_IN_FLIGHT,
    UPSTREAM_WAITING,
    UPSTREAM_OVERFLOWS,
    UPSTREAM_ENDPOINTS,
    UPSTREAM_HEALTH_CHECKS,
    UPSTREAM_EJECTIONS,
    UPSTREAM_PANIC_ATTEMPTS,
    UPSTREAM_LOOKUPS,
    IN_FLIGHT,
    CONNECTIONS,
    CONNECTIONS_TOTAL,
    CONNECTIONS_REFUSED,
    CERTIFICATE_EXPIRY,
    BUFFERED_BYTES,
    HOLDS_OPEN,
    ENDINGS_UNTOLD,
    ENDINGS_UNTOLD_SECONDS,
    STORE_DURATION,
    STORE_ERRORS,
    SETTLEMENTS,
    STORE_SET_BACK,
    READ_AHEAD_BYTES,
    TOKENS_TOTAL,
    COST_NANOS,
    WASTED_ATTEMPTS,
    WASTE_NANOS,
    UNPRICED,
    ESTIMATED,
    SANITIZED,
    OFF_PURPOSE,
    MASKED,
    PROMPT_LEAKS,
    FILTER_PANICS,
    CONFIG_GENERATION,
    CONFIG_RELOADS,
    CONFIG_LAST_REJECTION,
    ACCESS_LOG_DROPPED,
    BUILD_INFO,
    GEN_AI_TOKENS,
    GEN_AI_DURATION,
    GEN_AI_FIRST_TOKEN,
];

/// The table as Markdown, as it stands in docs/metrics.md.
pub fn markdown_table() -> String {
    let mut text = String::from("| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for metric in ALL {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        text.push_str(&format!("| `{}` | {kind} | {} | {} |\n", metric.name, labels.join(" "), metric.help));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_have_units() {
        let names: HashSet<_> = ALL.iter().map(|m| m.name).collect();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
        }
    }

    #[test]
    fn the_document_lists_exactly_these_metrics() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
        let document = std::fs::read_to_string(path).unwrap();
        let table = markdown_table();
        assert!(document.contains(&table), "docs/metrics.md must hold this table:\n{table}");
    }
}
