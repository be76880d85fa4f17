//! TLS of listeners and upstreams, and whom client certificates stand for.

use crate::certificates::{Authorities, Certificate, SubjectAltName};
use std::sync::Arc;

/// TLS of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerTls {
    /// Certificates in the order of the file; the first one is for clients that name no host or an unknown one. Never empty.
    pub certificates: Vec<Arc<Certificate>>,
    /// Certificates of clients, if they are asked for.
    pub client_certificates: Option<ClientCertificates>,
    /// Oldest version that is spoken.
    pub min_version: TlsVersion,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2, RFC 5246.
    Tls12,
    /// TLS 1.3, RFC 8446.
    Tls13,
}

/// Which certificates of clients are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Who may have issued them.
    pub authorities: Arc<Authorities>,
    /// Whether a client needs one.
    pub mode: ClientCertificateMode,
}

/// Whether a client needs a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientCertificateMode {
    /// It may show one.
    Optional,
    /// Without one the handshake fails.
    Required,
}

/// TLS towards an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamTls {
    /// Name that is asked for and verified; each endpoint's host if absent.
    pub server_name: Option<Arc<str>>,
    /// Who may have issued its certificate; the system's authorities if absent.
    pub authorities: Option<Arc<Authorities>>,
    /// What the gateway shows.
    pub client_certificate: Option<Arc<Certificate>>,
    /// Whether its certificate is verified.
    pub verify: Verification,
}

/// Whether an upstream's certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Name, dates and authority.
    On,
    /// Not at all.
    Off,
}

/// Whose client certificate it is.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// Its name; no key of the file and no other certificate has it.
    pub id: Arc<str>,
    /// What it holds.
    pub holds: CertificateMatch,
    /// The tenant; known to exist.
    pub tenant: Arc<str>,
    /// The holder.
    pub user: Arc<str>,
    /// Price tier.
    pub tier: Option<Arc<str>>,
    /// Price region.
    pub region: Option<Arc<str>>,
    /// What the holder may do, told to the upstream.
    pub scopes: Vec<Arc<str>>,
}

/// What a client certificate is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CertificateMatch {
    /// SHA-256 of the whole certificate.
    Sha256([u8; 32]),
    /// A subject alternative name, which must be equal.
    San(SubjectAltName),
    /// The common name of the subject, which must be equal.
    Subject(String),
}
