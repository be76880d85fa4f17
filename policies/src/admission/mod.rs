//! A route's budgets and limits, and what one request asks of them.
//!
//! [`Plan`] is a route's configuration, compiled. [`Plan::prepare`] makes the one operation that lets a request in or
//! refuses it, and [`Prepared`] remembers what is needed to end it: accounts and windows are those of its beginning, so a
//! request that ends after midnight is charged to the day that held its money.
//!
//! # Invariants
//! * A budget's hold is the most that the request may cost; what a limit was charged too much is given back exactly
//!   (`what_was_charged_too_much_is_given_back`).

mod claim;
mod keeper;
mod past;
mod progress;
mod quota;
mod sent;
mod spool;

pub use claim::{Claim, ClientKey};
pub use keeper::{HOLD_LEASE, Keeper, KeeperFigures, Passed, SUSPECT_GRACE};
pub use past::ACCOUNT_GRACE;
pub use progress::Slices;
pub use quota::{Quota, QuotaUnit};
pub use sent::SentLog;
pub use spool::{Spool, SpoolError, UNTOLD_MAX};

use crate::denial::LimitName;
use crate::ledger::{
    AccountName, Admit, Admitted, Certainty, Enforce, Extend, KeyEnding, LedgerId, Nanos, Note, Part, RateCorrection,
    RateFix, RateRefusal, RateStep, RateUse, Refusal, Renew, Settle, Slot, StoreName, Void, VoidReason, Window,
};
use crate::{Denial, Timestamp};
use jiff::tz::TimeZone;
use raptorgate_config::model::{
    Budget, Config, Counted, Enforcement, ExecutionLock, Idempotency, Per, RateLimit, Route,
};
use raptorgate_config::units::Money;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Tenant of requests without identity.
pub const ANONYMOUS: &str = "_anon";

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The user.
    pub user: &'a str,
    /// Name of the key or certificate.
    pub key: &'a str,
    /// On whose behalf.
    pub end_user: Option<&'a str>,
    /// Which agent run; the request's own id without one.
    pub execution: &'a str,
}

/// What a request may use and cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// What is held for it at first, in nano-units: the most that it may cost, or a part of that if it streams.
    pub cost_max: Nanos,
    /// What it may ask for beyond.
    pub slices: Slices,
    /// What it is believed to cost.
    pub cost_predicted: Nanos,
    /// What its prompt is believed to cost.
    pub cost_prompt: Nanos,
    /// Tokens that it is believed to use.
    pub tokens: u64,
}

/// What a request used and cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// What it cost.
    pub cost: Nanos,
    /// Tokens of prompt and answer.
    pub tokens: u64,
}

/// The budgets and limits of one route.
#[derive(Debug)]
pub struct Plan {
    route: Arc<str>,
    budgets: Vec<Arc<Budget>>,
    limits: Vec<Arc<RateLimit>>,
    idempotency: Option<Idempotency>,
    lock: Option<ExecutionLock>,
    zones: BTreeMap<String, TimeZone>,
}

impl Plan {
    /// Compiles a route's budgets, limits and keys; `None` if it has none.
    pub fn new(route: &Route, config: &Config) -> Option<Self> {
        let lock = route.execution.as_ref().and_then(|execution| execution.lock);
        let keyed = route.idempotency.is_some() || lock.is_some();
        if route.budgets.is_empty() && route.rate_limits.is_empty() && !keyed {
            return None;
        }
        // the configuration has none but known zones
        let zone = |name: &str| TimeZone::get(name).unwrap_or(TimeZone::UTC);
        Some(Self {
            route: route.name.clone(),
            budgets: route.budgets.iter().cloned().map(Arc::new).collect(),
            limits: route.rate_limits.iter().cloned().map(Arc::new).collect(),
            idempotency: route.idempotency.clone(),
            lock,
            zones: config.tenants.iter().map(|(name, tenant)| (name.clone(), zone(&tenant.timezone))).collect(),
        })
    }

    /// The operation that lets a request in.
    pub fn prepare(&self, id: LedgerId, caller: Caller<'_>, needs: Needs, now: Timestamp, note: Note) -> Prepared {
        let zone = self.zones.get(caller.tenant).cloned().unwrap_or(TimeZone::UTC);
        let mut prepared = Prepared {
            tenant: StoreName::of(&[caller.tenant]),
            admit: Admit {
                id,
                fingerprint: fingerprint(id),
                lease_micros: micros(HOLD_LEASE),
                keys: Vec::new(),
                slots: Vec::new(),
                rates: Vec::new(),
                parts: Vec::new(),
                note,
            },
            budgets: Vec::new(),
            charges: Vec::new(),
            places: Vec::new(),
            claims: Vec::new(),
            keep_micros: 0,
            slices: needs.slices,
        };
        for budget in &self.budgets {
            let window = Window::at(budget.window, &zone, now.micros());
            prepared.admit.parts.push(self.part(budget, caller, needs, &window));
            prepared.budgets.push(HeldBudget { budget: budget.clone(), ends_at_micros: window.ends_at_micros });
        }
        for limit in &self.limits {
            self.charge(limit, caller, needs, &mut prepared);
        }
        prepared
    }

