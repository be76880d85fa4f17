//! What is written about one request when it has ended. Log and metrics are both made from this one record, so they agree.
//!
//! # Invariants
//! * There is no field for header values, bodies or queries (`a_record_has_no_query`).
//! * Each text is bounded (`a_long_path_is_cut`).

use super::rfc3339::rfc3339;
use raptorgate_config::units::Money;
use raptorgate_filters::exchange::{End, FailedAttempt, KeyResult, Metered, OffPurpose};
use raptorgate_filters::filter::FilterName;
use raptorgate_policies::{Timestamp, Usage};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Longest path that is logged, in bytes; the rest is left out.
const PATH_BYTES_MAX: usize = 1024;

/// One request, ended.
#[derive(Clone, Debug, Serialize)]
pub struct AccessRecord {
    /// When its head was read.
    #[serde(serialize_with = "as_rfc3339")]
    pub time: Timestamp,
    /// Its id.
    pub request_id: Arc<str>,
    /// W3C trace id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Arc<str>>,
    /// Address of the client.
    pub client: IpAddr,
    /// Address of the listener.
    pub listener: Arc<str>,
    /// Protocol of the client.
    pub protocol: Protocol,
    /// Method.
    pub method: Arc<str>,
    /// Path.
    pub path: LoggedPath,
    /// Route, if one matched.
    pub route: Option<Arc<str>>,
    /// Status sent, if one was.
    pub status: Option<u16>,
    /// Code of the refusal or failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// How it ended.
    pub end: EndKind,
    /// Tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Arc<str>>,
    /// Owner of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Arc<str>>,
    /// Name of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<Arc<str>>,
    /// On whose behalf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_user: Option<Arc<str>>,
    /// Agent run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution: Option<Arc<str>>,
    /// What became of its idempotency key.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "key_result")]
    pub idempotency: Option<KeyResult>,
    /// Upstream, if the request was handed to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Arc<str>>,
    /// Attempts at the upstream.
    pub attempts: u32,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the reply's body as sent.
    pub bytes_out: u64,
    /// Where the time went, in microseconds.
    pub micros: PhaseMicros,
    /// Tokens and cost, on metered routes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<RecordedUsage>,
    /// Injection findings.
    pub sanitized: BTreeMap<&'static str, u32>,
    /// The highest score of a text that counts as an attack, in percent.
    pub injection_percent: Option<u8>,
    /// What it was asked for, if the route is not for that.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "off_purpose")]
    pub off_purpose: Option<OffPurpose>,
    /// Values masked in the request.
    pub masked_request: BTreeMap<&'static str, u32>,
    /// Values masked in the reply.
    pub masked_response: BTreeMap<&'static str, u32>,
    /// What the reply gave away of the system prompt: `canary` or `wording`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_leak: Option<&'static str>,
    /// Attempts that failed and that nobody pays for.
    #[serde(skip)]
    pub waste: Vec<FailedAttempt>,
    /// Filter that panicked.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "filter_name")]
    pub panicked: Option<FilterName>,
    /// Configuration it was served under: `7-1f3a9c2e`.
    pub generation: Arc<str>,
}

impl AccessRecord {
    /// A record in which only these are known yet; the rest is empty or zero and `end` is [`EndKind::Dropped`].
    pub fn new(time: Timestamp, request_id: Arc<str>, client: IpAddr, protocol: Protocol) -> Self {
        let empty: Arc<str> = Arc::from("");
        Self {
            time,
            request_id,
            trace_id: None,
            client,
            listener: Arc::clone(&empty),
            protocol,
            method: Arc::clone(&empty),
            path: LoggedPath::default(),
            route: None,
            status: None,
            code: None,
            end: EndKind::Dropped,
            tenant: None,
            user: None,
            key_id: None,
            end_user: None,
            execution: None,
            idempotency: None,
            upstream: None,
            attempts: 0,
            bytes_in: 0,
            bytes_out: 0,
            micros: PhaseMicros::default(),
            usage: None,
            sanitized: BTreeMap::new(),
            injection_percent: None,
            off_purpose: None,
            masked_request: BTreeMap::new(),
            masked_response: BTreeMap::new(),
            prompt_leak: None,
            waste: Vec::new(),
            panicked: None,
            generation: empty,
        }
    }

