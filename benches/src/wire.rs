//! HTTP/1.1 messages, read from a connection with as little work as possible.

use crate::chunked::Dechunker;
use std::io::{Error, ErrorKind};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest message that is read; longer is an error.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;

/// Reads messages one after the other; nobody pipelines here.
pub struct Reader {
    /// The head, and the body as it came.
    bytes: Vec<u8>,
    /// The body, if it was chunked.
    decoded: Vec<u8>,
}

/// A whole message.
#[derive(Debug)]
pub struct Message<'a> {
    /// Start line and fields.
    pub head: &'a [u8],
    /// The body, without a transfer coding.
    pub body: &'a [u8],
    /// The sender closes the connection behind it.
    pub closes: bool,
}

impl Message<'_> {
    /// The second word of the start line: a request's target, a reply's status.
    pub fn second_word(&self) -> &[u8] {
        self.head.split(|b| *b == b' ').nth(1).unwrap_or_default()
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self { bytes: Vec::with_capacity(8 * 1024), decoded: Vec::new() }
    }
}

/// What a head says of its message.
#[derive(Debug, Default, PartialEq, Eq)]
struct Framing {
    head_bytes: usize,
    body_bytes: usize,
    chunked: bool,
    closes: bool,
}

impl Reader {
    /// The next whole message; `None` if the peer closed before its first byte. Without length and coding it has no body.
    ///
    /// # Errors
    /// The connection broke, or the message did, or something follows that nobody asked for.
    pub async fn next<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> Result<Option<Message<'_>>, Error> {
        self.bytes.clear();
        self.decoded.clear();
        let framing = loop {
            if stream.read_buf(&mut self.bytes).await? == 0 {
                return if self.bytes.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
            if let Some(framing) = framing(&self.bytes)? {
                break framing;
            }
            self.bounded()?;
        };
        if framing.chunked {
            self.read_chunks(stream, framing.head_bytes).await?;
        } else {
            self.read_length(stream, framing.head_bytes.saturating_add(framing.body_bytes)).await?;
        }
        let (head, plain) = self.bytes.split_at_checked(framing.head_bytes).unwrap_or_default();
        let body = if framing.chunked { &self.decoded } else { plain };
        Ok(Some(Message { head, body, closes: framing.closes }))
    }

    async fn read_length<S: AsyncRead + Unpin>(&mut self, stream: &mut S, length: usize) -> Result<(), Error> {
        while self.bytes.len() < length {
            self.bounded()?;
            if stream.read_buf(&mut self.bytes).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        if self.bytes.len() > length { Err(Error::other("bytes behind a message")) } else { Ok(()) }
    }

    async fn read_chunks<S: AsyncRead + Unpin>(&mut self, stream: &mut S, head_bytes: usize) -> Result<(), Error> {
        let mut dechunker = Dechunker::default();
        loop {
            let coded = self.bytes.get(head_bytes..).unwrap_or_default();
            let read = dechunker.decode(coded, &mut self.decoded).map_err(|_| Error::other("malformed chunks"))?;
            if read < coded.len() {
                return Err(Error::other("bytes behind a message"));
            }
            self.bytes.truncate(head_bytes);
            if dechunker.is_done() {
                return Ok(());
            }
            self.bounded()?;
            if stream.read_buf(&mut self.bytes).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn bounded(&self) -> Result<(), Error> {
        let length = self.bytes.len().max(self.decoded.len());
        if length > MESSAGE_BYTES_MAX { Err(Error::other("message too long")) } else { Ok(()) }
    }
}

/// What the head says, once it is whole.
fn framing(bytes: &[u8]) -> Result<Option<Framing>, Error> {
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return Ok(None) };
    let mut framing = Framing { head_bytes: end + 4, ..Framing::default() };
    for line in bytes.get(..end).unwrap_or_default().split(|b| *b == b'\n').skip(1) {
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        let (name, value) = line.split_at_checked(colon).unwrap_or_default();
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            let number = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok());
            framing.body_bytes = number.ok_or_else(|| Error::other("a length that is no number"))?;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            framing.chunked = value.eq_ignore_ascii_case(b"chunked");
        } else if name.eq_ignore_ascii_case(b"connection") {
            framing.closes = value.eq_ignore_ascii_case(b"close");
        }
    }
    Ok(Some(framing))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn read(bytes: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>, bool)>, Error> {
        let mut reader = Reader::default();
        let message = reader.next(&mut &*bytes).await?;
        Ok(message.map(|m| (m.second_word().to_vec(), m.body.to_vec(), m.closes)))
    }

    #[tokio::test]
    async fn a_body_has_a_length_or_chunks() {
        let plain = read(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc").await.unwrap().unwrap();
        assert_eq!(plain, (b"200".to_vec(), b"abc".to_vec(), false));
        let coded =
            b"HTTP/1.1 503 No\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n";
        assert_eq!(read(coded).await.unwrap().unwrap(), (b"503".to_vec(), b"abc".to_vec(), true));
        let none = read(b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap().unwrap();
        assert_eq!(none, (b"/v1/models".to_vec(), Vec::new(), false));
        assert!(read(b"").await.unwrap().is_none(), "closed between messages");
    }

    #[tokio::test]
    async fn half_messages_and_bytes_too_many_are_errors() {
        for bytes in [
            &b"HTTP/1.1 200 OK\r\ncontent-le"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcd",
            b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nx",
        ] {
            assert!(read(bytes).await.is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }
}
