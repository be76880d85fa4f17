//! From a valid configuration to what serves requests.

use super::router::Router;
use super::upstream::UpstreamSet;
use super::{CompiledRoute, Runtime, Shared};
use crate::tls::{self, expiry};
use http::HeaderValue;
use pingora_core::listeners::tls::Acceptor;
use raptorgate_config::model::{self, Config, Enforcement, Listener, OnDuplicate, Route};
use raptorgate_filters::admit::Admit;
use raptorgate_filters::authenticate::Authenticate;
use raptorgate_filters::closed::Closed;
use raptorgate_filters::end_user::EndUserFilter;
use raptorgate_filters::execution::ExecutionFilter;
use raptorgate_filters::fault::FaultFilter;
use raptorgate_filters::filter::{Filter, FilterName};
use raptorgate_filters::flood_limits::FloodFilter;
use raptorgate_filters::framers::json::JsonLimits;
use raptorgate_filters::idempotency::Idempotency;
use raptorgate_filters::mask_pii::MaskPii;
use raptorgate_filters::meter::{Meter, OutputCap};
use raptorgate_filters::pipeline::Pipeline;
use raptorgate_filters::prompt_leak::PromptLeak;
use raptorgate_filters::purpose::Purpose;
use raptorgate_filters::sanitize::Sanitize;
use raptorgate_policies::admission::Plan;
use raptorgate_policies::pricing::PriceTable;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

pub(super) fn runtime(config: Config, number: u64, hash: &str, shared: &Shared) -> Runtime {
    shared.buffers.set_max(config.limits.buffered_bytes_max);
    let config = Arc::new(config);
    let upstreams: BTreeMap<&str, Arc<UpstreamSet>> = config
        .upstreams
        .iter()
        .map(|(name, upstream)| {
            let (metrics, state) = (shared.metrics.upstream(name), shared.upstreams.state(upstream));
            (name.as_str(), Arc::new(UpstreamSet::new(upstream.clone(), config.dns.clone(), metrics, state)))
        })
        .collect();
    let prices = Arc::new(PriceTable::new(&config.prices, config.currency));
    let routes = config
        .routes
        .iter()
        .filter_map(|route| {
            // dangling names are refused when the configuration is read
            let upstream = upstreams.get(&*route.upstream)?.clone();
            let pipeline = Arc::new(Pipeline::new(filters(route, &config, &prices, shared)));
            let metrics = shared.metrics.route(&route.name);
            Some(Arc::new(CompiledRoute { config: route.clone(), pipeline, upstream, metrics }))
        })
        .collect();
    shared.metrics.set_certificates(&config);
    expiry::warn(&config, SystemTime::now());
    let acceptors = config.listeners.iter().map(acceptor).collect();
    let generation = format!("{number}-{hash}");
    Runtime {
        router: Router::new(&config.routes),
        json: JsonLimits { depth_max: config.limits.json_depth_max, ..JsonLimits::default() },
        generation_header: HeaderValue::from_str(&generation).unwrap_or(HeaderValue::from_static("0-0")),
        generation: generation.into(),
        number,
        upstreams: upstreams.into_values().collect(),
        acceptors,
        routes,
        config,
    }
}

/// `None` without TLS. A checked configuration cannot fail; should it, the listener refuses connections and says so.
fn acceptor(listener: &Listener) -> Option<Acceptor> {
    let made = tls::acceptor(listener.tls.as_ref()?);
    made.inspect_err(|error| tracing::error!(%error, listener = %listener.address, "a listener has no TLS")).ok()
}

fn sanitizing(route: &str, block: &model::Sanitize) -> Arc<dyn Filter> {
    match Sanitize::new(block) {
        Ok(filter) => Arc::new(filter),
        Err(error) => {
            tracing::error!(%error, route, "a route is closed: its texts cannot be judged");
            Arc::new(Closed(FilterName::Sanitize))
        }
    }
}

fn purposes(route: &str, block: &model::Purpose) -> Arc<dyn Filter> {
    match Purpose::new(block) {
        Ok(filter) => Arc::new(filter),
        Err(error) => {
            tracing::error!(%error, route, "a route is closed: what it is for could not be learned");
            Arc::new(Closed(FilterName::Purpose))
        }
    }
}

fn masking(route: &str, block: &model::MaskPii) -> Arc<dyn Filter> {
    match MaskPii::new(block) {
        Ok(filter) => Arc::new(filter),
        Err(error) => {
            tracing::error!(%error, route, "a route is closed: what it masks could not be compiled");
            Arc::new(Closed(FilterName::MaskPii))
        }
    }
}

fn filters(route: &Route, config: &Config, prices: &Arc<PriceTable>, shared: &Shared) -> Vec<Arc<dyn Filter>> {
    let mut filters: Vec<Arc<dyn Filter>> = Vec::new();
    if let Some(block) = &route.flood_limits {
        filters.push(Arc::new(FloodFilter::new(&route.name, block, &shared.floods)));
    }
    if let Some(block) = &route.authenticate {
        filters.push(Arc::new(Authenticate::new(block)));
    }
    if let Some(block) = &route.end_user {
        filters.push(Arc::new(EndUserFilter::new(block)));
    }
    if let Some(block) = &route.execution {
        filters.push(Arc::new(ExecutionFilter::new(block)));
    }
    if let Some(block) = &route.idempotency {
        filters.push(Arc::new(Idempotency::new(block)));
    }
    if let Some(block) = &route.fault {
        filters.push(Arc::new(FaultFilter::new(block)));
    }
    if let Some(block) = &route.sanitize {
        filters.push(sanitizing(&route.name, block));
    }
    if let Some(block) = &route.purpose {
        filters.push(purposes(&route.name, block));
    }
    if let Some(block) = &route.mask_pii {
        filters.push(masking(&route.name, block));
    }
    if let Some(block) = &route.prompt_leak {
        filters.push(Arc::new(PromptLeak::new(block)));
    }
    if let Some(block) = &route.meter {
        let held = route.budgets.iter().any(|budget| budget.enforce == Enforcement::Hard);
        let cap = if held { OutputCap::Set } else { OutputCap::Leave };
        filters.push(Arc::new(Meter::new(block, prices.clone(), shared.totals.clone(), cap)));
    }
    if let Some(plan) = Plan::new(route, config) {
        let on_duplicate = route.idempotency.as_ref().map_or(OnDuplicate::Wait, |block| block.on_duplicate);
        let admit = Admit::new(plan, shared.keeper.clone(), config.currency);
        filters.push(Arc::new(admit.with_keys(on_duplicate, shared.seal.clone())));
    }
    filters.extend(shared.extra_filters.iter().cloned());
    filters
}
