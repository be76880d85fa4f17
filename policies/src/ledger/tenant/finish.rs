//! The end of a request in the ledger.

use super::{Hold, TenantState};
use crate::ledger::entry::{Draft, EntryKind, Field};
use crate::ledger::{
    Account, AccountName, Certainty, Finish, LedgerId, Mark, Nanos, Note, RateFix, Settle, Settlement, Timing, Void,
    VoidReason, Waste,
};

impl TenantState {
    /// Charges a request. Never refused: what was spent was spent.
    pub fn settle(&mut self, settle: &Settle, now: u64) -> Settlement {
        if let Some(gap) = self.gap(settle.mark.as_ref()) {
            return gap;
        }
        if let Some(settled @ Finish::Settled { .. }) = self.finished.get(&settle.id).copied() {
            self.arrived(settle.mark.as_ref());
            return Settlement::Duplicate(settled);
        }
        let hold = self.take_hold(settle.id);
        let timing = if hold.as_ref().is_some_and(|hold| !hold.suspect) { Timing::InTime } else { Timing::Late };
        let mut draft = Draft::default();
        match hold {
            Some(hold) => {
                self.release(&hold, &mut draft);
                hold.parts.iter().for_each(|part| self.charge(&part.account, settle.charge, &mut draft));
                hold.slots.iter().for_each(|slot| self.leave(slot, settle.id));
            }
            None => settle.accounts.iter().for_each(|account| self.charge(account, settle.charge, &mut draft)),
        }
        if timing == Timing::Late {
            draft.flag("late");
        }
        if settle.certainty == Certainty::Estimated {
            draft.flag("estimated");
        }
        self.write(draft, EntryKind::Settle, now, &settle.id.to_string(), &settle.note);
        self.tell_waste(settle.id, &settle.waste, now);
        let finish = Finish::Settled { charge: settle.charge };
        self.finished.put(settle.id, finish);
        self.fix_rates(&settle.rates, now);
        self.end_keys(settle.id, &settle.keys, now);
        self.arrived(settle.mark.as_ref());
        Settlement::Done { finish, timing }
    }

    /// Gives a hold back. A request that was settled stays settled.
    pub fn void(&mut self, void: &Void, now: u64) -> Settlement {
        if let Some(gap) = self.gap(void.mark.as_ref()) {
            return gap;
        }
        self.arrived(void.mark.as_ref());
        if let Some(finish) = self.finished.get(&void.id).copied() {
            return Settlement::Duplicate(finish);
        }
        let timing = match self.holds.get(&void.id) {
            Some(hold) if !hold.suspect => Timing::InTime,
            Some(_) | None => Timing::Late,
        };
        self.give_back(void.id, void.reason, now, &void.note);
        self.tell_waste(void.id, &void.waste, now);
        self.fix_rates(&void.rates, now);
        self.end_keys(void.id, &void.keys, now);
        Settlement::Done { finish: Finish::Voided(void.reason), timing }
    }

    /// Ends a request without a charge; also one whose admission may still be on its way.
    pub(super) fn give_back(&mut self, id: LedgerId, reason: VoidReason, now: u64, note: &Note) {
        let mut draft = Draft::default();
        if let Some(hold) = self.take_hold(id) {
            self.release(&hold, &mut draft);
            hold.slots.iter().for_each(|slot| self.leave(slot, id));
        }
        if !draft.is_empty() {
            draft.flag(reason.as_str());
            self.write(draft, EntryKind::Void, now, &id.to_string(), note);
        }
        if self.finished.get(&id).is_none() {
            self.finished.put(id, Finish::Voided(reason));
        }
    }

    /// Only together with an end that was not there before: so that it is told once, as the end is.
    fn tell_waste(&mut self, id: LedgerId, waste: &[Waste], now: u64) {
        for waste in waste {
            let mut draft = Draft::default();
            if waste.certainty == Certainty::Estimated {
                draft.flag("estimated");
            }
            self.write(draft, EntryKind::Waste, now, &id.to_string(), &waste.note);
        }
    }

    fn release(&mut self, hold: &Hold, draft: &mut Draft) {
        for part in &hold.parts {
            let account = self.account(&part.account);
            debug_assert!(account.held >= part.amount, "less is held than this request holds");
            let held = account.held.checked_sub(part.amount).unwrap_or(Nanos::ZERO);
            draft.moved(&part.account, Field::Held, -i128::from(part.amount.get()));
            self.accounts.put(part.account.clone(), Account { held, ..account });
        }
    }

    fn charge(&mut self, name: &AccountName, charge: Nanos, draft: &mut Draft) {
        let account = self.account(name);
        let spent = account.spent.saturating_add(charge);
        draft.moved(name, Field::Spent, i128::from(spent.get()) - i128::from(account.spent.get()));
        self.accounts.put(name.clone(), Account { spent, ..account });
    }

    fn fix_rates(&mut self, fixes: &[RateFix], now: u64) {
        for fix in fixes {
            let arrival = self.arrivals.get(&fix.name).copied().unwrap_or(0);
            match fix.correction.apply(arrival, now) {
                Some(moved) => self.arrivals.put(fix.name.clone(), moved),
                None => drop(self.arrivals.remove(&fix.name)),
            }
        }
    }

    fn gap(&self, mark: Option<&Mark>) -> Option<Settlement> {
        let mark = mark?;
        let have = self.marks.get(&mark.gateway).copied().unwrap_or(0);
        (have < mark.previous).then_some(Settlement::Gap { have })
    }

    fn arrived(&mut self, mark: Option<&Mark>) {
        let Some(mark) = mark else { return };
        if self.marks.get(&mark.gateway).copied().unwrap_or(0) < mark.sequence {
            self.marks.put(mark.gateway.clone(), mark.sequence);
        }
    }
}
