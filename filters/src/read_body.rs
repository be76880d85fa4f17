//! What a body is and whether the guards can read it: content type, content coding, JSON.
//!
//! # Invariants
//! * Every reason for not reading a body has its own refusal (`every_json_error_has_its_refusal`).
//! * A body whose kind is not known for certain is [`BodyKind::Other`] (`two_content_types_are_no_content_type`).

use crate::codings::{Bounds, DecodeError};
use crate::filter::{BodyKind, RequestHead};
use crate::frame::Frame;
use crate::framers::FrameError;
use crate::framers::json::{JsonDoc, JsonError, JsonLimits};
use crate::framers::json_lines::JsonLinesFramer;
use crate::payload::Payload;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use raptorgate_config::model::ApiFormat;
use raptorgate_policies::Denial;

/// The body's kind by its content type; [`BodyKind::Other`] without one, with two, or with one that is not text.
pub fn body_kind(headers: &HeaderMap) -> BodyKind {
    let Some(essence) = media_type(headers) else { return BodyKind::Other };
    match essence.as_str() {
        "application/json" => BodyKind::Json,
        "text/event-stream" => BodyKind::Sse,
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines"
        | "application/json-lines"
        | "application/jsonlines" => BodyKind::JsonLines,
        "application/xml"
        | "application/yaml"
        | "application/x-yaml"
        | "application/toml"
        | "application/csv"
        | "application/javascript"
        | "application/graphql" => BodyKind::Text,
        other if other.ends_with("+json") => BodyKind::Json,
        other if other.starts_with("text/") || other.ends_with("+xml") || other.ends_with("+yaml") => BodyKind::Text,
        _ => BodyKind::Other,
    }
}

/// True for `application/x-www-form-urlencoded`.
pub fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|t| t == "application/x-www-form-urlencoded")
}

/// True for content that is known to be no text: images, sound, archives and the like.
pub fn is_binary(headers: &HeaderMap) -> bool {
    let Some(essence) = media_type(headers) else { return false };
    let (family, subtype) = essence.split_once('/').unwrap_or((essence.as_str(), ""));
    let binary =
        ["octet-stream", "pdf", "zip", "gzip", "zstd", "x-tar", "wasm", "protobuf", "x-protobuf", "msgpack", "cbor"];
    matches!(family, "image" | "audio" | "video" | "font" | "model") && !subtype.ends_with("+xml")
        || (family == "application" && (binary.contains(&subtype) || subtype.starts_with("grpc")))
}

/// `type/subtype` in lower case; `None` if there is none, more than one, or a charset other than UTF-8.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let mut parts = value.split(';');
    let essence = parts.next()?.trim().to_ascii_lowercase();
    let readable = parts.filter_map(|p| p.split_once('=')).all(|(name, value)| {
        let charset = value.trim().trim_matches('"').to_ascii_lowercase();
        !name.trim().eq_ignore_ascii_case("charset") || matches!(charset.as_str(), "utf-8" | "utf8" | "us-ascii")
    });
    (readable && essence.contains('/')).then_some(essence)
}

/// Refuses a body that is not JSON where the route's API speaks nothing else: a backend that reads JSON whatever the
/// header says would see other text than the guards did.
pub fn check_shape(headers: &HeaderMap, format: ApiFormat, body: &Payload) -> Result<(), Denial> {
    let free = format == ApiFormat::Json || body.original().is_empty();
    if free || body_kind(headers) == BodyKind::Json { Ok(()) } else { Err(Denial::UnsupportedContentType) }
}

/// Refuses a body that is still coded: the guards read plain bytes, and what can be decoded was decoded before them.
pub fn check_coding(headers: &HeaderMap) -> Result<(), Denial> {
    let identity = |v: &http::HeaderValue| v.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().all(identity) { Ok(()) } else { Err(Denial::UnsupportedContentCoding) }
}

/// True if a guard may want to read a body of this type: what is coded has to be decoded first.
pub fn is_readable(headers: &HeaderMap) -> bool {
    body_kind(headers) != BodyKind::Other || is_form(headers)
}

/// The refusal for a query that a guard cannot read.
pub const QUERY_NOT_UTF8: Denial = Denial::BadRequest("a value in its query is not UTF-8");

/// The refusal for a request body that was not decoded.
pub fn decode_denial(error: DecodeError, bounds: Bounds) -> Denial {
    match error {
        DecodeError::Corrupt | DecodeError::Truncated => Denial::InvalidContentCoding,
        DecodeError::TooLarge => Denial::BodyTooLarge { bytes_max: bounds.bytes_max },
        DecodeError::RatioTooHigh => Denial::BodyRatioTooHigh { ratio_max: bounds.ratio_max },
    }
}

