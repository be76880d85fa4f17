//! The scripts: each operation is one, so that Redis runs it whole or not at all.
//!
//! They begin with `#!lua` (Redis 7.0): so the server refuses one before its first command, and not in the middle, when it
//! is out of memory, read-only, or cannot save.

use super::encode::{Arguments, hex};
use redis::{Cmd, Pipeline};
use sha1::{Digest, Sha1};

const EXACT: &str = include_str!("scripts/exact.lua");
const STATE: &str = include_str!("scripts/state.lua");
const FINISHED: &str = include_str!("scripts/finished.lua");
const HOLDS: &str = include_str!("scripts/holds.lua");
const KEYS: &str = include_str!("scripts/keys.lua");
const RATES: &str = include_str!("scripts/rates.lua");
const REQUEST: &str = include_str!("scripts/request.lua");

/// One script.
pub(super) struct Script {
    code: String,
    sha: String,
}

/// A script with what it is run on.
pub(super) struct Run<'a> {
    pub script: &'a Script,
    /// The prefix of the tenant's keys.
    pub key: &'a str,
    pub arguments: &'a Arguments,
    /// Comes back at the end of the answer: an answer to something else is known by it.
    pub token: u64,
}

impl Script {
    fn new(first_line: &str, parts: &[&str], operation: &str) -> Self {
        let code = format!(
            "{first_line}\n{}\nlocal function operation()\n{operation}\nend\n{}",
            parts.join("\n"),
            "local answer = operation()\nanswer[#answer + 1] = ARGV[#ARGV]\nreturn answer\n"
        );
        let sha = hex(&Sha1::digest(code.as_bytes()));
        Self { code, sha }
    }

    /// Lets the server keep it.
    pub fn load(&self) -> Cmd {
        redis::cmd("SCRIPT").arg("LOAD").arg(&self.code).to_owned()
    }
}

impl Run<'_> {
    /// Runs what the server has already.
    pub fn known(&self) -> Cmd {
        self.command("EVALSHA", &self.script.sha)
    }

    /// Runs it and lets the server keep it.
    pub fn whole(&self) -> Cmd {
        self.command("EVAL", &self.script.code)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(1).arg(self.key);
        self.arguments.iter().for_each(|argument| {
            command.arg(argument);
        });
        command.arg(self.token);
        command
    }
}

/// All of them.
pub(super) struct Scripts {
    pub admit: Script,
    pub dispatch: Script,
    pub extend: Script,
    pub renew: Script,
    pub key: Script,
    pub finish: Script,
    pub reap: Script,
    pub set_limit: Script,
    pub credit: Script,
    pub drop_past: Script,
    pub trim: Script,
    pub accounts: Script,
    pub read: Script,
}

impl Scripts {
    pub fn new() -> Self {
        let on_state = |parts: &[&'static str]| [&[EXACT, STATE], parts].concat();
        let writes = |parts: &[&'static str], operation| Script::new("#!lua", &on_state(parts), operation);
        let reads =
            |parts: &[&'static str], operation| Script::new("#!lua flags=no-writes", &on_state(parts), operation);
        let all = [FINISHED, HOLDS, KEYS, RATES, REQUEST];
        Self {
            admit: writes(&all, include_str!("scripts/admit.lua")),
            dispatch: writes(&[KEYS], include_str!("scripts/dispatch.lua")),
            extend: writes(&[FINISHED, HOLDS, KEYS, REQUEST], include_str!("scripts/extend.lua")),
            renew: writes(&[FINISHED, HOLDS, KEYS, REQUEST], include_str!("scripts/renew.lua")),
            key: reads(&[KEYS], include_str!("scripts/key.lua")),
            finish: writes(&all, include_str!("scripts/finish.lua")),
            reap: writes(&[FINISHED, HOLDS], include_str!("scripts/reap.lua")),
            set_limit: writes(&[], include_str!("scripts/set_limit.lua")),
            credit: writes(&[], include_str!("scripts/credit.lua")),
            drop_past: writes(&[], include_str!("scripts/drop_past.lua")),
            trim: writes(&[], include_str!("scripts/trim.lua")),
            accounts: reads(&[], include_str!("scripts/accounts.lua")),
            read: reads(&[], include_str!("scripts/read.lua")),
        }
    }
}

/// One command in a round trip of its own.
pub(super) fn alone(command: Cmd) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(1);
    pipeline.add_command(command);
    pipeline
}
