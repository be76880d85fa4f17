//! The endpoints of one upstream under one configuration: who they are now, and which is asked.
//!
//! # Invariants
//! * Pingora gets socket addresses only: its own look-up blocks and panics.
//! * What is known of an endpoint belongs to its address and outlives this configuration
//!   (`a_reload_forgets_nothing_about_endpoints`).

use crate::telemetry::upstream_metrics::{EndpointState, Overflow, UpstreamMetrics};
use crate::tls::upstream::{ClientTls, group_key};
use crate::upstreams::endpoint::Endpoint;
use crate::upstreams::gate::{Entry, Place};
use crate::upstreams::lease::{Lease, Verdict};
use crate::upstreams::state::UpstreamState;
use parking_lot::Mutex;
use raptorgate_config::model::{Address, Dns, Upstream};
use raptorgate_policies::Denial;
use raptorgate_policies::balance::{Availability, Balancer, Candidate, Method, Tried};
use raptorgate_policies::endpoint_health::{Standing, Wish, has_room};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One upstream, ready to be asked.
pub struct UpstreamSet {
    /// Its configuration.
    pub config: Arc<Upstream>,
    /// How its names are looked up.
    pub dns: Dns,
    /// Its metrics.
    pub metrics: Arc<UpstreamMetrics>,
    /// TLS, if it is on.
    pub tls: Option<ClientTls>,
    /// Tells its connections from those of others.
    pub group_key: u64,
    /// What outlives this configuration.
    pub state: Arc<UpstreamState>,
    turn: Mutex<Turn>,
}

/// An endpoint of this configuration.
#[derive(Clone, Debug)]
pub struct Member {
    /// What is known of its address.
    pub endpoint: Arc<Endpoint>,
    /// Its weight.
    pub weight: u32,
    /// The entry that it comes from.
    pub configured: Arc<Address>,
}

#[derive(Default)]
struct Turn {
    /// Of which version of the names' addresses; `None` before the first.
    version: Option<u64>,
    members: Arc<[Member]>,
    balancer: Balancer,
}

impl UpstreamSet {
    /// Takes an upstream's configuration.
    pub fn new(config: Arc<Upstream>, dns: Dns, metrics: Arc<UpstreamMetrics>, state: Arc<UpstreamState>) -> Self {
        let (tls, group_key) = (config.tls.as_ref().map(ClientTls::new), group_key(&config));
        Self { config, dns, metrics, tls, group_key, state, turn: Mutex::default() }
    }

    /// Number of tries a request may take: each endpoint once, or `retries` more than one.
    pub fn attempts_max(&self) -> u32 {
        self.config.retries_max.saturating_add(1)
    }

    /// Host names among the endpoints.
    pub fn hosts(&self) -> Vec<&str> {
        let hosts = self.config.endpoints.iter().map(|endpoint| endpoint.address.host.as_str());
        hosts.filter(|host| host.parse::<IpAddr>().is_err()).collect()
    }

    /// The endpoints as of now.
    pub fn members(&self) -> Arc<[Member]> {
        let mut turn = self.turn.lock();
        self.refresh(&mut turn);
        turn.members.clone()
    }

    /// Takes a place for one request, waiting for `pool.pending_timeout` if there is none.
    pub async fn enter(&self) -> Result<Place, Denial> {
        let why = match self.state.gate.enter() {
            Entry::In(place) => return Ok(place),
            Entry::Full => Overflow::Full,
            Entry::Queued(receiver) => {
                let _waiting = self.metrics.wait();
                match tokio::time::timeout(self.config.pool.pending_timeout, receiver).await {
                    Ok(Ok(place)) => return Ok(place),
                    Ok(Err(_)) | Err(_) => Overflow::Timeout,
                }
            }
        };
        self.metrics.overflowed(why);
        Err(Denial::UpstreamOverloaded)
    }

    /// Chooses the endpoint of an attempt. `None` if there is none: its names stand for nothing. Waits until `deadline` for
    /// names that were never looked up.
    pub async fn choose(
        self: &Arc<Self>,
        method: Method,
        tried: &[(SocketAddr, Tried)],
        deadline: Instant,
    ) -> Option<Lease> {
        if let Some(lease) = self.pick(method, tried, Instant::now()) {
            return Some(lease);
        }
        let mut changes = self.state.changes();
        loop {
            changes.borrow_and_update();
            if let Some(lease) = self.pick(method, tried, Instant::now()) {
                return Some(lease);
            }
            if !self.hosts().iter().any(|host| self.state.name(host).is_unknown()) {
                return None;
            }
            tokio::time::timeout_at(deadline.into(), changes.changed()).await.ok()?.ok()?;
        }
    }

