//! The head of an HTTP/1.1 request as bytes: what RFC 9112 calls invalid, or what two readers could understand
//! differently, is refused before anything else reads it.
//!
//! # Invariants
//! * A head that passes has one framing, one host and one meaning (`what_is_ambiguous_is_refused`).
//! * What is legal passes (`what_is_legal_passes`).

use super::fields::{Field, fields, is_token, is_value};
use super::host;
use raptorgate_policies::Denial;

/// Bounds of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of request line and fields together; beyond: 431.
    pub bytes_max: usize,
    /// Fields; beyond: 431.
    pub fields_max: usize,
    /// Bytes of the request target; beyond: 414.
    pub target_bytes_max: usize,
}

/// Longest method; the longest registered one has 17 bytes (RFC 9110 §16.1).
const METHOD_BYTES_MAX: usize = 32;

/// How the body of a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After so many bytes.
    Length(u64),
    /// As its chunks say.
    Chunked,
}

/// What the head says about the bytes that follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How its body ends.
    pub framing: Framing,
    /// The client asks to leave HTTP behind; what follows a 101 is not HTTP any more.
    pub asks_upgrade: bool,
}

/// Where a head ends: behind its empty line. `None` as long as that has not come.
pub fn end_of(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at.saturating_add(4))
}

/// True if what has come of a head so far can never become a valid one. Cheap enough for every read.
pub fn is_hopeless(bytes: &[u8]) -> bool {
    let mut before = 0;
    memchr::memchr_iter(b'\n', bytes).any(|at| {
        let bare = at.checked_sub(1).and_then(|at| bytes.get(at)) != Some(&b'\r');
        let bare = bare || at < before;
        before = at;
        bare
    })
}

/// Judges a whole head, its empty line included.
///
/// # Errors
/// The refusal; its text names the rule.
pub fn judge(bytes: &[u8], limits: &HeadLimits) -> Result<Head, Denial> {
    if bytes.len() > limits.bytes_max {
        return Err(Denial::HeaderTooLarge);
    }
    let text = bytes.strip_suffix(b"\r\n\r\n").unwrap_or(bytes);
    let line_end = memchr::memmem::find(text, b"\r\n").unwrap_or(text.len());
    let (line, rest) = text.split_at_checked(line_end).unwrap_or((text, b""));
    let request = request_line(line, limits)?;
    let mut seen = Seen::default();
    let mut count = 0_usize;
    for field in fields(rest) {
        count = count.saturating_add(1);
        if count > limits.fields_max {
            return Err(Denial::HeaderTooLarge);
        }
        let field = field.map_err(Denial::BadRequest)?;
        if !is_token(field.name) {
            return Err(Denial::BadRequest("a field name is not a token"));
        }
        if !is_value(field.value) {
            return Err(Denial::BadRequest("a field value holds control characters"));
        }
        seen.take(&field, &request)?;
    }
    seen.conclude(&request)
}

struct RequestLine<'a> {
    method: &'a [u8],
    target: &'a [u8],
    is_http10: bool,
}

fn request_line<'a>(line: &'a [u8], limits: &HeadLimits) -> Result<RequestLine<'a>, Denial> {
    let malformed = Denial::BadRequest("the request line is not `method target version`");
    let mut parts = line.splitn(3, |b| *b == b' ');
    let (Some(method), Some(target), Some(version)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(malformed);
    };
    if !is_token(method) || method.len() > METHOD_BYTES_MAX || method == b"PRI" {
        return Err(Denial::BadRequest("the method is not valid"));
    }
    if target.len() > limits.target_bytes_max {
        return Err(Denial::TargetTooLong);
    }
    let is_http10 = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        _ => return Err(Denial::BadRequest("the version is not HTTP/1.1 or HTTP/1.0")),
    };
    if method == b"CONNECT" || method == b"TRACE" {
        return Err(Denial::BadRequest("CONNECT and TRACE are not served"));
    }
    target_form(method, target)?;
    Ok(RequestLine { method, target, is_http10 })
}

/// RFC 9112 §3.2: origin-form, absolute-form, and `*` for OPTIONS.
fn target_form(method: &[u8], target: &[u8]) -> Result<(), Denial> {
    if !target.iter().all(|b| (b'!'..=b'~').contains(b)) || target.contains(&b'#') || target.contains(&b'\\') {
        return Err(Denial::BadRequest("the request target holds characters that a URI must not hold"));
    }
    let absolute = authority_of(target).is_some();
    match target.first() {
        Some(b'/') => Ok(()),
        Some(_) if absolute => Ok(()),
        Some(b'*') if target.len() == 1 && method == b"OPTIONS" => Ok(()),
        Some(_) | None => Err(Denial::BadRequest("the request target must be a path")),
    }
}

