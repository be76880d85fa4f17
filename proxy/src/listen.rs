//! Accept loops: from a bound socket to Pingora's sessions, plain or TLS, HTTP/1.1 and HTTP/2 on one port.
//!
//! Our own loops and not Pingora's server: listeners bind before anything starts, port 0 works, and shutdown ends as soon
//! as nothing is in flight.
//!
//! # Invariants
//! * A connection that does not finish its TLS handshake in [`HANDSHAKE_TIMEOUT`] is dropped.

use crate::gateway::App;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::route_metrics::ListenerMetrics;
use pingora_core::apps::ServerApp;
use pingora_core::listeners::tls::Acceptor;
use pingora_core::protocols::l4::stream::Stream as TcpSession;
use pingora_core::protocols::{GetSocketDigest, SocketDigest, Stream};
use pingora_proxy::HttpProxy;
use raptorgate_config::model::{Listener, ListenerTls};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Time a client has for its TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a failed `accept`, which is usually "too many open files".
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Time a client has for its first bytes.
const PREFACE_TIMEOUT: Duration = Duration::from_secs(60);
/// Pause before looking again at a preface of which only a part has come.
const PREFACE_PAUSE: Duration = Duration::from_millis(5);
/// RFC 9113 §3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The proxy for each version of plain connections. Pingora's own look at the preface waits for its 24 bytes, and the
/// shortest HTTP/1.1 requests are shorter.
#[derive(Clone)]
pub struct Proxies {
    /// For HTTP/1.1, and for TLS.
    pub http1: Arc<HttpProxy<App>>,
    /// For connections that begin with the HTTP/2 preface.
    pub http2: Arc<HttpProxy<App>>,
}

#[derive(Clone, Copy)]
enum Version {
    Http1,
    Http2,
}

/// What a plain connection speaks, by its first bytes; `None` if it ends before it says so.
async fn spoken(connection: &TcpStream) -> Option<Version> {
    let mut first = [0; PREFACE.len()];
    loop {
        let length = connection.peek(&mut first).await.ok()?;
        let seen = first.get(..length)?;
        if seen.is_empty() {
            return None;
        }
        if !PREFACE.starts_with(seen) {
            return Some(Version::Http1);
        }
        if length == PREFACE.len() {
            return Some(Version::Http2);
        }
        tokio::time::sleep(PREFACE_PAUSE).await;
    }
}

/// A bound listener.
pub struct Bound {
    socket: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<Acceptor>>,
    metrics: Arc<ListenerMetrics>,
}

impl Bound {
    /// Binds, and reads certificate and key.
    pub async fn bind(listener: &Listener, metrics: &Metrics) -> Result<Self, String> {
        let tls = listener.tls.as_ref().map(acceptor).transpose()?;
        let cannot = |e| format!("cannot listen on {}: {e}", listener.address);
        let socket = TcpListener::bind(listener.address).await.map_err(cannot)?;
        let address = socket.local_addr().map_err(cannot)?;
        let metrics = metrics.listener(&listener.address.to_string());
        Ok(Self { socket, address, tls: tls.map(Arc::new), metrics })
    }

    /// The address with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts until `shutdown` turns true, then closes the socket.
    pub async fn serve(self, proxies: Proxies, mut shutdown: watch::Receiver<bool>) {
        loop {
            let accepted = tokio::select! {
                _ = shutdown.changed() => return,
                accepted = self.socket.accept() => accepted,
            };
            let (connection, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (proxies, tls, metrics) = (proxies.clone(), self.tls.clone(), self.metrics.clone());
            let shutdown = shutdown.clone();
            tokio::spawn(async move {
                let _open = metrics.connected();
                let Some((stream, version)) = session(connection, peer, tls.as_deref()).await else { return };
                let proxy = match version {
                    Version::Http1 => &proxies.http1,
                    Version::Http2 => &proxies.http2,
                };
                let mut next = Some(stream);
                while let Some(stream) = next {
                    next = proxy.process_new(stream, &shutdown).await;
                }
            });
        }
    }
}

async fn session(connection: TcpStream, peer: SocketAddr, tls: Option<&Acceptor>) -> Option<(Stream, Version)> {
    connection.set_nodelay(true).ok()?;
    let version = match tls {
        Some(_) => Version::Http1, // ALPN decides, whatever is said here
        None => tokio::time::timeout(PREFACE_TIMEOUT, spoken(&connection)).await.ok()??,
    };
    let digest = SocketDigest::from_raw_fd(connection.as_raw_fd());
    // known already: saves the look-up at the first request
    drop(digest.peer_addr.set(Some(peer.into())));
    let mut stream = TcpSession::from(connection);
    stream.set_socket_digest(digest);
    match tls {
        None => Some((Box::new(stream), version)),
        Some(acceptor) => {
            let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.tls_handshake(stream)).await;
            Some((Box::new(handshake.ok()?.ok()?), version))
        }
    }
}

fn acceptor(tls: &ListenerTls) -> Result<Acceptor, String> {
    pingora_core::tls::install_default_crypto_provider();
    let (certificate, key) = (tls.certificate.to_string_lossy(), tls.key.to_string_lossy());
    let cannot = |e: &dyn std::fmt::Display| format!("cannot use certificate {certificate} with key {key}: {e}");
    let loaded = pingora_core::tls::load_certs_and_key_files(&certificate, &key).map_err(|e| cannot(&e))?;
    let (chain, key) = loaded.ok_or_else(|| cannot(&"no certificate or no key in these files"))?;
    let versions = [&pingora_core::tls::version::TLS12, &pingora_core::tls::version::TLS13];
    let mut config = pingora_core::tls::ServerConfig::builder_with_protocol_versions(&versions)
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| cannot(&e))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Acceptor::from_server_config(Arc::new(config)))
}
