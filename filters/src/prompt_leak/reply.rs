//! Replies, whole or while they pass: each text that continues over events is watched by itself.
//!
//! The event in which a leak becomes certain does not go on; what went before it cannot be taken back.
//!
//! # Invariants
//! * How a reply is cut makes no difference (`a_leak_ends_a_stream_wherever_it_is_cut`).
//! * At most [`LANES_MAX`] texts are watched apart; further ones share one watch (`more_texts_than_lanes_are_watched_together`).

use super::name;
use crate::exchange::Exchange;
use crate::filter::{BodyKind, Ended, ResponseTransform, WholeResponse};
use crate::frame::{Frame, SseData};
use crate::framers::json::{JsonDoc, JsonError, NodeId};
use crate::mask_pii::lanes::{self, Lane};
use crate::read_body::body_kind;
use raptorgate_config::model::PromptLeakAction;
use raptorgate_guards::injection::leak::{Leak, Protected, Watch};
use raptorgate_policies::Denial;
use std::sync::Arc;

/// Texts that are watched at one time.
const LANES_MAX: usize = 64;

/// Member in which OpenAI's responses repeat the system prompt of their request.
const INSTRUCTIONS: &str = "instructions";

/// Looks at a whole reply: JSON, or text if its type says nothing.
pub(super) fn whole(protected: &Protected, response: &mut WholeResponse) -> Result<Option<Leak>, Denial> {
    if response.body.original().is_empty() {
        return Ok(None);
    }
    match response.body.json() {
        Ok(doc) => Ok(strings(protected, doc, |_| false)),
        Err(JsonError::NotJson { .. }) if body_kind(&response.headers) != BodyKind::Json => {
            let text = std::str::from_utf8(response.body.original()).map_err(|_| Denial::UpstreamInvalidReply)?;
            Ok(protected.leaks(text))
        }
        Err(_) => Err(Denial::UpstreamInvalidReply),
    }
}

/// Looks at all strings of a document but those that `skip` names.
fn strings(protected: &Protected, doc: &JsonDoc, skip: impl Fn(NodeId) -> bool) -> Option<Leak> {
    let mut watch = protected.watch();
    let mut open = vec![doc.root()];
    while let Some(node) = open.pop() {
        let text = doc.str(node).filter(|_| !skip(node));
        let leak = text.and_then(|text| watch.push(&text).or_else(|| watch.finish()));
        if leak.is_some() {
            return leak;
        }
        let from = open.len();
        open.extend(doc.items(node));
        // not what the model wrote: the API repeats it
        let repeats = doc.get(node, "object").and_then(|n| doc.str(n)).is_some_and(|object| object == "response");
        open.extend(doc.members(node).filter(|(key, _)| !(repeats && key == INSTRUCTIONS)).map(|(_, value)| value));
        if let Some(new) = open.get_mut(from..) {
            new.reverse();
        }
    }
    None
}

/// Watches one streamed reply.
pub(super) struct LeakStream {
    protected: Arc<Protected>,
    action: PromptLeakAction,
    open: Vec<(Lane, Watch<Arc<Protected>>)>,
    /// Texts beyond [`LANES_MAX`], one in the other.
    further: Watch<Arc<Protected>>,
    /// The text of a stream that is no JSON.
    plain: Watch<Arc<Protected>>,
    leaked: bool,
}

impl LeakStream {
    pub fn new(protected: Arc<Protected>, action: PromptLeakAction) -> Self {
        Self {
            action,
            open: Vec::new(),
            further: Watch::new(protected.clone()),
            plain: Watch::new(protected.clone()),
            protected,
            leaked: false,
        }
    }

    fn json(&mut self, doc: &JsonDoc) -> Option<Leak> {
        let reading = lanes::read(doc);
        for (lane, node) in &reading.pieces {
            let Some(text) = doc.str(*node) else { continue };
            let leak = self.lane(lane).push(&text);
            if leak.is_some() {
                return leak;
            }
        }
        let mut ended = self.open.extract_if(.., |(lane, _)| reading.ends(lane));
        let leak = ended.find_map(|(_, mut watch)| watch.finish());
        drop(ended);
        leak.or_else(|| strings(&self.protected, doc, |node| reading.pieces.iter().any(|(_, piece)| *piece == node)))
    }

    fn lane(&mut self, lane: &Lane) -> &mut Watch<Arc<Protected>> {
        let place = self.open.iter().position(|(open, _)| open == lane);
        if place.is_none() && self.open.len() < LANES_MAX {
            self.open.push((lane.clone(), Watch::new(self.protected.clone())));
        }
        let last = self.open.len().saturating_sub(1);
        let known = place.is_some() || self.open.get(last).is_some_and(|(open, _)| open == lane);
        match self.open.get_mut(place.unwrap_or(last)).filter(|_| known) {
            Some((_, watch)) => watch,
            None => &mut self.further,
        }
    }

    /// Bytes of a plain text before the character that makes it a leak, and the leak.
    fn text(&mut self, text: &str) -> Option<(usize, Leak)> {
        let mut again = self.plain.clone();
        let leak = self.plain.push(text)?;
        let mut characters = text.char_indices().map(|(at, c)| (at, c.len_utf8()));
        let at = characters.find(|(at, len)| again.push(text.get(*at..at + len).unwrap_or_default()).is_some());
        Some((at.map_or(0, |(at, _)| at), leak))
    }

    /// True if the reply ends here.
    fn record(&mut self, leak: Leak, exchange: &mut Exchange) -> bool {
        self.leaked = true;
        exchange.report.prompt_leak = Some(name(leak));
        match self.action {
            PromptLeakAction::Block => exchange.refused = Some(Denial::ReplyPromptLeak),
            PromptLeakAction::Report => {}
        }
        self.action == PromptLeakAction::Block
    }
}

impl ResponseTransform for LeakStream {
    fn on_frame(&mut self, frame: Frame, exchange: &mut Exchange, out: &mut Vec<Frame>) {
        if self.leaked {
            // of a blocked stream no frame comes any more; one that is reported goes on
            out.extend((self.action == PromptLeakAction::Report).then_some(frame));
            return;
        }
        let mut before = None;
        let leak = match &frame {
            Frame::Sse(event) => match &event.data {
                SseData::None | SseData::Done => None,
                SseData::Json(doc) => self.json(doc),
                SseData::Text(text) => self.plain.push(text),
            },
            Frame::JsonLine(line) => line.json.as_ref().and_then(|doc| self.json(doc)),
            Frame::Text(text) => self.text(text).map(|(at, leak)| {
                before = text.get(..at).filter(|before| !before.is_empty()).map(str::to_owned);
                leak
            }),
            Frame::Raw(_) => None,
        };
        match leak {
            Some(leak) if self.record(leak, exchange) => out.extend(before.map(Frame::Text)),
            Some(_) | None => out.push(frame),
        }
    }

    fn on_finish(&mut self, _ended: Ended, exchange: &mut Exchange, _out: &mut Vec<Frame>) {
        if self.leaked {
            return;
        }
        let open = self.open.iter_mut().map(|(_, watch)| watch);
        let leak = open.chain([&mut self.further, &mut self.plain]).find_map(Watch::finish);
        if let Some(leak) = leak {
            self.record(leak, exchange);
        }
    }
}
