//! Whose client certificate it is: certificates are known by what they hold, once TLS has verified them.
//!
//! # Invariants
//! * Names are compared whole and by kind: a host name never stands for a URI (`a_name_of_another_kind_is_nobody`).
//! * The first entry that matches counts, in the order of the file (`the_first_entry_that_matches_counts`).

use crate::{Denial, Identity};
use raptorgate_config::certificates::CertificateFacts;
use raptorgate_config::model::{self, CertificateMatch};
use std::collections::HashMap;
use std::sync::Arc;

/// A certificate that TLS has verified: issued by an authority that the listener accepts, within its dates, and its key
/// held by the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCertificate(Arc<CertificateFacts>);

impl VerifiedCertificate {
    /// To be called for the certificate of a completed handshake and for no other.
    pub fn of_handshake(facts: CertificateFacts) -> Self {
        Self(Arc::new(facts))
    }

    /// SHA-256 of the whole certificate.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.0.sha256
    }
}

/// The client certificates of one route.
#[derive(Debug, Default)]
pub struct CertificateRing {
    entries: HashMap<CertificateMatch, (usize, Identity)>,
}

impl CertificateRing {
    /// Takes the entries of a configuration.
    pub fn new(entries: &[model::ClientCertificate]) -> Self {
        let entry = |(n, entry): (usize, &model::ClientCertificate)| (entry.holds.clone(), (n, identity(entry)));
        Self { entries: entries.iter().enumerate().map(entry).collect() }
    }

    /// True if no certificate is accepted.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whose certificate it is.
    pub fn verify(&self, certificate: &VerifiedCertificate) -> Result<Identity, Denial> {
        let facts = &certificate.0;
        let names = facts.sans.iter().cloned().map(CertificateMatch::San);
        let subject = facts.subject.iter().cloned().map(CertificateMatch::Subject);
        let held = names.chain(subject).chain([CertificateMatch::Sha256(facts.sha256)]);
        let found = held.filter_map(|one| self.entries.get(&one)).min_by_key(|(n, _)| *n);
        found.map(|(_, identity)| identity.clone()).ok_or(Denial::InvalidClientCertificate)
    }
}

fn identity(entry: &model::ClientCertificate) -> Identity {
    Identity {
        key_id: Arc::clone(&entry.id),
        tenant: Arc::clone(&entry.tenant),
        user: Arc::clone(&entry.user),
        tier: entry.tier.clone(),
        region: entry.region.clone(),
        scopes: entry.scopes.clone().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raptorgate_config::certificates::SubjectAltName;

    fn entry(id: &str, holds: CertificateMatch) -> model::ClientCertificate {
        let (tier, region, scopes) = (None, None, Vec::new());
        model::ClientCertificate { id: id.into(), holds, tenant: "acme".into(), user: id.into(), tier, region, scopes }
    }

    fn certificate(sans: Vec<SubjectAltName>, subject: Option<&str>) -> VerifiedCertificate {
        let subject = subject.map(str::to_owned);
        let facts = CertificateFacts { sha256: [7; 32], subject, sans, not_before: 0, not_after: i64::MAX };
        VerifiedCertificate::of_handshake(facts)
    }

    fn uri(text: &str) -> SubjectAltName {
        SubjectAltName::Uri(text.into())
    }

    #[test]
    fn the_first_entry_that_matches_counts() {
        let entries = [
            entry("one", CertificateMatch::San(uri("spiffe://prod/a"))),
            entry("two", CertificateMatch::Subject("agents".into())),
            entry("three", CertificateMatch::Sha256([7; 32])),
        ];
        let who = |entries: &[model::ClientCertificate], certificate: &VerifiedCertificate| {
            CertificateRing::new(entries).verify(certificate).map(|identity| identity.key_id().to_string())
        };
        let all = certificate(vec![uri("spiffe://prod/b"), uri("spiffe://prod/a")], Some("agents"));
        assert_eq!(who(&entries, &all).as_deref(), Ok("one"));
        assert_eq!(who(&entries[1..], &all).as_deref(), Ok("two"));
        assert_eq!(who(&entries[2..], &all).as_deref(), Ok("three"));
        assert_eq!(who(&[], &all), Err(Denial::InvalidClientCertificate));
    }

    #[test]
    fn a_name_of_another_kind_is_nobody() {
        let ring = CertificateRing::new(&[
            entry("uri", CertificateMatch::San(uri("spiffe://prod/a"))),
            entry("subject", CertificateMatch::Subject("agents".into())),
        ]);
        let others = [
            certificate(vec![SubjectAltName::Dns("spiffe://prod/a".into())], None),
            certificate(vec![uri("agents")], None),
            certificate(vec![uri("spiffe://prod/a/")], Some("agents2")),
            certificate(Vec::new(), Some("spiffe://prod/a")),
            certificate(vec![uri("SPIFFE://prod/a")], None),
        ];
        for other in others {
            assert_eq!(ring.verify(&other), Err(Denial::InvalidClientCertificate), "{other:?}");
        }
    }
}
