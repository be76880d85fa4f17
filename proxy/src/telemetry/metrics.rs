//! The registry and everything that is counted for the whole process.
//!
//! # Invariants
//! * Series are bounded: routes, upstreams and listeners come from the configuration, and at most [`NAMES_MAX`] of each
//!   are kept over reloads (`names_beyond_the_bound_share_one_series`).

use super::names::{self, Kind, Metric, OTHER};
pub use super::route_metrics::GaugeGuard;
use super::route_metrics::{ListenerMetrics, Refused, RouteMetrics};
use super::store_metrics::{MeasuredStore, StoreMetrics};
use super::upstream_metrics::UpstreamMetrics;
use parking_lot::Mutex;
use prometheus::{
    CounterVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use raptorgate_config::model::Config;
use raptorgate_policies::Timestamp;
use raptorgate_policies::admission::KeeperFigures;
use raptorgate_policies::store::Store;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Most routes, upstreams and listeners with series of their own, over all generations of this process.
const NAMES_MAX: usize = 4_096;

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    vectors: Arc<Vectors>,
    routes: Mutex<HashMap<Arc<str>, Arc<RouteMetrics>>>,
    upstreams: Mutex<HashMap<Arc<str>, Arc<UpstreamMetrics>>>,
    listeners: Mutex<HashMap<Arc<str>, Arc<ListenerMetrics>>>,
    certificates: Mutex<BTreeSet<[String; 2]>>,
    unrouted: Arc<RouteMetrics>,
    in_flight: IntGauge,
    buffered_bytes: IntGauge,
    holds_open: IntGauge,
    endings_untold: IntGauge,
    endings_untold_seconds: IntGauge,
    store: Arc<StoreMetrics>,
    read_ahead_bytes: IntGauge,
    generation: IntGauge,
    last_rejection: IntGauge,
    access_log_dropped: IntCounter,
}

/// The metrics whose labels are resolved per route, upstream or listener.
pub(super) struct Vectors {
    pub requests: IntCounterVec,
    pub ends: IntCounterVec,
    pub duration: HistogramVec,
    pub phases: CounterVec,
    pub denials: IntCounterVec,
    pub idempotent: IntCounterVec,
    pub attempts: IntCounterVec,
    pub first_byte: HistogramVec,
    pub upstream_connections: IntCounterVec,
    pub upstream_in_flight: IntGaugeVec,
    pub upstream_waiting: IntGaugeVec,
    pub overflows: IntCounterVec,
    pub endpoints: IntGaugeVec,
    pub health_checks: IntCounterVec,
    pub ejections: IntCounterVec,
    pub panic_attempts: IntCounterVec,
    pub lookups: IntCounterVec,
    pub connections: IntGaugeVec,
    pub connections_total: IntCounterVec,
    pub certificate_expiry: IntGaugeVec,
    pub connections_refused: IntCounterVec,
    pub tokens: IntCounterVec,
    pub cost: IntCounterVec,
    pub wasted_attempts: IntCounterVec,
    pub waste: IntCounterVec,
    pub unpriced: IntCounterVec,
    pub estimated: IntCounterVec,
    pub sanitized: IntCounterVec,
    pub off_purpose: IntCounterVec,
    pub masked: IntCounterVec,
    /// Replies that gave the system prompt away.
    pub prompt_leaks: IntCounterVec,
    pub panics: IntCounterVec,
    pub reloads: IntCounterVec,
    pub store_duration: HistogramVec,
    pub store_errors: IntCounterVec,
    pub settlements: IntCounterVec,
    pub store_set_back: IntCounterVec,
    pub gen_ai_tokens: HistogramVec,
    pub gen_ai_duration: HistogramVec,
    pub gen_ai_first_token: HistogramVec,
}

/// What became of a configuration that was read after the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadResult {
    /// It is served now.
    Accepted,
    /// It was refused; what was served is served on.
    Rejected,
    /// It is the one that is served already.
    Unchanged,
}

impl ReloadResult {
    const ALL: [ReloadResult; 3] = [Self::Accepted, Self::Rejected, Self::Unchanged];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Unchanged => "unchanged",
        }
    }
}

