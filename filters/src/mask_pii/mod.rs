//! `mask_pii`: personal data is masked in requests before the backend sees it, and in replies before the client does.
//!
//! # Invariants
//! * A request body that cannot be read is refused, never passed unread (`an_unreadable_request_is_refused`).
//! * A reply that is text in a form that cannot be read is refused; only what is known to be no text passes
//!   (`a_reply_that_cannot_be_read_is_refused`).
//! * Labelled values never survive, wherever a reply is cut (`labelled_values_never_survive_a_stream_cut_at_any_byte`).

pub(crate) mod lanes;
mod paths;
mod stream;
mod tail;
mod tokens;
pub(crate) mod whole;

use crate::exchange::Exchange;
use crate::filter::{
    BodyKind, Decision, Filter, FilterName, Phases, RequestHead, ResponseHead, ResponseMode, WholeResponse,
};
use crate::form::NotUtf8;
use crate::framers::json::JsonError;
use crate::payload::Payload;
use crate::read_body::{QUERY_NOT_UTF8, body_kind, check_coding, check_shape, is_binary, is_form, json_denial};
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use raptorgate_config::model::{self, JsonPaths, Masked, Masking, PiiAction, PiiType};
use raptorgate_guards::pii::{DetectorConfig, OwnPattern, Rules, RulesError, Tally, Wanted};
use raptorgate_policies::Denial;
use std::collections::BTreeMap;
use std::sync::Arc;
pub use tokens::Minted;
use tokens::{Keyed, Minter, Spelling};
use whole::Work;

/// What stands for all patterns of the operator's own in metrics and logs.
const OWN_PATTERN: &str = "pattern";

/// The filter of one route.
#[derive(Debug)]
pub struct MaskPii {
    request: Direction,
    response: Direction,
    /// What is done in queries; `None`: nothing.
    query: Option<Direction>,
    paths: JsonPaths,
    /// A reply may have tokens of its request.
    comes_back: bool,
}

/// One direction.
#[derive(Debug)]
struct Direction {
    rules: Rules,
    keyed: Arc<Keyed>,
}

impl MaskPii {
    /// Compiles a route's block.
    ///
    /// # Errors
    /// Only for a block that was not checked when its file was read.
    pub fn new(config: &model::MaskPii) -> Result<Self, RulesError> {
        let comes_back = config.request.actions().any(|action| action == PiiAction::Tokenize);
        Ok(Self {
            request: Direction::new(&config.request, config)?,
            response: Direction::new(&config.response, config)?,
            query: config.query.then(|| Direction::new(&in_query(&config.request), config)).transpose()?,
            paths: config.paths.clone(),
            comes_back,
        })
    }
}

/// What is done in a query: what is done in a body, but for secrets, which are credentials of the call there.
fn in_query(masking: &Masking) -> Masking {
    let types = masking.types.iter().filter(|masked| masked.kind != PiiType::Secret).copied().collect();
    Masking { types, patterns: masking.patterns.clone() }
}

impl Direction {
    fn new(masking: &Masking, config: &model::MaskPii) -> Result<Self, RulesError> {
        let wanted = |masked: &Masked| Wanted {
            kind: masked.kind,
            action: masked.action.into(),
            threshold: masked.threshold_percent,
        };
        let own = |pattern: &model::OwnPattern| OwnPattern {
            name: pattern.name.clone(),
            pattern: pattern.regex.clone(),
            action: pattern.action.into(),
        };
        let rules = Rules::compile(&DetectorConfig {
            kinds: masking.types.iter().map(wanted).collect(),
            allow: config.allow.clone(),
            own: masking.patterns.iter().map(own).collect(),
        })?;
        Ok(Self { rules, keyed: Arc::new(Keyed::new(masking, config.key.as_ref())) })
    }

    /// Tokens are those of a tenant and an agent run; of all requests of the tenant that belong to none.
    fn minter(&self, exchange: &Exchange) -> Minter {
        let tenant = exchange.identity.as_ref().map(|identity| identity.tenant().clone());
        let conversation = exchange.execution.as_deref().unwrap_or_default();
        Minter::new(&self.keyed, tenant.as_deref().unwrap_or_default(), conversation)
    }
}

/// Adds what was found to a report.
fn record(tally: &Tally, report: &mut BTreeMap<&'static str, u32>) {
    let types = tally.found().map(|(kind, count)| (kind.name(), count));
    let own = (tally.own > 0).then_some((OWN_PATTERN, tally.own));
    for (name, count) in types.chain(own) {
        let total = report.entry(name).or_default();
        *total = total.saturating_add(count);
    }
}

