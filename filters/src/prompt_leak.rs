//! `prompt_leak`: replies that give away the system prompt of their request, or a canary in it, are withheld or counted.
//!
//! # Invariants
//! * A prompt that cannot be read is refused where leaks are blocked, never passed unprotected (`an_unreadable_request_is_refused`).
//! * Prompt and canary are never printed (`nothing_of_the_prompt_is_printed`).
//! * What an API repeats of the request by itself is no leak (`instructions_that_the_api_repeats_are_no_leak`).

mod reply;

use crate::exchange::Exchange;
use crate::filter::{
    BodyKind, Decision, Filter, FilterName, GateNeed, Phases, RequestHead, ResponseHead, ResponseMode, WholeResponse,
};
use crate::frame::Frame;
use crate::framers::json::{JsonDoc, JsonLimits};
use crate::payload::Payload;
use crate::read_body::{body_kind, check_coding, check_shape, is_binary, is_form, json_denial, json_lines};
use crate::texts::{self, Source};
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use raptorgate_config::model::{self, ApiFormat, PromptLeakAction};
use raptorgate_config::units::Secret;
use raptorgate_guards::injection::leak::{Leak, Protected};
use raptorgate_policies::Denial;
use std::sync::Arc;

/// Bytes of system texts that are protected; what comes behind is not.
const PROMPT_BYTES_MAX: usize = 256 << 10;

/// The filter of one route.
#[derive(Debug)]
pub struct PromptLeak {
    action: PromptLeakAction,
    canary: Option<Secret>,
}

impl PromptLeak {
    /// Takes a route's block.
    pub fn new(config: &model::PromptLeak) -> Self {
        Self { action: config.action, canary: config.canary.clone() }
    }

    fn blocks(&self) -> bool {
        self.action == PromptLeakAction::Block
    }
}

/// What a leak is called in the access log.
const fn name(leak: Leak) -> &'static str {
    match leak {
        Leak::Canary => "canary",
        Leak::Wording { .. } => "wording",
    }
}

/// The system texts of a request, one behind the other.
#[derive(Default)]
struct Prompt(String);

impl Prompt {
    fn take(&mut self, doc: &JsonDoc, format: ApiFormat) {
        for place in texts::places(doc, format) {
            if place.source != Source::System || self.0.len() >= PROMPT_BYTES_MAX {
                continue;
            }
            let Some(text) = doc.str(place.node) else { continue };
            let room = PROMPT_BYTES_MAX.saturating_sub(self.0.len());
            let end = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            self.0.push_str(text.get(..end).unwrap_or_default());
            self.0.push('\n');
        }
    }

    fn take_lines(&mut self, bytes: &Bytes, limits: JsonLimits, format: ApiFormat) -> Result<(), Denial> {
        for frame in &json_lines(bytes, limits)? {
            if let Frame::JsonLine(line) = frame
                && let Some(doc) = &line.json
            {
                self.take(doc, format);
            }
        }
        Ok(())
    }

    /// Reads a request; texts and forms have no place for a system prompt.
    fn read(&mut self, headers: &HeaderMap, body: &mut Payload, format: ApiFormat) -> Result<(), Denial> {
        check_shape(headers, format, body)?;
        if body.original().is_empty() {
            return Ok(());
        }
        check_coding(headers)?;
        match body_kind(headers) {
            BodyKind::Json => self.take(body.json().map_err(|e| json_denial(&e))?, format),
            BodyKind::JsonLines => self.take_lines(body.original(), body.limits(), format)?,
            BodyKind::Text => {}
            BodyKind::Other if is_form(headers) => {}
            BodyKind::None | BodyKind::Sse | BodyKind::Other => return Err(Denial::UnsupportedContentType),
        }
        Ok(())
    }
}

#[async_trait]
impl Filter for PromptLeak {
    fn name(&self) -> FilterName {
        FilterName::PromptLeak
    }

    fn phases(&self) -> Phases {
        Phases { request_body: true, response: true, ..Phases::default() }
    }

    async fn on_request_body(&self, head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        let mut prompt = Prompt::default();
        let read = prompt.read(head.headers, body, exchange.format);
        let protected = Protected::new(&prompt.0, self.canary.as_ref().map(Secret::reveal).unwrap_or_default());
        exchange.protected = (!protected.is_empty()).then(|| Arc::new(protected));
        match read {
            Err(denial) if self.blocks() => Decision::Deny(denial),
            Ok(()) | Err(_) => Decision::Continue,
        }
    }

    fn on_response_head(&self, head: &ResponseHead<'_>, exchange: &mut Exchange) -> ResponseMode {
        let Some(protected) = &exchange.protected else { return ResponseMode::Ignore };
        match head.kind {
            BodyKind::None => ResponseMode::Ignore,
            BodyKind::Json => ResponseMode::Gate,
            BodyKind::Sse | BodyKind::JsonLines | BodyKind::Text => {
                ResponseMode::Stream(Box::new(reply::LeakStream::new(protected.clone(), self.action)))
            }
            BodyKind::Other if is_binary(head.headers) => ResponseMode::Ignore,
            BodyKind::Other => ResponseMode::Gate,
        }
    }

    fn gate(&self) -> GateNeed {
        if self.blocks() { GateNeed::Required } else { GateNeed::Optional }
    }

    async fn on_response(&self, response: &mut WholeResponse, exchange: &mut Exchange) -> Decision {
        let Some(protected) = exchange.protected.clone() else { return Decision::Continue };
        match reply::whole(&protected, response) {
            Err(denial) if self.blocks() => Decision::Deny(denial),
            Ok(None) | Err(_) => Decision::Continue,
            Ok(Some(leak)) => {
                exchange.report.prompt_leak = Some(name(leak));
                if self.blocks() { Decision::Deny(Denial::ReplyPromptLeak) } else { Decision::Continue }
            }
        }
    }
}
