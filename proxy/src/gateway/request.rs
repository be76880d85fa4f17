//! The request on its way in: route, head filters, body, body filters, guard.

use super::body::{self, BodyError};
use super::coding;
use super::context::RequestContext;
use super::forwarded_head::drop_idle_upgrade;
use super::head;
use crate::edge::client_address;
use crate::edge::facts::ConnectionFacts;
use crate::guard::{Compression, Deadlines, GuardPolicy, Link, RequestBody, guard, header_of};
use crate::runtime::CompiledRoute;
use crate::runtime::router::Found;
use crate::telemetry::access_record::{AccessRecord, LoggedPath, Phase, Protocol};
use crate::tls::client_certificate;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Version, header};
use pingora_core::Result;
use pingora_http::RequestHeader;
use pingora_proxy::Session;
use raptorgate_config::model::{ApiFormat, OnDisconnect};
use raptorgate_filters::exchange::{End, Exchange};
use raptorgate_filters::filter::{Decision, Reply, RequestHead};
use raptorgate_filters::payload::Payload;
use raptorgate_filters::render::render;
use raptorgate_policies::request_id::accept_or_mint;
use raptorgate_policies::trace::TraceContext;
use raptorgate_policies::{Denial, Timestamp};
use std::net::{IpAddr, Ipv4Addr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Name of the request id in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Name of the configuration's generation in replies.
pub const GENERATION: HeaderName = HeaderName::from_static("x-raptorgate-generation");
/// An unread body up to this size is read and thrown away after a refusal, so that the connection can be used again.
const DRAIN_BYTES_MAX: u64 = 64 << 10;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// `Ok(true)`: answered here.
pub async fn on_request(session: &mut Session, ctx: &mut RequestContext) -> Result<bool> {
    open_record(session, ctx);
    distrust_zero_length(session);
    let limits = ctx.runtime.config.limits.clients;
    if let Err(denial) = head::settle(session.req_header_mut(), &limits) {
        session.as_downstream_mut().set_keepalive(None); // a client that sends such things is not kept
        return refuse(session, ctx, denial).await;
    }
    let route = match find_route(session, ctx) {
        Ok(route) => route,
        Err(denial) => return refuse(session, ctx, denial).await,
    };
    drop_idle_upgrade(session.req_header_mut());
    let link = open_exchange(session, ctx, &route);
    let head_began = Instant::now();
    let decision = match link.exchange() {
        Some(mut exchange) => link.pipeline.on_request(&view(session.req_header()), &mut exchange).await,
        None => Decision::Deny(Denial::Internal),
    };
    spent(ctx, Phase::Head, head_began);
    match decision {
        Decision::Continue => {}
        Decision::Deny(denial) => return refuse(session, ctx, denial).await,
        Decision::Reply(reply) => return answer(session, ctx, reply, End::Complete).await,
    }
    if session.is_upgrade_req() {
        return on_upgrade(session, ctx, &route).await;
    }
    if body::announced(session).is_some_and(|length| length > route.config.request_body_bytes_max) {
        let bytes_max = route.config.request_body_bytes_max;
        return refuse(session, ctx, Denial::BodyTooLarge { bytes_max }).await;
    }
    let request_body = if link.pipeline.reads_request_body() {
        match judge_body(session, ctx, &route, &link).await? {
            Judged::Forward(body) => RequestBody::Buffered(body),
            Judged::Answered => return Ok(true),
        }
    } else {
        RequestBody::Streamed
    };
    let policy = policy(session, ctx, &route, request_body);
    guard(session, &link, policy);
    Ok(false)
}

/// Over HTTP/2 Pingora takes the client's word for an empty body; what came all the same would never be looked at. Without
/// the field the stream itself says where it ends, and the HTTP/2 library holds it to the length.
fn distrust_zero_length(session: &mut Session) {
    let head = session.req_header();
    let zero = head.headers.get(header::CONTENT_LENGTH).filter(|length| length.as_bytes() == b"0").cloned();
    let Some(zero) = zero.filter(|_| head.version == Version::HTTP_2) else { return };
    session.req_header_mut().remove_header(&header::CONTENT_LENGTH);
    if session.as_downstream_mut().is_body_done() {
        drop(session.req_header_mut().insert_header(header::CONTENT_LENGTH, zero));
    }
}

fn open_record(session: &Session, ctx: &mut RequestContext) {
    let head = session.req_header();
    let text = |name: &HeaderName| head.headers.get(name).and_then(|v| v.to_str().ok());
    let request_id = accept_or_mint(text(&REQUEST_ID));
    let trace = TraceContext::continue_or_start(head.headers.get("traceparent").and_then(|v| v.to_str().ok()));
    let connection = ConnectionFacts::of(session);
    let peer = connection.as_ref().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |connection| connection.peer.ip());
    let client = client_address::client(peer, &head.headers, &ctx.runtime.config.trusted_proxies);
    let protocol = if head.version == Version::HTTP_2 { Protocol::Http2 } else { Protocol::Http1 };
    let mut record = AccessRecord::new(Timestamp::now(), request_id, client.address, protocol);
    record.trace_id = Some(trace.trace_id().into());
    record.method = head.method.as_str().into();
    record.path = LoggedPath::new(head.uri.path());
    record.generation = ctx.runtime.generation.clone();
    if let Some(connection) = &connection {
        record.listener = connection.listener.clone();
    }
    (ctx.connection, ctx.client) = (connection, Some(client));
    ctx.trace = Some(trace);
    ctx.record = Some(record);
}

