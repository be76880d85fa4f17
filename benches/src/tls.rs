//! The certificate of all proxies, and a client that makes full handshakes only.

use crate::Failure;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::path::Path;
use std::sync::Arc;

/// Name in the certificate.
pub const HOST: &str = "bench.test";

/// Writes `leaf.pem` and `leaf.key` (ECDSA, P-256) into a folder, and makes the client that knows this certificate alone. It
/// speaks TLS 1.3 with X25519 and AES-128-GCM, so that all proxies do the same work.
pub fn certificate_and_client(folder: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
    std::fs::write(folder.join("leaf.pem"), made.cert.pem())?;
    std::fs::write(folder.join("leaf.key"), made.signing_key.serialize_pem())?;
    let provider = CryptoProvider {
        cipher_suites: vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![ring::kx_group::X25519],
        ..ring::default_provider()
    };
    let known = Known { certificate: made.cert.der().clone(), provider: provider.clone() };
    let builder =
        ClientConfig::builder_with_provider(provider.into()).with_protocol_versions(&[&rustls::version::TLS13])?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(known));
    let mut config = builder.with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Takes this one certificate, and does not check the signature made with its key: the client shares its processor
/// with the upstream, and would be full before the fast proxies are.
#[derive(Debug)]
struct Known {
    certificate: CertificateDer<'static>,
    provider: CryptoProvider,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_known = *end_entity == self.certificate;
        if is_known { Ok(ServerCertVerified::assertion()) } else { Err(CertificateError::UnknownIssuer.into()) }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not asked for".into()))
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
