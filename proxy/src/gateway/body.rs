//! The request's body: read whole within bounds, or counted while it streams.
//!
//! # Invariants
//! * Nothing is buffered that the process-wide budget has no room for (`bodies_beyond_the_cap_of_all_are_refused_as_overload`).

use super::context::RequestContext;
use crate::edge::pace::BodyPace;
use bytes::{Bytes, BytesMut};
use http::header;
use pingora_core::protocols::http::ServerSession;
use pingora_core::{Error, ErrorType, Result};
use pingora_proxy::Session;
use raptorgate_config::model::Route;
use raptorgate_policies::Denial;
use raptorgate_policies::buffers::{BufferBudget, BufferPermit};
use std::sync::Arc;
use std::time::Instant;

/// Why a body was not read.
pub enum BodyError {
    /// Refused.
    Denied(Denial),
    /// The client broke off or broke the framing.
    Client(Box<Error>),
}

impl From<Box<Error>> for BodyError {
    fn from(e: Box<Error>) -> Self {
        Self::Client(e.into_down())
    }
}

/// The length that the client announced.
pub fn announced(session: &Session) -> Option<u64> {
    session.req_header().headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads the whole body.
pub async fn read_whole(
    session: &mut Session,
    route: &Route,
    budget: &Arc<BufferBudget>,
    rate_min: u64,
) -> Result<(Bytes, Option<BufferPermit>), BodyError> {
    if session.as_downstream_mut().is_body_done() {
        return Ok((Bytes::new(), None));
    }
    let length = announced(session);
    let permit = budget.try_take(length.unwrap_or(0)).ok_or(BodyError::Denied(Denial::Overloaded))?;
    answer_expectation(session).await?;
    let pace = pace(session.as_downstream(), rate_min);
    let reading = collect(session, route.request_body_bytes_max, length, permit, pace);
    match tokio::time::timeout(route.request_body_timeout, reading).await {
        Ok(read) => read.map(|(body, permit)| (body, Some(permit))),
        Err(_) => Err(BodyError::Denied(Denial::BodyTimeout)),
    }
}

/// The pace that a body must keep which is read from here. On HTTP/1.1 the connection itself sees to it.
pub fn pace(down: &ServerSession, rate_min: u64) -> BodyPace {
    BodyPace::new(if down.is_http2() { rate_min } else { 0 })
}

/// The next piece of the body, if it comes in time.
async fn read_piece(down: &mut ServerSession, pace: &mut BodyPace) -> Result<Option<Bytes>, BodyError> {
    let Some(until) = pace.wait(Instant::now()) else { return Ok(down.read_request_body().await?) };
    let read = tokio::time::timeout_at(until.into(), down.read_request_body()).await;
    let piece = read.map_err(|_| BodyError::Denied(Denial::BodyTimeout))??;
    pace.came(Instant::now());
    pace.count(piece.as_ref().map_or(0, Bytes::len));
    Ok(piece)
}

/// Pingora never answers `Expect` itself, and any early header would turn keep-alive off.
async fn answer_expectation(session: &mut Session) -> Result<()> {
    let down = session.as_downstream_mut();
    let expects = down.req_header().headers.get(header::EXPECT);
    if expects.is_some_and(|e| e.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        down.set_close_on_response_before_downstream_finish(false);
        down.write_continue_response().await?;
        down.set_close_on_response_before_downstream_finish(true);
    }
    Ok(())
}

async fn collect(
    session: &mut Session,
    bytes_max: u64,
    length: Option<u64>,
    mut permit: BufferPermit,
    mut pace: BodyPace,
) -> Result<(Bytes, BufferPermit), BodyError> {
    let down = session.as_downstream_mut();
    let Some(first) = read_piece(down, &mut pace).await? else { return Ok((Bytes::new(), permit)) };
    if length == Some(first.len() as u64) {
        // the whole body at once: no copy; the framing still has to be read to its end
        while read_piece(down, &mut pace).await?.is_some() {}
        return Ok((first, permit));
    }
    let mut body = BytesMut::with_capacity(usize::try_from(length.unwrap_or(0)).unwrap_or(0).max(first.len()));
    let mut next = Some(first);
    while let Some(chunk) = next {
        let total = body.len().saturating_add(chunk.len());
        if total as u64 > bytes_max {
            return Err(BodyError::Denied(Denial::BodyTooLarge { bytes_max }));
        }
        if length.is_none() && !permit.grow(chunk.len() as u64) {
            return Err(BodyError::Denied(Denial::Overloaded));
        }
        body.extend_from_slice(&chunk);
        next = read_piece(down, &mut pace).await?;
    }
    if length.is_some_and(|length| length != body.len() as u64) {
        return Err(BodyError::Denied(Denial::BadRequest("the body has not the length that was announced")));
    }
    Ok((body.freeze(), permit))
}

/// The end of a body has no bytes of its own: Pingora would write an empty last piece as a chunk, which ends the body, and
/// then end it once more (`every_connection_of_the_corpus_is_served_or_ended_by_the_letter`). In the middle an empty piece is
/// passed over, and taking it away would mean the end (`chunked_uploads_pass_and_broken_ones_do_not`).
pub fn drop_empty_end(chunk: &mut Option<Bytes>) {
    if chunk.as_ref().is_some_and(Bytes::is_empty) {
        *chunk = None;
    }
}

/// Holds a body that streams to the route's limit.
pub fn count_streamed(chunk: Option<&Bytes>, ctx: &mut RequestContext) -> Result<()> {
    let Some(route) = &ctx.route else { return Ok(()) };
    ctx.streamed_bytes = ctx.streamed_bytes.saturating_add(chunk.map_or(0, |c| c.len() as u64));
    let bytes_max = route.config.request_body_bytes_max;
    if ctx.buffered_len.is_some() || ctx.streamed_bytes <= bytes_max {
        return Ok(());
    }
    if let Some(link) = &ctx.link {
        link.fail(Denial::BodyTooLarge { bytes_max });
    }
    Err(Error::explain(ErrorType::InternalError, "the body is larger than the route accepts").into_down())
}
