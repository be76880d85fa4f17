//! Plays scripts over HTTP/1.1, byte by byte.

use crate::reply::Framing;
use crate::upstream::record::{Received, RequestEnd, Served, ServedEnd};
use crate::upstream::script::{Parameters, Step, answers_unread};
use crate::upstream::state::State;
use crate::wire::{BodyState, Head, Reader, WireError, framing};
use bytes::Bytes;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// How long an answered but unread body is still drained, so that the answer is not lost to a reset.
const LINGER_MAX: Duration = Duration::from_secs(10);

/// One connection.
pub struct Connection<'a> {
    reader: Reader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    number: u64,
    state: &'a State,
    /// The request that is served stands on record already.
    recorded: bool,
}

/// What a connection is good for after a reply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Reusable,
    Over,
}

impl<'a> Connection<'a> {
    /// Takes over a connection.
    pub fn new(stream: TcpStream, number: u64, state: &'a State) -> Self {
        let (reader, writer) = stream.into_split();
        Self { reader: Reader::new(reader), writer, number, state, recorded: false }
    }

    /// Serves requests until the peer leaves or a script ends the connection.
    pub async fn serve(mut self) {
        loop {
            let head = match self.reader.head().await {
                Ok(head) => head,
                Err(WireError::Malformed(why)) => panic!("the gateway sent a malformed head: {why}"),
                Err(WireError::Closed | WireError::Cut) => return,
            };
            if self.request(head).await == After::Over {
                return;
            }
        }
    }

