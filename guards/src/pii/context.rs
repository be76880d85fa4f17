//! What the words, keys and signs before a place say of a value there, and how much that counts.
//!
//! # Invariants
//! * Only [`Left`] is read, never what follows: what a value is does not change when a later one is masked
//!   (`masking_twice_is_masking_once`).
//! * Placeholders of earlier values say nothing (`placeholders_are_no_context`).

use super::left::Left;
use super::rules::Rules;
use super::words::{self, Meaning};
use raptorgate_config::model::PiiType;
use std::cell::OnceCell;

/// A word for a type counts up to so many bytes before the value; Indic letters have three.
const FOR_BYTES_MAX: u8 = 72;
/// So many bytes are read: the distance and a word.
const READ_BYTES: usize = FOR_BYTES_MAX as usize + 12;
/// A word against it counts with so many words between, and within one clause or cell only.
const AGAINST_WORDS_MAX: u8 = 2;
/// For dotted numbers only what stands right before them is a version.
const VERSION_BYTES_MAX: u8 = 12;
/// Right before the value, with a separator or a short word between.
const NEAR_BYTES_MAX: u8 = 18;
/// A full stop after a shorter word ends no clause: `Invoice no. 7`, `Rs. 7`.
const ABBREVIATION_BYTES_MAX: usize = 4;
/// More words that say something do not fit into what is read: two letters and what joins them.
const TOLD_MAX: usize = READ_BYTES / 3;
const NONE: u8 = u8::MAX;

/// How certain a value is in percent: by itself, with a word for it, with a word against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weight(pub u8, pub u8, pub u8);

/// What stands before a place says of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    For,
    Against,
    Nothing,
}

/// A word that says something.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    meaning: Meaning,
    /// Bytes between its end and the place.
    away: u8,
    /// The how many-th word it is.
    count: u8,
}

/// What stands before the place.
#[derive(Debug)]
struct Nearest {
    told: [Told; TOLD_MAX],
    len: usize,
    /// Words, also those that say nothing.
    count: u8,
    /// Bytes since the last separator of cells.
    cell: u8,
    /// Bytes since the last digit.
    digit: u8,
}

impl Nearest {
    fn told(&mut self) -> &mut [Told] {
        self.told.get_mut(..self.len).unwrap_or_default()
    }

    fn tell(&mut self, meaning: Meaning, away: u8) {
        if meaning != Meaning::default()
            && let Some(slot) = self.told.get_mut(self.len)
        {
            (*slot, self.len) = (Told { meaning, away, count: self.count }, self.len + 1);
        }
    }

    /// Bytes between the place and the nearest word for this type, and the nearest one against it.
    fn distances(&self, kind: PiiType) -> (u8, u8) {
        let bit = words::bit(kind);
        let told = self.told.get(..self.len).unwrap_or_default();
        let away = |told: Option<&Told>| told.map_or(NONE, |told| told.away);
        let near = |told: &&Told| self.count - told.count <= AGAINST_WORDS_MAX;
        (
            away(told.iter().rev().find(|told| told.meaning.for_kinds & bit != 0)),
            away(told.iter().rev().take_while(near).find(|told| told.meaning.against_kinds & bit != 0)),
        )
    }
}

/// The surroundings of one place.
pub(super) struct Context<'a> {
    pub left: &'a Left,
    /// The value is glued to a word by a dash or slash: a part of a longer name, unless that word says what it is.
    pub glued: bool,
    nearest: OnceCell<Nearest>,
}

impl<'a> Context<'a> {
    pub fn new(left: &'a Left) -> Self {
        Self { left, glued: is_glued(left.window()), nearest: OnceCell::new() }
    }

    /// How certain a value is. Where words make no difference to whether it counts, they are not read.
    pub fn weigh(&self, kind: PiiType, weight: Weight, rules: &Rules) -> u8 {
        if rules.accepts(kind, weight.0.min(weight.2)) || !rules.accepts(kind, weight.0.max(weight.1)) {
            return weight.0;
        }
        match self.says(kind) {
            Says::For => weight.1.max(weight.0),
            Says::Against => weight.2,
            Says::Nothing => weight.0,
        }
    }

