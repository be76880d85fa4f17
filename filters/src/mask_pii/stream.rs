//! Masking of a streamed reply: each text that continues over events has its own lane.
//!
//! What a lane holds back is given out with the event that ends it, if that one carries text of the lane, else before it
//! as an event of the same protocol. A blocked type is replaced by its name, and the reply is refused there: what has been sent cannot be taken back.
//!
//! # Invariants
//! * The texts a client puts together are the masked texts (`a_thousand_texts_survive_no_protocol_wherever_they_are_cut`).
//! * At most [`LANES_MAX`] lanes are kept; the texts of further ones are masked event by event
//!   (`more_lanes_than_kept_are_masked_event_by_event`).
//! * An event longer than [`TEMPLATE_BYTES_MAX`] ends its lanes, so that no large event is kept
//!   (`a_large_event_holds_nothing_back`).

use super::lanes::{self, Lane, Reading};
use super::record;
use super::tail::{self, Template, Wrap};
use super::tokens::{self, Minted, Minter, Restorer, Spelling};
use super::whole::{self, Work};
use crate::exchange::Exchange;
use crate::filter::{Ended, ResponseTransform};
use crate::frame::{Frame, JsonLine, SseData, SseFrame};
use crate::framers::json::{JsonDoc, NodeId};
use bytes::Bytes;
use raptorgate_guards::pii::{Masker, Rules, Tally};
use raptorgate_policies::Denial;

/// Texts that are followed at one time.
const LANES_MAX: usize = 64;

/// Longest event that is kept to make another one of it.
const TEMPLATE_BYTES_MAX: usize = 64 << 10;

/// One text.
struct Open {
    lane: Lane,
    masker: Masker,
    /// Behind the masker: what comes back is not masked.
    restorer: Restorer,
    /// `None` while nothing is held back.
    template: Option<Template>,
}

impl Open {
    /// What goes on of masked text, with the request's tokens turned back.
    fn restored(&mut self, masked: String, minted: &Minted, over: bool) -> String {
        if minted.is_empty() {
            return masked;
        }
        let mut out = String::with_capacity(masked.len());
        self.restorer.push(&masked, minted, spelling(&self.lane), &mut out);
        if over {
            self.restorer.finish(&mut out);
        }
        out
    }
}

fn spelling(lane: &Lane) -> Spelling {
    match lane {
        Lane::ChatTool { .. }
        | Lane::Chat { field: "function_call", .. }
        | Lane::Block { field: "partial_json", .. } => Spelling::InJson,
        Lane::Response { name, .. } if name.ends_with("arguments") => Spelling::InJson,
        Lane::Chat { .. }
        | Lane::Block { .. }
        | Lane::Response { .. }
        | Lane::Completion { .. }
        | Lane::Candidate { .. }
        | Lane::Member { .. } => Spelling::Plain,
    }
}

/// How the one text of a stream without JSON is wrapped.
enum Plain {
    Bare,
    Sse(Option<String>),
}

/// Masks one streamed reply.
pub(super) struct MaskStream {
    rules: Rules,
    tally: Tally,
    minter: Minter,
    /// Tokens of the request.
    minted: Minted,
    open: Vec<Open>,
    /// The text of a stream that is no JSON.
    plain: Masker,
    plain_restorer: Restorer,
    plain_wrap: Plain,
    /// Events that were added so far.
    added: u64,
    /// Number of the last event in a stream that numbers its events.
    sequence: Option<u64>,
}

impl MaskStream {
    pub fn new(rules: &Rules, minter: Minter, minted: Minted) -> Self {
        Self {
            rules: rules.clone(),
            tally: Tally::default(),
            minter,
            minted,
            plain_restorer: Restorer::default(),
            open: Vec::new(),
            plain: Masker::new(rules),
            plain_wrap: Plain::Bare,
            added: 0,
            sequence: None,
        }
    }

    fn sse(&mut self, mut frame: SseFrame, out: &mut Vec<Frame>) {
        match &mut frame.data {
            SseData::None => {}
            SseData::Done => self.flush_all(out),
            SseData::Json(doc) => self.json(doc, &Wrap::Sse(frame.event.clone()), out),
            SseData::Text(text) => {
                self.plain_wrap = Plain::Sse(frame.event.clone());
                let masked = self.plain_piece(text);
                if masked != *text {
                    frame.set_text(&masked);
                }
            }
        }
        out.push(Frame::Sse(frame));
    }

    /// What goes on of the stream's one text.
    fn plain_piece(&mut self, text: &str) -> String {
        let (mut masked, mut out) = (String::with_capacity(text.len()), String::new());
        self.plain.push_with(text, &mut masked, &mut self.minter);
        if self.minted.is_empty() {
            return masked;
        }
        self.plain_restorer.push(&masked, &self.minted, Spelling::Plain, &mut out);
        out
    }

    fn line(&mut self, mut line: JsonLine, out: &mut Vec<Frame>) {
        if let Some(doc) = &mut line.json {
            self.json(doc, &Wrap::Line, out);
        }
        out.push(Frame::JsonLine(line));
    }

    /// Masks one event in place; events that must come before it go to `out`.
    fn json(&mut self, doc: &mut JsonDoc, wrap: &Wrap, out: &mut Vec<Frame>) {
        let reading = lanes::read(doc);
        self.flush(out, |lane| reading.ends(lane) && !reading.pieces.iter().any(|(piece, _)| piece == lane));
        self.number(doc);
        let is_piece = |n| reading.pieces.iter().any(|(_, piece)| *piece == n);
        let mut work = Work { rules: &self.rules, tally: &mut self.tally, minter: &mut self.minter };
        whole::mask_numbers(doc, &mut work, |_| false);
        whole::mask_strings(doc, &mut work, is_piece);
        whole::restore_strings(doc, &self.minted, is_piece);
        for (i, (lane, node)) in reading.pieces.iter().enumerate() {
            let later = reading.pieces.iter().skip(i + 1).any(|(piece, _)| piece == lane);
            let ends = !later && reading.ends(lane);
            self.piece(doc, lane, *node, ends);
        }
        self.keep_templates(doc, &reading, wrap);
    }

