//! The request's way: a buffered body replayed in slices, or the client's own stream handed through.

use super::link::Link;
use bytes::Bytes;
use std::sync::atomic::Ordering::Relaxed;

/// Bytes given to the proxy loop at once. A slice and not the whole: an h2 upstream that answers early without reading
/// must not block the loop in one big write.
const SLICE_BYTES: usize = 64 << 10;

/// Where the request's body comes from.
#[derive(Clone, Debug)]
pub enum RequestBody {
    /// It was read whole, and perhaps rewritten.
    Buffered(Bytes),
    /// It streams from the client.
    Streamed,
}

/// The next slice of a buffered body; `None` when all was given.
pub fn next_slice(body: &Bytes, link: &Link) -> Option<Bytes> {
    let from = link.replayed().load(Relaxed);
    if from >= body.len() {
        return None;
    }
    let to = from.saturating_add(SLICE_BYTES).min(body.len());
    link.replayed().store(to, Relaxed);
    Some(body.slice(from..to))
}

/// True when all of a buffered body was given to this attempt.
pub fn is_done(body: &Bytes, link: &Link) -> bool {
    link.replayed().load(Relaxed) >= body.len()
}

/// Nobody needs the rest of the body any more.
pub fn skip_rest(body: &RequestBody, link: &Link) {
    match body {
        RequestBody::Buffered(body) => link.replayed().store(body.len(), Relaxed),
        RequestBody::Streamed => {}
    }
}
