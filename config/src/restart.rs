//! What cannot change while the gateway runs.
//!
//! # Invariants
//! * A file that changes any of it is refused whole, and every such change is told (`what_cannot_change_live_is_refused_whole`).

use crate::certificates::Certificate;
use crate::load::Loaded;
use crate::model::{Config, Listener};
use crate::problem::{Code, Problem, Problems};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

/// Compares the running configuration with a new one; problems if the new one needs a restart.
pub fn needs_restart(running: &Config, new: &Loaded) -> Result<(), Problems> {
    let (old, next) = (running, &new.config);
    let changes = [
        ("listeners", "whether, where and how listeners accept connections", sockets(old) != sockets(next)),
        ("ops", "the address of `ops`", old.ops != next.ops),
        ("admin", "the address of `admin`", old.admin.address != next.admin.address),
        ("admin", "`admin.token`", old.admin.token != next.admin.token),
        (
            "limits",
            "`limits.http2_streams`",
            old.limits.clients.http2_streams_max != next.limits.clients.http2_streams_max,
        ),
        ("store", "`store`, or whether a route needs one,", old.store != next.store),
        ("store", "`store.reply_key`", old.reply_key != next.reply_key),
        ("access_log", "the output of `access_log`", old.access_log != next.access_log),
    ];
    let changed = changes.into_iter().filter(|(_, _, changed)| *changed);
    let problems: Vec<Problem> = changed.map(|(key, what, _)| problem(new, key, what)).collect();
    if problems.is_empty() { Ok(()) } else { Err(Problems::new(problems, 0)) }
}

/// What is bound, and how connections to it begin; the certificates behind it may change.
fn sockets(config: &Config) -> Vec<(SocketAddr, bool, bool)> {
    let socket = |l: &Listener| (l.address, l.tls.is_some(), l.proxy_protocol);
    config.listeners.iter().map(socket).collect()
}

/// Tells certificates that have expired and are not served yet: what is served on is better than what nobody accepts. One
/// that has expired while it was served stays, so that the rest of a file can still change.
pub fn expired_replacements(running: &Config, new: &Loaded, now: SystemTime) -> Result<(), Problems> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let certificates = |config: &Config| -> Vec<Arc<Certificate>> {
        config
            .listeners
            .iter()
            .filter_map(|listener| listener.tls.as_ref())
            .flat_map(|tls| tls.certificates.clone())
            .collect()
    };
    let served = certificates(running);
    let expired =
        |certificate: &Arc<Certificate>| u64::try_from(certificate.facts().not_after).is_ok_and(|end| end < now);
    let refused = certificates(&new.config).into_iter().filter(|c| expired(c) && !served.contains(c));
    let problems: Vec<Problem> = refused
        .map(|certificate| Problem {
            code: Code::WrongValue,
            message: format!("the certificate in `{}` has expired", certificate.file()),
            help: Some("what was served is served on; bring a renewed certificate with its key".to_owned()),
            ..new.place("listeners")
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Problems::new(problems, 0)) }
}

fn problem(new: &Loaded, key: &str, what: &str) -> Problem {
    Problem {
        code: Code::NeedsRestart,
        message: format!("{what} cannot change while the gateway runs"),
        help: Some("restart it to take the file, or undo this change to take the rest".to_owned()),
        ..new.place(key)
    }
}
