//! The reply's way: each task of the proxy loop passes, is held, is changed, or becomes our own answer.
//!
//! # Invariants
//! * While nothing was sent to the client, a failed attempt leaves no trace
//!   (`what_was_not_sent_is_tried_elsewhere_and_what_was_sent_is_not`).
//! * A cut reply never ends cleanly: the client can tell it from a whole one (`an_unguarded_reply_that_breaks_is_cut`,
//!   `a_stream_that_breaks_ends_in_an_error_and_not_as_if_it_were_whole`).
//! * The filters hear of the end before the client gets its last byte.

use super::coding::{coding, plain};
use super::keep::Keeping;
use super::replay::skip_rest;
use super::session::GuardedSession;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode, header};
use pingora_core::protocols::http::HttpTask;
use pingora_core::{Error, ErrorType, Result};
use pingora_http::ResponseHeader;
use raptorgate_config::model::OnLargeReply;
use raptorgate_filters::codings::{BODY_BOUND, Decoding, Encoding};
use raptorgate_filters::exchange::{End, Exchange};
use raptorgate_filters::filter::{BodyKind, Ended, Reply, ResponseHead};
use raptorgate_filters::read_body::body_kind;
use raptorgate_filters::render::{render, stream_error};
use raptorgate_filters::reply::{ReplyPlan, ReplyStream, Verdict, whole};
use raptorgate_policies::Denial;
use raptorgate_policies::buffers::BufferPermit;
use std::time::{Duration, Instant};

/// The h2 crate throws queued DATA away when a stream is dropped unfinished: its connection task gets this long to write
/// the error event. A grace, no guarantee.
const H2_FLUSH_GRACE: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    AwaitHead,
    Holding,
    Passing,
    Ended,
}

/// The reply of one attempt.
#[derive(Default)]
pub(super) struct ReplyState {
    pub(super) phase: Phase,
    attempt: u32,
    status: Option<u16>,
    kind: Option<BodyKind>,
    head: Option<Box<ResponseHeader>>,
    held: Vec<Bytes>,
    held_bytes: usize,
    permit: Option<BufferPermit>,
    trailers: Option<Box<HeaderMap>>,
    plan: Option<ReplyPlan>,
    stream: Option<ReplyStream>,
    pub(super) decoding: Option<Decoding>,
    pub(super) encoding: Option<Encoding>,
    pub(super) keeping: Option<Keeping>,
}

impl GuardedSession {
    pub(super) async fn on_tasks(&mut self, tasks: Vec<HttpTask>) -> Result<bool> {
        self.forget_failed_attempt();
        let _writing = self.link.writing();
        self.policy.deadlines.activity(Instant::now());
        let mut out = Vec::with_capacity(tasks.len());
        for task in tasks {
            if self.reply.phase == Phase::Ended {
                break; // such as Done behind the last body
            }
            self.on_task(task, &mut out).await?;
        }
        self.send(out).await?;
        Ok(self.reply.phase == Phase::Ended)
    }

    /// While nothing was sent, a new attempt begins from nothing.
    pub(super) fn forget_failed_attempt(&mut self) {
        let attempt = self.link.attempts();
        let nothing_sent = matches!(self.reply.phase, Phase::AwaitHead | Phase::Holding);
        if self.reply.attempt != attempt && nothing_sent {
            self.reply = ReplyState { attempt, ..ReplyState::default() };
            self.policy.deadlines.attempt(Instant::now());
        }
    }

