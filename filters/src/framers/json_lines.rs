//! JSON lines: one JSON value a line, ended by LF or CRLF.
//!
//! # Invariants
//! * A line that is not strict JSON fails the stream (`a_bad_line_fails_the_stream`).
//! * Every line given out ends in a newline, the last one too, so that nothing can be glued to it.

use super::json::{JsonDoc, JsonLimits};
use super::{FrameError, PART_BYTES_MAX};
use crate::frame::{Frame, JsonLine};
use bytes::{Bytes, BytesMut};

/// Cuts a stream into lines.
#[derive(Debug)]
pub struct JsonLinesFramer {
    limits: JsonLimits,
    buffer: BytesMut,
    /// Bytes before this hold no newline.
    searched: usize,
    failed: Option<FrameError>,
}

impl JsonLinesFramer {
    /// A framer at the start of a stream.
    pub fn new(limits: JsonLimits) -> Self {
        Self { limits, buffer: BytesMut::new(), searched: 0, failed: None }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Frame>) -> Result<(), FrameError> {
        if let Some(e) = &self.failed {
            return Err(e.clone());
        }
        self.buffer.extend_from_slice(bytes);
        let cut = self.cut(out);
        self.keep_failure(cut)
    }

    /// The stream is over: a last line without newline gets one.
    pub fn finish(&mut self, out: &mut Vec<Frame>) -> Result<(), FrameError> {
        if self.failed.is_none() && self.buffer.is_empty() {
            return Ok(());
        }
        self.push(b"\n", out)
    }

    fn keep_failure(&mut self, result: Result<(), FrameError>) -> Result<(), FrameError> {
        result.inspect_err(|e| {
            self.failed = Some(e.clone());
            self.buffer = BytesMut::new();
        })
    }

    fn cut(&mut self, out: &mut Vec<Frame>) -> Result<(), FrameError> {
        while let Some(found) = memchr::memchr(b'\n', self.buffer.get(self.searched..).unwrap_or_default()) {
            let len = self.searched + found + 1;
            if len > PART_BYTES_MAX {
                break;
            }
            let raw = self.buffer.split_to(len).freeze();
            self.searched = 0;
            out.push(Frame::JsonLine(parse(raw, &self.limits)?));
        }
        self.searched = self.buffer.len();
        match self.buffer.len() {
            0..=PART_BYTES_MAX => Ok(()),
            _ => Err(FrameError::TooLong { bytes_max: PART_BYTES_MAX }),
        }
    }
}

fn parse(raw: Bytes, limits: &JsonLimits) -> Result<JsonLine, FrameError> {
    let content = raw.strip_suffix(b"\n").unwrap_or(&raw).trim_ascii();
    if content.is_empty() {
        return Ok(JsonLine { raw, json: None });
    }
    let doc = JsonDoc::parse(raw.slice_ref(content), limits).map_err(FrameError::Json)?;
    Ok(JsonLine { raw, json: Some(doc) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_given_out_whole_and_as_they_came() {
        let mut framer = JsonLinesFramer::new(JsonLimits::default());
        let mut out = Vec::new();
        framer.push(b"{\"a\":1}\r\n\n [2]\n3", &mut out).unwrap();
        assert_eq!(out.len(), 3);
        framer.finish(&mut out).unwrap();
        let mut joined = BytesMut::new();
        for frame in out {
            frame.encode(&mut joined);
        }
        assert_eq!(&joined[..], b"{\"a\":1}\r\n\n [2]\n3\n");
    }

    #[test]
    fn a_bad_line_fails_the_stream() {
        for bad in [&b"{\"a\":1,\"a\":2}\n"[..], b"{} {}\n", b"nope\n", b"\"\xff\"\n"] {
            let mut framer = JsonLinesFramer::new(JsonLimits::default());
            let mut out = Vec::new();
            assert!(framer.push(&[b"1\n", bad].concat(), &mut out).is_err());
            assert_eq!(out.len(), 1, "what came before the bad line is given out");
            assert!(framer.finish(&mut out).is_err());
        }
    }

    #[test]
    fn a_line_that_is_too_long_fails_the_stream() {
        let mut framer = JsonLinesFramer::new(JsonLimits::default());
        let long = vec![b' '; PART_BYTES_MAX + 1];
        assert_eq!(framer.push(&long, &mut Vec::new()), Err(FrameError::TooLong { bytes_max: PART_BYTES_MAX }));
    }
}
