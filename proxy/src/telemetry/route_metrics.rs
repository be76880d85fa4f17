//! Handles that were resolved from their labels once, so that a request only adds to atomics.
//!
//! # Invariants
//! * A request looks no label up, but for models (one map by name) and refusals (rare).
//! * Every request is counted once, by [`RouteMetrics::record`] (`a_record_becomes_metrics`).

use super::access_record::{AccessRecord, EndKind, Phase, RecordedUsage};
use super::metrics::Vectors;
use super::names::OTHER;
use parking_lot::RwLock;
use prometheus::{Counter, Histogram, IntCounter, IntGauge};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Most models with metrics of their own on one route; further ones count as `other`. Models come from the
/// configuration's prices, so this is a belt beside the braces.
const MODELS_MAX: usize = 1_000;
const MICROS_PER_SECOND: f64 = 1e6;
const STATUS_CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// Metrics of one route.
pub struct RouteMetrics {
    route: Arc<str>,
    vectors: Arc<Vectors>,
    requests: [IntCounter; 6],
    ends: [IntCounter; 6],
    duration: Histogram,
    phases: [Counter; 6],
    unpriced: IntCounter,
    estimated: IntCounter,
    models: RwLock<HashMap<Arc<str>, Arc<ModelMetrics>>>,
}

struct ModelMetrics {
    input: IntCounter,
    output: IntCounter,
    cached_input: IntCounter,
    input_sizes: Histogram,
    output_sizes: Histogram,
    duration: Histogram,
    first_token: Histogram,
}

impl RouteMetrics {
    pub(super) fn new(vectors: &Arc<Vectors>, route: &str) -> Self {
        Self {
            requests: STATUS_CLASSES.map(|class| vectors.requests.with_label_values(&[route, class])),
            ends: EndKind::ALL.map(|end| vectors.ends.with_label_values(&[route, end.as_str()])),
            duration: vectors.duration.with_label_values(&[route]),
            phases: Phase::ALL.map(|phase| vectors.phases.with_label_values(&[route, phase.as_str()])),
            unpriced: vectors.unpriced.with_label_values(&[route]),
            estimated: vectors.estimated.with_label_values(&[route]),
            models: RwLock::default(),
            route: route.into(),
            vectors: Arc::clone(vectors),
        }
    }

    /// Counts a request that has ended.
    pub fn record(&self, record: &AccessRecord) {
        let class = usize::from(record.status.unwrap_or(0) / 100);
        if let Some(counter) = self.requests.get(class) {
            counter.inc();
        }
        if let Some(counter) = self.ends.get(record.end as usize) {
            counter.inc();
        }
        self.duration.observe(seconds(record.micros.total));
        for (phase, counter) in Phase::ALL.iter().zip(&self.phases) {
            match record.micros.get(*phase) {
                0 => {}
                micros => counter.inc_by(seconds(micros)),
            }
        }
        if let Some(code) = record.code {
            self.vectors.denials.with_label_values(&[&*self.route, code]).inc();
        }
        if let Some(result) = record.idempotency {
            self.vectors.idempotent.with_label_values(&[&*self.route, result.as_str()]).inc();
        }
        self.record_guards(record);
        if let Some(usage) = &record.usage {
            self.record_usage(usage, record);
        }
        self.record_waste(record);
    }

    fn record_waste(&self, record: &AccessRecord) {
        for attempt in &record.waste {
            let (upstream, currency) = (&*attempt.upstream, attempt.cost.currency());
            self.vectors.wasted_attempts.with_label_values(&[&*self.route, upstream]).inc();
            let nanos = u64::try_from(attempt.cost.nanos()).unwrap_or(0);
            self.vectors.waste.with_label_values(&[&*self.route, upstream, currency.as_str()]).inc_by(nanos);
        }
    }

