//! One case of the corpus of HTTP/2 connections.

/// What is sent on a connection, and what has to come of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// The section that it is about.
    pub law: &'static str,
    /// Sent behind preface and SETTINGS.
    pub bytes: Vec<u8>,
    /// The bytes are all that is sent.
    pub without_greeting: bool,
    /// What has to come of it.
    pub wanted: Wanted,
}

/// What has to come of a case. Its request is on stream 1.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// A 200, and this request line at the upstream.
    Passes(String),
    /// RFC 9113 §8.1.1: a stream error, or a 4xx; no whole request reaches the upstream. An endpoint may take every stream
    /// error as one of the connection (§5.4.2).
    Malformed,
    /// The same, or it passes with this request line.
    MalformedOr(String),
    /// As malformed, but this request line may have reached the upstream, with no byte of a body.
    HeadOnly(String),
    /// The connection ends: GOAWAY with one of these codes (none: any), or closed at once. Nothing reaches the upstream.
    ConnectionError(&'static [u32]),
    /// The connection goes on, and nothing of it reaches the upstream.
    Harmless,
}

/// A case behind a greeting.
pub fn case(name: &'static str, law: &'static str, wanted: Wanted, frames: &[Vec<u8>]) -> Case {
    Case { name, law, bytes: frames.concat(), without_greeting: false, wanted }
}

/// Fields of a GET.
pub fn get(path: &str) -> Vec<(&str, &str)> {
    request("GET", path)
}

/// Fields of a request.
pub fn request<'a>(method: &'a str, path: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![(":method", method), (":scheme", "http"), (":path", path), (":authority", "gateway.test")]
}

/// Fields of a GET with more behind them.
pub fn get_with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [get("/h2"), more.to_vec()].concat()
}

/// Fields of a GET without some, with more behind them.
pub fn get_but<'a>(without: &str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let rest = get("/h2").into_iter().filter(|(name, _)| *name != without);
    rest.chain(more.iter().copied()).collect()
}
