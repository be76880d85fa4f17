//! Operations as arguments of the scripts: flat lists of texts, in the order in which the scripts take them.

use super::super::{Ending, Now};
use crate::ledger::{
    AccountName, Admit, Certainty, Credit, CreditKind, DROPPED_MAX, Dispatch, DropPast, Enforce, Extend, Head, KeyEnd,
    KeyEnding, KeyUse, LedgerId, LimitChange, Mark, Nanos, OnUnknown, RateFix, Reap, Renew, SetLimit, VoidReason,
    Waste,
};
use std::fmt::{Display, Write};

/// Arguments in order.
#[derive(Debug, Default)]
pub(super) struct Arguments(Vec<Vec<u8>>);

impl Arguments {
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Vec::as_slice)
    }

    pub fn put(&mut self, value: impl Display) -> &mut Self {
        self.0.push(value.to_string().into_bytes());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.push(bytes.to_vec());
        self
    }

    fn amount(&mut self, amount: Option<Nanos>) -> &mut Self {
        match amount {
            Some(amount) => self.put(amount),
            None => self.put("-"),
        }
    }

    fn list<T>(&mut self, items: &[T], mut put: impl FnMut(&mut Self, &T)) -> &mut Self {
        self.put(items.len());
        items.iter().for_each(|item| put(self, item));
        self
    }

    fn id(&mut self, id: LedgerId) -> &mut Self {
        self.bytes(&id.as_u128().to_be_bytes())
    }

    /// As it is stored, and as it stands in lines.
    fn id_twice(&mut self, id: LedgerId) -> &mut Self {
        self.id(id).put(id)
    }

    fn hash(&mut self, hash: &[u8; 32]) -> &mut Self {
        self.put(hex(hash))
    }
}

/// Hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Begins with the time: `-` is the store's own.
pub(super) fn at(now: Now) -> Arguments {
    let mut arguments = Arguments::default();
    match now {
        Now::Store => arguments.put("-"),
        Now::At(micros) => arguments.put(micros),
    };
    arguments
}

pub(super) fn admit(admit: &Admit, now: Now) -> Arguments {
    let mut arguments = at(now);
    request(admit, &mut arguments);
    arguments
}

pub(super) fn renew(renew: &Renew, now: Now) -> Arguments {
    let mut arguments = at(now);
    request(&renew.admitted, &mut arguments);
    arguments.put(renew.fence).put(renew.extensions);
    arguments
}

fn request(admit: &Admit, arguments: &mut Arguments) {
    arguments.id_twice(admit.id).bytes(&admit.fingerprint).put(admit.lease_micros).put(admit.note.as_str());
    arguments.list(&admit.keys, key_use);
    arguments.list(&admit.slots, |a, slot| {
        a.put(&slot.name).put(slot.count_max);
    });
    arguments.list(&admit.rates, |a, rate| {
        a.put(&rate.name).put(rate.step.increment_micros).put(rate.step.window_micros);
    });
    arguments.list(&admit.parts, |a, part| {
        let enforce = match part.enforce {
            Enforce::Hard => "h",
            Enforce::Soft => "s",
        };
        a.put(&part.account.base).put(&part.account).amount(part.limit).put(enforce).put(part.amount);
    });
}

fn key_use(arguments: &mut Arguments, key: &KeyUse) {
    arguments.hash(&key.key).bytes(key.fingerprint.as_ref().map_or(&[], |print| print.as_slice()));
    arguments.put(key.lease_micros).put(key.keep_micros).put(match key.on_unknown {
        OnUnknown::Refuse => "r",
        OnUnknown::RunAgain => "a",
    });
}

pub(super) fn key(key: &KeyUse, now: Now) -> Arguments {
    let mut arguments = at(now);
    key_use(&mut arguments, key);
    arguments
}

pub(super) fn dispatch(dispatch: &Dispatch) -> Arguments {
    let mut arguments = Arguments::default();
    arguments.id(dispatch.id).list(&dispatch.keys, |a, key| {
        a.hash(key);
    });
    arguments
}

pub(super) fn extend(extend: &Extend, now: Now) -> Arguments {
    let mut arguments = at(now);
    arguments.id_twice(extend.id).put(extend.number).put(extend.lease_micros);
    arguments.list(&extend.amounts, |a, amount| {
        a.put(amount);
    });
    arguments
}

