//! Removing lines that were archived.

use super::TenantState;
use crate::ledger::{Entry, Head, Trim};

impl TenantState {
    /// Remembers that lines are archived through this one. Whoever asks names the hash of that line, and so shows that what it
    /// has kept is this ledger and not another; `line` is the line that stands there.
    pub fn trim(&mut self, through: &Head, line: Option<&Entry>) -> Trim {
        if through.version <= self.archived.version {
            let same = through.version < self.archived.version || through.hash == self.archived.hash;
            return if same { Trim::Superseded } else { Trim::OtherLine };
        }
        if line.is_none_or(|line| line.version != through.version || line.hash != through.hash) {
            return Trim::OtherLine;
        }
        self.archived = through.clone();
        self.entries.retain(|entry| entry.version > through.version);
        Trim::Done
    }
}