    fn pick(self: &Arc<Self>, method: Method, tried: &[(SocketAddr, Tried)], now: Instant) -> Option<Lease> {
        let mut turn = self.turn.lock();
        self.refresh(&mut turn);
        let slow_start = self.slow_start();
        let candidate = |member: &Member| {
            let (standing, permille) = member.endpoint.standing(slow_start, now);
            let known = tried.iter().rev().find(|(address, _)| *address == member.endpoint.address);
            Candidate {
                share: member.weight * permille,
                in_flight: member.endpoint.in_flight(),
                id: member.endpoint.id,
                standing: if standing.is_in() { Availability::In } else { Availability::Out },
                tried: known.map_or(Tried::No, |(_, tried)| *tried),
            }
        };
        let candidates: Vec<Candidate> = turn.members.iter().map(candidate).collect();
        let choice = turn.balancer.choose(method, &candidates)?;
        if choice.panic {
            self.metrics.panicked();
        }
        let member = turn.members.get(choice.index)?.clone();
        // under the lock: the next choice sees this one in flight
        Some(Lease::new(self.clone(), member.endpoint, member.configured, now))
    }

    fn slow_start(&self) -> Duration {
        self.config.ejection.map_or(Duration::ZERO, |ejection| ejection.slow_start)
    }

    /// Builds the members anew if the names' addresses have changed.
    fn refresh(&self, turn: &mut Turn) {
        let version = self.state.version();
        if turn.version == Some(version) {
            return;
        }
        *turn = Turn { version: Some(version), members: self.build(), balancer: Balancer::default() };
    }

    /// Every address of every entry. One that comes from two entries is one endpoint, with the larger weight.
    fn build(&self) -> Arc<[Member]> {
        let mut members: Vec<Member> = Vec::new();
        for entry in &self.config.endpoints {
            let addresses = match entry.address.host.parse::<IpAddr>() {
                Ok(ip) => vec![ip],
                Err(_) => self.state.name(&entry.address.host).addresses(),
            };
            let configured = Arc::new(entry.address.clone());
            for ip in addresses {
                let address = SocketAddr::new(ip, entry.address.port);
                match members.iter_mut().find(|member| member.endpoint.address == address) {
                    Some(known) => known.weight = known.weight.max(entry.weight),
                    None => members.push(Member {
                        endpoint: self.state.endpoint(address),
                        weight: entry.weight,
                        configured: configured.clone(),
                    }),
                }
            }
        }
        members.into()
    }

    /// Hears what an attempt says of its endpoint.
    pub(crate) fn judged(&self, endpoint: &Endpoint, verdict: Verdict, began: Instant, now: Instant) {
        let Some(rules) = &self.config.ejection else { return };
        match verdict {
            Verdict::None => {}
            Verdict::Served => endpoint.succeeded(began, now),
            Verdict::Failed | Verdict::Refused => {
                if endpoint.failed(began, rules, now) == Wish::Eject {
                    self.eject(endpoint, now);
                }
            }
        }
    }

    /// Ejects an endpoint if one more may be out.
    fn eject(&self, endpoint: &Endpoint, now: Instant) {
        let Some(rules) = &self.config.ejection else { return };
        // one at a time: two that fail at once must not both see room for the last one
        let mut turn = self.turn.lock();
        self.refresh(&mut turn);
        let is_ejected = |e: &Endpoint| matches!(e.standing(rules.slow_start, now).0, Standing::Ejected { .. });
        let ejected = turn.members.iter().filter(|member| is_ejected(&member.endpoint)).count();
        if is_ejected(endpoint) || !has_room(ejected, turn.members.len(), rules.max_ejected_percent) {
            return;
        }
        let until = endpoint.eject(rules, now);
        self.metrics.ejected();
        let seconds = until.saturating_duration_since(now).as_secs();
        tracing::warn!(upstream = &*self.config.name, endpoint = %endpoint.address, seconds, "endpoint ejected");
    }

    /// Brings the gauges of endpoints up to date.
    pub fn measure(&self, now: Instant) {
        let slow_start = self.slow_start();
        let members = self.members();
        for state in EndpointState::ALL {
            let in_state = |m: &&Member| state_of(m.endpoint.standing(slow_start, now).0) == state;
            self.metrics.set_endpoints(state, members.iter().filter(in_state).count());
        }
    }

    /// Whether requests go to an endpoint.
    pub fn standing(&self, endpoint: &Endpoint, now: Instant) -> Standing {
        endpoint.standing(self.slow_start(), now).0
    }
}

fn state_of(standing: Standing) -> EndpointState {
    match standing {
        Standing::In => EndpointState::In,
        Standing::Returning => EndpointState::Returning,
        Standing::Unhealthy => EndpointState::Unhealthy,
        Standing::Ejected { .. } => EndpointState::Ejected,
    }
}

#[cfg(test)]
mod tests;
