//! Laws of the framers: cuts do not matter, bytes survive, hostile JSON is refused at linear cost.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use raptorgate_filters::filter::BodyKind;
use raptorgate_filters::frame::{Frame, SseData};
use raptorgate_filters::framers::Framer;
use raptorgate_filters::framers::json::{JsonDoc, JsonError, JsonLimits};

/// What a framer gives for these chunks: a description of each part, and all parts encoded.
fn framed(kind: BodyKind, chunks: &[&[u8]]) -> (Vec<String>, Vec<u8>, bool) {
    let mut framer = Framer::new(kind, JsonLimits::default());
    let mut frames = Vec::new();
    let pushed: Result<(), _> = chunks.iter().try_for_each(|c| framer.push(Bytes::copy_from_slice(c), &mut frames));
    let good = pushed.is_ok() && framer.finish(&mut frames).is_ok();
    let shown = frames.iter().map(describe).collect();
    let mut bytes = BytesMut::new();
    frames.into_iter().for_each(|f| f.encode(&mut bytes));
    (shown, bytes.to_vec(), good)
}

fn describe(frame: &Frame) -> String {
    match frame {
        Frame::Sse(f) => {
            let data = match &f.data {
                SseData::Json(doc) => format!("json {:?}", doc.source()),
                other => format!("{other:?}"),
            };
            format!("{:?} {:?} {data}", f.raw, f.event)
        }
        Frame::JsonLine(l) => format!("{:?} {:?}", l.raw, l.json),
        Frame::Text(t) => t.clone(),
        Frame::Raw(b) => format!("{b:?}"),
    }
}

/// `bytes` cut at these places (taken modulo its length).
fn cut<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|c| c % (bytes.len() + 1)).collect();
    places.sort_unstable();
    let ends = places.iter().copied().chain([bytes.len()]);
    let starts = [0].into_iter().chain(places.iter().copied());
    starts.zip(ends).filter_map(|(from, to)| bytes.get(from..to)).collect()
}

fn sse_stream() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "data: ",
        "data:",
        "data",
        "event: x",
        "id: 1",
        ": c",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\r\n\r\n",
        "\r\r",
        "{\"a\":\"é\"}",
        "[DONE]",
        "{",
        "plain",
        "9876543210",
        "\u{FEFF}",
        ":",
        " ",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|p| p.concat())
}

fn line_stream() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec!["{\"a\":\"é\"}\n", "[1,2]\r\n", "\n", "\"x\"\n", "3", " ", "{"]);
    prop::collection::vec(piece, 0..12).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_do_not_depend_on_the_cuts(
        sse in sse_stream(), lines in line_stream(), cuts in prop::collection::vec(any::<usize>(), 0..10)
    ) {
        for (kind, stream) in [(BodyKind::Sse, sse), (BodyKind::JsonLines, lines)] {
            let bytes = stream.as_bytes();
            let whole = framed(kind, &[bytes]);
            prop_assert_eq!(&framed(kind, &cut(bytes, &cuts)), &whole, "{:?}", stream);
            let singles: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(framed(kind, &singles), whole, "{:?}", stream);
        }
    }

    #[test]
    fn parts_joined_are_the_bytes(text in any::<String>(), cuts in prop::collection::vec(any::<usize>(), 0..10)) {
        let bytes = text.as_bytes();
        for kind in [BodyKind::Text, BodyKind::Other] {
            let (_, joined, good) = framed(kind, &cut(bytes, &cuts));
            prop_assert!(good);
            prop_assert_eq!(&joined[..], bytes);
        }
        // A stream of events that is ended properly leaves as it came.
        let stream = text.lines().map(|l| format!("data: x{}\n\n", l.replace('\r', ""))).collect::<String>();
        let (_, joined, good) = framed(BodyKind::Sse, &cut(stream.as_bytes(), &cuts));
        prop_assert!(good);
        prop_assert_eq!(joined, stream.into_bytes());
    }

    #[test]
    fn what_is_accepted_is_what_another_strict_reader_reads(json in json_like()) {
        let ours = JsonDoc::parse(Bytes::from(json.clone().into_bytes()), &JsonLimits::default());
        let theirs = serde_json::from_str::<serde_json::Value>(&json);
        match ours {
            Ok(doc) => {
                let theirs = theirs.expect("we accepted it");
                let mut strings = Vec::new();
                collect(&theirs, &mut strings);
                let mut mine: Vec<String> = doc.strings().map(|n| doc.str(n).unwrap().into_owned()).collect();
                mine.sort();
                strings.sort();
                prop_assert_eq!(mine, strings);
            }
            Err(JsonError::DuplicateKey { .. }) => prop_assert!(theirs.is_ok()),
            // A number out of range of a double is JSON all the same, so only syntax is compared.
            Err(_) => prop_assert!(theirs.is_err(), "{}", json),
        }
    }
}

