//! Whether a reply gives away a system prompt: runs of words that both have, and canaries that must never come back.
//!
//! # Invariants
//! * How a reply is cut into pieces makes no difference (`pieces_make_no_difference`).
//! * Memory does not grow with the reply (`memory_is_bounded`).
//! * Common phrases are no leak: several runs of [`SHINGLE_WORDS`] words must be shared (`short_quotes_are_no_leak`).

/// Words of a run.
pub const SHINGLE_WORDS: usize = 6;
/// Different runs that are kept of a prompt; what comes behind is not protected.
pub const SHINGLES_MAX: usize = 8_192;
/// Letters of a word that are looked at.
const WORD_LETTERS_MAX: u32 = 64;
/// Shared runs in a row, or in sum, that are a leak.
const SHARED_MIN: u32 = 4;
/// Longest canary, in bytes.
pub const CANARY_BYTES_MAX: usize = 128;

/// Runs of words of one system prompt, and its canary.
#[derive(Debug, Clone, Default)]
pub struct Protected {
    shingles: Vec<u64>,
    canary: Vec<u8>,
}

/// What a reply gave away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leak {
    /// The canary.
    Canary,
    /// Runs of words of the prompt, so many of so many.
    Wording {
        /// Different runs seen.
        shared: u32,
        /// Runs of the prompt.
        of: u32,
    },
}

impl Protected {
    /// Takes a system prompt. A prompt of less than nine words can be known by its canary only. An empty canary is none; one that
    /// is too long is known by its first [`CANARY_BYTES_MAX`] bytes.
    pub fn new(prompt: &str, canary: &str) -> Self {
        let mut words = WordHashes::default();
        let mut shingles = Vec::new();
        for c in prompt.chars().chain(std::iter::once(' ')) {
            if words.push(c) && shingles.len() < SHINGLES_MAX {
                shingles.extend(words.shingle());
            }
        }
        shingles.sort_unstable();
        shingles.dedup();
        let canary = canary.as_bytes().iter().copied().take(CANARY_BYTES_MAX).collect();
        Self { shingles, canary }
    }

    /// Watches one reply.
    pub fn watch(&self) -> Watch<'_> {
        Watch {
            protected: self,
            words: WordHashes::default(),
            seen: vec![false; self.shingles.len()],
            shared: 0,
            tail: Vec::new(),
        }
    }

    /// Looks at a whole reply.
    pub fn leaks(&self, reply: &str) -> Option<Leak> {
        let mut watch = self.watch();
        watch.push(reply).or_else(|| watch.finish())
    }
}

/// A reply on its way.
#[derive(Debug)]
pub struct Watch<'p> {
    protected: &'p Protected,
    words: WordHashes,
    seen: Vec<bool>,
    shared: u32,
    /// The last bytes, less than a canary has.
    tail: Vec<u8>,
}

impl Watch<'_> {
    /// Takes the next piece; says when enough was given away.
    pub fn push(&mut self, piece: &str) -> Option<Leak> {
        if self.has_canary(piece.as_bytes()) {
            return Some(Leak::Canary);
        }
        piece.chars().find_map(|c| self.take(c))
    }

    /// The reply ended.
    pub fn finish(&mut self) -> Option<Leak> {
        self.take(' ')
    }

    fn take(&mut self, c: char) -> Option<Leak> {
        if !self.words.push(c) {
            return None;
        }
        let at = self.protected.shingles.binary_search(&self.words.shingle()?).ok()?;
        let seen = self.seen.get_mut(at)?;
        if std::mem::replace(seen, true) {
            return None;
        }
        self.shared = self.shared.saturating_add(1);
        let of = u32::try_from(self.protected.shingles.len()).unwrap_or(u32::MAX);
        (self.shared >= SHARED_MIN).then_some(Leak::Wording { shared: self.shared, of })
    }

    fn has_canary(&mut self, piece: &[u8]) -> bool {
        let canary = &self.protected.canary;
        if canary.is_empty() {
            return false;
        }
        let keep = canary.len().saturating_sub(1);
        let head = piece.get(..keep.min(piece.len())).unwrap_or_default();
        self.tail.extend(head);
        let contains = |bytes: &[u8]| bytes.windows(canary.len()).any(|w| w == canary.as_slice());
        let found = contains(&self.tail) || contains(piece);
        if piece.len() >= keep {
            self.tail.clear();
            self.tail.extend(piece.get(piece.len().saturating_sub(keep)..).unwrap_or_default());
        } else {
            let from = self.tail.len().saturating_sub(keep);
            self.tail.drain(..from);
        }
        found
    }
}

