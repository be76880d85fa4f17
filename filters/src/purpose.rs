//! `purpose`: what is asked for something else than a route is for is refused, told to the upstream or counted.
//!
//! A chat is judged by the last text of its user: that is what is asked now. Forms and JSON of no known format have no order of turns, so each
//! of their texts is judged.
//!
//! # Invariants
//! * What the operator, the model and tools say is not judged (`only_the_last_text_of_the_user_is_judged`).
//! * A text that has little in common with any example passes (`strangers_pass`).
//! * A body that cannot be read is refused, never passed unread (`an_unreadable_body_is_refused`).
//! * In the shadow nothing is refused or told (`in_the_shadow_everything_passes`).

use crate::exchange::{Exchange, OffPurpose};
use crate::filter::{BodyKind, Decision, Filter, FilterName, Phases, RequestHead};
use crate::form::{self, NotUtf8};
use crate::frame::Frame;
use crate::framers::json::{JsonDoc, JsonLimits};
use crate::payload::Payload;
use crate::read_body::{QUERY_NOT_UTF8, body_kind, check_coding, check_shape, is_form, json_denial, json_lines};
use crate::texts::{self, Source};
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use raptorgate_config::model::{self, ApiFormat, PurposeAction};
use raptorgate_guards::injection::purpose::{Label, PurposeError, Purposes};
use raptorgate_policies::Denial;
use std::sync::Arc;

/// Name of the header that tells the upstream.
const PURPOSE: HeaderName = HeaderName::from_static("x-raptorgate-purpose");

/// How much more likely than the next a label must be.
const MARGIN_MIN: f32 = 0.1;
/// How much of a text must be known from examples.
const KNOWN_MIN: f32 = 0.45;

/// The filter of one route.
#[derive(Debug)]
pub struct Purpose {
    model: Purposes,
    labels: Vec<(Arc<str>, PurposeAction)>,
    /// What the route is for, for messages.
    allowed: Arc<str>,
    shadow: bool,
}

impl Purpose {
    /// Learns a route's examples.
    ///
    /// # Errors
    /// If nothing can be learned from them, which no checked configuration has.
    pub fn new(config: &model::Purpose) -> Result<Self, PurposeError> {
        let label = |l: &model::PurposeLabel| Label { name: l.name.clone(), examples: l.examples.clone() };
        let examples: Vec<Label> = config.labels.iter().map(label).collect();
        let allowed = config.labels.iter().filter(|l| l.action == PurposeAction::Allow);
        let allowed: Vec<&str> = allowed.map(|l| l.name.as_str()).collect();
        Ok(Self {
            model: Purposes::train(&examples)?,
            labels: config.labels.iter().map(|l| (l.name.as_str().into(), l.action)).collect(),
            allowed: allowed.join(", ").into(),
            shadow: config.shadow,
        })
    }

    /// The label of a text that the route is not for.
    fn off(&self, text: &str) -> Option<(&Arc<str>, PurposeAction)> {
        let name = self.model.label(text, MARGIN_MIN, KNOWN_MIN)?;
        let (name, action) = self.labels.iter().find(|(known, _)| **known == *name)?;
        (*action != PurposeAction::Allow).then_some((name, *action))
    }

    fn judge(&self, texts: &[String], exchange: &mut Exchange) -> Decision {
        let found = texts.iter().filter_map(|text| self.off(text));
        // where several texts are judged, one that is blocked is not hidden by one that is only counted
        let Some((label, action)) = found.min_by_key(|(_, action)| severity(*action)) else {
            return Decision::Continue;
        };
        let done = if self.shadow { "shadow" } else { action.name() };
        exchange.report.off_purpose = Some(OffPurpose { label: label.clone(), action: done });
        match action {
            _ if self.shadow => Decision::Continue,
            PurposeAction::Block => Decision::Deny(Denial::OffPurpose { allowed: self.allowed.clone() }),
            PurposeAction::Flag => {
                let told = HeaderValue::from_str(label);
                told.into_iter().for_each(|told| exchange.upstream_headers.set(PURPOSE, told));
                Decision::Continue
            }
            PurposeAction::Allow | PurposeAction::Report => Decision::Continue,
        }
    }
}

const fn severity(action: PurposeAction) -> u8 {
    match action {
        PurposeAction::Block => 0,
        PurposeAction::Flag => 1,
        PurposeAction::Report => 2,
        PurposeAction::Allow => 3,
    }
}

/// The texts of a document that are judged.
fn asked(doc: &JsonDoc, format: ApiFormat) -> Vec<String> {
    let places = texts::places(doc, format);
    let mut users = places.iter().filter(|place| place.source == Source::User);
    let read = |place: &texts::Place| doc.str(place.node).map(std::borrow::Cow::into_owned);
    match format {
        ApiFormat::Json => users.filter_map(read).collect(),
        ApiFormat::OpenAi | ApiFormat::OpenAiResponses | ApiFormat::Anthropic | ApiFormat::Gemini => {
            users.next_back().and_then(read).into_iter().collect()
        }
    }
}

fn asked_in_lines(bytes: &Bytes, limits: JsonLimits, format: ApiFormat) -> Result<Vec<String>, Denial> {
    let frames = json_lines(bytes, limits)?;
    let docs =
        frames.iter().filter_map(|frame| if let Frame::JsonLine(line) = frame { line.json.as_ref() } else { None });
    Ok(docs.flat_map(|doc| asked(doc, format)).collect())
}

fn asked_in_form(form: &str, not_utf8: Denial) -> Result<Vec<String>, Denial> {
    let values: Result<Vec<_>, NotUtf8> = form::pairs(form).map(|pair| Ok(pair?.1)).collect();
    values.map_err(|NotUtf8| not_utf8)
}

fn texts_of(headers: &HeaderMap, body: &mut Payload, format: ApiFormat) -> Result<Vec<String>, Denial> {
    check_shape(headers, format, body)?;
    if body.original().is_empty() {
        return Ok(Vec::new());
    }
    check_coding(headers)?;
    let utf8 = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).map_err(|_| Denial::BodyNotUtf8);
    match body_kind(headers) {
        BodyKind::Json => Ok(asked(body.json().map_err(|e| json_denial(&e))?, format)),
        BodyKind::JsonLines => asked_in_lines(body.original(), body.limits(), format),
        BodyKind::Text => Ok(vec![utf8(body.original())?]),
        BodyKind::Other if is_form(headers) => asked_in_form(&utf8(body.original())?, Denial::BodyNotUtf8),
        BodyKind::None | BodyKind::Sse | BodyKind::Other => Err(Denial::UnsupportedContentType),
    }
}

#[async_trait]
impl Filter for Purpose {
    fn name(&self) -> FilterName {
        FilterName::Purpose
    }

    fn phases(&self) -> Phases {
        Phases { request_body: true, ..Phases::default() }
    }

    async fn on_request_body(&self, head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        let texts = match exchange.query_of(head) {
            Some(query) if body.original().is_empty() => asked_in_form(query, QUERY_NOT_UTF8),
            _ => texts_of(head.headers, body, exchange.format),
        };
        match texts {
            Ok(texts) => self.judge(&texts, exchange),
            Err(denial) => Decision::Deny(denial),
        }
    }
}