fn collect(value: &serde_json::Value, strings: &mut Vec<String>) {
    match value {
        serde_json::Value::String(s) => strings.push(s.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|v| collect(v, strings)),
        serde_json::Value::Object(members) => members.values().for_each(|v| collect(v, strings)),
        _ => {}
    }
}

fn json_like() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"\\u0061\"",
        "\"b\"",
        "1",
        "-0",
        "01",
        "1.5e-3",
        "1.",
        "true",
        "null",
        "nul",
        " ",
        "\n",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\t\"",
        "\"é\"",
        "\"",
    ]);
    prop::collection::vec(piece, 1..12).prop_map(|p| p.concat())
}

fn parse(json: &[u8]) -> Result<JsonDoc, JsonError> {
    JsonDoc::parse(Bytes::copy_from_slice(json), &JsonLimits::default())
}

#[test]
fn hostile_json_is_refused() {
    let refused: &[(&[u8], JsonError)] = &[
        (b"", JsonError::NotJson { at: 0 }),
        (b" ", JsonError::NotJson { at: 1 }),
        (b"\xEF\xBB\xBF{}", JsonError::NotJson { at: 0 }),
        (b"{} {}", JsonError::NotJson { at: 3 }),
        (b"{}\0", JsonError::NotJson { at: 2 }),
        (b"{\"a\":1,}", JsonError::NotJson { at: 7 }),
        (b"[1,]", JsonError::NotJson { at: 3 }),
        (b"[1 2]", JsonError::NotJson { at: 3 }),
        (b"{'a':1}", JsonError::NotJson { at: 1 }),
        (b"{a:1}", JsonError::NotJson { at: 1 }),
        (b"[}", JsonError::NotJson { at: 1 }),
        (b"{\"a\":1]", JsonError::NotJson { at: 6 }),
        (b"[1", JsonError::NotJson { at: 2 }),
        (b"\"a\nb\"", JsonError::NotJson { at: 2 }),
        (b"\"abcdefgh\x1fi\"", JsonError::NotJson { at: 9 }),
        (b"\"\\x\"", JsonError::NotJson { at: 1 }),
        (b"\"\\ud800\"", JsonError::NotJson { at: 1 }),
        (b"\"\\udc00\\ud800\"", JsonError::NotJson { at: 1 }),
        (b"\"\\u00g0\"", JsonError::NotJson { at: 1 }),
        (b"\"\\u+041\"", JsonError::NotJson { at: 1 }),
        (b"\"abc", JsonError::NotJson { at: 4 }),
        (b"\"abc\\", JsonError::NotJson { at: 4 }),
        (b"01", JsonError::NotJson { at: 1 }),
        (b"+1", JsonError::NotJson { at: 0 }),
        (b".5", JsonError::NotJson { at: 0 }),
        (b"1.", JsonError::NotJson { at: 2 }),
        (b"1e", JsonError::NotJson { at: 2 }),
        (b"-", JsonError::NotJson { at: 1 }),
        (b"0x1", JsonError::NotJson { at: 1 }),
        (b"NaN", JsonError::NotJson { at: 0 }),
        (b"Infinity", JsonError::NotJson { at: 0 }),
        (b"True", JsonError::NotJson { at: 0 }),
        (b"nulll", JsonError::NotJson { at: 4 }),
        (b"// c\n1", JsonError::NotJson { at: 0 }),
        (b"{\"a\":1,\"a\":2}", JsonError::DuplicateKey { at: 7 }),
        (b"{\"model\":1,\"m\\u006fdel\":2}", JsonError::DuplicateKey { at: 11 }),
        (b"{\"\":1,\"\":2}", JsonError::DuplicateKey { at: 6 }),
        (b"[{\"b\":{\"a\":1,\"a\":1}}]", JsonError::DuplicateKey { at: 13 }),
        (b"\"\xff\"", JsonError::NotUtf8 { at: 1 }),
        (b"\"\xed\xa0\x80\"", JsonError::NotUtf8 { at: 1 }),
        (b"\"\xc0\xaf\"", JsonError::NotUtf8 { at: 1 }),
    ];
    for (json, error) in refused {
        assert_eq!(parse(json).err().as_ref(), Some(error), "{}", json.escape_ascii());
    }
    for good in ["{}", " [ ] ", "0", "-0.0E+1", "\"\\u0000\\/\"", "{\"a\":{\"a\":1},\"A\":2}", "1e999"] {
        assert!(parse(good.as_bytes()).is_ok(), "{good}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert!(parse(&nested(64)).is_ok());
    assert_eq!(parse(&nested(65)).err(), Some(JsonError::TooDeep { at: 64 }));
    let limits = JsonLimits { depth_max: 200_000, nodes_max: 1_000_000 };
    assert!(JsonDoc::parse(Bytes::from(nested(100_000)), &limits).is_ok(), "depth costs no stack");
    let limits = JsonLimits { depth_max: 64, nodes_max: 3 };
    assert_eq!(JsonDoc::parse(Bytes::from_static(b"[1,2,3]"), &limits).err(), Some(JsonError::TooLarge { at: 5 }));
}

#[test]
fn hostile_texts_are_refused_in_linear_time() {
    // A reader that compares all pairs of keys does not come back from this.
    let keys = |n: usize| format!("{{{}}}", (0..n).map(|i| format!("\"k{i}\":{i}")).collect::<Vec<_>>().join(","));
    let escaped = |n: usize| {
        let members: Vec<String> = (0..n).map(|i| format!("\"\\u006b{i}\":\"\\n\"")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(parse(keys(200_000).as_bytes()).is_ok());
    assert!(parse(escaped(100_000).as_bytes()).is_ok());
}

#[test]
fn members_are_found_by_their_decoded_key() {
    let doc =
        parse(br#"{"a":{"x":1},"\u006dodel":"gpt","l":[1,[2],"\u0041"],"t":true,"n":18446744073709551615}"#).unwrap();
    let root = doc.root();
    assert_eq!(doc.str(doc.get(root, "model").unwrap()).unwrap(), "gpt");
    let keys: Vec<String> = doc.members(root).map(|(k, _)| k.into_owned()).collect();
    assert_eq!(keys, ["a", "model", "l", "t", "n"]);
    let list = doc.get(root, "l").unwrap();
    assert_eq!(doc.items(list).count(), 3);
    assert_eq!(doc.raw(doc.index(list, 1).unwrap()), b"[2]");
    assert_eq!(doc.index(list, 3), None);
    assert_eq!(doc.str(doc.index(list, 2).unwrap()).unwrap(), "A");
    assert_eq!(doc.bool(doc.get(root, "t").unwrap()), Some(true));
    assert_eq!(doc.u64(doc.get(root, "n").unwrap()), Some(u64::MAX));
    assert_eq!(doc.get(list, "x"), None);
    assert_eq!(doc.items(root).count(), 0);
    assert_eq!(doc.strings().count(), 2);
    assert_eq!(format!("{doc:?}"), "JsonDoc(87 bytes, 17 nodes)", "bodies are not printed");
}
