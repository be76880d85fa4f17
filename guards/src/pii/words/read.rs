//! Reads the words of a text.

use super::{FIRST, FNV_START, Meaning, SECOND, STEM_BYTES_MIN, TABLE, WORD, pair, step};
use crate::pii::eight::Eight;

/// A word in a text.
#[derive(Clone, Copy)]
pub(in crate::pii) struct Word<'a> {
    pub text: &'a [u8],
    /// The word before it that one sign joins to it; empty: there is none.
    before: &'a [u8],
    /// It has letters that are not ASCII.
    wide: bool,
}

impl<'a> Word<'a> {
    pub fn of(text: &'a [u8]) -> Self {
        Self { text, before: &[], wide: !text.is_ascii() }
    }

    pub fn meaning(self) -> Meaning {
        self.said().0
    }

    /// What it means, and whether it means that together with the word before it: `permanent account`.
    pub fn said(self) -> (Meaning, bool) {
        let table = &*TABLE;
        let gates = table.gates(self.text);
        if gates & SECOND != 0 && !self.before.is_empty() && table.gates(self.before) & FIRST != 0 {
            let hash = |word: &[u8]| word.iter().fold(FNV_START, |hash, byte| step(hash, *byte));
            if let Some(slot) = table.find(pair(hash(self.before), hash(self.text))) {
                return (slot.meaning, true);
            }
        }
        let mut meaning = if self.wide { self.stems() } else { Meaning::default() };
        let found = if gates & WORD != 0 { table.lookup(self.text) } else { None };
        match (found, self.text) {
            (Some(found), _) => meaning.add(found),
            (None, [singular @ .., b's' | b'S']) if table.gates(singular) & WORD != 0 => {
                table.lookup(singular).into_iter().for_each(|found| meaning.add(found));
            }
            _ => {}
        }
        (meaning, false)
    }

    /// What its beginnings mean that are stems; only languages with other letters have such.
    fn stems(self) -> Meaning {
        let table = &*TABLE;
        if !table.begins_stem(self.text) {
            return Meaning::default();
        }
        let (mut meaning, mut hash, mut wide) = (Meaning::default(), FNV_START, false);
        for (place, byte) in self.text.iter().enumerate() {
            hash = step(hash, *byte);
            wide |= *byte >= 0x80;
            let ends = self.text.get(place + 1).is_none_or(|next| *next & 0xC0 != 0x80);
            if wide
                && ends
                && place + 1 >= STEM_BYTES_MIN
                && let Some(slot) = table.find(hash).filter(|slot| slot.stem)
            {
                meaning.add(slot.meaning);
            }
        }
        meaning
    }
}

/// The character at the start of `rest`: its length, and whether it is a letter. Marks that Indic letters carry are letters.
pub(in crate::pii) fn letter(rest: &[u8]) -> Option<(usize, bool)> {
    let len = match *rest.first()? {
        first @ 0..0x80 => return Some((1, first.is_ascii_alphabetic())),
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
        0x80..0xC0 => return Some((1, false)),
    };
    if let Some(is_letter) = indic(rest) {
        return Some((3, is_letter));
    }
    let Some(c) = rest.get(..len).and_then(|b| std::str::from_utf8(b).ok()).and_then(|s| s.chars().next()) else {
        return Some((1, false));
    };
    let code = c as u32;
    // Punctuation, currency and symbols; dandas; full-width forms and digits, which fold to ASCII.
    let other = matches!(code, 0..0xAA | 0x964..=0x965 | 0x2000..=0x2BFF | 0x3000..=0x303F | 0xFF00..)
        || crate::pii::fold::fold(c) != crate::pii::fold::HARD;
    let joiner = matches!(code, 0x200C | 0x200D);
    Some((len, !other || joiner))
}

/// For a character of the blocks of the Indic scripts, whether it is a letter: digits stand at the same places of each, and there
/// are two dandas.
#[inline]
fn indic(rest: &[u8]) -> Option<bool> {
    let [0xE0, second @ 0xA4..=0xB7, third, ..] = rest else { return None };
    let digit = second & 1 == 1 && (0xA6..=0xAF).contains(third);
    let danda = *second == 0xA5 && matches!(third, 0xA4 | 0xA5);
    Some(!digit && !danda)
}

/// Calls `tell` with each word and the place after it. `camelCase` is two words.
pub(in crate::pii) fn each_word<'a>(text: &'a [u8], tell: impl FnMut(Word<'a>, usize)) {
    match Borders::of(text) {
        Some(borders) => each_ascii_word(text, borders, tell),
        None => each_wide_word(text, tell),
    }
}

