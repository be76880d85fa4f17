//! Health and metrics, for probes and Prometheus; there is nothing else on this listener.
//!
//! # Invariants
//! * Ready means that requests are accepted: not before the first configuration, not from SIGTERM on
//!   (`readiness_follows_the_gateway`).

use crate::admin::ControlPanel;
use crate::telemetry::Metrics;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

/// Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `/metrics`, `/livez`, `/readyz`.
pub fn router(panel: Arc<dyn ControlPanel>, metrics: Arc<Metrics>) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(move || std::future::ready(readiness(&*panel))))
        .route("/metrics", get(move || std::future::ready(encoded(&metrics))))
}

fn readiness(panel: &dyn ControlPanel) -> (StatusCode, &'static str) {
    let status = panel.status();
    match (status.draining, status.ready) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        (false, true) => (StatusCode::OK, "ok\n"),
    }
}

fn encoded(metrics: &Metrics) -> Response {
    match metrics.encode() {
        Ok(text) => ([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be encoded");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
