//! `mask_pii`: personal data is masked in requests before the backend sees it, and in replies before the client does.
//!
//! # Invariants
//! * A request body that cannot be read is refused, never passed unread (`an_unreadable_request_is_refused`).
//! * A reply that is text in a form that cannot be read is refused; only what is known to be no text passes
//!   (`a_reply_that_cannot_be_read_is_refused`).
//! * Labelled values never survive, wherever a reply is cut (`labelled_values_never_survive_a_stream_cut_at_any_byte`).

pub(crate) mod lanes;
mod stream;
mod tail;
pub(crate) mod whole;

use crate::exchange::Exchange;
use crate::filter::{
    BodyKind, Decision, Filter, FilterName, Phases, RequestHead, ResponseHead, ResponseMode, WholeResponse,
};
use crate::framers::FrameError;
use crate::framers::json::JsonError;
use crate::payload::Payload;
use crate::read_body::{body_kind, check_coding, check_shape, is_binary, is_form, json_denial};
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use raptorgate_config::model::{self, PiiType};
use raptorgate_guards::pii::{Masker, Rules, Tally};
use raptorgate_policies::Denial;
use std::collections::BTreeMap;

/// The filter of one route.
#[derive(Debug)]
pub struct MaskPii {
    request: Rules,
    response: Rules,
}

impl MaskPii {
    /// Compiles a route's block.
    pub fn new(config: &model::MaskPii) -> Self {
        Self { request: Rules::new(&config.request), response: Rules::new(&config.response) }
    }
}

/// Adds what was found to a report.
fn record(tally: &Tally, report: &mut BTreeMap<PiiType, u32>) {
    for (kind, count) in tally.found() {
        let total = report.entry(kind).or_default();
        *total = total.saturating_add(count);
    }
}

/// Masks a whole request body of any kind that can be read.
fn mask_request(headers: &HeaderMap, body: &mut Payload, rules: &Rules, tally: &mut Tally) -> Result<(), Denial> {
    if body.original().is_empty() {
        return Ok(());
    }
    check_coding(headers)?;
    match body_kind(headers) {
        BodyKind::Json => {
            let doc = body.json().map_err(|e| json_denial(&e))?;
            whole::mask_strings(doc, rules, tally, |_| false);
        }
        BodyKind::JsonLines => {
            let limits = body.limits();
            let masked = whole::mask_lines(body.original(), limits, rules, tally).map_err(|e| frame_denial(&e))?;
            masked.into_iter().for_each(|bytes| body.replace(bytes));
        }
        BodyKind::Text => mask_text(body, rules, tally).map_err(|_| Denial::BodyNotUtf8)?,
        BodyKind::Other if is_form(headers) => {
            let form = std::str::from_utf8(body.original()).map_err(|_| Denial::BodyNotUtf8)?;
            let masked = whole::mask_form(form, rules, tally).map_err(|_| Denial::BodyNotUtf8)?;
            masked.into_iter().for_each(|form| body.replace(Bytes::from(form)));
        }
        BodyKind::None | BodyKind::Sse | BodyKind::Other => return Err(Denial::UnsupportedContentType),
    }
    Ok(())
}

pub(crate) fn frame_denial(error: &FrameError) -> Denial {
    match error {
        FrameError::TooLong { .. } => Denial::BodyNotJson,
        FrameError::NotUtf8 | FrameError::ByteOrderMark => Denial::BodyNotUtf8,
        FrameError::Json(e) => json_denial(e),
    }
}

fn mask_text(body: &mut Payload, rules: &Rules, tally: &mut Tally) -> Result<(), std::str::Utf8Error> {
    let text = std::str::from_utf8(body.original())?;
    if let Some(masked) = Masker::whole(rules, text, tally) {
        body.replace(Bytes::from(masked));
    }
    Ok(())
}

/// Masks a whole reply. One that is not JSON came here because its type says nothing: it is read as JSON or as text.
fn mask_reply(response: &mut WholeResponse, rules: &Rules, tally: &mut Tally) -> Result<(), Denial> {
    if response.body.original().is_empty() {
        return Ok(());
    }
    match response.body.json() {
        Ok(doc) => {
            whole::mask_strings(doc, rules, tally, |_| false);
            Ok(())
        }
        Err(JsonError::NotJson { .. }) if body_kind(&response.headers) != BodyKind::Json => {
            mask_text(&mut response.body, rules, tally).map_err(|_| Denial::UpstreamInvalidReply)
        }
        Err(_) => Err(Denial::UpstreamInvalidReply),
    }
}

#[async_trait]
impl Filter for MaskPii {
    fn name(&self) -> FilterName {
        FilterName::MaskPii
    }

    fn phases(&self) -> Phases {
        let (request_body, response) = (!self.request.is_empty(), !self.response.is_empty());
        Phases { request_body, response, ..Phases::default() }
    }

    async fn on_request_body(&self, head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        let mut tally = Tally::default();
        let masked = check_shape(head.headers, exchange.format, body)
            .and_then(|()| mask_request(head.headers, body, &self.request, &mut tally));
        record(&tally, &mut exchange.report.masked_request);
        match masked {
            Err(denial) => Decision::Deny(denial),
            Ok(()) if tally.blocked => Decision::Deny(Denial::PiiBlocked),
            Ok(()) => Decision::Continue,
        }
    }

    fn on_response_head(&self, head: &ResponseHead<'_>, _exchange: &mut Exchange) -> ResponseMode {
        match head.kind {
            _ if self.response.is_empty() => ResponseMode::Ignore,
            BodyKind::None => ResponseMode::Ignore,
            BodyKind::Json => ResponseMode::Gate,
            BodyKind::Sse | BodyKind::JsonLines | BodyKind::Text => {
                ResponseMode::Stream(Box::new(stream::MaskStream::new(&self.response)))
            }
            BodyKind::Other if is_binary(head.headers) => ResponseMode::Ignore,
            BodyKind::Other => ResponseMode::Gate,
        }
    }

    async fn on_response(&self, response: &mut WholeResponse, exchange: &mut Exchange) -> Decision {
        let mut tally = Tally::default();
        let masked = mask_reply(response, &self.response, &mut tally);
        record(&tally, &mut exchange.report.masked_response);
        match masked {
            Err(denial) => Decision::Deny(denial),
            Ok(()) if tally.blocked => Decision::Deny(Denial::ReplyPiiBlocked),
            Ok(()) => Decision::Continue,
        }
    }
}
