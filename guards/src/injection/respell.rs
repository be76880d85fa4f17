//! Words that are spelled so that a reader still reads them: letter by letter, or with digits in place of letters.
//!
//! # Invariants
//! * Codes, sizes and names with digits stay what they are (`normalise::tests::words_of_one_script_are_left_alone`).
//! * What is joined keeps its places (`normalise::tests::ranges_lead_back_to_the_original`).

use super::normalise::{Placed, Signals};
use super::segment;
use super::words::is_letter;

/// Letters in a row that make a word written letter by letter.
const SPACED_LETTERS_MIN: usize = 4;
/// Longest word in which digits are read as letters.
const LEET_LETTERS_MAX: usize = 32;

/// Whether a text of ASCII has anything for this module; most have not.
pub(super) fn may_be_needed(bytes: &[u8]) -> bool {
    let mut singles = 0;
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        if !is_leet_byte(first) {
            // Single letters with more than one character between are words: `a - b`.
            singles = if behind.first().is_some_and(is_leet_byte) { singles } else { 0 };
            rest = behind;
            continue;
        }
        let len = rest.iter().take_while(|b| is_leet_byte(b)).count();
        let (word, behind) = rest.split_at(len);
        singles = if len == 1 { singles + 1 } else { 0 };
        let has_digit = || word.iter().any(|b| !b.is_ascii_alphabetic());
        let is_leet = || is_surely_leet(word.iter().map(|b| char::from(b.to_ascii_lowercase())));
        if singles >= SPACED_LETTERS_MIN || (3..=LEET_LETTERS_MAX).contains(&len) && has_digit() && is_leet() {
            return true;
        }
        rest = behind;
    }
    false
}

const fn is_leet_byte(b: &u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'@' | b'$')
}

fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '_' | '*' | '|' | '/' | '~' | ',' | '+' | '\\' | '·' | '\u{2022}')
}

/// Joins `i g n o r e` and `i-g-n-o-r-e`. The separator is left where it stands twice, or where another one stands.
pub(super) fn join_spaced(chars: &mut Vec<Placed>, signals: &mut Signals) {
    let at = |chars: &[Placed], i: usize| chars.get(i).map_or('\n', |(c, _)| *c);
    let mut out: Vec<Placed> = Vec::new();
    let mut copied = 0;
    let mut i = 0;
    while i < chars.len() {
        let starts = is_letter(at(chars, i)) && (i == 0 || !is_letter(at(chars, i.saturating_sub(1))));
        let run = if starts { spaced_run(chars, i) } else { Vec::new() };
        if run.len() < SPACED_LETTERS_MIN {
            i = i.saturating_add(1);
            continue;
        }
        out.extend(chars.get(copied..i).unwrap_or_default());
        let letters: Vec<Placed> = run.iter().filter_map(|k| chars.get(*k)).copied().collect();
        let borders = segment::borders(&letters.iter().map(|(c, _)| *c).collect::<String>());
        for (k, letter) in letters.into_iter().enumerate() {
            if borders.binary_search(&k).is_ok() {
                out.push((' ', letter.1));
            }
            out.push(letter);
        }
        signals.spaced = signals.spaced.saturating_add(1);
        i = run.last().map_or(i, |k| k.saturating_add(1));
        copied = i;
        // A word of one letter, or the gap of two between words: one of the two goes.
        if is_separator(at(chars, i)) && is_separator(at(chars, i.saturating_add(1))) {
            copied = copied.saturating_add(1);
            i = copied;
        }
    }
    if copied > 0 {
        out.extend(chars.get(copied..).unwrap_or_default());
        *chars = out;
    }
}

