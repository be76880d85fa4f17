//! Ranges of content types, as a file writes them.
//!
//! # Invariants
//! * A range is lower case and has no parameters (`media_ranges_are_read_strictly`).

use crate::decode::{FromText, Wrong};
use crate::model::MediaRange;
use serde_json::{Value as Json, json};

/// Longest type or subtype (RFC 6838 §4.2).
const NAME_CHARS_MAX: usize = 127;

impl FromText for MediaRange {
    const LABEL: &'static str = "a content type";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let wrong =
            || Wrong::because("it is no type without parameters").help("`application/json`, `text/html`, `text/*`");
        let (family, subtype) = text.split_once('/').ok_or_else(wrong)?;
        if !is_name(family) || !(subtype == "*" || is_name(subtype)) {
            return Err(wrong());
        }
        let subtype = (subtype != "*").then(|| subtype.to_ascii_lowercase());
        Ok(Self { family: family.to_ascii_lowercase(), subtype })
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/([*]|[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*)$" })
    }
}

/// A restricted name (RFC 6838 §4.2).
fn is_name(name: &str) -> bool {
    let rest = |b: u8| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b);
    name.len() <= NAME_CHARS_MAX && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.bytes().all(rest)
}

/// Writes a range as a file would.
pub(crate) fn media_text(range: &MediaRange) -> String {
    format!("{}/{}", range.family, range.subtype.as_deref().unwrap_or("*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_ranges_are_read_strictly() {
        for (text, written) in [("Text/HTML", "text/html"), ("text/*", "text/*"), ("image/svg+xml", "image/svg+xml")] {
            assert_eq!(MediaRange::from_text(text).ok().as_ref().map(media_text).as_deref(), Some(written));
        }
        for bad in
            ["", "text", "*/*", "text/", "/html", "text/html; charset=utf-8", "a/b/c", "text/h*", " text/html", "a /b"]
        {
            assert!(MediaRange::from_text(bad).is_err(), "{bad}");
        }
    }
}
