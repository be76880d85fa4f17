//! The parts a streamed reply is made of, each parsed once and shared by all transforms.
//!
//! # Invariants
//! * A part that nobody changed leaves as the bytes that came (`an_unchanged_event_leaves_as_it_came`).
//! * A changed event keeps its other lines as they came (`a_changed_event_keeps_its_other_lines`).
//! * Nothing written into an event can end it or start another field (`text_cannot_break_out_of_its_event`).

use crate::framers::json::{JsonDoc, JsonLimits};
use crate::framers::sse::lines;
use bytes::{BufMut, Bytes, BytesMut};

/// One part of a reply.
#[derive(Debug)]
pub enum Frame {
    /// One server-sent event, or a comment block, with its terminating blank line.
    Sse(SseFrame),
    /// One line of JSON lines.
    JsonLine(JsonLine),
    /// A piece of plain text, never cut inside a character.
    Text(String),
    /// Bytes that nobody reads: of a kind without framer.
    Raw(Bytes),
}

/// One server-sent event.
#[derive(Debug)]
pub struct SseFrame {
    /// The bytes as they came, terminating blank line included. Sent as they are unless the JSON was changed.
    pub raw: Bytes,
    /// `event:` field.
    pub event: Option<String>,
    /// What `data:` holds. Change a [`SseData::Text`] by [`SseFrame::set_text`], else `raw` still says the old one.
    pub data: SseData,
}

/// The data of an event.
#[derive(Debug)]
pub enum SseData {
    /// A comment, or an event without data.
    None,
    /// `[DONE]`, the terminator of OpenAI's streams.
    Done,
    /// A JSON object, array or string. Bare numbers and words are [`SseData::Text`]: a stream of plain text may hold them.
    Json(JsonDoc),
    /// Any other text: the `data:` lines joined by newlines.
    Text(String),
}

/// One line of JSON lines.
#[derive(Debug)]
pub struct JsonLine {
    /// The bytes as they came, newline included. Sent as they are unless the JSON was changed.
    pub raw: Bytes,
    /// The parsed line; `None` for an empty line.
    pub json: Option<JsonDoc>,
}

impl Frame {
    /// A comment that clients ignore: `: text`.
    pub fn sse_comment(text: &str) -> Frame {
        let text = text.replace(['\r', '\n'], " ");
        let raw = Bytes::from(format!(": {text}\n\n"));
        Frame::Sse(SseFrame { raw, event: None, data: SseData::None })
    }

    /// An event that holds JSON, which must be one valid value.
    pub fn sse_json(event: Option<&str>, json: &str) -> Frame {
        let (event, raw) = put_event(event, json);
        let limits = JsonLimits { depth_max: usize::MAX, nodes_max: usize::MAX };
        let data = match JsonDoc::parse(Bytes::copy_from_slice(json.as_bytes()), &limits) {
            Ok(doc) => SseData::Json(doc),
            Err(_) => SseData::Text(json.to_owned()),
        };
        Frame::Sse(SseFrame { raw, event, data })
    }

    /// An event that holds plain text.
    pub fn sse_text(event: Option<&str>, text: &str) -> Frame {
        let (event, raw) = put_event(event, text);
        Frame::Sse(SseFrame { raw, event, data: SseData::Text(text.to_owned()) })
    }

    /// A line of JSON lines; `json` must be one valid value.
    pub fn json_line(json: &str) -> Frame {
        let json = json.replace(['\r', '\n'], " ");
        let limits = JsonLimits { depth_max: usize::MAX, nodes_max: usize::MAX };
        let doc = JsonDoc::parse(Bytes::copy_from_slice(json.as_bytes()), &limits).ok();
        Frame::JsonLine(JsonLine { raw: Bytes::from(format!("{json}\n")), json: doc })
    }

    /// Appends the bytes that go to the client.
    pub fn encode(self, out: &mut BytesMut) {
        match self {
            Frame::Sse(frame) => frame.encode(out),
            Frame::JsonLine(line) => line.encode(out),
            Frame::Text(text) => out.put_slice(text.as_bytes()),
            Frame::Raw(bytes) => out.put_slice(&bytes),
        }
    }
}

impl SseFrame {
    /// Makes the event's data this text.
    pub fn set_text(&mut self, text: &str) {
        let mut raw = BytesMut::with_capacity(self.raw.len() + text.len());
        rewrite(&self.raw, text.as_bytes(), &mut raw);
        self.raw = raw.freeze();
        self.data = SseData::Text(text.to_owned());
    }

