//! `budgets`, `rate_limits`, `idempotency` and locks of executions: a request is let in when its keys are free, every budget
//! can hold what it may cost and every limit has room, in one step of the store; and it is charged when it ends.
//!
//! # Invariants
//! * What was let in is ended exactly once, with a charge if an upstream began to answer and without one otherwise
//!   (`a_request_that_nobody_served_costs_nothing`).
//! * A request with an idempotency key is run once, and charged once (`every_call_runs_once_however_often_it_is_sent`).
//! * An answer that its budgets have no more money for is ended (`a_stream_ends_where_its_budget_does`).
//! * A caller pays for the delivered attempt; those that failed are told beside it, for the operator
//!   (`the_delivered_attempt_is_charged_and_those_before_it_are_waste`).
//! * A request that is refused, by this filter or before, takes from no limit (`a_refusal_says_what_is_left_and_takes_nothing`).

mod keyed;

use crate::exchange::{Exchange, FailedAttempt, KeyResult, Metered, Outcome};
use crate::filter::{Attempt, Decision, Filter, FilterName, HeaderEdits, Phases, RequestHead};
use crate::payload::Payload;
use async_trait::async_trait;
use http::{HeaderName, HeaderValue};
use keyed::{Next, Reached, Wait};
use raptorgate_config::model::OnDuplicate;
use raptorgate_config::units::{Currency, Money, Price};
use raptorgate_policies::Denial;
use raptorgate_policies::admission::{ANONYMOUS, Caller, Keeper, Passed, Plan, Prepared, Quota, QuotaUnit, Used};
use raptorgate_policies::denial::KeyRefusal;
use raptorgate_policies::ledger::{
    Admission, Admitted, Certainty, Clearance, Dispatch, LedgerId, NOTE_BYTES_MAX, Nanos, Note, VoidReason, WASTE_MAX,
    Waste,
};
use raptorgate_policies::seal::Seal;
use raptorgate_policies::store::Ending;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Grows with every request of the tenant that holds a key: an upstream that has seen a higher one may refuse a lower one.
const FENCE: HeaderName = HeaderName::from_static("x-raptorgate-fence");
const PREDICTED_COST: HeaderName = HeaderName::from_static("x-raptorgate-predicted-cost");

/// The filter of one route.
pub struct Admit {
    plan: Plan,
    keeper: Option<Arc<Keeper>>,
    currency: Currency,
    on_duplicate: OnDuplicate,
    seal: Option<Arc<Seal>>,
}

impl Admit {
    /// Takes a route's budgets and limits, and who keeps what is held. Without a keeper nobody is let in: a gateway without its
    /// store knows of no money.
    pub fn new(plan: Plan, keeper: Option<Arc<Keeper>>, currency: Currency) -> Self {
        Self { plan, keeper, currency, on_duplicate: OnDuplicate::Wait, seal: None }
    }

    /// What is done about keys that are held, and what kept replies are sealed with.
    #[must_use]
    pub fn with_keys(mut self, on_duplicate: OnDuplicate, seal: Option<Arc<Seal>>) -> Self {
        (self.on_duplicate, self.seal) = (on_duplicate, seal);
        self
    }

    fn prepare(&self, exchange: &Exchange) -> Prepared {
        let identity = exchange.identity.as_ref();
        let caller = Caller {
            tenant: identity.map_or(ANONYMOUS, |identity| identity.tenant()),
            user: identity.map_or(ANONYMOUS, |identity| identity.user()),
            key: identity.map_or(ANONYMOUS, |identity| identity.key_id()),
            end_user: exchange.end_user.as_deref(),
            execution: exchange.execution.as_deref().unwrap_or(&exchange.request_id),
        };
        let note = note(&json!({
            "request": &*exchange.request_id, "route": &*exchange.route, "user": caller.user, "key": caller.key,
            "end_user": caller.end_user, "execution": exchange.execution.as_deref(),
            "model": exchange.metering.model.as_deref(),
        }));
        let mut prepared = self.plan.prepare(LedgerId::mint(), caller, exchange.needs, exchange.received_at, note);
        self.plan.claim(caller, exchange.client_key.as_ref(), exchange.execution.as_deref(), &mut prepared);
        prepared
    }

