//! What the admin API shows, as JSON; each field is named here, so nothing is shown by accident.

use super::{Rejection, Status};
use crate::telemetry::rfc3339::rfc3339;
use raptorgate_config::model::{Config, HostPattern, PathPattern, Route, RouteMatch, Segment};
use serde_json::{Value, json};

pub(super) fn status(status: &Status) -> Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "generation": status.generation,
        "loaded_at": rfc3339(status.loaded_at),
        "last_rejection": status.last_rejection.as_ref().map(rejection),
        "ready": status.ready,
        "draining": status.draining,
        "in_flight": status.in_flight,
    })
}

pub(super) fn generations(status: &Status) -> Value {
    json!({
        "current": {"generation": status.generation, "loaded_at": rfc3339(status.loaded_at)},
        "last_rejection": status.last_rejection.as_ref().map(rejection),
    })
}

fn rejection(rejection: &Rejection) -> Value {
    json!({"at": rfc3339(rejection.at), "errors": rejection.errors})
}

pub(super) fn routes(config: &Config) -> Value {
    json!({"routes": config.routes.iter().map(|r| route(r)).collect::<Vec<_>>()})
}

fn route(route: &Route) -> Value {
    let blocks: Vec<&str> = [
        ("authenticate", route.authenticate.is_some()),
        ("end_user", route.end_user.is_some()),
        ("execution", route.execution.is_some()),
        ("idempotency", route.idempotency.is_some()),
        ("flood_limits", route.flood_limits.is_some()),
        ("sanitize", route.sanitize.is_some()),
        ("purpose", route.purpose.is_some()),
        ("mask_pii", route.mask_pii.is_some()),
        ("prompt_leak", route.prompt_leak.is_some()),
        ("meter", route.meter.is_some()),
        ("budgets", !route.budgets.is_empty()),
        ("rate_limits", !route.rate_limits.is_empty()),
        ("fault", route.fault.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, on)| on.then_some(name))
    .collect();
    json!({"name": route.name, "match": matches(&route.matches), "upstream": route.upstream, "blocks": blocks})
}

fn matches(matches: &RouteMatch) -> Value {
    let host = matches.host.as_ref().map(|host| match host {
        HostPattern::Exact(name) => name.clone(),
        HostPattern::Suffix(below) => format!("*.{below}"),
    });
    json!({"host": host, "path": path(&matches.path), "methods": matches.methods})
}

fn path(pattern: &PathPattern) -> String {
    let mut text = String::new();
    for segment in &pattern.segments {
        match segment {
            Segment::Literal(literal) => text.push_str(&format!("/{literal}")),
            Segment::Parameter(name) => text.push_str(&format!("/{{{name}}}")),
        }
    }
    match (pattern.prefix, text.is_empty()) {
        (true, _) => text.push_str("/*"),
        (false, true) => text.push('/'),
        (false, false) => {}
    }
    text
}
