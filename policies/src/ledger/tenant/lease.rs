//! Holds that live on, grow, or are given up.

use super::admit::held;
use super::{Hold, TenantState};
use crate::ledger::entry::{Draft, EntryKind, Field};
use crate::ledger::{
    Account, Enforce, Extend, Extension, LedgerId, Nanos, Note, Reap, Reaped, Renew, Renewal, VoidReason,
};

impl TenantState {
    /// Holds more money for a request that runs.
    pub fn extend(&mut self, extend: &Extend, now: u64) -> Extension {
        if let Some(finish) = self.finished.get(&extend.id) {
            return Extension::Finished(*finish);
        }
        let Some(hold) = self.holds.get(&extend.id) else { return Extension::Missing };
        if hold.extensions >= extend.number {
            return Extension::Extended;
        }
        if hold.parts.len() != extend.amounts.len() {
            return Extension::Overflow;
        }
        let mut hold = hold.clone();
        let mut accounts = Vec::new();
        for (index, (part, delta)) in hold.parts.iter_mut().zip(&extend.amounts).enumerate() {
            let account = self.account(&part.account);
            match (part.enforce, account.available()) {
                (Enforce::Hard, Some(available)) if available < *delta => {
                    return Extension::Refused { index, available };
                }
                (Enforce::Hard | Enforce::Soft, _) => {}
            }
            let (Some(amount), Some(held)) = (part.amount.checked_add(*delta), account.held.checked_add(*delta)) else {
                return Extension::Overflow;
            };
            part.amount = amount;
            accounts.push(Account { held, ..account });
        }
        let mut draft = Draft::default();
        for ((part, delta), account) in hold.parts.iter().zip(&extend.amounts).zip(accounts) {
            draft.moved(&part.account, Field::Held, i128::from(delta.get()));
            self.accounts.put(part.account.clone(), account);
        }
        if !draft.is_empty() {
            self.write(draft, EntryKind::Extend, now, &extend.id.to_string(), &Note::default());
        }
        (hold.extensions, hold.expires_at, hold.suspect) = (extend.number, now + extend.lease_micros, false);
        self.set_hold(extend.id, hold);
        Extension::Extended
    }

    /// Keeps a hold alive; makes it again if the store lost it.
    pub fn renew(&mut self, renew: &Renew, now: u64) -> Renewal {
        let admit = &renew.admitted;
        if let Some(finish) = self.finished.get(&admit.id) {
            return Renewal::Finished(*finish);
        }
        let renewal = match self.holds.get(&admit.id).cloned() {
            Some(hold) => {
                self.set_hold(admit.id, Hold { expires_at: now + admit.lease_micros, suspect: false, ..hold });
                Renewal::Renewed
            }
            None => {
                self.recreate(renew, now);
                Renewal::Recreated
            }
        };
        admit.slots.iter().for_each(|slot| self.occupy(&slot.name, admit.id, now + admit.lease_micros, now));
        self.renew_keys(admit, now);
        self.fence = self.fence.max(renew.fence);
        renewal
    }

    /// The money is spent or about to be, so limits are not asked: new requests are refused instead.
    fn recreate(&mut self, renew: &Renew, now: u64) {
        let mut hold = held(&renew.admitted, renew.fence, now);
        hold.extensions = renew.extensions;
        let mut draft = Draft::default();
        for (part, asked) in hold.parts.iter_mut().zip(&renew.admitted.parts) {
            let account = self.account(&part.account);
            let held = account.held.saturating_add(part.amount);
            part.amount = Nanos::clamp(i128::from(held.get()) - i128::from(account.held.get()));
            if self.accounts.get(&part.account).is_none() {
                draft.limit(&part.account.to_string(), asked.limit);
            }
            let limit = if self.accounts.get(&part.account).is_none() { asked.limit } else { account.limit };
            draft.moved(&part.account, Field::Held, i128::from(part.amount.get()));
            self.accounts.put(part.account.clone(), Account { limit, held, ..account });
        }
        if !draft.is_empty() {
            draft.flag("recreated");
            self.write(draft, EntryKind::Hold, now, &renew.admitted.id.to_string(), &renew.admitted.note);
        }
        self.set_hold(renew.admitted.id, hold);
    }

    /// Makes holds suspect that nobody renewed, and voids those that were suspect for too long.
    pub fn reap(&mut self, reap: &Reap, now: u64) -> Reaped {
        let due: Vec<(u64, LedgerId)> = self
            .expiries
            .range(..=(now, LedgerId::from_u128(u128::MAX)))
            .take(reap.count_max as usize)
            .copied()
            .collect();
        let mut reaped = Reaped::default();
        for (_, id) in due {
            let Some(hold) = self.holds.get(&id).cloned() else { continue };
            if hold.suspect {
                self.give_back(id, VoidReason::Unresolved, now, &Note::default());
                reaped.voided.push(id);
            } else {
                if !hold.parts.is_empty() {
                    self.write(Draft::default(), EntryKind::Suspect, now, &id.to_string(), &Note::default());
                }
                self.set_hold(id, Hold { suspect: true, expires_at: now + reap.grace_micros, ..hold });
                reaped.suspect.push(id);
            }
        }
        reaped
    }
}
