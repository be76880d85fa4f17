//! The admin API: look at what is served, reload it, read the totals. On a listener of its own, never on the data listeners.
//!
//! # Invariants
//! * Nothing is answered without the token and a known `Host` (`only_the_token_and_known_hosts_open_the_door`).
//! * Every error is a problem document (`every_error_is_a_problem_document`).
//! * No secret and no prompt is in any answer: routes and accounts are listed by fields named here.

mod accounts;
mod door;
mod ledger;
mod problem;
mod upstreams;
mod views;

pub use door::make_token;

use crate::runtime::upstream::UpstreamSet;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use door::Door;
use problem::Problem;
use raptorgate_config::Problems;
use raptorgate_config::model::Config;
use raptorgate_config::units::Secret;
use raptorgate_policies::Timestamp;
use raptorgate_policies::store::Store;
use raptorgate_policies::totals::Totals;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// What the admin API shows and moves.
pub trait ControlPanel: Send + Sync + 'static {
    /// What is served now.
    fn status(&self) -> Status;
    /// Reads the configuration again and serves it if it is valid; the name of the generation. Blocking.
    ///
    /// # Errors
    /// Everything that is wrong with it; what was served is served on.
    fn reload(&self) -> Result<String, Problems>;
    /// Totals by tenant and user.
    fn totals(&self) -> Arc<Totals>;
    /// Money, limits and keys, if anything needs them.
    fn store(&self) -> Option<Arc<dyn Store>>;
    /// The configuration that is served.
    fn config(&self) -> Arc<Config>;
    /// The upstreams that are served.
    fn upstreams(&self) -> Vec<Arc<UpstreamSet>>;
}

/// What is served now.
#[derive(Clone, Debug)]
pub struct Status {
    /// The generation: `7-1f3a9c2e`.
    pub generation: String,
    /// Since when.
    pub loaded_at: Timestamp,
    /// The last configuration that was refused, if one was.
    pub last_rejection: Option<Rejection>,
    /// Requests are accepted.
    pub ready: bool,
    /// The gateway was told to stop.
    pub draining: bool,
    /// Requests in flight.
    pub in_flight: u64,
}

/// A configuration that was refused.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// When.
    pub at: Timestamp,
    /// `{file,line,column,code,message,help}` each.
    pub errors: Vec<Value>,
}

type Panel = Arc<dyn ControlPanel>;

/// The API. `hosts` are values of `Host` that are answered besides `localhost` and loopback addresses.
pub fn router(panel: Panel, token: Secret, hosts: Vec<String>) -> Router {
    let door = Arc::new(Door::new(&token, &hosts));
    Router::new()
        .route("/healthz", get(|| async { Json(json!({"status": "ok"})) }))
        .route("/api/v1/status", get(status))
        .route("/api/v1/generations", get(generations))
        .route("/api/v1/reload", post(reload))
        .route("/api/v1/routes", get(routes))
        .route("/api/v1/upstreams", get(upstreams))
        .route("/api/v1/accounts", get(accounts::list))
        .route("/api/v1/accounts/{tenant}/{user}", get(accounts::one))
        .route("/api/v1/ledger", get(ledger::tenants))
        .route("/api/v1/ledger/{tenant}/accounts", get(ledger::accounts))
        .route("/api/v1/ledger/{tenant}/accounts/{account}", get(ledger::account))
        .route("/api/v1/ledger/{tenant}/limits", post(ledger::set_limit))
        .route("/api/v1/ledger/{tenant}/credits", post(ledger::credit))
        .route("/api/v1/ledger/{tenant}/entries", get(ledger::entries))
        .route("/api/v1/ledger/{tenant}/trim", post(ledger::trim))
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such resource") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "the resource does not take this method")
        })
        .layer(middleware::from_fn_with_state(door, door::enter))
        .with_state(panel)
}

async fn status(State(panel): State<Panel>) -> Json<Value> {
    Json(views::status(&panel.status()))
}

async fn generations(State(panel): State<Panel>) -> Json<Value> {
    Json(views::generations(&panel.status()))
}

async fn routes(State(panel): State<Panel>) -> Json<Value> {
    Json(views::routes(&panel.config()))
}

async fn upstreams(State(panel): State<Panel>) -> Json<Value> {
    let now = Instant::now();
    let upstreams: Vec<Value> = panel.upstreams().iter().map(|set| upstreams::upstream(set, now)).collect();
    Json(json!({"upstreams": upstreams}))
}

async fn reload(State(panel): State<Panel>) -> Response {
    // a file is read and filters are compiled: not on a thread that serves requests
    match tokio::task::spawn_blocking(move || panel.reload()).await {
        Ok(Ok(generation)) => Json(json!({"generation": generation})).into_response(),
        Ok(Err(problems)) => {
            let errors: Vec<Value> = problems.iter().map(raptorgate_config::Problem::to_json).collect();
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "configuration_rejected", "what was served is served on")
                .with("errors", errors.into())
                .into_response()
        }
        Err(error) => {
            tracing::error!(%error, "reload panicked");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "the reload failed; the log says why")
                .into_response()
        }
    }
}

#[cfg(test)]
mod tests;
