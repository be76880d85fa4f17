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
mod read;
mod upi;
mod us_ssn;
mod vehicle_reg;
mod voter_id;

pub(super) use read::{Word, each_word, letter};

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
static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

/// All words by their hash.
struct Table {
    slots: Vec<Slot>,
    gates: Vec<u8>,
    /// Which beginnings of [`STEM_BYTES_MIN`] bytes stems have.
    stems: Vec<bool>,
}

/// Which lengths, first and last letters the words of a list have: most words of a text are in no list, and are known by this
/// without hashing them.
const GATES: usize = 1 << 13;
const WORD: u8 = 1;
/// First and second words of pairs.
const FIRST: u8 = 2;
const SECOND: u8 = 4;
/// Bytes of the shortest stem.
const STEM_BYTES_MIN: usize = 6;

impl Table {
    fn new() -> Self {
        let mut table = Self { slots: vec![Slot::default(); SLOTS], gates: vec![0; GATES], stems: vec![false; GATES] };
        for (meaning, words) in LISTS {
            words.iter().for_each(|word| table.add(word, *meaning));
        }
        table
    }

    fn add(&mut self, word: &str, meaning: Meaning) {
        let (letters, stem) = word.strip_suffix('*').map_or((word, false), |stem| (stem, true));
        let hash = match letters.split_once('+') {
            Some((first, second)) => {
                self.open(first, FIRST);
                self.open(second, SECOND);
                pair(hash_of(first), hash_of(second))
            }
            None => {
                self.open(letters, WORD);
                hash_of(letters)
            }
        };
        if stem && let Some(place) = beginning_of(letters.as_bytes()) {
            self.stems.get_mut(place).into_iter().for_each(|begins| *begins = true);
        }
        let place = self.probe(hash);
        if let Some(slot) = self.slots.get_mut(place) {
            slot.hash = hash;
            slot.meaning.add(meaning);
            slot.stem |= stem;
        }
    }

    fn open(&mut self, word: &str, gate: u8) {
        let letters: Vec<u8> = word.bytes().filter(|b| *b != b'-').collect();
        if let (Some(first), Some(last)) = (letters.first(), letters.last())
            && let Some(gates) = self.gates.get_mut(place_of(*first, *last, letters.len()))
        {
            *gates |= gate;
        }
    }

    /// What there may be a word for with these.
    #[inline]
    fn gate(&self, first: u8, last: u8, bytes: usize) -> u8 {
        self.gates.get(place_of(first, last, bytes)).copied().unwrap_or_default()
    }

    #[inline]
    fn gates(&self, word: &[u8]) -> u8 {
        match (word.first(), word.last()) {
            (Some(first), Some(last)) => self.gate(*first, *last, word.len()),
            _ => 0,
        }
    }

    #[inline]
    fn begins_stem(&self, word: &[u8]) -> bool {
        beginning_of(word).and_then(|place| self.stems.get(place)).is_some_and(|begins| *begins)
    }

    fn lookup(&self, word: &[u8]) -> Option<Meaning> {
        self.find(word.iter().fold(FNV_START, |hash, byte| step(hash, *byte))).map(|slot| slot.meaning)
    }

    /// The slot of this word, or the free one where it would stand.
    fn probe(&self, hash: u64) -> usize {
        let mut place = (hash ^ (hash >> 32)) as usize % SLOTS;
        while self.slots.get(place).is_some_and(|slot| slot.hash != 0 && slot.hash != hash) {
            place = (place + 1) % SLOTS;
        }
        place
    }

    fn find(&self, hash: u64) -> Option<Slot> {
        self.slots.get(self.probe(hash)).copied().filter(|slot| slot.hash == hash)
    }
}

/// Case makes no difference: the lowest five bits of a letter are those of the capital one.
#[inline]
fn place_of(first: u8, last: u8, bytes: usize) -> usize {
    (usize::from(first & 31) | usize::from(last & 31) << 5 | (bytes << 10)) % GATES
}

/// The place of a word's first bytes among the beginnings of stems.
#[inline]
fn beginning_of(word: &[u8]) -> Option<usize> {
    let first: &[u8; STEM_BYTES_MIN] = word.first_chunk()?;
    let bytes = first.iter().fold(0u64, |bytes, byte| bytes << 8 | u64::from(byte.to_ascii_lowercase()));
    Some((bytes.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize % GATES)
}

/// FNV-1a: a word's hash grows with each of its bytes, so that stems are looked up on the way.
const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

#[inline]
fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
}

fn hash_of(word: &str) -> u64 {
    word.bytes().filter(|b| *b != b'-').fold(FNV_START, step)
}

/// Two words that one sign joins: `permanent+account` in the lists.
fn pair(first: u64, second: u64) -> u64 {
    (first.rotate_left(17) ^ second).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1
}

/// True for the name of a field that holds somebody's number: `phone`, `aadhaar_no`.
pub fn names_a_number(name: &str) -> bool {
    let numbers = [PiiType::Phone, PiiType::Aadhaar, PiiType::CreditCard, PiiType::UsSsn];
    let kinds = numbers.into_iter().fold(0, |kinds, kind| kinds | bit(kind));
    meaning_of(name.as_bytes()).for_kinds & kinds != 0
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
    fn no_stem_is_shorter_than_the_beginnings_that_are_known() {
        let stems = LISTS.iter().flat_map(|(_, words)| *words).filter_map(|word| word.strip_suffix('*'));
        assert!(stems.clone().count() > 100);
        assert!(stems.clone().all(|stem| TABLE.begins_stem(stem.as_bytes())));
    }

    #[test]
    fn the_table_has_room() {
        assert!(TABLE.slots.iter().filter(|slot| slot.hash != 0).count() < SLOTS / 2);
    }
}