    async fn on_task(&mut self, task: HttpTask, out: &mut Vec<HttpTask>) -> Result<()> {
        match task {
            HttpTask::Header(head, _) if head.status.is_informational() => {
                // a guarded reply says nothing before its verdict; one that streams may give hints
                if !self.link.pipeline.reads_replies() && self.reply.phase == Phase::AwaitHead {
                    return self.deliver_interim(head).await;
                }
                Ok(())
            }
            HttpTask::Header(head, end) => self.on_head(head, end, out).await,
            HttpTask::Body(data, end) if self.reply.decoding.is_some() => self.on_coded(data, end, out).await,
            HttpTask::Body(data, end) => self.on_body(data, end, out).await,
            HttpTask::Trailer(trailers) => {
                self.reply.trailers = trailers;
                self.on_coded_end(out).await
            }
            HttpTask::Done => self.on_coded_end(out).await,
            HttpTask::Failed(e) => self.on_failed(e, out).await,
            upgraded @ HttpTask::UpgradedBody(..) => {
                out.push(upgraded);
                Ok(())
            }
        }
    }

    /// The next plain bytes.
    pub(super) async fn on_body(&mut self, data: Option<Bytes>, end: bool, out: &mut Vec<HttpTask>) -> Result<()> {
        match self.reply.phase {
            Phase::Holding => self.hold(data.unwrap_or_default(), end, out).await,
            Phase::AwaitHead | Phase::Passing | Phase::Ended => self.pass(data, end, out).await,
        }
    }

    // ---- head

    async fn on_head(&mut self, mut head: Box<ResponseHeader>, end: bool, out: &mut Vec<HttpTask>) -> Result<()> {
        self.policy.deadlines.head(Instant::now());
        self.link.saw_first_byte();
        let bodyless = end || self.is_bodyless(head.status);
        let kind = if bodyless { BodyKind::None } else { body_kind(&head.headers) };
        self.reply.kind = Some(kind);
        self.reply.status = Some(head.status.as_u16());
        let plan = match self.plan(&head, kind) {
            Ok(plan) => plan,
            Err(denial) => return self.refuse(denial, out).await,
        };
        match coding(&head.headers) {
            // a HEAD speaks of what a GET would bring
            Ok(Some(_)) if bodyless && self.link.pipeline.reads_replies() => plain(&mut head),
            Ok(Some(coding)) if !plan.is_pass() => self.undo(coding, &mut head),
            Err(denial) if !plan.is_pass() => return self.refuse(denial, out).await,
            Ok(_) | Err(_) => {}
        }
        if plan.is_gate() {
            (self.reply.head, self.reply.plan, self.reply.phase) = (Some(head), Some(plan), Phase::Holding);
            return if end { self.decide(out).await } else { Ok(()) };
        }
        if !plan.is_pass() {
            self.reply.stream = Some(plan.into_stream(self.policy.json));
            unbind(&mut head);
            if !bodyless {
                head.insert_header(header::TRANSFER_ENCODING, "chunked")?; // h2 drops it by itself
            }
        }
        self.reply.phase = Phase::Passing;
        self.keep_head(&head);
        self.edit(&mut head)?;
        if end {
            self.complete().await;
        }
        out.push(HttpTask::Header(head, end));
        Ok(())
    }

    fn plan(&self, head: &ResponseHeader, kind: BodyKind) -> Result<ReplyPlan, Denial> {
        let pipeline = &self.link.pipeline;
        if !pipeline.reads_replies() {
            return Ok(ReplyPlan::new(kind, Vec::new()));
        }
        // before the filters see it: what nobody can read was not served
        let readable = matches!(kind, BodyKind::None | BodyKind::Other) || coding(&head.headers).is_ok();
        if !readable {
            return Err(Denial::UpstreamInvalidReply);
        }
        let mut exchange = self.link.exchange().ok_or(Denial::Internal)?;
        let seen = ResponseHead { status: head.status, headers: &head.headers, kind };
        pipeline.on_response_head(&seen, &mut exchange)
    }

    fn is_bodyless(&self, status: StatusCode) -> bool {
        self.inner().req_header().method == Method::HEAD
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED
    }

    /// The headers that filters and gateway add to every reply.
    fn edit(&self, head: &mut ResponseHeader) -> Result<()> {
        let Some(exchange) = self.link.exchange() else { return Ok(()) };
        for (name, value) in exchange.response_headers.iter() {
            match value {
                Some(value) => head.insert_header(name.clone(), value.clone())?,
                None => drop(head.remove_header(name)),
            }
        }
        Ok(())
    }

