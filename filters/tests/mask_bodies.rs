//! Laws of masked bodies: requests of every kind, and replies that are decided on whole.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests stand outside of test functions"
)]

#[path = "../../guards/tests/dev_data/mod.rs"]
mod dev_data;
mod driver;

use dev_data::{all, assert_masked, lines};
use driver::{exchange, filter, filter_at, headers, reply, request, request_at};
use http::{HeaderMap, Method, StatusCode};
use raptorgate_config::model::{JsonPart, JsonPath, JsonPaths, JsonStep, PiiAction, PiiType};
use raptorgate_filters::filter::{BodyKind, Filter, RequestHead, ResponseHead, ResponseMode};
use raptorgate_policies::Denial;
use serde_json::{Value, json};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn masked_request(content_type: &'static str, body: &str) -> Result<String, Denial> {
    let filter = filter(&all(PiiAction::Replace), &[]);
    request(&filter, &headers(&[("content-type", content_type)]), body.as_bytes())
        .map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn labelled_values_never_survive_a_json_body() {
    let filter = filter(&all(PiiAction::Replace), &all(PiiAction::Replace));
    for line in lines() {
        let nested = json!({"note":line.text}).to_string();
        let body = json!({"model":"gpt","messages":[
            {"role":"user","content":line.text},
            {"role":"user","content":[{"type":"text","text":line.text}]},
            {"role":"assistant","tool_calls":[{"id":"call_1","function":{"name":"f","arguments":nested}}]},
            {"role":"tool","tool_call_id":"call_1","content":line.text},
        ]});
        let escaped: String =
            body.to_string().chars().map(|c| if c.is_ascii() { c.to_string() } else { escape(c) }).collect();
        for text in [body.to_string(), escaped] {
            let sent = String::from_utf8(request(&filter, &headers(JSON), text.as_bytes()).unwrap()).unwrap();
            let got = String::from_utf8(reply(&filter, headers(JSON), text.as_bytes()).unwrap()).unwrap();
            for out in [sent, got] {
                let read: Value = serde_json::from_str(&out).expect("still JSON");
                assert_eq!((&read["model"], &read["messages"][3]["tool_call_id"]), (&json!("gpt"), &json!("call_1")));
                assert_masked(&line, &read.to_string());
            }
        }
    }
}

fn escape(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

#[test]
fn an_unreadable_request_is_refused() {
    let filter = filter(&all(PiiAction::Replace), &[]);
    let deep = [vec![b'['; 100], vec![b']'; 100]].concat();
    type Head = [(&'static str, &'static str)];
    let table: &[(&Head, &[u8], Denial)] = &[
        (JSON, b"{\"a\":1", Denial::BodyNotJson),
        (JSON, b"{\"a\":1,\"a\":2}", Denial::BodyDuplicateKey),
        (JSON, &deep, Denial::BodyTooDeep),
        (JSON, b"\"\xff\"", Denial::BodyNotUtf8),
        (&[("content-type", "text/plain")], b"\xff", Denial::BodyNotUtf8),
        (&[("content-type", "application/x-ndjson")], b"{}\n{", Denial::BodyNotJson),
        (&[("content-type", "application/x-www-form-urlencoded")], b"a=%ff", Denial::BodyNotUtf8),
        (&[("content-type", "multipart/form-data; boundary=x")], b"--x", Denial::UnsupportedContentType),
        (&[("content-type", "application/octet-stream")], b"x", Denial::UnsupportedContentType),
        (&[("content-type", "text/plain; charset=utf-16")], b"x", Denial::UnsupportedContentType),
        (&[], b"x", Denial::UnsupportedContentType),
        (&[("content-type", "application/json"), ("content-encoding", "gzip")], b"x", Denial::UnsupportedContentCoding),
    ];
    for (head, body, denial) in table {
        assert_eq!(request(&filter, &headers(head), body).as_ref(), Err(denial), "{}", body.escape_ascii());
    }
    assert_eq!(request(&filter, &HeaderMap::new(), b""), Ok(Vec::new()), "no body, nothing to read");
}

#[test]
fn requests_of_every_readable_kind_are_masked() {
    for (content_type, body, expected) in [
        ("application/json", "{ \"a\" : \"a@b.in\" }", "{ \"a\" : \"[EMAIL]\" }"),
        ("text/plain; charset=utf-8", "mail a@b.in", "mail [EMAIL]"),
        ("application/xml", "<m>a@b.in</m>", "<m>[EMAIL]</m>"),
        ("application/x-ndjson", "{\"a\":\"a@b.in\"}\n1\n", "{\"a\":\"[EMAIL]\"}\n1\n"),
        ("application/x-www-form-urlencoded", "q=a%40b.in&r=1", "q=%5BEMAIL%5D&r=1"),
    ] {
        assert_eq!(masked_request(content_type, body).as_deref(), Ok(expected), "{content_type}");
    }
}

#[test]
fn clean_bodies_go_on_as_they_came() {
    for (content_type, body) in [
        ("application/json", " {\"a\":\t\"caf\\u00e9\" , \"n\":1e2}\n"),
        ("application/x-ndjson", "{\"a\": 1}\r\n\n2"),
        ("application/x-www-form-urlencoded", "a=%7e+b&&c"),
        ("text/csv", "a,b\r\n1,2\r\n"),
    ] {
        assert_eq!(masked_request(content_type, body).as_deref(), Ok(body));
    }
}

#[test]
fn a_blocked_type_refuses_request_and_reply() {
    let rules = [(PiiType::Pan, PiiAction::Block), (PiiType::Email, PiiAction::Replace)];
    let filter = filter(&rules, &rules);
    let body = br#"{"a":"IVWAG7475N"}"#;
    assert_eq!(request(&filter, &headers(JSON), body), Err(Denial::PiiBlocked));
    assert_eq!(reply(&filter, headers(JSON), body), Err(Denial::ReplyPiiBlocked));
    assert!(request(&filter, &headers(JSON), br#"{"a":"a@b.in"}"#).is_ok());
}

#[test]
fn a_reply_that_cannot_be_read_is_refused() {
    let filter = filter(&[], &all(PiiAction::Replace));
    for body in [&b"{\"a\":1,\"a\":2}"[..], b"<html>", b"\"\xff\""] {
        assert_eq!(reply(&filter, headers(JSON), body), Err(Denial::UpstreamInvalidReply), "{}", body.escape_ascii());
    }
    let latin = headers(&[("content-type", "text/plain; charset=iso-8859-1")]);
    assert_eq!(reply(&filter, latin.clone(), b"caf\xe9"), Err(Denial::UpstreamInvalidReply));
    assert_eq!(reply(&filter, latin, b"to a@b.in"), Ok(b"to [EMAIL]".to_vec()));
    assert_eq!(reply(&filter, HeaderMap::new(), br#"{"a":"a\u0040b.in"}"#), Ok(br#"{"a":"[EMAIL]"}"#.to_vec()));
    assert_eq!(reply(&filter, headers(JSON), b""), Ok(Vec::new()));
}

#[test]
fn each_kind_of_reply_is_seen_in_its_mode() {
    let both = filter(&[], &all(PiiAction::Replace));
    let mode = |filter: &dyn Filter, kind, content_type: &'static str| {
        let headers = headers(&[("content-type", content_type)]);
        let head = ResponseHead { status: StatusCode::OK, headers: &headers, kind };
        match filter.on_response_head(&head, &mut exchange()) {
            ResponseMode::Ignore => "ignore",
            ResponseMode::Stream(_) => "stream",
            ResponseMode::Gate => "gate",
        }
    };
    assert_eq!(mode(&both, BodyKind::Json, "application/json"), "gate");
    assert_eq!(mode(&both, BodyKind::Sse, "text/event-stream"), "stream");
    assert_eq!(mode(&both, BodyKind::JsonLines, "application/x-ndjson"), "stream");
    assert_eq!(mode(&both, BodyKind::Text, "text/plain"), "stream");
    assert_eq!(mode(&both, BodyKind::Other, "image/png"), "ignore");
    assert_eq!(mode(&both, BodyKind::Other, "application/unknown"), "gate");
    assert_eq!(mode(&both, BodyKind::None, ""), "ignore");
    let none = filter(&all(PiiAction::Replace), &[]);
    assert_eq!(mode(&none, BodyKind::Json, "application/json"), "ignore");
    assert!(none.phases().request_body && !none.phases().response);
}

#[test]
fn what_was_masked_is_counted_by_type() {
    let filter = filter(&all(PiiAction::Replace), &[]);
    let mut exchange = exchange();
    let mut body = raptorgate_filters::payload::Payload::new(
        bytes::Bytes::from_static(br#"["a@b.in","c@d.in 9876543210"]"#),
        raptorgate_filters::framers::json::JsonLimits::default(),
    );
    let headers = headers(JSON);
    let head = raptorgate_filters::filter::RequestHead {
        method: &http::Method::POST,
        path: "/",
        query: None,
        headers: &headers,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(filter.on_request_body(&head, &mut body, &mut exchange));
    let counted: Vec<_> = exchange.report.masked_request.into_iter().collect();
    assert_eq!(counted, [("email", 2), ("phone", 1)]);
}

/// The query that goes upstream.
fn query(query: &str) -> Result<Option<String>, Denial> {
    let (headers, mut exchange) = (HeaderMap::new(), exchange());
    let head = RequestHead { method: &Method::GET, path: "/", query: Some(query), headers: &headers };
    request_at(&filter(&all(PiiAction::Replace), &[]), &head, b"", &mut exchange).map(|_| exchange.query)
}

#[test]
fn queries_are_masked_but_for_credentials() {
    for (sent, masked) in [
        ("q=call+%2B91%2098765+43210&page=2", "q=call+%5BPHONE%5D&page=2"),
        ("phone=9876543210", "phone=%5BPHONE%5D"),
        ("asha@example.in", "%5BEMAIL%5D"),
        ("a=1&mail=asha%40example.in&&z", "a=1&mail=%5BEMAIL%5D&&z"),
    ] {
        assert_eq!(query(sent).unwrap().as_deref(), Some(masked), "{sent}");
    }
    let key = format!("key=AIza{}&alt=sse", "SyD3x4mplek3y5678901234567890abcdefg");
    for left_alone in ["", "q=hello%20world&x=%7e", "order=9876543210", &key] {
        assert_eq!(query(left_alone).unwrap(), None, "{left_alone}");
    }
    assert_eq!(query("q=%ff"), Err(Denial::BadRequest("a value in its query is not UTF-8")));
}

#[test]
fn paths_say_what_is_looked_at() {
    // `*` for all, digits for an index, else a name
    let part = |part: &&str| match part.parse() {
        Ok(place) => JsonPart::Step(JsonStep::Index(place)),
        Err(_) if *part == "*" => JsonPart::All,
        Err(_) => JsonPart::Step(JsonStep::Member((*part).to_owned())),
    };
    let of = |list: &[&[&str]]| list.iter().map(|parts| JsonPath(parts.iter().map(part).collect())).collect();
    let paths = JsonPaths {
        only: of(&[&["messages", "*", "content"], &["notes"]]),
        skip: of(&[&["notes", "1"], &["messages", "*", "content", "*", "ref"]]),
    };
    let filter = filter_at(&all(PiiAction::Replace), &[], paths);
    let body = json!({"contact": "asha@example.in", "phone": 9_876_543_210_u64, "notes": ["a@b.in", "a@b.in", {"x": "a@b.in"}],
        "messages": [{"content": "a@b.in", "name": "a@b.in"}, {"content": [{"text": "a@b.in", "ref": "a@b.in"}]}]});
    let sent: Value =
        serde_json::from_slice(&request(&filter, &headers(JSON), body.to_string().as_bytes()).unwrap()).unwrap();
    let expected = json!({"contact": "asha@example.in", "phone": 9_876_543_210_u64, "notes": ["[EMAIL]", "a@b.in", {"x": "[EMAIL]"}],
        "messages": [{"content": "[EMAIL]", "name": "a@b.in"}, {"content": [{"text": "[EMAIL]", "ref": "a@b.in"}]}]});
    assert_eq!(sent, expected);
}

#[test]
fn numbers_are_masked_where_their_name_says_whose_they_are() {
    let filter = filter(&all(PiiAction::Replace), &all(PiiAction::Replace));
    let body = r#"{"phone": 9876543210, "user": {"aadhaar_no":234567890124}, "bytes":9876543210, "created":1764550000, "n":[9876543210], "mobile":98.5}"#;
    let masked = r#"{"phone": "[PHONE]", "user": {"aadhaar_no":"[AADHAAR]"}, "bytes":9876543210, "created":1764550000, "n":[9876543210], "mobile":98.5}"#;
    let sent = request(&filter, &headers(JSON), body.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(sent).unwrap(), masked);
    let got = reply(&filter, headers(JSON), body.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(got).unwrap(), masked);
}
