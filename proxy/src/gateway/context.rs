//! What the callbacks keep for one request.
//!
//! # Invariants
//! * Its record is written exactly once: by [`RequestContext::write_record`], or when the context is dropped without it
//!   (a panic in Pingora, shutdown), and the filters are told of the end in both cases.

use crate::edge::client_address::Client;
use crate::edge::facts::ConnectionFacts;
use crate::guard::Link;
use crate::guard::in_flight::Entered;
use crate::runtime::{CompiledRoute, Runtime, Shared};
use crate::telemetry::access_record::AccessRecord;
use crate::telemetry::metrics::GaugeGuard;
use crate::upstreams::gate::Place;
use crate::upstreams::lease::Lease;
use raptorgate_filters::exchange::{End, Exchange};
use raptorgate_policies::balance::{Method, Tried};
use raptorgate_policies::buffers::BufferPermit;
use raptorgate_policies::trace::TraceContext;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// One request.
pub struct RequestContext {
    pub(super) runtime: Arc<Runtime>,
    pub(super) shared: Arc<Shared>,
    pub(super) route: Option<Arc<CompiledRoute>>,
    pub(super) link: Option<Arc<Link>>,
    /// Its place among those that a shutdown ends.
    pub(super) entered: Option<Entered>,
    pub(super) record: Option<AccessRecord>,
    pub(super) trace: Option<TraceContext>,
    pub(super) started: Instant,
    pub(super) attempt_started: Instant,
    /// How endpoints are chosen for this request.
    pub(super) method: Method,
    pub(super) attempts: u32,
    /// Interim replies of this attempt.
    pub(super) interim: u32,
    /// Hold on the endpoint of this attempt.
    pub(super) lease: Option<Lease>,
    /// Endpoints of earlier attempts: not asked again while another is left.
    pub(super) tried: Vec<(SocketAddr, Tried)>,
    /// Its place at the upstream, and its count there.
    pub(super) place: Option<(Place, GaugeGuard)>,
    /// The request's head was given to this attempt's connection.
    pub(super) sent: bool,
    /// Length of the buffered body, if it must be framed.
    pub(super) buffered_len: Option<usize>,
    pub(super) streamed_bytes: u64,
    pub(super) permit: Option<BufferPermit>,
    /// The connection that the request came over.
    pub(super) connection: Option<Arc<ConnectionFacts>>,
    /// Who is behind it, as far as trusted proxies say.
    pub(super) client: Option<Client>,
    _in_flight: GaugeGuard,
}

impl RequestContext {
    pub(super) fn new(runtime: Arc<Runtime>, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        let in_flight = shared.metrics.enter_request();
        Self {
            runtime,
            shared,
            route: None,
            link: None,
            entered: None,
            record: None,
            trace: None,
            started: now,
            attempt_started: now,
            method: Method::RoundRobin,
            attempts: 0,
            interim: 0,
            lease: None,
            tried: Vec::new(),
            place: None,
            sent: false,
            buffered_len: None,
            streamed_bytes: 0,
            permit: None,
            connection: None,
            client: None,
            _in_flight: in_flight,
        }
    }

    /// Completes and writes the record. Later calls do nothing.
    pub(super) fn write_record(&mut self) {
        let Some(mut record) = self.record.take() else { return };
        if let Some(link) = &self.link {
            if let Some(exchange) = link.exchange() {
                describe(&exchange, &mut record);
            }
            if let Some(outcome) = link.outcome() {
                record.set_end(&outcome.end);
                record.status = record.status.or(outcome.status);
            }
        }
        record.attempts = self.attempts;
        record.micros.total = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        match &self.route {
            Some(route) => route.metrics.record(&record),
            None => self.shared.metrics.unrouted().record(&record),
        }
        self.shared.access_log.write(record);
    }
}

fn describe(exchange: &Exchange, record: &mut AccessRecord) {
    if let Some(identity) = &exchange.identity {
        record.tenant = Some(identity.tenant().clone());
        record.user = Some(identity.user().clone());
        record.key_id = Some(identity.key_id().clone());
    }
    record.end_user = exchange.end_user.clone();
    record.execution = exchange.execution.clone();
    record.idempotency = exchange.report.key;
    record.usage = exchange.metered.as_ref().map(Into::into);
    record.sanitized = exchange.report.sanitized.clone();
    record.injection_percent = exchange.report.injection_percent;
    record.off_purpose = exchange.report.off_purpose.clone();
    record.masked_request = exchange.report.masked_request.clone();
    record.masked_response = exchange.report.masked_response.clone();
    record.prompt_leak = exchange.report.prompt_leak;
    record.panicked = exchange.report.panicked;
    record.waste = exchange.waste().cloned().collect();
}

impl Drop for RequestContext {
    fn drop(&mut self) {
        if self.record.is_none() {
            return;
        }
        // cost never depends on a callback: the filters hear of this end too
        match (self.link.clone().filter(|link| !link.is_ended()), tokio::runtime::Handle::try_current()) {
            (Some(link), Ok(runtime)) => drop(runtime.spawn(async move { link.end(End::Dropped, None).await })),
            (Some(_), Err(_)) | (None, _) => {}
        }
        self.write_record();
    }
}
