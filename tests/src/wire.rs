//! HTTP/1.1 as bytes: reads heads and bodies of both directions, strictly.
//!
//! # Invariants
//! * Anything that is not exactly right is an error, never repaired: that is what makes it a judge
//!   (`wire_refuses_what_is_not_exactly_right`).

use crate::reply::Framing;
use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Largest head that is read.
const HEAD_BYTES_MAX: usize = 1 << 20;
/// Bytes asked for in one read.
const READ_BYTES: usize = 64 << 10;

/// A start line and headers.
#[derive(Clone, Debug)]
pub struct Head {
    /// The three parts of the start line.
    pub start: [String; 3],
    /// Headers.
    pub headers: HeaderMap,
}

/// Why reading stopped.
#[derive(Debug)]
pub enum WireError {
    /// The peer closed before the first byte of a head.
    Closed,
    /// The peer closed or reset in the middle.
    Cut,
    /// The bytes are not HTTP/1.1.
    Malformed(String),
}

impl From<io::Error> for WireError {
    fn from(_: io::Error) -> Self {
        WireError::Cut
    }
}

fn malformed(why: impl Into<String>) -> WireError {
    WireError::Malformed(why.into())
}

/// Reads messages from a byte stream.
#[derive(Debug)]
pub struct Reader<R> {
    stream: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads from `stream`.
    pub fn new(stream: R) -> Self {
        Self { stream, buffer: BytesMut::new() }
    }

    /// Bytes received but not asked for: stray ones, if nothing was sent.
    pub fn buffered(&self) -> &[u8] {
        &self.buffer
    }

    /// Reads more; false at the end of the stream.
    pub async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.reserve(READ_BYTES);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }

    /// Reads more and throws it away; false at the end of the stream.
    pub async fn discard(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        self.fill().await
    }

    async fn line(&mut self) -> Result<String, WireError> {
        let mut seen = 0;
        loop {
            if let Some(at) = self.buffer[seen..].iter().position(|b| *b == b'\n') {
                let line = self.buffer.split_to(seen + at + 1);
                let line = line.strip_suffix(b"\r\n").ok_or_else(|| malformed("a line that ends in a bare LF"))?;
                return String::from_utf8(line.to_vec()).map_err(|_| malformed("a line that is not UTF-8"));
            }
            seen = self.buffer.len();
            if seen > HEAD_BYTES_MAX {
                return Err(malformed("a head without end"));
            }
            if !self.fill().await? {
                return Err(if seen == 0 { WireError::Closed } else { WireError::Cut });
            }
        }
    }

    /// Reads a start line and headers.
    pub async fn head(&mut self) -> Result<Head, WireError> {
        let line = self.line().await?;
        let mut parts = line.splitn(3, ' ').map(str::to_owned);
        let start = [parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default);
        if start[0].is_empty() || start[1].is_empty() {
            return Err(malformed(format!("start line {line:?}")));
        }
        let headers =
            self.fields().await.map_err(|e| if matches!(e, WireError::Closed) { WireError::Cut } else { e })?;
        Ok(Head { start, headers })
    }

    async fn fields(&mut self) -> Result<HeaderMap, WireError> {
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(headers);
            }
            let (name, value) = line.split_once(':').ok_or_else(|| malformed(format!("header line {line:?}")))?;
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed(format!("header name {name:?}")))?;
            let value = HeaderValue::from_str(value.trim_matches([' ', '\t']))
                .map_err(|_| malformed(format!("value of {name}")))?;
            headers.append(name, value);
        }
    }

    /// The next piece of a body, `None` at its end. `state` says how it is framed and remembers where it is.
    pub async fn piece(&mut self, state: &mut BodyState) -> Result<Option<Bytes>, WireError> {
        match state.left {
            Left::Nothing => Ok(None),
            Left::Bytes(0) => {
                state.left = Left::Nothing;
                Ok(None)
            }
            Left::Bytes(left) => {
                let piece = self.some(left).await?;
                state.left = Left::Bytes(left - piece.len() as u64);
                Ok(Some(piece))
            }
            Left::ToClose => {
                if self.buffer.is_empty() && !self.fill().await? {
                    state.left = Left::Nothing;
                    return Ok(None);
                }
                Ok(Some(self.buffer.split().freeze()))
            }
            Left::Chunk => self.chunk(state).await,
        }
    }

    /// One whole chunk, however it was cut on the wire.
    async fn chunk(&mut self, state: &mut BodyState) -> Result<Option<Bytes>, WireError> {
        let line = self.line().await.map_err(|e| if matches!(e, WireError::Closed) { WireError::Cut } else { e })?;
        let size = line.split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(|_| malformed(format!("chunk size {line:?}")))?;
        if size == 0 {
            state.trailers =
                self.fields().await.map_err(|e| if matches!(e, WireError::Closed) { WireError::Cut } else { e })?;
            state.left = Left::Nothing;
            return Ok(None);
        }
        while self.buffer.len() < size + 2 {
            if !self.fill().await? {
                return Err(WireError::Cut);
            }
        }
        let chunk = self.buffer.split_to(size).freeze();
        if &self.buffer[..2] != b"\r\n" {
            return Err(malformed("a chunk longer than its size says"));
        }
        self.buffer.advance(2);
        Ok(Some(chunk))
    }

    async fn some(&mut self, max: u64) -> Result<Bytes, WireError> {
        if self.buffer.is_empty() && !self.fill().await? {
            return Err(WireError::Cut);
        }
        let n = self.buffer.len().min(usize::try_from(max).unwrap_or(usize::MAX));
        Ok(self.buffer.split_to(n).freeze())
    }
}

