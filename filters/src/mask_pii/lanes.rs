//! Which texts of a streamed reply continue each other: the lanes of the known protocols.
//!
//! A lane is read from the shape of each event and not from the route's format, so that a backend that speaks another
//! protocol than its route says is masked all the same.
//!
//! # Invariants
//! * Every string of an event is either a piece of a lane or masked by itself (`a_thousand_texts_survive_no_protocol_wherever_they_are_cut`).

use crate::framers::json::{JsonDoc, JsonKind, NodeId};

/// Longest name taken from an event into a key.
const NAME_BYTES_MAX: usize = 64;

/// Members of an unknown event that usually carry the next piece of a text.
const PIECES: &[&str] = &["delta", "token", "chunk", "text", "content"];

/// Which text a piece continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// OpenAI chat completions: `choices[].delta.<field>`.
    Chat { choice: u64, field: &'static str },
    /// OpenAI completions: `choices[].text`.
    Completion { choice: u64 },
    /// OpenAI chat completions: `choices[].delta.tool_calls[].function.arguments`.
    ChatTool { choice: u64, tool: u64 },
    /// OpenAI responses: events of one name without its `.delta`, for one part of one item.
    Response { name: String, item: u64, part: u64 },
    /// Anthropic messages: `delta.<field>` of the block.
    Block { index: u64, field: &'static str },
    /// Gemini: the texts of one candidate, its thoughts apart.
    Candidate { index: u64, thought: bool },
    /// A member of an unknown event, or of one of Ollama or llama.cpp; the path from the root.
    Member { path: &'static [&'static str] },
}

/// Which lanes an event ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    All,
    Choice(u64),
    Block(u64),
    Candidate(u64),
    /// All parts of an item, or one part of it.
    Response {
        item: u64,
        part: Option<(String, u64)>,
    },
}

impl End {
    pub fn covers(&self, lane: &Lane) -> bool {
        match (self, lane) {
            (Self::All, _) => true,
            (
                Self::Choice(ended),
                Lane::Chat { choice, .. } | Lane::Completion { choice } | Lane::ChatTool { choice, .. },
            ) => ended == choice,
            (Self::Block(ended), Lane::Block { index, .. })
            | (Self::Candidate(ended), Lane::Candidate { index, .. }) => ended == index,
            (Self::Response { item, part: None }, Lane::Response { item: mine, .. }) => item == mine,
            (Self::Response { item, part: Some((name, part)) }, Lane::Response { name: n, item: i, part: p }) => {
                (item, name, part) == (i, n, p)
            }
            (Self::Choice(_) | Self::Block(_) | Self::Candidate(_) | Self::Response { .. }, _) => false,
        }
    }
}

/// What an event means for the lanes.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Pieces in the order of their texts.
    pub pieces: Vec<(Lane, NodeId)>,
    /// Lanes that end with this event, after its own pieces.
    pub ends: Vec<End>,
}

impl Reading {
    pub fn ends(&self, lane: &Lane) -> bool {
        self.ends.iter().any(|end| end.covers(lane))
    }

    fn piece(&mut self, doc: &JsonDoc, lane: Lane, node: Option<NodeId>) {
        if let Some(node) = node.filter(|n| doc.kind(*n) == JsonKind::String) {
            self.pieces.push((lane, node));
        }
    }
}

/// Reads one event.
pub(crate) fn read(doc: &JsonDoc) -> Reading {
    let mut reading = Reading::default();
    let root = doc.root();
    let kind = doc.get(root, "type").and_then(|n| doc.str(n)).unwrap_or_default();
    if let Some(choices) = doc.get(root, "choices").filter(|n| doc.kind(*n) == JsonKind::Array) {
        chat(doc, choices, &mut reading);
    } else if let Some(candidates) = doc.get(root, "candidates").filter(|n| doc.kind(*n) == JsonKind::Array) {
        gemini(doc, candidates, &mut reading);
    } else if let Some(name) = kind.strip_prefix("response.") {
        responses(doc, name, &mut reading);
    } else if kind.starts_with("content_block_") || kind.starts_with("message_") {
        anthropic(doc, &kind, &mut reading);
    } else {
        other(doc, &mut reading);
    }
    reading
}

/// `index` of a list's element, else its place.
fn index(doc: &JsonDoc, element: NodeId, place: u64) -> u64 {
    number(doc, element, "index").unwrap_or(place)
}

fn number(doc: &JsonDoc, object: NodeId, key: &str) -> Option<u64> {
    doc.get(object, key).and_then(|n| doc.u64(n))
}

