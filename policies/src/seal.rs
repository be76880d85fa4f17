//! Replies at rest: sealed before a store sees them, with AES-256-GCM, so that neither its files nor its server tell what a
//! model said.
//!
//! # Invariants
//! * What was sealed for one key of one tenant opens for no other (`a_seal_opens_for_its_own_key_alone`).
//! * A byte that was changed is found (`a_changed_byte_is_found`).

use crate::ledger::{KeyHash, StoreName};
use raptorgate_config::units::Secret;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Name of the key's file in the store's folder: 32 bytes, readable by its owner alone.
pub const KEY_FILE: &str = "reply.key";

const KEY_BYTES: usize = 32;

/// Seals and opens replies. Nonces are random, of 96 bits: a key is good for 2^32 replies (NIST SP 800-38D §8.3).
pub struct Seal {
    key: LessSafeKey,
    random: SystemRandom,
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Seal {
    /// With a key that is made of an operator's secret.
    pub fn of_secret(secret: &Secret) -> Option<Self> {
        Self::new(&Sha256::digest([b"raptorgate reply key\0".as_slice(), secret.reveal().as_bytes()].concat()))
    }

    /// With the key of a folder, which is made if it is not there.
    pub fn in_folder(folder: &Path) -> std::io::Result<Self> {
        let path = folder.join(KEY_FILE);
        let key = match std::fs::read(&path) {
            Ok(key) => key,
            Err(error) if error.kind() == ErrorKind::NotFound => make(folder, &path)?,
            Err(error) => return Err(error),
        };
        Self::new(&key).ok_or_else(|| std::io::Error::new(ErrorKind::InvalidData, "it is not a key of 32 bytes"))
    }

    fn new(key: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key).ok()?;
        Some(Self { key: LessSafeKey::new(key), random: SystemRandom::new() })
    }

    /// Seals a reply for a key of a tenant: nonce, then text and tag. `None` only if the system has no randomness.
    pub fn seal(&self, tenant: &StoreName, key: &KeyHash, reply: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let mut text = Vec::with_capacity(reply.len() + AES_256_GCM.tag_len());
        text.extend_from_slice(reply);
        let nonce_used = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(nonce_used, aad(tenant, key), &mut text).ok()?;
        Some([nonce.as_slice(), &text].concat())
    }

    /// Opens a reply; `None` if it was not sealed so.
    pub fn open(&self, tenant: &StoreName, key: &KeyHash, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let length = self.key.open_in_place(nonce, aad(tenant, key), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

/// Whose reply it is: the hash has a fixed length, so no two pairs are the same bytes.
fn aad(tenant: &StoreName, key: &KeyHash) -> Aad<Vec<u8>> {
    Aad::from([key.as_slice(), tenant.as_str().as_bytes()].concat())
}

/// A key that is there is there whole: it is written beside its place and renamed.
fn make(folder: &Path, path: &Path) -> std::io::Result<Vec<u8>> {
    let mut key = vec![0; KEY_BYTES];
    SystemRandom::new().fill(&mut key).map_err(|_| std::io::Error::other("the system has no randomness"))?;
    let draft = folder.join("reply.key.new");
    let mut file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
    file.write_all(&key)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    File::open(folder)?.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn acme() -> StoreName {
        StoreName::of(&["acme"])
    }

    #[test]
    fn a_seal_opens_for_its_own_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let seal = Seal::in_folder(folder.path()).unwrap();
        let sealed = seal.seal(&acme(), &[1; 32], b"secret").unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        assert_eq!(seal.open(&acme(), &[1; 32], &sealed).as_deref(), Some(b"secret".as_slice()));
        assert_eq!(seal.open(&acme(), &[2; 32], &sealed), None);
        assert_eq!(seal.open(&StoreName::of(&["other"]), &[1; 32], &sealed), None);
        assert_ne!(seal.seal(&acme(), &[1; 32], b"secret").unwrap(), sealed, "each has a nonce of its own");
        let again = Seal::in_folder(folder.path()).unwrap();
        assert!(again.open(&acme(), &[1; 32], &sealed).is_some(), "the key stays");
        let mode = std::fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        assert_eq!(Seal::in_folder(other.path()).unwrap().open(&acme(), &[1; 32], &sealed), None);
    }

    #[test]
    fn a_changed_byte_is_found() {
        let seal = Seal::of_secret(&Secret::new("a secret of an operator, long enough")).unwrap();
        let sealed = seal.seal(&acme(), &[1; 32], b"what was said").unwrap();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(seal.open(&acme(), &[1; 32], &changed), None);
        }
        assert_eq!(seal.open(&acme(), &[1; 32], &sealed[..11]), None);
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(KEY_FILE), b"short").unwrap();
        assert!(Seal::in_folder(folder.path()).is_err());
    }
}