    /// Takes kind and code from an outcome's end.
    pub fn set_end(&mut self, end: &End) {
        (self.end, self.code) = match end {
            End::Complete => (EndKind::Complete, None),
            End::Denied(denial) => (EndKind::Denied, Some(denial.code())),
            End::Stopped(denial) => (EndKind::Stopped, Some(denial.code())),
            End::ClientLeft => (EndKind::ClientLeft, None),
            End::Cut(denial) => (EndKind::Cut, Some(denial.code())),
            End::Dropped => (EndKind::Dropped, None),
        };
    }
}

/// A path without query or fragment, at most [`PATH_BYTES_MAX`] long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LoggedPath(String);

impl LoggedPath {
    /// Cuts what must not be logged.
    pub fn new(path_and_query: &str) -> Self {
        let path = path_and_query.split(['?', '#']).next().unwrap_or_default();
        let mut end = path.len().min(PATH_BYTES_MAX);
        while !path.is_char_boundary(end) {
            end -= 1;
        }
        Self(path.get(..end).unwrap_or_default().to_owned())
    }
}

/// Protocol of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Protocol {
    /// HTTP/1.0 or HTTP/1.1.
    #[serde(rename = "http1")]
    Http1,
    /// HTTP/2.
    #[serde(rename = "http2")]
    Http2,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndKind {
    /// The reply was sent whole.
    Complete,
    /// Refused.
    Denied,
    /// The gateway ended a stream early, in the words of its protocol.
    Stopped,
    /// The client left before the reply was whole.
    ClientLeft,
    /// The upstream failed after the reply's head was sent.
    Cut,
    /// Dropped by shutdown or a panic outside the filters.
    Dropped,
}

impl EndKind {
    /// All kinds, in the order of their declaration.
    pub const ALL: [EndKind; 6] =
        [Self::Complete, Self::Denied, Self::Stopped, Self::ClientLeft, Self::Cut, Self::Dropped];

    /// The name in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Denied => "denied",
            Self::Stopped => "stopped",
            Self::ClientLeft => "client_left",
            Self::Cut => "cut",
            Self::Dropped => "dropped",
        }
    }
}

/// A part of a request's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Filters of the head.
    Head,
    /// Reading the request's body.
    Body,
    /// Guards on the request's body.
    Guards,
    /// Connecting to the upstream.
    UpstreamConnect,
    /// From the request sent to the first byte of the reply.
    FirstByte,
    /// From the reply's first byte to the end.
    Response,
}

impl Phase {
    /// All phases, in the order of a request's life.
    pub const ALL: [Phase; 6] =
        [Self::Head, Self::Body, Self::Guards, Self::UpstreamConnect, Self::FirstByte, Self::Response];

    /// The name in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Body => "body",
            Self::Guards => "guards",
            Self::UpstreamConnect => "upstream_connect",
            Self::FirstByte => "first_byte",
            Self::Response => "response",
        }
    }
}

/// Microseconds per phase; 0 where the phase did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PhaseMicros {
    /// [`Phase::Head`].
    pub head: u64,
    /// [`Phase::Body`].
    pub body: u64,
    /// [`Phase::Guards`].
    pub guards: u64,
    /// [`Phase::UpstreamConnect`].
    pub upstream_connect: u64,
    /// [`Phase::FirstByte`].
    pub first_byte: u64,
    /// [`Phase::Response`].
    pub response: u64,
    /// From the head read to the end.
    pub total: u64,
}

impl PhaseMicros {
    /// Adds time to a phase.
    pub fn add(&mut self, phase: Phase, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let field = match phase {
            Phase::Head => &mut self.head,
            Phase::Body => &mut self.body,
            Phase::Guards => &mut self.guards,
            Phase::UpstreamConnect => &mut self.upstream_connect,
            Phase::FirstByte => &mut self.first_byte,
            Phase::Response => &mut self.response,
        };
        *field = field.saturating_add(micros);
    }

    /// Time of a phase.
    pub const fn get(&self, phase: Phase) -> u64 {
        match phase {
            Phase::Head => self.head,
            Phase::Body => self.body,
            Phase::Guards => self.guards,
            Phase::UpstreamConnect => self.upstream_connect,
            Phase::FirstByte => self.first_byte,
            Phase::Response => self.response,
        }
    }
}

/// Tokens and cost of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordedUsage {
    /// Model as the configuration names it, or `other`.
    pub model: Arc<str>,
    /// Tokens.
    #[serde(flatten, serialize_with = "tokens")]
    pub tokens: Usage,
    /// Cost, exact: `0.012345678 INR`.
    #[serde(serialize_with = "display")]
    pub cost: Money,
    /// The tokens were counted from what passed.
    pub estimated: bool,
    /// The model has no price.
    pub unpriced: bool,
}

