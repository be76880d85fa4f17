//! A configuration, compiled: what requests are served with. One pointer swap replaces all of it.
//!
//! # Invariants
//! * A request takes its `Arc<Runtime>` once and keeps it to its end, so that no request mixes two configurations
//!   (`two_hundred_reloads_under_load_mix_nothing_and_fail_nothing`).
//! * State that outlives a reload is in [`Shared`], under names.

mod compile;
pub mod router;
pub mod upstream;

use crate::guard::in_flight::InFlight;
use crate::telemetry::access_log::AccessLog;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::route_metrics::RouteMetrics;
use crate::upstreams::Upstreams;
use http::HeaderValue;
use pingora_core::listeners::tls::Acceptor;
use raptorgate_config::model::{Config, Route};
use raptorgate_filters::filter::Filter;
use raptorgate_filters::framers::json::JsonLimits;
use raptorgate_filters::pipeline::Pipeline;
use raptorgate_policies::admission::Keeper;
use raptorgate_policies::buffers::BufferBudget;
use raptorgate_policies::flood::FloodBook;
use raptorgate_policies::seal::Seal;
use raptorgate_policies::totals::Totals;
use router::Router;
use std::sync::Arc;
use upstream::UpstreamSet;

/// What outlives a reload.
pub struct Shared {
    /// What each user used.
    pub totals: Arc<Totals>,
    /// Who keeps what requests hold in the store, if anything needs one.
    pub keeper: Option<Arc<Keeper>>,
    /// Requests that run, where money hangs on their end.
    pub in_flight: Arc<InFlight>,
    /// What kept replies are sealed with, if there is a store.
    pub seal: Option<Arc<Seal>>,
    /// In-process limits, by name.
    pub floods: FloodBook,
    /// Bytes buffered over all requests.
    pub buffers: Arc<BufferBudget>,
    /// Metrics.
    pub metrics: Arc<Metrics>,
    /// What is known of upstreams.
    pub upstreams: Upstreams,
    /// Access log.
    pub access_log: AccessLog,
    /// Filters added by code, on every route.
    pub extra_filters: Vec<Arc<dyn Filter>>,
}

/// A configuration, compiled.
pub struct Runtime {
    /// The configuration.
    pub config: Arc<Config>,
    /// `7-1f3a9c2e`.
    pub generation: Arc<str>,
    /// Its number.
    pub number: u64,
    /// The same, as a header value.
    pub generation_header: HeaderValue,
    /// Bounds of JSON.
    pub json: JsonLimits,
    /// The upstreams, by name.
    pub upstreams: Vec<Arc<UpstreamSet>>,
    /// By the place of the listener; `None` without TLS.
    acceptors: Vec<Option<Acceptor>>,
    router: Router,
    routes: Vec<Arc<CompiledRoute>>,
}

/// A route, ready to serve.
pub struct CompiledRoute {
    /// Its configuration.
    pub config: Arc<Route>,
    /// Its filters.
    pub pipeline: Arc<Pipeline>,
    /// Its upstream.
    pub upstream: Arc<UpstreamSet>,
    /// Its metrics.
    pub metrics: Arc<RouteMetrics>,
}

impl Runtime {
    /// Compiles a valid configuration.
    pub fn compile(config: Config, number: u64, hash: &str, shared: &Shared) -> Self {
        compile::runtime(config, number, hash, shared)
    }

    /// The route at an index that [`Router::find`] gave.
    pub fn route(&self, index: usize) -> Option<&Arc<CompiledRoute>> {
        self.routes.get(index)
    }

    /// What makes the handshakes of a listener, by its place in the configuration.
    pub fn acceptor(&self, listener: usize) -> Option<&Acceptor> {
        self.acceptors.get(listener)?.as_ref()
    }

    /// Which route a request belongs to.
    pub fn router(&self) -> &Router {
        &self.router
    }
}
