//! What is known about one request from its head to its end; handed from filter to filter.

use crate::filter::{FilterName, HeaderEdits, RequestHead};
use crate::kept::KeptReply;
use crate::mask_pii::Minted;
use raptorgate_config::model::{ApiFormat, ModelPrice};
use raptorgate_config::units::Money;
use raptorgate_guards::injection::leak::Protected;
use raptorgate_policies::admission::{ClientKey, Needs, Prepared};
use raptorgate_policies::client_certificate::VerifiedCertificate;
use raptorgate_policies::{Denial, Identity, Timestamp};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One request and what the filters found out about it.
#[derive(Debug)]
pub struct Exchange {
    /// Its id, sent upstream and back.
    pub request_id: Arc<str>,
    /// Name of the route.
    pub route: Arc<str>,
    /// Shape of bodies and errors.
    pub format: ApiFormat,
    /// When its head was read.
    pub received_at: Timestamp,
    /// Address of the client.
    pub client: IpAddr,
    /// The client's certificate, if its connection has one.
    pub client_certificate: Option<VerifiedCertificate>,
    /// Who is calling; set by `authenticate`.
    pub identity: Option<Identity>,
    /// On whose behalf; set by `end_user`.
    pub end_user: Option<Arc<str>>,
    /// Which agent run; set by `execution`.
    pub execution: Option<Arc<str>>,
    /// The idempotency key that its client sent; set by `idempotency`.
    pub client_key: Option<ClientKey>,
    /// Set when its client is known to have left while the filters wait for something.
    pub client_left: Arc<AtomicBool>,
    /// Changes to the head that goes upstream.
    pub upstream_headers: HeaderEdits,
    /// The query that goes upstream, if it is another than the client's; set by the guards.
    pub query: Option<String>,
    /// Changes to the head that goes to the client.
    pub response_headers: HeaderEdits,
    /// What `meter` found; kept up to date while the reply passes.
    pub metered: Option<Metered>,
    /// What `meter` must remember until the end.
    pub metering: MeteringNotes,
    /// What it may use and cost, as `meter` reads it.
    pub needs: Needs,
    /// Attempts that were sent and failed.
    pub failed: Vec<FailedAttempt>,
    /// What `admit` holds for it, until the end.
    pub held: Option<Arc<Prepared>>,
    /// Tokens that `mask_pii` put into the request: in the reply they are turned back.
    pub minted: Minted,
    /// What `prompt_leak` watches the reply for; absent: nothing.
    pub protected: Option<Arc<Protected>>,
    /// The reply as its client got it, once it is whole, if it is to be kept.
    pub kept: Option<KeptReply>,
    /// Set by a transform that found what must not go on: the stream ends here.
    pub refused: Option<Denial>,
    /// Why the gateway ends the stream early, once it does.
    pub stopped: Option<Denial>,
    /// What the guards did, for log and metrics.
    pub report: Report,
}

impl Exchange {
    /// A request of which only the head is known.
    pub fn new(
        request_id: Arc<str>,
        route: Arc<str>,
        format: ApiFormat,
        received_at: Timestamp,
        client: IpAddr,
    ) -> Self {
        Self {
            request_id,
            route,
            format,
            received_at,
            client,
            client_certificate: None,
            identity: None,
            end_user: None,
            execution: None,
            client_key: None,
            client_left: Arc::default(),
            upstream_headers: HeaderEdits::default(),
            query: None,
            response_headers: HeaderEdits::default(),
            metered: None,
            metering: MeteringNotes::default(),
            needs: Needs::default(),
            failed: Vec::new(),
            held: None,
            minted: Minted::default(),
            protected: None,
            kept: None,
            refused: None,
            stopped: None,
            report: Report::default(),
        }
    }
}

impl Exchange {
    /// The query as it goes upstream so far.
    pub fn query_of<'a>(&'a self, head: &RequestHead<'a>) -> Option<&'a str> {
        self.query.as_deref().or(head.query).filter(|query| !query.is_empty())
    }

    /// True if an upstream's reply is charged for.
    pub fn is_charged(&self) -> bool {
        self.metered.as_ref().is_some_and(|metered| metered.cost.nanos() > 0 || metered.usage.total() > 0)
    }

    /// Failed attempts that nobody pays for. The last one is among them unless its reply began and is charged for.
    pub fn waste(&self) -> impl Iterator<Item = &FailedAttempt> {
        let is_charged = self.is_charged();
        self.failed.iter().filter(move |attempt| attempt.next == Next::Another || !is_charged)
    }
}

