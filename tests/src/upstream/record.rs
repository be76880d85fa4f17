//! What the upstream writes down about each request it served, one JSON line each.

use http::HeaderMap;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Longest body that is kept as text besides its hash.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// SHA-256 as hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// How a request's body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestEnd {
    /// As its framing says.
    Whole,
    /// Before that.
    Cut,
    /// It was not read.
    Unread,
}

/// A request as it was received.
#[derive(Clone, Debug)]
pub struct Received {
    /// Number of the connection, from 1.
    pub connection: u64,
    /// Method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// Headers.
    pub headers: HeaderMap,
    /// Length of the body.
    pub length: usize,
    /// Its SHA-256.
    pub sha256: String,
    /// The body, if it is short text.
    pub text: Option<String>,
    /// How it ended.
    pub end: RequestEnd,
}

impl Received {
    /// Takes over a body.
    pub fn set_body(&mut self, body: &[u8], end: RequestEnd) {
        self.length = body.len();
        self.sha256 = sha256_hex(body);
        self.text = (body.len() <= TEXT_BYTES_MAX).then(|| String::from_utf8(body.to_vec()).ok()).flatten();
        self.end = end;
    }

    /// The path without query.
    pub fn path_without_query(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, q)| q)
    }

    /// A header's value, empty if absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// What the upstream answers about the request.
    pub fn echo(&self) -> String {
        json!({"method": self.method, "target": self.target, "length": self.length, "sha256": self.sha256, "version": self.version}).to_string()
    }

    /// The line of the log.
    pub fn line(&self, served: &Served) -> Value {
        let headers: serde_json::Map<String, Value> = self
            .headers
            .keys()
            .map(|name| {
                let values: Vec<_> =
                    self.headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
                (name.to_string(), json!(values.join(", ")))
            })
            .collect();
        json!({
            "id": self.header("x-test-id"), "connection": self.connection, "method": self.method, "target": self.target,
            "version": self.version, "headers": headers, "length": self.length, "sha256": self.sha256, "text": self.text,
            "request_end": match self.end { RequestEnd::Whole => "whole", RequestEnd::Cut => "cut", RequestEnd::Unread => "unread" },
            "status": served.status, "pieces": served.pieces, "tokens": served.tokens,
            "end": match served.end {
                ServedEnd::Whole => "whole", ServedEnd::Broken => "broken", ServedEnd::PeerLeft => "peer_left",
            },
        })
    }
}

/// How a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServedEnd {
    /// As its framing says.
    Whole,
    /// By the script, before that.
    Broken,
    /// Because the gateway left.
    PeerLeft,
}

/// What was sent back.
#[derive(Clone, Debug)]
pub struct Served {
    /// Status, 0 if no head was sent.
    pub status: u16,
    /// Pieces of body sent.
    pub pieces: u64,
    /// Tokens in them.
    pub tokens: u64,
    /// How it ended.
    pub end: ServedEnd,
}

impl Default for Served {
    fn default() -> Self {
        Self { status: 0, pieces: 0, tokens: 0, end: ServedEnd::PeerLeft }
    }
}
