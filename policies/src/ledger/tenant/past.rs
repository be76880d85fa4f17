//! Accounts of windows that are over.

use super::TenantState;
use crate::ledger::entry::{Draft, EntryKind, Field};
use crate::ledger::{AccountName, DROPPED_MAX, DropPast, Dropped, Nanos, Note, Window};

/// What stands as id in the line.
const ID: &str = "past";

impl TenantState {
    /// Drops accounts whose windows have been over for the grace and that hold nothing. The line takes their numbers back to zero,
    /// so that lines go on adding up to accounts, and what an account came to can be read from it. A cost that comes later all
    /// the same makes the account anew.
    pub fn drop_past(&mut self, drop: &DropPast, now: u64) -> Dropped {
        let looked: Vec<AccountName> = {
            let names = |(name, _): (&AccountName, _)| name.clone();
            let count = drop.looked_max as usize;
            match &drop.after {
                Some(after) => self.accounts.after(after).take(count).map(names).collect(),
                None => self.accounts.iter().take(count).map(names).collect(),
            }
        };
        let mut dropped = Dropped { count: 0, next: None };
        let mut draft = Draft::default();
        for (at, name) in (1..).zip(&looked) {
            if self.is_past(name, drop.grace_micros, now) {
                let account = self.account(name);
                draft.moved(name, Field::Spent, -i128::from(account.spent.get()));
                draft.moved(name, Field::Topped, -i128::from(account.topped.get()));
                self.accounts.remove(name);
                dropped.count += 1;
            }
            if at == drop.looked_max || dropped.count == DROPPED_MAX {
                dropped.next = Some(name.clone());
                break;
            }
        }
        if !draft.is_empty() {
            self.write(draft, EntryKind::Drop, now, ID, &Note::default());
        }
        dropped
    }

    fn is_past(&self, name: &AccountName, grace_micros: u64, now: u64) -> bool {
        let over = Window::over_by(&name.window).is_some_and(|over| over.saturating_add(grace_micros) <= now);
        over && self.account(name).held == Nanos::ZERO
    }
}
