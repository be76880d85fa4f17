//! A reply that is coded although identity was asked for: decoded before anybody looks at it, held or streamed.
//!
//! # Invariants
//! * What has arrived is decoded at once, so that events go on as they come (`coded_events_go_on_as_they_arrive`).
//! * No more than a few pieces are decoded before the client has taken them
//!   (`a_coded_stream_that_grows_too_far_is_cut`).

use super::reply::{Phase, unbind};
use super::session::GuardedSession;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, HeaderMap};
use pingora_core::protocols::http::HttpTask;
use pingora_core::{Error, ErrorType, Result};
use pingora_http::ResponseHeader;
use raptorgate_filters::codings::{Bounds, Coding, DecodeError, Decoding, coding_of};
use raptorgate_filters::read_body::reply_decode_denial;
use raptorgate_policies::Denial;

/// Tasks that wait for the client at most while more is decoded.
const WAITING_TASKS_MAX: usize = 8;

/// The coding of a reply that somebody wants to read; a guard that cannot look refuses.
pub(super) fn coding(headers: &HeaderMap) -> Result<Option<Coding>, Denial> {
    coding_of(headers).map_err(|_| Denial::UpstreamInvalidReply)
}

impl GuardedSession {
    /// Starts to decode; the head speaks of the plain body from here on.
    pub(super) fn undo(&mut self, coding: Coding, head: &mut ResponseHeader) {
        // what is held is bounded where it is held, and what streams has no end
        let bounds = Bounds { ratio_max: self.policy.decode_ratio_max, bytes_max: u64::MAX };
        self.reply.decoding = Some(Decoding::new(coding, bounds));
        plain(head);
    }

    /// The next coded bytes, on as plain ones.
    pub(super) async fn on_coded(&mut self, data: Option<Bytes>, end: bool, out: &mut Vec<HttpTask>) -> Result<()> {
        if let Some(decoding) = &mut self.reply.decoding {
            decoding.feed(data.unwrap_or_default());
        }
        while let Some(piece) =
            self.reply.decoding.as_mut().map(Decoding::piece).transpose().map(Option::flatten).transpose()
        {
            match piece {
                Ok(piece) => self.on_body(Some(piece), false, out).await?,
                Err(e) => return self.undecodable(e, out).await,
            }
            if self.reply.phase == Phase::Ended {
                return Ok(());
            }
            if out.len() > WAITING_TASKS_MAX {
                self.send(std::mem::take(out)).await?;
            }
            tokio::task::yield_now().await;
        }
        if end { self.on_coded_end(out).await } else { Ok(()) }
    }

    /// The upstream said that this was all: it has to be all of the coded stream too.
    pub(super) async fn on_coded_end(&mut self, out: &mut Vec<HttpTask>) -> Result<()> {
        match self.reply.decoding.as_ref().map_or(Ok(()), Decoding::finish) {
            Ok(()) => self.on_last(out).await,
            Err(e) => self.undecodable(e, out).await,
        }
    }

    async fn undecodable(&mut self, e: DecodeError, out: &mut Vec<HttpTask>) -> Result<()> {
        let denial = reply_decode_denial(e);
        match self.reply.phase {
            Phase::Passing => self.cut(denial, Error::new(ErrorType::InternalError), out).await,
            Phase::AwaitHead | Phase::Holding | Phase::Ended => self.refuse(denial, out).await,
        }
    }
}

/// Takes away what is true of coded bytes only.
pub(super) fn plain(head: &mut ResponseHeader) {
    head.remove_header(&CONTENT_ENCODING);
    unbind(head);
}
