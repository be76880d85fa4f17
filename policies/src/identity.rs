//! Who is calling, proven by a key or a client certificate.
//!
//! # Invariants
//! * An `Identity` comes from [`crate::keys::KeyRing::verify`] or [`crate::client_certificate::CertificateRing::verify`] and
//!   nowhere else: its constructor is private to this crate.

use std::sync::Arc;

/// A verified caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub(crate) key_id: Arc<str>,
    pub(crate) tenant: Arc<str>,
    pub(crate) user: Arc<str>,
    pub(crate) tier: Option<Arc<str>>,
    pub(crate) region: Option<Arc<str>>,
    pub(crate) scopes: Arc<[Arc<str>]>,
}

impl Identity {
    /// Name of the key or certificate that was presented.
    pub fn key_id(&self) -> &Arc<str> {
        &self.key_id
    }

    /// The tenant.
    pub fn tenant(&self) -> &Arc<str> {
        &self.tenant
    }

    /// The key's owner.
    pub fn user(&self) -> &Arc<str> {
        &self.user
    }

    /// Price tier.
    pub fn tier(&self) -> Option<&Arc<str>> {
        self.tier.as_ref()
    }

    /// Price region.
    pub fn region(&self) -> Option<&Arc<str>> {
        self.region.as_ref()
    }

    /// What the key may do.
    pub fn scopes(&self) -> &[Arc<str>] {
        &self.scopes
    }
}
