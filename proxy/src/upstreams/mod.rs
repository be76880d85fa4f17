//! Upstreams as they live on between requests and reloads: endpoints and their health, names, bounds, background tasks.
//!
//! Decisions are in `raptorgate_policies::{balance, endpoint_health, resolution}`; here are the sockets and tasks.
//!
//! # Invariants
//! * What is known of an upstream is kept under its name over reloads, and forgotten with its last configuration
//!   (`a_reload_forgets_nothing_about_endpoints`).
//! * Background tasks belong to the configuration that is served, and end with it (`health_checks_follow_a_reload`).

pub mod dial;
pub mod endpoint;
pub mod gate;
mod keeper;
pub mod lease;
pub mod names;
mod probe;
pub mod read_ahead;
pub mod state;

use crate::runtime::upstream::UpstreamSet;
use crate::telemetry::upstream_metrics::EndpointState;
use parking_lot::Mutex;
use pingora_core::connectors::http::Connector;
use raptorgate_config::model::{Dns, Upstream};
use state::UpstreamState;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// All upstreams of the process.
pub struct Upstreams {
    /// Reloads come from threads outside of it.
    tokio: Handle,
    connector: Arc<Connector>,
    states: Mutex<HashMap<Arc<str>, Arc<UpstreamState>>>,
    served: Mutex<Served>,
}

#[derive(Default)]
struct Served {
    sets: Vec<Arc<UpstreamSet>>,
    tasks: Vec<Task>,
}

/// A background task that ends when this is dropped.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Upstreams {
    /// None yet; background tasks will run in this runtime.
    pub fn new(tokio: Handle) -> Self {
        let connector = Arc::new(Connector::new(None));
        Self { tokio, connector, states: Mutex::default(), served: Mutex::default() }
    }

    /// What is known of an upstream.
    pub fn state(&self, upstream: &Upstream) -> Arc<UpstreamState> {
        let mut states = self.states.lock();
        states.entry(upstream.name.clone()).or_insert_with(|| Arc::new(UpstreamState::new(&upstream.pool))).clone()
    }

    /// These upstreams are served from now on: takes over their bounds, starts their tasks, ends those of the
    /// configuration before.
    pub fn serve(&self, sets: Vec<Arc<UpstreamSet>>) {
        let mut served = self.served.lock();
        served.tasks.clear();
        let with_names = sets.iter().find(|set| !set.hosts().is_empty());
        let resolver = with_names.and_then(|set| resolver(&set.dns)).map(Arc::new);
        let mut tasks = Vec::new();
        for set in &sets {
            set.state.gate.set_bounds(&set.config.pool);
            set.state.keep_names(&set.hosts());
            tasks.extend(keeper::start(set, resolver.as_ref(), &self.connector, &self.tokio));
        }
        let is_served = |name: &str| sets.iter().any(|set| &*set.config.name == name);
        self.states.lock().retain(|name, _| is_served(name));
        for gone in served.sets.iter().filter(|set| !is_served(&set.config.name)) {
            EndpointState::ALL.into_iter().for_each(|state| gone.metrics.set_endpoints(state, 0));
        }
        *served = Served { sets, tasks };
    }

    /// Brings the gauges of endpoints up to date.
    pub fn measure(&self) {
        let now = Instant::now();
        self.served.lock().sets.iter().for_each(|set| set.measure(now));
    }
}

fn resolver(dns: &Dns) -> Option<hickory_resolver::TokioResolver> {
    names::resolver(dns)
        .inspect_err(
            |error| tracing::error!(%error, "no host name can be looked up: set dns.servers, or correct the system's"),
        )
        .ok()
}
