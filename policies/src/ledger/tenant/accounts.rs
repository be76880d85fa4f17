//! What operators change: limits and credits.

use super::{Override, TenantState};
use crate::ledger::entry::{Draft, EntryKind, Field};
use crate::ledger::{Account, Change, Credit, CreditKind, LimitChange, SetLimit};

impl TenantState {
    /// Overrides a configured limit.
    pub fn set_limit(&mut self, set: &SetLimit, now: u64) -> Change {
        if self.overrides.get(&set.base).is_some_and(|known| known.version >= set.version) {
            return Change::Superseded;
        }
        let mut draft = Draft::default();
        match set.limit {
            LimitChange::Amount(limit) => draft.limit(set.base.as_str(), Some(limit)),
            LimitChange::Unlimited => draft.limit(set.base.as_str(), None),
            LimitChange::Configured => draft.flag("configured"),
        }
        self.write(draft, EntryKind::Limit, now, set.base.as_str(), &set.note);
        self.overrides.put(set.base.clone(), Override { version: set.version, limit: set.limit });
        Change::Done
    }

    /// Adds to what may be spent, or takes back what was.
    pub fn credit(&mut self, credit: &Credit, now: u64) -> Change {
        if self.credits.get(&credit.name).is_some() {
            return Change::Superseded;
        }
        let account = self.account(&credit.account);
        let (after, kind, field) = match credit.kind {
            CreditKind::TopUp => {
                let topped = account.topped.checked_add(credit.amount);
                (topped.map(|topped| Account { topped, ..account }), EntryKind::TopUp, Field::Topped)
            }
            CreditKind::Refund => {
                let spent = account.spent.checked_sub(credit.amount);
                (spent.map(|spent| Account { spent, ..account }), EntryKind::Refund, Field::Spent)
            }
        };
        let Some(after) = after else { return Change::Overflow };
        let sign = if credit.kind == CreditKind::Refund { -1 } else { 1 };
        let mut draft = Draft::default();
        draft.moved(&credit.account, field, sign * i128::from(credit.amount.get()));
        self.write(draft, kind, now, credit.name.as_str(), &credit.note);
        self.accounts.put(credit.account.clone(), after);
        self.credits.put(credit.name.clone(), credit.amount);
        Change::Done
    }
}
