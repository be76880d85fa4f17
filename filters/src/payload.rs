//! A whole body: its bytes, and its JSON parsed at most once, shared by all filters.
//!
//! # Invariants
//! * Bytes outside a change are forwarded as they came (`an_edit_changes_only_its_own_bytes`).

use crate::framers::json::{JsonDoc, JsonError, JsonLimits};
use bytes::Bytes;

/// A whole body.
#[derive(Debug)]
pub struct Payload {
    bytes: Bytes,
    limits: JsonLimits,
    state: State,
}

#[derive(Debug)]
enum State {
    Unread,
    Json(JsonDoc),
    Failed(JsonError),
}

impl Payload {
    /// Takes a body as it was received.
    pub fn new(bytes: Bytes, limits: JsonLimits) -> Self {
        Self { bytes, limits, state: State::Unread }
    }

    /// The bytes as received or last replaced, without pending edits.
    pub fn original(&self) -> &Bytes {
        &self.bytes
    }

    /// The bounds of its parse.
    pub fn limits(&self) -> JsonLimits {
        self.limits
    }

    /// The body as JSON, parsed at the first call.
    pub fn json(&mut self) -> Result<&mut JsonDoc, JsonError> {
        if matches!(self.state, State::Unread) {
            self.state = match JsonDoc::parse(self.bytes.clone(), &self.limits) {
                Ok(doc) => State::Json(doc),
                Err(e) => State::Failed(e),
            };
        }
        match &mut self.state {
            State::Json(doc) => Ok(doc),
            State::Failed(e) => Err(e.clone()),
            State::Unread => Err(JsonError::NotJson { at: 0 }),
        }
    }

    /// Replaces the whole body.
    pub fn replace(&mut self, bytes: Bytes) {
        self.bytes = bytes;
        self.state = State::Unread;
    }

    /// The body with all edits applied.
    pub fn into_bytes(self) -> Bytes {
        match self.state {
            State::Json(doc) => doc.into_bytes(),
            State::Unread | State::Failed(_) => self.bytes,
        }
    }
}