fn find_route(session: &Session, ctx: &mut RequestContext) -> Result<Arc<CompiledRoute>, Denial> {
    let head = session.req_header();
    let authority = head::authority(head);
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, port)| if port.bytes().all(|b| b.is_ascii_digit()) { host } else { authority });
    let found = ctx.runtime.router().find(host, head.uri.path(), head.method.as_str());
    match found {
        Found::Route(index) => {
            let route = ctx.runtime.route(index).cloned().ok_or(Denial::Internal)?;
            ctx.route = Some(route.clone());
            Ok(route)
        }
        Found::WrongMethod(allowed) => Err(Denial::MethodNotAllowed { allowed }),
        Found::Nothing => Err(Denial::RouteNotFound),
    }
}

fn open_exchange(session: &Session, ctx: &mut RequestContext, route: &Arc<CompiledRoute>) -> Arc<Link> {
    let (request_id, received_at, client) = match &mut ctx.record {
        Some(record) => {
            record.route = Some(route.config.name.clone());
            (record.request_id.clone(), record.time, record.client)
        }
        None => (accept_or_mint(None), Timestamp::now(), IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
    };
    let mut exchange =
        Exchange::new(request_id.clone(), route.config.name.clone(), route.config.format, received_at, client);
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        exchange.response_headers.set(REQUEST_ID, id);
    }
    exchange.response_headers.set(GENERATION, ctx.runtime.generation_header.clone());
    exchange.client_certificate = client_certificate(session);
    let link = Link::new(route.pipeline.clone(), exchange);
    ctx.link = Some(link.clone());
    ctx.entered = ctx.shared.keeper.is_some().then(|| ctx.shared.in_flight.enter(&link));
    link
}

fn view(head: &RequestHeader) -> RequestHead<'_> {
    RequestHead { method: &head.method, path: head.uri.path(), query: head.uri.query(), headers: &head.headers }
}

fn spent(ctx: &mut RequestContext, phase: Phase, since: Instant) {
    if let Some(record) = &mut ctx.record {
        record.micros.add(phase, since.elapsed());
    }
}

async fn on_upgrade(session: &mut Session, ctx: &mut RequestContext, route: &CompiledRoute) -> Result<bool> {
    let guarded = route.pipeline.reads_request_body() || route.pipeline.reads_replies();
    if guarded && !route.config.passthrough {
        let denial = Denial::BadRequest("this route's guards cannot look into an upgraded connection");
        return refuse(session, ctx, denial).await;
    }
    Ok(false)
}

