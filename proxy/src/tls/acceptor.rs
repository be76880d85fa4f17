//! From a listener's configuration to what makes its handshakes.
//!
//! # Invariants
//! * TLS 1.2 is the oldest version, whatever the file says (`old_versions_are_refused_and_names_choose`).
//! * Where clients show certificates, every connection verifies one anew: no session is resumed
//!   (`a_client_certificate_names_its_holder_on_both_protocols`).

use super::client_auth::{AskedForCertificate, ReadableVerifier};
use super::resolver::Certificates;
use pingora_core::listeners::TlsAcceptCallbacks;
use pingora_core::listeners::tls::{Acceptor, TlsSettings};
use raptorgate_config::model::{ClientCertificateMode, ClientCertificates, ListenerTls, TlsVersion};
use rustls::crypto::ring;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use std::sync::Arc;

/// Sessions that are remembered for clients that come back; beyond it the oldest make a whole handshake.
const SESSIONS_MAX: usize = 4_096;
/// Newest first, as clients are offered them.
const VERSIONS: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];

/// Why a listener cannot make handshakes. Configurations that were checked have none of these.
#[derive(Debug, thiserror::Error)]
pub enum AcceptorError {
    /// Versions and cipher suites do not fit.
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    /// The authorities of clients cannot be used.
    #[error("cannot verify client certificates")]
    Clients(#[from] VerifierBuilderError),
    /// The framework refused its settings.
    #[error("cannot set up TLS: {0}")]
    Framework(Box<pingora_core::Error>),
}

/// What makes the handshakes of a listener.
pub fn acceptor(tls: &ListenerTls) -> Result<Acceptor, AcceptorError> {
    let resolver = Arc::new(Certificates::new(&tls.certificates));
    let callbacks: TlsAcceptCallbacks = Box::new(AskedForCertificate);
    let mut settings = TlsSettings::with_callbacks(callbacks).map_err(AcceptorError::Framework)?;
    settings.set_cert_resolver(resolver.clone());
    let mut acceptor = settings.build();
    // Pingora's own settings know neither versions nor sessions; its callbacks are what we need of it
    acceptor.acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server_config(tls, resolver)?));
    Ok(acceptor)
}

fn server_config(tls: &ListenerTls, resolver: Arc<Certificates>) -> Result<ServerConfig, AcceptorError> {
    let versions = match tls.min_version {
        TlsVersion::Tls12 => &VERSIONS[..],
        TlsVersion::Tls13 => &[&version::TLS13],
    };
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(versions)?;
    let mut config = match &tls.client_certificates {
        None => builder.with_no_client_auth(),
        Some(clients) => builder.with_client_cert_verifier(verifier(clients)?),
    }
    .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // ours, strongest first: a client in the middle of an attack cannot ask for a weaker one that both know
    config.ignore_client_order = true;
    if tls.client_certificates.is_some() {
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    } else {
        config.session_storage = ServerSessionMemoryCache::new(SESSIONS_MAX);
    }
    Ok(config)
}

fn verifier(clients: &ClientCertificates) -> Result<Arc<dyn ClientCertVerifier>, AcceptorError> {
    let provider = Arc::new(ring::default_provider());
    let builder = WebPkiClientVerifier::builder_with_provider(clients.authorities.roots().clone(), provider);
    let builder = match clients.mode {
        ClientCertificateMode::Optional => builder.allow_unauthenticated(),
        ClientCertificateMode::Required => builder,
    };
    Ok(Arc::new(ReadableVerifier::new(builder.build()?)))
}
