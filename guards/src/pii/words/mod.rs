//! Words around a value and what they say of it. The lists stand in one file for each type; this file looks them up.
//!
//! # Invariants
//! * A word is looked up by its letters alone: case, and what joins words in keys, make no difference
//!   (`keys_and_words_mean_the_same`).

mod aadhaar;
mod credit_card;
mod driving_licence;
mod email;
mod gstin;
mod iban;
mod ifsc;
mod ip_address;
mod negative_hosts;
mod negative_numbers;
mod negative_tokens;
mod negative_versions;
mod pan;
mod passport;
mod phone;
mod upi;
mod us_ssn;
mod vehicle_reg;
mod voter_id;

use raptorgate_config::model::PiiType;
use std::sync::LazyLock;

/// Types as bits, in the order of their declaration.
pub(super) const fn bit(kind: PiiType) -> u32 {
    1 << kind as u32
}

/// Types whose values are little more than digits.
const NUMBERS: u32 = bit(PiiType::Phone)
    | bit(PiiType::Aadhaar)
    | bit(PiiType::Pan)
    | bit(PiiType::Ifsc)
    | bit(PiiType::VoterId)
    | bit(PiiType::Passport)
    | bit(PiiType::DrivingLicence)
    | bit(PiiType::VehicleReg)
    | bit(PiiType::CreditCard)
    | bit(PiiType::UsSsn);

const HOSTS: u32 = bit(PiiType::Email) | bit(PiiType::Upi);

/// What a word says: it stands near values of some types, or near what only looks like them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    pub for_kinds: u32,
    pub against_kinds: u32,
}

impl Meaning {
    fn add(&mut self, other: Meaning) {
        self.for_kinds |= other.for_kinds;
        self.against_kinds |= other.against_kinds;
    }
}

const fn toward(kind: PiiType) -> Meaning {
    Meaning { for_kinds: bit(kind), against_kinds: 0 }
}

const fn against(kinds: u32) -> Meaning {
    Meaning { for_kinds: 0, against_kinds: kinds }
}

const LISTS: &[(Meaning, &[&str])] = &[
    (toward(PiiType::Email), email::WORDS),
    (toward(PiiType::Phone), phone::WORDS),
    (toward(PiiType::Aadhaar), aadhaar::WORDS),
    (toward(PiiType::Pan), pan::WORDS),
    (toward(PiiType::Gstin), gstin::WORDS),
    (toward(PiiType::Ifsc), ifsc::WORDS),
    (toward(PiiType::Upi), upi::WORDS),
    (toward(PiiType::VoterId), voter_id::WORDS),
    (toward(PiiType::Passport), passport::WORDS),
    (toward(PiiType::DrivingLicence), driving_licence::WORDS),
    (toward(PiiType::VehicleReg), vehicle_reg::WORDS),
    (toward(PiiType::CreditCard), credit_card::WORDS),
    (toward(PiiType::Iban), iban::WORDS),
    (toward(PiiType::UsSsn), us_ssn::WORDS),
    (toward(PiiType::IpAddress), ip_address::WORDS),
    (against(NUMBERS), negative_numbers::WORDS),
    (against(NUMBERS | bit(PiiType::IpAddress)), negative_versions::WORDS),
    (against(HOSTS), negative_hosts::WORDS),
    (against(NUMBERS | bit(PiiType::Secret)), negative_tokens::WORDS),
];

#[derive(Clone, Copy, Default)]
struct Slot {
    hash: u64,
    meaning: Meaning,
    stem: bool,
}

const SLOTS: usize = 4096;
static TABLE: LazyLock<Vec<Slot>> = LazyLock::new(table);

fn table() -> Vec<Slot> {
    let mut slots = vec![Slot::default(); SLOTS];
    for (meaning, words) in LISTS {
        for word in *words {
            let (letters, stem) = word.strip_suffix('*').map_or((*word, false), |stem| (stem, true));
            let hash = match letters.split_once('+') {
                Some((first, second)) => pair(hash_of(first), hash_of(second)),
                None => hash_of(letters),
            };
            let place = probe(&slots, hash);
            if let Some(slot) = slots.get_mut(place) {
                slot.hash = hash;
                slot.meaning.add(*meaning);
                slot.stem |= stem;
            }
        }
    }
    slots
}

/// FNV-1a: a word's hash grows with each of its bytes, so that stems are looked up on the way.
const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

fn hash_of(word: &str) -> u64 {
    word.bytes().filter(|b| *b != b'-').fold(FNV_START, step)
}

/// Two words that one sign joins: `permanent+account` in the lists.
fn pair(first: u64, second: u64) -> u64 {
    (first.rotate_left(17) ^ second).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1
}

/// The slot of this word, or the free one where it would stand.
fn probe(slots: &[Slot], hash: u64) -> usize {
    let mut place = (hash ^ (hash >> 32)) as usize % SLOTS;
    while slots.get(place).is_some_and(|slot| slot.hash != 0 && slot.hash != hash) {
        place = (place + 1) % SLOTS;
    }
    place
}

fn find(hash: u64) -> Option<Slot> {
    TABLE.get(probe(&TABLE, hash)).copied().filter(|slot| slot.hash == hash)
}

