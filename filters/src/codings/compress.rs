//! Which replies are compressed for which client, and what their heads then say.
//!
//! # Invariants
//! * What is coded already, a part, or not to be transformed stays as it is (`only_whole_plain_replies_are_coded`).
//! * A reply that is plain for one client and coded for another says so to caches (`what_varies_says_so`).
//! * A validator of plain bytes never stands, as a strong one, on coded ones (`coded_replies_have_weak_validators`).

use super::{Accepted, BODY_BOUND, Coding};
use crate::filter::HeaderEdits;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};
use raptorgate_config::model::{Compress, MediaRange, ReplyCoding};

/// Events have to be named: a type that stands for all text does not mean them.
const EVENT_STREAM: (&str, &str) = ("text", "event-stream");

/// What becomes of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It goes as it is, to every client.
    Leave,
    /// It goes as it is to this client, and coded to others.
    Plain,
    /// It is coded.
    Coded(Coding),
}

/// Decides by the head. `length` is the body's, where it is known.
pub fn choose(rules: &Compress, accepted: &Accepted, status: u16, headers: &HeaderMap, length: Option<u64>) -> Choice {
    let short = length.or_else(|| announced(headers)).is_some_and(|length| length < rules.bytes_min);
    let body = match status {
        304 => true, // says what the 200 would
        100..=199 | 204 | 206 => false,
        _ => !short && is_meant(rules, headers),
    };
    if !body || is_coded(headers) || headers.contains_key(CONTENT_RANGE) || no_transform(headers) {
        return Choice::Leave;
    }
    let offered: Vec<Coding> = rules.codings.iter().map(|coding| coding_of(*coding)).collect();
    accepted.best(&offered).map_or(Choice::Plain, Choice::Coded)
}