    fn let_in(&self, prepared: Arc<Prepared>, admitted: &Admitted, exchange: &mut Exchange) {
        tell_quotas(&prepared.quotas(admitted), &mut exchange.response_headers);
        if exchange.needs.cost_predicted > Nanos::ZERO {
            let predicted = Money::from_nanos(exchange.needs.cost_predicted.get(), self.currency);
            set(&mut exchange.response_headers, PREDICTED_COST, &predicted.to_string());
        }
        if prepared.is_keyed() {
            exchange.upstream_headers.set(FENCE, HeaderValue::from(admitted.fence));
        }
        if prepared.idempotency_key().is_some() {
            exchange.report.key = Some(KeyResult::New);
        }
        exchange.held = Some(prepared);
    }
}

/// A note that is too long says less: no name that a client chooses may keep a request out of the ledger.
fn note(says: &serde_json::Value) -> Note {
    let whole = says.to_string();
    let short = || json!({ "route": says.get("route"), "cut": true }).to_string();
    let fits = if whole.len() <= NOTE_BYTES_MAX { whole } else { short() };
    Note::new(fits).unwrap_or_default()
}

#[async_trait]
impl Filter for Admit {
    fn name(&self) -> FilterName {
        FilterName::Admit
    }

    fn phases(&self) -> Phases {
        Phases { request_body: true, dispatch: true, attempt: true, progress: true, end: true, ..Phases::default() }
    }

    async fn on_request_body(&self, _head: &RequestHead<'_>, _body: &mut Payload, exchange: &mut Exchange) -> Decision {
        let Some(keeper) = &self.keeper else { return Decision::Deny(Denial::StoreUnavailable) };
        let prepared = Arc::new(self.prepare(exchange));
        if prepared.asks_nothing() {
            return Decision::Continue;
        }
        let mut wait = Wait::new();
        loop {
            match keeper.admit(&prepared).await {
                Ok(Admission::Admitted(admitted)) => {
                    self.let_in(prepared, &admitted, exchange);
                    return Decision::Continue;
                }
                Ok(Admission::Keyed { index, answer }) => {
                    match self.keyed((index, answer), keeper, &prepared, &mut wait, exchange).await {
                        Next::Ask => {}
                        Next::Decide(decision) => return decision,
                    }
                }
                Ok(Admission::Refused(refusal)) => {
                    let refused = prepared.refused_quota(refusal);
                    tell_quotas(refused.as_slice(), &mut exchange.response_headers);
                    return Decision::Deny(prepared.denial(refusal));
                }
                Ok(Admission::Overflow) => return Decision::Deny(Denial::StoreUnavailable),
                // Ids are minted here.
                Ok(Admission::Conflict | Admission::Finished(_)) => return Decision::Deny(Denial::Internal),
                Err(error) => {
                    tracing::warn!(class = error.class(), "the store did not let a request in");
                    return Decision::Deny(Denial::StoreUnavailable);
                }
            }
        }
    }

    async fn on_dispatch(&self, exchange: &mut Exchange) -> Result<(), Denial> {
        let (Some(held), Some(keeper)) = (&exchange.held, &self.keeper) else { return Ok(()) };
        if !held.is_keyed() {
            return Ok(());
        }
        let keys = held.admit.keys.iter().map(|key| key.key).collect();
        match keeper.store().dispatch(&held.tenant, &Dispatch { id: held.admit.id, keys }).await {
            Ok(Clearance::Go) => Ok(()),
            Ok(Clearance::Lost) => Err(Denial::Key(KeyRefusal::InProgress)),
            Err(error) => {
                tracing::warn!(class = error.class(), "the store did not take note that a request is sent");
                Err(Denial::StoreUnavailable)
            }
        }
    }

    fn on_attempt(&self, attempt: &mut Attempt<'_>, exchange: &Exchange) {
        if let (1, Some(held), Some(keeper)) = (attempt.number, &exchange.held, &self.keeper) {
            keeper.sent(held, exchange.needs.cost_prompt);
        }
    }

    async fn on_progress(&self, exchange: &mut Exchange) -> Result<(), Denial> {
        let (Some(held), Some(keeper), Some(metered)) = (&exchange.held, &self.keeper, &exchange.metered) else {
            return Ok(());
        };
        match keeper.passed(held, used(metered), Instant::now()).await {
            Ok(Passed::GoesOn) => Ok(()),
            Ok(Passed::UsedUp(denial)) => Err(denial),
            Err(error) => {
                tracing::warn!(
                    class = error.class(),
                    "an answer ends: it costs more than is held, and no more could be held"
                );
                Err(Denial::StoreUnavailable)
            }
        }
    }

