//! A client of a few lines, so that the self-test needs nothing but a socket.
//!
//! # Invariants
//! * A reply larger than [`REPLY_BYTES_MAX`] or slower than [`REPLY_TIME_MAX`] is a failure, never a wait.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REPLY_BYTES_MAX: u64 = 1024 * 1024;
const REPLY_TIME_MAX: Duration = Duration::from_secs(20);

/// What came back.
pub(super) struct Reply {
    /// Status code.
    pub status: u16,
    /// Status line and headers.
    pub head: String,
    /// Body, without its chunks' sizes.
    pub body: String,
}

/// Sends one request on a connection of its own.
pub(super) async fn send(address: SocketAddr, head: &str, body: &str) -> Result<Reply, String> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let length = body.len();
        let request = format!("{head}Host: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.take(REPLY_BYTES_MAX).read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = tokio::time::timeout(REPLY_TIME_MAX, exchange).await;
    let bytes = bytes.map_err(|_| "no whole reply in time".to_owned())?.map_err(|error| error.to_string())?;
    parse(&bytes).ok_or_else(|| "the reply is not HTTP".to_owned())
}

fn parse(bytes: &[u8]) -> Option<Reply> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let chunked = head.to_ascii_lowercase().contains("\r\ntransfer-encoding: chunked");
    let body = if chunked { unchunk(body.as_bytes())? } else { body.to_owned() };
    Some(Reply { status, head: head.to_owned(), body })
}

fn unchunk(mut rest: &[u8]) -> Option<String> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let size =
            usize::from_str_radix(std::str::from_utf8(rest.get(..line)?).ok()?.split(';').next()?.trim(), 16).ok()?;
        if size == 0 {
            return String::from_utf8(body).ok();
        }
        let start = line + 2;
        let end = start.checked_add(size)?;
        body.extend_from_slice(rest.get(start..end)?);
        rest = rest.get(end + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_and_cut_ones_are_no_reply() {
        let reply = parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n")
            .unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, "abcde"));
        for cut in [&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"[..], b"HTTP/1.1 200 OK\r\n", b""] {
            assert!(parse(cut).is_none());
        }
    }
}
