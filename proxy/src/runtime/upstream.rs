//! The endpoints of one upstream, chosen round robin.
//!
//! # Invariants
//! * Pingora gets socket addresses only: its own look-up blocks and panics.

use crate::telemetry::route_metrics::UpstreamMetrics;
use parking_lot::Mutex;
use raptorgate_config::model::{Endpoint, Upstream};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// How long a resolved name is used before it is looked up again.
const RESOLVED_FOR: Duration = Duration::from_secs(5);
/// How long a look-up may take; it counts as connecting.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(2);

/// One upstream, ready to be asked.
pub struct UpstreamSet {
    /// Its configuration.
    pub config: Arc<Upstream>,
    /// Its metrics.
    pub metrics: Arc<UpstreamMetrics>,
    next: AtomicUsize,
    resolved: Vec<Mutex<Option<(Instant, SocketAddr)>>>,
}

impl UpstreamSet {
    /// Takes an upstream's configuration.
    pub fn new(config: Arc<Upstream>, metrics: Arc<UpstreamMetrics>) -> Self {
        let resolved = config.endpoints.iter().map(|_| Mutex::new(None)).collect();
        Self { config, metrics, next: AtomicUsize::new(0), resolved }
    }

    /// Where the next request begins.
    pub fn first(&self) -> usize {
        self.next.fetch_add(1, Relaxed)
    }

    /// Number of tries a request may take: each endpoint once, or `retries` more than one.
    pub fn attempts_max(&self) -> u32 {
        self.config.retries_max.saturating_add(1)
    }

    /// Address of the `n`th endpoint after `first`; `None` if its name cannot be resolved.
    pub async fn address(&self, n: usize) -> Option<SocketAddr> {
        let at = n.checked_rem(self.config.endpoints.len())?;
        let endpoint = self.config.endpoints.get(at)?;
        if let Ok(ip) = endpoint.host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Some(SocketAddr::new(ip, endpoint.port));
        }
        let slot = self.resolved.get(at)?;
        let known = *slot.lock();
        match known {
            Some((when, address)) if when.elapsed() < RESOLVED_FOR => Some(address),
            Some(_) | None => {
                let fresh = resolve(endpoint).await;
                let stale = known.map(|(_, address)| address);
                if let Some(address) = fresh {
                    *slot.lock() = Some((Instant::now(), address));
                }
                fresh.or(stale)
            }
        }
    }
}

async fn resolve(endpoint: &Endpoint) -> Option<SocketAddr> {
    let looked_up = tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port));
    let mut addresses = tokio::time::timeout(RESOLVE_TIMEOUT, looked_up).await.ok()?.ok()?;
    addresses.next()
}
