//! What stands in the ledger: one line for each change of money or of a limit, chained to the one before.
//!
//! A line is a JSON object with its members in a fixed order, so that both stores write the same bytes:
//!
//! ```json
//! {"v":7,"ts":1764057600000000,"op":"settle","id":"019a…","at":[["month:user:asha@2026-11","held","-500"],
//! ["month:user:asha@2026-11","spent","420"]],"flags":["late"],"note":{"model":"gpt-4o"}}
//! ```
//!
//! `v` counts the tenant's lines from 1, `ts` is in microseconds since the epoch, amounts are nano-units and stand in
//! strings because JSON readers round large numbers. `set` names limits that changed.
//!
//! The hash of a line is `SHA-1(hash of the line before as hex, then the line)`. SHA-1 and not SHA-256, because a line is
//! hashed inside of the atomic step that it tells of, and Redis has nothing else there; it takes a second preimage, which
//! nobody can make, to change a line and keep its hash. Archived lines are sealed with SHA-256.
//!
//! # Invariants
//! * A line that was changed, dropped, doubled or moved is found, and the first such is named
//!   (`what_was_changed_after_the_fact_is_found`).

use super::{AccountName, Nanos, Note};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use std::fmt::Write;

/// Hash of the line before the first.
pub const GENESIS: &str = "0000000000000000000000000000000000000000";

/// Where a tenant's ledger ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Number of the last line; 0: none.
    pub version: u64,
    /// Its hash in hexadecimal digits.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { version: 0, hash: GENESIS.to_owned() }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number.
    pub version: u64,
    /// The line.
    pub body: String,
    /// Its hash in hexadecimal digits.
    pub hash: String,
}

impl Entry {
    /// When it was written, in microseconds since the epoch; `None` if the line does not say so where lines do.
    pub fn at_micros(&self) -> Option<u64> {
        let rest = self.body.strip_prefix(&format!("{{\"v\":{},\"ts\":", self.version))?;
        rest.split(',').next()?.parse().ok()
    }
}

/// The hash of a line.
pub fn chain(previous: &str, body: &str) -> String {
    let digest = Sha1::new().chain_update(previous.as_bytes()).chain_update(body.as_bytes()).finalize();
    digest.iter().fold(String::with_capacity(40), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A line that cannot stand where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Another number was due.
    #[error("entry {due} is missing: entry {found} follows")]
    Order {
        /// The number that was due.
        due: u64,
        /// The number that came.
        found: u64,
    },
    /// The hash is not that of the line.
    #[error("entry {version} is not what it was when it was written")]
    Hash {
        /// Its number.
        version: u64,
    },
}

impl Head {
    /// The head after one more line, if it is the one that follows.
    pub fn follow(&self, entry: &Entry) -> Result<Head, Broken> {
        let due = self.version + 1;
        if entry.version != due {
            return Err(Broken::Order { due, found: entry.version });
        }
        let hash = chain(&self.hash, &entry.body);
        let starts = entry.body.starts_with(&format!("{{\"v\":{due},"));
        if hash != entry.hash || !starts {
            return Err(Broken::Hash { version: due });
        }
        Ok(Head { version: due, hash })
    }
}

/// What a line tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    Hold,
    Extend,
    Settle,
    Void,
    Suspect,
    Limit,
    TopUp,
    Refund,
    Drop,
    Waste,
}

impl EntryKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Extend => "extend",
            Self::Settle => "settle",
            Self::Void => "void",
            Self::Suspect => "suspect",
            Self::Limit => "limit",
            Self::TopUp => "top_up",
            Self::Refund => "refund",
            Self::Drop => "drop",
            Self::Waste => "waste",
        }
    }
}

/// Which number of an account moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Held,
    Spent,
    Topped,
}

impl Field {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Spent => "spent",
            Self::Topped => "topped",
        }
    }
}

/// A line that is being written.
#[derive(Debug, Default)]
pub(super) struct Draft {
    at: String,
    set: String,
    flags: String,
}

