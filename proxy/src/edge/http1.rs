//! The HTTP/1.1 side of a connection: reads for [`Messages`], and keeps its time limits.

use super::facts::ConnectionFacts;
use super::message::{Messages, Step};
use super::pace::BodyPace;
use bytes::Bytes;
use pingora_core::protocols::Stream;
use raptorgate_policies::Denial;
use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Sleep;

/// Bytes asked for in one read into the buffer.
const READ_BYTES: usize = 4 << 10;
/// Bytes of later requests that are read while one is answered; beyond it the client waits.
const AHEAD_BYTES_MAX: usize = 16 << 10;

/// Patience with a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a whole head, from its first byte (for the first one: from the connection's beginning).
    pub head: Duration,
    /// For the first byte of the next request, once one was answered.
    pub idle: Duration,
    /// Bytes per second that a body must come with, over the time spent waiting for it; 0: any.
    pub body_rate_min: u64,
}

/// Makes the answer to a request that could not be read.
pub trait Desk: Send + Sync {
    /// The whole HTTP/1.1 response, after which the connection closes.
    fn refuse(&self, facts: &ConnectionFacts, denial: &Denial) -> Bytes;
}

/// The reading side.
pub struct Http1 {
    messages: Messages,
    patience: Patience,
    desk: Arc<dyn Desk>,
    /// When the first byte of this head came; the connection's beginning for the first one.
    head_began: Option<Instant>,
    idle_since: Instant,
    alarm: Option<Pin<Box<Sleep>>>,
    pace: BodyPace,
    refused: bool,
    ended: bool,
}

impl Http1 {
    /// A connection that was accepted at `now`.
    pub fn new(messages: Messages, patience: Patience, desk: Arc<dyn Desk>, now: Instant) -> Self {
        Self {
            messages,
            patience,
            desk,
            head_began: Some(now),
            idle_since: now,
            alarm: None,
            pace: BodyPace::new(patience.body_rate_min),
            refused: false,
            ended: false,
        }
    }

    /// See [`Messages::next_message`].
    pub fn next_message(&mut self) -> bool {
        let begins = !self.refused && self.messages.next_message();
        // what is there already has waited for us and not we for it
        self.idle_since = Instant::now();
        self.head_began = (!self.messages.buffer.is_empty()).then_some(self.idle_since);
        self.alarm = None;
        self.pace.restart();
        begins && !(self.ended && self.messages.buffer.is_empty())
    }

    /// See [`Messages::saw_reply`].
    pub fn saw_reply(&mut self, bytes: &[u8]) {
        self.messages.saw_reply(bytes);
    }

    /// True once an answer was given from here.
    pub fn is_refused(&self) -> bool {
        self.refused
    }

    /// See [`Messages::leaves_bytes_unread`].
    pub fn leaves_bytes_unread(&self) -> bool {
        self.refused || self.messages.leaves_bytes_unread()
    }

    /// Gives on what comes next; `Some` is an answer to send before the connection ends.
    pub fn poll_read(
        &mut self,
        inner: &mut Stream,
        facts: &ConnectionFacts,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Option<Bytes>>> {
        loop {
            if self.refused {
                return Poll::Ready(Ok(None));
            }
            match self.messages.step() {
                Step::Refuse(denial) => return Poll::Ready(Ok(Some(self.refuse(facts, &denial)))),
                Step::Break(rule) => return Poll::Ready(Err(broken(rule, facts))),
                Step::Give(most) => {
                    self.give(most, buf);
                    return Poll::Ready(Ok(None));
                }
                Step::Pass => return self.poll_pass(inner, facts, cx, buf).map_ok(|()| None),
                Step::Fill => match self.poll_fill(inner, cx) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Ok(None)),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                    Poll::Pending if self.messages.is_in_body() => {
                        return self.poll_rate(facts, cx).map_ok(|()| None);
                    }
                    Poll::Pending => {
                        let denial = ready!(self.poll_head_alarm(cx));
                        return Poll::Ready(Ok(denial.map(|denial| self.refuse(facts, &denial))));
                    }
                },
                Step::Wait => {
                    if self.messages.buffer.len() >= AHEAD_BYTES_MAX || self.ended {
                        return if self.messages.buffer.is_empty() { Poll::Ready(Ok(None)) } else { Poll::Pending };
                    }
                    self.ended = ready!(self.poll_fill(inner, cx))? == 0;
                }
            }
        }
    }

    fn refuse(&mut self, facts: &ConnectionFacts, denial: &Denial) -> Bytes {
        self.refused = true;
        self.desk.refuse(facts, denial)
    }

    fn poll_fill(&mut self, inner: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut read = ReadBuf::uninit(&mut space);
        ready!(Pin::new(inner).poll_read(cx, &mut read))?;
        self.messages.buffer.extend_from_slice(read.filled());
        let read = read.filled().len();
        self.pace.came(Instant::now());
        if self.head_began.is_none() {
            (self.head_began, self.alarm) = (Some(Instant::now()), None);
        }
        Poll::Ready(Ok(read))
    }

    /// `None`: the client never began, and there is nobody to answer.
    fn poll_head_alarm(&mut self, cx: &mut Context<'_>) -> Poll<Option<Denial>> {
        let (since, patience) = match self.head_began {
            Some(began) => (began, self.patience.head),
            None => (self.idle_since, self.patience.idle),
        };
        let until = since.checked_add(patience).unwrap_or(since);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until.into())));
        ready!(alarm.as_mut().poll(cx));
        self.alarm = None;
        if self.messages.is_idle() { Poll::Ready(None) } else { Poll::Ready(Some(Denial::HeaderTimeout)) }
    }

    fn give(&mut self, most: usize, buf: &mut ReadBuf<'_>) {
        self.alarm = None;
        let taken = self.messages.took(most.min(buf.remaining()));
        buf.put_slice(&self.messages.buffer.split_to(taken));
        self.pace.count(taken);
    }

    /// Reads a body straight into the receiver's buffer.
    fn poll_pass(
        &mut self,
        inner: &mut Stream,
        facts: &ConnectionFacts,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if Pin::new(inner).poll_read(cx, buf)?.is_pending() {
            return self.poll_rate(facts, cx);
        }
        self.pace.came(Instant::now());
        let new = buf.filled().get(before..).unwrap_or_default();
        let taken = self.messages.took(new.len());
        self.pace.count(taken);
        if let Some(ahead) = new.get(taken..).filter(|ahead| !ahead.is_empty()) {
            self.messages.buffer.extend_from_slice(ahead);
            buf.set_filled(before.saturating_add(taken));
        }
        Poll::Ready(Ok(()))
    }

    /// The body does not come now: how long is that still good?
    fn poll_rate(&mut self, facts: &ConnectionFacts, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let until = if self.messages.is_in_body() { self.pace.wait(Instant::now()) } else { None };
        let Some(until) = until else { return Poll::Pending };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until.into())));
        if alarm.deadline() != until.into() {
            alarm.as_mut().reset(until.into());
        }
        ready!(alarm.as_mut().poll(cx));
        facts.set_fault(Denial::BodyTimeout);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

fn broken(rule: &'static str, facts: &ConnectionFacts) -> io::Error {
    facts.set_fault(Denial::BadRequest(rule));
    io::Error::new(io::ErrorKind::InvalidData, rule)
}
