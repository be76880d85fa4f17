//! Connections to HTTP/1.1 upstreams: Pingora's, over a socket of ours that is read no faster than the client takes.
//!
//! Pingora wraps a socket that is not its own, but then cannot tell such connections apart: they have no descriptor. So the
//! whole is wrapped once more, in what says the descriptor.
//!
//! # Invariants
//! * A connection has its own descriptor as id, by which the pool finds it (`connections_are_bounded_and_used_again`).

use super::read_ahead::ReadAhead;
use async_trait::async_trait;
use pingora_core::connectors::http::custom::{Connection, Connector};
use pingora_core::connectors::l4::Connect;
use pingora_core::connectors::{ConnectorOptions, TransportConnector};
use pingora_core::protocols::l4::socket::SocketAddr;
use pingora_core::protocols::l4::stream::Stream as L4Stream;
use pingora_core::protocols::l4::virt::{VirtualSockOpt, VirtualSocket, VirtualSocketStream};
use pingora_core::protocols::raw_connect::ProxyDigest;
use pingora_core::protocols::tls::{ALPN, CustomALPN, SslDigest, TlsRef};
use pingora_core::protocols::{
    Digest, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream, TimingDigest,
    UniqueID, UniqueIDType,
};
use pingora_core::upstreams::peer::Peer;
use pingora_core::{Error, ErrorType, OkOrErr, Result};
use pingora_http::ResponseHeader;
use prometheus::IntGauge;
use std::io;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How a peer says that its connections are made here. Never sent: HTTP/1.1 is what is negotiated.
static DIALLED: LazyLock<ALPN> = LazyLock::new(|| ALPN::Custom(CustomALPN::new(b"raptorgate/http/1.1".to_vec())));

/// What a peer's ALPN is to be.
pub fn dialled() -> ALPN {
    DIALLED.clone()
}

/// Makes connections; Pingora keeps them.
pub struct Dialer {
    transport: TransportConnector,
    read_ahead: IntGauge,
}

impl Dialer {
    /// With Pingora's options for TLS; `read_ahead` counts what is read and not taken.
    pub fn new(options: ConnectorOptions, read_ahead: IntGauge) -> Self {
        Self { transport: TransportConnector::new(Some(options)), read_ahead }
    }
}

#[async_trait]
impl Connector for Dialer {
    type Session = ();

    async fn get_http_session<P: Peer + Send + Sync + 'static>(&self, peer: &P) -> Result<(Connection<()>, bool)> {
        let mut peer = peer.clone();
        let dial = Arc::new(Dial { ahead: ReadAhead::new(self.read_ahead.clone()), fd: OnceLock::new() });
        if let Some(options) = peer.get_mut_peer_options() {
            options.alpn = ALPN::H1;
            options.custom_l4 = Some(dial.clone());
        }
        let inner = self.transport.new_stream(&peer).await?;
        let fd = *dial.fd.get().or_err(ErrorType::InternalError, "a connection that was not dialled here")?;
        let digest = digest(&dial.ahead)?;
        Ok((Connection::Stream(Box::new(Dialled { inner, fd, digest })), false))
    }

    async fn reused_http_session<P: Peer + Send + Sync + 'static>(&self, _peer: &P) -> Option<()> {
        None // Pingora's own pool of HTTP/1.1 connections has them
    }

    async fn release_http_session<P: Peer + Send + Sync + 'static>(&self, (): (), _: &P, _: Option<Duration>) {}
}

/// In the one place where Pingora lets a connection carry data of its own.
fn digest(ahead: &Arc<ReadAhead>) -> Result<Arc<ProxyDigest>> {
    let unused = ResponseHeader::build(200, None)?;
    Ok(Arc::new(ProxyDigest::new(Box::new(unused), Some(Box::new(ahead.clone())))))
}

/// What bounds the reading of a connection that was made here.
pub fn read_ahead(digest: &Digest) -> Option<&Arc<ReadAhead>> {
    digest.proxy_digest.as_ref()?.user_data.as_ref()?.downcast_ref()
}

/// One connection to be made.
#[derive(Debug)]
struct Dial {
    ahead: Arc<ReadAhead>,
    /// Set once it is made.
    fd: OnceLock<UniqueIDType>,
}

#[async_trait]
impl Connect for Dial {
    async fn connect(&self, address: &SocketAddr) -> Result<L4Stream> {
        let address = address.as_inet().or_err(ErrorType::InternalError, "no IP address")?;
        let socket = TcpStream::connect(address).await.map_err(|e| {
            let kind = match e.kind() {
                io::ErrorKind::ConnectionRefused => ErrorType::ConnectRefused,
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => ErrorType::ConnectNoRoute,
                _ => ErrorType::ConnectError,
            };
            Error::because(kind, "cannot connect", e)
        })?;
        self.fd.set(socket.as_raw_fd()).ok().or_err(ErrorType::InternalError, "one connection was dialled twice")?;
        Ok(VirtualSocketStream::new(Box::new(Socket { socket, ahead: self.ahead.clone() })).into())
    }
}

/// The socket, read as far as is allowed.
#[derive(Debug)]
struct Socket {
    socket: TcpStream,
    ahead: Arc<ReadAhead>,
}

impl VirtualSocket for Socket {
    fn set_socket_option(&self, option: VirtualSockOpt) -> io::Result<()> {
        match option {
            VirtualSockOpt::NoDelay => self.socket.set_nodelay(true),
            _ => Ok(()), // asked for by no peer of ours
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let allowed = ready!(this.ahead.poll_allowed(cx));
        let before = buf.filled().len();
        let mut bounded = (&mut this.socket).take(allowed as u64);
        ready!(Pin::new(&mut bounded).poll_read(cx, buf))?;
        this.ahead.add(buf.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(cx, data)
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

/// A connection, plain or TLS, that knows its descriptor.
#[derive(Debug)]
struct Dialled {
    inner: Stream,
    fd: UniqueIDType,
    digest: Arc<ProxyDigest>,
}

impl AsyncRead for Dialled {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Dialled {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, data)
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, data)
    }
    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[async_trait]
impl Shutdown for Dialled {
    async fn shutdown(&mut self) {
        self.inner.shutdown().await;
    }
}

impl UniqueID for Dialled {
    fn id(&self) -> UniqueIDType {
        self.fd
    }
}

impl Ssl for Dialled {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.get_ssl()
    }
    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }
    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.selected_alpn_proto()
    }
}

impl GetTimingDigest for Dialled {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }
    fn get_read_pending_time(&self) -> Duration {
        self.inner.get_read_pending_time()
    }
    fn get_write_pending_time(&self) -> Duration {
        self.inner.get_write_pending_time()
    }
}

impl GetProxyDigest for Dialled {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        Some(self.digest.clone())
    }
}

impl GetSocketDigest for Dialled {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }
}

#[async_trait]
impl Peek for Dialled {}
