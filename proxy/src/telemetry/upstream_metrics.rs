//! Metrics of upstreams: attempts, connections, requests in flight and waiting, health, look-ups.

use super::metrics::Vectors;
use super::route_metrics::GaugeGuard;
use prometheus::{Histogram, IntCounter, IntGauge};
use std::time::Duration;

/// Metrics of one upstream.
pub struct UpstreamMetrics {
    attempts: [IntCounter; AttemptResult::ALL.len()],
    first_byte: Histogram,
    connections: [IntCounter; ConnectionKind::ALL.len()],
    in_flight: IntGauge,
    waiting: IntGauge,
    overflows: [IntCounter; Overflow::ALL.len()],
    endpoints: [IntGauge; EndpointState::ALL.len()],
    checks: [IntCounter; CheckResult::ALL.len()],
    ejections: IntCounter,
    panics: IntCounter,
    lookups: [IntCounter; LookupResult::ALL.len()],
}

impl UpstreamMetrics {
    pub(super) fn new(vectors: &Vectors, upstream: &str) -> Self {
        let counter = |vector: &prometheus::IntCounterVec, word| vector.with_label_values(&[upstream, word]);
        Self {
            attempts: AttemptResult::ALL.map(|result| counter(&vectors.attempts, result.as_str())),
            first_byte: vectors.first_byte.with_label_values(&[upstream]),
            connections: ConnectionKind::ALL.map(|kind| counter(&vectors.upstream_connections, kind.as_str())),
            in_flight: vectors.upstream_in_flight.with_label_values(&[upstream]),
            waiting: vectors.upstream_waiting.with_label_values(&[upstream]),
            overflows: Overflow::ALL.map(|why| counter(&vectors.overflows, why.as_str())),
            endpoints: EndpointState::ALL.map(|state| vectors.endpoints.with_label_values(&[upstream, state.as_str()])),
            checks: CheckResult::ALL.map(|result| counter(&vectors.health_checks, result.as_str())),
            ejections: vectors.ejections.with_label_values(&[upstream]),
            panics: vectors.panic_attempts.with_label_values(&[upstream]),
            lookups: LookupResult::ALL.map(|result| counter(&vectors.lookups, result.as_str())),
        }
    }

    /// Counts an attempt that has ended.
    pub fn attempted(&self, result: AttemptResult) {
        count(&self.attempts, result as usize);
    }

    /// Counts the time to the first byte of a reply.
    pub fn first_byte(&self, took: Duration) {
        self.first_byte.observe(took.as_secs_f64());
    }

    /// Counts a connection that an attempt got.
    pub fn connected(&self, kind: ConnectionKind) {
        count(&self.connections, kind as usize);
    }

    /// Counts a request at the upstream for as long as the value lives.
    pub fn enter(&self) -> GaugeGuard {
        GaugeGuard::enter(&self.in_flight)
    }

    /// Counts a request that waits for room for as long as the value lives.
    pub fn wait(&self) -> GaugeGuard {
        GaugeGuard::enter(&self.waiting)
    }

    /// Counts a request that found no room.
    pub fn overflowed(&self, why: Overflow) {
        count(&self.overflows, why as usize);
    }

    /// Says how many endpoints are in a state.
    pub fn set_endpoints(&self, state: EndpointState, number: usize) {
        if let Some(gauge) = self.endpoints.get(state as usize) {
            gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
        }
    }

    /// Counts a health check.
    pub fn checked(&self, result: CheckResult) {
        count(&self.checks, result as usize);
    }

    /// Counts an ejection.
    pub fn ejected(&self) {
        self.ejections.inc();
    }

    /// Counts an attempt made while every endpoint was out.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// Counts a look-up of a host name.
    pub fn looked_up(&self, result: LookupResult) {
        count(&self.lookups, result as usize);
    }
}

fn count(counters: &[IntCounter], at: usize) {
    if let Some(counter) = counters.get(at) {
        counter.inc();
    }
}