/// An attempt that was sent to an upstream and failed: its provider may charge for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedAttempt {
    /// 1 for the first.
    pub number: u32,
    /// Name of the upstream.
    pub upstream: Arc<str>,
    /// What its prompt is believed to cost: nobody says what it used.
    pub cost: Money,
    /// What follows it.
    pub next: Next,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt.
    Another,
    /// The end of the request.
    End,
}

/// What `meter` knows of a request before its reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeteringNotes {
    /// The model as the request names it.
    pub model: Option<Arc<str>>,
    /// Tokens that the prompt is believed to have, if nobody counts them; 0 for a request without body.
    pub input_estimate: u64,
    /// Tokens that the prompt has at most.
    pub input_max: u64,
    /// Tokens that the answer has at most, as far as anybody says.
    pub output_max: u64,
    /// True if the answer is asked for as a stream.
    pub streamed: bool,
    /// True if the gateway asked for usage and the client did not.
    pub asked_usage: bool,
    /// True once the request is in the totals.
    pub charged: bool,
}

/// What a request used and cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metered {
    /// The model as the reply names it, if `prices` knows it; else `other`.
    pub model: Arc<str>,
    /// Tokens.
    pub usage: raptorgate_policies::Usage,
    /// What they cost.
    pub cost: Money,
    /// The price that makes it so; `None`: the model has none.
    pub price: Option<ModelPrice>,
    /// True if the tokens come from counting what passed, because the upstream gave no usage.
    pub estimated: bool,
}

/// What the guards did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Injection findings by what was done: an action as the configuration names it, or `shadow`.
    pub sanitized: BTreeMap<&'static str, u32>,
    /// The highest score of a text that counts as an attack, in percent.
    pub injection_percent: Option<u8>,
    /// What it was asked for, if the route is not for that.
    pub off_purpose: Option<OffPurpose>,
    /// Values masked in the request, by type as the configuration names it; `pattern` for patterns of the operator's own.
    pub masked_request: BTreeMap<&'static str, u32>,
    /// Values masked in the reply, by type.
    pub masked_response: BTreeMap<&'static str, u32>,
    /// What the reply gave away of the system prompt: `canary` or `wording`.
    pub prompt_leak: Option<&'static str>,
    /// Filter that panicked, if one did.
    pub panicked: Option<FilterName>,
    /// What became of its idempotency key, if it has one that the store was asked for.
    pub key: Option<KeyResult>,
}

/// A request for something else than its route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffPurpose {
    /// A label of the configuration.
    pub label: Arc<str>,
    /// What was done; `shadow` if nothing.
    pub action: &'static str,
}

/// What became of a request with an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyResult {
    /// It was run.
    New,
    /// It was answered with a reply that was there.
    Replayed,
    /// It was answered with the reply of a request that it waited for.
    Waited,
    /// Another one runs.
    InProgress,
    /// The key belongs to a different request.
    Mismatch,
    /// The reply of the first is not kept.
    NotStored,
    /// Nobody knows what became of the first.
    Unknown,
}

impl KeyResult {
    /// All of them, in the order of their declaration.
    pub const ALL: [KeyResult; 7] =
        [Self::New, Self::Replayed, Self::Waited, Self::InProgress, Self::Mismatch, Self::NotStored, Self::Unknown];

    /// The name in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Replayed => "replayed",
            Self::Waited => "waited",
            Self::InProgress => "in_progress",
            Self::Mismatch => "mismatch",
            Self::NotStored => "not_stored",
            Self::Unknown => "unknown",
        }
    }
}

/// How a request ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The kind of end.
    pub end: End,
    /// Status sent to the client, if one was.
    pub status: Option<u16>,
    /// True if the request was handed to an upstream.
    pub dispatched: bool,
    /// True if an upstream's reply began.
    pub replied: bool,
}

/// The kind of end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The reply was sent whole.
    Complete,
    /// Refused, with the reason.
    Denied(Denial),
    /// The gateway ended the reply early, in the words of its protocol.
    Stopped(Denial),
    /// The client left before the reply was whole.
    ClientLeft,
    /// The upstream failed after the reply's head was sent; the client was cut off.
    Cut(Denial),
    /// The request was dropped: shutdown, or a panic outside the filters.
    Dropped,
}