    async fn request(&mut self, head: Head) -> After {
        let mut received = self.received(&head);
        if let Some(answer) = self.state.control(&received.target) {
            return self
                .write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()).as_bytes())
                .await;
        }
        let parameters = Parameters::of(received.query(), &received.headers);
        let unread = answers_unread(&parameters);
        if !unread && self.read_body(&mut received).await == RequestEnd::Cut {
            self.state.record(&received, &Served::default());
            return After::Over;
        }
        let mut served = Served::default();
        self.recorded = false;
        let after = self.play(self.state.script(&parameters, &received), &received, &mut served).await;
        if !self.recorded {
            self.state.record(&received, &served);
        }
        if unread {
            self.linger().await;
            return After::Over;
        }
        after
    }

    fn received(&self, head: &Head) -> Received {
        assert_eq!(head.start[2], "HTTP/1.1", "the gateway speaks another version to an http1 upstream");
        Received {
            connection: self.number,
            method: head.start[0].clone(),
            target: head.start[1].clone(),
            version: "HTTP/1.1",
            headers: head.headers.clone(),
            length: 0,
            sha256: String::new(),
            text: None,
            end: RequestEnd::Unread,
        }
    }

    async fn read_body(&mut self, received: &mut Received) -> RequestEnd {
        let framing =
            framing(&received.headers, Framing::None).unwrap_or_else(|e| panic!("the gateway's framing: {e:?}"));
        if received.headers.contains_key("expect") {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        let (mut state, mut body) = (BodyState::new(framing), Vec::new());
        let id = received.header("x-test-id").to_owned();
        let end = loop {
            match self.reader.piece(&mut state).await {
                Ok(Some(piece)) => {
                    self.state.note_arrived(&id, piece.len());
                    body.extend_from_slice(&piece);
                }
                Ok(None) => break RequestEnd::Whole,
                Err(WireError::Malformed(why)) => panic!("the gateway sent a malformed body: {why}"),
                Err(WireError::Closed | WireError::Cut) => break RequestEnd::Cut,
            }
        };
        received.set_body(&body, end);
        end
    }

    async fn play(&mut self, steps: Vec<Step>, received: &Received, served: &mut Served) -> After {
        let bodyless = received.method == "HEAD";
        let mut reply = Playing { chunked: false, after: After::Reusable, bodyless, ends: false, received };
        if received.end == RequestEnd::Unread {
            reply.after = After::Over;
        }
        let mut steps = steps.into_iter().peekable();
        while let Some(step) = steps.next() {
            reply.ends = !reply.chunked && matches!(steps.peek(), Some(Step::End));
            if self.step(step, &mut reply, served).await == After::Over {
                return After::Over;
            }
        }
        reply.after
    }

    async fn step(&mut self, step: Step, reply: &mut Playing<'_>, served: &mut Served) -> After {
        match step {
            Step::Interim(status) => {
                self.write(format!("HTTP/1.1 {status} Interim\r\nlink: </style.css>\r\n\r\n").as_bytes()).await
            }
            Step::Head { status, headers, framing } => {
                reply.chunked = matches!(framing, Framing::Chunked | Framing::Frames);
                if framing == Framing::Close {
                    reply.after = After::Over;
                }
                served.status = status;
                let text = head_text(status, &self.state.name, &headers, framing);
                if reply.ends && !reply.chunked {
                    return self.last(text.as_bytes(), reply, served).await;
                }
                self.write(text.as_bytes()).await
            }
            Step::Data(..) if reply.bodyless => After::Reusable,
            Step::Data(bytes, tokens) => self.data(&bytes, tokens, reply, served).await,
            Step::Pause(time) => self.wait(tokio::time::sleep(time)).await,
            Step::Await(name) => {
                self.state.note_waiting(&name);
                let signal = self.state.signal(&name);
                self.wait(async { signal.acquire().await.expect("a signal").forget() }).await
            }
            Step::Stall => self.wait(std::future::pending()).await,
            Step::Trailers(trailers) => {
                let fields: String = trailers.iter().map(|(k, v)| format!("{k}: {v}\r\n")).collect();
                self.finish(format!("0\r\n{fields}\r\n").as_bytes(), reply, served).await
            }
            Step::End => self.finish(b"0\r\n\r\n", reply, served).await,
            Step::Raw(bytes) => self.write(bytes).await,
            Step::Reset => {
                served.end = ServedEnd::Broken;
                self.writer.as_ref().set_zero_linger().expect("linger");
                After::Over
            }
            Step::Close => {
                served.end = ServedEnd::Broken;
                After::Over
            }
        }
    }

    async fn data(&mut self, bytes: &Bytes, tokens: u64, reply: &Playing<'_>, served: &mut Served) -> After {
        let more = Served { pieces: served.pieces + 1, tokens: served.tokens + tokens, ..served.clone() };
        let after = if reply.ends {
            self.last(bytes, reply, &more).await
        } else if reply.chunked {
            self.write(&[format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()).await
        } else {
            self.write(bytes).await
        };
        if after == After::Reusable {
            *served = more;
        }
        after
    }

    async fn finish(&mut self, last_chunk: &[u8], reply: &Playing<'_>, served: &mut Served) -> After {
        let last_chunk = if reply.chunked && !reply.bodyless { last_chunk } else { b"" };
        let after = self.last(last_chunk, reply, served).await;
        if after == After::Reusable {
            served.end = ServedEnd::Whole;
        }
        after
    }

    /// Writes the end of a reply, and puts the request on record with the last byte: whoever has the whole reply finds it there.
    async fn last(&mut self, bytes: &[u8], reply: &Playing<'_>, served: &Served) -> After {
        let Some((last, rest)) = bytes.split_last() else { return After::Reusable };
        if self.write(rest).await == After::Over {
            return After::Over;
        }
        let whole = Served { end: ServedEnd::Whole, ..served.clone() };
        while self.writer.writable().await.is_ok() {
            let send = || self.writer.try_write(&[*last]);
            match self.state.record_with(reply.received, &whole, send) {
                Ok(_) => {
                    self.recorded = true;
                    return After::Reusable;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
        After::Over
    }

    async fn write(&mut self, bytes: &[u8]) -> After {
        match self.writer.write_all(bytes).await {
            Ok(()) => After::Reusable,
            Err(_) => After::Over,
        }
    }

    /// Waits for something, or for the peer to leave.
    async fn wait(&mut self, event: impl Future<Output = ()>) -> After {
        let left = async { while matches!(self.reader.fill().await, Ok(true)) {} };
        tokio::select! {
            () = event => After::Reusable,
            () = left => After::Over,
        }
    }

    async fn linger(&mut self) {
        let _ = self.writer.shutdown().await;
        let drain = async { while matches!(self.reader.discard().await, Ok(true)) {} };
        let _ = tokio::time::timeout(LINGER_MAX, drain).await;
    }
}

/// Where a reply is.
struct Playing<'r> {
    received: &'r Received,
    chunked: bool,
    after: After,
    bodyless: bool,
    /// The next piece is the last, and nothing follows it.
    ends: bool,
}

fn head_text(status: u16, server: &str, headers: &[(&'static str, String)], framing: Framing) -> String {
    let mut text = format!("HTTP/1.1 {status} Status\r\nx-served-by: {server}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    match framing {
        Framing::None => {}
        Framing::Length(n) => text.push_str(&format!("content-length: {n}\r\n")),
        Framing::Chunked | Framing::Frames => text.push_str("transfer-encoding: chunked\r\n"),
        Framing::Close => text.push_str("connection: close\r\n"),
    }
    text + "\r\n"
}
