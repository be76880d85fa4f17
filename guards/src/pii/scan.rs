//! Finds the next place worth a look: most text has none of the marks that values have, and is passed over at memory speed.
//!
//! A mark is a digit of any script, `@`, `_`, and the pairs `://`, `--` and `IA` (as in the ids of cloud keys). Every value
//! has a mark near its beginning; a look starts at the beginning of the run of characters around a mark.
//!
//! # Invariants
//! * No value starts in what is passed over (`a_masked_stream_is_the_masked_whole`: a text in single characters is looked at
//!   in far more places than the whole, and gives the same).

use super::address::LOCAL_CHARS_MAX;
use super::eight::Eight;
use super::fold::{Cursor, DASH, HARD, fold, is_alnum, is_local};
use super::tables::states::is_state_code;

const BLOCK: usize = 32;

/// Longest word before a space that can be the beginning of a value: `KL 25 K 0032`, `P 1234567`.
const LEAD_CHARS_MAX: usize = 5;

/// The first place from `at` on where a value could start; the end of the text only if nothing before it could be the
/// start of one that the following text completes. `mark`: the last mark found in this text.
pub(super) fn next_token(text: &[u8], from: usize, mark: &mut Mark) -> usize {
    let mut at = next_run(text, from, mark);
    while is_inert(text, at) {
        at = next_run(text, at + 1, mark);
    }
    at
}

/// True for a sign with which no value begins, given what stands next to it.
fn is_inert(text: &[u8], at: usize) -> bool {
    let Some([last, sign, next]) = text.get(at.wrapping_sub(1)..).and_then(<[u8]>::first_chunk) else { return false };
    // What follows a colon can be the password in a URL.
    *last != b':'
        && match sign {
            b'-' | b':' => next != sign,
            b'!' | b'#' | b'$' | b'*' | b'/' | b'@' | b'^' | b'~' => !may_be_assigned(*last),
            b' '..=b'~' => !is_alnum(*sign) && !matches!(sign, b'(' | b'+' | b'_'),
            _ => false,
        }
}

/// What stands right before a value that is assigned to a name.
pub(super) fn may_be_assigned(last: u8) -> bool {
    matches!(last, b' ' | b'"' | b'\'' | b'`' | b':' | b'=' | b'>' | b',' | b';' | b'|' | b'\t' | b'\n')
}

/// The beginning of the run around the next mark.
fn next_run(text: &[u8], at: usize, mark: &mut Mark) -> usize {
    // The mark found for an earlier place is the next one as long as it is not passed, and its run was walked back already.
    if mark.known && at <= mark.at {
        if at >= mark.start {
            return at;
        }
    } else {
        *mark = Mark { known: true, at: next_interesting(text, at), start: 0 };
    }
    let found = mark.at;
    let mut start = found;
    while start > at && found - start < LOCAL_CHARS_MAX && is_token(before(text, start)) {
        start -= 1;
    }
    if start > at && before(text, start) == b'(' {
        start -= 1;
        if start > at && before(text, start) == b'+' {
            start -= 1;
        }
    }
    mark.start = lead_word(text, at, start);
    mark.start
}

/// The last mark found in a text, and where the look at it starts.
#[derive(Default)]
pub(super) struct Mark {
    known: bool,
    at: usize,
    start: usize,
}

/// The start of a short word of capital letters that stands before `start` and a space; else `start`.
fn lead_word(text: &[u8], at: usize, start: usize) -> usize {
    if start < at + 2 || before(text, start) != b' ' {
        return start;
    }
    let mut word = start - 1;
    let fits = |byte: u8| byte.is_ascii_alphabetic();
    while word > at && start - word <= LEAD_CHARS_MAX && fits(before(text, word)) {
        word -= 1;
    }
    let whole = word == at || !is_alnum(before(text, word));
    let letters = text.get(word..start - 1).unwrap_or_default();
    let capitals = letters.iter().all(u8::is_ascii_uppercase);
    if whole && !letters.is_empty() && (capitals || is_state(letters)) { word } else { start }
}

/// The letters of a state, in any case: `kl 25 k 0032`.
fn is_state(letters: &[u8]) -> bool {
    matches!(letters, [first, second] if is_state_code(*first, *second))
}

/// End of the run of letters and digits from here on, as far as there is text.
pub(super) fn run_end(mut here: Cursor<'_>) -> usize {
    here.limit = usize::MAX;
    while let Ok((class, len)) = here.peek() {
        if !is_alnum(class) {
            break;
        }
        here.at += len;
    }
    here.at
}

/// True if the scan stops somewhere in the first characters of `value`: only such values are found in every way of cutting.
pub(super) fn has_mark(value: &str) -> bool {
    let mut end = value.len().min(LOCAL_CHARS_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    next_interesting(value.get(..end).unwrap_or_default().as_bytes(), 0) < end
}

/// Belongs to the run around a mark that is walked back over.
pub(super) fn is_token(class: u8) -> bool {
    is_local(class) || matches!(class, b':' | b'/' | b'!' | b'#' | b'$' | b'*' | b'^' | b'@' | b'~' | b'?' | b'=')
}

fn before(text: &[u8], at: usize) -> u8 {
    at.checked_sub(1).and_then(|i| text.get(i)).copied().unwrap_or(HARD)
}

/// The next mark, or other character that folds to a part of a value.
fn next_interesting(text: &[u8], from: usize) -> usize {
    let mut at = from;
    loop {
        if text.get(at).is_some_and(u8::is_ascii) {
            at = skip_plain(text, at);
        }
        let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) else { return text.len() };
        if let [0xE0, b @ 0xA4..=0xB7, c, ..] = rest {
            // An Indic letter, and no digit.
            if b & 1 == 0 || !(0xA6..=0xAF).contains(c) {
                at += 3;
                continue;
            }
            return at;
        }
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

fn is_marked(byte: u8, next: u8) -> bool {
    let single = (byte >= 0x80) | (byte == b'@') | (byte == b'_') | (byte.wrapping_sub(b'0') < 10);
    let pair =
        ((byte == b':') & (next == b'/')) | ((byte == b'-') & (next == b'-')) | ((byte == b'I') & (next == b'A'));
    single | pair
}

impl Eight {
    /// As [`is_marked`]: the highest bit of each byte that is.
    fn marks(self, nexts: Self) -> u64 {
        let single = self.wide() | self.equal(b'@') | self.equal(b'_') | self.between(b'0', b'9');
        let pair = (self.equal(b':') & nexts.equal(b'/'))
            | (self.equal(b'-') & nexts.equal(b'-'))
            | (self.equal(b'I') & nexts.equal(b'A'));
        single | pair
    }
}

/// The next byte that is a mark or not ASCII. Whole blocks are tested without a branch, which compiles to vectors.
fn skip_plain(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let (Some(block), Some(nexts)) = (text.get(at..at + BLOCK), text.get(at + 1..at + BLOCK + 1)) {
        if block.iter().zip(nexts).fold(false, |any, (byte, next)| any | is_marked(*byte, *next)) {
            break;
        }
        at += BLOCK;
    }
    while let (Some(bytes), Some(nexts)) = (Eight::at(text, at), Eight::at(text, at + 1)) {
        let marks = bytes.marks(nexts);
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += Eight::BYTES;
    }
    let rest = text.get(at..).unwrap_or_default();
    let nexts = rest.iter().skip(1).chain([&0]);
    at + rest.iter().zip(nexts).position(|(byte, next)| is_marked(*byte, *next)).unwrap_or(rest.len())
}
