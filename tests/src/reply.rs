//! What a client got, down to how it was framed and how it ended.

use bytes::Bytes;
use http::HeaderMap;

/// How the length of a reply was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The status or method allows no body.
    None,
    /// `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// The connection's end.
    Close,
    /// HTTP/2 frames.
    Frames,
}

/// How a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As its framing says.
    Whole,
    /// Before that: the connection or stream broke.
    Cut,
}

/// A reply as it was received.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status of the final reply.
    pub status: u16,
    /// Statuses of interim replies, in order.
    pub interim: Vec<u16>,
    /// Headers.
    pub headers: HeaderMap,
    /// Body without framing.
    pub body: Bytes,
    /// Trailers.
    pub trailers: HeaderMap,
    /// How its length was told.
    pub framing: Framing,
    /// How it ended.
    pub ending: Ending,
}

impl Reply {
    /// The value of a header, empty if absent; panics if it stands there twice.
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map_or("", |v| v.to_str().expect("a header that is not ASCII"));
        assert!(values.next().is_none(), "header {name} stands there twice");
        value
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body that is not UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("not JSON ({e}): {:?}", self.body))
    }

    /// The stable code of an error reply, in any of the shapes an error can have.
    pub fn error_code(&self) -> String {
        let body = self.json();
        let code = [&body["error"]["code"], &body["code"], &body["error"]["type"]];
        code.iter().find_map(|c| c.as_str()).unwrap_or_else(|| panic!("no error code in {body}")).to_owned()
    }

    /// The `data:` of all events of a server-sent stream.
    pub fn events(&self) -> Vec<String> {
        let data = |event: &str| {
            event.lines().filter_map(|l| l.strip_prefix("data:")).map(str::trim_start).collect::<Vec<_>>().join("\n")
        };
        self.text().split("\n\n").map(data).filter(|d| !d.is_empty()).collect()
    }
}