/// A word while its letters are read.
pub(super) struct Word {
    hash: u64,
    /// Before the last letter: plurals.
    singular: u64,
    last: u8,
    wide: bool,
    /// The word before it; 0: there is none.
    before: u64,
    stem: Meaning,
    pub bytes: usize,
}

impl Word {
    pub const fn new() -> Self {
        let none = Meaning { for_kinds: 0, against_kinds: 0 };
        Self { hash: FNV_START, singular: FNV_START, last: 0, wide: false, before: 0, stem: none, bytes: 0 }
    }

    /// The next letter, if it is an ASCII one.
    #[inline]
    fn push_ascii(&mut self, letter: u8) {
        self.singular = self.hash;
        self.last = letter | 0x20;
        self.hash = step(self.hash, self.last);
        self.bytes += 1;
    }

    /// The next letter.
    pub fn push(&mut self, letter: &[u8]) {
        self.singular = self.hash;
        self.wide |= letter.len() > 1;
        for byte in letter {
            self.last = byte.to_ascii_lowercase();
            self.hash = step(self.hash, self.last);
            self.bytes += 1;
        }
        if self.wide
            && let Some(slot) = find(self.hash).filter(|slot| slot.stem)
        {
            self.stem.add(slot.meaning);
        }
    }

    pub fn meaning(&self) -> Meaning {
        self.said().0
    }

    /// What it means, and whether it means that together with the word before it.
    pub fn said(&self) -> (Meaning, bool) {
        let found = find(self.hash).or_else(|| if self.last == b's' { find(self.singular) } else { None });
        let joined = if self.before == 0 { None } else { find(pair(self.before, self.hash)) };
        if let Some(slot) = joined {
            return (slot.meaning, true);
        }
        let mut meaning = self.stem;
        found.into_iter().for_each(|slot| meaning.add(slot.meaning));
        (meaning, false)
    }

    /// A new word after this one, which together may mean something else: `permanent account`.
    fn followed(&self) -> Self {
        Self { before: self.hash, ..Self::new() }
    }
}

/// The letter at the start of `rest`: its length, and whether it is a letter. Marks that Indic letters carry are letters.
pub(super) fn letter(rest: &[u8]) -> Option<(usize, bool)> {
    let first = *rest.first()?;
    if first < 0x80 {
        return Some((1, first.is_ascii_alphabetic()));
    }
    let len = match first {
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
        _ => return Some((1, false)),
    };
    let Some(c) = rest.get(..len).and_then(|b| std::str::from_utf8(b).ok()).and_then(|s| s.chars().next()) else {
        return Some((1, false));
    };
    let code = c as u32;
    // Punctuation, currency and symbols; dandas; full-width forms and digits, which fold to ASCII.
    let other = matches!(code, 0..0xAA | 0x964..=0x965 | 0x2000..=0x2BFF | 0x3000..=0x303F | 0xFF00..)
        || super::fold::fold(c) != super::fold::HARD;
    let joiner = matches!(code, 0x200C | 0x200D);
    Some((len, !other || joiner))
}

/// What all words of a key or of the head of a column say together; the last word that says anything decides.
pub(super) fn meaning_of(name: &[u8]) -> Meaning {
    let mut meaning = Meaning::default();
    each_word(name, |word, _| {
        let said = word.meaning();
        if said != Meaning::default() && (said.for_kinds != 0 || meaning.for_kinds == 0) {
            meaning = said;
        }
    });
    if crate::pii::assigned::names_secret(name) {
        meaning.for_kinds |= bit(PiiType::Secret);
    }
    meaning
}

/// Calls `tell` with each word and the place after it. `camelCase` is two words.
pub(super) fn each_word(text: &[u8], mut tell: impl FnMut(&Word, usize)) {
    let (mut at, mut word, mut small, mut gap) = (0, Word::new(), false, 0);
    while let Some(first) = text.get(at) {
        let (len, is_letter) = match first {
            0..0x80 => (1, first.is_ascii_alphabetic()),
            _ => text.get(at..).and_then(letter).unwrap_or((1, false)),
        };
        let bytes = text.get(at..at + len).unwrap_or_default();
        let capital = bytes.first().is_some_and(u8::is_ascii_uppercase);
        if word.bytes > 0 && (!is_letter || (capital && small)) {
            tell(&word, at);
            (word, gap) = (word.followed(), 0);
        }
        // Only words that one sign joins are a pair.
        gap += usize::from(!is_letter);
        if gap > 2 && word.bytes == 0 {
            word = Word::new();
        }
        if is_letter && len == 1 {
            word.push_ascii(*first);
        } else if is_letter {
            word.push(bytes);
        }
        small = is_letter && !capital;
        at += len;
    }
    if word.bytes > 0 {
        tell(&word, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_words_mean_the_same() {
        for name in
            ["phone", "Phone No", "phone_number", "mobileNumber", "MOBILE", "फोन", "ఫోన్", "phones", "अपना मोबाइलों"]
        {
            assert_eq!(meaning_of(name.as_bytes()).for_kinds, bit(PiiType::Phone), "{name}");
        }
        assert_eq!(meaning_of(b"order_id").for_kinds, 0);
        assert_ne!(meaning_of(b"order_id").against_kinds, 0);
        assert_eq!(meaning_of(b"hello"), Meaning::default());
    }

    #[test]
    fn the_table_has_room() {
        assert!(TABLE.iter().filter(|slot| slot.hash != 0).count() < SLOTS / 2);
    }
}
