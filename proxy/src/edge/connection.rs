//! A client's connection between socket (or TLS) and Pingora: judges what comes in, gathers what goes out, and loses
//! patience with who is slow.
//!
//! # Invariants
//! * Pingora gets only bytes of requests that were judged (`conformance_h1`).
//! * Every wait has an end: for a head, for a body that trickles, for a client that does not read
//!   (`slow_clients_are_cut`).
//! * At most [`OUT_BYTES_MAX`] are gathered for a client that does not read.

use super::facts::ConnectionFacts;
use super::frames::FrameBudget;
use super::http1::Http1;
use super::linger::linger;
use async_trait::async_trait;
use bytes::{Buf, BytesMut};
use pingora_core::protocols::raw_connect::ProxyDigest;
use pingora_core::protocols::tls::{SslDigest, TlsRef};
use pingora_core::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream, TimingDigest,
    UniqueID, UniqueIDType,
};
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// Bytes of a reply that are gathered before they are sent: its head and a small body leave in one segment. A larger piece
/// leaves together with what was gathered, without being copied.
pub(super) const OUT_BYTES_MAX: usize = 4 << 10;
/// RFC 9113 §3.4.
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What a connection speaks.
pub enum Speaks {
    /// HTTP/1.1.
    Http1(Box<Http1>),
    /// HTTP/2.
    Http2(Box<FrameBudget>),
}

/// One client.
pub struct Connection {
    inner: Option<Stream>,
    speaks: Speaks,
    facts: Arc<ConnectionFacts>,
    digest: Option<Arc<ProxyDigest>>,
    out: BytesMut,
    write_timeout: Duration,
    write_alarm: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    /// Wraps an accepted connection. A client that takes nothing for `write_timeout` counts as gone.
    pub fn new(inner: Stream, speaks: Speaks, facts: Arc<ConnectionFacts>, write_timeout: Duration) -> Self {
        let digest = facts.digest();
        Self { inner: Some(inner), speaks, facts, digest, out: BytesMut::new(), write_timeout, write_alarm: None }
    }

    /// The reply was sent: the next request may begin. False if the connection cannot be used again.
    pub fn next_message(&mut self) -> bool {
        match &mut self.speaks {
            Speaks::Http1(http1) => http1.next_message(),
            Speaks::Http2(_) => false,
        }
    }

    /// Sends what was gathered.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let Some(inner) = &mut self.inner else { return Poll::Ready(Err(closed())) };
            match Pin::new(inner).poll_write(cx, &self.out) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => {
                    self.out.advance(written);
                    self.write_alarm = None;
                }
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                Poll::Pending => return self.poll_stall(cx),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Sends what was gathered, and of `data` as much as is taken, in one call where that can be done.
    fn poll_out_and(&mut self, data: &[u8], cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            let Some(inner) = &mut self.inner else { return Poll::Ready(Err(closed())) };
            let both = [io::IoSlice::new(&self.out), io::IoSlice::new(data)];
            let written = match (self.out.is_empty(), inner.is_write_vectored()) {
                (true, _) => Pin::new(inner).poll_write(cx, data),
                (false, true) => Pin::new(inner).poll_write_vectored(cx, &both),
                (false, false) => Pin::new(inner).poll_write(cx, &self.out),
            };
            let written = match written {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => written,
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                Poll::Pending => return self.poll_stall(cx),
            };
            self.write_alarm = None;
            let gathered = written.min(self.out.len());
            self.out.advance(gathered);
            if written > gathered {
                // large pieces need no place to gather; it would stay as long as the connection
                self.out = BytesMut::new();
                return Poll::Ready(Ok(written - gathered));
            }
        }
    }

    /// The client takes nothing now.
    fn poll_stall<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let patience = self.write_timeout;
        let alarm = self.write_alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        match alarm.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_refusal(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        let Some(inner) = &mut self.inner else { return Poll::Ready(Ok(())) };
        Pin::new(inner).poll_flush(cx)
    }
}

