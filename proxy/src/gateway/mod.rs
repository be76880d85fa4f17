//! Pingora's callbacks, one file per group: the request on its way in, the attempts at an upstream, the end.
//!
//! # Invariants
//! * No decision is made here: filters decide, `render` words it, this folder moves it
//!   (`refusals_become_status_codes_in_one_place`).

mod attempt;
mod body;
mod coding;
mod context;
mod desk;
mod ending;
mod endpoint;
mod forwarded_head;
mod head;
mod request;
mod strict_reply;

pub(crate) use attempt::peer;
pub use context::RequestContext;
pub use desk::FrontDesk;

use crate::control::Control;
use crate::telemetry::upstream_metrics::ConnectionKind;
use crate::tls::upstream::Reused;
use async_trait::async_trait;
use bytes::Bytes;
use pingora_core::Error;
use pingora_core::Result;
use pingora_core::protocols::Digest;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use std::sync::Arc;

/// The application that Pingora drives.
pub struct App {
    control: Arc<Control>,
}

impl App {
    /// Serves with whatever runtime `control` holds when a request begins.
    pub fn new(control: Arc<Control>) -> Self {
        Self { control }
    }
}

#[async_trait]
impl ProxyHttp for App {
    /// Boxed: Pingora moves it through several states of its own, each of which has room for it.
    type CTX = Box<RequestContext>;

    fn new_ctx(&self) -> Box<RequestContext> {
        Box::new(RequestContext::new(self.control.runtime(), self.control.shared().clone()))
    }

    fn init_downstream_modules(&self, _modules: &mut pingora_core::modules::http::HttpModules) {
        // none: compression would see a reply before the filters do
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut Box<RequestContext>) -> Result<bool> {
        request::on_request(session, ctx).await
    }

    async fn request_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        ctx: &mut Box<RequestContext>,
    ) -> Result<()> {
        if end {
            body::drop_empty_end(body);
        }
        body::count_streamed(body.as_ref(), ctx)
    }

    async fn upstream_peer(&self, session: &mut Session, ctx: &mut Box<RequestContext>) -> Result<Box<HttpPeer>> {
        attempt::choose(session, ctx).await
    }

    async fn connected_to_upstream(
        &self,
        session: &mut Session,
        reused: bool,
        _peer: &HttpPeer,
        _fd: std::os::unix::io::RawFd,
        digest: Option<&Digest>,
        ctx: &mut Box<RequestContext>,
    ) -> Result<()> {
        let kind = if reused { ConnectionKind::Reused } else { ConnectionKind::Opened };
        attempt::connected(session, digest, kind, ctx);
        Ok(())
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        head: &mut RequestHeader,
        ctx: &mut Box<RequestContext>,
    ) -> Result<()> {
        attempt::rewrite(session, head, ctx)
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        ctx: &mut Box<RequestContext>,
    ) -> Result<()> {
        attempt::judge_head(session, head, ctx)
    }

    async fn response_filter(
        &self,
        _session: &mut Session,
        head: &mut ResponseHeader,
        ctx: &mut Box<RequestContext>,
    ) -> Result<()> {
        ending::mark_upgrade(head, ctx)
    }

    fn fail_to_connect(
        &self,
        _session: &mut Session,
        _peer: &HttpPeer,
        ctx: &mut Box<RequestContext>,
        e: Box<Error>,
    ) -> Box<Error> {
        attempt::on_connect_failed(ctx, e)
    }

    fn error_while_proxy(
        &self,
        peer: &HttpPeer,
        session: &mut Session,
        e: Box<Error>,
        ctx: &mut Box<RequestContext>,
        reused: bool,
    ) -> Box<Error> {
        attempt::on_late_refusal(ctx, peer, if reused { Reused::Yes } else { Reused::No }, &e);
        attempt::on_attempt_failed(session, ctx, e)
    }

    async fn fail_to_proxy(&self, session: &mut Session, e: &Error, ctx: &mut Box<RequestContext>) -> FailToProxy {
        ending::answer_failure(session, e, ctx).await
    }

    async fn logging(&self, session: &mut Session, e: Option<&Error>, ctx: &mut Box<RequestContext>) {
        ending::finish(session, e, ctx).await;
    }

    // Every failure is in the access log and the metrics, with a code; Pingora's lines would name upstream addresses.
    fn suppress_error_log(&self, _session: &Session, _ctx: &Box<RequestContext>, _e: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(
        &self,
        _session: &Session,
        _ctx: &Box<RequestContext>,
        _e: &Error,
        _context: ProxyWarnLogContext,
    ) -> bool {
        true
    }
}
