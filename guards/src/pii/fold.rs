//! Characters as the detectors see them: digits of all scripts, full-width forms, spaces, dashes and invisible characters
//! folded to a few ASCII bytes.
//!
//! # Invariants
//! * What is read does not depend on how much text follows: a reader that would look past the end of an unfinished text
//!   gives [`NeedMore`] instead (`a_masked_stream_is_the_masked_whole`).

/// No part of any value: ends every candidate.
pub(super) const HARD: u8 = 0;
/// Invisible: may stand inside a value.
pub(super) const ZERO_WIDTH: u8 = 1;
/// A dash that is no ASCII hyphen: separates digits, but is no part of an e-mail address.
pub(super) const DASH: u8 = 2;
/// Beyond what a decision may read: ends no word, since nobody knows what stands there.
pub(super) const FAR: u8 = 3;

/// Most bytes that a decision reads from the place where a value may start; no more are ever held back for it.
pub const LOOK_BYTES_MAX: usize = 128;

/// More invisible characters than this in a row end a candidate.
const ZERO_WIDTH_MAX: usize = 2;

/// The decision needs text that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NeedMore;

/// The class of a character: an ASCII byte, or one of the constants above.
#[inline]
pub(super) fn fold(c: char) -> u8 {
    match c {
        ' '..='~' => c as u8,
        '\0'..'\u{80}' => HARD,
        _ => fold_wide(c as u32),
    }
}

fn fold_wide(code: u32) -> u8 {
    match code {
        0xA0 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000 => b' ',
        0xAD | 0x180E | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2069 | 0xFE00..=0xFE0F | 0xFEFF => ZERO_WIDTH,
        0x2010..=0x2015 | 0x2212 | 0xFE58 | 0xFE63 => DASH,
        0xFF01..=0xFF5E => (code - 0xFEE0) as u8,
        0..0x660 => HARD,
        _ => digit(code),
    }
}

/// Zeros of the decimal digits (Unicode category Nd) of living scripts; nine more follow each.
const ZEROS: [u32; 34] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6, 0x0E50,
    0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xAA50, 0xABF0,
];

fn digit(code: u32) -> u8 {
    // The blocks of the Indic scripts have 128 places, with the digits at the same ones.
    if (0x900..0xE00).contains(&code) {
        let place = code & 0x7F;
        return if (0x66..=0x6F).contains(&place) { b'0' + (place - 0x66) as u8 } else { HARD };
    }
    // Mathematical digits stand in five rows of ten.
    if (0x1D7CE..=0x1D7FF).contains(&code) {
        return b'0' + ((code - 0x1D7CE) % 10) as u8;
    }
    let above = ZEROS.partition_point(|zero| *zero <= code);
    let value = above.checked_sub(1).and_then(|i| ZEROS.get(i)).map_or(10, |zero| code - zero);
    if value < 10 { b'0' + value as u8 } else { HARD }
}

/// A place in a text.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub text: &'a str,
    pub at: usize,
    /// Nothing follows the text.
    pub finished: bool,
    /// From this place on everything is [`FAR`].
    pub limit: usize,
}

impl<'a> Cursor<'a> {
    /// A place whose decision reads at most [`LOOK_BYTES_MAX`] bytes.
    pub fn new(text: &'a str, at: usize, finished: bool) -> Self {
        Self { text, at, finished, limit: at.saturating_add(LOOK_BYTES_MAX) }
    }