    // ---- gate

    async fn hold(&mut self, data: Bytes, end: bool, out: &mut Vec<HttpTask>) -> Result<()> {
        self.reply.held_bytes = self.reply.held_bytes.saturating_add(data.len());
        if self.reply.held_bytes as u64 > self.policy.reply_bytes_max {
            self.reply.held.push(data);
            return self.overflow(end, out).await;
        }
        if !self.reserve(data.len()) {
            return self.refuse(Denial::Overloaded, out).await;
        }
        if !data.is_empty() {
            self.reply.held.push(data);
        }
        if end { self.decide(out).await } else { Ok(()) }
    }

    fn reserve(&mut self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        match &mut self.reply.permit {
            Some(permit) => permit.grow(bytes),
            None => {
                self.reply.permit = self.policy.buffers.try_take(bytes);
                self.reply.permit.is_some()
            }
        }
    }

    async fn overflow(&mut self, end: bool, out: &mut Vec<HttpTask>) -> Result<()> {
        let stream = match self.policy.on_large_reply {
            OnLargeReply::Refuse => None,
            // a mask cannot be left out: what it did not see would go out as it is
            OnLargeReply::Stream if self.reply.plan.as_ref().is_some_and(ReplyPlan::must_be_whole) => None,
            OnLargeReply::Stream => self.reply.plan.take().zip(self.reply.head.take()),
        };
        let Some((plan, mut head)) = stream else { return self.refuse(Denial::ReplyTooLarge, out).await };
        let held = self.take_held();
        self.reply.stream = Some(plan.into_stream(self.policy.json));
        self.reply.phase = Phase::Passing;
        unbind(&mut head);
        head.insert_header(header::TRANSFER_ENCODING, "chunked")?;
        self.keep_head(&head);
        self.edit(&mut head)?;
        out.push(HttpTask::Header(head, false));
        self.pass(Some(held), end, out).await
    }

    fn take_held(&mut self) -> Bytes {
        let mut held = std::mem::take(&mut self.reply.held);
        self.reply.permit = None;
        match held.len() {
            1 => held.pop().unwrap_or_default(),
            _ => held.concat().into(),
        }
    }

    async fn decide(&mut self, out: &mut Vec<HttpTask>) -> Result<()> {
        let (Some(head), Some(plan)) = (self.reply.head.take(), self.reply.plan.take()) else {
            return Error::e_explain(ErrorType::InternalError, "a verdict without a head");
        };
        let body = self.take_held();
        let link = self.link.clone();
        let json = self.policy.json;
        let verdict = match link.exchange() {
            Some(mut exchange) => {
                let response = whole(head.status, head.headers.clone(), body.clone(), json);
                self.unless_client_leaves(plan.decide(response, json, &mut exchange)).await?
            }
            None => Verdict::Deny(Denial::Internal),
        };
        match verdict {
            Verdict::Deny(denial) => self.refuse(denial, out).await,
            Verdict::Send(reply) => self.send_judged(head, &body, reply, out).await,
        }
    }

    /// Sends a reply that was judged. Framing is ours now, and validators of the old bytes do not describe new ones.
    async fn send_judged(
        &mut self,
        head: Box<ResponseHeader>,
        before: &Bytes,
        reply: Reply,
        out: &mut Vec<HttpTask>,
    ) -> Result<()> {
        let mut head = if head.status == reply.status && head.headers == reply.headers {
            head
        } else {
            Box::new(header_of(&reply)?)
        };
        if reply.body != *before {
            unbind(&mut head);
        }
        head.remove_header(&header::TRANSFER_ENCODING);
        self.keep_head(&head);
        self.keep(&reply.body);
        self.edit(&mut head)?;
        self.reply.status = Some(head.status.as_u16());
        let trailers = self.reply.trailers.take();
        self.complete().await;
        self.push_whole(head, reply.body, trailers, out)
    }

