//! Bounded, sans-io framers: each reads bytes cut anywhere and gives whole parts.
//!
//! # Invariants
//! * Parts do not depend on how the bytes were cut; pieces of plain text do, their concatenation does not
//!   (`parts_do_not_depend_on_the_cuts`).
//! * What is buffered is bounded; longer is an error, after which a framer gives nothing more
//!   (`ambiguous_json_fails_the_stream`).
//! * Unchanged parts joined are the bytes that came, without the byte order mark of an event stream (`parts_joined_are_the_bytes`).

pub mod json;
pub mod json_lines;
pub mod sse;
pub mod text;

use crate::filter::BodyKind;
use crate::frame::Frame;
use bytes::Bytes;
use json::{JsonError, JsonLimits};

/// Longest event or line that is read. Longer: the stream fails, since what is not read must not pass.
pub const PART_BYTES_MAX: usize = 1 << 20;

/// Why a stream cannot be read any further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// An event or line longer than [`PART_BYTES_MAX`].
    #[error("event or line longer than {bytes_max} bytes")]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// Text that is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// A byte order mark before a line that is not the stream's first: some clients drop it and read a field there.
    #[error("byte order mark inside a stream")]
    ByteOrderMark,
    /// JSON on which two readers could disagree, or a JSON line that is none.
    #[error("unreadable JSON in a stream")]
    Json(#[source] JsonError),
}

/// The framer for one body.
#[derive(Debug)]
pub enum Framer {
    /// Server-sent events.
    Sse(sse::SseFramer),
    /// JSON lines.
    JsonLines(json_lines::JsonLinesFramer),
    /// Plain text.
    Text(text::TextFramer),
    /// Bytes as they are: bodies that nobody reads, and JSON, which is read whole or not at all.
    Raw,
}

impl Framer {
    /// A framer for a kind of body.
    pub fn new(kind: BodyKind, limits: JsonLimits) -> Self {
        match kind {
            BodyKind::Sse => Self::Sse(sse::SseFramer::new(limits)),
            BodyKind::JsonLines => Self::JsonLines(json_lines::JsonLinesFramer::new(limits)),
            BodyKind::Text => Self::Text(text::TextFramer::default()),
            BodyKind::None | BodyKind::Json | BodyKind::Other => Self::Raw,
        }
    }

    /// Takes the next bytes; appends the parts that are whole now, also those before an error.
    pub fn push(&mut self, bytes: Bytes, out: &mut Vec<Frame>) -> Result<(), FrameError> {
        match self {
            Self::Sse(framer) => framer.push(&bytes, out),
            Self::JsonLines(framer) => framer.push(&bytes, out),
            Self::Text(framer) => framer.push(&bytes, out),
            Self::Raw if bytes.is_empty() => Ok(()),
            Self::Raw => {
                out.push(Frame::Raw(bytes));
                Ok(())
            }
        }
    }

    /// The body is over: appends what is left.
    pub fn finish(&mut self, out: &mut Vec<Frame>) -> Result<(), FrameError> {
        match self {
            Self::Sse(framer) => framer.finish(out),
            Self::JsonLines(framer) => framer.finish(out),
            Self::Text(framer) => framer.finish(),
            Self::Raw => Ok(()),
        }
    }
}
