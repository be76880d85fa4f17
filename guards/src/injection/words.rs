//! A folded text as words: what slots and features are looked for in.
//!
//! # Invariants
//! * Every letter of the text is in exactly one word, in order (`words_cover_the_letters`).
//! * Characters of scripts without spaces are words of their own (`scripts_without_spaces_have_words`).

/// Longest part of a word that is looked at, in bytes; the rest of longer ones (keys, encoded data) says nothing.
pub const WORD_BYTES_MAX: usize = 96;

/// What stands between a word and the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// A space, a hyphen, an underscore.
    Narrow,
    /// A comma, a bracket, a quote.
    Pause,
    /// The end of a sentence.
    Stop,
    /// The end of a line.
    Line,
}

/// One word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// First byte in the folded text.
    pub start: u32,
    /// Behind its last byte there.
    pub end: u32,
    /// First byte in [`Words::joined`].
    pub joined_at: u32,
    /// What stands before it.
    pub gap: Gap,
    /// It stands between quotation marks, and not as a value of JSON.
    pub quoted: bool,
}

/// The words of a text, and all of them joined by single spaces, with one before the first and one behind the last.
#[derive(Debug, Default)]
pub struct Words {
    /// In order.
    pub list: Vec<Word>,
    /// ` ignore all rules `.
    pub joined: String,
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{e00}'..='\u{eff}' | '\u{20000}'..='\u{3ffff}')
}

/// Letters and digits; the blocks that texts are full of without a look into tables.
pub(super) fn is_letter(c: char) -> bool {
    match c {
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        '\u{c0}'..='\u{d6}'
        | '\u{d8}'..='\u{f6}'
        | '\u{f8}'..='\u{24f}'
        | '\u{400}'..='\u{481}'
        | '\u{48a}'..='\u{52f}' => true,
        '\u{620}'..='\u{64a}'
        | '\u{671}'..='\u{6d3}'
        | '\u{904}'..='\u{939}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}' => true,
        '\u{900}'..='\u{dff}' => !matches!(c, '\u{964}' | '\u{965}' | '\u{970}' | '\u{df4}'),
        '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{1e00}'..='\u{1eff}' => true,
        '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{3004}' => false,
        c => c.is_alphanumeric(),
    }
}

/// Letters, digits, and the signs of Indic scripts that are no letters to Unicode; joiners are gone by now.
fn is_word_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric();
    }
    match c {
        '\u{64b}'..='\u{65f}' => true,
        c => is_letter(c),
    }
}

/// Where a word ends that goes on at a place. An apostrophe inside belongs to it: `don't`, `l'ordre`.
fn word_end(text: &str, mut at: usize) -> usize {
    loop {
        at = at.saturating_add(
            text.as_bytes().get(at..).unwrap_or_default().iter().take_while(|b| b.is_ascii_alphanumeric()).count(),
        );
        let mut rest = text.get(at..).unwrap_or_default().chars();
        let Some(c) = rest.next() else { return at };
        let is_apostrophe = || matches!(c, '\'' | '\u{2019}') && rest.clone().next().is_some_and(is_word_char);
        if is_ideograph(c) || !(is_word_char(c) || is_apostrophe()) {
            return at;
        }
        at = at.saturating_add(c.len_utf8());
    }
}

fn gap_of(c: char) -> Gap {
    match c {
        '\n' | '\r' => Gap::Line,
        '.' | '!' | '?' | ';' | '\u{964}' | '\u{965}' | '。' | '！' | '？' | '؟' | '…' => Gap::Stop,
        ' ' | '\t' | '-' | '_' | '*' | '~' | '`' | '/' => Gap::Narrow,
        _ => Gap::Pause,
    }
}

/// Whether we are between quotation marks, seen from the last characters.
#[derive(Default)]
struct Quotes {
    open: bool,
    /// The last character that is no space, and the last one.
    last: (char, char),
}

impl Quotes {
    fn see(&mut self, c: char) {
        match c {
            '\n' => self.open = false,
            '"' if self.open => self.open = false,
            // `"key": "value"` is data, not a quotation.
            '"' => self.open = !matches!(self.last.0, ':' | '{' | '['),
            '\'' if !self.last.1.is_alphanumeric() => self.open = !matches!(self.last.0, ':' | '{' | '['),
            '\'' => self.open = false,
            '“' | '„' | '«' | '「' | '『' | '‘' => self.open = true,
            '”' | '»' | '」' | '』' | '’' => self.open = false,
            _ => {}
        }
        self.last = (if c == ' ' { self.last.0 } else { c }, c);
    }
}

impl Words {
    /// Divides a folded text.
    pub fn of(text: &str) -> Self {
        let mut words = Self {
            list: Vec::with_capacity(text.len() / 5),
            joined: String::with_capacity(text.len().saturating_add(2)),
        };
        words.joined.push(' ');
        let mut gap = Gap::Line;
        let mut quotes = Quotes::default();
        let mut at = 0;
        while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
            let behind = at.saturating_add(c.len_utf8());
            if !is_word_char(c) {
                quotes.see(c);
                gap = gap.max(gap_of(c));
                at = behind;
                continue;
            }
            let end = if is_ideograph(c) { behind } else { word_end(text, behind) };
            words.push(text, at..end, gap, quotes.open);
            quotes.last = ('a', 'a');
            gap = Gap::Narrow;
            at = end;
        }
        words
    }

    fn push(&mut self, text: &str, range: std::ops::Range<usize>, gap: Gap, quoted: bool) {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let word = text.get(range.clone()).unwrap_or_default();
        let mut cut = word.len().min(WORD_BYTES_MAX);
        while !word.is_char_boundary(cut) {
            cut = cut.saturating_sub(1);
        }
        let joined_at = place(self.joined.len());
        let word = word.get(..cut).unwrap_or_default();
        if word.bytes().any(|b| matches!(b, b'\'' | 0xe2)) {
            self.joined.extend(word.split(['\'', '\u{2019}']));
        } else {
            self.joined.push_str(word);
        }
        self.joined.push(' ');
        self.list.push(Word { start: place(range.start), end: place(range.end), joined_at, gap, quoted });
    }

    /// The letters of a word, as they stand in [`Words::joined`].
    pub fn letters(&self, index: usize) -> &str {
        let from = self.list.get(index).map_or(0, |w| w.joined_at as usize);
        let next = self.list.get(index.saturating_add(1)).map_or(self.joined.len(), |w| w.joined_at as usize);
        self.joined.get(from..next.saturating_sub(1)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scripts_without_spaces_have_words() {
        assert_eq!(Words::of("忽略rules。以上").joined, " 忽 略 rules 以 上 ");
        assert_eq!(Words::of("don't – सभी नियम।").joined, " dont सभी नियम ");
    }

    proptest! {
        #[test]
        fn words_cover_the_letters(text in "([a-z0-9 .,\n'-]|न|ि|忽|가){0,60}") {
            let words = Words::of(&text);
            let of_words: String = words.list.iter().map(|w| &text[w.start as usize..w.end as usize]).collect();
            let letters = |s: &str| s.chars().filter(|c| is_word_char(*c)).collect::<String>();
            prop_assert_eq!(letters(&of_words), letters(&text));
            let again: Vec<&str> = (0..words.list.len()).map(|i| words.letters(i)).collect();
            prop_assert_eq!(format!(" {} ", again.join(" ")).replace("  ", " "), words.joined.replace("  ", " "));
        }
    }
}
