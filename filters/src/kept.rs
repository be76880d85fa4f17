//! A reply that is kept for those who ask again: status, headers and body as one text.
//!
//! What belongs to one connection, or to the framing of one message, is left out; so is the time of the first reply.
//!
//! # Invariants
//! * What is read is what was kept (`a_kept_reply_reads_back`).
//! * No bytes are read as a reply but those that were written as one (`other_bytes_are_no_reply`).

use crate::filter::Reply;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// The form of the text below.
const VERSION: u8 = 1;
/// Version, status, length of the headers.
const PREFIX_BYTES: usize = 1 + 2 + 4;

/// Hop by hop (RFC 9110 §7.6.1), of one message's framing, or of its moment.
const LEFT_OUT: [HeaderName; 10] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    header::DATE,
];

/// A reply while it is kept.
#[derive(Debug)]
pub struct KeptReply {
    status: StatusCode,
    text: Vec<u8>,
}

impl KeptReply {
    /// Begins with a reply's head.
    pub fn new(status: StatusCode, headers: &HeaderMap) -> Self {
        let mut lines = Vec::new();
        for (name, value) in headers.iter().filter(|(name, _)| !LEFT_OUT.contains(name)) {
            // a value holds no line break
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.push(b':');
            lines.extend_from_slice(value.as_bytes());
            lines.push(b'\n');
        }
        let mut text = Vec::with_capacity(PREFIX_BYTES + lines.len());
        text.push(VERSION);
        text.extend_from_slice(&status.as_u16().to_be_bytes());
        text.extend_from_slice(&u32::try_from(lines.len()).unwrap_or(u32::MAX).to_be_bytes());
        text.extend_from_slice(&lines);
        Self { status, text }
    }

    /// The next bytes of its body.
    pub fn push(&mut self, body: &[u8]) {
        self.text.extend_from_slice(body);
    }

    /// Bytes so far.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The text.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The reply of a text; `None` if it is not one.
    pub fn read(text: &[u8]) -> Option<Reply> {
        let (&version, rest) = text.split_first()?;
        let (status, rest) = rest.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok().filter(|_| version == VERSION)?;
        let (lines, body) = rest.split_at_checked(length)?;
        let mut headers = HeaderMap::new();
        for line in lines.split_inclusive(|b| *b == b'\n') {
            let line = line.strip_suffix(b"\n")?;
            let colon = line.iter().position(|b| *b == b':')?;
            let (name, value) = line.split_at(colon);
            let value = HeaderValue::from_bytes(value.get(1..)?).ok()?;
            headers.append(HeaderName::from_bytes(name).ok()?, value);
        }
        let status = StatusCode::from_u16(u16::from_be_bytes(*status)).ok()?;
        Some(Reply { status, headers, body: Bytes::copy_from_slice(body) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_kept_reply_reads_back(
            status in 200..600_u16,
            lines in proptest::collection::vec(("[a-z][a-z-]{0,8}", "[ -~]{0,12}"), 0..6),
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..4),
        ) {
            let mut headers = HeaderMap::new();
            for (name, value) in &lines {
                headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
            }
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("7"));
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            let mut kept = KeptReply::new(StatusCode::from_u16(status).unwrap(), &headers);
            pieces.iter().for_each(|piece| kept.push(piece));
            let reply = KeptReply::read(kept.text()).unwrap();
            for name in &LEFT_OUT {
                while headers.remove(name).is_some() {}
            }
            prop_assert_eq!((reply.status.as_u16(), reply.headers, reply.body), (status, headers, Bytes::from(pieces.concat())));
        }

        #[test]
        fn other_bytes_are_no_reply(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let reply = KeptReply::read(&bytes);
            prop_assert!(reply.is_none() || bytes[0] == VERSION);
        }
    }
}
