//! JSON strings: escapes in both directions.
//!
//! # Invariants
//! * `unescape` is given only what the parser accepted; on anything else it gives U+FFFD and never panics.
//! * Decoding what was encoded gives the same text (`quoting_is_undone_by_unquoting`).

use super::JsonKind;
use std::borrow::Cow;
use std::fmt::Write;

/// Bytes that are judged without a branch between them.
const BLOCK_BYTES: usize = 64;

/// `text` as a JSON string with its quotes.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote_into(text, &mut out);
    out
}

/// Appends `text` as a JSON string with its quotes.
pub fn quote_into(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = first_escaped(rest.as_bytes()) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = tail.chars();
        escape(chars.next().unwrap_or_default(), out);
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Where the first byte stands that cannot be in a string as it is. Whole blocks without one are passed at once.
fn first_escaped(bytes: &[u8]) -> Option<usize> {
    let is_escaped = |b: &u8| (*b < 0x20) | (*b == b'"') | (*b == b'\\');
    let has_one = |block: &&[u8]| block.iter().fold(false, |found, b| found | is_escaped(b));
    let index = bytes.chunks(BLOCK_BYTES).position(|block| has_one(&block))?;
    let start = index * BLOCK_BYTES;
    bytes.get(start..)?.iter().position(is_escaped).map(|at| start + at)
}

fn escape(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        // Writing to a string cannot fail.
        c => {
            let _ = write!(out, "\\u{:04x}", c as u32);
        }
    }
}

/// The text of a JSON string with its quotes; `None` if `json` is no string.
pub(super) fn unquote(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.trim().strip_prefix('"')?.strip_suffix('"')?;
    Some(if inner.contains('\\') { Cow::Owned(unescape(inner.as_bytes())) } else { Cow::Borrowed(inner) })
}

/// What kind of value a JSON text is, by its first character.
pub(super) fn kind_of(json: &str) -> JsonKind {
    match json.trim_start().as_bytes().first() {
        Some(b'{') => JsonKind::Object,
        Some(b'[') => JsonKind::Array,
        Some(b'"') => JsonKind::String,
        Some(b't' | b'f') => JsonKind::Bool,
        Some(b'-' | b'0'..=b'9') => JsonKind::Number,
        Some(_) | None => JsonKind::Null,
    }
}

/// A string's source without its quotes.
pub(super) fn inner(raw: &[u8]) -> &[u8] {
    raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default()
}

/// Decodes the inside of a string.
pub(super) fn unescape(inner: &[u8]) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(std::str::from_utf8(plain).unwrap_or("\u{FFFD}"));
        let (c, used) = escaped_char(tail).unwrap_or(('\u{FFFD}', 1));
        out.push(c);
        rest = tail.get(used..).unwrap_or_default();
    }
    out.push_str(std::str::from_utf8(rest).unwrap_or("\u{FFFD}"));
    out
}

/// The character of the escape at the start of `text` and the escape's length; `None` if it is not a valid escape.
pub(super) fn escaped_char(text: &[u8]) -> Option<(char, usize)> {
    let simple = match text.get(1)? {
        b'u' => return unicode_escape(text),
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    };
    Some((simple, 2))
}

/// `\uXXXX` or a surrogate pair of two; a lone surrogate is no character.
fn unicode_escape(text: &[u8]) -> Option<(char, usize)> {
    let first = hex4(text.get(2..6)?)?;
    if !(0xD800..0xE000).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    if first >= 0xDC00 || text.get(6..8)? != b"\\u" {
        return None;
    }
    let second = hex4(text.get(8..12)?)?;
    let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x10000 + ((first - 0xD800) << 10) + low)?, 12))
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |n, b| Some(n * 16 + char::from(*b).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quoting_is_undone_by_unquoting(text in any::<String>(), plain in 0_usize..200) {
            let text = "p".repeat(plain) + &text;
            let quoted = quote(&text);
            prop_assert_eq!(unquote(&quoted).unwrap(), text.clone());
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }

    #[test]
    fn surrogate_pairs_make_one_character_and_lone_ones_none() {
        assert_eq!(escaped_char(br"\ud83d\ude00"), Some(('😀', 12)));
        for lone in [&br"\ud83d"[..], br"\ud83dx", br"\ude00", br"\ud83d\u0041", br"\ud83d\ud83d", br"\u12g4", br"\x"] {
            assert_eq!(escaped_char(lone), None, "{}", lone.escape_ascii());
        }
    }
}
