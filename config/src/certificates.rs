//! Certificates, keys and authorities: read once, checked, and kept in a form that proves it.
//!
//! # Invariants
//! * A [`Certificate`] holds a chain that is in order and the key of its leaf (`a_bad_pair_says_what_is_wrong_with_it`).
//! * A private key is never printed (`a_key_is_never_printed`).

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Most certificates of one chain or one file of authorities; more: the file is refused. Public stores have some 150.
const CERTIFICATES_MAX: usize = 1_000;

/// What a certificate file may lack or get wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No PEM block of a certificate.
    #[error("the file holds no certificate in PEM")]
    NoCertificate,
    /// More than anybody needs.
    #[error("the file holds more than {CERTIFICATES_MAX} certificates")]
    TooMany,
    /// Not a certificate inside, or none that can be used; numbers count from 1.
    #[error("certificate {0} of the file cannot be read")]
    Unreadable(usize),
    /// A certificate that is followed by one that did not issue it; numbers count from 1.
    #[error("certificate {0} of the file was not issued by the one behind it")]
    Order(usize),
    /// No PEM block of a key.
    #[error("the file holds no private key in PEM")]
    NoKey,
    /// A key that cannot be used.
    #[error("the private key is of a kind that cannot be used")]
    UnknownKey,
    /// The key of another certificate.
    #[error("the private key does not belong to the certificate")]
    OtherKey,
}

impl CertificateError {
    /// True if it is the key's file that has to be corrected.
    pub(crate) const fn is_about_key(&self) -> bool {
        match self {
            Self::NoKey | Self::UnknownKey | Self::OtherKey => true,
            Self::NoCertificate | Self::TooMany | Self::Unreadable(_) | Self::Order(_) => false,
        }
    }

    /// What to do about it.
    pub(crate) const fn help(&self) -> &'static str {
        match self {
            Self::NoCertificate => "PEM begins with `-----BEGIN CERTIFICATE-----`",
            Self::TooMany => "name only the authorities that are needed",
            Self::Unreadable(_) => "look at it with `openssl x509 -noout -text`; X.509 version 3 is needed",
            Self::Order(_) => {
                "the server's own certificate stands first, then each one's issuer; leave other certificates out"
            }
            Self::NoKey => "PKCS #8, PKCS #1 or SEC 1 in PEM, not encrypted",
            Self::UnknownKey => "RSA of 2048 to 8192 bits, ECDSA on P-256 or P-384, or Ed25519",
            Self::OtherKey => "name the key with which the first certificate of the chain was requested",
        }
    }
}

/// A name for which a certificate was issued, beside its subject.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubjectAltName {
    /// `spiffe://prod/agents`.
    Uri(String),
    /// Lower case; may begin with `*.`.
    Dns(String),
    /// `asha@example.in`.
    Email(String),
    /// An address.
    Ip(IpAddr),
}

/// What a certificate says about its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// SHA-256 of the whole certificate.
    pub sha256: [u8; 32],
    /// Common name of the subject, if it has exactly one.
    pub subject: Option<String>,
    /// Subject alternative names.
    pub sans: Vec<SubjectAltName>,
    /// From when it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, in seconds since 1970.
    pub not_after: i64,
}

impl CertificateFacts {
    /// Reads a certificate in DER; `None` if it is none.
    pub fn read(der: &[u8]) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let names = parsed.subject_alternative_name().ok()?;
        let names = names.iter().flat_map(|extension| &extension.value.general_names);
        let mut common = parsed.subject().iter_common_name();
        let subject = common.next().and_then(|name| name.as_str().ok()).map(str::to_owned);
        Some(Self {
            sha256: Sha256::digest(der).into(),
            subject: subject.filter(|_| common.next().is_none()),
            sans: names.filter_map(alt_name).collect(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
        })
    }

    /// Host names, lower case, some beginning with `*.`.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.sans.iter().filter_map(|name| match name {
            SubjectAltName::Dns(host) => Some(host.as_str()),
            SubjectAltName::Uri(_) | SubjectAltName::Email(_) | SubjectAltName::Ip(_) => None,
        })
    }
}

fn alt_name(name: &GeneralName<'_>) -> Option<SubjectAltName> {
    match name {
        GeneralName::URI(uri) => Some(SubjectAltName::Uri((*uri).to_owned())),
        GeneralName::DNSName(host) => Some(SubjectAltName::Dns(host.to_ascii_lowercase())),
        GeneralName::RFC822Name(address) => Some(SubjectAltName::Email((*address).to_owned())),
        GeneralName::IPAddress(bytes) => <[u8; 4]>::try_from(*bytes)
            .map(IpAddr::from)
            .or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from))
            .ok()
            .map(SubjectAltName::Ip),
        // kinds that nobody names in a configuration
        _ => None,
    }
}

/// A certificate chain with the key of its leaf.
pub struct Certificate {
    file: String,
    key_file: String,
    certified: Arc<CertifiedKey>,
    key: PrivateKeyDer<'static>,
    facts: CertificateFacts,
    digest: [u8; 32],
}

