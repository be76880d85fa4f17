//! How a stream that the gateway ends is ended in its own protocol: as if the answer had come to its maximum.
//!
//! The words are those of the protocol's own end for an answer that is as long as it may be, so that clients which never heard
//! of a gateway read it to its end. What they say of the stream (id, model, time) is taken from its first event.
//!
//! # Invariants
//! * A stream that is stopped ends as one of its protocol, with the reason `length` or what it is called there
//!   (`a_stopped_stream_ends_in_the_words_of_its_protocol`).
//! * A stream of no known protocol is not ended as if it were whole (`a_stream_of_no_known_protocol_is_cut`).

use crate::frame::{Frame, SseData, SseFrame};
use crate::framers::json::{JsonDoc, JsonKind, NodeId};
use bytes::Bytes;
use raptorgate_policies::Usage;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Answers of one stream whose ends are looked after.
const CHOICES_MAX: usize = 128;
/// Largest event that is remembered.
const EVENT_BYTES_MAX: usize = 64 << 10;

/// What is known of a stream that may have to be ended.
#[derive(Default)]
pub(super) struct Ending {
    kind: Kind,
    /// Answers of the stream, with whether they have ended.
    choices: BTreeMap<u64, bool>,
    /// Anthropic: the block that is open.
    block: Option<u64>,
    /// The event that the end is made from.
    event: Bytes,
    sequence: Option<u64>,
}

/// The protocols whose end is known.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Unknown,
    Chat,
    Completion,
    Anthropic,
    Responses,
    Gemini,
    Ollama,
}

impl Ending {
    /// Takes note of an event.
    pub fn saw(&mut self, doc: &JsonDoc, kind: &str) {
        let root = doc.root();
        if let Some(choices) = list(doc, "choices") {
            self.chat(doc, choices);
        } else if let Some(candidates) = list(doc, "candidates") {
            self.kind = Kind::Gemini;
            self.note_choices(doc, candidates, "finishReason");
            self.remember(doc);
        } else if kind.starts_with("response.") {
            self.kind = Kind::Responses;
            self.sequence = doc.get(root, "sequence_number").and_then(|n| doc.u64(n)).or(self.sequence);
            if doc.get(root, "response").is_some() {
                self.remember(doc);
            }
        } else if kind.starts_with("content_block_") || kind.starts_with("message_") {
            self.kind = Kind::Anthropic;
            let index = doc.get(root, "index").and_then(|n| doc.u64(n));
            match kind {
                "content_block_start" => self.block = index,
                "content_block_stop" => self.block = None,
                _ => {}
            }
        } else if doc.get(root, "done").is_some() {
            self.kind = Kind::Ollama;
            self.remember(doc);
        }
    }

    fn chat(&mut self, doc: &JsonDoc, choices: NodeId) {
        if let Some(first) = doc.items(choices).next() {
            self.kind = if doc.get(first, "delta").is_some() { Kind::Chat } else { Kind::Completion };
            self.remember(doc);
        }
        self.note_choices(doc, choices, "finish_reason");
    }

    fn note_choices(&mut self, doc: &JsonDoc, choices: NodeId, reason: &str) {
        for (choice, place) in doc.items(choices).zip(0..) {
            let index = doc.get(choice, "index").and_then(|n| doc.u64(n)).unwrap_or(place);
            let ended = doc.get(choice, reason).is_some_and(|n| doc.kind(n) == JsonKind::String);
            if self.choices.len() < CHOICES_MAX || self.choices.contains_key(&index) {
                let known = self.choices.entry(index).or_default();
                *known |= ended;
            }
        }
    }

    /// Keeps the first event of a stream: a copy, for it comes in a buffer that is much larger.
    fn remember(&mut self, doc: &JsonDoc) {
        if self.event.is_empty() && doc.source().len() <= EVENT_BYTES_MAX {
            self.event = Bytes::copy_from_slice(doc.source());
        }
    }

    /// The events that end the stream, with the one that comes last for its client; `None`: its protocol is not known.
    pub fn frames(&self, usage: Usage) -> Option<(Vec<Frame>, Option<Frame>)> {
        let first = self.first_event();
        match self.kind {
            Kind::Unknown => None,
            Kind::Chat | Kind::Completion => Some((self.chat_end(&first, usage), Some(done()))),
            Kind::Anthropic => Some(self.anthropic_end(usage)),
            Kind::Responses => Some((Vec::new(), Some(self.responses_end(&first, usage)))),
            Kind::Gemini => Some((vec![self.gemini_end(&first, usage)], None)),
            Kind::Ollama => Some((vec![ollama_end(&first, usage)], None)),
        }
    }