    fn record_guards(&self, record: &AccessRecord) {
        for (action, count) in &record.sanitized {
            self.vectors.sanitized.with_label_values(&[&*self.route, action]).inc_by((*count).into());
        }
        if let Some(off) = &record.off_purpose {
            self.vectors.off_purpose.with_label_values(&[&*self.route, &*off.label, off.action]).inc();
        }
        self.record_masked("request", &record.masked_request);
        self.record_masked("response", &record.masked_response);
        if record.prompt_leak.is_some() {
            let action = if record.code == Some("reply_prompt_leak") { "block" } else { "report" };
            self.vectors.prompt_leaks.with_label_values(&[&*self.route, action]).inc();
        }
        if let Some(filter) = record.panicked {
            self.vectors.panics.with_label_values(&[filter.as_str()]).inc();
        }
    }

    fn record_masked(&self, direction: &str, counts: &BTreeMap<&'static str, u32>) {
        for (kind, count) in counts {
            self.vectors.masked.with_label_values(&[&*self.route, direction, kind]).inc_by((*count).into());
        }
    }

    fn record_usage(&self, usage: &RecordedUsage, record: &AccessRecord) {
        let (model, name) = self.model(&usage.model);
        let tokens = usage.tokens;
        model.input.inc_by(tokens.input);
        model.output.inc_by(tokens.output);
        model.cached_input.inc_by(tokens.cached_input);
        // counts are bounded by 2^40, far below the 2^53 that a double holds exactly
        model.input_sizes.observe(tokens.input as f64);
        model.output_sizes.observe(tokens.output as f64);
        model.duration.observe(seconds(record.micros.total));
        let before_reply = record.micros.total.saturating_sub(record.micros.response);
        model.first_token.observe(seconds(before_reply));
        let nanos = u64::try_from(usage.cost.nanos()).unwrap_or(0);
        self.vectors.cost.with_label_values(&[&*self.route, &name, usage.cost.currency().as_str()]).inc_by(nanos);
        if usage.estimated {
            self.estimated.inc();
        }
        if usage.unpriced {
            self.unpriced.inc();
        }
    }

    fn model(&self, name: &Arc<str>) -> (Arc<ModelMetrics>, Arc<str>) {
        if let Some(known) = self.models.read().get(name) {
            return (Arc::clone(known), Arc::clone(name));
        }
        let mut models = self.models.write();
        let name: Arc<str> = if models.len() < MODELS_MAX { Arc::clone(name) } else { OTHER.into() };
        let made = models
            .entry(Arc::clone(&name))
            .or_insert_with(|| Arc::new(ModelMetrics::new(&self.vectors, &self.route, &name)));
        (Arc::clone(made), name)
    }
}

impl ModelMetrics {
    fn new(vectors: &Vectors, route: &str, model: &str) -> Self {
        let tokens = |direction| vectors.tokens.with_label_values(&[route, model, direction]);
        Self {
            input: tokens("input"),
            output: tokens("output"),
            cached_input: tokens("cached_input"),
            input_sizes: vectors.gen_ai_tokens.with_label_values(&[model, "input"]),
            output_sizes: vectors.gen_ai_tokens.with_label_values(&[model, "output"]),
            duration: vectors.gen_ai_duration.with_label_values(&[model]),
            first_token: vectors.gen_ai_first_token.with_label_values(&[model]),
        }
    }
}

/// Metrics of one listener.
pub struct ListenerMetrics {
    pub(super) open: IntGauge,
    pub(super) accepted: IntCounter,
    pub(super) refused: [IntCounter; Refused::ALL.len()],
}

/// Why a connection was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Too many connections.
    Connections,
    /// Too many from its address.
    ConnectionsPerAddress,
    /// Its address is not that of a trusted proxy, on a listener for proxies.
    Untrusted,
    /// It did not begin with a PROXY header.
    ProxyHeader,
    /// TLS failed.
    Handshake,
    /// It said nothing in time.
    Silent,
}

impl Refused {
    pub(super) const ALL: [Self; 6] = [
        Self::Connections,
        Self::ConnectionsPerAddress,
        Self::Untrusted,
        Self::ProxyHeader,
        Self::Handshake,
        Self::Silent,
    ];

