//! Server-sent events (WHATWG HTML, "Interpreting an event stream"): LF, CR and CRLF, mixed as they come.
//!
//! A part is everything up to and including a blank line. It is given out as soon as that line is certain to be over: at
//! its LF; at its CR if the stream's lines end in CR alone; else at the byte that follows the CR.
//!
//! `[DONE]` ends a stream with or without white space around it. Clients differ: `openai`'s take whatever starts with `[DONE]`, many
//! others trim it first. What is held back has to come before it for each of them; reading goes on behind it.
//!
//! # Invariants
//! * An event is given out with its last byte (`an_event_is_given_out_with_its_last_byte`).
//! * An event's end depends on the stream's bytes alone, never on chunks (`parts_do_not_depend_on_the_cuts`).
//! * Nothing can be glued to an event that the end of its stream cuts off (`what_the_end_cuts_off_is_completed_by_a_blank_line`).
//! * Data that two JSON readers could read differently fails the stream (`ambiguous_json_fails_the_stream`).
//! * A byte order mark that only some clients drop fails the stream (`a_byte_order_mark_inside_a_stream_fails_it`).

use super::json::{JsonDoc, JsonError, JsonKind, JsonLimits};
use super::{FrameError, PART_BYTES_MAX};
use crate::frame::{Frame, SseData, SseFrame};
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// Dropped at the start of a stream, as the standard says. Before a later line the standard makes it a part of the field's
/// name, and clients that decode line by line (`openai`'s for JavaScript) drop it: nobody could guard what both read.
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Cuts a stream into events.
#[derive(Debug)]
pub struct SseFramer {
    limits: JsonLimits,
    buffer: BytesMut,
    /// Start of the line being read.
    line: usize,
    /// Bytes before this hold no line end of the current line.
    searched: usize,
    /// How the last line ended.
    last_end: LineEnd,
    /// No part was given out yet.
    is_first: bool,
    failed: Option<FrameError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineEnd {
    /// No line yet.
    None,
    Lf,
    Cr,
    CrLf,
}

impl SseFramer {
    /// A framer at the start of a stream.
    pub fn new(limits: JsonLimits) -> Self {
        let (buffer, last_end) = (BytesMut::new(), LineEnd::None);
        Self { limits, buffer, line: 0, searched: 0, last_end, is_first: true, failed: None }
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

    /// The stream is over. An event without its blank line is completed and given out, so that what follows cannot be
    /// glued to it; only JSON that broke off is dropped, which clients would drop too.
    pub fn finish(&mut self, out: &mut Vec<Frame>) -> Result<(), FrameError> {
        if let Some(e) = &self.failed {
            return Err(e.clone());
        }
        if self.buffer.is_empty() {
            return Ok(());
        }
        // The stream's last CR was the blank line, though an LF could have followed.
        let is_whole = self.buffer.get(self.line..) == Some(b"\r");
        let complete: &[u8] = match self.buffer.last() {
            _ if is_whole => b"",
            Some(b'\n') => b"\n",
            // Behind a CR the first LF is still of the same line end.
            Some(_) | None => b"\n\n",
        };
        self.buffer.extend_from_slice(complete);
        let raw = self.buffer.split().freeze();
        let parsed = self.part(raw).map(|frame| {
            let broken = matches!(&frame.data, SseData::Text(text) if text.starts_with(['{', '[']));
            if is_whole || !broken {
                out.push(Frame::Sse(frame));
            }
        });
        self.keep_failure(parsed)
    }

    fn keep_failure(&mut self, result: Result<(), FrameError>) -> Result<(), FrameError> {
        result.inspect_err(|e| {
            self.failed = Some(e.clone());
            self.buffer = BytesMut::new();
        })
    }

    /// Gives out every event that is whole.
    fn cut(&mut self, out: &mut Vec<Frame>) -> Result<(), FrameError> {
        while let Some((content_end, end, kind)) = self.line_end() {
            let blank = content_end == self.line;
            (self.line, self.searched, self.last_end) = (end, end, kind);
            if end > PART_BYTES_MAX {
                break;
            }
            if blank {
                let raw = self.buffer.split_to(end).freeze();
                (self.line, self.searched) = (0, 0);
                out.push(Frame::Sse(self.part(raw)?));
            }
        }
        match self.buffer.len() {
            0..=PART_BYTES_MAX => Ok(()),
            _ => Err(FrameError::TooLong { bytes_max: PART_BYTES_MAX }),
        }
    }

    fn part(&mut self, raw: Bytes) -> Result<SseFrame, FrameError> {
        let is_marked = std::mem::take(&mut self.is_first) && raw.starts_with(BOM);
        parse(if is_marked { raw.slice(BOM.len()..) } else { raw }, &self.limits)
    }

    /// End of the content of the current line, end of the line, and its kind; `None` if it is not certain yet.
    fn line_end(&mut self) -> Option<(usize, usize, LineEnd)> {
        let rest = self.buffer.get(self.searched..)?;
        let Some(at) = memchr::memchr2(b'\n', b'\r', rest).map(|i| self.searched + i) else {
            self.searched = self.buffer.len();
            return None;
        };
        self.searched = at;
        if self.buffer.get(at) == Some(&b'\n') {
            return Some((at, at + 1, LineEnd::Lf));
        }
        // In a stream of bare CRs the blank line is over at its CR: waiting for an LF would delay each event by one.
        if at == self.line && self.last_end == LineEnd::Cr {
            return Some((at, at + 1, LineEnd::Cr));
        }
        match self.buffer.get(at + 1)? {
            b'\n' => Some((at, at + 2, LineEnd::CrLf)),
            _ => Some((at, at + 1, LineEnd::Cr)),
        }
    }
}

/// One line of an event.
pub(crate) struct Line<'a> {
    /// With its line end.
    pub raw: &'a [u8],
    /// Field name; empty for comments and blank lines.
    pub name: &'a [u8],
    /// Value, without the one space after the colon, as a range of the event's bytes.
    pub value: Range<usize>,
    /// The line end.
    pub end: &'a [u8],
}

/// The lines of one event.
pub(crate) fn lines(raw: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = raw.get(at..).filter(|rest| !rest.is_empty())?;
        let len = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (content, end) = rest.split_at(len);
        let end_len = match end {
            [b'\r', b'\n', ..] => 2,
            [_, ..] => 1,
            [] => 0,
        };
        let colon = memchr::memchr(b':', content).unwrap_or(content.len());
        let space = usize::from(content.get(colon + 1) == Some(&b' '));
        let value = (at + colon + 1 + space).min(at + len)..at + len;
        let (raw, end) = (rest.get(..len + end_len)?, end.get(..end_len)?);
        at += len + end_len;
        Some(Line { raw, name: content.get(..colon)?, value, end })
    })
}

