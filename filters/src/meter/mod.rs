//! `meter`: what each request used and cost, charged once, however it ends.
//!
//! # Invariants
//! * A request is charged at most once (`ending_twice_charges_once`), and only if an upstream began to answer it
//!   (`what_nobody_served_costs_nothing`).
//! * `exchange.metered` is right at every moment of the reply, so that a reply that breaks costs what came of it
//!   (`a_broken_stream_costs_what_came`).
//! * What a client sees does not depend on whether the gateway asked for usage
//!   (`usage_that_the_client_did_not_ask_for_is_withheld`).

mod claim;
mod ending;
mod output;
mod request;
mod stream;

use crate::exchange::{Exchange, Metered, MeteringNotes, Outcome};
use crate::filter::{
    BodyKind, Decision, Filter, FilterName, GateNeed, Phases, RequestHead, ResponseHead, ResponseMode, WholeResponse,
};
use crate::payload::Payload;
use async_trait::async_trait;
use claim::Claim;
use http::{HeaderName, HeaderValue};
use raptorgate_config::model::{self, ModelPrice};
use raptorgate_config::units::{Money, Price};
use raptorgate_policies::Usage;
use raptorgate_policies::admission::{Needs, Slices};
use raptorgate_policies::ledger::Nanos;
use raptorgate_policies::pricing::{PriceTable, cost};
use raptorgate_policies::totals::{Charge, Totals};
pub use request::OutputCap;
use std::sync::Arc;

/// Name of the header that tells a whole reply's cost.
const COST_HEADER: HeaderName = HeaderName::from_static("x-raptorgate-cost");

/// Tokens that an answer beyond its maximum is allowed at a time, if its budgets have money for them.
const SLICE_TOKENS: u64 = 1_024;

/// Model of a request that is charged without a price of its own.
const OTHER_MODEL: &str = "other";

/// Tenant and user of a request without identity.
const ANONYMOUS: &str = "_anon";

/// The filter of one route.
pub struct Meter {
    block: model::Meter,
    pricer: Arc<Pricer>,
    totals: Arc<Totals>,
    cap: OutputCap,
}

impl Meter {
    /// Takes a route's block, the prices, where the results go, and whether answers need a maximum.
    pub fn new(block: &model::Meter, prices: Arc<PriceTable>, totals: Arc<Totals>, cap: OutputCap) -> Self {
        let pricer = Arc::new(Pricer { prices, default_price: block.default_price });
        Self { block: block.clone(), pricer, totals, cap }
    }

    /// What a request needs that names this model.
    fn needs(&self, notes: &MeteringNotes) -> Needs {
        let Some(price) = self.pricer.tariff(None, notes).price else {
            return Needs { tokens: notes.input_estimate.saturating_add(notes.output_max), ..Needs::default() };
        };
        // a cached prompt may be dearer than a fresh one
        let dearest = ModelPrice { input: dearer(price.input, price.cached_input), ..price };
        let cost_of = |input, output, price| Nanos::new(cost(Usage::claimed(input, output, 0), price).nanos());
        let slice_tokens = self.block.stream_hold_tokens.unwrap_or(SLICE_TOKENS);
        let sliced = notes.streamed && self.block.stream_hold_tokens.is_some();
        let held_tokens = if sliced { slice_tokens.min(notes.output_max) } else { notes.output_max };
        let whole = cost_of(notes.input_max, notes.output_max, &dearest);
        Needs {
            cost_max: cost_of(notes.input_max, held_tokens, &dearest),
            slices: Slices { whole, slice: cost_of(0, slice_tokens, &dearest) },
            cost_predicted: cost_of(notes.input_estimate, notes.output_max, &price),
            cost_prompt: cost_of(notes.input_estimate, 0, &price),
            tokens: notes.input_estimate.saturating_add(notes.output_max),
        }
    }
}

fn dearer(one: Price, other: Price) -> Price {
    if one.nanos_per_million() < other.nanos_per_million() { other } else { one }
}

/// Which price holds for a request.
struct Pricer {
    prices: Arc<PriceTable>,
    default_price: Option<ModelPrice>,
}

/// A model's name and price.
struct Tariff {
    model: Arc<str>,
    price: Option<ModelPrice>,
}