    /// Masks one piece of a lane in place.
    fn piece(&mut self, doc: &mut JsonDoc, lane: &Lane, node: NodeId, ends: bool) {
        let Some(text) = doc.str(node) else { return };
        let mut masked = String::with_capacity(text.len());
        let place = self.open.iter().position(|open| open.lane == *lane);
        if place.is_none() && (ends || self.open.len() >= LANES_MAX) {
            let mut work = Work { rules: &self.rules, tally: &mut self.tally, minter: &mut self.minter };
            masked = work.text("", &text).unwrap_or_else(|| text.to_string());
            if let Some(text) = tokens::restore(&masked, &self.minted, spelling(lane)) {
                masked = text;
            }
        } else {
            let place = place.unwrap_or_else(|| {
                let (masker, restorer) = (Masker::new(&self.rules), Restorer::default());
                self.open.push(Open { lane: lane.clone(), masker, restorer, template: None });
                self.open.len() - 1
            });
            let Some(open) = self.open.get_mut(place) else { return };
            open.masker.push_with(&text, &mut masked, &mut self.minter);
            let over = ends || doc.source().len() > TEMPLATE_BYTES_MAX;
            if over {
                open.masker.finish_with(&mut masked, &mut self.minter);
            }
            masked = open.restored(masked, &self.minted, over);
            self.tally.add(&open.masker.take_tally());
            if ends {
                self.open.remove(place);
            }
        }
        if masked != text {
            doc.replace_str(node, &masked);
        }
    }

    /// Keeps the event for the lanes of which it left something back.
    fn keep_templates(&mut self, doc: &JsonDoc, reading: &Reading, wrap: &Wrap) {
        let mut json: Option<Bytes> = None;
        for (lane, node) in &reading.pieces {
            let Some(open) = self.open.iter_mut().find(|open| open.lane == *lane) else { continue };
            open.template = if open.masker.held().is_empty() && open.restorer.held().is_empty() {
                None
            } else {
                let json = json.get_or_insert_with(|| Bytes::copy_from_slice(&doc.to_bytes())).clone();
                Some(Template { wrap: wrap.clone(), json, node: *node })
            };
        }
    }

    /// Ends the lanes that `ended` names and gives out what they held back.
    fn flush(&mut self, out: &mut Vec<Frame>, ended: impl Fn(&Lane) -> bool) {
        let mut place = 0;
        while let Some(open) = self.open.get(place) {
            if !ended(&open.lane) {
                place += 1;
                continue;
            }
            // In order: the lanes' ends stand in the order in which the lanes began.
            let mut open = self.open.remove(place);
            let mut text = String::new();
            open.masker.finish_with(&mut text, &mut self.minter);
            text = open.restored(text, &self.minted, true);
            self.tally.add(&open.masker.take_tally());
            let Open { lane, template, .. } = open;
            let Some(template) = template.filter(|_| !text.is_empty()) else { continue };
            let sequence = self.sequence.map(|last| last + 1);
            if let Some(frame) = tail::event(&lane, &template, &text, sequence) {
                self.added += 1;
                self.sequence = sequence;
                out.push(frame);
            }
        }
    }

    fn flush_all(&mut self, out: &mut Vec<Frame>) {
        self.flush(out, |_| true);
        let mut masked = String::new();
        self.plain.finish_with(&mut masked, &mut self.minter);
        let mut text = String::new();
        self.plain_restorer.push(&masked, &self.minted, Spelling::Plain, &mut text);
        self.plain_restorer.finish(&mut text);
        if text.is_empty() {
            return;
        }
        out.push(match &self.plain_wrap {
            Plain::Bare => Frame::Text(text),
            Plain::Sse(event) => Frame::sse_text(event.as_deref(), &text),
        });
    }

    /// Keeps the events of a numbered stream numbered without a gap or a repetition.
    fn number(&mut self, doc: &mut JsonDoc) {
        let Some(node) = doc.get(doc.root(), "sequence_number") else { return };
        let Some(number) = doc.u64(node).map(|n| n.saturating_add(self.added)) else { return };
        self.sequence = Some(number);
        if self.added > 0 {
            doc.replace_raw(node, &number.to_string());
        }
    }

    fn record(&mut self, exchange: &mut Exchange) {
        self.tally.add(&self.plain.take_tally());
        if self.tally.blocked {
            exchange.refused = Some(Denial::ReplyPiiBlocked);
        }
        record(&std::mem::take(&mut self.tally), &mut exchange.report.masked_response);
    }
}

impl ResponseTransform for MaskStream {
    fn on_frame(&mut self, frame: Frame, exchange: &mut Exchange, out: &mut Vec<Frame>) {
        match frame {
            Frame::Sse(frame) => self.sse(frame, out),
            Frame::JsonLine(line) => self.line(line, out),
            Frame::Text(text) => {
                let masked = self.plain_piece(&text);
                if !masked.is_empty() {
                    out.push(Frame::Text(masked));
                }
            }
            Frame::Raw(bytes) => out.push(Frame::Raw(bytes)),
        }
        self.record(exchange);
    }

    fn on_finish(&mut self, _ended: Ended, exchange: &mut Exchange, out: &mut Vec<Frame>) {
        self.flush_all(out);
        self.record(exchange);
    }
}
