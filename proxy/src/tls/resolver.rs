//! Which certificate answers a client: by the name that it asks for, and by the kind of key that it understands.
//!
//! # Invariants
//! * The exact name comes before a wildcard, and a wildcard stands for one label (`the_most_specific_name_wins`).
//! * Without a name, or with an unknown one, the first certificate answers (`the_first_certificate_is_for_strangers`).

use raptorgate_config::certificates::Certificate;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, SignatureScheme, SupportedCipherSuite};
use std::collections::HashMap;
use std::sync::Arc;

/// The certificates of one listener.
#[derive(Debug)]
pub(super) struct Certificates {
    all: Vec<Arc<CertifiedKey>>,
    /// Places in `all` by host name, lower case; several only with different kinds of key.
    by_name: HashMap<String, Vec<usize>>,
}

/// What a client understands.
struct Offer<'o> {
    schemes: &'o [SignatureScheme],
    suites: &'o [CipherSuite],
}

impl Certificates {
    pub(super) fn new(certificates: &[Arc<Certificate>]) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (n, certificate) in certificates.iter().enumerate() {
            for host in certificate.facts().hosts() {
                by_name.entry(host.to_owned()).or_default().push(n);
            }
        }
        Self { all: certificates.iter().map(|certificate| certificate.certified().clone()).collect(), by_name }
    }

    fn choose(&self, name: Option<&str>, offer: &Offer<'_>) -> Option<&Arc<CertifiedKey>> {
        let name = name.map(|name| name.trim_end_matches('.').to_ascii_lowercase());
        let wildcard = name.as_deref().and_then(|name| name.split_once('.')).map(|(_, parent)| format!("*.{parent}"));
        let named = [name, wildcard].into_iter().flatten().filter_map(|name| self.by_name.get(&name)).flatten();
        let named = named.filter_map(|n| self.all.get(*n));
        // a stranger gets what it can check, if it can check anything
        named.chain(&self.all).find(|certified| understood(certified, offer))
    }
}

/// True if the client can check what this key signs. A client of TLS 1.2 says it with cipher suites, too.
fn understood(certified: &CertifiedKey, offer: &Offer<'_>) -> bool {
    if certified.key.choose_scheme(offer.schemes).is_none() {
        return false;
    }
    let mut offered = ring::ALL_CIPHER_SUITES.iter().filter(|suite| offer.suites.contains(&suite.suite()));
    offered.any(|suite| match suite {
        SupportedCipherSuite::Tls13(_) => true,
        SupportedCipherSuite::Tls12(suite) => certified.key.choose_scheme(suite.sign).is_some(),
    })
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let offer = Offer { schemes: hello.signature_schemes(), suites: hello.cipher_suites() };
        self.choose(hello.server_name(), &offer).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raptorgate_config::model::ListenerTls;
    use raptorgate_config::{Origin, parse};
    use std::path::Path;

    /// The listener's certificates, from the test data of the configuration: `gateway.test` with `*.gateway.test` (ECDSA),
    /// `other.test` (ECDSA), `gateway.test` (RSA).
    fn certificates(names: &[&str]) -> Certificates {
        let list: Vec<_> = names.iter().map(|name| format!("{{ certificate: {name}.pem, key: {name}.key }}")).collect();
        let text = format!(
            "version: 1\nlisteners: [{{ address: 127.0.0.1:0, tls: {{ certificates: [{}] }} }}]\nupstreams: {{ a: {{ endpoints: \
             [{{ address: a:1 }}] }} }}\nroutes: [{{ name: a, match: {{ path: \"/*\" }}, upstream: a }}]",
            list.join(", ")
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/tests/data");
        let loaded = parse(&text, &Origin { file: "test".into(), folder }, &|_| None).unwrap();
        let tls: &ListenerTls = loaded.config.listeners[0].tls.as_ref().unwrap();
        Certificates::new(&tls.certificates)
    }

    const BOTH: [SignatureScheme; 2] = [SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256];
    const TLS13: [CipherSuite; 1] = [CipherSuite::TLS13_AES_128_GCM_SHA256];

    /// Place of the certificate that answers.
    fn chosen(
        certificates: &Certificates,
        name: &str,
        schemes: &[SignatureScheme],
        suites: &[CipherSuite],
    ) -> Option<usize> {
        let name = Some(name).filter(|name| !name.is_empty());
        let found = certificates.choose(name, &Offer { schemes, suites })?;
        certificates.all.iter().position(|certified| Arc::ptr_eq(certified, found))
    }

    #[test]
    fn the_most_specific_name_wins() {
        let certificates = certificates(&["other", "server"]);
        for (name, place) in [
            ("gateway.test", 1),
            ("GATEWAY.test.", 1),
            ("a.gateway.test", 1),
            ("other.test", 0),
            ("a.b.gateway.test", 0),
            ("*.gateway.test", 1),
        ] {
            assert_eq!(chosen(&certificates, name, &BOTH, &TLS13), Some(place), "{name}");
        }
    }

    #[test]
    fn the_first_certificate_is_for_strangers() {
        let certificates = certificates(&["other", "server", "rsa"]);
        for name in ["", "test", "unknown.test", ".", "."] {
            assert_eq!(chosen(&certificates, name, &BOTH, &TLS13), Some(0), "{name}");
            assert_eq!(chosen(&certificates, name, &BOTH[1..], &TLS13), Some(2), "the first that it can check");
            assert_eq!(chosen(&certificates, name, &[SignatureScheme::ED25519], &TLS13), None);
        }
    }

    #[test]
    fn a_client_gets_the_kind_of_key_that_it_understands() {
        let certificates = certificates(&["server", "rsa"]);
        let rsa_only = [CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
        assert_eq!(chosen(&certificates, "gateway.test", &BOTH, &TLS13), Some(0));
        assert_eq!(chosen(&certificates, "gateway.test", &BOTH[1..], &TLS13), Some(1));
        assert_eq!(
            chosen(&certificates, "gateway.test", &BOTH, &rsa_only),
            Some(1),
            "TLS 1.2 says it with suites, too"
        );
        assert_eq!(chosen(&certificates, "a.gateway.test", &BOTH[1..], &TLS13), Some(1), "better than no handshake");
    }
}
