//! Patterns of one's own in a text that arrives in pieces.
//!
//! # Invariants
//! * What matches at a place depends on at most [`LOOK_BYTES_MAX`] bytes from there on, so where fewer have come nothing is
//!   decided (`own_patterns_do_not_see_cuts`).

use super::fold::LOOK_BYTES_MAX;
use super::rules::Rules;
use std::ops::Range;

/// The next match in one piece of text.
pub(super) struct Search {
    /// The character before the piece and the piece: patterns may ask what stands before them.
    text: String,
    before: usize,
    /// Nothing from here on is decided.
    pub safe: usize,
    next: Option<(usize, Range<usize>)>,
    known_to: usize,
}

impl Search {
    /// `None` if there are no such patterns.
    pub fn new(rules: &Rules, last: char, text: &str, finished: bool) -> Option<Self> {
        if rules.own().is_empty() {
            return None;
        }
        let mut joined = String::with_capacity(text.len() + 4);
        if last != '\0' {
            joined.push(last);
        }
        let before = joined.len();
        joined.push_str(text);
        let mut safe = if finished { text.len() } else { text.len().saturating_sub(LOOK_BYTES_MAX) };
        while !text.is_char_boundary(safe) {
            safe -= 1;
        }
        Some(Self { text: joined, before, safe, next: None, known_to: 0 })
    }

    /// The first match that starts from `at` on, where it is certain.
    pub fn next(&mut self, rules: &Rules, at: usize) -> Option<(usize, Range<usize>)> {
        let known = self.known_to > at || self.next.as_ref().is_some_and(|(_, range)| range.start >= at);
        if !known {
            let matches = rules.own().iter().enumerate().filter_map(|(place, own)| {
                let found = own.regex.find_at(&self.text, at + self.before)?;
                Some((place, found.start() - self.before..found.end() - self.before))
            });
            self.next = matches
                .filter(|(_, range)| range.start < self.safe && !range.is_empty())
                .min_by_key(|(_, range)| range.start);
            self.known_to = if self.next.is_none() { usize::MAX } else { 0 };
        }
        self.next.clone()
    }
}