/// Declares the values of a label: an enum, all of it in order, and the words.
macro_rules! label {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $variant_doc:literal])* $variant:ident => $word:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $variant_doc])* $variant,)*
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: [$name; [$($word),*].len()] = [$(Self::$variant),*];

            /// The word in metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

label! {
    /// How an attempt at an upstream ended.
    AttemptResult {
        /// A whole reply with a status below 500.
        Ok => "ok",
        /// A whole reply with a status of 500 or above.
        ServerError => "server_error",
        /// No connection.
        ConnectFailed => "connect_failed",
        /// No TLS connection that may be trusted.
        TlsFailed => "tls_failed",
        /// The connect time-out ran out.
        ConnectTimeout => "connect_timeout",
        /// The first-byte time-out ran out.
        FirstByteTimeout => "first_byte_timeout",
        /// The idle time-out ran out.
        IdleTimeout => "idle_timeout",
        /// The total time-out ran out.
        TotalTimeout => "total_timeout",
        /// The upstream broke off.
        Reset => "reset",
        /// The reply was not valid or too large.
        InvalidReply => "invalid_reply",
        /// The client left first.
        ClientLeft => "client_left",
    }
}

label! {
    /// Where an attempt's connection came from.
    ConnectionKind {
        /// It is new.
        Opened => "opened",
        /// It was there: idle, or with room for another HTTP/2 stream.
        Reused => "reused",
    }
}

label! {
    /// Why a request found no room at an upstream.
    Overflow {
        /// As many wait as may wait.
        Full => "full",
        /// It has waited for as long as it may.
        Timeout => "timeout",
    }
}

label! {
    /// State of an endpoint.
    EndpointState {
        /// It gets requests.
        In => "in",
        /// It gets fewer requests than its weight says, because it has just come back.
        Returning => "returning",
        /// Its health checks fail.
        Unhealthy => "unhealthy",
        /// It failed requests.
        Ejected => "ejected",
    }
}

label! {
    /// Result of a health check.
    CheckResult {
        /// The expected status came in time.
        Passed => "passed",
        /// No connection.
        ConnectFailed => "connect_failed",
        /// Another status.
        WrongStatus => "wrong_status",
        /// Not in time.
        Timeout => "timeout",
        /// The connection broke, or what came was no reply.
        Broken => "broken",
    }
}

label! {
    /// Result of a look-up of a host name.
    LookupResult {
        /// At least one address.
        Answered => "answered",
        /// The name does not exist, or has no addresses.
        NoAddress => "no_address",
        /// No name server answered in time.
        Timeout => "timeout",
        /// A name server failed, or refused.
        Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;

    #[test]
    fn every_attempt_result_has_its_counter() {
        let metrics = Metrics::new().unwrap();
        let upstream = metrics.upstream("agents");
        for result in AttemptResult::ALL {
            upstream.attempted(result);
        }
        let text = metrics.encode().unwrap();
        for result in AttemptResult::ALL {
            let line =
                format!(r#"raptorgate_upstream_attempts_total{{result="{}",upstream="agents"}} 1"#, result.as_str());
            assert!(text.contains(&line), "{line}");
        }
    }

    #[test]
    fn what_is_in_flight_and_waits_is_counted_while_it_lives() {
        let metrics = Metrics::new().unwrap();
        let upstream = metrics.upstream("agents");
        let (one, two) = (upstream.enter(), upstream.wait());
        let lines = [
            r#"raptorgate_upstream_requests_in_flight{upstream="agents"} 1"#,
            r#"raptorgate_upstream_requests_waiting{upstream="agents"} 1"#,
        ];
        let text = metrics.encode().unwrap();
        assert!(lines.iter().all(|line| text.contains(line)), "{text}");
        drop((one, two));
        let text = metrics.encode().unwrap();
        assert!(lines.iter().all(|line| !text.contains(line)), "{text}");
    }
}