    fn part(&self, budget: &Budget, caller: Caller<'_>, needs: Needs, window: &Window) -> Part {
        let currency = budget.limit.currency();
        let base = self.subject(&[&budget.name, currency.as_str()], budget.per, caller);
        let (enforce, amount) = match budget.enforce {
            Enforcement::Hard => (Enforce::Hard, needs.cost_max),
            Enforcement::Soft => (Enforce::Soft, needs.cost_predicted),
        };
        let limit = Some(Nanos::new(budget.limit.nanos()));
        Part { account: AccountName { base, window: window.name.clone() }, limit, enforce, amount }
    }

    fn charge(&self, limit: &Arc<RateLimit>, caller: Caller<'_>, needs: Needs, prepared: &mut Prepared) {
        let name = self.subject(&[&limit.name], limit.per, caller);
        let (unit, units, quantity, window) = match limit.counts {
            Counted::Concurrent(count_max) => {
                prepared.admit.slots.push(Slot { name, count_max });
                prepared.places.push(limit.clone());
                return;
            }
            Counted::Requests(quantity, window) => (QuotaUnit::Requests, 1, quantity, window),
            Counted::Tokens(quantity, window) => (QuotaUnit::Tokens, needs.tokens, quantity, window),
            Counted::Cost(cost, window) => (QuotaUnit::Cost, nanos(needs.cost_predicted), nanos_of(cost), window),
        };
        let charge = Charge { limit: limit.clone(), unit, quantity, window_micros: micros(window) };
        prepared.admit.rates.push(RateUse { name, step: charge.step(units) });
        prepared.charges.push(charge);
    }

    /// The name of a subject's account or limit: what it is called, then whose it is.
    fn subject(&self, name: &[&str], per: Per, caller: Caller<'_>) -> StoreName {
        let whose: &[&str] = match per {
            Per::Tenant => &["tenant"],
            Per::User => &["user", caller.user],
            Per::EndUser => match caller.end_user {
                Some(end_user) => &["end_user", caller.user, end_user],
                None => &["user", caller.user],
            },
            Per::Key => &["key", caller.key],
            Per::Route => &["route", &self.route],
            Per::Execution => &["execution", caller.user, caller.execution],
        };
        StoreName::of(&[name, whose].concat())
    }
}

/// An id is minted for one request, so that nothing else has to tell two apart.
fn fingerprint(id: LedgerId) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    for (place, byte) in fingerprint.iter_mut().zip(id.as_u128().to_be_bytes()) {
        *place = byte;
    }
    fingerprint
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn nanos(amount: Nanos) -> u64 {
    u64::try_from(amount.get()).unwrap_or(0)
}

fn nanos_of(amount: Money) -> u64 {
    u64::try_from(amount.nanos()).unwrap_or(0)
}

/// A request that asks to be let in, and all that is needed to end it.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The tenant.
    pub tenant: StoreName,
    /// The operation.
    pub admit: Admit,
    budgets: Vec<HeldBudget>,
    charges: Vec<Charge>,
    places: Vec<Arc<RateLimit>>,
    /// As many as keys, in their order, with the longest wait for each.
    claims: Vec<(Claim, Duration)>,
    keep_micros: u64,
    slices: Slices,
}

#[derive(Clone, Debug)]
struct HeldBudget {
    budget: Arc<Budget>,
    ends_at_micros: Option<u64>,
}

/// What a rate limit is charged.
#[derive(Clone, Debug)]
struct Charge {
    limit: Arc<RateLimit>,
    unit: QuotaUnit,
    quantity: u64,
    window_micros: u64,
}

impl Charge {
    fn step(&self, units: u64) -> RateStep {
        RateStep::of(units, self.quantity, self.window_micros)
    }
}

impl Prepared {
    /// Why the request is refused, in words for its caller.
    pub fn denial(&self, refusal: Refusal) -> Denial {
        match refusal {
            Refusal::Slot { index } => {
                let limit = self.places.get(index).map_or_else(LimitName::default, |limit| limit.name.clone().into());
                Denial::TooManyAtOnce { limit }
            }
            Refusal::Rate { index, refusal } => {
                let limit = self.charges.get(index).map_or_else(LimitName::default, |c| c.limit.name.clone().into());
                match refusal {
                    RateRefusal::After(micros) => {
                        Denial::RateLimited { retry_after: Duration::from_micros(micros), limit: Some(limit) }
                    }
                    RateRefusal::Never => Denial::ExceedsRateLimit { limit },
                }
            }
            Refusal::Budget { index, available } => self.budget_denial(index, available),
        }
    }

