//! Accept loops: from a bound socket to Pingora's sessions, plain or TLS, HTTP/1.1 and HTTP/2 on one port.
//!
//! Our own loops and not Pingora's server: listeners bind before anything starts, port 0 works, and shutdown ends as soon
//! as nothing is in flight.
//!
//! # Invariants
//! * A connection that says nothing, or does not finish its TLS handshake, is dropped after `limits.header_timeout`
//!   (`silent_connections_are_dropped`).
//! * Beyond `limits.connections` nobody waits: who comes is told and closed (`connections_beyond_the_limit_are_told`).

use crate::assembly::Proxy;
use crate::control::Control;
use crate::edge::admission::{Bounds, Connections, Full, Slot};
use crate::edge::client_address::is_trusted;
use crate::edge::connection::{Connection, PREFACE, Speaks};
use crate::edge::facts::ConnectionFacts;
use crate::edge::frames::{FrameBudget, FrameLimits};
use crate::edge::head::HeadLimits;
use crate::edge::http1::{Desk, Http1, Patience};
use crate::edge::message::Messages;
use crate::edge::proxy_protocol;
use crate::gateway::FrontDesk;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::route_metrics::{ListenerMetrics, Refused};
use crate::tls::ServerTls;
use pingora_core::apps::{HttpServerApp, ServerApp};
use pingora_core::protocols::http::ServerSession;
use pingora_core::protocols::l4::stream::Stream as TcpSession;
use pingora_core::protocols::{ALPN, GetSocketDigest, SocketDigest, Stream};
use raptorgate_config::model::{ClientLimits, Listener};
use raptorgate_policies::Denial;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// Connections that may wait to be accepted; the kernel lowers it to `net.core.somaxconn`. With the usual 128, a few hundred
/// clients that come at once were cut off.
const BACKLOG: u32 = 4096;
/// Pause after a failed `accept`, which is usually "too many open files".
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Pause before looking again at a preface of which only a part has come.
const PREFACE_PAUSE: Duration = Duration::from_millis(5);

