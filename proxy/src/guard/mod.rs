//! The guarded session: one object that owns a request's body and its reply, in place of Pingora's downstream session.
//!
//! Pingora's own body filters are synchronous and cannot hold back the header. But the proxy loop reads the request body
//! and writes every reply task through `session.downstream_session`, which can be swapped in `request_filter`. So
//! [`GuardedSession`] replays a whole (rewritten) request body, again for every attempt, and receives each reply task in
//! an async method before anything is written: it holds, awaits, replaces, cuts, and carries on when the client has left.
//!
//! # Invariants
//! * Every request is guarded but upgrades: a 101 and its tunnel bytes must stay untouched.
//! * The real session is handed back by [`unguard`] before Pingora writes by itself and before the connection is reused
//!   (`replies_without_body_leave_the_connection_whole`).
//! * The end of a request is told to the filters exactly once: [`Link::end`].

mod coding;
mod compress;
mod deadlines;
pub mod in_flight;
mod keep;
mod link;
mod replay;
mod reply;
mod session;

pub use compress::Compression;
pub use deadlines::Deadlines;
pub use link::{Link, OthersLeft};
pub use replay::RequestBody;
pub(crate) use reply::header_of;
pub use session::{GuardPolicy, GuardedSession};

use pingora_core::protocols::http::ServerSession;
use pingora_proxy::Session;
use raptorgate_config::model::OnDisconnect;
use std::sync::Arc;

fn placeholder() -> Box<ServerSession> {
    Box::new(ServerSession::new_custom(Box::new(())))
}

/// Puts the guarded session in place of the real one.
pub fn guard(session: &mut Session, link: &Arc<Link>, policy: GuardPolicy) {
    let mut inner = std::mem::replace(&mut session.downstream_session, placeholder());
    // a client that neither reads nor leaves would stop us from reading the upstream
    inner.set_write_timeout(Some(policy.write_timeout));
    if policy.on_disconnect == OnDisconnect::Finish {
        // h1: a FIN alone does not end the request, half-closed clients still get their answer
        inner.set_abort_on_close(false);
    }
    let guarded = GuardedSession::new(inner, link.clone(), policy);
    *session.downstream_session = ServerSession::new_custom(Box::new(guarded));
}

/// Puts the real session back. Does nothing if it is there already.
pub fn unguard(session: &mut Session, link: &Link) {
    if !session.downstream_session.is_custom() {
        return;
    }
    drop(std::mem::replace(&mut session.downstream_session, placeholder()));
    if let Some(real) = link.take_real() {
        session.downstream_session = real;
    }
}
