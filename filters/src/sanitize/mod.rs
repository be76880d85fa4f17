//! `sanitize`: known prompt injections are cut out of requests, or the request is refused.
//!
//! Only the three patterns of [`phrases`] are known: this catches the lazy, it does not make a prompt safe.
//!
//! # Invariants
//! * The operator's system prompt and the model's own turns are left alone (`only_texts_of_others_are_judged`).
//! * What is left holds no finding, also none that the cuts made (`sanitizing_twice_is_sanitizing_once`).
//! * A body that cannot be read is refused, never passed unread (`an_unreadable_body_is_refused`).

mod phrases;

use crate::exchange::Exchange;
use crate::filter::{BodyKind, Decision, Filter, FilterName, Phases, RequestHead};
use crate::frame::Frame;
use crate::framers::json::{JsonDoc, JsonLimits};
use crate::framers::json_lines::JsonLinesFramer;
use crate::mask_pii::frame_denial;
use crate::mask_pii::whole::{percent_decoded, percent_encode};
use crate::payload::Payload;
use crate::read_body::{body_kind, check_coding, check_shape, is_form, json_denial};
use crate::texts::{self, Source};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use phrases::{Cleaned, clean};
use raptorgate_config::model::{self, ApiFormat, SanitizeAction};
use raptorgate_policies::Denial;

/// The filter of one route.
#[derive(Debug)]
pub struct Sanitize {
    action: SanitizeAction,
}

impl Sanitize {
    /// Takes a route's block.
    pub fn new(config: &model::Sanitize) -> Self {
        Self { action: config.action }
    }
}

/// One pass over one request.
struct Pass {
    action: SanitizeAction,
    format: ApiFormat,
    found: u32,
}

impl Pass {
    /// The cleaned text; `None` if it is clean.
    fn text(&mut self, text: &str) -> Result<Option<String>, Denial> {
        match (clean(text), self.action) {
            (Cleaned::Clean, _) => Ok(None),
            (Cleaned::Cut { text, cuts }, SanitizeAction::Strip) => {
                self.found = self.found.saturating_add(cuts);
                Ok(Some(text))
            }
            (Cleaned::Cut { cuts, .. }, SanitizeAction::Block) | (Cleaned::Endless { cuts }, _) => {
                self.found = self.found.saturating_add(cuts);
                Err(Denial::PromptBlocked)
            }
        }
    }

    fn doc(&mut self, doc: &mut JsonDoc) -> Result<(), Denial> {
        for place in texts::places(doc, self.format) {
            match place.source {
                Source::System | Source::Assistant => continue,
                Source::User | Source::Tool | Source::Document => {}
            }
            let Some(cleaned) = doc.str(place.node).map(|text| self.text(&text)).transpose()?.flatten() else {
                continue;
            };
            doc.replace_str(place.node, &cleaned);
        }
        Ok(())
    }

    fn lines(&mut self, bytes: &Bytes, limits: JsonLimits) -> Result<Option<Bytes>, Denial> {
        let mut framer = JsonLinesFramer::new(limits);
        let mut frames = Vec::new();
        framer.push(bytes, &mut frames).map_err(|e| frame_denial(&e))?;
        framer.finish(&mut frames).map_err(|e| frame_denial(&e))?;
        let before = self.found;
        let mut out = BytesMut::with_capacity(bytes.len());
        for mut frame in frames {
            if let Frame::JsonLine(line) = &mut frame
                && let Some(doc) = &mut line.json
            {
                self.doc(doc)?;
            }
            frame.encode(&mut out);
        }
        Ok((self.found != before).then(|| out.freeze()))
    }

    fn form(&mut self, form: &str) -> Result<Option<Bytes>, Denial> {
        let mut out = String::with_capacity(form.len());
        let before = self.found;
        for (i, pair) in form.split('&').enumerate() {
            if i > 0 {
                out.push('&');
            }
            let (key, value) = pair.split_once('=').map_or(("", pair), |(k, v)| (k, v));
            let decoded = percent_decoded(value);
            let text = std::str::from_utf8(&decoded).map_err(|_| Denial::BodyNotUtf8)?;
            if pair.len() > value.len() {
                out.push_str(key);
                out.push('=');
            }
            match self.text(text)? {
                None => out.push_str(value),
                Some(cleaned) => percent_encode(&cleaned, &mut out),
            }
        }
        Ok((self.found != before).then(|| Bytes::from(out)))
    }

    fn body(&mut self, headers: &HeaderMap, body: &mut Payload) -> Result<(), Denial> {
        if body.original().is_empty() {
            return Ok(());
        }
        check_coding(headers)?;
        let utf8 = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).map_err(|_| Denial::BodyNotUtf8);
        let replaced = match body_kind(headers) {
            BodyKind::Json => {
                self.doc(body.json().map_err(|e| json_denial(&e))?)?;
                None
            }
            BodyKind::JsonLines => self.lines(body.original(), body.limits())?,
            BodyKind::Text => self.text(&utf8(body.original())?)?.map(Bytes::from),
            BodyKind::Other if is_form(headers) => self.form(&utf8(body.original())?)?,
            BodyKind::None | BodyKind::Sse | BodyKind::Other => return Err(Denial::UnsupportedContentType),
        };
        replaced.into_iter().for_each(|bytes| body.replace(bytes));
        Ok(())
    }
}

#[async_trait]
impl Filter for Sanitize {
    fn name(&self) -> FilterName {
        FilterName::Sanitize
    }

    fn phases(&self) -> Phases {
        Phases { request_body: true, ..Phases::default() }
    }

    async fn on_request_body(&self, head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        let mut pass = Pass { action: self.action, format: exchange.format, found: 0 };
        let cleaned = check_shape(head.headers, exchange.format, body).and_then(|()| pass.body(head.headers, body));
        exchange.report.sanitized = exchange.report.sanitized.saturating_add(pass.found);
        cleaned.map_or_else(Decision::Deny, |()| Decision::Continue)
    }
}
