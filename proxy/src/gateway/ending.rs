//! The end of a request: what a failure tells the client, and the one record of it.

use super::context::RequestContext;
use super::request::answer;
use crate::guard::unguard;
use crate::telemetry::access_record::Phase;
use crate::upstreams::lease::Verdict;
use pingora_core::{Error, ErrorSource, ErrorType, Result};
use pingora_http::ResponseHeader;
use pingora_proxy::{FailToProxy, Session};
use raptorgate_config::model::ApiFormat;
use raptorgate_filters::exchange::End;
use raptorgate_filters::render::render;
use raptorgate_policies::{Denial, TimeoutPhase};

/// Replies that pass unguarded (upgrades) carry request id and generation too.
pub fn mark_upgrade(head: &mut ResponseHeader, ctx: &RequestContext) -> Result<()> {
    if head.status != http::StatusCode::SWITCHING_PROTOCOLS {
        return Ok(());
    }
    if let Some(record) = &ctx.record {
        head.insert_header(super::request::REQUEST_ID, &*record.request_id)?;
    }
    head.insert_header(super::request::GENERATION, ctx.runtime.generation_header.clone())
}

/// The last attempt failed, or the request could not be read: tells the client what can still be told.
pub async fn answer_failure(session: &mut Session, e: &Error, ctx: &mut RequestContext) -> FailToProxy {
    if let Some(link) = &ctx.link {
        unguard(session, link);
    }
    let gone = FailToProxy { error_code: 0, can_reuse_downstream: false };
    let Some(denial) = denial_of(e, ctx) else { return gone };
    if session.response_written().is_some_and(|head| !head.status.is_informational()) {
        return gone;
    }
    let format = ctx.route.as_ref().map_or(ApiFormat::Json, |route| route.config.format);
    let request_id = ctx.record.as_ref().map_or_else(|| "".into(), |r| r.request_id.clone());
    let reply = render(&denial, format, &request_id);
    let error_code = reply.status.as_u16();
    session.as_downstream_mut().set_keepalive(None);
    // a client that has left cannot be told, and `finish` writes that down
    drop(answer(session, ctx, reply, End::Denied(denial)).await);
    FailToProxy { error_code, can_reuse_downstream: false }
}

/// What a failure means; `None` if there is nobody to tell.
fn denial_of(e: &Error, ctx: &RequestContext) -> Option<Denial> {
    let known = ctx.link.as_ref().and_then(|link| link.failure());
    if known.is_some() {
        return known;
    }
    let fault = ctx.connection.as_ref().and_then(|connection| connection.fault());
    if fault.is_some() && e.esource() == &ErrorSource::Downstream {
        return fault;
    }
    match (e.esource(), e.etype()) {
        (ErrorSource::Upstream, ErrorType::ReadTimedout | ErrorType::WriteTimedout) => {
            let replied = ctx.link.as_ref().is_some_and(|link| link.first_byte().is_some());
            Some(Denial::UpstreamTimeout(if replied { TimeoutPhase::Idle } else { TimeoutPhase::FirstByte }))
        }
        (ErrorSource::Upstream, ErrorType::InvalidHTTPHeader) => Some(Denial::UpstreamInvalidReply),
        (ErrorSource::Upstream, ErrorType::ConnectTimedout) => Some(Denial::UpstreamTimeout(TimeoutPhase::Connect)),
        (ErrorSource::Upstream, ErrorType::ConnectError | ErrorType::ConnectRefused) => {
            Some(Denial::UpstreamConnectFailed)
        }
        (ErrorSource::Upstream, _) => Some(Denial::UpstreamReset),
        (ErrorSource::Downstream, ErrorType::InvalidHTTPHeader | ErrorType::Custom(_) | ErrorType::CustomCode(..)) => {
            Some(Denial::BadRequest("the request's framing is not valid"))
        }
        (ErrorSource::Downstream, _) => None,
        (ErrorSource::Internal | ErrorSource::Unset, _) => Some(Denial::Internal),
    }
}

/// Runs exactly once for every request that reached the filters.
pub async fn finish(session: &mut Session, e: Option<&Error>, ctx: &mut RequestContext) {
    if let Some(link) = ctx.link.clone() {
        unguard(session, &link);
        let status = session.response_written().map(|head| head.status.as_u16());
        let end = match e.map(|e| (e.esource(), link.failure())) {
            None => End::Complete,
            Some((_, Some(denial))) => End::Cut(denial),
            Some((ErrorSource::Downstream, None)) => End::ClientLeft,
            Some((ErrorSource::Upstream, None)) => End::Cut(Denial::UpstreamReset),
            Some((ErrorSource::Internal | ErrorSource::Unset, None)) => End::Cut(Denial::Internal),
        };
        if broke_off(&end)
            && let Some(lease) = &mut ctx.lease
        {
            lease.judge(Verdict::Failed);
        }
        link.end(end, status).await;
        if let (Some(record), Some(first_byte)) = (&mut ctx.record, link.first_byte()) {
            record.micros.add(Phase::Response, first_byte.elapsed());
        }
    }
    if let Some(record) = &mut ctx.record {
        record.status = session.response_written().map(|head| head.status.as_u16()).or(record.status);
        record.bytes_out = session.body_bytes_sent() as u64;
        record.bytes_in = record.bytes_in.max(session.body_bytes_read() as u64);
    }
    ctx.permit = None;
    ctx.lease = None;
    ctx.place = None;
    ctx.write_record();
}

/// True for ends that speak against the endpoint, also when no attempt was seen to fail.
fn broke_off(end: &End) -> bool {
    use TimeoutPhase::{FirstByte, Idle};
    let against = |denial: &Denial| matches!(denial, Denial::UpstreamReset | Denial::UpstreamTimeout(FirstByte | Idle));
    match end {
        End::Denied(denial) | End::Cut(denial) => against(denial),
        End::Complete | End::Stopped(_) | End::ClientLeft | End::Dropped => false,
    }
}