/// The authority of a target in absolute-form.
fn authority_of(target: &[u8]) -> Option<&[u8]> {
    let scheme_end = memchr::memmem::find(target, b"://")?;
    let (scheme, rest) = target.split_at_checked(scheme_end)?;
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return None;
    }
    let rest = rest.get(3..)?;
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    rest.get(..end).filter(|authority| !authority.is_empty())
}

/// The fields that decide about framing and host.
#[derive(Default)]
struct Seen<'a> {
    host: Option<&'a [u8]>,
    length: Option<u64>,
    chunked: bool,
    asks_upgrade: bool,
}

impl<'a> Seen<'a> {
    fn take(&mut self, field: &Field<'a>, request: &RequestLine<'_>) -> Result<(), Denial> {
        // told apart by length first: most fields are none of these
        match field.name.len() {
            4 if field.is("host") => self.take_host(field.value),
            6 if field.is("expect") => take_expect(field.value, request),
            7 if field.is("upgrade") => self.take_upgrade(field.value),
            14 if field.is("content-length") => self.take_length(field.value),
            17 if field.is("transfer-encoding") => self.take_coding(field.value, request),
            _ => Ok(()),
        }
    }

    fn take_host(&mut self, value: &'a [u8]) -> Result<(), Denial> {
        if self.host.replace(value).is_some() {
            return Err(Denial::BadRequest("there is more than one Host"));
        }
        if host::is_valid(value) { Ok(()) } else { Err(Denial::BadRequest("the Host is not valid")) }
    }

    fn take_upgrade(&mut self, value: &[u8]) -> Result<(), Denial> {
        self.asks_upgrade = true;
        let h2c = value.split(|b| *b == b',').any(|p| p.trim_ascii().eq_ignore_ascii_case(b"h2c"));
        if h2c {
            Err(Denial::BadRequest("`Upgrade: h2c` is not served; HTTP/2 is, with prior knowledge"))
        } else {
            Ok(())
        }
    }

    fn take_length(&mut self, value: &[u8]) -> Result<(), Denial> {
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(value).ok().filter(|_| digits).and_then(|v| v.parse().ok());
        // one more than the largest is read as an i64 by some
        let length = number.filter(|n: &u64| i64::try_from(*n).is_ok());
        let length = length.ok_or(Denial::BadRequest("Content-Length is not a number"))?;
        if self.length.replace(length).is_some() {
            return Err(Denial::BadRequest("there is more than one Content-Length"));
        }
        Ok(())
    }

    fn take_coding(&mut self, value: &[u8], request: &RequestLine<'_>) -> Result<(), Denial> {
        if request.is_http10 {
            return Err(Denial::BadRequest("HTTP/1.0 knows no Transfer-Encoding"));
        }
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Denial::BadRequest("Transfer-Encoding must be `chunked`, once"));
        }
        self.chunked = true;
        Ok(())
    }

    fn conclude(self, request: &RequestLine<'_>) -> Result<Head, Denial> {
        if self.host.is_none() && !request.is_http10 {
            return Err(Denial::BadRequest("an HTTP/1.1 request needs exactly one Host"));
        }
        if let (Some(authority), Some(host)) = (authority_of(request.target), self.host)
            && !authority.eq_ignore_ascii_case(host)
        {
            return Err(Denial::BadRequest("Host differs from the request target"));
        }
        if authority_of(request.target).is_some_and(|authority| !host::is_valid(authority)) {
            return Err(Denial::BadRequest("the authority of the request target is not valid"));
        }
        let framing = match (self.length, self.chunked) {
            (Some(_), true) => return Err(Denial::BadRequest("Content-Length beside Transfer-Encoding")),
            (None, true) => Framing::Chunked,
            (length, false) => Framing::Length(length.unwrap_or(0)),
        };
        debug_assert!(!request.method.is_empty(), "a method was read");
        Ok(Head { framing, asks_upgrade: self.asks_upgrade })
    }
}