impl Metrics {
    /// Registers everything in [`names::ALL`].
    ///
    /// # Errors
    /// Only if the table contradicts itself.
    pub fn new() -> Result<Arc<Self>, prometheus::Error> {
        let registry = Registry::new();
        let vectors = Arc::new(Vectors::register(&registry)?);
        let build = gauges(&registry, &names::BUILD_INFO)?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        for result in ReloadResult::ALL {
            vectors.reloads.with_label_values(&[result.as_str()]); // a rate needs a series that starts at 0
        }
        Ok(Arc::new(Self {
            in_flight: gauge(&registry, &names::IN_FLIGHT)?,
            buffered_bytes: gauge(&registry, &names::BUFFERED_BYTES)?,
            holds_open: gauge(&registry, &names::HOLDS_OPEN)?,
            endings_untold: gauge(&registry, &names::ENDINGS_UNTOLD)?,
            endings_untold_seconds: gauge(&registry, &names::ENDINGS_UNTOLD_SECONDS)?,
            store: Arc::new(StoreMetrics::new(&vectors)),
            read_ahead_bytes: gauge(&registry, &names::READ_AHEAD_BYTES)?,
            generation: gauge(&registry, &names::CONFIG_GENERATION)?,
            last_rejection: gauge(&registry, &names::CONFIG_LAST_REJECTION)?,
            access_log_dropped: counter(&registry, &names::ACCESS_LOG_DROPPED)?,
            unrouted: Arc::new(RouteMetrics::new(&vectors, OTHER)),
            routes: Mutex::default(),
            upstreams: Mutex::default(),
            listeners: Mutex::default(),
            certificates: Mutex::default(),
            vectors,
            registry,
        }))
    }

    /// Metrics of a route; to be asked for when a configuration is compiled, not per request.
    pub fn route(&self, name: &str) -> Arc<RouteMetrics> {
        bounded(&self.routes, name, |name| RouteMetrics::new(&self.vectors, name))
    }

    /// Metrics of requests that no route matched.
    pub fn unrouted(&self) -> &Arc<RouteMetrics> {
        &self.unrouted
    }

    /// Metrics of an upstream; to be asked for when a configuration is compiled, not per request.
    pub fn upstream(&self, name: &str) -> Arc<UpstreamMetrics> {
        bounded(&self.upstreams, name, |name| UpstreamMetrics::new(&self.vectors, name))
    }

    /// Metrics of a listener.
    pub fn listener(&self, address: &str) -> Arc<ListenerMetrics> {
        bounded(&self.listeners, address, |address| ListenerMetrics {
            open: self.vectors.connections.with_label_values(&[address]),
            accepted: self.vectors.connections_total.with_label_values(&[address]),
            refused: Refused::ALL
                .map(|reason| self.vectors.connections_refused.with_label_values(&[address, reason.name()])),
        })
    }

    /// Says when the certificates of a configuration expire, and forgets those that it no longer has.
    pub fn set_certificates(&self, config: &Config) {
        let gauges = &self.vectors.certificate_expiry;
        let mut now = BTreeSet::new();
        for listener in &config.listeners {
            for certificate in listener.tls.iter().flat_map(|tls| &tls.certificates) {
                let labels = [listener.address.to_string(), certificate.file().to_owned()];
                gauges.with_label_values(&labels).set(certificate.facts().not_after);
                now.insert(labels);
            }
        }
        let mut before = self.certificates.lock();
        for gone in before.difference(&now) {
            // it was there, so that removing it cannot fail
            drop(gauges.remove_label_values(gone));
        }
        *before = now;
    }

    /// Counts a request in flight for as long as the value lives.
    pub fn enter_request(&self) -> GaugeGuard {
        GaugeGuard::enter(&self.in_flight)
    }

    /// Requests in flight.
    pub fn in_flight(&self) -> u64 {
        u64::try_from(self.in_flight.get()).unwrap_or(0)
    }

    /// Bytes of bodies held in memory.
    pub fn buffered_bytes(&self) -> &IntGauge {
        &self.buffered_bytes
    }

    /// What is held for requests that run, and what the store was not told yet.
    pub fn set_keeper(&self, figures: KeeperFigures) {
        self.holds_open.set(i64::try_from(figures.open).unwrap_or(i64::MAX));
        self.endings_untold.set(i64::try_from(figures.untold).unwrap_or(i64::MAX));
        self.endings_untold_seconds.set(i64::try_from(figures.stalled_for.as_secs()).unwrap_or(i64::MAX));
    }

    /// The same store, measured.
    pub fn measured(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(MeasuredStore::new(store, self.store.clone()))
    }

    /// Bytes of replies read ahead of clients.
    pub fn read_ahead_bytes(&self) -> &IntGauge {
        &self.read_ahead_bytes
    }

    /// Counts records that the access log had no room for.
    pub fn access_log_dropped(&self) -> &IntCounter {
        &self.access_log_dropped
    }

