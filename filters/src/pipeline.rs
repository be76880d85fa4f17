//! The filters of one route, called phase by phase in an order that is fixed here.
//!
//! # Invariants
//! * The order is a security property and does not come from the configuration: nobody unauthenticated makes the gateway
//!   buffer a body, and what is billed is read before anything is rewritten (`the_order_is_fixed`).
//! * A panic in a filter is that request's 500 and nothing else (`a_panic_in_a_filter_is_a_denial`).

use crate::exchange::{Exchange, Outcome};
use crate::filter::{Attempt, Decision, Filter, FilterName, HeaderEdits, RequestHead, ResponseHead, ResponseMode};
use crate::payload::Payload;
use crate::reply::{ReplyPlan, Step};
use futures::FutureExt;
use raptorgate_policies::Denial;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The filters of one route.
#[derive(Default)]
pub struct Pipeline {
    request: Vec<Arc<dyn Filter>>,
    request_body: Vec<Arc<dyn Filter>>,
    dispatch: Vec<Arc<dyn Filter>>,
    attempt: Vec<Arc<dyn Filter>>,
    response: Vec<Arc<dyn Filter>>,
    progress: Vec<Arc<dyn Filter>>,
    end: Vec<Arc<dyn Filter>>,
}

/// Place of a filter on the way in. The head filters come first: a refused caller must cost as little as possible.
const fn request_order(name: FilterName) -> u8 {
    match name {
        FilterName::FloodLimits => 0, // before the key is looked up: guessing keys is limited too
        FilterName::Authenticate => 1,
        FilterName::EndUser => 2, // needs the identity
        FilterName::Execution => 3,
        FilterName::Idempotency => 4, // sees the body as it came
        FilterName::Fault => 5,       // only for callers that would be served
        FilterName::Sanitize => 6,    // before masking: a mask must not split a phrase that would be found
        FilterName::Purpose => 7,     // what is left of a text, before a mask takes words from it
        FilterName::MaskPii => 8,
        FilterName::PromptLeak => 9, // knows the system prompt as the model will read it
        FilterName::Meter => 10,     // sees the body as it will be sent
        FilterName::Admit => 11, // holds what the meter reads; a request that anything else refuses takes from no limit
        FilterName::Custom(_) => 12,
    }
}

/// Place of a filter on the way out.
const fn response_order(name: FilterName) -> u8 {
    match name {
        FilterName::Meter => 0, // usage as the upstream reported it
        FilterName::FloodLimits
        | FilterName::Authenticate
        | FilterName::EndUser
        | FilterName::Execution
        | FilterName::Idempotency
        | FilterName::Fault
        | FilterName::Sanitize
        | FilterName::Purpose
        | FilterName::Admit => 1, // charges what the meter found
        FilterName::PromptLeak => 2, // reads what the model wrote
        FilterName::MaskPii => 3, // irreversible, before anything could store the reply
        FilterName::Custom(_) => 4,
    }
}

impl Pipeline {
    /// Sorts filters into their phases.
    pub fn new(filters: Vec<Arc<dyn Filter>>) -> Self {
        let mut inward = filters;
        inward.sort_by_key(|f| request_order(f.name()));
        let mut outward = inward.clone();
        outward.sort_by_key(|f| response_order(f.name()));
        let pick = |from: &[Arc<dyn Filter>], wants: fn(&dyn Filter) -> bool| {
            from.iter().filter(|f| wants(f.as_ref())).cloned().collect::<Vec<_>>()
        };
        Self {
            request: pick(&inward, |f| f.phases().request),
            request_body: pick(&inward, |f| f.phases().request_body),
            dispatch: pick(&inward, |f| f.phases().dispatch),
            attempt: pick(&inward, |f| f.phases().attempt),
            response: pick(&outward, |f| f.phases().response),
            progress: pick(&outward, |f| f.phases().progress),
            end: pick(&outward, |f| f.phases().end),
        }
    }

    /// True if the request's body must be read whole.
    pub fn reads_request_body(&self) -> bool {
        !self.request_body.is_empty()
    }

    /// True if a filter may look at replies.
    pub fn reads_replies(&self) -> bool {
        !self.response.is_empty()
    }