enum Judged {
    Forward(Bytes),
    Answered,
}

async fn judge_body(
    session: &mut Session,
    ctx: &mut RequestContext,
    route: &CompiledRoute,
    link: &Link,
) -> Result<Judged> {
    let read_began = Instant::now();
    let read = read_plain(session, ctx, route).await;
    spent(ctx, Phase::Body, read_began);
    let body = match read {
        Ok(body) => body,
        Err(BodyError::Denied(denial)) => return refuse(session, ctx, denial).await.map(|_| Judged::Answered),
        Err(BodyError::Client(e)) => return Err(e),
    };
    let headers = &session.req_header().headers;
    let framed = headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING);
    let guards_began = Instant::now();
    let mut payload = Payload::new(body, ctx.runtime.json);
    let decision = match link.exchange() {
        Some(mut exchange) if waits(route) => decide_watched(session, link, &mut payload, &mut exchange).await,
        Some(mut exchange) => {
            let head = view(session.req_header());
            link.pipeline.on_request_body(&head, &mut payload, &mut exchange).await
        }
        None => Decision::Deny(Denial::Internal),
    };
    spent(ctx, Phase::Guards, guards_began);
    match decision {
        Decision::Continue => {
            let body = payload.into_bytes();
            // a plain GET stays without Content-Length
            ctx.buffered_len = (framed || !body.is_empty()).then_some(body.len());
            Ok(Judged::Forward(body))
        }
        Decision::Deny(denial) => refuse(session, ctx, denial).await.map(|_| Judged::Answered),
        Decision::Reply(reply) => answer(session, ctx, reply, End::Complete).await.map(|_| Judged::Answered),
    }
}

/// True if the body's filters may wait for another request.
fn waits(route: &CompiledRoute) -> bool {
    route.config.idempotency.is_some() || route.config.execution.as_ref().is_some_and(|run| run.lock.is_some())
}

/// The body phase, with an eye on the client: Pingora does not poll it while we wait here. The phase is never broken off, for it may hold
/// what has to be given back; it is told, and ends by itself. Its answer is given all the same: who closed only the sending side
/// of a connection still reads.
async fn decide_watched(
    session: &mut Session,
    link: &Link,
    payload: &mut Payload,
    exchange: &mut Exchange,
) -> Decision {
    let head = session.req_header().clone();
    let client_left = exchange.client_left.clone();
    let head = view(&head);
    let mut decided = pin!(link.pipeline.on_request_body(&head, payload, exchange));
    tokio::select! {
        biased;
        decision = &mut decided => return decision,
        _ = session.as_downstream_mut().read_body_or_idle(true) => {}
    }
    session.as_downstream_mut().set_keepalive(None);
    client_left.store(true, Relaxed);
    decided.await
}

/// The whole body as the filters read it: without a coding that can be undone.
async fn read_plain(
    session: &mut Session,
    ctx: &mut RequestContext,
    route: &CompiledRoute,
) -> Result<Bytes, BodyError> {
    let rate_min = ctx.runtime.config.limits.clients.body_bytes_per_second_min;
    let (body, permit) = body::read_whole(session, &route.config, &ctx.shared.buffers, rate_min).await?;
    ctx.permit = permit;
    if let Some(record) = &mut ctx.record {
        record.bytes_in = body.len() as u64;
    }
    let Some(coding) = coding::to_undo(&session.req_header().headers) else { return Ok(body) };
    let plain = coding::decode(body, coding, &route.config, &mut ctx.permit).await?;
    coding::undone(session.as_downstream_mut());
    Ok(plain)
}