/// The proxy for each version of HTTP. Pingora's own look at the preface waits for its 24 bytes, and the shortest HTTP/1.1
/// requests are shorter.
#[derive(Clone)]
pub struct Proxies {
    /// For HTTP/1.1.
    pub http1: Arc<Proxy>,
    /// For HTTP/2.
    pub http2: Arc<Proxy>,
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
    name: Arc<str>,
    tls: Option<ServerTls>,
    proxy_protocol: bool,
    metrics: Arc<ListenerMetrics>,
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // a restart must not wait for connections of before that linger
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Bound {
    /// Binds; `tls` makes the handshakes if the listener speaks TLS.
    pub fn bind(listener: &Listener, tls: ServerTls, metrics: &Metrics) -> Result<Self, String> {
        let tls = listener.tls.as_ref().map(|_| tls);
        let cannot = |e| format!("cannot listen on {}: {e}", listener.address);
        let socket = listen(listener.address).map_err(cannot)?;
        let address = socket.local_addr().map_err(cannot)?;
        let metrics = metrics.listener(&listener.address.to_string());
        let name = address.to_string().into();
        let proxy_protocol = listener.proxy_protocol;
        Ok(Self { socket, address, name, tls, proxy_protocol, metrics })
    }

    /// The address with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts until `shutdown` turns true, then closes the socket.
    pub async fn serve(self, proxies: Proxies, house: House, mut shutdown: watch::Receiver<bool>) {
        let door = Arc::new(Door {
            name: self.name,
            tls: self.tls,
            proxy_protocol: self.proxy_protocol,
            metrics: self.metrics,
            proxies,
            house,
            shutdown: shutdown.clone(),
        });
        loop {
            let accepted = tokio::select! {
                _ = shutdown.changed() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((connection, peer)) => door.admit(connection, peer),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// What all listeners share.
#[derive(Clone)]
pub struct House {
    control: Arc<Control>,
    desk: Arc<dyn Desk>,
    connections: Arc<Connections>,
}

impl House {
    /// Of the gateway that `control` runs.
    pub fn new(control: Arc<Control>) -> Self {
        let desk = Arc::new(FrontDesk::new(control.clone()));
        Self { control, desk, connections: Arc::default() }
    }
}

/// What a listener's connections need.
struct Door {
    name: Arc<str>,
    tls: Option<ServerTls>,
    proxy_protocol: bool,
    metrics: Arc<ListenerMetrics>,
    proxies: Proxies,
    house: House,
    shutdown: watch::Receiver<bool>,
}

impl Door {
    fn admit(self: &Arc<Self>, connection: TcpStream, peer: SocketAddr) {
        let runtime = self.house.control.runtime();
        let limits = runtime.config.limits.clients;
        let trusted = is_trusted(peer.ip(), &runtime.config.trusted_proxies);
        if self.proxy_protocol && !trusted {
            self.metrics.refused(Refused::Untrusted);
            return;
        }
        let per_address_max = (!trusted).then_some(limits.connections_per_address_max);
        let bounds = Bounds { all_max: limits.connections_max, per_address_max };
        match self.house.connections.admit(peer.ip(), bounds) {
            Ok(slot) => {
                let door = self.clone();
                tokio::spawn(async move { door.host(connection, peer, limits, slot).await });
            }
            Err(full) => self.turn_away(&connection, peer, full),
        }
    }

    /// Tells a plain client why, if that can be done without waiting.
    fn turn_away(&self, connection: &TcpStream, peer: SocketAddr, full: Full) {
        self.metrics.refused(match full {
            Full::All => Refused::Connections,
            Full::Address => Refused::ConnectionsPerAddress,
        });
        if self.tls.is_none() {
            let facts = ConnectionFacts::new(peer, self.name.clone(), false);
            drop(connection.try_write(&self.house.desk.refuse(&facts, &Denial::TooManyConnections)));
        }
    }

    /// Serves one connection to its end.
    async fn host(&self, connection: TcpStream, peer: SocketAddr, limits: ClientLimits, _slot: Slot) {
        let _open = self.metrics.connected();
        let began = Instant::now();
        // boxed: a handshake's state is larger than all that a connection needs behind it
        let opening = tokio::time::timeout(limits.header_timeout, Box::pin(self.open(connection, peer))).await;
        let (stream, version, peer) = match opening {
            Ok(Some(opened)) => opened,
            Ok(None) => return,
            Err(_) => return self.metrics.refused(Refused::Silent),
        };
        let facts = ConnectionFacts::new(peer, self.name.clone(), self.tls.is_some());
        let speaks = match version {
            Version::Http1 => Speaks::Http1(Box::new(self.http1(&limits, began))),
            Version::Http2 => Speaks::Http2(Box::new(FrameBudget::new(frame_limits(&limits)))),
        };
        let connection = Connection::new(stream, speaks, facts, limits.write_timeout);
        match version {
            Version::Http1 => self.serve_http1(connection, &limits).await,
            Version::Http2 => drop(self.proxies.http2.process_new(Box::new(connection), &self.shutdown).await),
        }
    }

    fn http1(&self, limits: &ClientLimits, began: Instant) -> Http1 {
        let head = HeadLimits {
            bytes_max: limits.header_bytes_max,
            fields_max: limits.header_fields_max,
            target_bytes_max: limits.target_bytes_max,
        };
        let patience = Patience {
            head: limits.header_timeout,
            idle: limits.idle_timeout,
            body_rate_min: limits.body_bytes_per_second_min,
        };
        Http1::new(Messages::new(head), patience, self.house.desk.clone(), began)
    }

    /// One request after the other. Pingora gives the connection back after each, and it is told that the next may begin.
    async fn serve_http1(&self, connection: Connection, limits: &ClientLimits) {
        let mut session = ServerSession::new_http1(Box::new(connection));
        // how long is the connection's own affair: Pingora forgets it with the first request
        session.set_keepalive(if *self.shutdown.borrow() { None } else { Some(0) });
        session.set_keepalive_reuses_remaining(Some(limits.requests_per_connection_max.saturating_sub(1)));
        loop {
            let Some(reused) = self.proxies.http1.process_new_http(session, &self.shutdown).await else { return };
            let (stream, settings) = reused.consume();
            let Ok(mut connection) = stream.into_any().downcast::<Connection>() else { return };
            if !connection.next_message() {
                return;
            }
            session = ServerSession::new_http1(connection);
            if let Some(settings) = settings {
                settings.apply_to_session(&mut session);
            }
        }
    }

    /// PROXY header, then TLS or a look at the first bytes.
    async fn open(&self, mut connection: TcpStream, peer: SocketAddr) -> Option<(Stream, Version, SocketAddr)> {
        connection.set_nodelay(true).ok()?;
        let mut peer = peer;
        if self.proxy_protocol {
            match proxy_protocol::read(&mut connection).await {
                Ok(client) => peer = client.unwrap_or(peer),
                Err(error) => {
                    self.metrics.refused(Refused::ProxyHeader);
                    tracing::debug!(%error, "no PROXY header");
                    return None;
                }
            }
        }
        let Some(tls) = &self.tls else {
            let version = spoken(&connection).await?;
            return Some((Box::new(tcp_session(connection, peer)), version, peer));
        };
        let shaken = tls.accept(tcp_session(connection, peer)).await;
        let stream: Stream = match shaken {
            Ok(stream) => Box::new(stream),
            Err(error) => {
                self.metrics.refused(Refused::Handshake);
                tracing::debug!(%error, "TLS handshake failed");
                return None;
            }
        };
        let version = match stream.selected_alpn_proto() {
            Some(ALPN::H2) => Version::Http2,
            Some(_) | None => Version::Http1,
        };
        Some((stream, version, peer))
    }
}

fn tcp_session(connection: TcpStream, peer: SocketAddr) -> TcpSession {
    let digest = SocketDigest::from_raw_fd(connection.as_raw_fd());
    // known already: saves the look-up at the first request
    drop(digest.peer_addr.set(Some(peer.into())));
    let mut stream = TcpSession::from(connection);
    stream.set_socket_digest(digest);
    stream
}

fn frame_limits(limits: &ClientLimits) -> FrameLimits {
    FrameLimits {
        resets_max: limits.http2_resets_per_second_max,
        control_max: limits.http2_control_frames_per_second_max,
    }
}