    /// The head phase.
    pub async fn on_request(&self, head: &RequestHead<'_>, exchange: &mut Exchange) -> Decision {
        for filter in &self.request {
            let decided = AssertUnwindSafe(filter.on_request(head, exchange)).catch_unwind().await;
            match decided.unwrap_or_else(|_| panicked(filter.name(), exchange)) {
                Decision::Continue => {}
                stop @ (Decision::Deny(_) | Decision::Reply(_)) => return stop,
            }
        }
        Decision::Continue
    }

    /// The body phase.
    pub async fn on_request_body(
        &self,
        head: &RequestHead<'_>,
        body: &mut Payload,
        exchange: &mut Exchange,
    ) -> Decision {
        for filter in &self.request_body {
            let decided = AssertUnwindSafe(filter.on_request_body(head, body, exchange)).catch_unwind().await;
            match decided.unwrap_or_else(|_| panicked(filter.name(), exchange)) {
                Decision::Continue => {}
                stop @ (Decision::Deny(_) | Decision::Reply(_)) => return stop,
            }
        }
        Decision::Continue
    }

    /// The dispatch phase: the last word before anything is sent.
    pub async fn on_dispatch(&self, exchange: &mut Exchange) -> Result<(), Denial> {
        for filter in &self.dispatch {
            let cleared = AssertUnwindSafe(filter.on_dispatch(exchange)).catch_unwind().await;
            cleared.unwrap_or_else(|_| {
                exchange.report.panicked = Some(filter.name());
                Err(Denial::Internal)
            })?;
        }
        Ok(())
    }

    /// The attempt phase: the edits for one attempt's head.
    pub fn on_attempt(&self, number: u32, exchange: &mut Exchange) -> Result<HeaderEdits, Denial> {
        let mut headers = exchange.upstream_headers.clone();
        for filter in &self.attempt {
            let mut attempt = Attempt { number, headers: &mut headers };
            let ran = catch_unwind(AssertUnwindSafe(|| filter.on_attempt(&mut attempt, exchange)));
            if ran.is_err() {
                exchange.report.panicked = Some(filter.name());
                return Err(Denial::Internal);
            }
        }
        Ok(headers)
    }

    /// The reply's head: how its body will be seen.
    pub fn on_response_head(&self, head: &ResponseHead<'_>, exchange: &mut Exchange) -> Result<ReplyPlan, Denial> {
        let mut steps = Vec::new();
        for filter in &self.response {
            let mode = catch_unwind(AssertUnwindSafe(|| filter.on_response_head(head, exchange)));
            match mode {
                Ok(ResponseMode::Ignore) => {}
                Ok(ResponseMode::Stream(transform)) => steps.push(Step::Transform(filter.name(), transform)),
                Ok(ResponseMode::Gate) => steps.push(Step::Gate(filter.clone())),
                Err(_) => {
                    exchange.report.panicked = Some(filter.name());
                    if steps.is_empty() {
                        return Err(Denial::Internal);
                    }
                    // the backend served it, so the meter reads it before it is thrown away
                    steps.push(Step::Refuse(Denial::Internal));
                    break;
                }
            }
        }
        Ok(ReplyPlan::new(head.kind, steps))
    }

    /// True if a filter watches how a streamed reply goes on.
    pub fn watches_progress(&self) -> bool {
        !self.progress.is_empty()
    }

    /// Part of a streamed reply was read.
    pub async fn on_progress(&self, exchange: &mut Exchange) -> Result<(), Denial> {
        for filter in &self.progress {
            let passed = AssertUnwindSafe(filter.on_progress(exchange)).catch_unwind().await;
            passed.unwrap_or_else(|_| {
                exchange.report.panicked = Some(filter.name());
                Err(Denial::Internal)
            })?;
        }
        Ok(())
    }

    /// The end. The caller makes sure that this happens once.
    pub async fn on_end(&self, outcome: &Outcome, exchange: &mut Exchange) {
        for filter in &self.end {
            let ended = AssertUnwindSafe(filter.on_end(outcome, exchange)).catch_unwind().await;
            if ended.is_err() {
                exchange.report.panicked = Some(filter.name());
            }
        }
    }
}

fn panicked(name: FilterName, exchange: &mut Exchange) -> Decision {
    exchange.report.panicked = Some(name);
    Decision::Deny(Denial::Internal)
}