fn policy(session: &Session, ctx: &RequestContext, route: &CompiledRoute, body: RequestBody) -> GuardPolicy {
    let held = ctx.link.as_ref().and_then(|link| link.exchange()?.held.clone());
    let keyed = held.is_some_and(|held| held.idempotency_key().is_some());
    let rules = route.config.idempotency.as_ref().filter(|_| keyed);
    GuardPolicy {
        body,
        pace: body::pace(session.as_downstream(), ctx.runtime.config.limits.clients.body_bytes_per_second_min),
        write_timeout: ctx.runtime.config.limits.clients.write_timeout,
        on_disconnect: if keyed { OnDisconnect::Finish } else { route.config.on_disconnect },
        on_large_reply: route.config.on_large_reply,
        compression: Compression::new(&route.config, session.req_header()),
        decode_ratio_max: route.config.decode_ratio_max,
        reply_bytes_max: route.config.reply_bytes_max,
        keep_bytes_max: rules.map(|rules| rules.reply_bytes_max),
        json: ctx.runtime.json,
        format: route.config.format,
        request_id: ctx.record.as_ref().map_or_else(|| "".into(), |r| r.request_id.clone()),
        deadlines: Deadlines::new(route.upstream.config.timeouts, ctx.started),
        buffers: ctx.shared.buffers.clone(),
    }
}

/// Answers with a refusal.
pub async fn refuse(session: &mut Session, ctx: &mut RequestContext, denial: Denial) -> Result<bool> {
    let format = ctx.route.as_ref().map_or(ApiFormat::Json, |route| route.config.format);
    let request_id = ctx.record.as_ref().map_or_else(|| "".into(), |r| r.request_id.clone());
    let reply = render(&denial, format, &request_id);
    if ctx.link.is_none()
        && let Some(record) = &mut ctx.record
    {
        record.set_end(&End::Denied(denial.clone()));
    }
    answer(session, ctx, reply, End::Denied(denial)).await
}

/// Writes a whole answer to the client's own session; its connection is kept where the rest of its body is small.
pub async fn answer(session: &mut Session, ctx: &mut RequestContext, reply: Reply, end: End) -> Result<bool> {
    let mut head = Box::new(header_of(&reply)?);
    if let Some(link) = &ctx.link {
        link.end(end, Some(reply.status.as_u16())).await;
        if let Some(exchange) = link.exchange() {
            for (name, value) in exchange.response_headers.iter() {
                match value {
                    Some(value) => head.insert_header(name.clone(), value.clone())?,
                    None => drop(head.remove_header(name)),
                }
            }
        }
    } else if let Some(record) = &ctx.record {
        head.insert_header(REQUEST_ID, &*record.request_id)?;
        head.insert_header(GENERATION, ctx.runtime.generation_header.clone())?;
    }
    // RFC 9110 §8.6: neither has a length
    if !matches!(reply.status.as_u16(), 204 | 304) {
        head.insert_header(header::CONTENT_LENGTH, reply.body.len())?;
    }
    if let Some(record) = &mut ctx.record {
        record.status = Some(reply.status.as_u16());
        record.bytes_out = reply.body.len() as u64;
    }
    prepare_reuse(session);
    let bodyless = session.req_header().method == Method::HEAD || reply.body.is_empty();
    session.as_downstream_mut().write_response_header(head).await.map_err(|e| e.into_down())?;
    if bodyless {
        session.as_downstream_mut().finish_body().await.map_err(|e| e.into_down())?;
    } else {
        let down = session.as_downstream_mut();
        down.write_response_body(reply.body, true).await.map_err(|e| e.into_down())?;
    }
    Ok(true)
}

fn prepare_reuse(session: &mut Session) {
    let expects = session.req_header().headers.contains_key(header::EXPECT);
    let small = body::announced(session).is_none_or(|length| length <= DRAIN_BYTES_MAX);
    let down = session.as_downstream_mut();
    if down.is_body_done() {
        return;
    }
    let chunked = down.req_header().headers.contains_key(header::TRANSFER_ENCODING);
    if small && !expects && !chunked {
        down.set_close_on_response_before_downstream_finish(false);
        down.set_total_drain_timeout(Some(DRAIN_TIMEOUT));
    } else {
        down.set_keepalive(None);
    }
}
