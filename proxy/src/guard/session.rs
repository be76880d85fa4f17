//! The session that stands in for Pingora's: its state, its client side, and Pingora's trait.

use super::compress::Compression;
use super::deadlines::Deadlines;
use super::link::Link;
use super::replay::{RequestBody, is_done, next_slice};
use super::reply::{Phase, ReplyState};
use crate::edge::pace::BodyPace;
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use pingora_core::protocols::http::custom::CustomMessageWrite;
use pingora_core::protocols::http::custom::server::Session as CustomSession;
use pingora_core::protocols::http::{HttpTask, ServerSession};
use pingora_core::protocols::{Digest, l4::socket::SocketAddr};
use pingora_core::{Error, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use raptorgate_config::model::{ApiFormat, OnDisconnect, OnLargeReply};
use raptorgate_filters::framers::json::JsonLimits;
use raptorgate_policies::Denial;
use raptorgate_policies::buffers::BufferBudget;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{Sleep, sleep_until};

/// Batches up to this many body bytes are written in one call, which copies them once, into a buffer that stays as large;
/// larger ones task by task.
const BATCH_BYTES_MAX: usize = 4 << 10;

/// What holds for one request's way through the session.
pub struct GuardPolicy {
    /// Where the request's body comes from.
    pub body: RequestBody,
    /// The pace that a streamed body must keep.
    pub pace: BodyPace,
    /// How long a client may take to accept bytes before it counts as gone.
    pub write_timeout: Duration,
    /// What a vanished client means for the upstream.
    pub on_disconnect: OnDisconnect,
    /// What a reply becomes that is too large to be held.
    pub on_large_reply: OnLargeReply,
    /// Compression of the reply, if the route has it.
    pub compression: Option<Compression>,
    /// Decoded bytes for each coded one of a reply.
    pub decode_ratio_max: u32,
    /// Bytes of a reply that may be held.
    pub reply_bytes_max: u64,
    /// Bytes of a reply that is kept for those who ask again; `None`: it is not.
    pub keep_bytes_max: Option<usize>,
    /// Bounds of JSON.
    pub json: JsonLimits,
    /// Shape of error replies.
    pub format: ApiFormat,
    /// Id of the request, for error replies.
    pub request_id: Arc<str>,
    /// Patience with the upstream.
    pub deadlines: Deadlines,
    /// Bytes buffered over all requests.
    pub buffers: Arc<BufferBudget>,
}

/// Owns the client's session from `guard` to `unguard`.
pub struct GuardedSession {
    inner: Option<Box<ServerSession>>,
    pub(super) link: Arc<Link>,
    pub(super) policy: GuardPolicy,
    pub(super) reply: ReplyState,
    /// The client's read side has nothing more to tell; it must not be polled again.
    idle_off: bool,
    /// A write to the client failed; in finish mode everything from there on is dropped.
    pub(super) gone: bool,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl GuardedSession {
    pub(super) fn new(inner: Box<ServerSession>, link: Arc<Link>, policy: GuardPolicy) -> Self {
        let reply = ReplyState::default();
        Self { inner: Some(inner), link, policy, reply, idle_off: false, gone: false, alarm: None }
    }

    #[allow(clippy::expect_used)] // taken only in `drop`
    pub(super) fn inner(&self) -> &ServerSession {
        self.inner.as_deref().expect("held until dropped")
    }

    #[allow(clippy::expect_used)] // taken only in `drop`
    fn inner_mut(&mut self) -> &mut ServerSession {
        self.inner.as_deref_mut().expect("held until dropped")
    }

    /// The client hung up: a write to it failed, or its side of the connection is closed.
    pub(super) fn has_left(&self) -> bool {
        self.gone || self.idle_off
    }

    /// Every write to the client goes through here.
    pub(super) async fn deliver(&mut self, mut tasks: Vec<HttpTask>) -> Result<()> {
        if self.gone || tasks.is_empty() {
            return Ok(());
        }
        let pieces = tasks.iter().map(body_len).filter(|bytes| *bytes > 0);
        let (count, bytes) = pieces.fold((0, 0), |(count, sum), bytes| (count + 1, sum + bytes));
        // one piece gains nothing, but its copy would stay
        if count != 1 && bytes <= BATCH_BYTES_MAX {
            return self.write(tasks).await;
        }
        for task in tasks.drain(..) {
            self.write(vec![task]).await?;
        }
        Ok(())
    }

    /// An interim reply. Any head written before the request's body was read would turn keep-alive off.
    pub(super) async fn deliver_interim(&mut self, head: Box<ResponseHeader>) -> Result<()> {
        self.inner_mut().set_close_on_response_before_downstream_finish(false);
        let written = self.write(vec![HttpTask::Header(head, false)]).await;
        self.inner_mut().set_close_on_response_before_downstream_finish(true);
        written
    }

    async fn write(&mut self, tasks: Vec<HttpTask>) -> Result<()> {
        if self.gone {
            return Ok(());
        }
        match self.inner_mut().response_duplex_vec(tasks).await {
            Ok(_) => Ok(()), // the inner session's idea of the end is not ours
            Err(_) if self.policy.on_disconnect == OnDisconnect::Finish => {
                self.gone = true;
                Ok(())
            }
            Err(e) => Err(e.into_down()),
        }
    }

    /// Pingora does not poll the client while we await inside a reply task: long waits watch it themselves.
    pub(super) async fn unless_client_leaves<T: Send>(&mut self, work: impl Future<Output = T> + Send) -> Result<T> {
        let Self { inner, idle_off, policy, .. } = self;
        tokio::select! { biased; done = work => Ok(done), e = client_left(inner, idle_off, policy.on_disconnect) => Err(e) }
    }

    /// The next piece of a body that streams, if it comes in time. Polled and dropped in each round of the proxy loop: what was
    /// waited for already is the pace's.
    async fn read_streamed(&mut self) -> Result<Option<Bytes>> {
        let Some(until) = self.policy.pace.wait(Instant::now()) else {
            return self.inner_mut().read_body_or_idle(false).await;
        };
        let Ok(read) = tokio::time::timeout_at(until.into(), self.inner_mut().read_body_or_idle(false)).await else {
            self.link.fail(Denial::BodyTimeout);
            return Err(Error::explain(ErrorType::ReadTimedout, "the body comes too slowly").into_down());
        };
        let piece = read?;
        self.policy.pace.came(Instant::now());
        self.policy.pace.count(piece.as_ref().map_or(0, Bytes::len));
        Ok(piece)
    }

    /// Resolves when the client has left or a deadline has passed. Polled and dropped in each round of the proxy loop.
    async fn watch(&mut self) -> Box<Error> {
        loop {
            self.forget_failed_attempt();
            if let Some(denial) = self.policy.deadlines.expired(Instant::now()) {
                return self.timed_out(denial).await;
            }
            let next = tokio::time::Instant::from_std(self.policy.deadlines.next());
            let Self { inner, idle_off, alarm, policy, .. } = self;
            let alarm = alarm.get_or_insert_with(|| Box::pin(sleep_until(next)));
            // an alarm that is early only looks again, so it is not moved with every chunk
            if alarm.is_elapsed() || alarm.deadline() > next {
                alarm.as_mut().reset(next);
            }
            tokio::select! {
                e = client_left(inner, idle_off, policy.on_disconnect) => return e,
                () = alarm.as_mut() => {}
            }
        }
    }
}

/// Resolves when the client's disappearance shall end the request. Cancel safe: all state is the session's.
async fn client_left(
    inner: &mut Option<Box<ServerSession>>,
    idle_off: &mut bool,
    on_disconnect: OnDisconnect,
) -> Box<Error> {
    if let (false, Some(inner)) = (*idle_off, inner) {
        let left = inner.read_body_or_idle(true).await;
        *idle_off = true;
        inner.set_keepalive(None);
        if on_disconnect == OnDisconnect::Abort {
            return left.err().unwrap_or_else(|| Error::new(ErrorType::ConnectionClosed)).into_down();
        }
    }
    pending().await
}

fn body_len(task: &HttpTask) -> usize {
    match task {
        HttpTask::Body(Some(data), _) | HttpTask::UpgradedBody(Some(data), _) => data.len(),
        HttpTask::Body(None, _)
        | HttpTask::UpgradedBody(None, _)
        | HttpTask::Header(..)
        | HttpTask::Trailer(_)
        | HttpTask::Done
        | HttpTask::Failed(_) => 0,
    }
}

impl Drop for GuardedSession {
    fn drop(&mut self) {
        self.link.hand_back(self.inner.take());
    }
}

type Reader = Box<dyn futures::Stream<Item = Result<Bytes>> + Unpin + Send + Sync>;

#[async_trait]
impl CustomSession for GuardedSession {
    // ---- the reply
    /// Gets the 1 to 5 tasks that are ready. `Ok(true)`: the reply is over, ask no more.
    async fn response_duplex_vec(&mut self, tasks: Vec<HttpTask>) -> Result<bool> {
        self.on_tasks(tasks).await
    }

    async fn finish(&mut self) -> Result<()> {
        if self.reply.phase != Phase::Ended {
            return Error::e_explain(ErrorType::InternalError, "the reply never ended");
        }
        if self.gone { Ok(()) } else { self.inner_mut().finish_body().await }
    }

    // ---- the request
    fn is_body_done(&mut self) -> bool {
        match &self.policy.body {
            RequestBody::Buffered(body) => is_done(body, &self.link),
            RequestBody::Streamed => self.reply.phase == Phase::Ended || self.inner_mut().is_body_done(),
        }
    }

    fn is_body_empty(&mut self) -> bool {
        match &self.policy.body {
            RequestBody::Buffered(body) => body.is_empty(),
            RequestBody::Streamed => self.inner_mut().is_body_empty(),
        }
    }

    async fn read_body_bytes(&mut self) -> Result<Option<Bytes>> {
        Ok(None)
    }

    async fn read_body_or_idle(&mut self, no_body: bool) -> Result<Option<Bytes>> {
        if no_body {
            return Err(self.watch().await);
        }
        match &self.policy.body {
            RequestBody::Buffered(body) => Ok(next_slice(body, &self.link)),
            RequestBody::Streamed => self.read_streamed().await,
        }
    }

    fn enable_retry_buffering(&mut self) {
        match self.policy.body {
            RequestBody::Buffered(_) => {}
            RequestBody::Streamed => self.inner_mut().enable_retry_buffering(),
        }
    }

    fn retry_buffer_truncated(&self) -> bool {
        match self.policy.body {
            RequestBody::Buffered(_) => false,
            RequestBody::Streamed => self.inner().retry_buffer_truncated(),
        }
    }

    fn get_retry_buffer(&self) -> Option<Bytes> {
        match self.policy.body {
            RequestBody::Buffered(_) => None,
            RequestBody::Streamed => self.inner().get_retry_buffer(),
        }
    }

    async fn drain_request_body(&mut self) -> Result<()> {
        self.inner_mut().drain_request_body().await
    }

    // ---- direct writes by Pingora itself: never while guarded, in our use
    async fn write_response_header(&mut self, head: Box<ResponseHeader>, _end: bool) -> Result<()> {
        self.inner_mut().write_response_header(head).await
    }
    async fn write_response_header_ref(&mut self, head: &ResponseHeader, _end: bool) -> Result<()> {
        self.inner_mut().write_response_header_ref(head).await
    }
    async fn write_body(&mut self, data: Bytes, end: bool) -> Result<()> {
        self.inner_mut().write_response_body(data, end).await
    }
    async fn write_trailers(&mut self, trailers: HeaderMap) -> Result<()> {
        self.inner_mut().write_response_trailers(trailers).await
    }

    // ---- handed through
    fn req_header(&self) -> &RequestHeader {
        self.inner().req_header()
    }
    fn req_header_mut(&mut self) -> &mut RequestHeader {
        self.inner_mut().req_header_mut()
    }
    fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.inner_mut().set_read_timeout(timeout);
    }
    fn get_read_timeout(&self) -> Option<Duration> {
        self.inner().get_read_timeout()
    }
    fn set_write_timeout(&mut self, timeout: Option<Duration>) {
        self.inner_mut().set_write_timeout(timeout);
    }
    fn get_write_timeout(&self) -> Option<Duration> {
        self.inner().get_write_timeout()
    }
    fn set_total_drain_timeout(&mut self, timeout: Option<Duration>) {
        self.inner_mut().set_total_drain_timeout(timeout);
    }
    fn get_total_drain_timeout(&self) -> Option<Duration> {
        self.inner().get_total_drain_timeout()
    }
    fn request_summary(&self) -> String {
        self.inner().request_summary()
    }
    fn response_written(&self) -> Option<&ResponseHeader> {
        self.inner().response_written()
    }
    async fn shutdown(&mut self, _code: u32, _context: &str) {
        self.inner_mut().shutdown().await;
    }
    fn body_bytes_sent(&self) -> usize {
        self.inner().body_bytes_sent()
    }
    fn body_bytes_read(&self) -> usize {
        self.inner().body_bytes_read()
    }
    fn digest(&self) -> Option<&Digest> {
        self.inner().digest()
    }
    fn digest_mut(&mut self) -> Option<&mut Digest> {
        self.inner_mut().digest_mut()
    }
    fn client_addr(&self) -> Option<&SocketAddr> {
        self.inner().client_addr()
    }
    fn server_addr(&self) -> Option<&SocketAddr> {
        self.inner().server_addr()
    }
    fn pseudo_raw_h1_request_header(&self) -> Bytes {
        self.inner().to_h1_raw()
    }
    fn is_upgrade_req(&self) -> bool {
        self.inner().is_upgrade_req()
    }
    fn was_upgraded(&self) -> bool {
        self.inner().was_upgraded()
    }
    async fn finish_custom(&mut self) -> Result<()> {
        Ok(())
    }
    fn take_custom_message_reader(&mut self) -> Option<Reader> {
        None
    }
    fn restore_custom_message_reader(&mut self, _: Reader) -> Result<()> {
        Ok(())
    }
    fn take_custom_message_writer(&mut self) -> Option<Box<dyn CustomMessageWrite>> {
        None
    }
    fn restore_custom_message_writer(&mut self, _: Box<dyn CustomMessageWrite>) -> Result<()> {
        Ok(())
    }
}
