//! Admission: keys, places, rates and budgets in one step.

use super::{HeldPart, Hold, KeyRecord, KeyState, TenantState};
use crate::ledger::entry::{Draft, EntryKind, Field};
use crate::ledger::{
    Account, Admission, Admit, Admitted, Enforce, LimitChange, Nanos, Note, Part, RateRefusal, Refusal, VoidReason,
};

impl TenantState {
    /// Lets a request in, or does not.
    pub fn admit(&mut self, admit: &Admit, now: u64) -> Admission {
        if let Some(finish) = self.finished.get(&admit.id) {
            return Admission::Finished(*finish);
        }
        if let Some(hold) = self.holds.get(&admit.id) {
            return if hold.fingerprint == admit.fingerprint {
                Admission::Admitted(self.admitted(admit, hold.fence, now, true))
            } else {
                Admission::Conflict
            };
        }
        let taken_over = match self.look_at_keys(admit, now) {
            Ok(taken_over) => taken_over,
            Err(answer) => return answer,
        };
        if let Err(refusal) = self.look_at_limits(admit, now) {
            return Admission::Refused(refusal);
        }
        if admit.parts.iter().any(|part| self.account_after(part).is_none()) {
            return Admission::Overflow;
        }

        // One without a hold has ended, and how it did stands, also where memory does not hold it any more.
        let holds: Vec<_> = taken_over.into_iter().filter(|id| self.holds.get(id).is_some()).collect();
        holds.into_iter().for_each(|id| self.give_back(id, VoidReason::TakenOver, now, &Note::default()));
        let fence = self.take_keys(admit, now);
        self.take_limits(admit, now);
        self.hold(admit, fence, now);
        Admission::Admitted(self.admitted(admit, fence, now, false))
    }

    fn admitted(&self, admit: &Admit, fence: u64, now: u64, again: bool) -> Admitted {
        let arrival = |name| self.arrivals.get(name).copied().unwrap_or(0);
        Admitted {
            again,
            at: now,
            fence,
            available: admit.parts.iter().map(|part| self.account(&part.account).available()).collect(),
            arrivals: admit.rates.iter().map(|rate| rate.step.resting(arrival(&rate.name), now)).collect(),
        }
    }

    fn look_at_limits(&self, admit: &Admit, now: u64) -> Result<(), Refusal> {
        for (index, slot) in admit.slots.iter().enumerate() {
            if self.running(&slot.name, now) >= slot.count_max as usize {
                return Err(Refusal::Slot { index });
            }
        }
        let arrival = |name| self.arrivals.get(name).copied().unwrap_or(0);
        // Of several limits that refuse, the one that refuses longest is told.
        let mut refused: Option<(usize, RateRefusal)> = None;
        for (index, rate) in admit.rates.iter().enumerate() {
            if let Err(refusal) = rate.step.take(arrival(&rate.name), now)
                && refused.is_none_or(|(_, worst)| longer(refusal, worst))
            {
                refused = Some((index, refusal));
            }
        }
        if let Some((index, refusal)) = refused {
            return Err(Refusal::Rate { index, refusal });
        }
        for (index, part) in admit.parts.iter().enumerate() {
            let account = Account { limit: self.limit(part), ..self.account(&part.account) };
            match (part.enforce, account.available()) {
                (Enforce::Hard, Some(available)) if available < part.amount => {
                    return Err(Refusal::Budget { index, available });
                }
                (Enforce::Hard | Enforce::Soft, _) => {}
            }
        }
        Ok(())
    }

    /// The limit that holds: the operator's, if there is one, else the configured one.
    fn limit(&self, part: &Part) -> Option<Nanos> {
        match self.overrides.get(&part.account.base).map(|set| set.limit) {
            Some(LimitChange::Amount(limit)) => Some(limit),
            Some(LimitChange::Unlimited) => None,
            Some(LimitChange::Configured) | None => part.limit,
        }
    }

    fn account_after(&self, part: &Part) -> Option<Account> {
        let account = self.account(&part.account);
        Some(Account { limit: self.limit(part), held: account.held.checked_add(part.amount)?, ..account })
    }

    fn take_keys(&mut self, admit: &Admit, now: u64) -> u64 {
        if admit.keys.is_empty() {
            return 0;
        }
        self.fence += 1;
        for key in &admit.keys {
            let lease_until = now + key.lease_micros;
            let state = KeyState::Running { lease_until, dispatched: false, keep_micros: key.keep_micros };
            let record = KeyRecord { fingerprint: key.fingerprint, holder: admit.id, state };
            self.keys.put(key.key, record);
        }
        self.fence
    }

    fn take_limits(&mut self, admit: &Admit, now: u64) {
        for slot in &admit.slots {
            self.occupy(&slot.name, admit.id, now + admit.lease_micros, now);
        }
        for rate in &admit.rates {
            let arrival = self.arrivals.get(&rate.name).copied().unwrap_or(0);
            if let Ok(next) = rate.step.take(arrival, now) {
                self.arrivals.put(rate.name.clone(), next);
            }
        }
    }

    fn hold(&mut self, admit: &Admit, fence: u64, now: u64) {
        let mut draft = Draft::default();
        for part in &admit.parts {
            // Computed here and not before: a hold that was just given back may have been in the same account.
            let Some(after) = self.account_after(part) else { continue };
            let known = self.accounts.get(&part.account);
            if known.is_none_or(|known| known.limit != after.limit) {
                draft.limit(&part.account.to_string(), after.limit);
            }
            draft.moved(&part.account, Field::Held, i128::from(part.amount.get()));
            self.accounts.put(part.account.clone(), after);
        }
        if !draft.is_empty() {
            self.write(draft, EntryKind::Hold, now, &admit.id.to_string(), &admit.note);
        }
        self.set_hold(admit.id, held(admit, fence, now));
    }
}

/// The hold of an operation.
pub(super) fn held(admit: &Admit, fence: u64, now: u64) -> Hold {
    let part = |p: &Part| HeldPart { account: p.account.clone(), amount: p.amount, enforce: p.enforce };
    Hold {
        fingerprint: admit.fingerprint,
        expires_at: now + admit.lease_micros,
        suspect: false,
        fence,
        extensions: 0,
        parts: admit.parts.iter().map(part).collect(),
        slots: admit.slots.iter().map(|slot| slot.name.clone()).collect(),
        rates: admit.rates.iter().map(|rate| rate.name.clone()).collect(),
    }
}

fn longer(one: RateRefusal, other: RateRefusal) -> bool {
    match (one, other) {
        (_, RateRefusal::Never) => false,
        (RateRefusal::Never, RateRefusal::After(_)) => true,
        (RateRefusal::After(one), RateRefusal::After(other)) => one > other,
    }
}