    fn first_event(&self) -> Value {
        // It was parsed under the configured limits before, so serde's own bound on depth is the only thing that can fail here.
        serde_json::from_slice(&self.event).unwrap_or_default()
    }

    fn open_choices(&self) -> impl Iterator<Item = u64> {
        self.choices.iter().filter(|(_, ended)| !**ended).map(|(index, _)| *index)
    }

    fn chat_end(&self, first: &Value, usage: Usage) -> Vec<Frame> {
        let choice = |index| match self.kind {
            Kind::Completion => json!({"index": index, "text": "", "logprobs": null, "finish_reason": "length"}),
            _ => json!({"index": index, "delta": {}, "finish_reason": "length"}),
        };
        let asked = first.get("usage").is_some();
        let mut event = taken(first, &["id", "object", "created", "model", "system_fingerprint", "service_tier"]);
        let mut frames = Vec::new();
        let mut push = |choices: Vec<Value>, usage: Value| {
            event.insert("choices".into(), choices.into());
            if asked {
                event.insert("usage".into(), usage);
            }
            frames.push(Frame::sse_json(None, &Value::Object(event.clone()).to_string()));
        };
        let open: Vec<Value> = self.open_choices().map(choice).collect();
        if !open.is_empty() {
            push(open, Value::Null);
        }
        if asked {
            push(
                Vec::new(),
                json!({"prompt_tokens": usage.input, "completion_tokens": usage.output, "total_tokens": usage.total()}),
            );
        }
        frames
    }

    fn anthropic_end(&self, usage: Usage) -> (Vec<Frame>, Option<Frame>) {
        let event = |value: Value| Frame::sse_json(value.get("type").and_then(Value::as_str), &value.to_string());
        let stop = self.block.map(|index| event(json!({"type": "content_block_stop", "index": index})));
        let delta = json!({
            "type": "message_delta", "delta": {"stop_reason": "max_tokens", "stop_sequence": null},
            "usage": {"output_tokens": usage.output},
        });
        (stop.into_iter().chain([event(delta)]).collect(), Some(event(json!({"type": "message_stop"}))))
    }

    fn responses_end(&self, first: &Value, usage: Usage) -> Frame {
        let mut response = first.get("response").and_then(Value::as_object).cloned().unwrap_or_default();
        response.insert("status".into(), "incomplete".into());
        response.insert("incomplete_details".into(), json!({"reason": "max_output_tokens"}));
        response.insert(
            "usage".into(),
            json!({
                "input_tokens": usage.input, "input_tokens_details": {"cached_tokens": usage.cached_input},
                "output_tokens": usage.output, "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": usage.total(),
            }),
        );
        let mut event = json!({"type": "response.incomplete", "response": response});
        if let (Some(sequence), Some(members)) = (self.sequence, event.as_object_mut()) {
            members.insert("sequence_number".into(), sequence.saturating_add(1).into());
        }
        Frame::sse_json(Some("response.incomplete"), &event.to_string())
    }

    fn gemini_end(&self, first: &Value, usage: Usage) -> Frame {
        let mut event = taken(first, &["modelVersion", "responseId", "createTime"]);
        let content = json!({"parts": [{"text": ""}], "role": "model"});
        let candidates: Vec<Value> = self
            .open_choices()
            .map(|index| json!({"content": content, "finishReason": "MAX_TOKENS", "index": index}))
            .collect();
        event.insert("candidates".into(), candidates.into());
        event.insert(
            "usageMetadata".into(),
            json!({
                "promptTokenCount": usage.input, "candidatesTokenCount": usage.output, "totalTokenCount": usage.total(),
            }),
        );
        Frame::sse_json(None, &Value::Object(event).to_string())
    }
}

fn ollama_end(first: &Value, usage: Usage) -> Frame {
    let mut event = taken(first, &["model", "created_at"]);
    if first.get("message").is_some() {
        event.insert("message".into(), json!({"role": "assistant", "content": ""}));
    } else {
        event.insert("response".into(), "".into());
    }
    let end = json!({
        "done": true, "done_reason": "length", "prompt_eval_count": usage.input, "eval_count": usage.output,
    });
    event.extend(end.as_object().cloned().unwrap_or_default());
    Frame::json_line(&Value::Object(event).to_string())
}

