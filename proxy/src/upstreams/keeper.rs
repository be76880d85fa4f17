//! The background tasks of one upstream under one configuration: looking up its names, checking its endpoints.

use super::Task;
use super::names::{Learned, look_up};
use super::probe::probe;
use crate::gateway::peer;
use crate::runtime::upstream::{Member, UpstreamSet};
use crate::telemetry::upstream_metrics::{CheckResult, LookupResult};
use futures::StreamExt;
use futures::future::join_all;
use futures::stream;
use hickory_resolver::TokioResolver;
use pingora_core::connectors::http::Connector;
use raptorgate_config::model::HealthCheck;
use raptorgate_policies::endpoint_health::{Change, Checked};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Longest time between a failed look-up and the next.
const LOOKUP_AGAIN: Duration = Duration::from_secs(1);
/// Health checks of one upstream at once.
const CHECKS_AT_ONCE_MAX: usize = 32;
/// Jitter is up to this part of an interval, so that gateways that start together do not check together for ever.
const JITTER_PART: u32 = 10;

/// Starts what this upstream needs.
pub(super) fn start(
    set: &Arc<UpstreamSet>,
    resolver: Option<&Arc<TokioResolver>>,
    connector: &Arc<Connector>,
    tokio: &Handle,
) -> Vec<Task> {
    let mut tasks = Vec::new();
    if !set.hosts().is_empty() {
        tasks.push(Task(tokio.spawn(keep_resolved(set.clone(), resolver.cloned()))));
    }
    match &set.config.health_check {
        Some(check) => {
            let (set, check, connector) = (set.clone(), check.clone(), connector.clone());
            tasks.push(Task(tokio.spawn(async move { keep_checked(&set, &check, &connector).await })));
        }
        None => set.state.forget_checks(),
    }
    tasks
}

fn jitter(interval: Duration) -> Duration {
    interval.mul_f64(fastrand::f64() / f64::from(JITTER_PART))
}

async fn keep_resolved(set: Arc<UpstreamSet>, resolver: Option<Arc<TokioResolver>>) {
    loop {
        let hosts = set.hosts();
        let looked_up = join_all(hosts.iter().map(|host| resolve(&set, host, resolver.as_deref()))).await;
        let refresh = set.dns.refresh;
        let pause = if looked_up.iter().all(|ok| *ok) { refresh } else { refresh.min(LOOKUP_AGAIN) };
        sleep(pause + jitter(pause)).await;
    }
}

/// True if the name was answered.
async fn resolve(set: &UpstreamSet, host: &str, resolver: Option<&TokioResolver>) -> bool {
    let found = match resolver {
        Some(resolver) => look_up(resolver, host, set.dns.timeout).await,
        None => Err(LookupResult::Failed),
    };
    let result = found.as_ref().map_or_else(|why| *why, |_| LookupResult::Answered);
    set.metrics.looked_up(result);
    let name = set.state.name(host);
    if name.learn(found, set.dns.stale_max, Instant::now()) == Learned::Changed {
        set.state.changed();
        let addresses = name.addresses().len();
        tracing::info!(upstream = &*set.config.name, host, addresses, result = result.as_str(), "host name resolved");
    }
    result == LookupResult::Answered
}

async fn keep_checked(set: &UpstreamSet, check: &HealthCheck, connector: &Connector) {
    let mut ticks = interval(check.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changes = set.state.changes();
    loop {
        // new addresses are checked at once
        tokio::select! {
            _ = ticks.tick() => {}
            _ = changes.changed() => {}
        }
        let members = set.members();
        stream::iter(members.iter())
            .for_each_concurrent(CHECKS_AT_ONCE_MAX, |member| check_one(set, member, check, connector))
            .await;
        sleep(jitter(check.interval)).await;
    }
}

async fn check_one(set: &UpstreamSet, member: &Member, check: &HealthCheck, connector: &Connector) {
    let peer = peer(member.endpoint.address, &member.configured.host, set);
    let configured = member.configured.to_string();
    let host = check.host.as_deref().or(set.config.host.as_deref()).unwrap_or(&configured);
    let result = probe(connector, peer, check, host).await;
    set.metrics.checked(result);
    let checked = if result == CheckResult::Passed { Checked::Passed } else { Checked::Failed };
    let (upstream, endpoint) = (&*set.config.name, member.endpoint.address);
    match member.endpoint.checked(checked, check, Instant::now()) {
        Some(Change::BecameHealthy) => tracing::info!(upstream, %endpoint, "endpoint is healthy"),
        Some(Change::BecameUnhealthy) => {
            tracing::warn!(upstream, %endpoint, result = result.as_str(), "endpoint is unhealthy");
        }
        None => {}
    }
}
