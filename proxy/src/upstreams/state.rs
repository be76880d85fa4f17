//! What outlives a reload of one upstream, under its name: its gate, its endpoints by address, what its names stand for.

use super::endpoint::Endpoint;
use super::gate::Gate;
use super::names::HostName;
use parking_lot::Mutex;
use raptorgate_config::model::Pool;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// Endpoints of one upstream that are remembered. Beyond it those are forgotten that no configuration uses and that serve
/// nothing: a name whose addresses change all the time would grow the map without end.
const ENDPOINTS_KEPT_MAX: usize = 1_024;

/// What outlives a reload of one upstream.
#[derive(Debug)]
pub struct UpstreamState {
    /// Bounds what is at it at once.
    pub gate: Arc<Gate>,
    endpoints: Mutex<HashMap<SocketAddr, Arc<Endpoint>>>,
    names: Mutex<HashMap<String, Arc<HostName>>>,
    /// Counts changes of what names stand for.
    version: watch::Sender<u64>,
}

impl UpstreamState {
    pub(crate) fn new(pool: &Pool) -> Self {
        Self {
            gate: Gate::new(pool),
            endpoints: Mutex::default(),
            names: Mutex::default(),
            version: watch::Sender::new(0),
        }
    }

    /// The endpoint at an address.
    pub fn endpoint(&self, address: SocketAddr) -> Arc<Endpoint> {
        let mut endpoints = self.endpoints.lock();
        if endpoints.len() >= ENDPOINTS_KEPT_MAX && !endpoints.contains_key(&address) {
            endpoints.retain(|_, endpoint| Arc::strong_count(endpoint) > 1);
        }
        endpoints.entry(address).or_insert_with(|| Arc::new(Endpoint::new(address))).clone()
    }

    /// What is known of a host name.
    pub fn name(&self, host: &str) -> Arc<HostName> {
        self.names.lock().entry(host.to_owned()).or_default().clone()
    }

    /// Forgets the names that are not used.
    pub(super) fn keep_names(&self, used: &[&str]) {
        self.names.lock().retain(|host, _| used.contains(&host.as_str()));
    }

    /// There are no health checks any more: what they said is forgotten.
    pub(super) fn forget_checks(&self) {
        self.endpoints.lock().values().for_each(|endpoint| endpoint.forget_checks());
    }

    /// How often the names' addresses have changed.
    pub fn version(&self) -> u64 {
        *self.version.borrow()
    }

    /// Tells of such changes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    pub(crate) fn changed(&self) {
        self.version.send_modify(|version| *version = version.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn endpoints_that_nobody_uses_do_not_grow_without_end() {
        let second = Duration::from_secs(1);
        let pool =
            Pool { requests_max: 1, pending_max: 1, pending_timeout: second, idle_timeout: second, streams_max: 1 };
        let state = UpstreamState::new(&pool);
        let address = |n: usize| SocketAddr::from(([10, 0, (n >> 8) as u8, n as u8], 80));
        let used = state.endpoint(address(0));
        for n in 0..5 * ENDPOINTS_KEPT_MAX {
            drop(state.endpoint(address(n)));
        }
        assert!(state.endpoints.lock().len() <= ENDPOINTS_KEPT_MAX);
        assert!(Arc::ptr_eq(&used, &state.endpoint(address(0))), "an endpoint in use was forgotten");
    }
}