impl Pricer {
    /// The price of the model that answered, else of the one that was asked for, else the default.
    fn tariff(&self, answered: Option<&str>, notes: &MeteringNotes) -> Tariff {
        let known = answered.and_then(|model| self.prices.lookup(model));
        let asked = || notes.model.as_deref().and_then(|model| self.prices.lookup(model));
        match known.or_else(asked) {
            Some((model, price)) => Tariff { model: model.clone(), price: Some(*price) },
            None => Tariff { model: OTHER_MODEL.into(), price: self.default_price },
        }
    }

    fn metered(&self, tariff: &Tariff, tokens: Tokens) -> Metered {
        let (usage, estimated) = match tokens {
            Tokens::Told(usage) => (usage, false),
            Tokens::Estimated(usage) => (usage, true),
        };
        let free = || Money::from_nanos(0, self.prices.currency());
        let cost = tariff.price.as_ref().map_or_else(free, |price| cost(usage, price));
        Metered { model: tariff.model.clone(), usage, cost, price: tariff.price, estimated }
    }
}

/// Tokens and where they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tokens {
    /// The upstream said so.
    Told(Usage),
    /// What passed was counted.
    Estimated(Usage),
}

/// What is known when only the head has come: the prompt was read, if the upstream accepted it.
fn tokens_at_head(head: &ResponseHead<'_>, notes: &MeteringNotes) -> Tokens {
    let readable = matches!(head.kind, BodyKind::Json | BodyKind::Sse | BodyKind::JsonLines);
    if head.status.is_success() && readable {
        Tokens::Estimated(Usage::claimed(notes.input_estimate, 0, 0))
    } else {
        Tokens::Told(Usage::default())
    }
}

#[async_trait]
impl Filter for Meter {
    fn name(&self) -> FilterName {
        FilterName::Meter
    }

    fn gate(&self) -> GateNeed {
        GateNeed::Optional
    }

    fn phases(&self) -> Phases {
        Phases { request_body: true, response: true, end: true, ..Phases::default() }
    }

    async fn on_request_body(&self, head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        match request::read(head, body, &self.block, self.cap) {
            Ok(notes) => {
                exchange.needs = self.needs(&notes);
                exchange.metering = notes;
                Decision::Continue
            }
            Err(denial) => Decision::Deny(denial),
        }
    }

    fn on_response_head(&self, head: &ResponseHead<'_>, exchange: &mut Exchange) -> ResponseMode {
        let tokens = tokens_at_head(head, &exchange.metering);
        let tariff = self.pricer.tariff(None, &exchange.metering);
        exchange.metered = Some(self.pricer.metered(&tariff, tokens));
        match head.kind {
            BodyKind::Json => ResponseMode::Gate,
            BodyKind::Sse | BodyKind::JsonLines => {
                ResponseMode::Stream(Box::new(stream::MeterStream::new(self.pricer.clone(), tariff, tokens)))
            }
            BodyKind::None | BodyKind::Text | BodyKind::Other => ResponseMode::Ignore,
        }
    }

    async fn on_response(&self, response: &mut WholeResponse, exchange: &mut Exchange) -> Decision {
        let Ok(doc) = response.body.json() else {
            let tariff = self.pricer.tariff(None, &exchange.metering);
            exchange.metered = Some(self.pricer.metered(&tariff, Tokens::Told(Usage::default())));
            return Decision::Continue;
        };
        let claim = Claim::read(doc).unwrap_or_default();
        let tariff = self.pricer.tariff(claim::model(doc).as_deref(), &exchange.metering);
        let metered = self.pricer.metered(&tariff, Tokens::Told(claim.usage()));
        if let Ok(value) = HeaderValue::from_str(&metered.cost.to_string()) {
            exchange.response_headers.set(COST_HEADER, value);
        }
        exchange.metered = Some(metered);
        Decision::Continue
    }

    async fn on_end(&self, outcome: &Outcome, exchange: &mut Exchange) {
        if !outcome.dispatched || exchange.metering.charged {
            return;
        }
        // Set at the reply's head: without one nobody is known to have served anything.
        let Some(metered) = exchange.metered.clone() else { return };
        exchange.metering.charged = true;
        let charge = Charge { usage: metered.usage, cost: metered.cost, estimated: metered.estimated };
        match &exchange.identity {
            Some(identity) => self.totals.record(identity.tenant(), identity.user(), &charge),
            None => self.totals.record(ANONYMOUS, ANONYMOUS, &charge),
        }
    }
}