fn closed() -> io::Error {
    io::ErrorKind::NotConnected.into()
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else { return Poll::Ready(Ok(())) };
        match &mut this.speaks {
            Speaks::Http2(budget) => {
                let before = buf.filled().len();
                ready!(Pin::new(inner).poll_read(cx, buf))?;
                if let Some(new) = buf.filled_mut().get_mut(before..) {
                    budget
                        .inspect(new, Instant::now())
                        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                }
                Poll::Ready(Ok(()))
            }
            Speaks::Http1(http1) => {
                if let Some(refusal) = ready!(http1.poll_read(inner, &this.facts, cx, buf))? {
                    this.out.extend_from_slice(&refusal);
                }
                if http1.is_refused() {
                    // the answer leaves, then Pingora sees the end of the connection and nothing else
                    return this.poll_refusal(cx);
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let Speaks::Http1(http1) = &mut this.speaks else {
            let Some(inner) = &mut this.inner else { return Poll::Ready(Err(closed())) };
            return Pin::new(inner).poll_write(cx, data);
        };
        http1.saw_reply(data);
        if data.len() >= OUT_BYTES_MAX {
            return this.poll_out_and(data, cx);
        }
        if this.out.len().saturating_add(data.len()) > OUT_BYTES_MAX {
            ready!(this.poll_out(cx))?;
        }
        this.out.extend_from_slice(data);
        Poll::Ready(Ok(data.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &self.speaks {
            Speaks::Http1(_) => {
                let first = data.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| &**slice);
                self.poll_write(cx, first)
            }
            Speaks::Http2(_) => {
                let Some(inner) = &mut self.get_mut().inner else { return Poll::Ready(Err(closed())) };
                Pin::new(inner).poll_write_vectored(cx, data)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.speaks {
            Speaks::Http1(_) => false,
            Speaks::Http2(_) => self.inner.as_ref().is_some_and(AsyncWrite::is_write_vectored),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_out(cx))?;
        let Some(inner) = &mut this.inner else { return Poll::Ready(Err(closed())) };
        Pin::new(inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_out(cx))?;
        let Some(inner) = &mut this.inner else { return Poll::Ready(Ok(())) };
        Pin::new(inner).poll_shutdown(cx)
    }
}

#[async_trait]
impl Shutdown for Connection {
    async fn shutdown(&mut self) {
        // what was gathered is still owed; a client that is gone cannot be told
        drop(tokio::io::AsyncWriteExt::flush(self).await);
        if !self.leaves_bytes_unread()
            && let Some(inner) = &mut self.inner
        {
            inner.shutdown().await;
        }
    }
}

impl Connection {
    fn leaves_bytes_unread(&self) -> bool {
        match &self.speaks {
            Speaks::Http1(http1) => http1.leaves_bytes_unread(),
            Speaks::Http2(_) => false,
        }
    }
}

impl Drop for Connection {
    /// Closing a socket with unread bytes resets it, and the reset can overtake the answer: so they are read first.
    fn drop(&mut self) {
        let owed = !self.out.is_empty() || self.leaves_bytes_unread();
        let Some(inner) = self.inner.take().filter(|_| owed) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(linger(inner, std::mem::take(&mut self.out).freeze()));
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl UniqueID for Connection {
    fn id(&self) -> UniqueIDType {
        self.inner.as_ref().map_or(-1, |inner| inner.id())
    }
}

impl Ssl for Connection {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.as_ref()?.get_ssl()
    }
    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.as_ref()?.get_ssl_digest()
    }
    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.as_ref()?.selected_alpn_proto()
    }
}

impl GetTimingDigest for Connection {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.as_ref().map_or_else(Vec::new, |inner| inner.get_timing_digest())
    }
}

impl GetProxyDigest for Connection {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.digest.clone()
    }
}

impl GetSocketDigest for Connection {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.as_ref()?.get_socket_digest()
    }
}

#[async_trait]
impl Peek for Connection {
    /// Asked for the preface only, and whether it came was found out when the connection was accepted.
    async fn try_peek(&mut self, buf: &mut [u8]) -> io::Result<bool> {
        let is_http2 = matches!(self.speaks, Speaks::Http2(_)) && buf.len() == PREFACE.len();
        if is_http2 {
            buf.copy_from_slice(PREFACE);
        }
        Ok(is_http2)
    }
}
