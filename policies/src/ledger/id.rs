//! The id of a request in the ledger: a UUIDv7, minted by the gateway and never derived from what a client sends.
//!
//! # Invariants
//! * The day of an id is read from the id, so that everybody files it in the same place (`an_id_tells_its_day`).
//! * The order of ids is the order of their texts (`ids_are_ordered_as_their_texts`).

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

const MILLIS_PER_DAY: u64 = 86_400_000;

/// Names one request wherever money moves for it. Prints as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LedgerId(u128);

impl LedgerId {
    /// A new id.
    pub fn mint() -> Self {
        Self(Uuid::now_v7().as_u128())
    }

    /// An id that was minted before.
    pub const fn from_u128(id: u128) -> Self {
        Self(id)
    }

    /// Reads what [`fmt::Display`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex { u128::from_str_radix(text, 16).ok().map(Self) } else { None }
    }

    /// The number.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// Milliseconds since the epoch when it was minted (RFC 9562 §5.7: the first 48 bits).
    pub const fn millis(self) -> u64 {
        (self.0 >> 80) as u64
    }

    /// Days since 1970-01-01 when it was minted, UTC.
    pub const fn day(self) -> u64 {
        self.millis() / MILLIS_PER_DAY
    }
}

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_day() {
        let id = LedgerId::parse("019aba1c2c007000800000000000abcd").unwrap();
        assert_eq!(id.day(), 0x019a_ba1c_2c00 / 86_400_000);
        assert_eq!(id.to_string(), "019aba1c2c007000800000000000abcd");
    }

    #[test]
    fn ids_are_ordered_as_their_texts() {
        let (one, other) = (LedgerId::mint(), LedgerId::mint());
        assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
    }

    #[test]
    fn only_a_whole_id_is_read() {
        for bad in [
            "",
            "1",
            "019aba1c-2c00-7000-8000-00000000abcd",
            "019ABA1C2C007000800000000000ABCD",
            "+19aba1c2c007000800000000000abcd",
        ] {
            assert_eq!(LedgerId::parse(bad), None, "{bad}");
        }
    }
}
