//! What the meter reads in a request, and what it adds.
//!
//! # Invariants
//! * Only a streamed chat completion is made to tell its usage, and only by `stream_options.include_usage`
//!   (`usage_is_asked_for_in_streamed_chats_only`).
//! * Where money is held for a request, its answer has a maximum: its own, or one that is added
//!   (`an_answer_without_a_maximum_is_given_one`).

use super::output;
use crate::exchange::MeteringNotes;
use crate::filter::{BodyKind, RequestHead};
use crate::framers::json::{JsonDoc, JsonKind};
use crate::payload::Payload;
use crate::read_body::{body_kind, check_coding, json_denial};
use crate::texts;
use raptorgate_config::model::{ApiFormat, Meter};
use raptorgate_policies::Denial;
use std::sync::Arc;

/// Bytes of text that are taken for a token where nobody counts.
const BYTES_PER_TOKEN: u64 = 4;

/// Longest name of a model that is kept.
const MODEL_BYTES_MAX: usize = 256;

/// Reads a request. JSON that two readers could understand differently is refused: what is charged is what was asked.
/// Bodies of other types pass unread.
pub(super) fn read(
    head: &RequestHead<'_>,
    body: &mut Payload,
    block: &Meter,
    cap: OutputCap,
) -> Result<MeteringNotes, Denial> {
    let mut notes = MeteringNotes { model: model_in_path(head.path), ..MeteringNotes::default() };
    if body.original().is_empty() {
        return Ok(notes);
    }
    notes.input_estimate = 1;
    // No token is shorter than a byte of the text that it stands for.
    notes.input_max = body.original().len() as u64;
    notes.output_max = block.output_tokens_max;
    match body_kind(head.headers) {
        BodyKind::Json => {}
        BodyKind::None | BodyKind::Sse | BodyKind::JsonLines | BodyKind::Text | BodyKind::Other => return Ok(notes),
    }
    check_coding(head.headers)?;
    let doc = body.json().map_err(|e| json_denial(&e))?;
    let named = doc.get(doc.root(), "model").and_then(|n| doc.str(n)).filter(|name| name.len() <= MODEL_BYTES_MAX);
    if let Some(name) = named {
        notes.model = Some(Arc::from(&*name));
    }
    notes.input_estimate = estimate(doc, block.format);
    notes.output_max = output::bound(doc, block, cap);
    notes.streamed = streams(doc) || head.path.contains(":streamGenerateContent");
    notes.asked_usage = block.request_usage && block.format == ApiFormat::OpenAi && ask_usage(doc);
    Ok(notes)
}

/// What becomes of a request that does not say how long its answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputCap {
    /// It stays as it is.
    Leave,
    /// It is given the maximum of the route: money is held for so much and no more.
    Set,
}

fn estimate(doc: &JsonDoc, format: ApiFormat) -> u64 {
    let bytes = |place: &texts::Place| doc.str(place.node).map_or(0, |text| text.len() as u64);
    let total: u64 = texts::places(doc, format).iter().map(bytes).sum();
    total.div_ceil(BYTES_PER_TOKEN).max(1)
}

fn streams(doc: &JsonDoc) -> bool {
    doc.get(doc.root(), "stream").and_then(|n| doc.bool(n)) == Some(true)
}

/// Makes a streamed chat completion tell its usage; true if it would not have.
fn ask_usage(doc: &mut JsonDoc) -> bool {
    let root = doc.root();
    let completion = doc.get(root, "messages").or_else(|| doc.get(root, "prompt")).is_some();
    if !streams(doc) || !completion {
        return false;
    }
    let Some(options) = doc.get(root, "stream_options") else {
        doc.insert_member(root, "stream_options", r#"{"include_usage":true}"#);
        return true;
    };
    match (doc.kind(options), doc.get(options, "include_usage")) {
        (JsonKind::Object, None) => doc.insert_member(options, "include_usage", "true"),
        (JsonKind::Object, Some(told)) if doc.bool(told) == Some(true) => return false,
        (JsonKind::Object, Some(told)) => doc.replace_raw(told, "true"),
        (JsonKind::Null, _) => doc.replace_raw(options, r#"{"include_usage":true}"#),
        // No valid request: the upstream's to refuse.
        (JsonKind::Array | JsonKind::String | JsonKind::Number | JsonKind::Bool, _) => return false,
    }
    true
}

/// Gemini names the model in the path: `/v1beta/models/NAME:generateContent`.
fn model_in_path(path: &str) -> Option<Arc<str>> {
    let (_, rest) = path.rsplit_once("/models/")?;
    let (name, _) = rest.split_once(':')?;
    (!name.is_empty() && name.len() <= MODEL_BYTES_MAX).then(|| Arc::from(name))
}