    pub fn says(&self, kind: PiiType) -> Says {
        let near = self.nearest.get_or_init(|| nearest(self.left));
        let (toward, against) = near.distances(kind);
        if let Some(meaning) = self.left.cell() {
            return in_cell(kind, meaning, toward.min(near.cell) == toward && toward != NONE);
        }
        // What has a form of its own is what some word of the clause says, whatever else is said.
        let first = toward <= against || kind == PiiType::Pan;
        if toward <= FOR_BYTES_MAX && first && !(self.glued && toward > NEAR_BYTES_MAX) {
            return Says::For;
        }
        let signs = is_number(kind) && (self.glued || has_sign(self.left.window()));
        let version = against <= VERSION_BYTES_MAX && against < near.digit;
        let against = against != NONE && (kind != PiiType::IpAddress || version);
        if against || signs { Says::Against } else { Says::Nothing }
    }

    /// True if a word for this type stands right before the place.
    pub fn is_near(&self, kind: PiiType) -> bool {
        let near = self.nearest.get_or_init(|| nearest(self.left));
        let (distance, _) = near.distances(kind);
        self.says(kind) == Says::For && (distance <= NEAR_BYTES_MAX || self.left.cell().is_some())
    }
}

/// In a table the head of the column counts, and words in the cell itself.
fn in_cell(kind: PiiType, meaning: Meaning, said_in_cell: bool) -> Says {
    let has = |kinds: u32| kinds & words::bit(kind) != 0;
    if has(meaning.for_kinds) || said_in_cell {
        Says::For
    } else if has(meaning.against_kinds) {
        Says::Against
    } else {
        Says::Nothing
    }
}

const fn is_number(kind: PiiType) -> bool {
    !matches!(
        kind,
        PiiType::Email | PiiType::Upi | PiiType::Gstin | PiiType::Iban | PiiType::IpAddress | PiiType::Secret
    )
}

fn nearest(left: &Left) -> Nearest {
    let window = left.window();
    // What is farther away counts for nothing.
    let shortened = window.get(window.len().saturating_sub(READ_BYTES)..).unwrap_or_default();
    let whole = left.is_whole() && shortened.len() == window.len();
    let window = shortened;
    let total = window.len();
    let mut near = Nearest { told: [Told::default(); TOLD_MAX], len: 0, count: 0, cell: NONE, digit: NONE };
    let (mut read_to, mut word_bytes, mut before, mut paired) = (0, 0, Meaning::default(), false);
    let away = |end: usize| u8::try_from(total - end).unwrap_or(NONE);
    words::each_word(window, |word, end| {
        let start = end - word.text.len();
        borders(window.get(read_to..start).unwrap_or_default(), total - read_to, word_bytes, &mut near);
        let joined = start > 0 && start - read_to <= 2;
        (read_to, word_bytes) = (end, word.text.len());
        near.count += 1;
        let cut = start == 0 && !whole;
        if cut || is_placeholder(window, start, end) {
            before = Meaning::default();
            return;
        }
        let (mut meaning, pair) = word.said();
        // `voter id`, `card account`: what it is stands first. `voter card number` is no card number.
        let longer = std::mem::replace(&mut paired, pair) && pair;
        if longer {
            meaning = before;
        } else if pair {
            near.told().iter_mut().for_each(|told| told.meaning.for_kinds &= !before.for_kinds);
        } else if joined && meaning.for_kinds == 0 {
            meaning.against_kinds &= !before.for_kinds;
        }
        before = meaning;
        near.tell(meaning, away(end));
    });
    borders(window.get(read_to..).unwrap_or_default(), total - read_to, word_bytes, &mut near);
    near
}