    /// The same text at another place, within the same limit.
    #[inline]
    pub fn to(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// The class and length of the character here; [`HARD`] and 0 at the very end.
    #[inline]
    pub fn peek(&self) -> Result<(u8, usize), NeedMore> {
        if self.at >= self.limit {
            return Ok((FAR, 0));
        }
        match self.text.as_bytes().get(self.at) {
            Some(byte @ 0x20..=0x7E) => Ok((*byte, 1)),
            Some(0..0x20 | 0x7F) => Ok((HARD, 1)),
            Some(_) => {
                let c = self.text.get(self.at..).and_then(|rest| rest.chars().next()).unwrap_or_default();
                Ok((fold(c), c.len_utf8()))
            }
            None if self.finished => Ok((HARD, 0)),
            None => Err(NeedMore),
        }
    }

    /// The character here if it is an ASCII one that may be read; else 0. Most are, and the rest takes longer.
    #[inline]
    pub fn ascii(&self) -> u8 {
        match self.text.as_bytes().get(self.at) {
            Some(byte @ ..0x80) if self.at < self.limit => *byte,
            _ => 0,
        }
    }

    /// The class of the character here.
    #[inline]
    pub fn class(&self) -> Result<u8, NeedMore> {
        Ok(self.peek()?.0)
    }

    /// This place moved over one character.
    #[inline]
    pub fn next(mut self) -> Result<Self, NeedMore> {
        self.at += self.peek()?.1;
        Ok(self)
    }

    /// This place moved over a few invisible characters.
    #[inline]
    pub fn past_invisible(mut self) -> Result<Self, NeedMore> {
        if self.ascii() != 0 {
            return Ok(self);
        }
        for _ in 0..ZERO_WIDTH_MAX {
            match self.peek()? {
                (ZERO_WIDTH, len) => self.at += len,
                _ => break,
            }
        }
        Ok(self)
    }
}

/// True if what stands here belongs to the word before it: a letter or digit, `_`, or a placeholder in the place of such a
/// value, so that masking the neighbour of a candidate does not change what the candidate is.
#[inline]
pub(super) fn is_glued(here: Cursor<'_>) -> Result<bool, NeedMore> {
    Ok(match here.class()? {
        b'_' | FAR => true,
        b'[' => is_placeholder(here)?,
        class => is_alnum(class),
    })
}

/// Longest name of a type in a placeholder.
const NAME_BYTES_MAX: usize = 40;

/// Letters of the hash in a placeholder: 60 bits.
pub const HASH_LETTERS: usize = 15;

/// `[PHONE]`, `[PHONE:kjbnmpoaabcdefg]`
fn is_placeholder(here: Cursor<'_>) -> Result<bool, NeedMore> {
    let mut here = here.next()?;
    let from = here.at;
    while here.at - from < NAME_BYTES_MAX && matches!(here.class()?, b'A'..=b'Z' | b'_') {
        here = here.next()?;
    }
    if here.at == from || here.class()? != b':' {
        return Ok(here.at > from && here.class()? == b']');
    }
    for _ in 0..HASH_LETTERS {
        here = here.next()?;
        if !matches!(here.class()?, b'a'..=b'p') {
            return Ok(false);
        }
    }
    Ok(here.next()?.class()? == b']')
}

/// Letter or digit.
#[inline]
pub(super) fn is_alnum(class: u8) -> bool {
    class.is_ascii_alphanumeric()
}

/// May stand before the `@`.
#[inline]
pub(super) fn is_local(class: u8) -> bool {
    class.is_ascii_alphanumeric() || matches!(class, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_all_scripts_fold_to_ascii() {
        for row in
            ["०१२३४५६७८९", "০১২৩৪৫৬৭৮৯", "௦௧௨௩௪௫௬௭௮௯", "౦౧౨౩౪౫౬౭౮౯", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"]
        {
            let folded: Vec<u8> = row.chars().map(fold).collect();
            assert_eq!(folded, b"0123456789", "{row}");
        }
        assert_eq!(fold('अ'), HARD);
        assert_eq!(fold('𝟿'), b'9');
        assert!(ZEROS.is_sorted());
    }

    #[test]
    fn other_forms_fold_to_what_they_look_like() {
        for (c, class) in
            [('＠', b'@'), ('Ａ', b'A'), ('\u{A0}', b' '), ('–', DASH), ('\u{200B}', ZERO_WIDTH), ('\n', HARD)]
        {
            assert_eq!(fold(c), class, "{c:?}");
        }
    }
}
