//! The protocols of streamed replies: how a text in pieces is sent, and how a client puts it together.

#![allow(dead_code, reason = "each test binary uses its part of this module")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "helpers of tests stand outside of test functions")]

use crate::dev_data::all;
use crate::driver::{events, filter, stream_bytes};
use raptorgate_config::model::PiiAction;
use raptorgate_filters::filter::BodyKind;
use raptorgate_guards::pii::{Masker, Rules, Tally};
use serde_json::{Value, json};

pub const MASK: PiiAction = PiiAction::Mask { keep_last: 4 };

pub fn whole(text: &str) -> String {
    Masker::whole(&Rules::new(&all(MASK)), text, &mut Tally::default()).unwrap_or_else(|| text.to_owned())
}

/// A protocol: how a text in pieces is sent, and how a client puts it together from the events it gets.
pub struct Protocol {
    pub name: &'static str,
    kind: BodyKind,
    pub send: fn(&[&str]) -> String,
    read: fn(&Value) -> Option<String>,
}

pub fn sse(events: impl IntoIterator<Item = Value>) -> String {
    events.into_iter().map(|event| format!("data: {event}\n\n")).collect()
}

pub fn text_at(event: &Value, path: &str) -> Option<String> {
    event.pointer(path)?.as_str().map(str::to_owned)
}

pub const PROTOCOLS: &[Protocol] = &[
    Protocol {
        name: "OpenAI chat",
        kind: BodyKind::Sse,
        send: |pieces| {
            let chunk = |delta: Value, end: Value| json!({"id":"chatcmpl-1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":delta,"finish_reason":end}]});
            let middle = pieces.iter().map(|p| chunk(json!({"content":p}), Value::Null));
            let first = chunk(json!({"role":"assistant","content":""}), Value::Null);
            sse([first].into_iter().chain(middle).chain([chunk(json!({}), json!("stop"))])) + "data: [DONE]\n\n"
        },
        read: |event| text_at(event, "/choices/0/delta/content"),
    },
    Protocol {
        name: "OpenAI chat without finish",
        kind: BodyKind::Sse,
        send: |pieces| sse(pieces.iter().map(|p| json!({"choices":[{"delta":{"content":p}}]}))) + "data: [DONE]\n\n",
        read: |event| text_at(event, "/choices/0/delta/content"),
    },
    Protocol {
        name: "OpenAI tool call",
        kind: BodyKind::Sse,
        send: |pieces| {
            let call =
                |p| json!({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":p}}]}}]});
            sse(pieces.iter().map(call))
                + "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n"
        },
        read: |event| text_at(event, "/choices/0/delta/tool_calls/0/function/arguments"),
    },
    Protocol {
        name: "OpenAI responses",
        kind: BodyKind::Sse,
        send: |pieces| {
            let delta = |(p, n): (&&str, u32)| json!({"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"content_index":0,"sequence_number":n,"delta":p});
            let done = json!({"type":"response.output_text.done","item_id":"msg_1","output_index":0,"content_index":0,"sequence_number":pieces.len(),"text":pieces.concat()});
            let end = json!({"type":"response.completed","sequence_number":pieces.len() + 1,"response":{"output":[{"content":[{"text":pieces.concat()}]}]}});
            sse(pieces.iter().zip(0..).map(delta).chain([done, end]))
        },
        read: |event| text_at(event, "/delta"),
    },
    Protocol {
        name: "Anthropic",
        kind: BodyKind::Sse,
        send: |pieces| {
            let event = |v: Value| format!("event: {}\ndata: {v}\n\n", v["type"].as_str().unwrap_or_default());
            let delta = |p: &&str| {
                event(json!({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":p}}))
            };
            let start =
                event(json!({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}));
            let stop = event(json!({"type":"content_block_stop","index":1}));
            start + &pieces.iter().map(delta).collect::<String>() + &stop + &event(json!({"type":"message_stop"}))
        },
        read: |event| text_at(event, "/delta/text"),
    },
    Protocol {
        name: "Gemini",
        kind: BodyKind::Sse,
        send: |pieces| {
            let mut events: Vec<Value> = pieces
                .iter()
                .map(|p| json!({"candidates":[{"content":{"parts":[{"text":p}],"role":"model"}}]}))
                .collect();
            // The last event carries text and the end at once.
            if let Some(last) = events.last_mut() {
                last["candidates"][0]["finishReason"] = json!("STOP");
            }
            sse(events)
        },
        read: |event| text_at(event, "/candidates/0/content/parts/0/text"),
    },
    Protocol {
        name: "Ollama",
        kind: BodyKind::JsonLines,
        send: |pieces| {
            let line = |p: &&str| {
                json!({"model":"m","message":{"role":"assistant","content":p},"done":false}).to_string() + "\n"
            };
            pieces.iter().map(line).collect::<String>() + "{\"model\":\"m\",\"done\":true,\"eval_count\":3}\n"
        },
        read: |event| text_at(event, "/message/content"),
    },
    Protocol {
        name: "somebody's own",
        kind: BodyKind::Sse,
        send: |pieces| sse(pieces.iter().map(|p| json!({"delta":p}))),
        read: |event| text_at(event, "/delta"),
    },
];

impl Protocol {
    pub fn received(&self, stream: &[&[u8]]) -> (String, String) {
        let out = stream_bytes(&filter(&[], &all(MASK)), self.kind, stream);
        let raw = String::from_utf8(out).unwrap();
        let text = events(self.kind, &raw).iter().filter_map(self.read).collect();
        (text, raw)
    }
}

/// The pieces of a text cut before each of these characters.
pub fn pieces<'a>(text: &'a str, cuts: &[usize]) -> Vec<&'a str> {
    let place = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    let mut from = 0;
    let mut parts = Vec::new();
    for cut in cuts {
        parts.push(&text[from..place(*cut)]);
        from = place(*cut);
    }
    parts.push(&text[from..]);
    parts
}