    fn encode(self, out: &mut BytesMut) {
        match self.data {
            SseData::Json(doc) if doc.is_changed() => rewrite(&self.raw, &doc.into_bytes(), out),
            SseData::Json(_) | SseData::None | SseData::Done | SseData::Text(_) => out.put_slice(&self.raw),
        }
    }
}

impl JsonLine {
    fn encode(self, out: &mut BytesMut) {
        match self.json {
            Some(doc) if doc.is_changed() => {
                // The source is one line, so its spaces hold no newline, and edits escape theirs.
                out.put_slice(&doc.into_bytes());
                out.put_slice(b"\n");
            }
            Some(_) | None => out.put_slice(&self.raw),
        }
    }
}

/// `raw` with its `data:` lines replaced: the new ones stand where the first one stood, with its line end.
fn rewrite(raw: &[u8], data: &[u8], out: &mut BytesMut) {
    let mut written = false;
    for line in lines(raw) {
        if line.name != b"data" {
            out.put_slice(line.raw);
        } else if !written {
            put_data(out, data, line.end);
            written = true;
        }
    }
}

/// One `data:` line for each line of `data`.
fn put_data(out: &mut BytesMut, data: &[u8], end: &[u8]) {
    for line in data.split(|b| *b == b'\n' || *b == b'\r') {
        out.put_slice(b"data: ");
        out.put_slice(line);
        out.put_slice(end);
    }
}

/// A whole event: its name, made safe, and its bytes.
fn put_event(event: Option<&str>, data: &str) -> (Option<String>, Bytes) {
    let event = event.map(|name| name.replace(['\r', '\n'], " "));
    let mut raw = BytesMut::with_capacity(data.len() + 64);
    if let Some(name) = &event {
        raw.put_slice(b"event: ");
        raw.put_slice(name.as_bytes());
        raw.put_slice(b"\n");
    }
    put_data(&mut raw, data.as_bytes(), b"\n");
    raw.put_slice(b"\n");
    (event, raw.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::BodyKind;
    use crate::framers::Framer;

    fn sse(text: &str) -> SseFrame {
        let mut frames = Vec::new();
        let mut framer = Framer::new(BodyKind::Sse, JsonLimits::default());
        framer.push(Bytes::copy_from_slice(text.as_bytes()), &mut frames).unwrap();
        match frames.pop() {
            Some(Frame::Sse(frame)) if frames.is_empty() => frame,
            other => panic!("one event expected, got {other:?}"),
        }
    }

    fn encoded(frame: Frame) -> String {
        let mut out = BytesMut::new();
        frame.encode(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn an_unchanged_event_leaves_as_it_came() {
        for text in ["data:{ \"a\" : 1 }\r\n\r\n", "id: 1\ndata: [DONE]\n\n", ": hi\n\n", "data: a\ndata\n\n"] {
            assert_eq!(encoded(Frame::Sse(sse(text))), text);
        }
    }

    #[test]
    fn a_changed_event_keeps_its_other_lines() {
        let mut frame = sse("event:x\r\nid: 7\r\ndata: {\"a\":\r\n: c\r\ndata: \"b\"}\r\nretry:1\r\n\r\n");
        let SseData::Json(doc) = &mut frame.data else { panic!("JSON expected") };
        let a = doc.get(doc.root(), "a").unwrap();
        doc.replace_str(a, "z");
        // The JSON held a newline between its two lines; it still does.
        let expected = "event:x\r\nid: 7\r\ndata: {\"a\":\r\ndata: \"z\"}\r\n: c\r\nretry:1\r\n\r\n";
        assert_eq!(encoded(Frame::Sse(frame)), expected);
    }

    #[test]
    fn text_cannot_break_out_of_its_event() {
        let mut frame = sse("data: a\n\n");
        frame.set_text("x\n\nevent: evil\r\rdata: y");
        assert_eq!(encoded(Frame::Sse(frame)), "data: x\ndata: \ndata: event: evil\ndata: \ndata: data: y\n\n");
        assert_eq!(encoded(Frame::sse_comment("a\n\ndata: b")), ": a  data: b\n\n");
        let event = Frame::sse_json(Some("e\ndata: x"), "{\"k\":\n1}");
        assert_eq!(encoded(event), "event: e data: x\ndata: {\"k\":\ndata: 1}\n\n");
        assert_eq!(encoded(Frame::json_line("{\"k\":\n1}")), "{\"k\": 1}\n");
    }
}
