//! The attempts at an upstream: endpoint, head, and what a failure means for the next one.
//!
//! # Invariants
//! * After a request was sent, it is sent again only if its method is idempotent or the upstream says that it removes
//!   duplicates (`what_was_not_sent_is_tried_elsewhere_and_what_was_sent_is_not`).

use super::context::RequestContext;
use super::endpoint;
use super::forwarded_head::{accept_trailers, drop_claims, join_cookies, name_host, name_query};
use super::head::authority;
use super::request::REQUEST_ID;
use super::strict_reply::{Upgrade, check};
use crate::guard::OthersLeft;
use crate::runtime::upstream::UpstreamSet;
use crate::telemetry::access_record::Phase;
use crate::telemetry::upstream_metrics::{AttemptResult, ConnectionKind};
use crate::tls::upstream::{Reused, is_handshake_failure, is_late_refusal};
use crate::upstreams::dial::{dialled, read_ahead};
use crate::upstreams::lease::Verdict;
use crate::upstreams::read_ahead::Bound;
use http::{Method, header};
use pingora_core::protocols::{ALPN, Digest};
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::{Error, ErrorSource, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::Session;
use raptorgate_config::model::UpstreamProtocol;
use raptorgate_config::units::Money;
use raptorgate_filters::exchange::{FailedAttempt, Next};
use raptorgate_filters::filter::HeaderEdits;
use raptorgate_policies::{Denial, TimeoutPhase};
use std::time::{Duration, Instant};

/// Our own deadlines are told apart; this one only frees a connection whose request has ended long ago.
const READ_GRACE: Duration = Duration::from_secs(5);
/// Bytes that an HTTP/2 upstream may send on a stream before some were taken; Pingora's own 8 MiB would be held for each
/// client that does not read.
const HTTP2_STREAM_WINDOW: u32 = 64 << 10;
/// Bytes that it may send over all streams of a connection, at least.
const HTTP2_CONNECTION_WINDOW_MIN: u32 = 1 << 20;
/// RFC 9113 §6.9.1.
const HTTP2_WINDOW_MAX: u32 = (1 << 31) - 1;
/// Statuses by which an upstream says that it did not serve the request.
const RETRIED_STATUSES: [u16; 3] = [502, 503, 504];

/// Chooses the endpoint of the next attempt.
pub async fn choose(session: &mut Session, ctx: &mut RequestContext) -> Result<Box<HttpPeer>> {
    let Some(route) = ctx.route.clone() else {
        return Error::e_explain(ErrorType::InternalError, "an attempt without a route");
    };
    let upstream = &route.upstream;
    if ctx.attempts == 0 {
        endpoint::enter(session, ctx, upstream).await?;
        clear(ctx).await?;
        ctx.method = endpoint::method(session, ctx, &upstream.config.balance);
    }
    ctx.tried.extend(ctx.lease.take().map(|lease| lease.tried()));
    ctx.attempts += 1;
    ctx.interim = 0;
    ctx.sent = false;
    ctx.attempt_started = Instant::now();
    let others_left = if ctx.attempts < upstream.attempts_max() { OthersLeft::Yes } else { OthersLeft::No };
    if let Some(link) = &ctx.link {
        link.new_attempt(others_left);
    }
    if let Some(record) = &mut ctx.record {
        record.upstream = Some(upstream.config.name.clone());
    }
    let deadline = ctx.attempt_started + upstream.config.timeouts.connect;
    let Some(lease) = upstream.choose(ctx.method, &ctx.tried, deadline).await else {
        return Err(endpoint::refuse(ctx, Denial::UpstreamUnresolved));
    };
    let mut peer = peer(lease.address(), &lease.configured().host, upstream);
    if upstream.config.protocol == UpstreamProtocol::Http1 {
        peer.options.alpn = dialled();
    }
    ctx.lease = Some(lease);
    Ok(Box::new(peer))
}

/// The filters' last word before anything is sent.
async fn clear(ctx: &RequestContext) -> Result<()> {
    let Some(link) = &ctx.link else { return Ok(()) };
    let cleared = match link.exchange() {
        Some(mut exchange) => link.pipeline.on_dispatch(&mut exchange).await,
        None => Err(Denial::Internal),
    };
    cleared.map_err(|denial| endpoint::refuse(ctx, denial))
}

/// How an endpoint of this host is connected to and read from.
pub(crate) fn peer(address: std::net::SocketAddr, host: &str, upstream: &UpstreamSet) -> HttpPeer {
    let mut peer = HttpPeer::new(address, false, String::new());
    if let Some(tls) = &upstream.tls {
        tls.apply(host, &mut peer);
    }
    peer.group_key = upstream.group_key;
    let timeouts = upstream.config.timeouts;
    peer.options.connection_timeout = Some(timeouts.connect);
    peer.options.total_connection_timeout = Some(timeouts.connect);
    peer.options.read_timeout = Some(timeouts.first_byte.max(timeouts.idle) + READ_GRACE);
    peer.options.write_timeout = Some(timeouts.idle);
    peer.options.idle_timeout = Some(upstream.config.pool.idle_timeout);
    let streams_max = upstream.config.pool.streams_max;
    peer.options.max_h2_streams = streams_max;
    peer.options.h2_stream_window_size = Some(HTTP2_STREAM_WINDOW);
    // wide enough that streams whose clients do not read cannot stop the others
    let all = u32::try_from(streams_max).map_or(u32::MAX, |streams| streams.saturating_mul(HTTP2_STREAM_WINDOW));
    peer.options.h2_connection_window_size = Some(all.clamp(HTTP2_CONNECTION_WINDOW_MIN, HTTP2_WINDOW_MAX));
    peer.options.alpn = match upstream.config.protocol {
        UpstreamProtocol::Http1 => ALPN::H1,
        UpstreamProtocol::Http2 => ALPN::H2,
    };
    peer
}

/// A connection is there.
pub fn connected(session: &Session, digest: Option<&Digest>, kind: ConnectionKind, ctx: &mut RequestContext) {
    if let Some(ahead) = digest.and_then(read_ahead) {
        let guarded = ctx.link.as_ref().filter(|_| session.downstream_session.is_custom());
        let piece = ctx.runtime.config.limits.clients.read_ahead_bytes_max;
        ahead.begin(guarded.map_or(Bound::None, |_| Bound::Bytes(piece)));
        if let Some(link) = guarded {
            link.reads_through(ahead.clone());
        }
    }
    if let Some(route) = &ctx.route {
        route.upstream.metrics.connected(kind);
    }
    let took = ctx.attempt_started.elapsed();
    if let Some(record) = &mut ctx.record {
        record.micros.add(Phase::UpstreamConnect, took);
    }
}

/// What the filters change.
fn edit(head: &mut RequestHeader, edits: &HeaderEdits) -> Result<()> {
    for (name, value) in edits.iter() {
        match value {
            Some(value) => head.insert_header(name.clone(), value.clone())?,
            None => drop(head.remove_header(name)),
        }
    }
    Ok(())
}

/// The head as the upstream gets it.
pub fn rewrite(session: &Session, head: &mut RequestHeader, ctx: &mut RequestContext) -> Result<()> {
    drop_claims(head);
    drop_credentials(head, ctx);
    join_cookies(head)?;
    accept_trailers(head, session.req_header())?;
    // empty where a 1.0 client named none: HTTP/1.1 needs the field (RFC 9112 §3.2)
    let host = authority(session.req_header()).to_owned();
    match ctx.route.as_ref().and_then(|route| route.upstream.config.host.clone()) {
        Some(own) => name_host(head, &own)?,
        None => head.insert_header(header::HOST, host.as_str())?,
    }
    forwarded(head, ctx, &host)?;
    if let Some(record) = &ctx.record {
        head.insert_header(REQUEST_ID, &*record.request_id)?;
    }
    if let Some(trace) = &ctx.trace {
        head.insert_header("traceparent", trace.traceparent())?;
        if !trace.continued() {
            head.remove_header("tracestate");
        }
    }
    let Some(link) = &ctx.link else { return Ok(()) };
    let edits = link.exchange().ok_or(Denial::Internal).and_then(|mut exchange| {
        let edits = link.pipeline.on_attempt(ctx.attempts, &mut exchange)?;
        Ok((edits, exchange.query.clone()))
    });
    let (edits, query) = match edits {
        Ok(edits) => edits,
        Err(denial) => {
            link.fail(denial);
            return Error::e_explain(ErrorType::InternalError, "a filter failed on the attempt");
        }
    };
    query.map_or(Ok(()), |query| name_query(head, &query))?;
    edit(head, &edits)?;
    if link.pipeline.reads_request_body() && !session.is_upgrade_req() {
        // the body was read: its framing is ours
        head.remove_header(&header::TRANSFER_ENCODING);
        head.remove_header(&header::EXPECT);
        head.remove_header(&header::CONTENT_LENGTH);
        if let Some(length) = ctx.buffered_len {
            head.insert_header(header::CONTENT_LENGTH, length)?;
        }
    }
    let kept = link.exchange().is_some_and(|exchange| exchange.client_key.is_some());
    if (link.pipeline.reads_replies() || kept) && !session.is_upgrade_req() {
        // the reply is read, or kept for others: no codings, no parts
        head.remove_header(&header::RANGE);
        head.remove_header(&header::IF_RANGE);
        head.insert_header(header::ACCEPT_ENCODING, "identity")?;
    }
    ctx.sent = true;
    link.set_dispatched();
    Ok(())
}

/// Who asked, and how, as far as it is known for sure.
fn forwarded(head: &mut RequestHeader, ctx: &RequestContext, host: &str) -> Result<()> {
    let Some(client) = &ctx.client else { return Ok(()) };
    let is_tls = ctx.connection.as_ref().is_some_and(|connection| connection.is_tls);
    head.insert_header("x-forwarded-for", client.address.to_string())?;
    head.insert_header("x-forwarded-proto", client.scheme.unwrap_or(if is_tls { "https" } else { "http" }))?;
    let host = client.host.as_deref().unwrap_or(host);
    if !host.is_empty() {
        head.insert_header("x-forwarded-host", host)?;
    }
    Ok(())
}

/// The caller's key is for this gateway and not for what stands behind it.
fn drop_credentials(head: &mut RequestHeader, ctx: &RequestContext) {
    let keep = ctx.route.as_ref().is_none_or(|r| r.config.authenticate.is_none() || r.config.forward_credentials);
    if !keep {
        head.remove_header(&header::AUTHORIZATION);
        head.remove_header("x-api-key");
    }
}

/// A head that cannot be trusted ends the attempt; a status that says "not served" becomes another attempt while nothing was sent.
pub fn judge_head(session: &Session, head: &mut ResponseHeader, ctx: &mut RequestContext) -> Result<()> {
    let upgrade = if session.is_upgrade_req() { Upgrade::Asked } else { Upgrade::NotAsked };
    check(head, upgrade, &mut ctx.interim)?;
    if head.status.is_informational() {
        return Ok(());
    }
    if let Some(record) = &mut ctx.record {
        record.micros.add(Phase::FirstByte, ctx.attempt_started.elapsed());
    }
    if let Some(route) = &ctx.route {
        route.upstream.metrics.first_byte(ctx.attempt_started.elapsed());
    }
    let busy = RETRIED_STATUSES.contains(&head.status.as_u16());
    judge(ctx, if busy { Verdict::Failed } else { Verdict::Served });
    count(ctx, if head.status.is_server_error() { AttemptResult::ServerError } else { AttemptResult::Ok });
    if !busy || !may_send_again(session, ctx) {
        return Ok(());
    }
    let mut e = Error::explain(ErrorType::HTTPStatus(head.status.as_u16()), "busy, asking the next").into_up();
    e.set_retry(true);
    Err(e)
}

fn may_send_again(session: &Session, ctx: &RequestContext) -> bool {
    let Some(route) = &ctx.route else { return false };
    let method = &session.req_header().method;
    let harmless = route.upstream.config.idempotent || is_idempotent(method);
    let whole = !session.as_ref().retry_buffer_truncated();
    let unsent = session.response_written().is_none_or(|head| head.status.is_informational());
    harmless && whole && unsent && ctx.attempts < route.upstream.attempts_max()
}

fn is_idempotent(method: &Method) -> bool {
    method.is_idempotent()
}

/// No connection: nothing was sent, so the next endpoint may be asked.
pub fn on_connect_failed(ctx: &mut RequestContext, mut e: Box<Error>) -> Box<Error> {
    judge(ctx, Verdict::Refused);
    let timed_out = matches!(e.etype(), ErrorType::ConnectTimedout | ErrorType::TLSHandshakeTimedout);
    let (result, denial) = match timed_out {
        true => (AttemptResult::ConnectTimeout, Denial::UpstreamTimeout(TimeoutPhase::Connect)),
        false if is_handshake_failure(&e) => (AttemptResult::TlsFailed, Denial::UpstreamTlsFailed),
        false => (AttemptResult::ConnectFailed, Denial::UpstreamConnectFailed),
    };
    count(ctx, result);
    if let Some(link) = &ctx.link {
        link.fail(denial);
    }
    let left = ctx.route.as_ref().is_some_and(|route| ctx.attempts < route.upstream.attempts_max());
    e.set_retry(left);
    e
}

/// Notes that an upstream ended a connection because of TLS, as far as that can be told.
pub fn on_late_refusal(ctx: &RequestContext, peer: &HttpPeer, reused: Reused, e: &Error) {
    if let Some(link) = ctx.link.as_ref().filter(|link| link.failure().is_none() && is_late_refusal(peer, reused, e)) {
        link.fail(Denial::UpstreamTlsFailed);
    }
}

/// A connection broke, or its time ran out.
pub fn on_attempt_failed(session: &Session, ctx: &mut RequestContext, mut e: Box<Error>) -> Box<Error> {
    if e.esource() != &ErrorSource::Upstream {
        e.set_retry(false);
        return e;
    }
    if !matches!(e.etype(), ErrorType::HTTPStatus(_)) {
        let result = attempt_result(ctx, &e);
        count(ctx, result);
        // a time-out of the whole request says nothing of the endpoint: the client may have been slow
        if result != AttemptResult::TotalTimeout {
            judge(ctx, Verdict::Failed);
        }
    }
    let known = ctx.link.as_ref().and_then(|link| link.failure());
    let ours = matches!(known, Some(Denial::UpstreamTimeout(TimeoutPhase::Total) | Denial::Internal));
    let again = !ours && (may_send_again(session, ctx) || (!ctx.sent && ctx.attempts < attempts_max(ctx)));
    note_waste(ctx, if again { Next::Another } else { Next::End });
    e.set_retry(again);
    e
}

/// What was sent may be charged for by the provider, whatever became of it; but where TLS failed nobody read it.
fn note_waste(ctx: &RequestContext, next: Next) {
    let (Some(route), Some(link)) = (&ctx.route, &ctx.link) else { return };
    if !ctx.sent || link.failure() == Some(Denial::UpstreamTlsFailed) {
        return;
    }
    let Some(mut exchange) = link.exchange() else { return };
    let cost = Money::from_nanos(exchange.needs.cost_prompt.get(), ctx.runtime.config.currency);
    let upstream = route.upstream.config.name.clone();
    exchange.failed.push(FailedAttempt { number: ctx.attempts, upstream, cost, next });
}

fn attempts_max(ctx: &RequestContext) -> u32 {
    ctx.route.as_ref().map_or(0, |route| route.upstream.attempts_max())
}

fn attempt_result(ctx: &RequestContext, e: &Error) -> AttemptResult {
    match ctx.link.as_ref().and_then(|link| link.failure()) {
        Some(Denial::UpstreamTimeout(TimeoutPhase::FirstByte)) => AttemptResult::FirstByteTimeout,
        Some(Denial::UpstreamTimeout(TimeoutPhase::Idle)) => AttemptResult::IdleTimeout,
        Some(Denial::UpstreamTimeout(TimeoutPhase::Total)) => AttemptResult::TotalTimeout,
        Some(Denial::UpstreamTlsFailed) => AttemptResult::TlsFailed,
        Some(_) | None if *e.etype() == ErrorType::InvalidHTTPHeader => AttemptResult::InvalidReply,
        Some(_) | None => AttemptResult::Reset,
    }
}

fn judge(ctx: &mut RequestContext, verdict: Verdict) {
    if let Some(lease) = &mut ctx.lease {
        lease.judge(verdict);
    }
}

fn count(ctx: &RequestContext, result: AttemptResult) {
    if let Some(route) = &ctx.route {
        route.upstream.metrics.attempted(result);
    }
}