    fn push_whole(
        &self,
        mut head: Box<ResponseHeader>,
        body: Bytes,
        trailers: Option<Box<HeaderMap>>,
        out: &mut Vec<HttpTask>,
    ) -> Result<()> {
        if self.is_bodyless(head.status) {
            out.push(HttpTask::Header(head, true));
            return Ok(());
        }
        head.insert_header(header::CONTENT_LENGTH, body.len())?;
        let ends_with_head = body.is_empty() && trailers.is_none();
        out.push(HttpTask::Header(head, ends_with_head));
        if !ends_with_head {
            out.push(HttpTask::Body(Some(body), trailers.is_none()));
        }
        if trailers.is_some() {
            out.push(HttpTask::Trailer(trailers));
        }
        Ok(())
    }

    // ---- stream

    async fn pass(&mut self, data: Option<Bytes>, end: bool, out: &mut Vec<HttpTask>) -> Result<()> {
        if self.reply.stream.is_none() {
            self.keep(data.as_deref().unwrap_or_default());
            if end {
                self.complete().await;
            }
            out.push(HttpTask::Body(data, end));
            return Ok(());
        }
        let data = data.unwrap_or_default();
        if !data.is_empty() {
            let ran = self.transform(out, |stream, exchange, bytes| stream.push(data, exchange, bytes));
            if let Err(denial) = ran {
                return self.cut(denial, Error::new(ErrorType::InternalError), out).await;
            }
        }
        match (end, self.progress().await) {
            (true, _) => self.on_last(out).await,
            (false, Ok(())) => Ok(()),
            (false, Err(denial)) => self.stop(denial, out).await,
        }
    }

    /// Whether a streamed reply may go on behind what was read of it.
    async fn progress(&self) -> Result<(), Denial> {
        if !self.link.pipeline.watches_progress() {
            return Ok(());
        }
        let mut exchange = self.link.exchange().ok_or(Denial::Internal)?;
        self.link.pipeline.on_progress(&mut exchange).await
    }

    /// Ends a streamed reply early in the words of its protocol, where they are known, and the upstream's connection with it.
    async fn stop(&mut self, denial: Denial, out: &mut Vec<HttpTask>) -> Result<()> {
        if let Some(mut exchange) = self.link.exchange() {
            exchange.stopped = Some(denial.clone());
        }
        let ran = self.transform(out, |stream, exchange, bytes| stream.finish(Ended::Stopped, exchange, bytes));
        if let Err(denial) = ran {
            return self.cut(denial, Error::new(ErrorType::InternalError), out).await;
        }
        self.end_with(End::Stopped(denial), out).await
    }

    fn transform(
        &mut self,
        out: &mut Vec<HttpTask>,
        work: impl FnOnce(&mut ReplyStream, &mut Exchange, &mut BytesMut) -> Result<(), Denial>,
    ) -> Result<(), Denial> {
        let Some(stream) = &mut self.reply.stream else { return Ok(()) };
        let mut exchange = self.link.exchange().ok_or(Denial::Internal)?;
        let mut bytes = BytesMut::new();
        let ran = work(stream, &mut exchange, &mut bytes);
        drop(exchange);
        if !bytes.is_empty() {
            self.keep(&bytes);
            out.push(HttpTask::Body(Some(bytes.freeze()), false));
        }
        ran
    }

    /// The upstream said that this was all.
    pub(super) async fn on_last(&mut self, out: &mut Vec<HttpTask>) -> Result<()> {
        if self.reply.phase == Phase::Holding {
            return self.decide(out).await;
        }
        let ran = self.transform(out, |stream, exchange, bytes| stream.finish(Ended::Whole, exchange, bytes));
        if let Err(denial) = ran {
            return self.cut(denial, Error::new(ErrorType::InternalError), out).await;
        }
        let end = if self.has_left() { End::ClientLeft } else { End::Complete };
        self.end_with(end, out).await
    }

