//! One strict parse of a JSON text: a flat tape of nodes with byte spans, and edits kept beside it.
//!
//! What is judged, billed and forwarded comes from this one parse, so everything on which two readers could disagree is
//! refused (RFC 8259 and I-JSON, RFC 7493): a byte order mark, bytes after the value, duplicate keys compared after
//! decoding, lone surrogates, invalid UTF-8, too much depth.
//!
//! # Invariants
//! * Bytes outside an edit leave as they came (`an_edit_changes_only_its_own_bytes`).
//! * Time and memory are linear in the text, whatever it holds (`hostile_texts_are_refused_in_linear_time`).
//! * No recursion: depth costs heap, not stack (`depth_is_bounded`).

mod edit;
mod parse;
pub mod text;

use bytes::Bytes;
use edit::{Edit, Edits};
use std::borrow::Cow;

/// Bounds of one parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonLimits {
    /// Deepest nesting of arrays and objects.
    pub depth_max: usize,
    /// Most values and keys.
    pub nodes_max: usize,
}

impl Default for JsonLimits {
    fn default() -> Self {
        Self { depth_max: 64, nodes_max: 1_000_000 }
    }
}

/// Why a text was refused; `at` is a byte offset into it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not one JSON value.
    #[error("not JSON at byte {at}")]
    NotJson {
        /// Where.
        at: usize,
    },
    /// The same member twice in one object.
    #[error("duplicate key at byte {at}")]
    DuplicateKey {
        /// Where the second one stands.
        at: usize,
    },
    /// Nested deeper than the limit.
    #[error("nested too deep at byte {at}")]
    TooDeep {
        /// Where.
        at: usize,
    },
    /// More values than the limit.
    #[error("too many values at byte {at}")]
    TooLarge {
        /// Where.
        at: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8 at byte {at}")]
    NotUtf8 {
        /// Where.
        at: usize,
    },
}

/// A value of a [`JsonDoc`]; only meaningful with the document it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    /// `{}`
    Object,
    /// `[]`
    Array,
    /// `""`
    String,
    /// `0`
    Number,
    /// `true`, `false`
    Bool,
    /// `null`
    Null,
}

/// A parsed text.
pub struct JsonDoc {
    text: Bytes,
    nodes: Vec<Node>,
    edits: Edits,
}

/// Kind of a tape entry. Keys stand on the tape before their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Object,
    Array,
    String,
    StringEscaped,
    Key,
    KeyEscaped,
    Number,
    Bool,
    Null,
}

/// One tape entry; offsets are 32 bits, so longer texts are refused.
#[derive(Clone, Copy, Debug)]
struct Node {
    start: u32,
    end: u32,
    /// Index of the first tape entry after this value and all it holds.
    next: u32,
    tag: Tag,
}

impl std::fmt::Debug for JsonDoc {
    /// Bodies hold prompts: only sizes are shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JsonDoc({} bytes, {} nodes)", self.text.len(), self.nodes.len())
    }
}

impl JsonDoc {
    /// Parses the whole of `bytes`.
    pub fn parse(bytes: Bytes, limits: &JsonLimits) -> Result<JsonDoc, JsonError> {
        if let Err(e) = std::str::from_utf8(&bytes) {
            return Err(JsonError::NotUtf8 { at: e.valid_up_to() });
        }
        let nodes = parse::parse(&bytes, limits)?;
        Ok(JsonDoc { text: bytes, nodes, edits: Edits::default() })
    }

    /// The outermost value.
    pub fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// What a value is now; a pending edit counts.
    pub fn kind(&self, n: NodeId) -> JsonKind {
        match self.edits.of(n) {
            Some(Edit::Text(_)) => JsonKind::String,
            Some(Edit::Json(json)) => text::kind_of(json),
            None => match self.node(n).tag {
                Tag::Object => JsonKind::Object,
                Tag::Array => JsonKind::Array,
                Tag::String | Tag::StringEscaped | Tag::Key | Tag::KeyEscaped => JsonKind::String,
                Tag::Number => JsonKind::Number,
                Tag::Bool => JsonKind::Bool,
                Tag::Null => JsonKind::Null,
            },
        }
    }

    /// The member with this (decoded) key. Members of [`Self::insert_member`] are not seen.
    pub fn get(&self, object: NodeId, key: &str) -> Option<NodeId> {
        self.pairs(object).find(|(k, _)| self.key_is(*k, key)).map(|(_, value)| value)
    }

    /// The `i`-th element.
    pub fn index(&self, array: NodeId, i: usize) -> Option<NodeId> {
        self.items(array).nth(i)
    }

