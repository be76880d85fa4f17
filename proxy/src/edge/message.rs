//! The bytes that a client sends on an HTTP/1.1 connection, divided into messages.
//!
//! Nothing of a head is given on before all of it was judged, and nothing of the next message before this one was
//! answered. Sans I/O: the connection reads, and this says what the bytes are.
//!
//! # Invariants
//! * What is given on, put together, is what came (`messages_are_given_on_as_they_came`).
//! * A message ends where its head says, wherever the bytes are cut (`messages_are_given_on_as_they_came`).
//! * No cut lets a line pass that is too long (`a_request_line_is_too_long_wherever_it_is_cut`).

use super::chunks::Chunks;
use super::head::{Framing, Head, HeadLimits, end_of, is_hopeless, judge};
use bytes::{Buf, BytesMut};
use raptorgate_policies::Denial;

/// Empty lines before a request; some old clients send one behind a body.
const EMPTY_LINES_MAX: u8 = 4;
/// Bytes of a request line beside its target. More: 414, as for the target.
const METHOD_AND_VERSION_BYTES_MAX: usize = 64;

/// Where in a message the bytes are that come next.
#[derive(Debug)]
enum At {
    /// In a head that is not whole yet.
    Head,
    /// A judged head, of which so much is still to be given on.
    Judged(usize, Head),
    /// In a body with so much to come.
    Length(u64),
    /// In a chunked body.
    Chunks(Box<ChunkedBody>),
    /// Behind the last byte, until the next message is asked for.
    Over,
    /// Behind a head that asked for another protocol, until the answer is known.
    UpgradeAsked,
    /// What comes is not HTTP any more.
    Tunnel,
}

/// A chunked body: scanned in the buffer, and given on up to what cannot be mistaken for its end.
#[derive(Debug)]
struct ChunkedBody {
    chunks: Chunks,
    /// Bytes at the buffer's front that were scanned.
    scanned: usize,
    /// Bytes of these that may be given on.
    safe: usize,
}

impl ChunkedBody {
    fn scan(&mut self, buffer: &[u8]) -> Result<(), &'static str> {
        let taken = self.chunks.scan(buffer.get(self.scanned..).unwrap_or_default())?;
        self.scanned = self.scanned.saturating_add(taken);
        self.safe = self.scanned.saturating_sub(self.chunks.unfinished());
        Ok(())
    }

    /// So many were given on; true if they were the last.
    fn give(&mut self, bytes: usize) -> bool {
        self.scanned = self.scanned.saturating_sub(bytes);
        self.safe = self.safe.saturating_sub(bytes);
        self.chunks.is_over() && self.scanned == 0
    }
}

/// What the connection has to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Read more into [`Messages::buffer`], then ask again.
    Fill,
    /// Give on so many bytes from the buffer's front.
    Give(usize),
    /// The buffer is empty and the message goes on: read for the receiver, then tell [`Messages::took`].
    Pass,
    /// Nothing goes on before the next message: only watch for the client's end.
    Wait,
    /// Answer this and close.
    Refuse(Denial),
    /// The body breaks this rule of framing.
    Break(&'static str),
}

/// The messages of one connection.
#[derive(Debug)]
pub struct Messages {
    at: At,
    limits: HeadLimits,
    empty_lines: u8,
    /// What was read and not given on.
    pub buffer: BytesMut,
}

impl Messages {
    /// Before the first message.
    pub fn new(limits: HeadLimits) -> Self {
        Self { at: At::Head, limits, empty_lines: 0, buffer: BytesMut::new() }
    }

    /// What to do next.
    pub fn step(&mut self) -> Step {
        match &mut self.at {
            At::Head => self.judge_head(),
            At::Judged(left, _) => Step::Give(*left),
            At::Over | At::UpgradeAsked => Step::Wait,
            At::Length(_) | At::Tunnel if self.buffer.is_empty() => Step::Pass,
            At::Tunnel => Step::Give(self.buffer.len()),
            At::Length(left) => Step::Give(usize::try_from(*left).unwrap_or(usize::MAX).min(self.buffer.len())),
            At::Chunks(body) => match body.scan(&self.buffer) {
                Ok(()) if body.safe > 0 => Step::Give(body.safe),
                Ok(()) => Step::Fill,
                Err(rule) => Step::Break(rule),
            },
        }
    }

    fn judge_head(&mut self) -> Step {
        // RFC 9112 §2.2: an empty line before a request is left out
        while self.buffer.starts_with(b"\r\n") {
            self.buffer.advance(2);
            self.empty_lines = self.empty_lines.saturating_add(1);
            if self.empty_lines > EMPTY_LINES_MAX {
                return Step::Refuse(Denial::BadRequest("there are empty lines before the request"));
            }
        }
        // whether more than the line has come must not matter
        let line_bytes = memchr::memchr(b'\n', &self.buffer).unwrap_or(self.buffer.len());
        if line_bytes > self.limits.target_bytes_max.saturating_add(METHOD_AND_VERSION_BYTES_MAX) {
            return Step::Refuse(Denial::TargetTooLong);
        }
        if let Some(end) = end_of(&self.buffer) {
            return match judge(self.buffer.get(..end).unwrap_or_default(), &self.limits) {
                Ok(head) => {
                    self.at = At::Judged(end, head);
                    Step::Give(end)
                }
                Err(denial) => Step::Refuse(denial),
            };
        }
        if is_hopeless(&self.buffer) {
            return Step::Refuse(Denial::BadRequest("a line does not end in CR LF"));
        }
        if self.buffer.len() > self.limits.bytes_max {
            return Step::Refuse(Denial::HeaderTooLarge);
        }
        Step::Fill
    }

