//! The form of a text in which attacks are looked for: what hides letters is undone, and each byte knows where it came from.
//!
//! # Invariants
//! * Invisible characters, compatibility forms, marks, look-alike letters, tag characters, spaced letters and digits in place
//!   of letters hide nothing (`spelling_variants_fold_to_the_same_text`).
//! * A word of one script stays what it is (`words_of_one_script_are_left_alone`).
//! * Each range of the folded text has a range of the original, on borders of characters
//!   (`ranges_lead_back_to_the_original`).

use super::lookalikes::{is_invisible, latin_of};
use super::respell;
use super::words::is_letter;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_canonical;

/// What was done to a text, as evidence of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals {
    /// Characters U+E0020-E007E: text that nobody sees.
    pub tags: u32,
    /// Invisible characters between two letters of the Latin script.
    pub hidden_in_latin: u32,
    /// Letters of other alphabets inside of Latin words.
    pub lookalikes: u32,
    /// Full-width, mathematical, enclosed letters.
    pub styled: u32,
    /// Controls of writing direction.
    pub bidi: u32,
    /// Words that were written letter by letter.
    pub spaced: u32,
    /// Words with digits in place of letters.
    pub leet: u32,
}

impl Signals {
    fn add(&mut self, other: Self) {
        let Self { tags, hidden_in_latin, lookalikes, styled, bidi, spaced, leet } = other;
        self.tags = self.tags.saturating_add(tags);
        self.hidden_in_latin = self.hidden_in_latin.saturating_add(hidden_in_latin);
        self.lookalikes = self.lookalikes.saturating_add(lookalikes);
        self.styled = self.styled.saturating_add(styled);
        self.bidi = self.bidi.saturating_add(bidi);
        self.spaced = self.spaced.saturating_add(spaced);
        self.leet = self.leet.saturating_add(leet);
    }
}

/// Pieces of a text that are folded apart end with the first line behind so many bytes.
const PIECE_BYTES: usize = 512;

/// A folded text and the way back.
#[derive(Debug, Clone)]
pub struct Folded {
    text: String,
    /// For each byte of `text` where its character starts in the original, and the original's length behind the last;
    /// `None`: byte for byte the same places.
    origins: Option<Vec<u32>>,
    /// What hid letters.
    pub signals: Signals,
}

/// A character on its way and where it came from.
pub(super) type Placed = (char, u32);

impl Folded {
    /// Folds a text. Texts of more than 4 GiB do not reach a guard; their places would all be the last.
    pub fn of(original: &str) -> Self {
        if let Some(folded) = Self::of_quick(original) {
            return folded;
        }
        // Most pieces of a long text have nothing to undo, if a few have.
        let mut whole =
            Self { text: String::with_capacity(original.len()), origins: None, signals: Signals::default() };
        let mut origins: Vec<u32> = Vec::with_capacity(original.len().saturating_add(1));
        let mut rest = original;
        while !rest.is_empty() {
            let base = offset(original.len().saturating_sub(rest.len()));
            let far = rest.as_bytes().get(PIECE_BYTES..).unwrap_or_default();
            let end = far
                .iter()
                .position(|b| *b == b'\n')
                .map_or(rest.len(), |at| PIECE_BYTES.saturating_add(at).saturating_add(1));
            let (piece, behind) = rest.split_at(end);
            let folded = Self::of_quick(piece).unwrap_or_else(|| Self::of_piece(piece));
            whole.text.push_str(&folded.text);
            whole.signals.add(folded.signals);
            match folded.origins {
                Some(places) => {
                    origins.extend(places.iter().take(folded.text.len()).map(|place| base.saturating_add(*place)))
                }
                None => origins.extend(base..base.saturating_add(offset(piece.len()))),
            }
            rest = behind;
        }
        origins.push(offset(original.len()));
        whole.origins = Some(origins);
        whole
    }