fn parse(raw: Bytes, limits: &JsonLimits) -> Result<SseFrame, FrameError> {
    let mut event = None;
    let mut data: Option<Bytes> = None;
    for line in lines(&raw) {
        match line.name {
            _ if line.raw.starts_with(BOM) => return Err(FrameError::ByteOrderMark),
            b"event" => {
                let name = raw.get(line.value).unwrap_or_default();
                event = Some(std::str::from_utf8(name).map_err(|_| FrameError::NotUtf8)?.to_owned());
            }
            b"data" => {
                let value = raw.slice(line.value);
                data = Some(match data {
                    None => value,
                    Some(before) => joined(before, &value),
                });
            }
            _ => {}
        }
    }
    let data = match data {
        None => SseData::None,
        Some(data) => read_data(data, limits)?,
    };
    Ok(SseFrame { raw, event, data })
}

/// Data lines are joined by a newline. Cost is linear: the first part is appended to in place where it is unshared.
fn joined(before: Bytes, next: &[u8]) -> Bytes {
    let mut all = before.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&*shared));
    all.extend_from_slice(b"\n");
    all.extend_from_slice(next);
    all.freeze()
}

fn read_data(data: Bytes, limits: &JsonLimits) -> Result<SseData, FrameError> {
    if data.trim_ascii() == b"[DONE]" {
        return Ok(SseData::Done);
    }
    if matches!(data.trim_ascii_start().first(), Some(b'{' | b'[' | b'"')) {
        match JsonDoc::parse(data.clone(), limits) {
            Ok(doc) => {
                debug_assert!(matches!(doc.kind(doc.root()), JsonKind::Object | JsonKind::Array | JsonKind::String));
                return Ok(SseData::Json(doc));
            }
            Err(JsonError::NotJson { .. }) => {}
            Err(JsonError::NotUtf8 { .. }) => return Err(FrameError::NotUtf8),
            Err(e @ (JsonError::DuplicateKey { .. } | JsonError::TooDeep { .. } | JsonError::TooLarge { .. })) => {
                return Err(FrameError::Json(e));
            }
        }
    }
    let text = std::str::from_utf8(&data).map_err(|_| FrameError::NotUtf8)?;
    Ok(SseData::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(framer: &mut SseFramer, bytes: &[u8]) -> Vec<Frame> {
        let mut out = Vec::new();
        framer.push(bytes, &mut out).unwrap();
        out
    }

    /// Each event as (event name, data).
    fn read(bytes: &[u8]) -> Vec<(String, String)> {
        let mut framer = SseFramer::new(JsonLimits::default());
        let mut out = push(&mut framer, bytes);
        framer.finish(&mut out).unwrap();
        out.iter().filter_map(shown).collect()
    }

    fn shown(frame: &Frame) -> Option<(String, String)> {
        let Frame::Sse(frame) = frame else { panic!("an event") };
        let data = match &frame.data {
            SseData::None => return None,
            SseData::Done => "DONE".to_owned(),
            SseData::Json(doc) => format!("JSON {}", String::from_utf8_lossy(doc.source())),
            SseData::Text(text) => text.clone(),
        };
        Some((frame.event.clone().unwrap_or_default(), data))
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        let table: &[(&str, &[(&str, &str)])] = &[
            ("data: YHOO\ndata: +2\ndata: 10\n\n", &[("", "YHOO\n+2\n10")]),
            (
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
                &[("", "first event"), ("", "second event"), ("", " third event")],
            ),
            ("data\n\ndata\ndata\n\n", &[("", ""), ("", "\n")]),
            ("data:test\n\ndata: test\n\n", &[("", "test"), ("", "test")]),
            ("\u{FEFF}data: a\n\n", &[("", "a")]),
            ("data: a\r\n\r\ndata: b\r\rdata: c\n\n", &[("", "a"), ("", "b"), ("", "c")]),
            ("data: a\r\rdata: b\r\r\n\ndata: c\r\n\n", &[("", "a"), ("", "b"), ("", "c")]),
            ("event: x\nevent: y\ndata: {\"a\":1}\n\n", &[("y", "JSON {\"a\":1}")]),
            ("data: {\"a\":\ndata: 1}\n\n", &[("", "JSON {\"a\":\n1}")]),
            ("data:  [DONE] \n\n", &[("", "DONE")]),
            ("data: 9876543210\n\ndata: {no\n\n", &[("", "9876543210"), ("", "{no")]),
            ("datax: a\n data: b\n\n", &[]),
            ("data: [DONE]", &[("", "DONE")]),
            ("data: tail\n", &[("", "tail")]),
            ("data: {\"broken", &[]),
            ("data: {\"broken\n\r", &[("", "{\"broken")]),
        ];
        for (stream, expected) in table {
            let expected: Vec<_> = expected.iter().map(|(e, d)| ((*e).to_owned(), (*d).to_owned())).collect();
            assert_eq!(read(stream.as_bytes()), expected, "{stream:?}");
        }
    }

    #[test]
    fn an_event_is_given_out_with_its_last_byte() {
        for stream in ["data: a\n\n", "data: a\r\n\r\n", "data: a\r\r"] {
            let mut framer = SseFramer::new(JsonLimits::default());
            for _ in 0..3 {
                let (last, before) = stream.as_bytes().split_last().unwrap();
                assert!(push(&mut framer, before).is_empty(), "{stream:?}");
                assert_eq!(push(&mut framer, &[*last]).len(), 1, "{stream:?}");
            }
        }
    }

    #[test]
    fn what_the_end_cuts_off_is_completed_by_a_blank_line() {
        for open in ["data: a", "data: a\n", "data: a\r", "data: a\r\n", "data: a\r\n\r", ": x\r"] {
            let mut framer = SseFramer::new(JsonLimits::default());
            let mut out = push(&mut framer, open.as_bytes());
            framer.finish(&mut out).unwrap();
            let mut sent = BytesMut::new();
            out.into_iter().for_each(|frame| frame.encode(&mut sent));
            sent.extend_from_slice(b"data: next\n\n");
            let events = read(&sent).into_iter().map(|(_, data)| data).collect::<Vec<_>>();
            let expected = if open.starts_with(':') { vec!["next"] } else { vec!["a", "next"] };
            assert_eq!(events, expected, "{open:?}");
        }
    }

    #[test]
    fn an_event_that_is_too_long_fails_the_stream_at_any_cut() {
        let mut long = b"data: ".to_vec();
        long.resize(PART_BYTES_MAX + 1, b'x');
        for chunk in [1 << 16, 1 << 20, 1 << 22] {
            let mut framer = SseFramer::new(JsonLimits::default());
            let mut out = Vec::new();
            let stream = [b"data: ok\n\n", &long[..], b"\n\n"].concat();
            let pushed: Result<(), FrameError> = stream.chunks(chunk).try_for_each(|c| framer.push(c, &mut out));
            assert_eq!(pushed, Err(FrameError::TooLong { bytes_max: PART_BYTES_MAX }));
            assert_eq!(out.len(), 1);
        }
    }

    #[test]
    fn a_byte_order_mark_inside_a_stream_fails_it() {
        for stream in [
            "data: a\n\n\u{FEFF}data: b\n\n",
            "id: 1\n\u{FEFF}data: b\n\n",
            "\n\u{FEFF}: b\n\n",
            "\u{FEFF}\u{FEFF}data: b\n\n",
        ] {
            let mut framer = SseFramer::new(JsonLimits::default());
            let mut out = Vec::new();
            assert_eq!(framer.push(stream.as_bytes(), &mut out), Err(FrameError::ByteOrderMark), "{stream:?}");
            assert!(out.iter().filter_map(shown).all(|(_, data)| data == "a"));
        }
        assert_eq!(
            read("\u{FEFF}data: a\u{FEFF}\ndata: \u{FEFF}b\n\n".as_bytes()),
            [(String::new(), "a\u{FEFF}\n\u{FEFF}b".to_owned())]
        );
    }

    #[test]
    fn ambiguous_json_fails_the_stream() {
        for data in [&br#"{"a":1,"\u0061":2}"#[..], b"{\"a\":\"\xff\"}", b"\xff", &[b'['; 100]] {
            let mut framer = SseFramer::new(JsonLimits::default());
            let mut out = Vec::new();
            let stream = [b"data: ", data, b"\n\n"].concat();
            assert!(framer.push(&stream, &mut out).is_err(), "{}", data.escape_ascii());
            assert!(out.is_empty());
            assert!(framer.push(b"data: x\n\n", &mut out).is_err(), "a failed framer stays failed");
            assert!(framer.finish(&mut out).is_err());
        }
    }
}