pub(super) fn ending(ending: &Ending, now: Now) -> Arguments {
    let mut arguments = at(now);
    match ending {
        Ending::Settle(settle) => {
            arguments.put("s").id_twice(settle.id).put(settle.note.as_str());
            ends(&mut arguments, settle.mark.as_ref(), &settle.rates, &settle.keys);
            waste(&mut arguments, &settle.waste);
            arguments.put(settle.charge).put(certainty_code(settle.certainty)).list(&settle.accounts, |a, account| {
                a.put(account);
            });
        }
        Ending::Void(void) => {
            arguments.put("v").id_twice(void.id).put(void.note.as_str());
            ends(&mut arguments, void.mark.as_ref(), &void.rates, &void.keys);
            waste(&mut arguments, &void.waste);
            arguments.put(reason_code(void.reason)).put(void.reason.as_str());
        }
    }
    arguments
}

const fn certainty_code(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Exact => "x",
        Certainty::Estimated => "e",
    }
}

fn waste(arguments: &mut Arguments, waste: &[Waste]) {
    arguments.list(waste, |a, waste| {
        a.put(certainty_code(waste.certainty)).put(waste.note.as_str());
    });
}

/// How a reason is stored.
pub(super) const fn reason_code(reason: VoidReason) -> &'static str {
    match reason {
        VoidReason::NotSent => "ns",
        VoidReason::NotServed => "nv",
        VoidReason::TakenOver => "to",
        VoidReason::Unresolved => "un",
    }
}

fn ends(arguments: &mut Arguments, mark: Option<&Mark>, rates: &[RateFix], keys: &[KeyEnd]) {
    match mark {
        Some(mark) => arguments.put(&mark.gateway).put(mark.sequence).put(mark.previous),
        None => arguments.put("").put(0).put(0),
    };
    arguments.list(rates, |a, fix| {
        a.put(&fix.name).put(fix.correction.delta_micros).put(fix.correction.window_micros);
    });
    arguments.list(keys, |a, end| {
        a.hash(&end.key);
        match &end.ending {
            KeyEnding::Free => a.put("f").put(0),
            KeyEnding::Reply { reply: Some(reply), keep_micros } => a.put("a").put(keep_micros).bytes(reply),
            KeyEnding::Reply { reply: None, keep_micros } => a.put("n").put(keep_micros),
            KeyEnding::Unknown { keep_micros } => a.put("u").put(keep_micros),
        };
    });
}

pub(super) fn reap(reap: &Reap, now: Now) -> Arguments {
    let mut arguments = at(now);
    arguments.put(reap.grace_micros).put(reap.count_max);
    arguments
}

pub(super) fn set_limit(set: &SetLimit, now: Now) -> Arguments {
    let mut arguments = at(now);
    arguments.put(&set.base).put(set.version);
    match set.limit {
        LimitChange::Amount(amount) => arguments.put("a").put(amount),
        LimitChange::Unlimited => arguments.put("u").put(""),
        LimitChange::Configured => arguments.put("c").put(""),
    };
    arguments.put(set.note.as_str());
    arguments
}

pub(super) fn drop_past(drop: &DropPast, now: Now) -> Arguments {
    let mut arguments = at(now);
    arguments.put(drop.after.as_ref().map_or_else(String::new, indexed));
    arguments.put(drop.looked_max).put(DROPPED_MAX).put(drop.grace_micros);
    arguments
}

/// An account in the index: a space sorts before everything that a name may hold.
pub(super) fn indexed(name: &AccountName) -> String {
    format!("{} {}", name.base, name.window)
}

pub(super) fn trim(through: &Head) -> Arguments {
    let mut arguments = Arguments::default();
    arguments.put(through.version).put(&through.hash);
    arguments
}

pub(super) fn credit(credit: &Credit, now: Now) -> Arguments {
    let mut arguments = at(now);
    let kind = match credit.kind {
        CreditKind::TopUp => "t",
        CreditKind::Refund => "r",
    };
    arguments.put(&credit.name).put(kind).put(credit.amount).put(credit.note.as_str()).put(&credit.account);
    arguments
}