    /// As a label.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::ConnectionsPerAddress => "connections_per_address",
            Self::Untrusted => "untrusted",
            Self::ProxyHeader => "proxy_header",
            Self::Handshake => "handshake",
            Self::Silent => "silent",
        }
    }
}

impl ListenerMetrics {
    /// Counts a connection that is closed without being served.
    pub fn refused(&self, why: Refused) {
        if let Some(counter) = Refused::ALL.iter().position(|reason| *reason == why).and_then(|at| self.refused.get(at))
        {
            counter.inc();
        }
    }

    /// Counts a connection for as long as the value lives.
    pub fn connected(&self) -> GaugeGuard {
        self.accepted.inc();
        GaugeGuard::enter(&self.open)
    }
}

/// One more on a gauge, until it is dropped.
#[must_use]
pub struct GaugeGuard(IntGauge);

impl GaugeGuard {
    pub(super) fn enter(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / MICROS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;
    use crate::telemetry::access_record::tests::{failed_attempt, record};
    use raptorgate_filters::exchange::End;

    #[test]
    fn a_record_becomes_metrics() {
        let metrics = Metrics::new().unwrap();
        let route = metrics.route("chat");
        let mut record = record();
        record.status = Some(200);
        record.set_end(&End::Complete);
        record.micros.total = 2_000_000;
        record.waste = vec![failed_attempt()];
        route.record(&record);
        let text = metrics.encode().unwrap();
        for line in [
            r#"raptorgate_requests_total{route="chat",status_class="2xx"} 1"#,
            r#"raptorgate_request_ends_total{end="complete",route="chat"} 1"#,
            r#"raptorgate_request_duration_seconds_sum{route="chat"} 2"#,
            r#"raptorgate_phase_seconds_total{phase="first_byte",route="chat"} 0.0015"#,
            r#"raptorgate_tokens_total{direction="input",model="gpt-4o-mini",route="chat"} 10"#,
            r#"raptorgate_tokens_total{direction="cached_input",model="gpt-4o-mini",route="chat"} 4"#,
            r#"raptorgate_cost_nanos_total{currency="INR",model="gpt-4o-mini",route="chat"} 12345678"#,
            r#"raptorgate_wasted_attempts_total{route="chat",upstream="agents"} 1"#,
            r#"raptorgate_waste_nanos_total{currency="INR",route="chat",upstream="agents"} 7"#,
            r#"raptorgate_masked_total{direction="response",route="chat",type="aadhaar"} 2"#,
            r#"gen_ai_client_token_usage_sum{gen_ai_response_model="gpt-4o-mini",gen_ai_token_type="output"} 5"#,
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_request_without_status_is_counted_as_none() {
        let metrics = Metrics::new().unwrap();
        metrics.unrouted().record(&record());
        let line = r#"raptorgate_requests_total{route="other",status_class="none"} 1"#;
        assert!(metrics.encode().unwrap().contains(line));
    }

    #[test]
    fn unknown_models_share_one_label() {
        let metrics = Metrics::new().unwrap();
        let route = metrics.route("chat");
        let mut record = record();
        for n in 0..MODELS_MAX + 50 {
            if let Some(usage) = &mut record.usage {
                usage.model = format!("model-{n}").into();
            }
            route.record(&record);
        }
        let text = metrics.encode().unwrap();
        let models = text.lines().filter(|l| l.starts_with("raptorgate_cost_nanos_total{")).count();
        assert_eq!(models, MODELS_MAX + 1);
        assert!(text.contains(r#"model="other""#));
    }

    #[test]
    fn a_connection_is_counted_while_it_lives() {
        let metrics = Metrics::new().unwrap();
        let listener = metrics.listener("127.0.0.1:1");
        let first = listener.connected();
        drop(listener.connected());
        assert_eq!((listener.open.get(), listener.accepted.get()), (1, 2));
        drop(first);
        assert_eq!(listener.open.get(), 0);
    }
}