    /// The reply ends here, whole for its client.
    async fn end_with(&mut self, end: End, out: &mut Vec<HttpTask>) -> Result<()> {
        self.complete_as(end).await;
        match (self.reply.trailers.take(), out.last_mut()) {
            (Some(trailers), _) => out.push(HttpTask::Trailer(Some(trailers))),
            (None, Some(HttpTask::Body(_, end))) => *end = true,
            (None, _) => out.push(HttpTask::Body(None, true)),
        }
        Ok(())
    }

    // ---- ends

    async fn complete(&mut self) {
        let end = if self.has_left() { End::ClientLeft } else { End::Complete };
        self.complete_as(end).await;
    }

    async fn complete_as(&mut self, end: End) {
        self.reply.phase = Phase::Ended;
        let _kept = self.hand_over();
        self.link.end(end, self.reply.status).await;
    }

    /// Our own answer instead of the upstream's, with the client's connection kept.
    pub(super) async fn refuse(&mut self, denial: Denial, out: &mut Vec<HttpTask>) -> Result<()> {
        let reply = render(&denial, self.policy.format, &self.policy.request_id);
        let mut head = Box::new(header_of(&reply)?);
        self.reply.phase = Phase::Ended;
        self.reply.permit = None;
        self.link.end(End::Denied(denial), Some(reply.status.as_u16())).await;
        self.edit(&mut head)?;
        skip_rest(&self.policy.body, &self.link);
        self.push_whole(head, reply.body, None, out)
    }

    async fn on_failed(&mut self, e: Box<Error>, out: &mut Vec<HttpTask>) -> Result<()> {
        match self.reply.phase {
            // nothing went out: another endpoint may be asked, even after half a reply
            Phase::AwaitHead => Err(e),
            Phase::Holding if self.link.may_retry() => Err(e),
            Phase::Holding => self.refuse(Denial::UpstreamReset, out).await,
            Phase::Passing | Phase::Ended => self.cut(Denial::UpstreamReset, e, out).await,
        }
    }

    pub(super) async fn timed_out(&mut self, denial: Denial) -> Box<Error> {
        let e = Error::explain(ErrorType::ReadTimedout, denial.code()).into_up();
        self.link.fail(denial.clone());
        if self.reply.phase != Phase::Passing {
            return e;
        }
        let mut out = Vec::new();
        self.cut(denial, e, &mut out).await.err().unwrap_or_else(|| Error::new(ErrorType::ReadTimedout))
    }

    /// A failure after the head went out: tell what can be told, then let the loop cut the message.
    pub(super) async fn cut(&mut self, denial: Denial, e: Box<Error>, out: &mut Vec<HttpTask>) -> Result<()> {
        let judged = self.reply.stream.is_some();
        drop(self.transform(out, |stream, exchange, bytes| stream.finish(Ended::Broken, exchange, bytes)));
        self.reply.phase = Phase::Ended;
        self.link.fail(denial.clone());
        self.link.end(End::Cut(denial.clone()), self.reply.status).await;
        if judged && self.reply.kind == Some(BodyKind::Sse) {
            let event = stream_error(&denial, self.policy.format, &self.policy.request_id);
            out.push(HttpTask::Body(Some(event), false));
        }
        let wrote = !out.is_empty();
        self.send(std::mem::take(out)).await?;
        if wrote && self.inner().is_http2() && !self.gone {
            tokio::time::sleep(H2_FLUSH_GRACE).await;
        }
        Err(e) // h1: closed without the last chunk; h2: RST_STREAM
    }
}

pub(super) fn unbind(head: &mut ResponseHeader) {
    for name in BODY_BOUND {
        head.remove_header(name);
    }
}

pub(crate) fn header_of(reply: &Reply) -> Result<ResponseHeader> {
    let mut head = ResponseHeader::build(reply.status, Some(reply.headers.len() + 4))?;
    for (name, value) in &reply.headers {
        head.append_header(name.clone(), value.clone())?;
    }
    Ok(head)
}
