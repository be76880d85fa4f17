//! Tokens that a request used.
//!
//! # Invariants
//! * A count is at most [`TOKENS_MAX`], whatever an upstream claims (`a_count_is_bounded`).
//! * `cached_input` is part of `input` and never exceeds it (`cached_input_is_part_of_input`).

/// The most tokens one request is believed to use; larger claims count as this much. 2^40 tokens at the dearest price
/// still fit into 128 bits with room to spare.
pub const TOKENS_MAX: u64 = 1 << 40;

/// Tokens of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    pub input: u64,
    /// Tokens of the answer, reasoning included.
    pub output: u64,
    /// Tokens of the prompt that the provider read from its cache; part of `input`.
    pub cached_input: u64,
}

impl Usage {
    /// Takes counts that somebody else claims, and bounds them.
    pub fn claimed(input: u64, output: u64, cached_input: u64) -> Self {
        let input = input.min(TOKENS_MAX);
        Self { input, output: output.min(TOKENS_MAX), cached_input: cached_input.min(input) }
    }

    /// Input and output together.
    pub const fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_bounded() {
        let usage = Usage::claimed(u64::MAX, u64::MAX, u64::MAX);
        assert_eq!(usage, Usage { input: TOKENS_MAX, output: TOKENS_MAX, cached_input: TOKENS_MAX });
        assert_eq!(usage.total(), 2 * TOKENS_MAX);
    }

    #[test]
    fn cached_input_is_part_of_input() {
        assert_eq!(Usage::claimed(10, 1, 11).cached_input, 10);
    }
}