fn coding_of(coding: ReplyCoding) -> Coding {
    match coding {
        ReplyCoding::Zstd => Coding::Zstd,
        ReplyCoding::Brotli => Coding::Brotli,
        ReplyCoding::Gzip => Coding::Gzip,
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_coded(headers: &HeaderMap) -> bool {
    !matches!(super::coding_of(headers), Ok(None))
}

fn no_transform(headers: &HeaderMap) -> bool {
    tokens(headers, &CACHE_CONTROL).any(|directive| directive.eq_ignore_ascii_case("no-transform"))
}

/// The members of a list, over all its lines.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|token| token.trim_matches([' ', '\t']))
}

fn is_meant(rules: &Compress, headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some(parts) = essence.split_once('/') else { return false };
    let matches = |range: &MediaRange| match &range.subtype {
        Some(subtype) => (range.family.as_str(), subtype.as_str()) == parts,
        None => range.family == parts.0 && parts != EVENT_STREAM,
    };
    rules.types.iter().any(matches)
}

impl Choice {
    /// What the head says then. Framing is the caller's: the old length is gone.
    pub fn edits(self, status: u16, headers: &HeaderMap) -> HeaderEdits {
        let mut edits = HeaderEdits::default();
        if self == Self::Leave {
            return edits;
        }
        vary(headers, &mut edits);
        let Self::Coded(coding) = self else { return edits };
        if let Some(weak) = weakened(headers) {
            edits.set(ETAG, weak);
        }
        if status != 304 {
            edits.set(CONTENT_ENCODING, HeaderValue::from_static(coding.as_str()));
            BODY_BOUND
                .into_iter()
                .filter(|name| *name != "etag")
                .for_each(|name| edits.remove(HeaderName::from_static(name)));
        }
        edits
    }
}

fn vary(headers: &HeaderMap, edits: &mut HeaderEdits) {
    let known = |name: &str| name == "*" || name.eq_ignore_ascii_case("accept-encoding");
    if tokens(headers, &VARY).any(known) {
        return;
    }
    let mut names: Vec<&str> = tokens(headers, &VARY).filter(|name| !name.is_empty()).collect();
    names.push("Accept-Encoding");
    if let Ok(value) = HeaderValue::from_str(&names.join(", ")) {
        edits.set(VARY, value);
    }
}

/// RFC 9110 §8.8.1: two codings of one text are not the same bytes, but mean the same.
fn weakened(headers: &HeaderMap) -> Option<HeaderValue> {
    let etag = headers.get(ETAG)?.to_str().ok()?;
    if etag.starts_with("W/") { None } else { HeaderValue::from_str(&format!("W/{etag}")).ok() }
}

#[cfg(test)]
mod tests {
    use super::super::accepted;
    use super::*;
    use crate::testing::headers;

    type Field = (&'static str, &'static [u8]);

    fn rules() -> Compress {
        let range = |family: &str, subtype: Option<&str>| MediaRange {
            family: family.into(),
            subtype: subtype.map(Into::into),
        };
        Compress {
            codings: vec![ReplyCoding::Zstd, ReplyCoding::Gzip],
            bytes_min: 1024,
            types: vec![range("text", None), range("application", Some("json"))],
        }
    }

    fn chosen(accept: &'static str, status: u16, head: &[Field], length: Option<u64>) -> Choice {
        let accepted = accepted(&headers(&[("accept-encoding", accept.as_bytes())]));
        choose(&rules(), &accepted, status, &headers(head), length)
    }

    const JSON: Field = ("content-type", b"Application/JSON; charset=utf-8");

    #[test]
    fn only_whole_plain_replies_are_coded() {
        let gzip = Choice::Coded(Coding::Gzip);
        assert_eq!(chosen("gzip", 200, &[JSON], None), gzip);
        assert_eq!(chosen("gzip, zstd", 404, &[JSON], Some(1024)), Choice::Coded(Coding::Zstd));
        assert_eq!(chosen("br", 200, &[JSON], None), Choice::Plain);
        assert_eq!(chosen("gzip", 200, &[("content-type", b"text/plain")], None), gzip);
        assert_eq!(chosen("gzip", 200, &[JSON, ("content-encoding", b"identity")], None), gzip);
        assert_eq!(chosen("gzip", 200, &[JSON, ("content-length", b"1024")], None), gzip);
        for (why, status, head) in [
            ("a part", 206, ("content-range", &b"bytes 0-1/2"[..])),
            ("a part by its header", 200, ("content-range", b"bytes 0-1/2")),
            ("no body", 204, JSON),
            ("interim", 103, JSON),
            ("coded", 200, ("content-encoding", b"br")),
            ("coded in a way nobody knows", 200, ("content-encoding", b"x")),
            ("not to be transformed", 200, ("cache-control", b"public, No-Transform")),
            ("short", 200, ("content-length", b"1023")),
        ] {
            assert_eq!(chosen("gzip", status, &[JSON, head], None), Choice::Leave, "{why}");
        }
        assert_eq!(chosen("gzip", 200, &[JSON], Some(1023)), Choice::Leave);
        for other in [&b"image/png"[..], b"text/event-stream", b"application/jsonx", b"json", b""] {
            assert_eq!(chosen("gzip", 200, &[("content-type", other)], None), Choice::Leave, "{other:?}");
        }
        assert_eq!(chosen("gzip", 200, &[], None), Choice::Leave);
    }

    fn edited(choice: Choice, status: u16, head: &[Field]) -> HeaderMap {
        let mut map = headers(head);
        choice.edits(status, &map).apply(&mut map);
        map
    }

    #[test]
    fn what_varies_says_so() {
        for (before, after) in [
            (&[][..], "Accept-Encoding"),
            (&[("vary", &b"Origin"[..])], "Origin, Accept-Encoding"),
            (&[("vary", &b"origin, ACCEPT-encoding"[..])], "origin, ACCEPT-encoding"),
            (&[("vary", &b"*"[..])], "*"),
        ] {
            for choice in [Choice::Plain, Choice::Coded(Coding::Gzip)] {
                assert_eq!(edited(choice, 200, before)["vary"], after, "{choice:?}");
            }
        }
        assert!(!edited(Choice::Leave, 200, &[JSON]).contains_key("vary"));
    }

    #[test]
    fn coded_replies_have_weak_validators() {
        let head: &[Field] = &[
            JSON,
            ("etag", b"\"v1\""),
            ("content-length", b"5000"),
            ("accept-ranges", b"bytes"),
            ("content-digest", b"sha-256=:AAAA:"),
        ];
        let coded = edited(Choice::Coded(Coding::Zstd), 200, head);
        assert_eq!(
            (&coded["etag"], &coded["content-encoding"]),
            (&"W/\"v1\"".parse().unwrap(), &"zstd".parse().unwrap())
        );
        for gone in ["content-length", "accept-ranges", "content-digest"] {
            assert!(!coded.contains_key(gone), "{gone}");
        }
        let plain = edited(Choice::Plain, 200, head);
        assert_eq!((&plain["etag"], &plain["content-length"]), (&"\"v1\"".parse().unwrap(), &"5000".parse().unwrap()));
        let unchanged = edited(Choice::Coded(Coding::Zstd), 304, &[("etag", b"\"v1\"")]);
        assert_eq!(unchanged["etag"], "W/\"v1\"");
        assert!(!unchanged.contains_key("content-encoding"));
    }
}