/// The refusal for a reply that was not decoded.
pub fn reply_decode_denial(error: DecodeError) -> Denial {
    match error {
        DecodeError::Corrupt | DecodeError::Truncated => Denial::UpstreamInvalidReply,
        DecodeError::TooLarge => Denial::ReplyTooLarge,
        DecodeError::RatioTooHigh => Denial::ReplyRatioTooHigh,
    }
}

/// The refusal for a request body that was not parsed.
pub fn json_denial(error: &JsonError) -> Denial {
    match error {
        JsonError::NotJson { .. } => Denial::BodyNotJson,
        JsonError::DuplicateKey { .. } => Denial::BodyDuplicateKey,
        JsonError::TooDeep { .. } | JsonError::TooLarge { .. } => Denial::BodyTooDeep,
        JsonError::NotUtf8 { .. } => Denial::BodyNotUtf8,
    }
}

/// The request's body as JSON, or the refusal it gets: coded, of another content type, not strict JSON.
pub fn read_json<'a>(head: &RequestHead<'_>, body: &'a mut Payload) -> Result<&'a mut JsonDoc, Denial> {
    check_coding(head.headers)?;
    match body_kind(head.headers) {
        BodyKind::Json => body.json().map_err(|e| json_denial(&e)),
        BodyKind::None | BodyKind::Sse | BodyKind::JsonLines | BodyKind::Text | BodyKind::Other => {
            Err(Denial::UnsupportedContentType)
        }
    }
}

/// The lines of a body of JSON lines, each parsed.
pub fn json_lines(bytes: &Bytes, limits: JsonLimits) -> Result<Vec<Frame>, Denial> {
    let (mut framer, mut frames) = (JsonLinesFramer::new(limits), Vec::new());
    let read = framer.push(bytes, &mut frames).and_then(|()| framer.finish(&mut frames));
    read.map_err(|error| frame_denial(&error))?;
    Ok(frames)
}

fn frame_denial(error: &FrameError) -> Denial {
    match error {
        FrameError::TooLong { .. } => Denial::BodyNotJson,
        FrameError::NotUtf8 | FrameError::ByteOrderMark => Denial::BodyNotUtf8,
        FrameError::Json(e) => json_denial(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn content_types_have_their_kind() {
        for (value, kind) in [
            ("application/json", BodyKind::Json),
            ("Application/JSON; charset=\"UTF-8\"", BodyKind::Json),
            ("application/problem+json", BodyKind::Json),
            ("text/event-stream;charset=utf-8", BodyKind::Sse),
            ("application/x-ndjson", BodyKind::JsonLines),
            ("text/plain", BodyKind::Text),
            ("image/svg+xml", BodyKind::Text),
            ("text/plain; charset=utf-16", BodyKind::Other),
            ("multipart/form-data; boundary=x", BodyKind::Other),
            ("json", BodyKind::Other),
            ("", BodyKind::Other),
        ] {
            assert_eq!(body_kind(&headers(&[("content-type", value)])), kind, "{value}");
        }
    }

    #[test]
    fn only_what_is_known_to_be_no_text_is_binary() {
        for (value, binary) in [
            ("image/png", true),
            ("application/octet-stream", true),
            ("application/grpc+proto", true),
            ("image/svg+xml", false),
            ("application/xml", false),
            ("text/plain; charset=utf-16", false),
            ("x/y", false),
        ] {
            assert_eq!(is_binary(&headers(&[("content-type", value)])), binary, "{value}");
        }
        assert!(!is_binary(&HeaderMap::new()));
    }

    #[test]
    fn two_content_types_are_no_content_type() {
        let two = headers(&[("content-type", "application/json"), ("content-type", "text/plain")]);
        assert_eq!(body_kind(&two), BodyKind::Other);
        assert_eq!(body_kind(&HeaderMap::new()), BodyKind::Other);
    }

    #[test]
    fn only_identity_is_read() {
        assert_eq!(check_coding(&HeaderMap::new()), Ok(()));
        assert_eq!(check_coding(&headers(&[("content-encoding", " Identity ")])), Ok(()));
        for coding in ["gzip", "identity, br", ""] {
            let denied = check_coding(&headers(&[("content-encoding", coding)]));
            assert_eq!(denied, Err(Denial::UnsupportedContentCoding), "{coding}");
        }
    }

    #[test]
    fn every_json_error_has_its_refusal() {
        for (error, code) in [
            (JsonError::NotJson { at: 0 }, "body_not_json"),
            (JsonError::DuplicateKey { at: 0 }, "body_duplicate_key"),
            (JsonError::TooDeep { at: 0 }, "body_too_deep"),
            (JsonError::TooLarge { at: 0 }, "body_too_deep"),
            (JsonError::NotUtf8 { at: 0 }, "body_not_utf8"),
        ] {
            assert_eq!(json_denial(&error).code(), code);
        }
    }
}