/// The members of an event that hold for all events of its stream.
fn taken(event: &Value, names: &[&str]) -> serde_json::Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), event.get(*name)?.clone()))).collect()
}

fn list(doc: &JsonDoc, name: &str) -> Option<NodeId> {
    doc.get(doc.root(), name).filter(|node| doc.kind(*node) == JsonKind::Array)
}

fn done() -> Frame {
    Frame::Sse(SseFrame { raw: Bytes::from_static(b"data: [DONE]\n\n"), event: None, data: SseData::Done })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framers::json::JsonLimits;
    use bytes::BytesMut;

    /// The end of a stream that consists of these events.
    fn end(events: &[Value]) -> Option<String> {
        let mut ending = Ending::default();
        for event in events {
            let doc = JsonDoc::parse(Bytes::from(event.to_string()), &JsonLimits::default()).unwrap();
            ending.saw(&doc, event["type"].as_str().unwrap_or_default());
        }
        let (frames, last) = ending.frames(Usage::claimed(9, 4, 0))?;
        let mut bytes = BytesMut::new();
        frames.into_iter().chain(last).for_each(|frame| frame.encode(&mut bytes));
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// The `data:` of each event, and the text of each line.
    fn values(end: &str) -> Vec<Value> {
        let data = end.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
        data.filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    #[test]
    fn a_stopped_stream_ends_in_the_words_of_its_protocol() {
        let chunk = |index: u64, reason: Value| {
            json!({"id": "c-1", "object": "chat.completion.chunk", "created": 7, "model": "m", "usage": null,
                   "choices": [{"index": index, "delta": {"content": "x"}, "finish_reason": reason}]})
        };
        let text = end(&[chunk(0, Value::Null), chunk(1, Value::Null), chunk(0, json!("stop"))]).unwrap();
        assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
        let seen = values(&text);
        assert_eq!(seen[0]["choices"], json!([{"index": 1, "delta": {}, "finish_reason": "length"}]), "0 has ended");
        assert_eq!((&seen[0]["id"], &seen[0]["model"], &seen[0]["usage"]), (&json!("c-1"), &json!("m"), &Value::Null));
        assert_eq!((&seen[1]["choices"], &seen[1]["usage"]["total_tokens"]), (&json!([]), &json!(13)));

        let completion = json!({"id": "c", "choices": [{"index": 0, "text": "x", "finish_reason": null}]});
        let text = end(&[completion]).unwrap();
        let seen = values(&text);
        assert_eq!((seen.len(), &seen[0]["choices"][0]["text"]), (1, &json!("")), "nobody asked for usage: {text}");

        let text = end(&[
            json!({"type": "message_start", "message": {"id": "m"}}),
            json!({"type": "content_block_start", "index": 2, "content_block": {"type": "text", "text": ""}}),
        ])
        .unwrap();
        let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!(names, ["content_block_stop", "message_delta", "message_stop"]);
        assert_eq!(values(&text)[1]["delta"]["stop_reason"], "max_tokens");
        assert_eq!(values(&text)[0]["index"], 2);

        let text = end(&[
            json!({"type": "response.created", "sequence_number": 0, "response": {"id": "r", "status": "in_progress"}}),
            json!({"type": "response.output_text.delta", "sequence_number": 5, "delta": "x"}),
        ])
        .unwrap();
        let seen = &values(&text)[0];
        assert_eq!((&seen["type"], &seen["sequence_number"]), (&json!("response.incomplete"), &json!(6)));
        assert_eq!((&seen["response"]["id"], &seen["response"]["status"]), (&json!("r"), &json!("incomplete")));

        let candidate =
            json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "index": 0}], "modelVersion": "g"});
        let seen = &values(&end(&[candidate]).unwrap())[0];
        assert_eq!(
            (&seen["candidates"][0]["finishReason"], &seen["modelVersion"]),
            (&json!("MAX_TOKENS"), &json!("g"))
        );

        let line = json!({"model": "l", "created_at": "t", "message": {"content": "x"}, "done": false});
        let seen = &values(&end(&[line]).unwrap())[0];
        assert_eq!(
            (&seen["done"], &seen["done_reason"], &seen["model"]),
            (&json!(true), &json!("length"), &json!("l"))
        );
    }

    #[test]
    fn a_stream_of_no_known_protocol_is_cut() {
        assert_eq!(end(&[json!({"delta": "x"})]), None);
        assert_eq!(end(&[]), None);
    }
}