impl Certificate {
    /// Reads a chain, leaf first, and the key of the leaf, both PEM. The names of the files are kept as they are written.
    pub fn read(file: (&str, &[u8]), key_file: (&str, &[u8])) -> Result<Self, CertificateError> {
        let chain = chain(file.1)?;
        let leaf = chain.first().ok_or(CertificateError::NoCertificate)?;
        let facts = CertificateFacts::read(leaf).ok_or(CertificateError::Unreadable(1))?;
        let key = PrivateKeyDer::from_pem_slice(key_file.1).map_err(|_| CertificateError::NoKey)?;
        let signing = ring::sign::any_supported_type(&key).map_err(|_| CertificateError::UnknownKey)?;
        let mut digest = Sha256::new();
        chain.iter().for_each(|certificate| digest.update(certificate));
        digest.update(key.secret_der());
        let certified = CertifiedKey::new(chain, signing);
        certified.keys_match().map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => CertificateError::OtherKey,
            _ => CertificateError::Unreadable(1),
        })?;
        Ok(Self {
            file: file.0.to_owned(),
            key_file: key_file.0.to_owned(),
            certified: Arc::new(certified),
            key,
            facts,
            digest: digest.finalize().into(),
        })
    }

    /// Name of the chain's file, as the configuration writes it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Name of the key's file, as the configuration writes it.
    pub fn key_file(&self) -> &str {
        &self.key_file
    }

    /// Chain and key as TLS needs them.
    pub fn certified(&self) -> &Arc<CertifiedKey> {
        &self.certified
    }

    /// The key in DER: PKCS #8, PKCS #1 or SEC 1.
    pub fn key_der(&self) -> &[u8] {
        self.key.secret_der()
    }

    /// What the leaf says.
    pub fn facts(&self) -> &CertificateFacts {
        &self.facts
    }

    /// SHA-256 of chain and key.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// The same chain and key, whatever their files are called.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("file", &self.file).field("facts", &self.facts).finish_non_exhaustive()
    }
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let chain = certificates(pem)?;
    for (n, pair) in (1..).zip(chain.windows(2)) {
        let [issued, issuer] = pair else { continue };
        let (_, issued) = X509Certificate::from_der(issued).map_err(|_| CertificateError::Unreadable(n))?;
        let (_, issuer) = X509Certificate::from_der(issuer).map_err(|_| CertificateError::Unreadable(n + 1))?;
        if issued.issuer().as_raw() != issuer.subject().as_raw() {
            return Err(CertificateError::Order(n));
        }
    }
    Ok(chain)
}

/// Every certificate of a PEM file; at least one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let mut found = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem).take(CERTIFICATES_MAX + 1) {
        found.push(certificate.map_err(|_| CertificateError::Unreadable(found.len() + 1))?);
    }
    match found.len() {
        0 => Err(CertificateError::NoCertificate),
        count if count > CERTIFICATES_MAX => Err(CertificateError::TooMany),
        _ => Ok(found),
    }
}

/// Authorities whose certificates are believed; at least one.
pub struct Authorities {
    file: String,
    certificates: Vec<CertificateDer<'static>>,
    roots: Arc<RootCertStore>,
    digest: [u8; 32],
}

impl Authorities {
    /// Reads them from PEM; the name of the file is kept as it is written.
    pub fn read(file: &str, pem: &[u8]) -> Result<Self, CertificateError> {
        let certificates = certificates(pem)?;
        let mut roots = RootCertStore::empty();
        let mut digest = Sha256::new();
        for (n, certificate) in (1..).zip(&certificates) {
            let unreadable = CertificateError::Unreadable(n);
            CertificateFacts::read(certificate).ok_or_else(|| unreadable.clone())?;
            roots.add(certificate.clone()).map_err(|_| unreadable)?;
            digest.update(certificate);
        }
        Ok(Self { file: file.to_owned(), certificates, roots: Arc::new(roots), digest: digest.finalize().into() })
    }

    /// Name of the file, as the configuration writes it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Their certificates.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.certificates
    }

    /// The same, as roots of trust.
    pub fn roots(&self) -> &Arc<RootCertStore> {
        &self.roots
    }

    /// SHA-256 of all of them.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

/// The same authorities, whatever their file is called.
impl PartialEq for Authorities {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Authorities {}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorities").field("file", &self.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn read(certificate: &[u8], key: &[u8]) -> Result<Certificate, CertificateError> {
        Certificate::read(("server.pem", certificate), ("server.key", key))
    }

    #[test]
    fn a_bad_pair_says_what_is_wrong_with_it() {
        let (pem, key, other) = (data("server.pem"), data("server.key"), data("other.pem"));
        let certificate = read(&pem, &key).unwrap();
        assert_eq!(certificate.facts().hosts().collect::<Vec<_>>(), ["gateway.test", "*.gateway.test"]);
        assert_eq!(certificate.facts().subject.as_deref(), Some("gateway.test"));
        let wrong = |certificate: &[u8], key: &[u8]| read(certificate, key).map(|_| ()).unwrap_err();
        assert_eq!(wrong(&pem, &data("other.key")), CertificateError::OtherKey);
        assert_eq!(wrong(&pem, &data("rsa.key")), CertificateError::OtherKey);
        assert_eq!(wrong(&pem, b""), CertificateError::NoKey);
        assert_eq!(wrong(&pem, &pem), CertificateError::NoKey);
        assert_eq!(wrong(b"", &key), CertificateError::NoCertificate);
        assert_eq!(wrong(&[&pem[..], &other].concat(), &key), CertificateError::Order(1));
        let broken = String::from_utf8(pem).unwrap().replace("MII", "xII").into_bytes();
        assert_eq!(wrong(&broken, &key), CertificateError::Unreadable(1));
        let many = other.repeat(CERTIFICATES_MAX + 1);
        assert_eq!(wrong(&many, &key), CertificateError::TooMany);
    }

    #[test]
    fn a_key_is_never_printed() {
        let key = data("server.key");
        let shown = format!("{:?}", read(&data("server.pem"), &key).unwrap());
        let inside: String = String::from_utf8(key).unwrap().lines().skip(1).take(1).collect();
        assert!(!shown.contains(&inside) && !shown.contains("key:"), "{shown}");
    }
}
