//! Finds the next place worth a look: most text has no digit and no `@` and is passed over at memory speed.
//!
//! # Invariants
//! * No value starts in what is passed over (`a_masked_stream_is_the_masked_whole`: a text in single characters is looked at
//!   in far more places than the whole, and gives the same).

use super::email::LOCAL_CHARS_MAX;
use super::fold::{Cursor, DASH, HARD, fold, is_alnum, is_local};

const BLOCK: usize = 32;

/// The first place from `at` on where a value could start; the end of the text only if nothing before it could be the
/// start of one that the following text completes.
pub(super) fn next_token(text: &[u8], at: usize) -> usize {
    let found = next_interesting(text, at);
    let mut start = found;
    while start > at && found - start < LOCAL_CHARS_MAX && is_local(before(text, start)) {
        start -= 1;
    }
    if start > at && before(text, start) == b'(' {
        start -= 1;
        if start > at && before(text, start) == b'+' {
            start -= 1;
        }
    }
    start
}

/// End of the run of letters and digits from here on, as far as there is text.
pub(super) fn run_end(mut here: Cursor<'_>) -> usize {
    while let Ok((class, len)) = here.peek() {
        if !is_alnum(class) {
            break;
        }
        here.at += len;
    }
    here.at
}

fn before(text: &[u8], at: usize) -> u8 {
    at.checked_sub(1).and_then(|i| text.get(i)).copied().unwrap_or(HARD)
}

/// The next digit, `@`, or other character that folds to a part of a value.
fn next_interesting(text: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        at = skip_plain(text, at);
        let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else { return text.len() };
        let Some((c, len)) = first_wide(rest) else { return at };
        if !matches!(fold(c), HARD | b' ' | DASH) {
            return at;
        }
        at += len;
    }
}

/// The character at the start of `rest` if it is not ASCII.
fn first_wide(rest: &[u8]) -> Option<(char, usize)> {
    let len = match rest.first()? {
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
        0..0xC0 => return None,
    };
    let c = std::str::from_utf8(rest.get(..len)?).ok()?.chars().next()?;
    Some((c, len))
}

fn is_marked(byte: u8) -> bool {
    byte >= 0x80 || byte == b'@' || byte.wrapping_sub(b'0') < 10
}

/// The next byte that is a digit, `@` or not ASCII. Whole blocks are tested without a branch, which compiles to vectors.
fn skip_plain(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(block) = text.get(at..at + BLOCK) {
        if block.iter().fold(false, |any, b| any | is_marked(*b)) {
            break;
        }
        at += BLOCK;
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| is_marked(*b)).unwrap_or(rest.len())
}
