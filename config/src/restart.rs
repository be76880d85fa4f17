//! What cannot change while the gateway runs.
//!
//! # Invariants
//! * A file that changes any of it is refused whole, and every such change is told (`what_cannot_change_live_is_refused_whole`).

use crate::load::Loaded;
use crate::model::Config;
use crate::problem::{Code, Problem, Problems};

/// Compares the running configuration with a new one; problems if the new one needs a restart.
pub fn needs_restart(running: &Config, new: &Loaded) -> Result<(), Problems> {
    let (old, next) = (running, &new.config);
    let changes = [
        ("listeners", "listeners", old.listeners != next.listeners),
        ("ops", "the address of `ops`", old.ops != next.ops),
        ("admin", "the address of `admin`", old.admin.address != next.admin.address),
        ("admin", "`admin.token`", old.admin.token != next.admin.token),
        (
            "limits",
            "`limits.http2_streams`",
            old.limits.clients.http2_streams_max != next.limits.clients.http2_streams_max,
        ),
        ("access_log", "the output of `access_log`", old.access_log != next.access_log),
    ];
    let changed = changes.into_iter().filter(|(_, _, changed)| *changed);
    let problems: Vec<Problem> = changed.map(|(key, what, _)| problem(new, key, what)).collect();
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
