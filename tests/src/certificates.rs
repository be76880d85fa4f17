//! Certificates made at test time, and clients that trust them.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use std::path::Path;
use std::sync::Arc;

/// A certificate and its key, PEM.
pub struct Leaf {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// The certificate in DER.
    pub der: Vec<u8>,
}

impl Leaf {
    /// Writes `NAME.pem` and `NAME.key` into `folder`, each whole or not at all.
    pub fn write(&self, folder: &Path, name: &str) {
        for (end, text) in [("pem", &self.certificate), ("key", &self.key)] {
            let new = folder.join(format!(".{name}.{end}.new"));
            std::fs::write(&new, text).expect("write a file");
            std::fs::rename(new, folder.join(format!("{name}.{end}"))).expect("rename a file");
        }
    }
}

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
        params.distinguished_name.push(DnType::CommonName, "authority of the tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("an authority") }
    }

    /// Writes `NAME.pem` and `NAME.key` for these host names into `folder`.
    pub fn write_leaf(&self, folder: &Path, name: &str, hosts: &[&str]) {
        self.sign(Self::params(hosts)).write(folder, name);
    }

    /// What a certificate for these host names begins with.
    pub fn params(hosts: &[&str]) -> CertificateParams {
        CertificateParams::new(hosts.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>()).expect("host names")
    }

    /// A certificate for a caller of this common name and this URI.
    pub fn caller(&self, common_name: &str, uri: &str) -> Leaf {
        let mut params = Self::params(&[]);
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.subject_alt_names.push(SanType::URI(uri.try_into().expect("a URI")));
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        self.sign(params)
    }

    /// A certificate with a key of its own.
    pub fn sign(&self, params: CertificateParams) -> Leaf {
        self.sign_key(params, &KeyPair::generate().expect("a key"))
    }

    /// A certificate for this key.
    pub fn sign_key(&self, params: CertificateParams, key: &KeyPair) -> Leaf {
        let certificate = params.signed_by(key, &self.issuer).expect("a certificate");
        Leaf { certificate: certificate.pem(), key: key.serialize_pem(), der: certificate.der().to_vec() }
    }

    /// Writes its own certificate into `folder`.
    pub fn write(&self, folder: &Path, name: &str) {
        std::fs::write(folder.join(name), self.issuer.pem()).expect("write the authority");
    }

    /// A server that shows `NAME.pem` of `folder`; with `clients` it wants a certificate of this authority.
    pub fn server(&self, folder: &Path, name: &str, protocols: &[&str], clients: bool) -> Arc<rustls::ServerConfig> {
        let read = |end: &str| std::fs::read(folder.join(format!("{name}.{end}"))).expect("read a file");
        let chain = vec![CertificateDer::from_pem_slice(&read("pem")).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_slice(&read("key")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            rustls::ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.expect("TLS versions");
        let builder = if clients {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_single_cert(chain, key).expect("a server");
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.issuer.der().to_vec())).expect("a root");
        roots
    }

    /// A client that trusts this authority alone and offers these protocols, most wanted first.
    pub fn client(&self, protocols: &[&str]) -> Arc<rustls::ClientConfig> {
        self.client_showing(protocols, None)
    }

    /// The same, with a certificate to show.
    pub fn client_showing(&self, protocols: &[&str], leaf: Option<&Leaf>) -> Arc<rustls::ClientConfig> {
        let roots = self.roots();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.expect("TLS versions").with_root_certificates(roots);
        let mut config = match leaf {
            None => builder.with_no_client_auth(),
            Some(leaf) => {
                let key = PrivateKeyDer::from_pem_slice(leaf.key.as_bytes()).expect("a key");
                let chain = vec![CertificateDer::from(leaf.der.clone())];
                builder.with_client_auth_cert(chain, key).expect("a certificate to show")
            }
        };
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}