/// What stands between two words can end a clause, for which words against a value count, or a paragraph.
fn borders(between: &[u8], away: usize, word_bytes: usize, near: &mut Nearest) {
    if let [b' '] | [] = between {
        return;
    }
    let ends = |place: usize, byte: u8| match byte {
        b',' | b';' | b'|' | b'\n' | b'{' | b'}' | b'\t' => true,
        // the last byte of a long dash
        0x93 | 0x94 => place >= 2 && between.get(place - 2..place) == Some(&[0xE2, 0x80]),
        b'.' | b'!' | b'?' => {
            let abbreviation = place == 0 && word_bytes < ABBREVIATION_BYTES_MAX;
            !abbreviation && between.len() > 1 && between.get(place + 1).is_none_or(|next| matches!(next, b' ' | b'\n'))
        }
        _ => false,
    };
    for (place, byte) in between.iter().enumerate() {
        if ends(place, *byte) {
            near.told().iter_mut().for_each(|told| told.meaning.against_kinds = 0);
            near.cell = u8::try_from(away - place).unwrap_or(NONE);
        }
        if byte.is_ascii_digit() {
            near.digit = u8::try_from(away - place).unwrap_or(NONE);
        }
        if *byte == b'\n' && between.get(place + 1) == Some(&b'\n') {
            near.told().iter_mut().for_each(|told| told.meaning.for_kinds = 0);
        }
    }
}

/// `[PHONE]`, `[SECRET:…]`.
fn is_placeholder(window: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|i| window.get(i));
    matches!(before, Some(b'[' | b'_'))
        && matches!(window.get(end), Some(b']' | b':' | b'_'))
        && window.get(start..end).unwrap_or_default().iter().all(u8::is_ascii_uppercase)
}

/// A sign that makes a number of what follows: money, or a number sign.
fn has_sign(window: &[u8]) -> bool {
    let trimmed = window.trim_ascii_end();
    if window.len() > trimmed.len() + 1 {
        return false;
    }
    let signs: [&[u8]; 5] = ["₹".as_bytes(), "€".as_bytes(), "£".as_bytes(), b"$", b"#"];
    signs.iter().any(|sign| trimmed.ends_with(sign))
}

/// `word-` or `word/` right before the place; masked characters and digits are no word.
fn is_glued(window: &[u8]) -> bool {
    let [rest @ .., b'-' | b'/' | b'_' | b'='] = window else { return false };
    if window.last() == Some(&b'=') {
        return false;
    }
    let run = rest.iter().rev().take_while(|b| b.is_ascii_alphanumeric()).count();
    let word = rest.get(rest.len() - run..).unwrap_or_default();
    word.iter().any(|b| b.is_ascii_alphabetic() && *b != b'X')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(text: &str, kind: PiiType) -> Says {
        let mut left = Left::default();
        left.push(text);
        Context::new(&left).says(kind)
    }

    #[test]
    fn the_nearest_word_decides() {
        assert_eq!(says("call ", PiiType::Phone), Says::For);
        assert_eq!(says("order no ", PiiType::Phone), Says::Against);
        assert_eq!(says("order no. ", PiiType::Phone), Says::Against);
        assert_eq!(says("sent the order. Then ", PiiType::Phone), Says::Nothing);
        assert_eq!(says("order 11, call ", PiiType::Phone), Says::For);
        assert_eq!(says("phone for order ", PiiType::Phone), Says::Against);
        assert_eq!(says("the order, then ", PiiType::Phone), Says::Nothing);
        assert_eq!(says("₹", PiiType::Phone), Says::Against);
        assert_eq!(says("bucket-", PiiType::Aadhaar), Says::Against);
        assert_eq!(says("id,phone,sku\n1,", PiiType::Phone), Says::For);
        assert_eq!(says("id,phone,sku\n1,,", PiiType::Phone), Says::Against);
    }

    #[test]
    fn placeholders_are_no_context() {
        assert_eq!(says("[PHONE] ", PiiType::Phone), Says::Nothing);
        assert_eq!(says("[PASSPORT:abc] ", PiiType::Passport), Says::Nothing);
        assert_eq!(says("[CREDIT_CARD] ", PiiType::CreditCard), Says::Nothing);
    }
}
