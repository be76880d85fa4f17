//! What is known about a connection, for the requests that come over it.

use parking_lot::Mutex;
use pingora_core::protocols::raw_connect::ProxyDigest;
use pingora_http::ResponseHeader;
use pingora_proxy::Session;
use raptorgate_policies::Denial;
use std::net::SocketAddr;
use std::sync::Arc;

/// One connection.
#[derive(Debug)]
pub struct ConnectionFacts {
    /// Who opened it: the socket's peer, or whom a PROXY header names.
    pub peer: SocketAddr,
    /// Address of the listener, as it was bound.
    pub listener: Arc<str>,
    /// It is encrypted.
    pub is_tls: bool,
    fault: Mutex<Option<Denial>>,
}

impl ConnectionFacts {
    /// A new connection.
    pub fn new(peer: SocketAddr, listener: Arc<str>, is_tls: bool) -> Arc<Self> {
        Arc::new(Self { peer, listener, is_tls, fault: Mutex::new(None) })
    }

    /// Notes why reading failed, for the callback that answers.
    pub(super) fn set_fault(&self, denial: Denial) {
        *self.fault.lock() = Some(denial);
    }

    /// Why reading failed, if the connection knew.
    pub fn fault(&self) -> Option<Denial> {
        self.fault.lock().clone()
    }

    /// Of the connection that a request came over.
    pub fn of(session: &Session) -> Option<Arc<Self>> {
        let digest = session.digest()?.proxy_digest.as_ref()?;
        digest.user_data.as_ref()?.downcast_ref::<Arc<Self>>().cloned()
    }

    /// In the one place where Pingora lets a connection carry data of its own.
    pub(super) fn digest(self: &Arc<Self>) -> Option<Arc<ProxyDigest>> {
        let unused = ResponseHeader::build(200, None).ok()?;
        Some(Arc::new(ProxyDigest::new(Box::new(unused), Some(Box::new(self.clone())))))
    }
}
