//! Certificates of clients: verified in the handshake, read once, and handed to the requests of the connection.
//!
//! # Invariants
//! * Nothing is said about a certificate that TLS has not verified
//!   (`a_client_certificate_names_its_holder_on_both_protocols`).

use async_trait::async_trait;
use pingora_core::listeners::TlsAccept;
use pingora_core::protocols::tls::TlsRef;
use pingora_proxy::Session;
use raptorgate_config::certificates::CertificateFacts;
use raptorgate_policies::client_certificate::VerifiedCertificate;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use std::any::Any;
use std::sync::Arc;

/// The certificate of the connection that a request came over.
pub fn client_certificate(session: &Session) -> Option<VerifiedCertificate> {
    session.digest()?.ssl_digest.as_ref()?.extension.get::<VerifiedCertificate>().cloned()
}

/// Reads the certificate of a handshake that is complete.
pub(super) struct AskedForCertificate;

#[async_trait]
impl TlsAccept for AskedForCertificate {
    async fn handshake_complete_callback(&self, tls: &TlsRef) -> Option<Arc<dyn Any + Send + Sync>> {
        let facts = CertificateFacts::read(tls.peer_certificate_der()?)?;
        Some(Arc::new(VerifiedCertificate::of_handshake(facts)))
    }
}

/// Verifies as `inner` does, and refuses what cannot be read afterwards: Pingora reads it too, and panics where it cannot.
#[derive(Debug)]
pub(super) struct ReadableVerifier {
    inner: Arc<dyn ClientCertVerifier>,
}

impl ReadableVerifier {
    pub(super) fn new(inner: Arc<dyn ClientCertVerifier>) -> Self {
        Self { inner }
    }
}

impl ClientCertVerifier for ReadableVerifier {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.inner.verify_client_cert(leaf, intermediates, now)?;
        match CertificateFacts::read(leaf) {
            Some(_) => Ok(verified),
            None => Err(Error::InvalidCertificate(CertificateError::BadEncoding)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
