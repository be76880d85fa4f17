//! The closed list of refusals: what a caller can be told, each with a stable code.
//!
//! A refusal is a decision that was made, not a failure: it travels in the `Ok` path. Status codes and bodies are made
//! elsewhere, in one place.
//!
//! # Invariants
//! * Codes are unique and documented (`every_code_is_unique`; docs/errors.md is compared by a test of the renderer).

use crate::Timestamp;
use raptorgate_config::units::{Currency, Money};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Name of a budget or limit, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitName(Arc<str>);

impl From<Arc<str>> for LimitName {
    fn from(name: Arc<str>) -> Self {
        Self(name)
    }
}

impl Default for LimitName {
    fn default() -> Self {
        Self("limit".into())
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a request was refused or could not be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    // -- routing
    /// No route matches host and path.
    RouteNotFound,
    /// A route matches, but not with this method; `allowed` lists the methods that do.
    MethodNotAllowed {
        /// Upper-case methods, for the `Allow` header.
        allowed: Vec<String>,
    },
    /// The request's head is not acceptable; the text says which rule.
    BadRequest(&'static str),
    /// The request's target is longer than the limit.
    TargetTooLong,
    /// The request's head is larger, or has more fields, than the limit.
    HeaderTooLarge,
    /// The request's head did not arrive in time.
    HeaderTimeout,
    /// `Expect` asks for something unknown.
    ExpectationFailed,
    /// The gateway, or this address, has no room for another connection.
    TooManyConnections,
    // -- identity
    /// No credentials.
    MissingApiKey,
    /// Unknown credentials.
    InvalidApiKey,
    /// No client certificate.
    MissingClientCertificate,
    /// A client certificate that stands for nobody here.
    InvalidClientCertificate,
    /// The key may not name an end user.
    EndUserNotAllowed,
    /// An end user or execution id has a form that is not accepted.
    InvalidIdentifier(&'static str),
    // -- bodies
    /// Larger than the route accepts.
    BodyTooLarge {
        /// The limit in bytes.
        bytes_max: u64,
    },
    /// Not received whole within the time the route gives.
    BodyTimeout,
    /// Content type that the route's guards cannot read.
    UnsupportedContentType,
    /// Content coding that the route's guards cannot read.
    UnsupportedContentCoding,
    /// The body is not what its content coding says.
    InvalidContentCoding,
    /// The coded body grows by more than the route's `body.decode_ratio`.
    BodyRatioTooHigh {
        /// The limit in decoded bytes for each coded one.
        ratio_max: u32,
    },
    /// Not JSON although it says so.
    BodyNotJson,
    /// JSON with the same member twice in one object.
    BodyDuplicateKey,
    /// JSON nested deeper than the limit.
    BodyTooDeep,
    /// Not UTF-8.
    BodyNotUtf8,
    // -- guards
    /// Prompt injection found, and the route says block.
    PromptBlocked,
    /// Asked for something that the route is not for.
    OffPurpose {
        /// What it is for.
        allowed: Arc<str>,
    },
    /// Personal data found in the request, and the route says block.
    PiiBlocked,
    /// Personal data found in the reply, and the route says block.
    ReplyPiiBlocked,
    /// The reply gives the system prompt away, and the route says block.
    ReplyPromptLeak,
    // -- limits
    /// Too many requests.
    RateLimited {
        /// When the next one will be accepted.
        retry_after: Duration,
        /// Which limit refuses; `None`: one at the door.
        limit: Option<LimitName>,
    },
    /// One request needs more than a limit lets through in a whole window.
    ExceedsRateLimit {
        /// Which limit.
        limit: LimitName,
    },
    /// As many run at once as may.
    TooManyAtOnce {
        /// Which limit.
        limit: LimitName,
    },
    /// It could cost more than is left.
    BudgetExceeded {
        /// Which budget.
        budget: LimitName,
        /// What may be spent in its window.
        limit: Money,
        /// What is left.
        available: Money,
        /// What the request could cost.
        needed: Money,
        /// When the budget begins anew; `None`: never.
        resets_at: Option<Timestamp>,
    },
    /// An idempotency key, or the lock of an execution.
    Key(KeyRefusal),
    /// The store of money and limits does not answer.
    StoreUnavailable,
    /// The gateway has no room for another buffered body.
    Overloaded,
    // -- upstream
    /// As many requests are at the upstream as may be, and no room came in time.
    UpstreamOverloaded,
    /// The host names of the upstream stand for no address.
    UpstreamUnresolved,
    /// No endpoint accepted a connection.
    UpstreamConnectFailed,
    /// No TLS connection that may be trusted.
    UpstreamTlsFailed,
    /// The upstream closed or broke the connection before its reply was whole.
    UpstreamReset,
    /// The upstream's reply is not valid, or cannot be read by the route's guards.
    UpstreamInvalidReply,
    /// The reply is larger than may be held back for inspection.
    ReplyTooLarge,
    /// The coded reply grows by more than the route's `body.decode_ratio`.
    ReplyRatioTooHigh,
    /// An upstream time-out.
    UpstreamTimeout(TimeoutPhase),
    // -- ourselves
    /// A fault that the configuration asked for.
    FaultInjected {
        /// Status to answer with, 400–599.
        status: u16,
    },
    /// A defect of the gateway.
    Internal,
}

/// What an idempotency key, or the lock of an execution, has against a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRefusal {
    /// The route needs an idempotency key, and none was sent.
    Missing,
    /// Another request with this key runs.
    InProgress,
    /// The key belongs to a different request.
    Mismatch,
    /// A request with this key was answered, and the reply is not kept.
    NotStored,
    /// A request with this key was sent to the upstream, and nobody knows what became of it.
    Unknown,
    /// Another request of the same execution runs.
    Locked,
}

impl KeyRefusal {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "idempotency_key_missing",
            Self::InProgress => "idempotency_in_progress",
            Self::Mismatch => "idempotency_mismatch",
            Self::NotStored => "result_not_stored",
            Self::Unknown => "execution_unknown",
            Self::Locked => "execution_locked",
        }
    }
}

