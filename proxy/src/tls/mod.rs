//! TLS at both ends: listeners' certificates, clients' certificates, and connections to upstreams.
//!
//! # Invariants
//! * A handshake is made whole with the certificates that were served when it began: a reload fails none
//!   (`fifty_certificate_swaps_fail_no_handshake`).

mod acceptor;
mod client_auth;
pub mod expiry;
mod resolver;
pub mod upstream;

pub use acceptor::{AcceptorError, acceptor};
pub use client_auth::client_certificate;

use crate::control::Control;
use pingora_core::protocols::IO;
use pingora_core::protocols::tls::TlsStream;
use pingora_core::{Error, ErrorType, Result};
use std::sync::Arc;

/// TLS of one listener, with the certificates of whatever configuration is served.
#[derive(Clone)]
pub struct ServerTls {
    control: Arc<Control>,
    listener: usize,
}

impl ServerTls {
    /// Of the listener at this place of the configuration; listeners keep their places over reloads.
    pub fn new(control: Arc<Control>, listener: usize) -> Self {
        Self { control, listener }
    }

    /// Makes the handshake. Waits as long as the client does: the caller has a deadline.
    ///
    /// # Errors
    /// What the client did wrong, in words that are for logs only.
    pub async fn accept<S: IO + 'static>(&self, stream: S) -> Result<TlsStream<S>> {
        let runtime = self.control.runtime();
        match runtime.acceptor(self.listener) {
            Some(acceptor) => acceptor.tls_handshake(stream).await,
            None => Error::e_explain(ErrorType::InternalError, "the listener has no certificates"),
        }
    }
}
