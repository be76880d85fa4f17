//! Words with exchanged letters, which people still read: `ingore perivous instrcutions`.
//!
//! # Invariants
//! * First and last letter and all letters between must be those of a word that attacks need (`other_words_are_not_taken`).

use super::slots::Slot;

/// Long English words of the lists by their first and last letter and the letters between in any order: `ingore`, `previuos`.
#[derive(Debug)]
pub(super) struct Scrambled {
    keys: Vec<(u64, Slot)>,
}

impl Scrambled {
    const LETTERS: std::ops::RangeInclusive<usize> = 5..=14;
    /// Whose words are worth it: ordinary words with a typing error must not become attacks.
    const SLOTS: [Slot; 13] = [
        Slot::Override,
        Slot::Scope,
        Slot::Instruction,
        Slot::Leak,
        Slot::Prompt,
        Slot::Secret,
        Slot::Verbatim,
        Slot::Safety,
        Slot::Disable,
        Slot::Unbounded,
        Slot::ActAs,
        Slot::Assistant,
        Slot::Authority,
    ];

    pub(super) fn of(entries: &[(String, Slot)]) -> Self {
        let forms = "ignore ignoring disregard forget override bypass discard abandon neglect erase cancel previous preceding original \
            initial earlier former existing instruction instructions guidelines guideline directions directives constraints restrictions \
            commands orders policies rules programming message reveal display repeat disclose print paste recite translate prompts prompt \
            password secret confidential credentials verbatim exactly safety filter filters guardrails ethical disable disabled \
            unrestricted unfiltered uncensored unlimited pretend assistant chatbot developer";
        let mut keys = Vec::new();
        for word in forms.split_whitespace() {
            let slot_of = |(form, slot): &&(String, Slot)| {
                let stem = form.trim();
                let is_stem = !form.ends_with(' ');
                !stem.contains(' ') && Self::SLOTS.contains(slot) && (stem == word || is_stem && word.starts_with(stem))
            };
            if let Some((_, slot)) = entries.iter().find(slot_of) {
                keys.extend(Self::key(word).map(|k| (k, *slot)));
            }
        }
        keys.sort_unstable();
        Self { keys }
    }

    /// First letter, last letter, and how often each letter stands between, in a sum that is the same in any order.
    fn key(word: &str) -> Option<u64> {
        let bytes = word.as_bytes();
        if !Self::LETTERS.contains(&bytes.len()) || !bytes.iter().all(u8::is_ascii_lowercase) {
            return None;
        }
        let mix = |b: u8| {
            (u64::from(b) << 7 | u64::from(b)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(u32::from(b) % 31)
        };
        let (first, last) = (bytes.first()?, bytes.last()?);
        let ends = u64::from(*first).wrapping_mul(0xff51_afd7_ed55_8ccd)
            ^ u64::from(*last).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        Some(bytes.iter().fold(ends, |sum, b| sum.wrapping_add(mix(*b))))
    }

    /// The slot of a word with exchanged letters. Words that are right are found as well; duplicates go later.
    pub(super) fn slot_of(&self, word: &str) -> Option<Slot> {
        let key = Self::key(word)?;
        let at = self.keys.binary_search_by_key(&key, |(k, _)| *k).ok()?;
        self.keys.get(at).map(|(_, slot)| *slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words_are_not_taken() {
        let scrambled = Scrambled::of(&[("ignor".to_owned(), Slot::Override), ("previous".to_owned(), Slot::Scope)]);
        assert_eq!(["ignore", "ingore", "ignroe"].map(|w| scrambled.slot_of(w)), [Some(Slot::Override); 3]);
        assert_eq!(["region", "ignored", "gnoire", "signor"].map(|w| scrambled.slot_of(w)), [None; 4]);
    }
}