    /// Says which generation is served.
    pub fn set_generation(&self, number: u64) {
        self.generation.set(i64::try_from(number).unwrap_or(i64::MAX));
    }

    /// Counts a reload.
    pub fn reloaded(&self, result: ReloadResult, at: Timestamp) {
        self.vectors.reloads.with_label_values(&[result.as_str()]).inc();
        match result {
            ReloadResult::Rejected => {
                self.last_rejection.set(i64::try_from(at.micros() / 1_000_000).unwrap_or(i64::MAX))
            }
            ReloadResult::Accepted | ReloadResult::Unchanged => {}
        }
    }

    /// Everything in Prometheus' text format.
    ///
    /// # Errors
    /// Only if a metric is not consistent in itself.
    pub fn encode(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

impl Vectors {
    fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            requests: counters(registry, &names::REQUESTS)?,
            ends: counters(registry, &names::ENDS)?,
            duration: histograms(registry, &names::REQUEST_DURATION)?,
            phases: {
                let phases = CounterVec::new(opts(&names::PHASE_SECONDS), names::PHASE_SECONDS.labels)?;
                registry.register(Box::new(phases.clone()))?;
                phases
            },
            denials: counters(registry, &names::DENIALS)?,
            idempotent: counters(registry, &names::IDEMPOTENT)?,
            attempts: counters(registry, &names::UPSTREAM_ATTEMPTS)?,
            first_byte: histograms(registry, &names::UPSTREAM_FIRST_BYTE)?,
            upstream_connections: counters(registry, &names::UPSTREAM_CONNECTIONS)?,
            upstream_in_flight: gauges(registry, &names::UPSTREAM_IN_FLIGHT)?,
            upstream_waiting: gauges(registry, &names::UPSTREAM_WAITING)?,
            overflows: counters(registry, &names::UPSTREAM_OVERFLOWS)?,
            endpoints: gauges(registry, &names::UPSTREAM_ENDPOINTS)?,
            health_checks: counters(registry, &names::UPSTREAM_HEALTH_CHECKS)?,
            ejections: counters(registry, &names::UPSTREAM_EJECTIONS)?,
            panic_attempts: counters(registry, &names::UPSTREAM_PANIC_ATTEMPTS)?,
            lookups: counters(registry, &names::UPSTREAM_LOOKUPS)?,
            connections: gauges(registry, &names::CONNECTIONS)?,
            connections_total: counters(registry, &names::CONNECTIONS_TOTAL)?,
            certificate_expiry: gauges(registry, &names::CERTIFICATE_EXPIRY)?,
            connections_refused: counters(registry, &names::CONNECTIONS_REFUSED)?,
            tokens: counters(registry, &names::TOKENS_TOTAL)?,
            cost: counters(registry, &names::COST_NANOS)?,
            wasted_attempts: counters(registry, &names::WASTED_ATTEMPTS)?,
            waste: counters(registry, &names::WASTE_NANOS)?,
            unpriced: counters(registry, &names::UNPRICED)?,
            estimated: counters(registry, &names::ESTIMATED)?,
            sanitized: counters(registry, &names::SANITIZED)?,
            off_purpose: counters(registry, &names::OFF_PURPOSE)?,
            masked: counters(registry, &names::MASKED)?,
            prompt_leaks: counters(registry, &names::PROMPT_LEAKS)?,
            panics: counters(registry, &names::FILTER_PANICS)?,
            reloads: counters(registry, &names::CONFIG_RELOADS)?,
            store_duration: histograms(registry, &names::STORE_DURATION)?,
            store_errors: counters(registry, &names::STORE_ERRORS)?,
            settlements: counters(registry, &names::SETTLEMENTS)?,
            store_set_back: counters(registry, &names::STORE_SET_BACK)?,
            gen_ai_tokens: histograms(registry, &names::GEN_AI_TOKENS)?,
            gen_ai_duration: histograms(registry, &names::GEN_AI_DURATION)?,
            gen_ai_first_token: histograms(registry, &names::GEN_AI_FIRST_TOKEN)?,
        })
    }
}

fn bounded<T>(map: &Mutex<HashMap<Arc<str>, Arc<T>>>, name: &str, make: impl FnOnce(&str) -> T) -> Arc<T> {
    let mut map = map.lock();
    if let Some(known) = map.get(name) {
        return Arc::clone(known);
    }
    let name = if map.len() < NAMES_MAX { name } else { OTHER };
    Arc::clone(map.entry(name.into()).or_insert_with(|| Arc::new(make(name))))
}

