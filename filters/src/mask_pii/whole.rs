//! Masking of whole bodies: JSON, JSON lines, forms and plain text.
//!
//! # Invariants
//! * Values that make the protocol work are left alone, but only if they look like identifiers
//!   (`identifiers_stay_and_people_in_their_place_do_not`).

use super::paths::Scope;
use super::tokens::{self, Minted, Minter, Spelling};
use crate::form::{self, NotUtf8};
use crate::frame::Frame;
use crate::framers::json::{JsonDoc, JsonLimits, NodeId};
use crate::read_body::json_lines;
use bytes::{Bytes, BytesMut};
use raptorgate_config::model::JsonPaths;
use raptorgate_guards::pii::{Masker, Rules, Tally, names_a_number};
use raptorgate_policies::Denial;

/// Members whose values name parts of the protocol and not people.
const STRUCTURAL: &[&str] = &[
    "model",
    "role",
    "type",
    "object",
    "id",
    "tool_call_id",
    "tool_use_id",
    "call_id",
    "item_id",
    "response_id",
    "previous_response_id",
    "responseId",
    "modelVersion",
    "finish_reason",
    "stop_reason",
    "finishReason",
    "system_fingerprint",
    "service_tier",
    "status",
    "event",
    "media_type",
    "mimeType",
    "mime_type",
    "encoding_format",
];

/// Strings from this length on are tried as coded binary data.
const BLOB_BYTES_MIN: usize = 256;

/// Fewest digits of a number that can be somebody's.
const DIGITS_MIN: usize = 8;

/// Masking of one request or reply: by which rules, with which tokens, and what was found.
pub(super) struct Work<'a> {
    pub rules: &'a Rules,
    pub tally: &'a mut Tally,
    pub minter: &'a mut Minter,
}

impl Work<'_> {
    /// A whole text under a name; `None` if nothing was found.
    pub fn text(&mut self, name: &str, text: &str) -> Option<String> {
        Masker::whole_with(self.rules, name, text, self.tally, self.minter)
    }
}

/// Members that hold JSON as a text.
const ARGUMENTS: &[&str] = &["arguments", "partial_json"];

/// Turns tokens in every string value back that `skip` does not name.
pub(super) fn restore_strings(doc: &mut JsonDoc, minted: &Minted, skip: impl Fn(NodeId) -> bool) {
    if minted.is_empty() {
        return;
    }
    let mut edits = Vec::new();
    for node in doc.strings() {
        let Some(text) = doc.str(node).filter(|_| !skip(node)) else { continue };
        let arguments = doc.key(node).is_some_and(|key| ARGUMENTS.contains(&&*key));
        let spelling = if arguments { Spelling::InJson } else { Spelling::Plain };
        if let Some(text) = tokens::restore(&text, minted, spelling) {
            edits.push((node, text));
        }
    }
    for (node, text) in edits {
        doc.replace_str(node, &text);
    }
}

/// Masks every string value that `skip` does not name; values of keys stay keys.
pub(super) fn mask_strings(doc: &mut JsonDoc, work: &mut Work<'_>, skip: impl Fn(NodeId) -> bool) {
    let mut edits = Vec::new();
    for node in doc.strings() {
        let Some(text) = doc.str(node).filter(|_| !skip(node)) else { continue };
        if is_blob(&text) || is_structural(doc, node, &text) {
            continue;
        }
        let key = doc.key(node).filter(|key| !STRUCTURAL.contains(&&**key)).unwrap_or_default();
        if let Some(masked) = work.text(&key, &text) {
            edits.push((node, masked));
        }
    }
    for (node, masked) in edits {
        doc.replace_str(node, &masked);
    }
}

/// Masks the strings of a request that its paths do not leave out, and numbers whose names say that they are somebody's.
pub(super) fn mask_document(doc: &mut JsonDoc, work: &mut Work<'_>, paths: &JsonPaths) {
    let scope = Scope::of(doc, paths);
    mask_numbers(doc, work, |node| scope.skips(node));
    mask_strings(doc, work, |node| scope.skips(node));
}

/// Masks numbers whose names say that they are somebody's; a number becomes a text.
pub(super) fn mask_numbers(doc: &mut JsonDoc, work: &mut Work<'_>, skip: impl Fn(NodeId) -> bool) {
    let mut edits = Vec::new();
    for node in doc.numbers().filter(|node| !skip(*node)) {
        let digits = std::str::from_utf8(doc.raw(node)).unwrap_or_default();
        if let Some(key) = doc.key(node).filter(|key| digits.len() >= DIGITS_MIN && names_a_number(key))
            && let Some(masked) = work.text(&key, digits)
        {
            edits.push((node, masked));
        }
    }
    for (node, masked) in edits {
        doc.replace_str(node, &masked);
    }
}

/// True for a protocol member whose value is one word with a small letter in it and no `@`: `call_9876543210`, but neither
/// a phone number nor an address.
fn is_structural(doc: &JsonDoc, node: NodeId, text: &str) -> bool {
    let word = text.bytes().any(|b| b.is_ascii_lowercase()) && !text.contains(['@', ' ']);
    word && doc.key(node).is_some_and(|key| STRUCTURAL.contains(&&*key))
}

