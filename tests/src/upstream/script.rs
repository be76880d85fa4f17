//! What the upstream does with a request: a list of steps, chosen by the request itself.
//!
//! `reply=NAME` in the query, or the header `x-test-reply: NAME`, chooses; other names are parameters of the same kind.

use crate::coded::{Flushing, code};
use crate::reply::Framing;
use crate::upstream::chat;
use crate::upstream::record::Received;
use bytes::Bytes;
use std::collections::HashMap;
use std::time::Duration;

/// One thing the upstream does.
#[derive(Clone, Debug)]
pub enum Step {
    /// An interim head.
    Interim(u16),
    /// The final head.
    Head {
        /// Status.
        status: u16,
        /// Headers besides framing.
        headers: Vec<(&'static str, String)>,
        /// Framing; `Frames` is for h2 alone and becomes chunks on h1.
        framing: Framing,
    },
    /// A piece of the body, and how many tokens the client pays for in it.
    Data(Bytes, u64),
    /// Waits so long.
    Pause(Duration),
    /// Waits until a test releases this name.
    Await(String),
    /// Waits until the gateway leaves.
    Stall,
    /// Trailers, then the end.
    Trailers(Vec<(&'static str, String)>),
    /// The end, as the framing says it.
    End,
    /// Breaks the connection (h1) or the stream (h2).
    Reset,
    /// Bytes as they are (h1); h2 breaks the stream.
    Raw(&'static [u8]),
    /// Closes in good order where it stands, which need not be an end.
    Close,
}

/// Parameters of a request, from its query and its `x-test-` headers.
#[derive(Clone, Debug, Default)]
pub struct Parameters(HashMap<String, String>);

impl Parameters {
    /// Reads them.
    pub fn of(query: &str, headers: &http::HeaderMap) -> Self {
        let pairs = query.split('&').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned()));
        let tests = headers.iter().filter_map(|(k, v)| {
            let name = k.as_str().strip_prefix("x-test-")?;
            Some((name.replace('-', "_"), v.to_str().ok()?.to_owned()))
        });
        Self(pairs.chain(tests).collect())
    }

    /// A text, empty if absent.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A number.
    pub fn number(&self, name: &str, default: u64) -> u64 {
        self.0.get(name).map_or(default, |v| v.parse().unwrap_or_else(|_| panic!("{name}={v} is not a number")))
    }

    /// True if it is there.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// True if the reply comes before the body is read.
pub fn answers_unread(parameters: &Parameters) -> bool {
    parameters.text("reply") == "early503"
}

/// The steps for a request that was received so; `earlier` counts requests with the same `id` before it.
pub fn script(parameters: &Parameters, received: &Received, earlier: u64) -> Vec<Step> {
    if earlier < parameters.number("fail", 0) {
        return whole(503, "application/json", br#"{"error":"busy"}"#.as_slice());
    }
    if parameters.text("reply").is_empty() && received.path_without_query().ends_with("/chat/completions") {
        return chat::script(parameters, received);
    }
    let mut steps = Vec::new();
    if parameters.has("delay_ms") {
        steps.push(Step::Pause(Duration::from_millis(parameters.number("delay_ms", 0))));
    }
    if parameters.has("await") && !parameters.text("reply").contains("sse") {
        steps.push(Step::Await(parameters.text("await").to_owned()));
    }
    steps.extend(reply(parameters, received));
    steps
}

fn reply(parameters: &Parameters, received: &Received) -> Vec<Step> {
    match parameters.text("reply") {
        "" | "echo" | "json" => whole(200, "application/json", received.echo()),
        "status" => whole(parameters.number("status", 200) as u16, "application/json", received.echo()),
        "text" => pieces(
            Framing::Chunked,
            "text/plain; charset=utf-8",
            &split(parameters.text("text"), parameters.number("cut", 16) as usize),
        ),
        "chunked" => pieces(Framing::Chunked, "application/json", &split(&received.echo(), 16)),
        "close" => pieces(Framing::Close, "application/json", &split(&received.echo(), 16)),
        "sse" => sse(parameters),
        "204" => vec![head(204, Vec::new(), Framing::None), Step::End],
        "304" => vec![head(304, vec![("etag", "\"v1\"".into())], Framing::None), Step::End],
        "trailers" => trailers(received),
        "big" => big(parameters.number("size", 10 << 20)),
        "early503" => whole(503, "application/json", br#"{"error":"no"}"#.as_slice()),
        "hints" => [vec![Step::Interim(103)], whole(200, "application/json", received.echo())].concat(),
        "hang" => vec![Step::Stall],
        "stall" => broken_off(parameters, Step::Stall),
        "reset" => broken_off(parameters, Step::Reset),
        "half-body" => broken_off(parameters, Step::Close),
        "half-head" => vec![Step::Raw(b"HTTP/1.1 200 OK\r\ncontent-type: appl"), Step::Close],
        "nothing" => vec![Step::Close],
        "garbage" => vec![Step::Raw(b"\x16\x03\x01 no http at all\r\n\r\n"), Step::Close],
        "gzip" => gzip(),
        "coded" => coded_whole(parameters),
        "coded-sse" => coded_events(parameters),
        "padded" => whole(
            200,
            "application/json",
            format!("{{\"text\":\"{}\"}}", "a".repeat(parameters.number("size", 0) as usize)),
        ),
        "not-json" => whole(200, "application/json", br#"{"choices": [oops"#.as_slice()),
        other => panic!("the recording upstream has no reply named {other:?}"),
    }
}

/// A final head.
pub fn head(status: u16, headers: Vec<(&'static str, String)>, framing: Framing) -> Step {
    Step::Head { status, headers, framing }
}

/// A reply with its length.
pub fn whole(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Vec<Step> {
    let body: Bytes = body.into();
    let head = head(status, vec![("content-type", content_type.into())], Framing::Length(body.len() as u64));
    vec![head, Step::Data(body, 0), Step::End]
}

fn pieces(framing: Framing, content_type: &'static str, pieces: &[Bytes]) -> Vec<Step> {
    let mut steps = vec![head(200, vec![("content-type", content_type.into())], framing)];
    steps.extend(pieces.iter().map(|p| Step::Data(p.clone(), 0)));
    steps.push(Step::End);
    steps
}

fn split(text: &str, size: usize) -> Vec<Bytes> {
    text.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect()
}

/// `n` numbered events; with `await`, each but the first waits for a release of its own.
fn sse(parameters: &Parameters) -> Vec<Step> {
    let mut steps = vec![head(200, vec![("content-type", "text/event-stream".into())], Framing::Chunked)];
    for n in 0..parameters.number("n", 5) {
        if n > 0 && parameters.has("await") {
            steps.push(Step::Await(parameters.text("await").to_owned()));
        }
        if n > 0 && parameters.has("event_ms") {
            steps.push(Step::Pause(Duration::from_millis(parameters.number("event_ms", 0))));
        }
        steps.push(Step::Data(format!("data: {{\"event\":{n}}}\n\n").into(), 0));
    }
    steps.push(Step::Data("data: [DONE]\n\n".into(), 0));
    steps.push(Step::End);
    steps
}

fn trailers(received: &Received) -> Vec<Step> {
    let head = head(200, vec![("content-type", "application/grpc".into())], Framing::Frames);
    let trailers = vec![("grpc-status", "0".to_owned()), ("x-length", received.length.to_string())];
    vec![head, Step::Data("message".into(), 0), Step::Trailers(trailers)]
}

/// Bytes that repeat every 251: a lost, doubled or moved piece changes the hash.
fn big(size: u64) -> Vec<Step> {
    let mut steps = vec![head(200, vec![("content-type", "application/octet-stream".into())], Framing::Length(size))];
    let pattern = big_body(size);
    let mut rest = pattern;
    while !rest.is_empty() {
        steps.push(Step::Data(rest.split_to(rest.len().min(48 << 10)), 0));
    }
    steps.push(Step::End);
    steps
}

/// The body of `reply=big`.
pub fn big_body(size: u64) -> Bytes {
    (0..size).map(|i| (i % 251) as u8).collect::<Vec<u8>>().into()
}

/// `after` chunks of a reply that promised more, then `last`.
fn broken_off(parameters: &Parameters, last: Step) -> Vec<Step> {
    let after = parameters.number("after", 3);
    let (content_type, framing) = match parameters.text("framing") {
        "length" => ("application/json", Framing::Length(100_000)),
        "sse" => ("text/event-stream", Framing::Chunked),
        "" | "chunked" => ("application/json", Framing::Chunked),
        other => panic!("no framing named {other:?}"),
    };
    let mut steps = vec![head(200, vec![("content-type", content_type.into())], framing)];
    for n in 0..after {
        steps.push(Step::Data(format!("data: {{\"event\":{n}}}\n\n").into(), 0));
    }
    steps.push(last);
    steps
}

/// `{"text":"mail asha@example.in"}` as gzip.
const GZIP: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 42, 73, 173, 40, 81, 178, 82, 202, 77, 204, 204, 81, 72, 44, 206, 72,
    116, 72, 173, 72, 204, 45, 200, 73, 213, 203, 204, 83, 170, 5, 0, 36, 253, 221, 17, 31, 0, 0, 0,
];

fn gzip() -> Vec<Step> {
    let headers = vec![("content-type", "application/json".into()), ("content-encoding", "gzip".into())];
    vec![head(200, headers, Framing::Length(GZIP.len() as u64)), Step::Data(Bytes::from_static(GZIP), 0), Step::End]
}

fn coded_head(parameters: &Parameters, content_type: &str, framing: Framing) -> Step {
    let mut headers = vec![
        ("content-type", content_type.to_owned()),
        ("content-encoding", parameters.text("coding").to_owned()),
        ("etag", "\"coded\"".to_owned()),
        ("vary", "accept-encoding".to_owned()),
    ];
    headers.retain(|(name, _)| *name != "content-encoding" || !parameters.text("coding").is_empty());
    head(200, headers, framing)
}

/// `{"text":"…"}` in the coding that the request names, in pieces of `cut` bytes; `zeros` more bytes of spaces, and `lost`
/// bytes less at the end.
fn coded_whole(parameters: &Parameters) -> Vec<Step> {
    let padding = " ".repeat(parameters.number("zeros", 0) as usize);
    let plain = format!("{{\"text\":\"{}\"{padding}}}", parameters.text("text"));
    // an unknown coding comes as gzip
    let mut body = code(parameters.text("coding"), plain.as_bytes());
    body.truncate(body.len() - parameters.number("lost", 0) as usize);
    let content_type = if parameters.has("type") { parameters.text("type") } else { "application/json" };
    let mut steps = vec![coded_head(parameters, content_type, Framing::Length(body.len() as u64))];
    let pieces = body.chunks(parameters.number("cut", 1 << 20) as usize);
    steps.extend(pieces.map(|piece| Step::Data(Bytes::copy_from_slice(piece), 0)));
    steps.push(Step::End);
    steps
}

/// Events that a coder flushes one by one, each sent in pieces of `cut` bytes; with `await`, each but the first waits for a
/// release of its own. The text stands in each; `zeros` spaces in the last one.
fn coded_events(parameters: &Parameters) -> Vec<Step> {
    let mut steps = vec![coded_head(parameters, "text/event-stream", Framing::Chunked)];
    let mut coder = Flushing::new(parameters.text("coding"));
    let count = parameters.number("n", 5);
    for n in 0..count {
        if n > 0 && parameters.has("await") {
            steps.push(Step::Await(parameters.text("await").to_owned()));
        }
        let padding = if n + 1 == count { " ".repeat(parameters.number("zeros", 0) as usize) } else { String::new() };
        let event = format!("data: {{\"event\":{n},\"text\":\"{}\"}}{padding}\n\n", parameters.text("text"));
        let bytes = coder.flushed(event.as_bytes());
        let pieces = bytes.chunks(parameters.number("cut", 1 << 20) as usize);
        steps.extend(pieces.map(|piece| Step::Data(Bytes::copy_from_slice(piece), 0)));
    }
    let end: Bytes = coder.end().into();
    if !parameters.has("lost") && !end.is_empty() {
        steps.push(Step::Data(end, 0));
    }
    steps.push(Step::End);
    steps
}
