//! A coded request body, decoded before the filters read it; the upstream then gets it plain.
//!
//! # Invariants
//! * A body that nobody can read keeps its coding (`what_no_filter_reads_keeps_its_coding`).
//! * Decoded bytes count in the process-wide budget as they come, and a worker is never held for longer than a few pieces
//!   (`bombs_are_refused_at_once_and_cost_no_memory`).

use super::body::BodyError;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, HeaderMap};
use pingora_core::protocols::http::ServerSession;
use raptorgate_config::model::Route;
use raptorgate_filters::codings::{BODY_BOUND, Bounds, Coding, Decoding, coding_of};
use raptorgate_filters::read_body::{decode_denial, is_readable};
use raptorgate_policies::Denial;
use raptorgate_policies::buffers::BufferPermit;

/// Decoded bytes after which others get their turn: under a millisecond of work.
const TURN_BYTES: usize = 256 << 10;

/// The coding that has to be undone. An unknown one is left to the filters: they refuse it where they read.
pub fn to_undo(headers: &HeaderMap) -> Option<Coding> {
    if is_readable(headers) { coding_of(headers).ok().flatten() } else { None }
}

/// Decodes a whole body.
pub async fn decode(
    body: Bytes,
    coding: Coding,
    route: &Route,
    permit: &mut Option<BufferPermit>,
) -> Result<Bytes, BodyError> {
    let bounds = Bounds { ratio_max: route.decode_ratio_max, bytes_max: route.request_body_bytes_max };
    let denied = |e| BodyError::Denied(decode_denial(e, bounds));
    let mut decoding = Decoding::new(coding, bounds);
    let mut decoded = BytesMut::new();
    let mut turn = 0_usize;
    decoding.feed(body);
    while let Some(piece) = decoding.piece().map_err(denied)? {
        if !permit.as_mut().is_none_or(|permit| permit.grow(piece.len() as u64)) {
            return Err(BodyError::Denied(Denial::Overloaded));
        }
        decoded.extend_from_slice(&piece);
        // a piece that gave nothing read much
        turn = turn.saturating_add(piece.len().max(TURN_BYTES / 16));
        if turn >= TURN_BYTES {
            turn = 0;
            tokio::task::yield_now().await;
        }
    }
    decoding.finish().map_err(denied)?;
    Ok(decoded.freeze())
}

/// The head says what the body is now: filters and upstream see a plain one.
pub fn undone(session: &mut ServerSession) {
    let head = session.req_header_mut();
    head.remove_header(&CONTENT_ENCODING);
    // its length is replaced for each attempt
    for name in BODY_BOUND.into_iter().filter(|name| *name != "content-length") {
        head.remove_header(name);
    }
}