/// True for base64 and `data:` addresses, in which digits mean nothing.
fn is_blob(text: &str) -> bool {
    let coded = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'=' | b'\n' | b'\r');
    let data = match text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((kind, data)) if kind.len() <= 128 => data,
        Some(_) => return false,
        None if text.len() >= BLOB_BYTES_MIN => text,
        None => return false,
    };
    // Real data of this length mixes letters and digits; a list of numbers does not.
    data.bytes().all(coded)
        && data.bytes().any(|b| b.is_ascii_lowercase())
        && data.bytes().any(|b| b.is_ascii_uppercase())
}

/// Masks each line; `None` if nothing was found.
pub(super) fn mask_lines(
    bytes: &Bytes,
    limits: JsonLimits,
    paths: &JsonPaths,
    work: &mut Work<'_>,
) -> Result<Option<Bytes>, Denial> {
    let frames = json_lines(bytes, limits)?;
    let before = *work.tally;
    let mut out = BytesMut::with_capacity(bytes.len());
    for mut frame in frames {
        if let Frame::JsonLine(line) = &mut frame
            && let Some(doc) = &mut line.json
        {
            mask_document(doc, work, paths);
        }
        frame.encode(&mut out);
    }
    Ok((*work.tally != before).then(|| out.freeze()))
}

/// Masks the values of a form or query; `None` if nothing was found.
pub(super) fn mask_form(form: &str, work: &mut Work<'_>) -> Result<Option<String>, NotUtf8> {
    form::rewritten(form, |name, value| Ok(work.text(name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use raptorgate_config::model::{Masking, PiiAction, PiiType};

    /// Does something with rules for four types.
    fn with<T>(work: impl FnOnce(&mut Work<'_>) -> T) -> T {
        let kinds = [PiiType::Email, PiiType::Phone, PiiType::Aadhaar, PiiType::Pan];
        let rules = Rules::new(&kinds.map(|kind| (kind, PiiAction::Replace)));
        let keyed = std::sync::Arc::new(tokens::Keyed::new(&Masking::default(), None));
        let mut minter = Minter::new(&keyed, "acme", "c");
        work(&mut Work { rules: &rules, tally: &mut Tally::default(), minter: &mut minter })
    }

    fn masked(json: &str) -> String {
        let limits = JsonLimits::default();
        let mut doc = JsonDoc::parse(Bytes::copy_from_slice(json.as_bytes()), &limits).unwrap();
        with(|work| mask_strings(&mut doc, work, |_| false));
        String::from_utf8(doc.into_bytes().to_vec()).unwrap()
    }

    #[test]
    fn identifiers_stay_and_people_in_their_place_do_not() {
        let kept = r#"{"id":"call_9876543210","model":"ft:9876543210-x","type":"t"}"#;
        assert_eq!(masked(kept), kept);
        assert_eq!(
            masked(r#"{"id":"asha@x.in","model":"9876543210","role":"call 9876543210","type":"IVWAG7475N"}"#),
            r#"{"id":"[EMAIL]","model":"[PHONE]","role":"call [PHONE]","type":"[PAN]"}"#
        );
        assert_eq!(masked(r#"["a@b.in",{"x":["9876543210"]}]"#), r#"["[EMAIL]",{"x":["[PHONE]"]}]"#);
    }

    #[test]
    fn escapes_hide_nothing() {
        assert_eq!(masked(r#""asha\u0040x.\u0069n 98765\u002043210""#), r#""[EMAIL] [PHONE]""#);
        assert_eq!(masked(r#"{"arguments":"{\"to\":\"asha@x.in\"}"}"#), r#"{"arguments":"{\"to\":\"[EMAIL]\"}"}"#);
    }

    #[test]
    fn coded_images_stay_whole() {
        let blob = "QUJD/9876543210/x".repeat(20);
        for kept in [format!(r#"{{"data":"{blob}"}}"#), r#"{"url":"data:image/png;base64,aB/9876543210/"}"#.to_owned()]
        {
            assert_eq!(masked(&kept), kept);
        }
        let numbers = "9876543210-".repeat(40);
        assert!(!masked(&format!(r#""{numbers}""#)).contains('9'), "a list of numbers is no image");
    }

    #[test]
    fn forms_are_masked_in_their_decoded_values() {
        let form = |text: &str| with(|work| mask_form(text, work));
        assert_eq!(
            form("a=asha%40x.in&b=%2B91+98765%2043210&c=1").unwrap().unwrap(),
            "a=%5BEMAIL%5D&b=%5BPHONE%5D&c=1"
        );
        assert_eq!(form("a=b+c&%zz=%zz&x").unwrap(), None);
        assert_eq!(form("9876543210").unwrap().unwrap(), "%5BPHONE%5D");
        assert!(form("a=%ff").is_err());
    }

    #[test]
    fn lines_are_masked_one_by_one() {
        let bytes = Bytes::from_static(b"{\"a\": \"98765\"}\r\n\n{\"b\": \"9876543210\"}");
        let out = with(|work| mask_lines(&bytes, JsonLimits::default(), &JsonPaths::default(), work)).unwrap().unwrap();
        assert_eq!(&out[..], b"{\"a\": \"98765\"}\r\n\n{\"b\": \"[PHONE]\"}\n");
    }
}