impl From<&Metered> for RecordedUsage {
    fn from(metered: &Metered) -> Self {
        let used_any = metered.usage.input > 0 || metered.usage.output > 0;
        Self {
            model: Arc::clone(&metered.model),
            tokens: metered.usage,
            cost: metered.cost,
            estimated: metered.estimated,
            // a price of 0 looks the same, and is as worth a look
            unpriced: used_any && metered.cost.nanos() == 0,
        }
    }
}

fn key_result<S: Serializer>(result: &Option<KeyResult>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(result.map_or("", KeyResult::as_str))
}

fn off_purpose<S: Serializer>(off: &Option<OffPurpose>, out: S) -> Result<S::Ok, S::Error> {
    let mut map = out.serialize_map(Some(2))?;
    if let Some(off) = off {
        map.serialize_entry("label", &*off.label)?;
        map.serialize_entry("action", off.action)?;
    }
    map.end()
}

fn as_rfc3339<S: Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&rfc3339(*at))
}

fn filter_name<S: Serializer>(name: &Option<FilterName>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(name.map_or("", FilterName::as_str))
}

fn tokens<S: Serializer>(usage: &Usage, out: S) -> Result<S::Ok, S::Error> {
    let mut map = out.serialize_map(Some(3))?;
    map.serialize_entry("input_tokens", &usage.input)?;
    map.serialize_entry("output_tokens", &usage.output)?;
    map.serialize_entry("cached_input_tokens", &usage.cached_input)?;
    map.end()
}

fn display<S: Serializer>(value: &impl std::fmt::Display, out: S) -> Result<S::Ok, S::Error> {
    out.collect_str(value)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use raptorgate_config::units::Currency;
    use raptorgate_policies::Denial;
    use serde_json::json;
    use std::net::Ipv4Addr;

    pub(crate) fn failed_attempt() -> FailedAttempt {
        let cost = Money::from_nanos(7, Currency::INR);
        FailedAttempt { number: 1, upstream: "agents".into(), cost, next: raptorgate_filters::exchange::Next::Another }
    }

    pub(crate) fn record() -> AccessRecord {
        let mut record =
            AccessRecord::new(Timestamp::from_micros(1), "r-1".into(), Ipv4Addr::LOCALHOST.into(), Protocol::Http1);
        record.route = Some("chat".into());
        record.usage = Some(RecordedUsage {
            model: "gpt-4o-mini".into(),
            tokens: Usage { input: 10, output: 5, cached_input: 4 },
            cost: Money::from_nanos(12_345_678, Currency::INR),
            estimated: false,
            unpriced: false,
        });
        record.masked_response.insert("aadhaar", 2);
        record.micros.add(Phase::FirstByte, Duration::from_micros(1500));
        record
    }

    #[test]
    fn a_record_has_no_query() {
        let mut record = record();
        record.path = LoggedPath::new("/v1/chat?key=sk-CANARY#CANARY");
        record.set_end(&End::Denied(Denial::PromptBlocked));
        let value = serde_json::to_value(&record).unwrap();
        assert!(!value.to_string().contains("CANARY"), "{value}");
        assert_eq!(value["path"], "/v1/chat");
        assert_eq!((&value["end"], &value["code"]), (&json!("denied"), &json!("prompt_blocked")));
    }

    #[test]
    fn a_long_path_is_cut() {
        let path = format!("/{}", "ä".repeat(PATH_BYTES_MAX));
        let logged = LoggedPath::new(&path).0;
        assert!(logged.len() <= PATH_BYTES_MAX && path.starts_with(&logged), "{}", logged.len());
    }

    #[test]
    fn a_record_is_flat_enough_to_query() {
        let value = serde_json::to_value(record()).unwrap();
        assert_eq!(
            value["usage"],
            json!({"model": "gpt-4o-mini", "input_tokens": 10, "output_tokens": 5, "cached_input_tokens": 4,
                   "cost": "0.012345678 INR", "estimated": false, "unpriced": false})
        );
        assert_eq!(value["masked_response"], json!({"aadhaar": 2}));
        assert_eq!(value["micros"]["first_byte"], 1500);
        assert_eq!(value["time"], "1970-01-01T00:00:00.000001Z");
    }

    #[test]
    fn names_in_metrics_and_log_are_the_same() {
        for kind in EndKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        let micros = serde_json::to_value(PhaseMicros::default()).unwrap();
        for phase in Phase::ALL {
            assert_eq!(micros[phase.as_str()], 0, "{phase:?}");
        }
    }
}
