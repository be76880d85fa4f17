//! How long an answer may be at most, as its request says.

use super::request::OutputCap;
use crate::framers::json::{JsonDoc, JsonKind, NodeId};
use raptorgate_config::model::{ApiFormat, Meter};

/// Members that bound an answer, and those that ask for several answers at once.
const MAXIMA: [&str; 4] = ["max_completion_tokens", "max_tokens", "max_output_tokens", "max_tokens_to_sample"];
const COUNTS: [&str; 2] = ["n", "best_of"];

/// Most answers that are believed to be asked for at once.
const COUNT_MAX: u64 = 1_000;

/// Tokens of all answers together; adds a maximum to a request that has none, if `cap` says so.
pub(super) fn bound(doc: &mut JsonDoc, block: &Meter, cap: OutputCap) -> u64 {
    let root = doc.root();
    let (holder, maxima, counts): (Option<NodeId>, &[&str], &[&str]) = match block.format {
        ApiFormat::Gemini => (object(doc, root, "generationConfig"), &["maxOutputTokens"], &["candidateCount"]),
        ApiFormat::OpenAi | ApiFormat::OpenAiResponses | ApiFormat::Anthropic | ApiFormat::Json => {
            (Some(root), &MAXIMA, &COUNTS)
        }
    };
    let count = holder.map_or(1, |holder| largest(doc, holder, counts).unwrap_or(1).clamp(1, COUNT_MAX));
    // Of two that contradict each other, nobody knows which one the upstream takes.
    let told = holder.and_then(|holder| largest(doc, holder, maxima));
    let each = match (told, member(doc, block.format)) {
        (Some(told), _) => told,
        // nothing that answers with tokens: embeddings
        (None, None) => return 0,
        (None, Some(member)) => {
            if cap == OutputCap::Set {
                add(doc, block.format, member, block.output_tokens_max);
            }
            block.output_tokens_max
        }
    };
    each.saturating_mul(count)
}

fn object(doc: &JsonDoc, holder: NodeId, key: &str) -> Option<NodeId> {
    doc.get(holder, key).filter(|node| doc.kind(*node) == JsonKind::Object)
}

fn largest(doc: &JsonDoc, holder: NodeId, names: &[&str]) -> Option<u64> {
    names.iter().filter_map(|name| doc.get(holder, name).and_then(|node| doc.u64(node))).max()
}

/// The member that bounds the answer to such a request; `None`: it is answered without tokens.
fn member(doc: &JsonDoc, format: ApiFormat) -> Option<&'static str> {
    let has = |key| doc.get(doc.root(), key).is_some();
    match format {
        ApiFormat::OpenAi if has("messages") => Some("max_completion_tokens"),
        ApiFormat::OpenAi if has("prompt") => Some("max_tokens"),
        ApiFormat::OpenAi => None,
        ApiFormat::OpenAiResponses => Some("max_output_tokens"),
        ApiFormat::Gemini => Some("maxOutputTokens"),
        // required by the protocol: a request without it is the upstream's to refuse
        ApiFormat::Anthropic | ApiFormat::Json => Some("max_tokens"),
    }
}

fn add(doc: &mut JsonDoc, format: ApiFormat, member: &'static str, tokens: u64) {
    let root = doc.root();
    match format {
        ApiFormat::Gemini => match doc.get(root, "generationConfig") {
            Some(config) if doc.kind(config) == JsonKind::Object => {
                doc.insert_member(config, member, &tokens.to_string());
            }
            // no valid request: the upstream's to refuse
            Some(_) => {}
            None => doc.insert_member(root, "generationConfig", &format!("{{\"{member}\":{tokens}}}")),
        },
        ApiFormat::OpenAi | ApiFormat::OpenAiResponses => doc.insert_member(root, member, &tokens.to_string()),
        ApiFormat::Anthropic | ApiFormat::Json => {}
    }
}