/// Which upstream time-out ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutPhase {
    /// To connect.
    Connect,
    /// To the first byte of the reply.
    FirstByte,
    /// Between two parts of the reply.
    Idle,
    /// For the whole request.
    Total,
}

impl Denial {
    /// One of each, for documentation and tests.
    pub fn all() -> Vec<Denial> {
        [Self::all_of_clients(), Self::all_of_services()].concat()
    }

    /// What a client can do something about.
    fn all_of_clients() -> Vec<Denial> {
        vec![
            Self::RouteNotFound,
            Self::MethodNotAllowed { allowed: vec!["POST".into()] },
            Self::BadRequest("the request's head is not acceptable"),
            Self::TargetTooLong,
            Self::HeaderTooLarge,
            Self::HeaderTimeout,
            Self::ExpectationFailed,
            Self::TooManyConnections,
            Self::MissingApiKey,
            Self::InvalidApiKey,
            Self::MissingClientCertificate,
            Self::InvalidClientCertificate,
            Self::EndUserNotAllowed,
            Self::InvalidIdentifier("end user"),
            Self::BodyTooLarge { bytes_max: 10 << 20 },
            Self::BodyTimeout,
            Self::UnsupportedContentType,
            Self::UnsupportedContentCoding,
            Self::InvalidContentCoding,
            Self::BodyRatioTooHigh { ratio_max: 100 },
            Self::BodyNotJson,
            Self::BodyDuplicateKey,
            Self::BodyTooDeep,
            Self::BodyNotUtf8,
            Self::PromptBlocked,
            Self::OffPurpose { allowed: "marketing".into() },
            Self::PiiBlocked,
            Self::ReplyPiiBlocked,
            Self::ReplyPromptLeak,
            Self::RateLimited { retry_after: Duration::from_secs(1), limit: None },
            Self::ExceedsRateLimit { limit: LimitName::default() },
            Self::TooManyAtOnce { limit: LimitName::default() },
            Self::BudgetExceeded {
                budget: LimitName::default(),
                limit: Money::from_nanos(2_000_000_000, Currency::INR),
                available: Money::from_nanos(500_000_000, Currency::INR),
                needed: Money::from_nanos(750_000_000, Currency::INR),
                resets_at: Some(Timestamp::from_micros(1_764_527_400_000_000)),
            },
            Self::Key(KeyRefusal::Missing),
            Self::Key(KeyRefusal::InProgress),
            Self::Key(KeyRefusal::Mismatch),
            Self::Key(KeyRefusal::NotStored),
            Self::Key(KeyRefusal::Unknown),
            Self::Key(KeyRefusal::Locked),
        ]
    }