fn at(doc: &JsonDoc, from: NodeId, path: &[&str]) -> Option<NodeId> {
    path.iter().try_fold(from, |node, key| doc.get(node, key))
}

fn is_string(doc: &JsonDoc, object: NodeId, key: &str) -> bool {
    doc.get(object, key).is_some_and(|n| doc.kind(n) == JsonKind::String)
}

fn chat(doc: &JsonDoc, choices: NodeId, reading: &mut Reading) {
    for (element, place) in doc.items(choices).zip(0..) {
        let choice = index(doc, element, place);
        reading.piece(doc, Lane::Completion { choice }, doc.get(element, "text"));
        if let Some(delta) = doc.get(element, "delta") {
            for field in ["content", "reasoning_content", "reasoning", "refusal"] {
                reading.piece(doc, Lane::Chat { choice, field }, doc.get(delta, field));
            }
            let called = at(doc, delta, &["function_call", "arguments"]);
            reading.piece(doc, Lane::Chat { choice, field: "function_call" }, called);
            let tools = doc.get(delta, "tool_calls").into_iter().flat_map(|list| doc.items(list));
            for (call, place) in tools.zip(0..) {
                let lane = Lane::ChatTool { choice, tool: index(doc, call, place) };
                reading.piece(doc, lane, at(doc, call, &["function", "arguments"]));
            }
        }
        if is_string(doc, element, "finish_reason") {
            reading.ends.push(End::Choice(choice));
        }
    }
}

fn gemini(doc: &JsonDoc, candidates: NodeId, reading: &mut Reading) {
    for (element, place) in doc.items(candidates).zip(0..) {
        let candidate = index(doc, element, place);
        let parts = at(doc, element, &["content", "parts"]).into_iter().flat_map(|list| doc.items(list));
        for part in parts {
            let thought = doc.get(part, "thought").and_then(|n| doc.bool(n)) == Some(true);
            reading.piece(doc, Lane::Candidate { index: candidate, thought }, doc.get(part, "text"));
        }
        if is_string(doc, element, "finishReason") {
            reading.ends.push(End::Candidate(candidate));
        }
    }
}

/// `name`: the event's type without `response.`.
fn responses(doc: &JsonDoc, name: &str, reading: &mut Reading) {
    let root = doc.root();
    let item = number(doc, root, "output_index").unwrap_or(0);
    let part = number(doc, root, "content_index").or_else(|| number(doc, root, "summary_index")).unwrap_or(0);
    if let Some(name) = name.strip_suffix(".delta").filter(|n| n.len() <= NAME_BYTES_MAX) {
        reading.piece(doc, Lane::Response { name: name.to_owned(), item, part }, doc.get(root, "delta"));
    } else if name == "output_item.done" {
        reading.ends.push(End::Response { item, part: None });
    } else if let Some(name) = name.strip_suffix(".done") {
        reading.ends.push(End::Response { item, part: Some((name.to_owned(), part)) });
    } else if matches!(name, "completed" | "incomplete" | "failed" | "cancelled") {
        reading.ends.push(End::All);
    }
}

fn anthropic(doc: &JsonDoc, kind: &str, reading: &mut Reading) {
    let root = doc.root();
    let index = number(doc, root, "index").unwrap_or(0);
    match kind {
        "content_block_start" | "content_block_delta" => {
            let holder = if kind == "content_block_start" { "content_block" } else { "delta" };
            for field in ["text", "partial_json", "thinking"] {
                reading.piece(doc, Lane::Block { index, field }, at(doc, root, &[holder, field]));
            }
        }
        "content_block_stop" => reading.ends.push(End::Block(index)),
        "message_delta" | "message_stop" => reading.ends.push(End::All),
        _ => {}
    }
}

/// Ollama, llama.cpp, and streams of somebody's own.
fn other(doc: &JsonDoc, reading: &mut Reading) {
    let root = doc.root();
    let flag = |key| doc.get(root, key).and_then(|n| doc.bool(n));
    if doc.kind(root) == JsonKind::String {
        return reading.piece(doc, Lane::Member { path: &[] }, Some(root));
    }
    if flag("done").is_some() {
        for path in [&["response"][..], &["thinking"], &["message", "content"], &["message", "thinking"]] {
            reading.piece(doc, Lane::Member { path }, at(doc, root, path));
        }
    } else {
        for key in PIECES {
            reading.piece(doc, Lane::Member { path: std::slice::from_ref(key) }, doc.get(root, key));
        }
        reading.piece(doc, Lane::Member { path: &["token", "text"] }, at(doc, root, &["token", "text"]));
    }
    if flag("done") == Some(true) || flag("stop") == Some(true) {
        reading.ends.push(End::All);
    }
}