#[derive(Clone, Copy, Debug)]
enum Left {
    Nothing,
    Bytes(u64),
    Chunk,
    ToClose,
}

/// Where a body is.
#[derive(Debug)]
pub struct BodyState {
    left: Left,
    /// Trailers, once the body is over.
    pub trailers: HeaderMap,
}

impl BodyState {
    /// The start of a body framed so.
    pub fn new(framing: Framing) -> Self {
        let left = match framing {
            Framing::None => Left::Nothing,
            Framing::Length(n) => Left::Bytes(n),
            Framing::Chunked => Left::Chunk,
            Framing::Close | Framing::Frames => Left::ToClose,
        };
        Self { left, trailers: HeaderMap::new() }
    }
}

/// How a body is framed; `none` is what it means that no header says so.
pub fn framing(headers: &HeaderMap, none: Framing) -> Result<Framing, WireError> {
    let codings: Vec<_> = headers.get_all("transfer-encoding").iter().collect();
    let lengths: Vec<_> = headers.get_all("content-length").iter().collect();
    match (codings.as_slice(), lengths.as_slice()) {
        ([], []) => Ok(none),
        ([coding], []) if coding.as_bytes() == b"chunked" => Ok(Framing::Chunked),
        ([], [length]) => {
            let length =
                length.to_str().ok().filter(|l| l.bytes().all(|b| b.is_ascii_digit())).and_then(|l| l.parse().ok());
            length.map(Framing::Length).ok_or_else(|| malformed("content-length"))
        }
        _ => Err(malformed(format!("framing headers {codings:?} {lengths:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str) -> Result<(Head, Vec<u8>), WireError> {
        let mut reader = Reader::new(text.as_bytes());
        let head = reader.head().await?;
        let mut state = BodyState::new(framing(&head.headers, Framing::None)?);
        let mut body = Vec::new();
        while let Some(piece) = reader.piece(&mut state).await? {
            body.extend_from_slice(&piece);
        }
        Ok((head, body))
    }

    #[tokio::test]
    async fn wire_reads_both_framings() {
        let (head, body) = read("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc").await.unwrap();
        assert_eq!((head.start[1].as_str(), body.as_slice()), ("/a", &b"abc"[..]));
        let (_, body) =
            read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n").await.unwrap();
        assert_eq!(body, b"abcd");
    }

    #[tokio::test]
    async fn wire_refuses_what_is_not_exactly_right() {
        for bad in [
            "HTTP/1.1 200 OK\n\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nspace : 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
        ] {
            assert!(matches!(read(bad).await, Err(WireError::Malformed(_))), "accepted: {bad:?}");
        }
    }

    #[tokio::test]
    async fn wire_tells_a_cut_body_from_a_whole_one() {
        for cut in [
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "HTTP/1.1 200",
        ] {
            assert!(matches!(read(cut).await, Err(WireError::Cut)), "taken as whole: {cut:?}");
        }
        assert!(matches!(read("").await, Err(WireError::Closed)));
    }
}