    /// What fails behind the gateway, or in it.
    fn all_of_services() -> Vec<Denial> {
        use TimeoutPhase::{Connect, FirstByte, Idle, Total};
        vec![
            Self::StoreUnavailable,
            Self::Overloaded,
            Self::UpstreamOverloaded,
            Self::UpstreamUnresolved,
            Self::UpstreamConnectFailed,
            Self::UpstreamTlsFailed,
            Self::UpstreamReset,
            Self::UpstreamInvalidReply,
            Self::ReplyTooLarge,
            Self::ReplyRatioTooHigh,
            Self::UpstreamTimeout(Connect),
            Self::UpstreamTimeout(FirstByte),
            Self::UpstreamTimeout(Idle),
            Self::UpstreamTimeout(Total),
            Self::FaultInjected { status: 503 },
            Self::Internal,
        ]
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::RouteNotFound => "route_not_found",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::BadRequest(_) => "bad_request",
            Self::TargetTooLong => "target_too_long",
            Self::HeaderTooLarge => "header_too_large",
            Self::HeaderTimeout => "header_timeout",
            Self::ExpectationFailed => "expectation_failed",
            Self::TooManyConnections => "too_many_connections",
            Self::MissingApiKey => "missing_api_key",
            Self::InvalidApiKey => "invalid_api_key",
            Self::MissingClientCertificate => "missing_client_certificate",
            Self::InvalidClientCertificate => "invalid_client_certificate",
            Self::EndUserNotAllowed => "end_user_not_allowed",
            Self::InvalidIdentifier(_) => "invalid_identifier",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::BodyTimeout => "body_timeout",
            Self::UnsupportedContentType => "unsupported_content_type",
            Self::UnsupportedContentCoding => "unsupported_content_coding",
            Self::InvalidContentCoding => "invalid_content_coding",
            Self::BodyRatioTooHigh { .. } => "body_ratio_too_high",
            Self::BodyNotJson => "body_not_json",
            Self::BodyDuplicateKey => "body_duplicate_key",
            Self::BodyTooDeep => "body_too_deep",
            Self::BodyNotUtf8 => "body_not_utf8",
            Self::PromptBlocked => "prompt_blocked",
            Self::OffPurpose { .. } => "off_purpose",
            Self::PiiBlocked => "pii_blocked",
            Self::ReplyPiiBlocked => "reply_pii_blocked",
            Self::ReplyPromptLeak => "reply_prompt_leak",
            Self::RateLimited { .. } => "rate_limited",
            Self::ExceedsRateLimit { .. } => "exceeds_rate_limit",
            Self::TooManyAtOnce { .. } => "too_many_at_once",
            Self::BudgetExceeded { .. } => "budget_exceeded",
            Self::Key(refusal) => refusal.code(),
            Self::StoreUnavailable => "store_unavailable",
            Self::Overloaded => "overloaded",
            Self::UpstreamOverloaded => "upstream_overloaded",
            Self::UpstreamUnresolved => "upstream_unresolved",
            Self::UpstreamConnectFailed => "upstream_connect_failed",
            Self::UpstreamTlsFailed => "upstream_tls_failed",
            Self::UpstreamReset => "upstream_reset",
            Self::UpstreamInvalidReply => "upstream_invalid_reply",
            Self::ReplyTooLarge => "reply_too_large",
            Self::ReplyRatioTooHigh => "reply_ratio_too_high",
            Self::UpstreamTimeout(TimeoutPhase::Connect) => "upstream_timeout_connect",
            Self::UpstreamTimeout(TimeoutPhase::FirstByte) => "upstream_timeout_first_byte",
            Self::UpstreamTimeout(TimeoutPhase::Idle) => "upstream_timeout_idle",
            Self::UpstreamTimeout(TimeoutPhase::Total) => "upstream_timeout_total",
            Self::FaultInjected { .. } => "fault_injected",
            Self::Internal => "internal_error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_unique() {
        let all = Denial::all();
        let codes: HashSet<_> = all.iter().map(Denial::code).collect();
        assert_eq!(codes.len(), all.len());
    }
}