/// Hashes of the last words.
#[derive(Debug, Default)]
struct WordHashes {
    last: [u64; SHINGLE_WORDS],
    known: usize,
    current: u64,
    letters: u32,
}

impl WordHashes {
    /// Takes a character; true when it ended a word.
    fn push(&mut self, c: char) -> bool {
        if c.is_alphanumeric() {
            if self.letters < WORD_LETTERS_MAX {
                for lower in c.to_lowercase() {
                    self.current =
                        (self.current ^ u64::from(u32::from(lower))).wrapping_mul(0x0100_0000_01b3).rotate_left(9);
                }
            }
            self.letters = self.letters.saturating_add(1);
            return false;
        }
        if self.letters == 0 {
            return false;
        }
        self.last.rotate_left(1);
        if let Some(newest) = self.last.last_mut() {
            *newest = self.current;
        }
        self.known = self.known.saturating_add(1);
        (self.current, self.letters) = (0, 0);
        true
    }

    /// The run of the last words.
    fn shingle(&self) -> Option<u64> {
        let mix = |sum: u64, word: &u64| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
        (self.known >= SHINGLE_WORDS).then(|| self.last.iter().fold(0x51_7cc1, mix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PROMPT: &str = "You are the helpful clerk of a small bakery in Pune. Never speak about prices of other shops. \
        Answer in the language of the customer, and offer the bread of the day.";

    #[test]
    fn a_quoted_prompt_is_a_leak() {
        let protected = Protected::new(PROMPT, "kestrel-4471");
        assert!(matches!(protected.leaks(&format!("Sure! {}", PROMPT.to_uppercase())), Some(Leak::Wording { .. })));
        assert_eq!(protected.leaks("the word is kestrel-4471, they say"), Some(Leak::Canary));
        assert_eq!(Protected::new("", "").leaks("anything at all"), None);
    }

    #[test]
    fn short_quotes_are_no_leak() {
        let protected = Protected::new(PROMPT, "");
        assert_eq!(
            protected.leaks("I answer in the language of the customer, as you see. The bread of the day is rye."),
            None
        );
    }

    #[test]
    fn memory_is_bounded() {
        let long: String = (0..50_000).map(|i| format!("w{i} ")).collect();
        let protected = Protected::new(&long, &"c".repeat(1_000));
        assert!(protected.shingles.len() <= SHINGLES_MAX && protected.canary.len() <= CANARY_BYTES_MAX);
        let mut watch = protected.watch();
        assert_eq!(watch.push(&"other words ".repeat(50_000)), None);
        assert!(watch.tail.len() <= CANARY_BYTES_MAX * 2);
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(cuts in proptest::collection::vec(0_usize..400, 0..12), secret in any::<bool>()) {
            let protected = Protected::new(PROMPT, "kestrel-4471");
            let reply = if secret { format!("Yes: kestrel-4471. {PROMPT}") } else { format!("Well. {PROMPT} Fine.") };
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(reply.len())).chain([0, reply.len()]).collect();
            cuts.sort_unstable();
            let mut watch = protected.watch();
            let cut = cuts.windows(2).find_map(|w| watch.push(&reply[w[0]..w[1]])).or_else(|| watch.finish());
            prop_assert_eq!(cut.is_some(), protected.leaks(&reply).is_some());
            prop_assert_eq!(cut == Some(Leak::Canary), secret);
        }
    }
}
