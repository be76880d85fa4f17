//! Metering of a streamed reply while it passes.
//!
//! # Invariants
//! * The cost is told once, before the event that ends the stream for the client (`the_cost_is_told_before_the_end`).
//! * What is metered does not depend on how the bytes were cut (`cuts_change_neither_bytes_nor_cost`).

use super::claim::{self, Claim};
use super::ending::Ending;
use super::{Pricer, Tariff, Tokens};
use crate::exchange::Exchange;
use crate::filter::{Ended, ResponseTransform};
use crate::frame::{Frame, SseData};
use crate::framers::json::{JsonDoc, JsonKind};
use crate::mask_pii::lanes;
use raptorgate_policies::Usage;
use std::sync::Arc;

/// Meters one streamed reply.
pub(super) struct MeterStream {
    pricer: Arc<Pricer>,
    tariff: Tariff,
    /// What is known without the reply's body.
    at_head: Tokens,
    claim: Claim,
    stage: Stage,
    /// Pieces of text that passed.
    pieces: u64,
    /// The model of the last event that named one.
    model: Option<String>,
    cost_told: bool,
    events: bool,
    ending: Ending,
}

/// How far the upstream's own counts go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It told none.
    Untold,
    /// It told those of the prompt; Anthropic's first event says nothing yet about the answer.
    PromptTold,
    /// It told those of all that passed.
    Told,
}

/// What one event is for the client.
enum Meaning {
    Part,
    /// The last one.
    End,
    /// Usage that the client did not ask for.
    Extra,
}

impl MeterStream {
    pub fn new(pricer: Arc<Pricer>, tariff: Tariff, at_head: Tokens) -> Self {
        Self {
            pricer,
            tariff,
            at_head,
            claim: Claim::default(),
            stage: Stage::Untold,
            pieces: 0,
            model: None,
            cost_told: false,
            events: false,
            ending: Ending::default(),
        }
    }

    fn json(&mut self, doc: &JsonDoc, exchange: &mut Exchange) -> Meaning {
        let kind = doc.get(doc.root(), "type").and_then(|n| doc.str(n)).unwrap_or_default();
        let claim = Claim::read(doc);
        if let Some(claim) = claim {
            self.claim.update(claim);
            let begins = kind == "message_start" && self.stage == Stage::Untold;
            self.stage = if begins { Stage::PromptTold } else { Stage::Told };
        }
        let texts = lanes::read(doc).pieces;
        let pieces = texts.iter().filter(|(_, n)| doc.str(*n).is_some_and(|text| !text.is_empty())).count();
        self.pieces = self.pieces.saturating_add(pieces as u64);
        if let Some(model) = claim::model(doc).filter(|m| self.model.as_deref() != Some(m)) {
            self.tariff = self.pricer.tariff(Some(&model), &exchange.metering);
            self.model = Some(model.into_owned());
        }
        self.update(exchange);
        if exchange.held.is_some() {
            self.ending.saw(doc, &kind);
        }
        let bare = doc
            .get(doc.root(), "choices")
            .is_some_and(|n| doc.kind(n) == JsonKind::Array && doc.items(n).next().is_none());
        match &*kind {
            _ if exchange.metering.asked_usage && bare && claim.is_some() => Meaning::Extra,
            "message_stop" | "response.completed" | "response.incomplete" | "response.failed" => Meaning::End,
            _ => Meaning::Part,
        }
    }

    fn tokens(&self) -> Tokens {
        let told = self.claim.usage();
        match (self.stage, self.at_head) {
            (Stage::Told, Tokens::Estimated(guess)) if !self.claim.tells_input() => {
                Tokens::Estimated(Usage { input: guess.input, ..told })
            }
            (Stage::Told, _) => Tokens::Told(told),
            (Stage::PromptTold, _) => Tokens::Estimated(Usage { output: told.output.max(self.pieces), ..told }),
            (Stage::Untold, Tokens::Estimated(guess)) => Tokens::Estimated(Usage::claimed(guess.input, self.pieces, 0)),
            // An error: its text was not paid for.
            (Stage::Untold, none @ Tokens::Told(_)) => none,
        }
    }

    fn update(&self, exchange: &mut Exchange) {
        exchange.metered = Some(self.pricer.metered(&self.tariff, self.tokens()));
    }

    fn stop(&mut self, exchange: &mut Exchange, out: &mut Vec<Frame>) {
        let usage = exchange.metered.as_ref().map(|metered| metered.usage).unwrap_or_default();
        let Some((frames, last)) = self.ending.frames(usage) else {
            exchange.refused = exchange.stopped.clone();
            return;
        };
        out.extend(frames);
        if self.events {
            self.tell_cost(exchange, out);
        }
        out.extend(last);
    }

    fn tell_cost(&mut self, exchange: &Exchange, out: &mut Vec<Frame>) {
        if let Some(metered) = exchange.metered.as_ref().filter(|_| !self.cost_told) {
            self.cost_told = true;
            out.push(Frame::sse_comment(&format!("raptorgate cost=\"{}\"", metered.cost)));
        }
    }
}

impl ResponseTransform for MeterStream {
    fn on_frame(&mut self, frame: Frame, exchange: &mut Exchange, out: &mut Vec<Frame>) {
        match &frame {
            Frame::Sse(event) => {
                self.events = true;
                let meaning = match &event.data {
                    SseData::Json(doc) => self.json(doc, exchange),
                    SseData::Done => Meaning::End,
                    SseData::None => Meaning::Part,
                    SseData::Text(_) => {
                        self.pieces = self.pieces.saturating_add(1);
                        self.update(exchange);
                        Meaning::Part
                    }
                };
                match meaning {
                    Meaning::Part => {}
                    Meaning::End => self.tell_cost(exchange, out),
                    Meaning::Extra => return,
                }
            }
            Frame::JsonLine(line) => {
                if let Some(doc) = &line.json
                    && matches!(self.json(doc, exchange), Meaning::Extra)
                {
                    return;
                }
            }
            Frame::Text(_) | Frame::Raw(_) => {}
        }
        out.push(frame);
    }

    fn on_finish(&mut self, ended: Ended, exchange: &mut Exchange, out: &mut Vec<Frame>) {
        self.update(exchange);
        match ended {
            Ended::Whole if self.events => self.tell_cost(exchange, out),
            Ended::Whole | Ended::Broken => {}
            Ended::Stopped => self.stop(exchange, out),
        }
    }
}