/// Masks a whole request body of any kind that can be read.
fn mask_request(headers: &HeaderMap, body: &mut Payload, paths: &JsonPaths, work: &mut Work<'_>) -> Result<(), Denial> {
    if body.original().is_empty() {
        return Ok(());
    }
    check_coding(headers)?;
    match body_kind(headers) {
        BodyKind::Json => {
            let doc = body.json().map_err(|e| json_denial(&e))?;
            whole::mask_document(doc, work, paths);
        }
        BodyKind::JsonLines => {
            let limits = body.limits();
            let masked = whole::mask_lines(body.original(), limits, paths, work)?;
            masked.into_iter().for_each(|bytes| body.replace(bytes));
        }
        BodyKind::Text => mask_text(body, work).map_err(|_| Denial::BodyNotUtf8)?,
        BodyKind::Other if is_form(headers) => {
            let form = std::str::from_utf8(body.original()).map_err(|_| Denial::BodyNotUtf8)?;
            let masked = whole::mask_form(form, work).map_err(|_| Denial::BodyNotUtf8)?;
            masked.into_iter().for_each(|form| body.replace(Bytes::from(form)));
        }
        BodyKind::None | BodyKind::Sse | BodyKind::Other => return Err(Denial::UnsupportedContentType),
    }
    Ok(())
}

fn mask_text(body: &mut Payload, work: &mut Work<'_>) -> Result<(), std::str::Utf8Error> {
    let text = std::str::from_utf8(body.original())?;
    if let Some(masked) = work.text("", text) {
        body.replace(Bytes::from(masked));
    }
    Ok(())
}

/// Masks a whole reply, and turns the request's tokens back. One that is not JSON came here because its type says nothing: it is
/// read as JSON or as text.
fn mask_reply(response: &mut WholeResponse, work: &mut Work<'_>, minted: &Minted) -> Result<(), Denial> {
    if response.body.original().is_empty() {
        return Ok(());
    }
    match response.body.json() {
        Ok(doc) => {
            whole::mask_numbers(doc, work, |_| false);
            whole::mask_strings(doc, work, |_| false);
            whole::restore_strings(doc, minted, |_| false);
            Ok(())
        }
        Err(JsonError::NotJson { .. }) if body_kind(&response.headers) != BodyKind::Json => {
            let text = std::str::from_utf8(response.body.original()).map_err(|_| Denial::UpstreamInvalidReply)?;
            let masked = work.text("", text);
            let restored = tokens::restore(masked.as_deref().unwrap_or(text), minted, Spelling::Plain);
            restored.or(masked).into_iter().for_each(|text| response.body.replace(Bytes::from(text)));
            Ok(())
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
        let request_body = !self.request.rules.is_empty();
        let response = self.comes_back || !self.response.rules.is_empty();
        Phases { request_body, response, ..Phases::default() }
    }

    async fn on_request_body(&self, head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        let mut tally = Tally::default();
        let mut minter = self.request.minter(exchange);
        let mut work = Work { rules: &self.request.rules, tally: &mut tally, minter: &mut minter };
        let mut masked = check_shape(head.headers, exchange.format, body)
            .and_then(|()| mask_request(head.headers, body, &self.paths, &mut work));
        if let (Ok(()), Some(direction), Some(query)) = (&masked, &self.query, exchange.query_of(head)) {
            work.rules = &direction.rules;
            match whole::mask_form(query, &mut work) {
                Ok(None) => {}
                Ok(changed) => exchange.query = changed,
                Err(NotUtf8) => masked = Err(QUERY_NOT_UTF8),
            }
        }
        exchange.minted = minter.minted;
        record(&tally, &mut exchange.report.masked_request);
        match masked {
            Err(denial) => Decision::Deny(denial),
            Ok(()) if tally.blocked => Decision::Deny(Denial::PiiBlocked),
            Ok(()) => Decision::Continue,
        }
    }

    fn on_response_head(&self, head: &ResponseHead<'_>, exchange: &mut Exchange) -> ResponseMode {
        match head.kind {
            _ if self.response.rules.is_empty() && exchange.minted.is_empty() => ResponseMode::Ignore,
            BodyKind::None => ResponseMode::Ignore,
            BodyKind::Json => ResponseMode::Gate,
            BodyKind::Sse | BodyKind::JsonLines | BodyKind::Text => {
                let minter = self.response.minter(exchange);
                let minted = exchange.minted.clone();
                ResponseMode::Stream(Box::new(stream::MaskStream::new(&self.response.rules, minter, minted)))
            }
            BodyKind::Other if is_binary(head.headers) => ResponseMode::Ignore,
            BodyKind::Other => ResponseMode::Gate,
        }
    }

    async fn on_response(&self, response: &mut WholeResponse, exchange: &mut Exchange) -> Decision {
        let mut tally = Tally::default();
        let mut minter = self.response.minter(exchange);
        let mut work = Work { rules: &self.response.rules, tally: &mut tally, minter: &mut minter };
        let masked = mask_reply(response, &mut work, &exchange.minted);
        record(&tally, &mut exchange.report.masked_response);
        match masked {
            Err(denial) => Decision::Deny(denial),
            Ok(()) if tally.blocked => Decision::Deny(Denial::ReplyPiiBlocked),
            Ok(()) => Decision::Continue,
        }
    }
}
