//! What an upstream says about tokens, in each known shape.
//!
//! The shape is read from the reply and not from the route's format: a backend that speaks another protocol than its
//! route says is metered all the same.
//!
//! # Invariants
//! * Cached tokens are part of the input, whether the protocol counts them in or apart
//!   (`each_protocol_tells_its_tokens`).
//! * A later count replaces an earlier one, member by member (`later_counts_replace_earlier_ones`).

use crate::framers::json::{JsonDoc, JsonKind, NodeId};
use raptorgate_policies::Usage;
use std::borrow::Cow;

/// Counts, as far as they were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Claim {
    input: Option<u64>,
    output: Option<u64>,
    /// Part of `input`.
    cached: Option<u64>,
    /// Anthropic: read from the cache, not part of `input`.
    cache_read: Option<u64>,
    /// Anthropic: written to the cache, not part of `input`.
    cache_written: Option<u64>,
}

impl Claim {
    /// The counts in a reply or an event; `None` if it tells none.
    pub fn read(doc: &JsonDoc) -> Option<Self> {
        let root = doc.root();
        let inside = |key| doc.get(root, key).and_then(|n| doc.get(n, "usage"));
        let holder = doc.get(root, "usage").filter(|n| doc.kind(*n) == JsonKind::Object);
        let told = if let Some(usage) = holder.or_else(|| inside("response")).or_else(|| inside("message")) {
            Self::usage_object(doc, usage)
        } else if let Some(metadata) = doc.get(root, "usageMetadata") {
            Self::gemini(doc, metadata)
        } else {
            // Ollama
            let (input, output) = (number(doc, root, "prompt_eval_count"), number(doc, root, "eval_count"));
            Self { input, output, ..Self::default() }
        };
        (told != Self::default()).then_some(told)
    }

    /// OpenAI's two shapes and Anthropic's one.
    fn usage_object(doc: &JsonDoc, usage: NodeId) -> Self {
        let any = |names: [&str; 2]| names.iter().find_map(|name| number(doc, usage, name));
        let details = ["prompt_tokens_details", "input_tokens_details"];
        let cached = details.iter().find_map(|name| number(doc, doc.get(usage, name)?, "cached_tokens"));
        Self {
            input: any(["prompt_tokens", "input_tokens"]),
            output: any(["completion_tokens", "output_tokens"]),
            cached,
            cache_read: number(doc, usage, "cache_read_input_tokens"),
            cache_written: number(doc, usage, "cache_creation_input_tokens"),
        }
    }

    fn gemini(doc: &JsonDoc, metadata: NodeId) -> Self {
        Self {
            input: sum(number(doc, metadata, "promptTokenCount"), number(doc, metadata, "toolUsePromptTokenCount")),
            output: sum(number(doc, metadata, "candidatesTokenCount"), number(doc, metadata, "thoughtsTokenCount")),
            cached: number(doc, metadata, "cachedContentTokenCount"),
            ..Self::default()
        }
    }

    /// Takes a later claim.
    pub fn update(&mut self, later: Self) {
        *self = Self {
            input: later.input.or(self.input),
            output: later.output.or(self.output),
            cached: later.cached.or(self.cached),
            cache_read: later.cache_read.or(self.cache_read),
            cache_written: later.cache_written.or(self.cache_written),
        };
    }

    /// True if the prompt's tokens were told.
    pub fn tells_input(&self) -> bool {
        self.input.is_some()
    }

    /// The counts, 0 where none was told.
    pub fn usage(&self) -> Usage {
        let beside = sum(self.cache_read, self.cache_written);
        let cached = sum(self.cached, self.cache_read);
        Usage::claimed(
            sum(self.input, beside).unwrap_or_default(),
            self.output.unwrap_or_default(),
            cached.unwrap_or_default(),
        )
    }
}

fn number(doc: &JsonDoc, object: NodeId, key: &str) -> Option<u64> {
    doc.get(object, key).and_then(|n| doc.u64(n))
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or_default().saturating_add(other.unwrap_or_default())),
    }
}

/// The model that a reply or an event names.
pub(super) fn model(doc: &JsonDoc) -> Option<Cow<'_, str>> {
    let root = doc.root();
    let inside = |key| doc.get(root, key).and_then(|n| doc.get(n, "model"));
    let node = doc.get(root, "model").or_else(|| doc.get(root, "modelVersion"));
    node.or_else(|| inside("response")).or_else(|| inside("message")).and_then(|n| doc.str(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framers::json::JsonLimits;
    use bytes::Bytes;

    fn claim(json: &str) -> Option<Claim> {
        let doc = JsonDoc::parse(Bytes::copy_from_slice(json.as_bytes()), &JsonLimits::default()).unwrap();
        Claim::read(&doc)
    }

    #[test]
    fn each_protocol_tells_its_tokens() {
        for (json, usage) in [
            (
                r#"{"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}}"#,
                (9, 2, 4),
            ),
            (
                r#"{"response":{"usage":{"input_tokens":9,"output_tokens":2,"input_tokens_details":{"cached_tokens":4}}}}"#,
                (9, 2, 4),
            ),
            (
                r#"{"usage":{"input_tokens":5,"output_tokens":2,"cache_read_input_tokens":3,"cache_creation_input_tokens":1}}"#,
                (9, 2, 3),
            ),
            (r#"{"message":{"usage":{"input_tokens":5,"output_tokens":1}}}"#, (5, 1, 0)),
            (
                r#"{"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":2,"thoughtsTokenCount":3,"cachedContentTokenCount":4}}"#,
                (9, 5, 4),
            ),
            (r#"{"done":true,"prompt_eval_count":9,"eval_count":2}"#, (9, 2, 0)),
            (r#"{"usage":{"prompt_tokens":1,"completion_tokens":99999999999999999999}}"#, (1, 0, 0)),
        ] {
            let (input, output, cached_input) = usage;
            assert_eq!(claim(json).unwrap().usage(), Usage { input, output, cached_input }, "{json}");
        }
        for none in [r#"{"usage":null}"#, r#"{"usage":{}}"#, r#"{"usage":"9"}"#, "[]", r#"{"choices":[]}"#] {
            assert_eq!(claim(none), None, "{none}");
        }
    }

    #[test]
    fn later_counts_replace_earlier_ones() {
        let mut first =
            claim(r#"{"message":{"usage":{"input_tokens":5,"output_tokens":1,"cache_read_input_tokens":2}}}"#).unwrap();
        first.update(claim(r#"{"usage":{"output_tokens":7}}"#).unwrap());
        assert_eq!(first.usage(), Usage { input: 7, output: 7, cached_input: 2 });
    }
}