    /// `None` if something may hide in the text.
    fn of_quick(original: &str) -> Option<Self> {
        if !original.is_ascii() {
            return Self::of_plain(original);
        }
        let bytes = original.as_bytes();
        let is_plain = !bytes.iter().any(|b| is_dropped(*b)) && !respell::may_be_needed(bytes);
        is_plain.then(|| Self { text: original.to_ascii_lowercase(), origins: None, signals: Signals::default() })
    }

    fn of_piece(original: &str) -> Self {
        let mut signals = Signals::default();
        let mut chars = fold_chars(original, &mut signals);
        fold_lookalikes(&mut chars, &mut signals);
        let as_ascii = |(c, _): &Placed| {
            u8::try_from(*c).ok().filter(u8::is_ascii).unwrap_or(if is_letter(*c) { b'q' } else { b' ' })
        };
        if respell::may_be_needed(&chars.iter().map(as_ascii).collect::<Vec<u8>>()) {
            respell::join_spaced(&mut chars, &mut signals);
            respell::undo_leet(&mut chars, &mut signals);
        }
        Self::build(&chars, original.len(), signals)
    }

    /// The quick way, for texts in which nothing hides: `None` if something may.
    fn of_plain(original: &str) -> Option<Self> {
        let mut signals = Signals::default();
        let mut text = String::with_capacity(original.len());
        let mut origins: Vec<u32> = Vec::with_capacity(original.len().saturating_add(1));
        let mut folded: Vec<Placed> = Vec::new();
        let mut rest = original;
        while let Some(c) = rest.chars().next() {
            let at = original.len().saturating_sub(rest.len());
            let run = rest.bytes().position(|b| !b.is_ascii()).unwrap_or(rest.len());
            let (ascii, behind) = rest.split_at(run);
            if run > 0 {
                if ascii.bytes().any(is_dropped) {
                    return None;
                }
                text.push_str(ascii);
                origins.extend(offset(at)..offset(at.saturating_add(run)));
                rest = behind;
                continue;
            }
            if is_invisible(c) {
                return None;
            }
            folded.clear();
            fold_char(c, offset(at), &mut folded, &mut signals);
            for (c, origin) in folded.drain(..) {
                if latin_of(c).is_some() {
                    return None;
                }
                text.push(c);
                origins.resize(text.len(), origin);
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        text.make_ascii_lowercase();
        origins.push(offset(original.len()));
        (!respell::may_be_needed(text.as_bytes())).then_some(Self { text, origins: Some(origins), signals })
    }

    fn build(chars: &[Placed], original_len: usize, signals: Signals) -> Self {
        let mut text = String::with_capacity(chars.len());
        let mut origins = Vec::with_capacity(chars.len().saturating_add(1));
        for (c, origin) in chars {
            text.push(*c);
            if c.is_ascii() {
                origins.push(*origin);
            } else {
                origins.resize(text.len(), *origin);
            }
        }
        origins.push(offset(original_len));
        Self { text, origins: Some(origins), signals }
    }

    /// The folded text: lower case, one script a word, no invisible characters.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place in the original that a range of the folded text came from.
    pub fn original_range(&self, start: usize, end: usize) -> std::ops::Range<usize> {
        let Some(origins) = &self.origins else { return start..end.max(start) };
        let at = |i: usize| origins.get(i).or(origins.last()).map_or(0, |o| *o as usize);
        let from = at(start);
        let last = at(end.saturating_sub(1).max(start));
        // Several folded characters can come of one: the range ends behind the whole of it.
        let behind = origins.get(end..).unwrap_or_default().iter().map(|o| *o as usize).find(|o| *o > last);
        from..behind.unwrap_or_else(|| at(usize::MAX)).max(from)
    }
}

/// Control characters that nobody sees.
const fn is_dropped(b: u8) -> bool {
    b.is_ascii_control() && !b.is_ascii_whitespace()
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Lower case, compatibility forms and marks folded, invisible characters gone.
fn fold_chars(original: &str, signals: &mut Signals) -> Vec<Placed> {
    let mut chars: Vec<Placed> = Vec::with_capacity(original.len());
    let mut hidden = false;
    let mut at = 0;
    while let Some(c) = original.get(at..).and_then(|rest| rest.chars().next()) {
        if c.is_ascii() {
            let is_inside = hidden && c.is_ascii_alphabetic() && ends_in_latin(&chars);
            signals.hidden_in_latin = signals.hidden_in_latin.saturating_add(u32::from(is_inside));
            hidden = false;
            let run = original.as_bytes().get(at..).unwrap_or_default().iter().take_while(|b| b.is_ascii());
            let before = at;
            chars.extend(
                run.inspect(|_| at = at.saturating_add(1))
                    .enumerate()
                    .filter(|(_, b)| !is_dropped(**b))
                    .map(|(k, b)| (char::from(b.to_ascii_lowercase()), offset(before.saturating_add(k)))),
            );
            continue;
        }
        let origin = offset(at);
        at = at.saturating_add(c.len_utf8());
        if let Some(tag) = tag_letter(c) {
            signals.tags = signals.tags.saturating_add(1);
            chars.push((tag.to_ascii_lowercase(), origin));
            continue;
        }
        if is_invisible(c) {
            hidden = true;
            let is_bidi = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            signals.bidi = signals.bidi.saturating_add(u32::from(is_bidi));
            continue;
        }
        hidden = false;
        fold_char(c, origin, &mut chars, signals);
    }
    chars
}

fn ends_in_latin(chars: &[Placed]) -> bool {
    chars.last().is_some_and(|(c, _)| c.is_ascii_alphabetic())
}

/// The ASCII character that a tag character stands for.
fn tag_letter(c: char) -> Option<char> {
    matches!(c, '\u{e0020}'..='\u{e007e}').then(|| char::from_u32(c as u32 - 0xe0000)).flatten()
}

fn fold_char(c: char, origin: u32, chars: &mut Vec<Placed>, signals: &mut Signals) {
    match c {
        // Scripts without upper case and compatibility forms: as they are.
        // Dots and moons that many leave out.
        '\u{93c}' | '\u{9bc}' | '\u{a3c}' | '\u{640}' | '\u{64b}'..='\u{65f}' => {}
        '\u{901}' => chars.push(('\u{902}', origin)),
        '\u{929}'
        | '\u{931}'
        | '\u{934}'
        | '\u{958}'..='\u{95f}'
        | '\u{9dc}'..='\u{9df}'
        | '\u{a33}'..='\u{a36}'
        | '\u{a59}'..='\u{a5e}' => {
            let mut first = None;
            decompose_canonical(c, |part| {
                first.get_or_insert(part);
            });
            chars.push((first.unwrap_or(c), origin));
        }
        '\u{600}'..='\u{6ff}'
        | '\u{900}'..='\u{dff}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' => {
            chars.push((c, origin));
        }
        '\u{1f1e6}'..='\u{1f1ff}' => chars.extend(letter_of(c, 0x1f1e6).map(|l| (l, origin))),
        '\u{1f130}'..='\u{1f149}' => chars.extend(letter_of(c, 0x1f130).map(|l| (l, origin))),
        '\u{1f150}'..='\u{1f169}' => chars.extend(letter_of(c, 0x1f150).map(|l| (l, origin))),
        '\u{1f170}'..='\u{1f189}' => chars.extend(letter_of(c, 0x1f170).map(|l| (l, origin))),
        c if c.is_whitespace() => {
            let is_line = matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}');
            chars.push((if is_line { '\n' } else { ' ' }, origin));
        }
        c => {
            let before = chars.len();
            for composed in std::iter::once(c).nfkc() {
                let plain = without_marks(composed);
                chars.extend(plain.to_lowercase().filter(|l| !is_invisible(*l)).map(|l| (l, origin)));
            }
            let is_styled = c > '\u{2000}' && chars.get(before).is_some_and(|(l, _)| l.is_ascii_alphabetic());
            signals.styled = signals.styled.saturating_add(u32::from(is_styled));
        }
    }
}

fn letter_of(c: char, base: u32) -> Option<char> {
    (c as u32).checked_sub(base).and_then(|n| u8::try_from(n).ok()).map(|n| char::from(b'a'.saturating_add(n)))
}

/// A Latin, Greek or Cyrillic letter without its marks.
fn without_marks(c: char) -> char {
    if !matches!(c, '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{4ff}' | '\u{1e00}'..='\u{1fff}') {
        return c;
    }
    let mut first = None;
    decompose_canonical(c, |part| {
        first.get_or_insert(part);
    });
    first.unwrap_or(c)
}

/// Letters that look Latin become Latin in words that mix, and in other words of a text that mixes.
fn fold_lookalikes(chars: &mut [Placed], signals: &mut Signals) {
    if !chars.iter().any(|(c, _)| latin_of(*c).is_some()) {
        return;
    }
    let has_mixed = words_mut(chars).any(|word| is_mixed(word));
    for word in words_mut(chars) {
        let is_all_alike =
            || has_mixed && word.iter().all(|(c, _)| c.is_ascii_alphanumeric() || latin_of(*c).is_some());
        if !is_mixed(word) && !is_all_alike() {
            continue;
        }
        for (c, _) in word.iter_mut() {
            if let Some(latin) = latin_of(*c) {
                *c = latin;
                signals.lookalikes = signals.lookalikes.saturating_add(1);
            }
        }
    }
}

fn words_mut(chars: &mut [Placed]) -> impl Iterator<Item = &mut [Placed]> {
    chars.split_mut(|(c, _)| !is_letter(*c)).filter(|word| !word.is_empty())
}

fn is_mixed(word: &[Placed]) -> bool {
    word.iter().any(|(c, _)| c.is_ascii_alphabetic()) && word.iter().any(|(c, _)| latin_of(*c).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> String {
        Folded::of(text).text().to_owned()
    }

    #[test]
    fn spelling_variants_fold_to_the_same_text() {
        let tags: String = "ignore rules".chars().map(|c| char::from_u32(c as u32 + 0xe0000).unwrap()).collect();
        for variant in [
            "Ignore rules",
            "ig\u{200b}no\u{2060}re\u{feff} ru\u{ad}les",
            "ｉｇｎｏｒｅ　ｒｕｌｅｓ",
            "𝐢𝐠𝐧𝐨𝐫𝐞 𝓇𝓊𝓁𝑒𝓈",
            "ígnörę ŕùlèş",
            "i\u{336}g\u{301}nore rules",
            "іgnоrе rulеѕ",
            "ⓘⓖⓝⓞⓡⓔ ⓡⓤⓛⓔⓢ",
            "i g n o r e  r u l e s",
            "i-g-n-o-r-e r-u-l-e-s",
            "1gn0r3 ru1e5",
            "ig\u{0}nore rules",
            &tags,
        ] {
            assert_eq!(folded(variant), "ignore rules", "{variant:?}");
        }
    }

    #[test]
    fn words_of_one_script_are_left_alone() {
        for text in
            ["правила выше", "οδηγίες", "मुझे हिन्दी", "മലയാളം", "忽略 以上", "한국어", "utf8 h264 sha256 1st 2nd a 5 b2b"]
        {
            let plain: String = text.chars().map(without_marks).collect();
            assert_eq!(folded(text), plain);
        }
    }

    proptest! {
        #[test]
        fn ranges_lead_back_to_the_original(text in "(?s)([a-z0-9 ]|ﬁ|é|і|ｅ|\u{200b}|न|ि|忽|i g n o r e|.){0,40}", a in 0_usize..60, b in 0_usize..60) {
            let folded = Folded::of(&text);
            let range = folded.original_range(a.min(b), a.max(b));
            if a.max(b) <= folded.text().len() {
                prop_assert!(text.get(range).is_some());
            }
            prop_assert_eq!(folded.original_range(0, folded.text().len()).end, if folded.text().is_empty() { folded.original_range(0, 0).end } else { text.len() });
        }
    }
}
