//! Upstreams, endpoints and host names as the admin API shows them.

use crate::runtime::upstream::{Member, UpstreamSet};
use raptorgate_config::model::{Balance, HashKey, UpstreamProtocol};
use raptorgate_policies::endpoint_health::Standing;
use raptorgate_policies::resolution::Freshness;
use serde_json::{Value, json};
use std::time::Instant;

pub(super) fn upstream(set: &UpstreamSet, now: Instant) -> Value {
    let (in_flight, waiting) = set.state.gate.counts();
    let pool = &set.config.pool;
    json!({
        "name": set.config.name,
        "protocol": match set.config.protocol { UpstreamProtocol::Http1 => "http1", UpstreamProtocol::Http2 => "http2" },
        "balance": balance(&set.config.balance),
        "in_flight": in_flight,
        "requests_max": pool.requests_max,
        "waiting": waiting,
        "pending_max": pool.pending_max,
        "endpoints": set.members().iter().map(|member| endpoint(set, member, now)).collect::<Vec<_>>(),
        "names": set.hosts().into_iter().map(|host| name(set, host, now)).collect::<Vec<_>>(),
    })
}

fn balance(balance: &Balance) -> Value {
    match balance {
        Balance::RoundRobin => json!("round_robin"),
        Balance::LeastRequests => json!("least_requests"),
        Balance::Hash(HashKey::User) => json!({"hash": "user"}),
        Balance::Hash(HashKey::Address) => json!({"hash": "address"}),
        Balance::Hash(HashKey::Header(name)) => json!({"hash": format!("header:{name}")}),
    }
}

fn endpoint(set: &UpstreamSet, member: &Member, now: Instant) -> Value {
    let standing = set.standing(&member.endpoint, now);
    let back_in = match standing {
        Standing::Ejected { until } => Some(until.saturating_duration_since(now).as_secs()),
        Standing::In | Standing::Returning | Standing::Unhealthy => None,
    };
    json!({
        "address": member.endpoint.address.to_string(),
        "configured": member.configured.to_string(),
        "weight": member.weight,
        "state": standing.as_str(),
        "back_in_seconds": back_in,
        "in_flight": member.endpoint.in_flight(),
        "failures_in_a_row": member.endpoint.failures(),
    })
}

fn name(set: &UpstreamSet, host: &str, now: Instant) -> Value {
    let name = set.state.name(host);
    let (freshness, age, last) = name.describe(set.dns.stale_max, now);
    json!({
        "host": host,
        "state": match freshness {
            Freshness::Unknown => "unknown",
            Freshness::Fresh => "fresh",
            Freshness::Stale => "stale",
            Freshness::Expired => "expired",
        },
        "addresses": name.addresses().len(),
        "answered_seconds_ago": age.map(|age| age.as_secs()),
        "last_lookup": last.map(|last| last.as_str()),
    })
}
