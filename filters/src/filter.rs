//! The one trait that everything between client and upstream implements, and the values it speaks in.
//!
//! A filter names the phases it wants in [`Filter::phases`]; the pipeline calls it in those and in no others, in an order
//! that is fixed in [`crate::pipeline`] and not in the configuration.
//!
//! # Invariants
//! * Filters know nothing of sockets: everything they see is in this module and in [`crate::exchange`].
//! * The chunk path ([`ResponseTransform`]) is synchronous and does no I/O.

use crate::exchange::{Exchange, Outcome};
use crate::frame::Frame;
use crate::payload::Payload;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use raptorgate_policies::Denial;

/// The filters that exist; also the value of metric labels and log fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FilterName {
    /// In-process limits at the head.
    FloodLimits,
    /// Who is calling.
    Authenticate,
    /// On whose behalf.
    EndUser,
    /// Which agent run.
    Execution,
    /// Idempotency keys.
    Idempotency,
    /// Delays and errors on purpose.
    Fault,
    /// Prompt sanitization.
    Sanitize,
    /// What a route is for.
    Purpose,
    /// PII masking.
    MaskPii,
    /// Replies that give the system prompt away.
    PromptLeak,
    /// Usage and cost.
    Meter,
    /// Keys, budgets and rate limits.
    Admit,
    /// A filter of a test.
    Custom(&'static str),
}

impl FilterName {
    /// The name in metrics, logs and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FloodLimits => "flood_limits",
            Self::Authenticate => "authenticate",
            Self::EndUser => "end_user",
            Self::Execution => "execution",
            Self::Idempotency => "idempotency",
            Self::Fault => "fault",
            Self::Sanitize => "sanitize",
            Self::Purpose => "purpose",
            Self::MaskPii => "mask_pii",
            Self::PromptLeak => "prompt_leak",
            Self::Meter => "meter",
            Self::Admit => "admit",
            Self::Custom(name) => name,
        }
    }
}

/// Which phases a filter wants to be called in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// [`Filter::on_request`].
    pub request: bool,
    /// [`Filter::on_request_body`]: the body is read whole first.
    pub request_body: bool,
    /// [`Filter::on_dispatch`].
    pub dispatch: bool,
    /// [`Filter::on_attempt`].
    pub attempt: bool,
    /// [`Filter::on_response_head`] and what it asks for.
    pub response: bool,
    /// [`Filter::on_progress`].
    pub progress: bool,
    /// [`Filter::on_end`].
    pub end: bool,
}

/// What a filter decided.
#[derive(Debug)]
pub enum Decision {
    /// On to the next filter.
    Continue,
    /// Refused.
    Deny(Denial),
    /// Answered without the upstream.
    Reply(Reply),
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, without framing headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// The head of the client's request. Header edits for the upstream go to [`Exchange::upstream_headers`].
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// Method.
    pub method: &'a Method,
    /// Path as it was sent.
    pub path: &'a str,
    /// Query without the question mark.
    pub query: Option<&'a str>,
    /// Headers.
    pub headers: &'a HeaderMap,
}

/// The head of the upstream's reply.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// What kind of body follows.
    pub kind: BodyKind,
}

/// What a body is made of, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// No body at all.
    None,
    /// `application/json` and `+json`.
    Json,
    /// `text/event-stream`.
    Sse,
    /// `application/x-ndjson`, `application/jsonl`.
    JsonLines,
    /// `text/*`.
    Text,
    /// Anything else.
    Other,
}

/// The whole reply, while status and length are still free.
#[derive(Debug)]
pub struct WholeResponse {
    /// Status.
    pub status: StatusCode,
    /// Headers; framing headers are set afterwards.
    pub headers: HeaderMap,
    /// Body.
    pub body: Payload,
}

/// The head for the chosen upstream, while it can still be rewritten. Pure: no I/O, called again for each attempt.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// 1 for the first attempt.
    pub number: u32,
    /// Headers as they will be sent.
    pub headers: &'a mut HeaderEdits,
}

/// Changes to a set of headers, in the order they were asked for.
#[derive(Clone, Debug, Default)]
pub struct HeaderEdits {
    /// `None`: remove.
    edits: Vec<(HeaderName, Option<HeaderValue>)>,
}