    /// The receiver was given so many bytes: from the buffer, or read past it. Says how many of them are this message's.
    pub fn took(&mut self, bytes: usize) -> usize {
        let (taken, next) = match &mut self.at {
            At::Judged(left, head) => {
                let taken = bytes.min(*left);
                *left -= taken;
                (taken, (*left == 0).then(|| behind(*head)))
            }
            At::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes);
                *left -= taken as u64;
                (taken, (*left == 0).then_some(At::Over))
            }
            At::Chunks(body) => {
                let taken = bytes.min(body.safe);
                (taken, body.give(taken).then_some(At::Over))
            }
            At::Tunnel => (bytes, None),
            At::Head | At::Over | At::UpgradeAsked => (0, None),
        };
        if let Some(next) = next {
            self.at = next;
        }
        taken
    }

    /// The reply was sent: the next message may begin. False if this one is not over, so that its rest would be mistaken.
    pub fn next_message(&mut self) -> bool {
        let over = matches!(self.at, At::Over | At::UpgradeAsked);
        if over {
            (self.at, self.empty_lines) = (At::Head, 0);
        }
        over
    }

    /// The reply's first bytes: an agreed upgrade ends the HTTP of this connection.
    pub fn saw_reply(&mut self, bytes: &[u8]) {
        if matches!(self.at, At::UpgradeAsked) && bytes.starts_with(b"HTTP/1.1 101") {
            self.at = At::Tunnel;
        }
    }

    /// True between messages, with nothing of the next one.
    pub fn is_idle(&self) -> bool {
        matches!(self.at, At::Head) && self.buffer.is_empty()
    }

    /// True in a body.
    pub fn is_in_body(&self) -> bool {
        matches!(self.at, At::Length(_) | At::Chunks(_))
    }

    /// True if bytes of the client may be on their way that nobody will read.
    pub fn leaves_bytes_unread(&self) -> bool {
        match self.at {
            At::Head | At::Over | At::UpgradeAsked => !self.buffer.is_empty(),
            At::Judged(..) | At::Length(_) | At::Chunks(_) => true,
            At::Tunnel => false,
        }
    }
}

fn behind(head: Head) -> At {
    match head.framing {
        Framing::Length(0) if head.asks_upgrade => At::UpgradeAsked,
        Framing::Length(0) => At::Over,
        Framing::Length(length) => At::Length(length),
        Framing::Chunked => At::Chunks(Box::new(ChunkedBody { chunks: Chunks::default(), scanned: 0, safe: 0 })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HeadLimits = HeadLimits { bytes_max: 1024, fields_max: 10, target_bytes_max: 200 };
    const FIRST: &str = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    const SECOND: &str = "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    const THIRD: &str = "GET /c HTTP/1.1\r\nHost: a\r\n\r\n";

    /// Feeds bytes in pieces and gathers what is given on, message by message.
    fn drive(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut messages = Messages::new(LIMITS);
        let (mut given, mut current) = (Vec::new(), Vec::new());
        let mut pieces = pieces.iter();
        loop {
            match messages.step() {
                Step::Fill | Step::Pass => match pieces.next() {
                    Some(piece) => messages.buffer.extend_from_slice(piece),
                    None => return given,
                },
                Step::Give(most) => {
                    let most = most.min(7); // receivers take what they have room for
                    let taken = messages.took(most);
                    current.extend_from_slice(&messages.buffer.split_to(taken));
                }
                Step::Wait => {
                    given.push(std::mem::take(&mut current));
                    assert!(messages.next_message());
                }
                Step::Refuse(denial) => panic!("{denial:?}"),
                Step::Break(rule) => panic!("{rule}"),
            }
        }
    }

    #[test]
    fn messages_are_given_on_as_they_came() {
        let all = [FIRST, SECOND, THIRD].concat().into_bytes();
        for cut in 0..=all.len() {
            let given = drive(&[&all[..cut], &all[cut..]]);
            assert_eq!(given, [FIRST.as_bytes(), SECOND.as_bytes(), THIRD.as_bytes()], "cut at {cut}");
        }
    }

    #[test]
    fn nothing_of_a_bad_head_is_given_on() {
        for (bytes, code) in [
            ("GET / HTTP/1.1\nHost: a\n\n", "bad_request"),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "bad_request"),
            (&*format!("GET /{}", "a".repeat(300)), "target_too_long"),
            (&*format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "a".repeat(1024)), "header_too_large"),
        ] {
            let mut messages = Messages::new(LIMITS);
            messages.buffer.extend_from_slice(bytes.as_bytes());
            let Step::Refuse(denial) = messages.step() else { panic!("{bytes}") };
            assert_eq!(denial.code(), code, "{bytes}");
        }
    }

    #[test]
    fn a_request_line_is_too_long_wherever_it_is_cut() {
        let head = format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(300)).into_bytes();
        for cut in 0..=head.len() {
            let mut messages = Messages::new(LIMITS);
            let refused = [&head[..cut], &head[cut..]].into_iter().any(|piece| {
                messages.buffer.extend_from_slice(piece);
                messages.step() == Step::Refuse(Denial::TargetTooLong)
            });
            assert!(refused, "cut at {cut}");
        }
    }

    #[test]
    fn what_follows_an_agreed_upgrade_is_a_tunnel() {
        let mut messages = Messages::new(LIMITS);
        let head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
        messages.buffer.extend_from_slice(head);
        messages.buffer.extend_from_slice(b"\x81\x00early");
        assert_eq!(messages.step(), Step::Give(head.len()));
        let taken = messages.took(head.len());
        drop(messages.buffer.split_to(taken));
        assert_eq!(messages.step(), Step::Wait);
        messages.saw_reply(b"HTTP/1.1 101 Switching Protocols\r\n\r\n");
        assert_eq!(messages.step(), Step::Give(7));
    }
}
