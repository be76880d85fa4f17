//! `flood_limits`: limits at the head, before anything about a request is believed.
//!
//! # Invariants
//! * All addresses of one IPv6 /64 count as one, for one host owns them all (`one_ipv6_network_is_one_client`).
//! * A key counts before it is known to be valid, so guessing is limited too (`a_presented_key_is_limited_unverified`).

use crate::authenticate::presented_key;
use crate::exchange::Exchange;
use crate::filter::{Decision, Filter, FilterName, Phases, RequestHead};
use async_trait::async_trait;
use http::HeaderMap;
use raptorgate_config::model;
use raptorgate_policies::Denial;
use raptorgate_policies::flood::{FloodBook, Limiter};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

/// The filter of one route.
#[derive(Debug)]
pub struct FloodFilter {
    per_address: Option<Arc<Limiter>>,
    per_key: Option<Arc<Limiter>>,
}

impl FloodFilter {
    /// Compiles a route's block; counts go on where the book knows the route's limits.
    pub fn new(route: &str, config: &model::FloodLimits, book: &FloodBook) -> Self {
        let limiter = |what, rate: Option<_>| rate.map(|rate| book.limiter(&format!("{route}/{what}"), rate));
        Self { per_address: limiter("address", config.per_address), per_key: limiter("key", config.per_key) }
    }

    fn take(&self, headers: &HeaderMap, exchange: &Exchange) -> Result<(), Denial> {
        let now = exchange.received_at;
        if let Some(limiter) = &self.per_address {
            limiter.take(&network(exchange.client), now).map_err(limited)?;
        }
        let Some(limiter) = &self.per_key else { return Ok(()) };
        match (presented_key(headers)?, &exchange.client_certificate) {
            (Some(key), _) => limiter.take(key.as_bytes(), now).map_err(limited),
            (None, Some(certificate)) => limiter.take(certificate.sha256(), now).map_err(limited),
            (None, None) => Ok(()),
        }
    }
}

fn limited(retry_after: Duration) -> Denial {
    Denial::RateLimited { retry_after, limit: None }
}

/// What of an address counts: IPv4 whole, also where it is written as IPv6; of IPv6 the first 64 bits.
fn network(client: IpAddr) -> [u8; 16] {
    match client.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).octets(),
    }
}

#[async_trait]
impl Filter for FloodFilter {
    fn name(&self) -> FilterName {
        FilterName::FloodLimits
    }

    fn phases(&self) -> Phases {
        Phases { request: true, ..Phases::default() }
    }

    async fn on_request(&self, head: &RequestHead<'_>, exchange: &mut Exchange) -> Decision {
        match self.take(head.headers, exchange) {
            Ok(()) => Decision::Continue,
            Err(denial) => Decision::Deny(denial),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{exchange, headers, run};
    use model::{FloodLimits, Rate};

    const ONE: Option<Rate> = Some(Rate { requests: 1, window: Duration::from_secs(60) });

    async fn outcome(filter: &FloodFilter, client: &str, key: &'static [u8]) -> Result<(), Denial> {
        let mut exchange = exchange();
        exchange.client = client.parse().unwrap();
        let key: Vec<_> = (!key.is_empty()).then_some(("x-api-key", key)).into_iter().collect();
        run(filter, &headers(&key), "", &mut exchange).await
    }

    fn refused() -> Result<(), Denial> {
        Err(Denial::RateLimited { retry_after: Duration::from_secs(60), limit: None })
    }

    #[tokio::test]
    async fn one_ipv6_network_is_one_client() {
        let book = FloodBook::new();
        let filter = FloodFilter::new("chat", &FloodLimits { per_address: ONE, per_key: None }, &book);
        assert_eq!(outcome(&filter, "2001:db8:0:1::1", b"").await, Ok(()));
        assert_eq!(outcome(&filter, "2001:db8:0:1:ffff::2", b"").await, refused());
        assert_eq!(outcome(&filter, "2001:db8:0:2::1", b"").await, Ok(()));
    }

    #[tokio::test]
    async fn ipv4_addresses_count_one_by_one_however_written() {
        let book = FloodBook::new();
        let filter = FloodFilter::new("chat", &FloodLimits { per_address: ONE, per_key: None }, &book);
        assert_eq!(outcome(&filter, "10.0.0.1", b"").await, Ok(()));
        assert_eq!(outcome(&filter, "10.0.0.2", b"").await, Ok(()));
        assert_eq!(outcome(&filter, "::ffff:10.0.0.1", b"").await, refused());
    }

    #[tokio::test]
    async fn a_presented_key_is_limited_unverified() {
        let book = FloodBook::new();
        let filter = FloodFilter::new("chat", &FloodLimits { per_address: None, per_key: ONE }, &book);
        assert_eq!(outcome(&filter, "10.0.0.1", b"sk-guess").await, Ok(()));
        assert_eq!(outcome(&filter, "10.0.0.2", b"sk-guess").await, refused());
        assert_eq!(outcome(&filter, "10.0.0.2", b"sk-other").await, Ok(()));
        for _ in 0..3 {
            assert_eq!(outcome(&filter, "10.0.0.2", b"").await, Ok(()), "no key, no limit per key");
        }
    }

    #[tokio::test]
    async fn routes_do_not_share_limits_and_a_reload_keeps_them() {
        let (book, config) = (FloodBook::new(), FloodLimits { per_address: ONE, per_key: None });
        let before = FloodFilter::new("chat", &config, &book);
        assert_eq!(outcome(&before, "10.0.0.1", b"").await, Ok(()));
        assert_eq!(outcome(&FloodFilter::new("other", &config, &book), "10.0.0.1", b"").await, Ok(()));
        assert_eq!(outcome(&FloodFilter::new("chat", &config, &book), "10.0.0.1", b"").await, refused());
    }
}