    /// The elements of an array; none if it is something else.
    pub fn items(&self, array: NodeId) -> impl Iterator<Item = NodeId> {
        let end = match self.node(array).tag {
            Tag::Array if self.edits.of(array).is_none() => self.node(array).next,
            _ => 0,
        };
        let mut at = array.0 + 1;
        std::iter::from_fn(move || {
            let n = NodeId(at);
            (at < end).then(|| {
                at = self.node(n).next;
                n
            })
        })
    }

    /// The members of an object as they stand in the source; none if it is something else.
    pub fn members(&self, object: NodeId) -> impl Iterator<Item = (Cow<'_, str>, NodeId)> {
        self.pairs(object).map(|(key, value)| (self.source_str(key).unwrap_or_default(), value))
    }

    /// A string, decoded; sees a pending edit. `None` if the value is no string.
    pub fn str(&self, n: NodeId) -> Option<Cow<'_, str>> {
        match self.edits.of(n) {
            Some(Edit::Text(text)) => Some(Cow::Borrowed(text)),
            Some(Edit::Json(json)) => text::unquote(json),
            None => self.source_str(n),
        }
    }

    /// A number that is an unsigned integer without exponent or fraction.
    pub fn u64(&self, n: NodeId) -> Option<u64> {
        match self.kind(n) {
            JsonKind::Number => std::str::from_utf8(self.current(n)).ok()?.parse().ok(),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub fn bool(&self, n: NodeId) -> Option<bool> {
        match self.current(n) {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    /// The source bytes of a value, without edits.
    pub fn raw(&self, n: NodeId) -> &[u8] {
        let node = self.node(n);
        self.slice(node.start, node.end)
    }

    /// Every string value (never a key) in document order, the root included. Strings inside a value that
    /// [`Self::replace_raw`] replaced are still listed; edits of them come to nothing.
    pub fn strings(&self) -> impl Iterator<Item = NodeId> {
        let tagged = self.nodes.iter().zip(0u32..);
        tagged.filter(|(node, _)| matches!(node.tag, Tag::String | Tag::StringEscaped)).map(|(_, i)| NodeId(i))
    }

    /// Every number in document order.
    pub fn numbers(&self) -> impl Iterator<Item = NodeId> {
        let tagged = self.nodes.iter().zip(0u32..);
        tagged.filter(|(node, _)| node.tag == Tag::Number).map(|(_, i)| NodeId(i))
    }

    /// The first value behind this one and all it holds; ids are in document order.
    pub fn behind(&self, n: NodeId) -> NodeId {
        NodeId(self.node(n).next)
    }

    /// The (decoded) key of a value that is a member of an object.
    pub fn key(&self, n: NodeId) -> Option<Cow<'_, str>> {
        let before = NodeId(n.0.checked_sub(1)?);
        match self.node(before).tag {
            Tag::Key | Tag::KeyEscaped => self.source_str(before),
            Tag::Object | Tag::Array | Tag::String | Tag::StringEscaped | Tag::Number | Tag::Bool | Tag::Null => None,
        }
    }

    /// The source bytes, without edits.
    pub fn source(&self) -> &Bytes {
        &self.text
    }

    fn node(&self, n: NodeId) -> Node {
        let none = Node { start: 0, end: 0, next: 0, tag: Tag::Null };
        self.nodes.get(n.0 as usize).copied().unwrap_or(none)
    }

    fn slice(&self, start: u32, end: u32) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Bytes of a value as it stands now; empty for a replaced text.
    fn current(&self, n: NodeId) -> &[u8] {
        match self.edits.of(n) {
            Some(Edit::Text(_)) => &[],
            Some(Edit::Json(json)) => json.trim().as_bytes(),
            None => self.raw(n),
        }
    }

    /// Keys and values of an object as tape entries.
    fn pairs(&self, object: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> {
        let end = match self.node(object).tag {
            Tag::Object if self.edits.of(object).is_none() => self.node(object).next,
            _ => 0,
        };
        let mut at = object.0 + 1;
        std::iter::from_fn(move || {
            let (key, value) = (NodeId(at), NodeId(at + 1));
            (at < end).then(|| {
                at = self.node(value).next;
                (key, value)
            })
        })
    }

    fn key_is(&self, key: NodeId, wanted: &str) -> bool {
        match self.node(key).tag {
            Tag::Key => text::inner(self.raw(key)) == wanted.as_bytes(),
            _ => self.source_str(key).is_some_and(|k| k == wanted),
        }
    }

    fn source_str(&self, n: NodeId) -> Option<Cow<'_, str>> {
        let inner = text::inner(self.raw(n));
        match self.node(n).tag {
            Tag::String | Tag::Key => std::str::from_utf8(inner).ok().map(Cow::Borrowed),
            Tag::StringEscaped | Tag::KeyEscaped => Some(Cow::Owned(text::unescape(inner))),
            Tag::Object | Tag::Array | Tag::Number | Tag::Bool | Tag::Null => None,
        }
    }
}