impl HeaderEdits {
    /// Replaces all values of `name`.
    pub fn set(&mut self, name: HeaderName, value: HeaderValue) {
        self.edits.push((name, Some(value)));
    }

    /// Removes all values of `name`.
    pub fn remove(&mut self, name: HeaderName) {
        self.edits.push((name, None));
    }

    /// All edits in order.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, Option<&HeaderValue>)> {
        self.edits.iter().map(|(name, value)| (name, value.as_ref()))
    }

    /// Applies all edits.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.edits {
            match value {
                Some(value) => drop(headers.insert(name.clone(), value.clone())),
                None => while headers.remove(name).is_some() {},
            }
        }
    }
}

/// How a filter wants to see a reply.
pub enum ResponseMode {
    /// Not at all.
    Ignore,
    /// Frame by frame, while it passes.
    Stream(Box<dyn ResponseTransform>),
    /// Whole, before the client sees anything: [`Filter::on_response`].
    Gate,
}

/// What a reply becomes that is too large to be held for a filter that asked for it whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateNeed {
    /// It is refused: the filter must see it.
    Required,
    /// It may go on without this filter, if the route says `on_large_reply: stream`.
    Optional,
}

/// Sees a reply frame by frame: no I/O, no waiting, bounded memory.
///
/// What comes out for a reply must not depend on how its bytes were cut.
pub trait ResponseTransform: Send + Sync {
    /// Takes the next frame; pushes what may go on, in order, to `out`: the frame, changed or not, more frames, or none.
    fn on_frame(&mut self, frame: Frame, exchange: &mut Exchange, out: &mut Vec<Frame>);

    /// The reply is over: what is held back goes out now.
    fn on_finish(&mut self, ended: Ended, exchange: &mut Exchange, out: &mut Vec<Frame>);
}

/// How a reply's bytes ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The upstream said that this was all.
    Whole,
    /// The upstream broke off.
    Broken,
    /// The gateway ends it here, for [`Exchange::stopped`].
    Stopped,
}

/// Something that reads or changes requests and replies.
#[async_trait]
pub trait Filter: Send + Sync {
    /// Its name.
    fn name(&self) -> FilterName;

    /// The phases it wants.
    fn phases(&self) -> Phases;

    /// The request's head, before its body is read.
    async fn on_request(&self, _head: &RequestHead<'_>, _exchange: &mut Exchange) -> Decision {
        Decision::Continue
    }

    /// The request's whole body. A filter whose [`Phases::request_body`] is set is called also if the body is empty.
    async fn on_request_body(
        &self,
        _head: &RequestHead<'_>,
        _body: &mut Payload,
        _exchange: &mut Exchange,
    ) -> Decision {
        Decision::Continue
    }

    /// There is room at the upstream, and nothing was sent yet. Called once, before the first attempt.
    async fn on_dispatch(&self, _exchange: &mut Exchange) -> Result<(), Denial> {
        Ok(())
    }

    /// The head that goes to the chosen endpoint.
    fn on_attempt(&self, _attempt: &mut Attempt<'_>, _exchange: &Exchange) {}

    /// The reply's head: chooses how this filter sees the body.
    fn on_response_head(&self, _head: &ResponseHead<'_>, _exchange: &mut Exchange) -> ResponseMode {
        ResponseMode::Ignore
    }

    /// Part of a streamed reply was read and goes out now. An error ends the stream here: its client is told in the
    /// stream's own words where there are such.
    async fn on_progress(&self, _exchange: &mut Exchange) -> Result<(), Denial> {
        Ok(())
    }

    /// What a reply becomes that is too large for [`ResponseMode::Gate`].
    fn gate(&self) -> GateNeed {
        GateNeed::Required
    }

    /// The whole reply, if [`ResponseMode::Gate`] was asked for.
    async fn on_response(&self, _response: &mut WholeResponse, _exchange: &mut Exchange) -> Decision {
        Decision::Continue
    }

    /// The request is over, whatever happened. Called exactly once for each request whose head this filter could see,
    /// before the client gets its last byte where there is one.
    async fn on_end(&self, _outcome: &Outcome, _exchange: &mut Exchange) {}
}
