//! TLS towards an upstream: what is asked for, shown and believed on its connections.
//!
//! # Invariants
//! * A connection has a name that is verified, unless the file says otherwise: Pingora verifies nothing where the name is
//!   empty (`an_upstream_that_cannot_be_trusted_gets_nothing`).
//! * Upstreams share no connection if they differ in anything that TLS depends on; Pingora's own key leaves authorities,
//!   ALPN and the client's key out (`upstreams_that_differ_share_no_connection`).

use pingora_core::protocols::tls::CaType;
use pingora_core::upstreams::peer::{HttpPeer, Scheme};
use pingora_core::utils::tls::{CertKey, WrappedX509, parse_x509};
use pingora_core::{Error, ErrorType};
use raptorgate_config::certificates::{Authorities, Certificate};
use raptorgate_config::model::{Upstream, UpstreamTls, Verification};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// TLS of one upstream, ready for its connections.
pub struct ClientTls {
    server_name: Option<Arc<str>>,
    authorities: Option<Arc<CaType>>,
    client: Option<Arc<CertKey>>,
    verify: Verification,
}

impl ClientTls {
    /// Takes an upstream's block.
    pub fn new(config: &UpstreamTls) -> Self {
        Self {
            server_name: config.server_name.clone(),
            authorities: config.authorities.as_deref().map(authorities),
            client: config.client_certificate.as_deref().map(client),
            verify: config.verify,
        }
    }

    /// Turns TLS on for a connection to an endpoint of this host.
    pub fn apply(&self, host: &str, peer: &mut HttpPeer) {
        peer.scheme = Scheme::HTTPS;
        peer.sni = self.server_name.as_deref().unwrap_or(host).to_owned();
        debug_assert!(!peer.sni.is_empty(), "without a name nothing would be verified");
        peer.options.ca = self.authorities.clone();
        peer.client_cert_key = self.client.clone();
        let verified = self.verify == Verification::On;
        (peer.options.verify_cert, peer.options.verify_hostname) = (verified, verified);
    }
}

// Both were read when the configuration was, so that parsing them again cannot fail.
fn authorities(authorities: &Authorities) -> Arc<CaType> {
    authorities.certificates().iter().map(|der| WrappedX509::new(der.to_vec(), parse_x509)).collect()
}

fn client(certificate: &Certificate) -> Arc<CertKey> {
    let chain = certificate.certified().cert.iter().map(|der| der.to_vec()).collect();
    Arc::new(CertKey::new(chain, certificate.key_der().to_vec()))
}

/// Connections of different keys are never shared.
pub fn group_key(upstream: &Upstream) -> u64 {
    let mut digest = Sha256::new_with_prefix(upstream.name.as_bytes());
    digest.update([0, upstream.protocol as u8, u8::from(upstream.tls.is_some())]);
    if let Some(tls) = &upstream.tls {
        let part = |present: Option<&[u8; 32]>| present.copied().unwrap_or_default();
        digest.update(part(tls.authorities.as_deref().map(Authorities::digest)));
        digest.update(part(tls.client_certificate.as_deref().map(Certificate::digest)));
        digest.update([tls.verify as u8]);
        digest.update(tls.server_name.as_deref().unwrap_or_default());
    }
    let key = digest.finalize();
    key.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

/// True if a connection could not be made because of TLS.
pub fn is_handshake_failure(e: &Error) -> bool {
    matches!(e.etype(), ErrorType::TLSHandshakeFailure | ErrorType::InvalidCert | ErrorType::TLSWantX509Lookup)
}

/// True if an upstream ended a new TLS connection before it took a request. In TLS 1.3 it refuses a client's certificate, or
/// the lack of one, only after the handshake: with an alert, or by closing before the alert can be read.
pub fn is_late_refusal(peer: &HttpPeer, reused: Reused, e: &Error) -> bool {
    peer.is_tls() && reused == Reused::No && (is_alert(e) || is_broken_pipe(e))
}

/// Whether a connection had served a request before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reused {
    /// It had, so that TLS is not what failed.
    Yes,
    /// It is new.
    No,
}

fn is_broken_pipe(e: &Error) -> bool {
    let cause = e.root_cause();
    let io = cause.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
        // h2 keeps of an error only its text
        || cause.to_string().contains("broken pipe")
}

fn is_alert(e: &Error) -> bool {
    let cause = e.root_cause();
    let io = cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
    if let Some(tls) = io.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return matches!(tls, rustls::Error::AlertReceived(_));
    }
    // h2 keeps of an error only its text
    cause.to_string().contains("received fatal alert")
}
