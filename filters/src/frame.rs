//! The parts a streamed reply is made of, each parsed once and shared by all transforms.

use crate::framers::json::JsonDoc;
use bytes::Bytes;

/// One part of a reply.
#[derive(Debug)]
pub enum Frame {
    /// One server-sent event, or a comment block, with its terminating blank line.
    Sse(SseFrame),
    /// One line of JSON lines.
    JsonLine(JsonLine),
    /// A piece of plain text, never cut inside a character.
    Text(String),
    /// Bytes that nobody reads: not UTF-8, or of a kind without framer.
    Raw(Bytes),
}

/// One server-sent event.
#[derive(Debug)]
pub struct SseFrame {
    /// The bytes as they came, terminating blank line included. Sent as they are unless `json` was changed.
    pub raw: Bytes,
    /// `event:` field.
    pub event: Option<String>,
    /// What `data:` holds.
    pub data: SseData,
}

/// The data of an event.
#[derive(Debug)]
pub enum SseData {
    /// A comment, or an event without data.
    None,
    /// `[DONE]`, the terminator of OpenAI's streams.
    Done,
    /// A JSON text.
    Json(JsonDoc),
    /// Any other text: the `data:` lines joined by newlines.
    Text(String),
}

/// One line of JSON lines.
#[derive(Debug)]
pub struct JsonLine {
    /// The bytes as they came, newline included.
    pub raw: Bytes,
    /// The parsed line; `None` for an empty line.
    pub json: Option<JsonDoc>,
}
