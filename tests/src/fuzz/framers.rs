//! JSON, server-sent events and JSON lines: the same parts however they are cut, and what another reader reads.

use super::cuts::ways;
use bytes::{Bytes, BytesMut};
use raptorgate_filters::filter::BodyKind;
use raptorgate_filters::frame::{Frame, SseData};
use raptorgate_filters::framers::Framer;
use raptorgate_filters::framers::json::{JsonDoc, JsonError, JsonLimits};

const LIMITS: JsonLimits = JsonLimits { depth_max: 32, nodes_max: 10_000 };

/// What is read is what another strict reader reads; an edit changes its own string and nothing else.
pub fn json(data: &[u8]) {
    let theirs = serde_json::from_slice::<serde_json::Value>(data);
    let mut ours = match (JsonDoc::parse(Bytes::copy_from_slice(data), &LIMITS), &theirs) {
        (Ok(doc), Ok(_)) => doc,
        // serde_json makes floats of numbers, which have an end
        (Ok(_), Err(error)) if error.to_string().starts_with("number out of range") => return,
        (Err(JsonError::DuplicateKey { at } | JsonError::TooDeep { at } | JsonError::TooLarge { at }), _) => {
            assert!(at <= data.len());
            return;
        }
        (Err(_), Err(_)) => return,
        (ours, theirs) => panic!("one reader reads it and the other does not: {ours:?}, {theirs:?}"),
    };
    assert_eq!(ours.to_bytes(), data, "unchanged, it leaves as it came");
    let strings: Vec<String> = ours.strings().map(|n| ours.str(n).unwrap().into_owned()).collect();
    let mut expected = Vec::new();
    gather(&theirs.unwrap(), &mut expected);
    let mut sorted = strings.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected, "strings are read another way");
    let Some(first) = ours.strings().next() else { return };
    let text = "a\"\\\n\u{0}\u{7f}é";
    ours.replace_str(first, text);
    let edited = JsonDoc::parse(ours.into_bytes(), &LIMITS).expect("an edit makes it invalid");
    let after: Vec<String> = edited.strings().map(|n| edited.str(n).unwrap().into_owned()).collect();
    assert_eq!((&*after[0], &after[1..]), (text, &strings[1..]));
}

fn gather(value: &serde_json::Value, strings: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => strings.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| gather(item, strings)),
        serde_json::Value::Object(members) => members.values().for_each(|value| gather(value, strings)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

/// A stream as parts.
#[derive(Debug, PartialEq, Eq)]
struct Framed {
    parts: Vec<Part>,
    /// All parts as they leave.
    bytes: Vec<u8>,
    good: bool,
}

/// What a part says: name of an event, and its data or line.
type Part = (Option<String>, Said);

#[derive(Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    /// `[DONE]`.
    End,
    Data(Vec<u8>),
}

fn framed(kind: BodyKind, pieces: &[&[u8]]) -> Framed {
    let mut framer = Framer::new(kind, LIMITS);
    let mut frames = Vec::new();
    let pushed: Result<(), _> = pieces.iter().try_for_each(|p| framer.push(Bytes::copy_from_slice(p), &mut frames));
    let good = pushed.is_ok() && framer.finish(&mut frames).is_ok();
    let parts = frames.iter().map(part).collect();
    let mut bytes = BytesMut::new();
    frames.into_iter().for_each(|frame| frame.encode(&mut bytes));
    Framed { parts, bytes: bytes.to_vec(), good }
}

fn part(frame: &Frame) -> Part {
    match frame {
        Frame::Sse(event) => {
            let said = match &event.data {
                SseData::None => Said::Nothing,
                SseData::Done => Said::End,
                SseData::Json(doc) => Said::Data(doc.source().to_vec()),
                SseData::Text(text) => Said::Data(text.clone().into_bytes()),
            };
            (event.event.clone(), said)
        }
        Frame::JsonLine(line) => {
            (None, line.json.as_ref().map_or(Said::Nothing, |doc| Said::Data(doc.source().to_vec())))
        }
        Frame::Text(_) | Frame::Raw(_) => panic!("a part of another kind"),
    }
}

fn however_cut(kind: BodyKind, data: &[u8]) -> (&[u8], Framed) {
    let (bytes, ways) = ways(data);
    let whole = framed(kind, &[bytes]);
    for way in ways {
        assert_eq!(framed(kind, &way), whole);
    }
    (bytes, whole)
}

/// Events are those of the WHATWG's algorithm, wherever the stream is cut, and those of a client that decodes line by line.
///
/// Two things are ours: `[DONE]` is told from other data, with white space around it too, as clients do; and an event that
/// the end of the stream cut off is completed, so the algorithm reads what leaves, not what came.
pub fn sse(data: &[u8]) {
    let (bytes, whole) = however_cut(BodyKind::Sse, data);
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let common = whole.bytes.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    assert!(common + 2 >= whole.bytes.len(), "unchanged events leave as they came, but for the end of the last");
    assert!(!whole.good || events(&bytes[common..]).is_empty(), "an event is lost");
    let seen: Vec<&Part> = whole.parts.iter().filter(|(_, said)| *said != Said::Nothing).collect();
    let expected = events(&whole.bytes);
    assert_eq!(seen, expected.iter().collect::<Vec<_>>());
    let mut lines = whole.bytes.split(|b| matches!(b, b'\r' | b'\n'));
    assert!(!lines.any(|line| line.starts_with(BOM)), "a client that drops the mark of each line reads another field");
}

const BOM: &[u8] = "\u{feff}".as_bytes();

/// <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>
fn events(bytes: &[u8]) -> Vec<Part> {
    let text = &*String::from_utf8_lossy(bytes);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (mut events, mut name, mut data) = (Vec::new(), None, None::<String>);
    for line in text.split_terminator('\n') {
        if line.is_empty() {
            let name = name.take();
            let is_end = |data: &str| data.trim_matches([' ', '\t', '\n', '\u{c}']) == "[DONE]";
            let said = |data: String| if is_end(&data) { Said::End } else { Said::Data(data.into_bytes()) };
            events.extend(data.take().map(|data| (name, said(data))));
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => name = Some(value.to_owned()),
            "data" => data = Some(data.map_or(value.to_owned(), |before| format!("{before}\n{value}"))),
            _ => {}
        }
    }
    events
}

/// Lines are strict JSON or nothing, wherever the stream is cut.
pub fn json_lines(data: &[u8]) {
    let (bytes, whole) = however_cut(BodyKind::JsonLines, data);
    let sent = whole.bytes.strip_suffix(b"\n").unwrap_or(&whole.bytes);
    assert!(bytes.starts_with(sent), "unchanged lines leave as they came");
    assert!(!whole.good || sent == bytes.strip_suffix(b"\n").unwrap_or(bytes), "a line is lost");
    assert!(whole.bytes.is_empty() || whole.bytes.ends_with(b"\n"), "the last line is open");
    let lines: Vec<&[u8]> = sent.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).collect();
    if whole.bytes.is_empty() {
        return;
    }
    assert_eq!(lines.len(), whole.parts.len());
    for (line, (_, said)) in lines.into_iter().zip(&whole.parts) {
        match said {
            Said::Data(json) => assert_eq!(line, json),
            Said::Nothing | Said::End => assert!(line.is_empty()),
        }
    }
}
