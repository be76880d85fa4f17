//! The detector of personal data: nothing plain that stands alone is left, cuts do not matter, and masking twice is masking once, but for what its
//! module says.

use super::cuts::cut;
use raptorgate_config::model::{PiiAction, PiiType};
use raptorgate_guards::pii::{Masker, Rules, Tally};

/// An address that starts inside a longer run takes the neighbour of what stands before it, as the detector's invariants say.
const RUN_CHARS_MAX: usize = 64;
const TYPES: [PiiType; 16] = PiiType::ALL;

/// The first byte says what is done with each type: one of four choices, for every fourth type.
pub fn personal_data(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let rules = rules(*first);
    let (bytes, pieces) = cut(data);
    let text = String::from_utf8_lossy(bytes);
    let once = whole(&rules, &text);
    let singles: Vec<String> = text.chars().map(String::from).collect();
    assert_eq!(streamed(&rules, &singles), once, "single characters are masked in another way than the whole");
    let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let mut ends: Vec<usize> = pieces.iter().map(|piece| floor(piece.len())).collect();
    ends.sort_unstable();
    assert_eq!(streamed(&rules, &between(&text, &ends)), once, "pieces are masked in another way than the whole");
    // Words around a value can say that it is none; alone it is always one.
    for word in text.split([' ', '\n']) {
        let looked_for = plain(word).is_some_and(|kind| rules.action(kind).is_some());
        assert!(!looked_for || whole(&rules, word) != word, "{word} is left");
    }
    masked_twice(&rules, &once, &text);
}

/// What a word is that stands alone and is written in the plainest form.
fn plain(word: &str) -> Option<PiiType> {
    let is = |text: &str, most: usize, kind: fn(&u8) -> bool| {
        !text.is_empty() && text.len() <= most && text.bytes().all(|b| kind(&b))
    };
    if let Some((local, domain)) = word.split_once('@') {
        let (label, last) = domain.split_once('.')?;
        let fits = is(local, 32, u8::is_ascii_lowercase) && is(label, 16, u8::is_ascii_lowercase);
        return (fits && matches!(last, "com" | "in" | "org")).then_some(PiiType::Email);
    }
    if is(word, 10, u8::is_ascii_digit) {
        return (word.len() == 10 && word.as_bytes()[0] >= b'6').then_some(PiiType::Phone);
    }
    let (letters, rest) = word.split_at_checked(5)?;
    let (digits, last) = rest.split_at_checked(4)?;
    let fits = is(letters, 5, u8::is_ascii_uppercase)
        && is(digits, 4, u8::is_ascii_digit)
        && is(last, 1, u8::is_ascii_uppercase);
    (fits && "ABCFGHJLPT".contains(&letters[3..4])).then_some(PiiType::Pan)
}

/// A masked text stays as it is, as far as [`raptorgate_guards::pii`] promises.
fn masked_twice(rules: &Rules, once: &str, text: &str) {
    let may_be_in_address = |c: char| c.is_ascii_alphanumeric() || "._%+-'".contains(c) || !c.is_ascii();
    if text.split(|c| !may_be_in_address(c)).any(|run| run.chars().count() > RUN_CHARS_MAX) {
        return;
    }
    assert_eq!(whole(rules, once), once, "a masked text is masked again");
}

fn rules(choice: u8) -> Rules {
    let action = |at: usize| match choice >> (2 * (at % 4)) & 3 {
        0 => None,
        1 => Some(PiiAction::Replace),
        2 => Some(PiiAction::Mask { keep_last: 4 }),
        _ => Some(PiiAction::Block),
    };
    let chosen: Vec<_> = TYPES.into_iter().enumerate().filter_map(|(at, kind)| Some((kind, action(at)?))).collect();
    Rules::new(&chosen)
}

fn whole(rules: &Rules, text: &str) -> String {
    Masker::whole(rules, text, &mut Tally::default()).unwrap_or_else(|| text.to_owned())
}

fn streamed(rules: &Rules, pieces: &[String]) -> String {
    let mut masker = Masker::new(rules);
    let mut out = String::new();
    pieces.iter().for_each(|piece| masker.push(piece, &mut out));
    masker.finish(&mut out);
    out
}

fn between(text: &str, ends: &[usize]) -> Vec<String> {
    let mut from = 0;
    let ends = ends.iter().copied().chain([text.len()]);
    ends.map(|end| text[std::mem::replace(&mut from, end)..end].to_owned()).collect()
}
