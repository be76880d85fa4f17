//! The event that carries a lane's held-back end to the client, in the lane's own protocol.
//!
//! It is made from the last event of that lane, already masked, so that ids, model and time are those of the stream. Members
//! that clients add up (roles, tool names, usage) are not repeated.

use super::lanes::Lane;
use crate::frame::Frame;
use crate::framers::json::{JsonDoc, JsonLimits, NodeId, text::quote};
use bytes::Bytes;

/// How events are wrapped in this stream.
#[derive(Clone, Debug)]
pub(super) enum Wrap {
    /// With this `event:` field.
    Sse(Option<String>),
    Line,
}

/// The last event of a lane, masked, with the place of the lane's piece in it.
#[derive(Debug)]
pub(super) struct Template {
    pub wrap: Wrap,
    pub json: Bytes,
    pub node: NodeId,
}

/// The event; `sequence` is its number in a stream that numbers its events.
pub(super) fn event(lane: &Lane, template: &Template, text: &str, sequence: Option<u64>) -> Option<Frame> {
    // It was parsed under the configured limits before.
    let limits = JsonLimits { depth_max: usize::MAX, nodes_max: usize::MAX };
    let mut doc = JsonDoc::parse(template.json.clone(), &limits).ok()?;
    let mut name = match &template.wrap {
        Wrap::Sse(name) => name.as_deref(),
        Wrap::Line => None,
    };
    let quoted = quote(text);
    match lane {
        Lane::Chat { choice, field } => {
            let delta = match *field {
                "function_call" => format!(r#"{{"function_call":{{"arguments":{quoted}}}}}"#),
                field => format!(r#"{{"{field}":{quoted}}}"#),
            };
            put_choice(&mut doc, *choice, &format!(r#""delta":{delta}"#));
        }
        Lane::ChatTool { choice, tool } => {
            let call = format!(r#"{{"index":{tool},"function":{{"arguments":{quoted}}}}}"#);
            put_choice(&mut doc, *choice, &format!(r#""delta":{{"tool_calls":[{call}]}}"#));
        }
        Lane::Completion { choice } => put_choice(&mut doc, *choice, &format!(r#""text":{quoted},"logprobs":null"#)),
        Lane::Block { index, field } => {
            let kind = match *field {
                "partial_json" => "input_json_delta",
                "thinking" => "thinking_delta",
                _ => "text_delta",
            };
            let delta = format!(r#"{{"type":"{kind}","{field}":{quoted}}}"#);
            let root = doc.root();
            doc.replace_raw(root, &format!(r#"{{"type":"content_block_delta","index":{index},"delta":{delta}}}"#));
            name = name.map(|_| "content_block_delta");
        }
        Lane::Candidate { index, thought } => {
            let thought = if *thought { r#","thought":true"# } else { "" };
            let content = format!(r#"{{"parts":[{{"text":{quoted}{thought}}}],"role":"model"}}"#);
            put(&mut doc, "candidates", &format!(r#"[{{"content":{content},"index":{index}}}]"#));
        }
        Lane::Response { .. } | Lane::Member { .. } => doc.replace_str(template.node, text),
    }
    if let Some(sequence) = sequence {
        put(&mut doc, "sequence_number", &sequence.to_string());
    }
    let bytes = doc.into_bytes();
    let json = std::str::from_utf8(&bytes).ok()?;
    Some(match template.wrap {
        Wrap::Sse(_) => Frame::sse_json(name, json),
        Wrap::Line => Frame::json_line(json),
    })
}

fn put_choice(doc: &mut JsonDoc, choice: u64, member: &str) {
    put(doc, "choices", &format!(r#"[{{"index":{choice},{member},"finish_reason":null}}]"#));
    // Usage is told once, by the event that brought it.
    put(doc, "usage", "null");
}

/// Replaces a member of the root if it is there.
fn put(doc: &mut JsonDoc, key: &str, json: &str) {
    if let Some(node) = doc.get(doc.root(), key) {
        doc.replace_raw(node, json);
    }
}