/// RFC 9110 §10.1.1: nothing else is known; HTTP/1.0 must be ignored.
fn take_expect(value: &[u8], request: &RequestLine<'_>) -> Result<(), Denial> {
    if request.is_http10 || value.eq_ignore_ascii_case(b"100-continue") {
        return Ok(());
    }
    Err(Denial::ExpectationFailed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HeadLimits = HeadLimits { bytes_max: 1024, fields_max: 10, target_bytes_max: 200 };

    fn judged(head: &str) -> Result<Head, Denial> {
        judge(head.replace('\n', "\r\n").as_bytes(), &LIMITS)
    }

    #[test]
    fn what_is_legal_passes() {
        let legal = [
            ("GET / HTTP/1.1\nHost: a\n\n", Framing::Length(0)),
            ("GET /a?b=c|d HTTP/1.1\nhOsT:a.b:80\nX: \n\n", Framing::Length(0)),
            ("POST / HTTP/1.1\nHost: [::1]:8080\nContent-Length:\t5 \n\n", Framing::Length(5)),
            ("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: ChunKed\n\n", Framing::Chunked),
            ("OPTIONS * HTTP/1.1\nHost: a\n\n", Framing::Length(0)),
            ("GET http://a/b HTTP/1.1\nHost: A\n\n", Framing::Length(0)),
            ("GET / HTTP/1.0\n\n", Framing::Length(0)),
            ("brew / HTTP/1.1\nHost: a\nExpect: 100-Continue\n\n", Framing::Length(0)),
        ];
        for (head, framing) in legal {
            assert_eq!(judged(head).map(|h| h.framing), Ok(framing), "{head}");
        }
    }

    #[test]
    fn what_is_ambiguous_is_refused() {
        let refused = [
            "GET / HTTP/1.1\n\n",
            "GET / HTTP/1.1\nHost: a\nHost: a\n\n",
            "GET / HTTP/1.1\nHost: a b\n\n",
            "GET / HTTP/1.1\nHost:\n\n",
            "GET  / HTTP/1.1\nHost: a\n\n",
            "GET /\nHost: a\n\n",
            "GET / HTTP/1.1 \nHost: a\n\n",
            "GET / HTTP/2.0\nHost: a\n\n",
            "GET /#f HTTP/1.1\nHost: a\n\n",
            "GET a HTTP/1.1\nHost: a\n\n",
            "GET * HTTP/1.1\nHost: a\n\n",
            "GET http://b/ HTTP/1.1\nHost: a\n\n",
            "GET ftp://a/ HTTP/1.1\nHost: a\n\n",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 5\nContent-Length: 5\n\n",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 5, 5\n\n",
            "POST / HTTP/1.1\nHost: a\nContent-Length: +5\n\n",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 9223372036854775808\n\n",
            "POST / HTTP/1.1\nHost: a\nContent-Length:\n\n",
            "POST / HTTP/1.1\nHost: a\nContent-Length: 5\nTransfer-Encoding: chunked\n\n",
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: xchunked\n\n",
            "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n",
            "POST / HTTP/1.0\nHost: a\nTransfer-Encoding: chunked\n\n",
            "GET / HTTP/1.1\nHost : a\n\n",
            "GET / HTTP/1.1\nHost: a\n folded\n\n",
            "GET / HTTP/1.1\n X: a\nHost: a\n\n",
            "GET / HTTP/1.1\nHost: a\n: b\n\n",
            "GET / HTTP/1.1\nHost: a\nX: \u{0}\n\n",
            "GET / HTTP/1.1\nHost: a\nUpgrade: h2c\n\n",
            "CONNECT a:80 HTTP/1.1\nHost: a:80\n\n",
        ];
        for head in refused {
            assert!(matches!(judged(head), Err(Denial::BadRequest(_))), "{head}: {:?}", judged(head));
        }
        assert_eq!(judged("GET / HTTP/1.1\nHost: a\nExpect: more\n\n"), Err(Denial::ExpectationFailed));
    }

    #[test]
    fn bounds_have_codes_of_their_own() {
        let long = format!("GET /{} HTTP/1.1\nHost: a\n\n", "a".repeat(200));
        assert_eq!(judged(&long), Err(Denial::TargetTooLong));
        let many = format!("GET / HTTP/1.1\nHost: a\n{}\n", "X: y\n".repeat(10));
        assert_eq!(judged(&many), Err(Denial::HeaderTooLarge));
        let large = format!("GET / HTTP/1.1\nHost: a\nX: {}\n\n", "y".repeat(1024));
        assert_eq!(judged(&large), Err(Denial::HeaderTooLarge));
    }

    #[test]
    fn a_line_feed_alone_makes_a_head_hopeless() {
        assert!(!is_hopeless(b"GET / HTTP/1.1\r\nHost"));
        assert!(is_hopeless(b"GET / HTTP/1.1\n"));
        assert!(is_hopeless(b"\n"));
    }
}
