//! Certificates made at test time, and clients that trust them.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use std::path::Path;
use std::sync::Arc;

/// An authority that signs the certificates of one test.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// A new authority.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("an authority") }
    }

    /// Writes `NAME.pem` and `NAME.key` for these host names into `folder`.
    pub fn write_leaf(&self, folder: &Path, name: &str, hosts: &[&str]) {
        let hosts: Vec<String> = hosts.iter().map(|h| (*h).to_owned()).collect();
        let key = KeyPair::generate().expect("a key");
        let leaf =
            CertificateParams::new(hosts).expect("host names").signed_by(&key, &self.issuer).expect("a certificate");
        std::fs::write(folder.join(format!("{name}.pem")), leaf.pem()).expect("write the certificate");
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).expect("write the key");
    }

    /// A client that trusts this authority alone and offers these protocols, most wanted first.
    pub fn client(&self, protocols: &[&str]) -> Arc<rustls::ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.issuer.der().to_vec())).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config = builder.expect("TLS versions").with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}
