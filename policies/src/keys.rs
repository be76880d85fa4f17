//! Who an API key belongs to: keys are known by the SHA-256 of their text, never by the text.
//!
//! # Invariants
//! * An unknown key costs the same work as a known one, and hashes are compared in constant time: what a refusal takes
//!   tells nothing about the keys that exist (`an_unknown_key_is_refused`).
//! * A presented text is hashed only up to [`KEY_BYTES_MAX`] (`an_overlong_key_is_refused`).

use crate::{Denial, Identity};
use raptorgate_config::model::ApiKey;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Longest key text that is looked at; keys in the field are below 200 bytes, tokens below 4 KiB. Longer: refused.
pub const KEY_BYTES_MAX: usize = 4096;

/// SHA-256 of a key's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApiKeyHash([u8; 32]);

impl ApiKeyHash {
    /// Hashes a presented text; `None` if it is empty or longer than [`KEY_BYTES_MAX`].
    pub fn of(presented: &str) -> Option<Self> {
        let fits = !presented.is_empty() && presented.len() <= KEY_BYTES_MAX;
        fits.then(|| Self(Sha256::digest(presented.as_bytes()).into()))
    }

    /// The hash's bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The keys of one route.
#[derive(Debug)]
pub struct KeyRing {
    identities: HashMap<[u8; 32], Identity>,
}

impl KeyRing {
    /// Takes the keys of a configuration.
    pub fn new(keys: &[ApiKey]) -> Self {
        Self { identities: keys.iter().map(|key| (key.sha256, identity(key))).collect() }
    }

    /// Whose key it is.
    pub fn verify(&self, presented: &str) -> Result<Identity, Denial> {
        let hash = ApiKeyHash::of(presented).ok_or(Denial::InvalidApiKey)?;
        self.find(&hash)
    }

    /// Whose key has this hash. The map is keyed by a hash of the key, which a caller cannot steer towards a stored
    /// one, so its early exits tell nothing; the last comparison is constant-time all the same, and done for unknown
    /// keys too.
    pub fn find(&self, hash: &ApiKeyHash) -> Result<Identity, Denial> {
        const NOBODY: [u8; 32] = [0; 32];
        let found = self.identities.get_key_value(hash.as_bytes());
        let stored = found.map_or(&NOBODY, |(stored, _)| stored);
        let same = bool::from(stored.ct_eq(hash.as_bytes()));
        match found {
            Some((_, identity)) if same => Ok(identity.clone()),
            Some(_) | None => Err(Denial::InvalidApiKey),
        }
    }
}

fn identity(key: &ApiKey) -> Identity {
    Identity {
        key_id: Arc::clone(&key.id),
        tenant: Arc::clone(&key.tenant),
        user: Arc::clone(&key.user),
        tier: key.tier.clone(),
        region: key.region.clone(),
        scopes: key.scopes.clone().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, text: &str, scopes: &[&str]) -> ApiKey {
        ApiKey {
            id: id.into(),
            sha256: Sha256::digest(text.as_bytes()).into(),
            tenant: "acme".into(),
            user: format!("user-of-{id}").into(),
            tier: Some("pro".into()),
            region: None,
            scopes: scopes.iter().map(|&s| s.into()).collect(),
        }
    }

    #[test]
    fn a_known_key_names_its_owner() {
        let ring = KeyRing::new(&[key("k1", "sk-one", &["act_as"]), key("k2", "sk-two", &[])]);
        let identity = ring.verify("sk-two").unwrap();
        assert_eq!((&**identity.key_id(), &**identity.user(), &**identity.tenant()), ("k2", "user-of-k2", "acme"));
        assert_eq!(ring.verify("sk-one").unwrap().scopes(), [Arc::from("act_as")]);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let ring = KeyRing::new(&[key("k1", "sk-one", &[])]);
        for unknown in ["sk-One", "sk-one ", "sk-on", "", "k1", "\0"] {
            assert_eq!(ring.verify(unknown), Err(Denial::InvalidApiKey), "{unknown:?}");
        }
        assert_eq!(KeyRing::new(&[]).verify("sk-one"), Err(Denial::InvalidApiKey));
    }

    #[test]
    fn an_overlong_key_is_refused() {
        let long = "x".repeat(KEY_BYTES_MAX + 1);
        let ring = KeyRing::new(&[key("k1", &long, &[])]);
        assert_eq!(ring.verify(&long), Err(Denial::InvalidApiKey));
    }
}
