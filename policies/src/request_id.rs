//! The id of a request: the client's, if it is harmless in logs and headers, else a new one.
//!
//! # Invariants
//! * An id has 1 to [`BYTES_MAX`] characters of `A–Z a–z 0–9 . _ -` (`an_id_is_harmless_whatever_came`).

use std::sync::Arc;
use uuid::Uuid;

/// Longest id that is taken from a client. Longer: a new one is minted.
pub const BYTES_MAX: usize = 128;

/// The client's id if it can be accepted, else a UUIDv7, whose order is that of time.
pub fn accept_or_mint(client: Option<&str>) -> Arc<str> {
    match client {
        Some(id) if is_acceptable(id) => Arc::from(id),
        Some(_) | None => Arc::from(Uuid::now_v7().to_string()),
    }
}

fn is_acceptable(id: &str) -> bool {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=BYTES_MAX).contains(&id.len()) && id.bytes().all(harmless)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_harmless_id_is_kept() {
        for id in ["a", "req_01.HX-9", &"x".repeat(BYTES_MAX)] {
            assert_eq!(&*accept_or_mint(Some(id)), id);
        }
    }

    #[test]
    fn any_other_id_is_replaced() {
        for id in ["", "a b", "a\nb", "ä", "a\"", &"x".repeat(BYTES_MAX + 1)] {
            assert_ne!(&*accept_or_mint(Some(id)), id);
        }
        assert_ne!(accept_or_mint(None), accept_or_mint(None));
        assert_eq!(accept_or_mint(None).as_bytes()[14], b'7');
    }

    proptest! {
        #[test]
        fn an_id_is_harmless_whatever_came(client in proptest::option::of(".{0,200}")) {
            prop_assert!(is_acceptable(&accept_or_mint(client.as_deref())));
        }
    }
}