fn opts(metric: &Metric) -> Opts {
    Opts::new(metric.name, metric.help)
}

fn counters(registry: &Registry, metric: &Metric) -> Result<IntCounterVec, prometheus::Error> {
    debug_assert_eq!(metric.kind, Kind::Counter, "{}", metric.name);
    let made = IntCounterVec::new(opts(metric), metric.labels)?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

fn counter(registry: &Registry, metric: &Metric) -> Result<IntCounter, prometheus::Error> {
    debug_assert_eq!((metric.kind, metric.labels.len()), (Kind::Counter, 0), "{}", metric.name);
    let made = IntCounter::with_opts(opts(metric))?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

fn gauges(registry: &Registry, metric: &Metric) -> Result<IntGaugeVec, prometheus::Error> {
    debug_assert_eq!(metric.kind, Kind::Gauge, "{}", metric.name);
    let made = IntGaugeVec::new(opts(metric), metric.labels)?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

fn gauge(registry: &Registry, metric: &Metric) -> Result<IntGauge, prometheus::Error> {
    debug_assert_eq!((metric.kind, metric.labels.len()), (Kind::Gauge, 0), "{}", metric.name);
    let made = IntGauge::with_opts(opts(metric))?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

fn histograms(registry: &Registry, metric: &Metric) -> Result<HistogramVec, prometheus::Error> {
    let mut options = HistogramOpts::new(metric.name, metric.help);
    match metric.kind {
        Kind::Histogram(buckets) => options.buckets = buckets.to_vec(),
        Kind::Counter | Kind::Gauge => debug_assert!(false, "{} is no histogram", metric.name),
    }
    let made = HistogramVec::new(options, metric.labels)?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::access_record::tests::{failed_attempt, record};
    use raptorgate_filters::exchange::OffPurpose;
    use raptorgate_filters::exchange::{End, KeyResult};
    use raptorgate_filters::filter::FilterName;
    use raptorgate_policies::Denial;
    use std::collections::BTreeSet;
    use std::time::Duration;

    #[test]
    fn everything_in_the_table_is_exported() {
        let metrics = Metrics::new().unwrap();
        let mut record = record();
        record.sanitized = [("strip", 1)].into();
        record.prompt_leak = Some("canary");
        record.off_purpose = Some(OffPurpose { label: "coding".into(), action: "flag" });
        record.panicked = Some(FilterName::Meter);
        record.idempotency = Some(KeyResult::New);
        record.waste = vec![failed_attempt()];
        record.set_end(&End::Denied(Denial::PromptBlocked));
        metrics.route("chat").record(&record);
        metrics.upstream("agents").first_byte(Duration::from_millis(1));
        drop(metrics.listener("127.0.0.1:1").connected());
        metrics.vectors.certificate_expiry.with_label_values(&["127.0.0.1:1", "server.pem"]).set(1);
        let text = metrics.encode().unwrap();
        let exported: BTreeSet<_> = text.lines().filter_map(|l| l.strip_prefix("# HELP ")?.split(' ').next()).collect();
        let listed: BTreeSet<_> = names::ALL.iter().map(|m| m.name).collect();
        assert_eq!(exported, listed);
    }

    #[test]
    fn names_beyond_the_bound_share_one_series() {
        let metrics = Metrics::new().unwrap();
        for n in 0..NAMES_MAX + 10 {
            drop(metrics.listener(&format!("l{n}")).connected());
        }
        let text = metrics.encode().unwrap();
        assert_eq!(text.lines().filter(|l| l.starts_with("raptorgate_connections_total{")).count(), NAMES_MAX + 1);
        assert!(text.contains(r#"raptorgate_connections_total{listener="other"} 10"#));
    }

    #[test]
    fn a_rejection_is_dated_and_counted() {
        let metrics = Metrics::new().unwrap();
        metrics.reloaded(ReloadResult::Rejected, Timestamp::from_micros(1_700_000_000_000_000));
        let text = metrics.encode().unwrap();
        assert!(text.contains("raptorgate_config_last_rejection_timestamp_seconds 1700000000"));
        assert!(text.contains(r#"raptorgate_config_reloads_total{result="rejected"} 1"#));
        assert!(text.contains(r#"raptorgate_config_reloads_total{result="accepted"} 0"#));
    }

    #[test]
    fn requests_in_flight_are_counted_while_they_live() {
        let metrics = Metrics::new().unwrap();
        let one = metrics.enter_request();
        assert_eq!(metrics.in_flight(), 1);
        drop(one);
        assert_eq!(metrics.in_flight(), 0);
    }
}