/// Where the words of a short ASCII text start and end, one bit for each byte: found without a branch for each.
struct Borders {
    starts: u128,
    lasts: u128,
}

impl Borders {
    /// `None` if the text is too long, or not ASCII.
    fn of(text: &[u8]) -> Option<Self> {
        if text.len() > 128 {
            return None;
        }
        let (mut small, mut capital) = (0, 0);
        for (place, chunk) in text.chunks(Eight::BYTES).enumerate() {
            let eight = Eight::at(chunk, 0).unwrap_or_else(|| Eight::padded(chunk));
            if eight.wide() != 0 {
                return None;
            }
            small |= u128::from(Eight::bits(eight.between(b'a', b'z'))) << (place * 8);
            capital |= u128::from(Eight::bits(eight.between(b'A', b'Z'))) << (place * 8);
        }
        let letters = small | capital;
        let starts = letters & !(letters << 1) | capital & (small << 1);
        Some(Self { starts, lasts: letters & (!(letters >> 1) | (starts >> 1)) })
    }
}

fn each_ascii_word<'a>(text: &'a [u8], borders: Borders, mut tell: impl FnMut(Word<'a>, usize)) {
    let Borders { mut starts, mut lasts } = borders;
    let (mut before, mut read_to): (&[u8], _) = (&[], 0);
    while starts != 0 {
        let (start, end) = (starts.trailing_zeros() as usize, lasts.trailing_zeros() as usize + 1);
        (starts, lasts) = (starts & (starts - 1), lasts & (lasts - 1));
        if start - read_to > PAIR_GAP_MAX {
            before = &[];
        }
        let word = text.get(start..end).unwrap_or_default();
        tell(Word { text: word, before, wide: false }, end);
        (before, read_to) = (word, end);
    }
}

/// Most characters between two words that are a pair.
const PAIR_GAP_MAX: usize = 2;

fn each_wide_word<'a>(text: &'a [u8], mut tell: impl FnMut(Word<'a>, usize)) {
    let (mut at, mut before, mut gap): (_, &[u8], _) = (0, &[], 0);
    while at < text.len() {
        let (end, wide) = word_end(text, at);
        if end == at {
            gap += 1;
            if gap > PAIR_GAP_MAX {
                before = &[];
            }
            at += text.get(at..).and_then(letter).map_or(1, |(len, _)| len);
            continue;
        }
        let word = text.get(at..end).unwrap_or_default();
        tell(Word { text: word, before, wide }, end);
        (at, before, gap) = (end, word, 0);
    }
}

/// The end of the word that starts here, and whether it has letters that are not ASCII.
fn word_end(text: &[u8], from: usize) -> (usize, bool) {
    let rest = text.get(from..).unwrap_or_default();
    let capitals = run(rest, u8::is_ascii_uppercase);
    let letters = capitals + run(rest.get(capitals..).unwrap_or_default(), u8::is_ascii_lowercase);
    match rest.get(letters) {
        Some(0x80..) => wide_end(text, from),
        _ => (from + letters, false),
    }
}

#[inline]
fn run(bytes: &[u8], is: impl Fn(&u8) -> bool) -> usize {
    bytes.iter().position(|byte| !is(byte)).unwrap_or(bytes.len())
}

fn wide_end(text: &[u8], from: usize) -> (usize, bool) {
    let (mut at, mut small, mut wide) = (from, false, false);
    while text.get(at..).and_then(indic) == Some(true) {
        (at, small, wide) = (at + 3, true, true);
    }
    while let Some((len, true)) = text.get(at..).and_then(letter) {
        let capital = text.get(at).is_some_and(u8::is_ascii_uppercase);
        if capital && small {
            break;
        }
        (small, wide) = (!capital, wide | (len > 1));
        at += len;
    }
    (at, wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readers_find_the_same_words() {
        let mut seed = 7u64;
        for _ in 0..20_000 {
            let text: Vec<u8> = (0..seed % 129)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    *b"aAzZbB @[`{9-\n".get((seed >> 60) as usize % 14).unwrap_or(&b' ')
                })
                .collect();
            let all =
                |words: &mut Vec<_>, word: Word<'_>, end| words.push((word.text.to_vec(), word.before.to_vec(), end));
            let (mut fast, mut slow) = (Vec::new(), Vec::new());
            each_word(&text, |word, end| all(&mut fast, word, end));
            each_wide_word(&text, |word, end| all(&mut slow, word, end));
            assert_eq!(fast, slow, "{}", String::from_utf8_lossy(&text));
            seed = seed.wrapping_add(1);
        }
    }
}
