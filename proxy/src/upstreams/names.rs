//! Host names of endpoints: what was found for each, and the look-up in the background.
//!
//! # Invariants
//! * No request looks a name up (`a_request_never_waits_for_a_slow_name_server`).

use crate::telemetry::upstream_metrics::LookupResult;
use hickory_resolver::config::{LookupIpStrategy, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{ResolverBuilder, TokioResolver};
use parking_lot::Mutex;
use raptorgate_config::model::{AddressFamily, Dns};
use raptorgate_policies::resolution::{Freshness, Resolution};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// What is known of one host name.
#[derive(Debug, Default)]
pub struct HostName {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    resolution: Resolution,
    /// What requests use: changes only by [`HostName::learn`].
    addresses: Vec<IpAddr>,
    last: Option<LookupResult>,
}

/// Whether a look-up changed which addresses are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// It did not.
    Same,
    /// It did, or it was the first of all.
    Changed,
}

impl HostName {
    /// Notes what a look-up has found.
    pub fn learn(&self, found: Result<Vec<IpAddr>, LookupResult>, stale_max: Duration, now: Instant) -> Learned {
        let mut known = self.known.lock();
        let first = known.last.is_none();
        match found {
            Ok(addresses) => {
                known.resolution.answered(addresses, now);
                known.last = Some(LookupResult::Answered);
            }
            Err(why) => {
                known.resolution.failed(now);
                known.last = Some(why);
            }
        }
        let usable = known.resolution.usable(stale_max, now).to_vec();
        if usable == known.addresses && !first {
            return Learned::Same;
        }
        known.addresses = usable;
        Learned::Changed
    }

    /// Addresses to use.
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.known.lock().addresses.clone()
    }

    /// True if no look-up has ended yet.
    pub fn is_unknown(&self) -> bool {
        self.known.lock().last.is_none()
    }

    /// How good the answer is, how old it is, and how the last look-up ended.
    pub fn describe(&self, stale_max: Duration, now: Instant) -> (Freshness, Option<Duration>, Option<LookupResult>) {
        let known = self.known.lock();
        let age = known.resolution.answered_at().map(|at| now.saturating_duration_since(at));
        (known.resolution.freshness(stale_max, now), age, known.last)
    }
}

/// What looks names up, as the file says. A system without name servers still has its hosts file.
pub fn resolver(dns: &Dns) -> Result<TokioResolver, NetError> {
    let system = dns.servers.is_empty().then(TokioResolver::builder_tokio);
    let builder = match system {
        Some(Ok(system)) => system,
        Some(Err(error)) => {
            tracing::warn!(%error, "the system has no name servers: only names of its hosts file are found");
            TokioResolver::builder_with_config(given(&[]), Default::default())
        }
        None => TokioResolver::builder_with_config(given(&dns.servers), Default::default()),
    };
    build(builder, dns)
}

fn build(mut builder: ResolverBuilder<TokioRuntimeProvider>, dns: &Dns) -> Result<TokioResolver, NetError> {
    let options = builder.options_mut();
    // asked anew each time: how long an answer is used is for `refresh` and `stale_max` to say
    options.cache_size = 0;
    // twice within the time of one look-up: a lost datagram costs half of it
    options.timeout = dns.timeout / 2;
    options.attempts = 1;
    options.ip_strategy = match dns.family {
        AddressFamily::Ipv4First => LookupIpStrategy::Ipv4thenIpv6,
        AddressFamily::Ipv6First => LookupIpStrategy::Ipv6thenIpv4,
        AddressFamily::Both => LookupIpStrategy::Ipv4AndIpv6,
    };
    builder.build()
}

fn given(servers: &[SocketAddr]) -> ResolverConfig {
    use hickory_resolver::config::NameServerConfig;
    let server = |address: &SocketAddr| {
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        server.connections.iter_mut().for_each(|connection| connection.port = address.port());
        server
    };
    ResolverConfig::from_parts(None, Vec::new(), servers.iter().map(server).collect())
}

/// One look-up.
pub async fn look_up(resolver: &TokioResolver, host: &str, limit: Duration) -> Result<Vec<IpAddr>, LookupResult> {
    match tokio::time::timeout(limit, resolver.lookup_ip(host)).await {
        Err(_) => Err(LookupResult::Timeout),
        Ok(Ok(found)) => {
            let addresses: Vec<IpAddr> = found.iter().collect();
            if addresses.is_empty() { Err(LookupResult::NoAddress) } else { Ok(addresses) }
        }
        Ok(Err(error)) => {
            tracing::debug!(host, %error, "a look-up failed");
            Err(match error {
                error if error.is_no_records_found() => LookupResult::NoAddress,
                NetError::Timeout => LookupResult::Timeout,
                _ => LookupResult::Failed,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_name_servers_the_hosts_file_is_still_read() {
        let second = Duration::from_secs(1);
        let (servers, family) = (Vec::new(), AddressFamily::Ipv4First);
        let dns = Dns { servers, refresh: second, timeout: second, stale_max: second, family };
        let resolver = build(TokioResolver::builder_with_config(given(&[]), Default::default()), &dns).unwrap();
        let found = look_up(&resolver, "localhost", second).await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty(), "{found:?}");
        assert!(look_up(&resolver, "agents.raptorgate.test", second).await.is_err());
    }
}