impl Draft {
    /// A number moved. What did not move is not told.
    pub fn moved(&mut self, account: &AccountName, field: Field, delta: i128) {
        if delta != 0 {
            let comma = if self.at.is_empty() { "" } else { "," };
            let _ = write!(self.at, "{comma}[\"{account}\",\"{}\",\"{delta}\"]", field.as_str());
        }
    }

    /// A limit changed.
    pub fn limit(&mut self, name: &str, limit: Option<Nanos>) {
        let comma = if self.set.is_empty() { "" } else { "," };
        let _ = match limit {
            Some(limit) => write!(self.set, "{comma}[\"{name}\",\"{limit}\"]"),
            None => write!(self.set, "{comma}[\"{name}\",null]"),
        };
    }

    /// Says something about the whole line.
    pub fn flag(&mut self, flag: &str) {
        let comma = if self.flags.is_empty() { "" } else { "," };
        let _ = write!(self.flags, "{comma}\"{flag}\"");
    }

    /// True if nothing changed.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty() && self.set.is_empty()
    }

    /// The line after `head`.
    pub fn finish(self, head: &Head, kind: EntryKind, now: u64, id: &str, note: &Note) -> Entry {
        let version = head.version + 1;
        let mut body =
            format!("{{\"v\":{version},\"ts\":{now},\"op\":\"{}\",\"id\":\"{id}\",\"at\":[{}]", kind.as_str(), self.at);
        if !self.set.is_empty() {
            let _ = write!(body, ",\"set\":[{}]", self.set);
        }
        if !self.flags.is_empty() {
            let _ = write!(body, ",\"flags\":[{}]", self.flags);
        }
        let _ = write!(body, ",\"note\":{}}}", note.as_str());
        let hash = chain(&head.hash, &body);
        Entry { version, body, hash }
    }
}

#[cfg(test)]
mod tests {
    use super::super::StoreName;
    use super::*;

    fn ledger(lines: u64) -> Vec<Entry> {
        let account = AccountName { base: StoreName::of(&["b"]), window: StoreName::of(&["w"]) };
        let mut head = Head::default();
        (1..=lines)
            .map(|n| {
                let mut draft = Draft::default();
                draft.moved(&account, Field::Spent, i128::from(n));
                let entry = draft.finish(&head, EntryKind::Settle, n, "x", &Note::default());
                head = head.follow(&entry).unwrap();
                entry
            })
            .collect()
    }

    fn check(entries: &[Entry]) -> Result<Head, Broken> {
        entries.iter().try_fold(Head::default(), |head, entry| head.follow(entry))
    }

    #[test]
    fn a_line_has_a_fixed_form() {
        let entry = &ledger(1)[0];
        assert_eq!(entry.body, r#"{"v":1,"ts":1,"op":"settle","id":"x","at":[["b@w","spent","1"]],"note":{}}"#);
        assert_eq!(entry.hash, chain(GENESIS, &entry.body));
        assert_eq!(entry.at_micros(), Some(1));
    }

    #[test]
    fn what_was_changed_after_the_fact_is_found() {
        let whole = ledger(5);
        assert_eq!(check(&whole).unwrap().version, 5);
        let mut changed = whole.clone();
        changed[2].body = changed[2].body.replace("\"3\"", "\"4\"");
        assert_eq!(check(&changed), Err(Broken::Hash { version: 3 }));
        changed[2].hash = chain(&changed[1].hash, &changed[2].body);
        assert_eq!(check(&changed), Err(Broken::Hash { version: 4 }));
        let mut dropped = whole.clone();
        dropped.remove(1);
        assert_eq!(check(&dropped), Err(Broken::Order { due: 2, found: 3 }));
        let mut doubled = whole.clone();
        doubled.insert(1, whole[1].clone());
        assert_eq!(check(&doubled), Err(Broken::Order { due: 3, found: 2 }));
        let mut moved = whole;
        moved.swap(1, 2);
        assert_eq!(check(&moved), Err(Broken::Order { due: 2, found: 3 }));
    }
}
