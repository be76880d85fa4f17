//! Names under which things stand in a store.
//!
//! # Invariants
//! * A name has 1 to [`NAME_BYTES_MAX`] characters that mean nothing in JSON, in a Redis key or in a glob, whatever its
//!   parts were (`a_name_is_harmless_whatever_its_parts`).
//! * Different parts make different names (`different_parts_make_different_names`).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fmt::Write;
use std::sync::Arc;

/// Longest name. What would be longer ends in the SHA-256 of its whole text.
pub const NAME_BYTES_MAX: usize = 200;

/// How much of a long name is kept readable.
const READABLE_BYTES: usize = 120;

/// A name made of parts: `user:asha`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StoreName(Arc<str>);

impl StoreName {
    /// Joins parts with colons. Everything but ASCII letters, digits, `.`, `_` and `-` is percent-encoded.
    pub fn of(parts: &[&str]) -> Self {
        let mut text = String::new();
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                text.push(':');
            }
            part.bytes().for_each(|byte| encode(byte, &mut text));
        }
        if text.is_empty() {
            text.push(':');
        }
        if text.len() > NAME_BYTES_MAX {
            let digest = Sha256::digest(text.as_bytes());
            text.truncate(READABLE_BYTES);
            text.push('~');
            for byte in digest {
                let _ = write!(text, "{byte:02x}");
            }
        }
        Self(text.into())
    }

    /// Takes a name that was made before; `None` if it cannot have been.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=NAME_BYTES_MAX).contains(&text.len());
        (fits && text.bytes().all(|b| plain(b) || matches!(b, b':' | b'%' | b'~'))).then(|| Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn encode(byte: u8, text: &mut String) {
    if plain(byte) {
        text.push(char::from(byte));
    } else {
        let _ = write!(text, "%{byte:02X}");
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An account: what is counted for whom, and in which window. Prints as `BASE@WINDOW`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountName {
    /// Budget, currency and subject.
    pub base: StoreName,
    /// The hour, day or month, in the tenant's time zone.
    pub window: StoreName,
}

impl AccountName {
    /// Reads what [`fmt::Display`] prints.
    pub fn parse(text: &str) -> Option<Self> {
        let (base, window) = text.split_once('@')?;
        Some(Self { base: StoreName::parse(base)?, window: StoreName::parse(window)? })
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.base, self.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_reads_like_its_parts() {
        assert_eq!(StoreName::of(&["month", "user", "asha"]).as_str(), "month:user:asha");
        assert_eq!(StoreName::of(&["a:b", "{é}*\n"]).as_str(), "a%3Ab:%7B%C3%A9%7D%2A%0A");
        assert_eq!(StoreName::of(&[]).as_str(), ":");
    }

    proptest! {
        #[test]
        fn a_name_is_harmless_whatever_its_parts(parts in proptest::collection::vec(".{0,90}", 0..5)) {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let name = StoreName::of(&parts);
            prop_assert_eq!(StoreName::parse(name.as_str()), Some(name.clone()));
            let account = AccountName { base: name.clone(), window: name };
            prop_assert_eq!(AccountName::parse(&account.to_string()), Some(account));
        }

        #[test]
        fn different_parts_make_different_names(
            one in proptest::collection::vec("[a:%~]{0,120}", 1..4), other in proptest::collection::vec("[a:%~]{0,120}", 1..4),
        ) {
            let name = |parts: &[String]| StoreName::of(&parts.iter().map(String::as_str).collect::<Vec<_>>());
            let empty = |parts: &[String]| parts.concat().is_empty();
            prop_assert!(one == other || name(&one) != name(&other) || (empty(&one) && empty(&other)));
        }
    }
}