    fn budget_denial(&self, index: usize, available: Nanos) -> Denial {
        let (Some(held), Some(part)) = (self.budgets.get(index), self.admit.parts.get(index)) else {
            return Denial::Internal;
        };
        let currency = held.budget.limit.currency();
        Denial::BudgetExceeded {
            budget: held.budget.name.clone().into(),
            limit: held.budget.limit,
            available: Money::from_nanos(available.get().max(0), currency),
            needed: Money::from_nanos(part.amount.get(), currency),
            resets_at: held.ends_at_micros.map(Timestamp::from_micros),
        }
    }

    /// How far each rate limit is used up, for the reply's head.
    pub fn quotas(&self, admitted: &Admitted) -> Vec<Quota> {
        let at = Timestamp::from_micros(admitted.at);
        let charges = self.charges.iter().zip(&admitted.arrivals);
        charges
            .map(|(charge, arrival)| {
                Quota::new(charge.limit.name.clone(), charge.unit, charge.quantity, charge.window_micros, *arrival, at)
            })
            .collect()
    }

    /// How far the limit is used up that refused.
    pub fn refused_quota(&self, refusal: Refusal) -> Option<Quota> {
        let Refusal::Rate { index, refusal } = refusal else { return None };
        let charge = self.charges.get(index)?;
        let wait = match refusal {
            RateRefusal::After(micros) => micros,
            RateRefusal::Never => 0,
        };
        Some(Quota::used_up(charge.limit.name.clone(), charge.unit, charge.quantity, charge.window_micros, wait))
    }

    /// Ends the request with a charge; its keys are free again.
    pub fn settle(&self, used: Used, certainty: Certainty, note: Note) -> Settle {
        Settle {
            id: self.admit.id,
            charge: used.cost,
            accounts: self.admit.parts.iter().map(|part| part.account.clone()).collect(),
            certainty,
            rates: self.fixes(Some(used)),
            keys: self.key_ends(&KeyEnding::Free),
            waste: vec![],
            mark: None,
            note,
        }
    }

    /// Ends the request without a charge; its keys are free again.
    pub fn void(&self, reason: VoidReason, note: Note) -> Void {
        let keys = self.key_ends(&KeyEnding::Free);
        Void { id: self.admit.id, reason, rates: self.fixes(None), keys, waste: vec![], mark: None, note }
    }

    /// Keeps the request's hold alive, which is so much by now in each budget that refuses.
    fn renew(&self, fence: u64, (held, extensions): (Nanos, u32)) -> Renew {
        let mut admitted = self.admit.clone();
        for part in admitted.parts.iter_mut().filter(|part| part.enforce == Enforce::Hard) {
            part.amount = held;
        }
        Renew { admitted, fence, extensions }
    }

    /// What is held in each budget that refuses; `None`: none does.
    fn held(&self) -> Option<Nanos> {
        self.admit.parts.iter().find(|part| part.enforce == Enforce::Hard).map(|part| part.amount)
    }

    /// Holds more in each budget that refuses. The others count what is spent, and stop nobody.
    fn extend(&self, number: u32, amount: Nanos) -> Extend {
        let amounts = self.admit.parts.iter().map(|part| match part.enforce {
            Enforce::Hard => amount,
            Enforce::Soft => Nanos::ZERO,
        });
        Extend { id: self.admit.id, number, amounts: amounts.collect(), lease_micros: self.admit.lease_micros }
    }

    /// What limits were charged too much or too little. A request that came counts as one, whatever became of it.
    fn fixes(&self, used: Option<Used>) -> Vec<RateFix> {
        let used = used.unwrap_or_default();
        let fix = |(charge, rate): (&Charge, &RateUse)| {
            let units = match charge.unit {
                QuotaUnit::Requests => return None,
                QuotaUnit::Tokens => used.tokens,
                QuotaUnit::Cost => nanos(used.cost),
            };
            let (before, after) = (rate.step.increment_micros, charge.step(units).increment_micros);
            // both are below 2^62
            let delta_micros = after.cast_signed() - before.cast_signed();
            let correction = RateCorrection { delta_micros, window_micros: charge.window_micros };
            (delta_micros != 0).then(|| RateFix { name: rate.name.clone(), correction })
        };
        self.charges.iter().zip(&self.admit.rates).filter_map(fix).collect()
    }
}

#[cfg(test)]
mod tests;