/// The places of single letters with one and the same separator between them.
fn spaced_run(chars: &[Placed], from: usize) -> Vec<usize> {
    let at = |i: usize| chars.get(i).map_or('\n', |(c, _)| *c);
    let separator = at(from.saturating_add(1));
    let mut run = vec![from];
    if !is_separator(separator) {
        return run;
    }
    let mut i = from;
    loop {
        let next = i.saturating_add(2);
        let is_single = is_letter(at(next)) && !is_letter(at(next.saturating_add(1)));
        if at(i.saturating_add(1)) != separator || !is_single {
            return run;
        }
        run.push(next);
        i = next;
    }
}

/// Reads `1gn0r3` as `ignore`. Words that only end in digits (`utf8`) or are numbers of a kind (`1st`, `b2b`) stay, unless the text
/// has two words that can be nothing else.
pub(super) fn undo_leet(chars: &mut [Placed], signals: &mut Signals) {
    let is_leet_char = |c: char| is_letter(c) || matches!(c, '@' | '$' | '€');
    let sure = chars.split(|(c, _)| !is_leet_char(*c)).filter(|w| is_surely_leet(w.iter().map(|(c, _)| *c))).count();
    if sure == 0 {
        return;
    }
    for word in chars.split_mut(|(c, _)| !is_leet_char(*c)) {
        if is_surely_leet(word.iter().map(|(c, _)| *c)) || (sure >= 2 && is_maybe_leet(word)) {
            signals.leet = signals.leet.saturating_add(1);
            for i in 0..word.len() {
                let of = |k: Option<usize>| k.and_then(|k| word.get(k)).map_or(' ', |(c, _)| *c);
                let letter = letter_of(of(Some(i)), of(i.checked_sub(1)), of(Some(i.saturating_add(1))));
                if let Some((c, _)) = word.get_mut(i) {
                    *c = letter;
                }
            }
        }
    }
}

fn letter_of(c: char, before: char, after: char) -> char {
    let is_vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | '3' | '4' | '0');
    match c {
        '0' => 'o',
        '1' if after == '1' || before == 'l' || (is_vowel(before) && before != 'i') => 'l',
        '1' if is_vowel(after) && matches!(before, 'b' | 'c' | 'f' | 'g' | 'p' | 's' | ' ') => 'l',
        '1' => 'i',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        '8' => 'b',
        '9' => 'g',
        c => c,
    }
}

fn is_maybe_leet(word: &[Placed]) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '@' | '$' | '€');
    let digits = word.iter().filter(|(c, _)| is_digit(*c)).count();
    digits > 0 && (digits < word.len() || word.len() == 2)
}

/// A digit with letters on both sides, or before letters, in a word that is long enough and has no other digits than leet ones.
fn is_surely_leet(word: impl DoubleEndedIterator<Item = char> + Clone) -> bool {
    let is_digit = |c: &char| matches!(c, '0' | '1' | '3' | '4' | '5' | '7' | '@' | '$' | '€');
    let len = word.clone().count();
    if !(3..=LEET_LETTERS_MAX).contains(&len) || !word.clone().all(|c| is_digit(&c) || c.is_ascii_lowercase()) {
        return false;
    }
    let digits = word.clone().filter(is_digit).count();
    let letters = len.saturating_sub(digits);
    let inner = word.clone().rev().skip_while(is_digit).filter(is_digit).count();
    let is_ordinal = digits == 1 && len == 3 && word.clone().next().is_some_and(|c| is_digit(&c));
    inner > 0 && letters > 0 && !is_ordinal && !is_quantity(word) && (letters >= digits || len <= 6)
}

/// Units behind digits.
const UNITS: [&str; 26] = [
    "ms", "kb", "mb", "gb", "tb", "kg", "km", "cm", "mm", "px", "pm", "am", "th", "nd", "rd", "st", "s", "h", "x", "k",
    "m", "d", "min", "hrs", "sec", "days",
];

/// Digits first, then a unit: `500ms`, `10kb`.
fn is_quantity(word: impl Iterator<Item = char> + Clone) -> bool {
    let mut rest = word.skip_while(char::is_ascii_digit).peekable();
    rest.peek().is_some() && UNITS.iter().any(|unit| rest.clone().eq(unit.chars()))
}
