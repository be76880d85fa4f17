//! HTTP/1.1 messages with a `Content-Length`, read from a kept connection with as little work as possible.

use std::io::{Error, ErrorKind};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Longest message that is read; longer is an error.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// Reads messages one after the other; nobody pipelines here.
pub struct Reader {
    bytes: Vec<u8>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { bytes: Vec::with_capacity(8 * 1024) }
    }
}

impl Reader {
    /// The next whole message, head and body; `None` if the peer closed before its first byte.
    pub async fn next(&mut self, stream: &mut TcpStream) -> Result<Option<&[u8]>, Error> {
        self.bytes.clear();
        let mut whole = None;
        while whole.is_none_or(|length| self.bytes.len() < length) {
            if stream.read_buf(&mut self.bytes).await? == 0 {
                let clean = self.bytes.is_empty();
                return if clean { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
            if whole.is_none() {
                whole = message_length(&self.bytes)?;
            }
            if self.bytes.len() > MESSAGE_BYTES_MAX {
                return Err(Error::other("message too long"));
            }
        }
        Ok(Some(&self.bytes))
    }
}

/// Length of head and body, once the head is whole.
fn message_length(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let Some(head_end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return Ok(None) };
    let head = bytes.get(..head_end).unwrap_or_default();
    let value = head.split(|b| *b == b'\n').find_map(|line| {
        let name = line.get(..15)?;
        name.eq_ignore_ascii_case(b"content-length:").then(|| line.get(15..))?
    });
    let length = value.and_then(|v| std::str::from_utf8(v).ok()).and_then(|v| v.trim().parse::<usize>().ok());
    let body = length
        .ok_or_else(|| Error::other(format!("a message without Content-Length: {}", String::from_utf8_lossy(head))))?;
    Ok(Some(head_end + 4 + body))
}
