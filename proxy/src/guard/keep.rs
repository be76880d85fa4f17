//! Keeps a copy of a reply for those who ask again: as the client gets it, but for what belongs to one message, and before it
//! is compressed.
//!
//! # Invariants
//! * What is kept is whole: it is handed over when the reply has ended, and not before (`a_reply_that_breaks_is_not_kept`).
//! * It counts as buffered while it is gathered, and is given up where there is no room.

use super::session::GuardedSession;
use pingora_http::ResponseHeader;
use raptorgate_filters::kept::KeptReply;
use raptorgate_policies::buffers::BufferPermit;

/// A reply that is gathered.
pub(super) struct Keeping {
    reply: KeptReply,
    permit: BufferPermit,
}

impl GuardedSession {
    /// Begins with the head.
    pub(super) fn keep_head(&mut self, head: &ResponseHeader) {
        let Some(bytes_max) = self.policy.keep_bytes_max else { return };
        let reply = KeptReply::new(head.status, &head.headers);
        let permit = self.policy.buffers.try_take(reply.bytes() as u64).filter(|_| reply.bytes() <= bytes_max);
        self.reply.keeping = permit.map(|permit| Keeping { reply, permit });
    }

    /// The next bytes of the body.
    pub(super) fn keep(&mut self, data: &[u8]) {
        let (Some(bytes_max), Some(keeping)) = (self.policy.keep_bytes_max, &mut self.reply.keeping) else { return };
        let fits = keeping.reply.bytes().saturating_add(data.len()) <= bytes_max;
        if fits && keeping.permit.grow(data.len() as u64) {
            keeping.reply.push(data);
        } else {
            self.reply.keeping = None;
        }
    }

    /// The reply is whole. Its bytes count as buffered until the filters have seen the end.
    pub(super) fn hand_over(&mut self) -> Option<BufferPermit> {
        let Keeping { reply, permit } = self.reply.keeping.take()?;
        self.link.exchange()?.kept = Some(reply);
        Some(permit)
    }
}
