//! JSON on exactly one line that no terminal and no log reader can take for anything else.
//!
//! # Invariants
//! * No byte of a value can end the line, move a cursor or reverse the text (`hostile_values_stay_one_line`).

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use std::io::{self, Write};

/// Appends `value` and a newline to `out`.
///
/// # Errors
/// Only if `value` cannot be JSON.
pub fn write_line(out: &mut Vec<u8>, value: &impl Serialize) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, OneLine))?;
    out.push(b'\n');
    Ok(())
}

/// serde_json escapes what JSON asks for (below U+0020); this one also what terminals and log readers act upon.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unsafe(*c)) {
            let (before, after) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = after.get(c.len_utf8()..).unwrap_or_default();
        }
        out.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, out: &mut W, escape: CharEscape) -> io::Result<()> {
        CompactFormatter.write_char_escape(out, escape)
    }
}

/// DEL and C1 controls (U+009B starts a terminal sequence), line and paragraph separators, bidirectional overrides.
fn is_unsafe(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_values_stay_one_line() {
        let every: String = (0..=0x2fff).chain([0xfeff, 0x1_f600]).filter_map(char::from_u32).collect();
        for value in
            ["a\r\nHTTP/1.1 200 OK", "\u{1b}[2J\u{9b}31m", "\u{7f}\u{2028}\u{202e}x", "\"}\n{\"status\":200", &every]
        {
            let mut line = Vec::new();
            write_line(&mut line, &value).unwrap();
            let text = String::from_utf8(line).unwrap();
            assert_eq!(text.matches('\n').count(), 1, "{text:?}");
            let inside = text.trim_end_matches('\n');
            assert!(!inside.chars().any(|c| c.is_control() || is_unsafe(c)), "{inside:?}");
            assert_eq!(serde_json::from_str::<String>(inside).unwrap(), value, "the value itself is kept");
        }
    }
}
