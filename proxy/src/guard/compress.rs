//! Compression of replies, after everything else: between what was decided and what is written.
//!
//! # Invariants
//! * What has been written to the session can be read by the client at once: each batch is flushed
//!   (`compressed_events_arrive_one_by_one`).
//! * A cut reply has no end of its coded stream either (`a_compressed_reply_that_breaks_is_cut`).

use super::session::GuardedSession;
use bytes::{Bytes, BytesMut};
use http::{Method, Version, header};
use pingora_core::Result;
use pingora_core::protocols::http::HttpTask;
use pingora_http::{RequestHeader, ResponseHeader};
use raptorgate_config::model::{Compress, Route};
use raptorgate_filters::codings::{Accepted, Choice, Encoding, accepted, choose};
use std::sync::Arc;

/// Plain bytes that are coded at once, before others get their turn: about a millisecond of work.
const PIECE_BYTES: usize = 64 << 10;

/// What holds for the replies of one request.
pub struct Compression {
    route: Arc<Route>,
    accepted: Accepted,
}

impl Compression {
    /// `None` where nothing is compressed: by the route, or because HTTP/1.0 knows no chunks.
    pub fn new(route: &Arc<Route>, head: &RequestHeader) -> Option<Self> {
        let on = route.compress.is_some() && head.version != Version::HTTP_10;
        on.then(|| Self { route: route.clone(), accepted: accepted(&head.headers) })
    }

    fn rules(&self) -> Option<&Compress> {
        self.route.compress.as_ref()
    }
}

impl GuardedSession {
    /// Everything of a reply but interim heads goes to the client through here.
    pub(super) async fn send(&mut self, tasks: Vec<HttpTask>) -> Result<()> {
        if self.policy.compression.is_none() || self.gone || tasks.is_empty() {
            return self.deliver(tasks).await;
        }
        let whole = whole_length(&tasks);
        let mut begun = false;
        let mut out = Vec::with_capacity(tasks.len() + 1);
        for task in tasks {
            match task {
                HttpTask::Header(mut head, end) => {
                    begun |= self.mark(&mut head, end, whole)? == Begun::Yes;
                    out.push(HttpTask::Header(head, end));
                }
                HttpTask::Body(data, end) if self.reply.encoding.is_some() => {
                    let coded = self.encode(data.unwrap_or_default(), end).await;
                    // an empty chunk would end the message
                    out.extend((end || !coded.is_empty()).then_some(HttpTask::Body(Some(coded), end)));
                }
                HttpTask::Trailer(trailers) => {
                    out.extend(self.end_coding().map(|rest| HttpTask::Body(Some(rest), false)));
                    out.push(HttpTask::Trailer(trailers));
                }
                other @ (HttpTask::Body(..) | HttpTask::UpgradedBody(..) | HttpTask::Done | HttpTask::Failed(_)) => {
                    out.push(other);
                }
            }
        }
        if let ([HttpTask::Header(head, _), HttpTask::Body(Some(body), true)], true) = (out.as_mut_slice(), begun) {
            head.remove_header(&header::TRANSFER_ENCODING);
            head.insert_header(header::CONTENT_LENGTH, body.len())?;
        }
        self.deliver(out).await
    }

    /// Decides by the head, and says so in it.
    fn mark(&mut self, head: &mut ResponseHeader, end: bool, whole: Option<u64>) -> Result<Begun> {
        let asks_head = self.inner().req_header().method == Method::HEAD;
        let Some((compression, rules)) = self.policy.compression.as_ref().and_then(|c| Some((c, c.rules()?))) else {
            return Ok(Begun::No);
        };
        let status = head.status.as_u16();
        if end && !asks_head && status != 304 {
            return Ok(Begun::No); // no body, whatever the length says
        }
        let choice = choose(rules, &compression.accepted, status, &head.headers, whole);
        if let (Choice::Coded(coding), false) = (choice, asks_head || status == 304) {
            let Some(encoding) = Encoding::new(coding) else { return Ok(Begun::No) };
            self.reply.encoding = Some(encoding);
            head.insert_header(header::TRANSFER_ENCODING, "chunked")?; // h2 drops it by itself
        }
        for (name, value) in choice.edits(status, &head.headers).iter() {
            match value {
                Some(value) => head.insert_header(name.clone(), value.clone())?,
                None => drop(head.remove_header(name)),
            }
        }
        Ok(if self.reply.encoding.is_some() { Begun::Yes } else { Begun::No })
    }

    async fn encode(&mut self, data: Bytes, end: bool) -> Bytes {
        let mut coded = BytesMut::new();
        for (n, piece) in data.chunks(PIECE_BYTES).enumerate() {
            if n > 0 {
                tokio::task::yield_now().await;
            }
            if let Some(encoding) = &mut self.reply.encoding {
                encoding.write(piece, &mut coded);
            }
        }
        if end {
            coded.extend_from_slice(&self.end_coding().unwrap_or_default());
        } else if let Some(encoding) = &mut self.reply.encoding {
            encoding.flush(&mut coded);
        }
        coded.freeze()
    }

    fn end_coding(&mut self) -> Option<Bytes> {
        self.reply.encoding.take().map(Encoding::finish)
    }
}

/// Whether a reply is coded from its head on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    Yes,
    No,
}

/// The length of the body if all of the reply is here.
fn whole_length(tasks: &[HttpTask]) -> Option<u64> {
    match tasks {
        [HttpTask::Header(_, false), HttpTask::Body(Some(body), true)] => Some(body.len() as u64),
        _ => None,
    }
}
