//! What the blocks of an upstream mean.

use crate::decode::{Context, OrOff};
use crate::model::{Dns, Ejection, Endpoint, HealthCheck, Pool};
use crate::problem::{Code, Finding};
use crate::schema::EndpointBlock;
use crate::upstreams::{DnsBlock, EjectionBlock, HealthCheckBlock, PoolBlock};
use std::time::Duration;

/// Longest ejection unless the file says otherwise.
const OPEN_MAX: Duration = Duration::from_secs(300);

pub(super) fn endpoint(block: &EndpointBlock) -> Endpoint {
    Endpoint { address: block.address.value.clone(), weight: narrow(block.weight.0) }
}

pub(super) fn pool(block: &PoolBlock) -> Pool {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Pool {
        requests_max: size(block.requests_max.0),
        pending_max: size(block.pending_max.0),
        pending_timeout: block.pending_timeout,
        idle_timeout: block.idle_timeout,
        streams_max: size(block.streams_max.0),
    }
}

pub(super) fn health_check(block: &HealthCheckBlock, cx: &mut Context) -> HealthCheck {
    if block.timeout.value > block.interval {
        let message = "`timeout` is longer than `interval`: checks of one endpoint would overlap";
        cx.tell(Finding::new(block.timeout.at, Code::Conflict, message).help("raise `interval`, or lower `timeout`"));
    }
    HealthCheck {
        path: block.path.0.clone(),
        interval: block.interval,
        timeout: block.timeout.value,
        healthy_after: narrow(block.healthy_after.0),
        unhealthy_after: narrow(block.unhealthy_after.0),
        expect_status: block.expect_status.0.clone(),
        host: block.host.as_ref().map(|host| host.as_str().to_owned()),
    }
}

pub(super) fn ejection(block: &OrOff<EjectionBlock>, cx: &mut Context) -> Option<Ejection> {
    let OrOff::On(block) = block else { return None };
    if let Some(open_max) = block.open_max.as_ref().filter(|open_max| open_max.value < block.open_for) {
        let message = "`open_max` is shorter than `open_for`";
        cx.tell(Finding::new(open_max.at, Code::Conflict, message).help("raise `open_max`, or lower `open_for`"));
    }
    Some(Ejection {
        consecutive_failures: narrow(block.consecutive_failures.0),
        open_for: block.open_for,
        open_max: block.open_max.as_ref().map_or(OPEN_MAX.max(block.open_for), |open_max| open_max.value),
        max_ejected_percent: block.max_ejected.0,
        slow_start: block.slow_start.0,
    })
}

pub(super) fn dns(block: &DnsBlock) -> Dns {
    Dns {
        servers: block.servers.clone(),
        refresh: block.refresh,
        timeout: block.timeout,
        stale_max: block.stale_max.0,
        family: block.family,
    }
}

/// The bounds of the file's numbers are below.
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