    async fn on_end(&self, outcome: &Outcome, exchange: &mut Exchange) {
        let (Some(held), Some(keeper)) = (exchange.held.take(), &self.keeper) else { return };
        let mut ending = match (&exchange.metered, outcome.dispatched) {
            (_, false) => Ending::Void(held.void(VoidReason::NotSent, Note::default())),
            // No head of a reply came, or it was an error that nobody pays for.
            (None, true) => Ending::Void(held.void(VoidReason::NotServed, Note::default())),
            (Some(_), true) if !exchange.is_charged() => {
                Ending::Void(held.void(VoidReason::NotServed, Note::default()))
            }
            (Some(metered), true) => settle(&held, metered, &exchange.request_id),
        };
        let reached = match (outcome.dispatched, outcome.replied) {
            (false, _) => Reached::Nobody,
            (true, false) => Reached::Upstream,
            (true, true) => Reached::Client,
        };
        let keys = held.key_ends(&self.key_ending(&held, reached, exchange));
        let waste = waste(exchange);
        match &mut ending {
            Ending::Settle(settle) => (settle.keys, settle.waste) = (keys, waste),
            Ending::Void(void) => (void.keys, void.waste) = (keys, waste),
        }
        keeper.finish(&held.tenant, ending).await;
    }
}

/// Attempts that failed, for the operator: nobody is charged for them.
fn waste(exchange: &Exchange) -> Vec<Waste> {
    let one = |attempt: &FailedAttempt| Waste {
        certainty: Certainty::Estimated,
        note: note(&json!({
            "request": &*exchange.request_id, "route": &*exchange.route, "attempt": attempt.number,
            "upstream": &*attempt.upstream, "model": exchange.metering.model.as_deref(), "cost": attempt.cost.to_string(),
        })),
    };
    exchange.waste().filter(|attempt| attempt.cost.nanos() > 0).take(WASTE_MAX).map(one).collect()
}

fn settle(held: &Prepared, metered: &Metered, request_id: &str) -> Ending {
    let certainty = if metered.estimated { Certainty::Estimated } else { Certainty::Exact };
    let note = note(&json!({
        "request": request_id, "model": &*metered.model, "input": metered.usage.input, "cached_input": metered.usage.cached_input,
        "output": metered.usage.output, "cost": metered.cost.to_string(), "per_million": metered.price.map(|price| json!({
            "input": amount(price.input), "cached_input": amount(price.cached_input), "output": amount(price.output),
        })),
    }));
    Ending::Settle(held.settle(used(metered), certainty, note))
}

/// Of a million tokens.
fn amount(price: Price) -> String {
    Money::from_nanos(price.nanos_per_million(), price.currency()).to_string()
}

fn used(metered: &Metered) -> Used {
    Used { cost: Nanos::new(metered.cost.nanos()), tokens: metered.usage.total() }
}

fn set(headers: &mut HeaderEdits, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.set(name, value);
    }
}

/// `RateLimit` and `RateLimit-Policy` after draft-ietf-httpapi-ratelimit-headers-10, and the names that OpenAI's clients
/// read.
fn tell_quotas(quotas: &[Quota], headers: &mut HeaderEdits) {
    if quotas.is_empty() {
        return;
    }
    let policies: Vec<String> = quotas
        .iter()
        .map(|q| format!("\"{}\";q={};w={}{}", q.limit, q.quantity, seconds(q.window), unit(q.unit)))
        .collect();
    let limits: Vec<String> =
        quotas.iter().map(|q| format!("\"{}\";r={};t={}", q.limit, q.remaining, seconds(q.resets_in))).collect();
    set(headers, RATE_LIMIT_POLICY, &policies.join(", "));
    set(headers, RATE_LIMIT, &limits.join(", "));
    for (counted, name) in [(QuotaUnit::Requests, "requests"), (QuotaUnit::Tokens, "tokens")] {
        // The one with least left is what a client runs into.
        let Some(quota) = quotas.iter().filter(|q| q.unit == counted).min_by_key(|q| q.remaining) else { continue };
        let values = [
            ("limit", quota.quantity.to_string()),
            ("remaining", quota.remaining.to_string()),
            ("reset", format!("{}s", seconds(quota.resets_in))),
        ];
        for (what, value) in values {
            if let Ok(name) = HeaderName::try_from(format!("x-ratelimit-{what}-{name}")) {
                set(headers, name, &value);
            }
        }
    }
}

fn unit(unit: QuotaUnit) -> &'static str {
    match unit {
        QuotaUnit::Requests => "",
        QuotaUnit::Tokens => ";qu=\"tokens\"",
        QuotaUnit::Cost => ";qu=\"nano-units\"",
    }
}

/// Rounded up: who waits this long does not come too early.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
