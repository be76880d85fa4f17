//! Laws of masked replies: what a client puts together is the masked text, wherever bytes and events are cut.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests stand outside of test functions"
)]

#[path = "../../guards/tests/dev_data/mod.rs"]
mod dev_data;
mod driver;

mod protocols;

use dev_data::{all, assert_masked, lines};
use driver::{events, filter, stream_bytes};
use protocols::{MASK, PROTOCOLS, pieces, sse, text_at, whole};
use raptorgate_config::model::{PiiAction, PiiType};
use raptorgate_filters::filter::BodyKind;
use serde_json::{Value, json};

#[test]
fn values_in_events_of_one_character_are_masked() {
    for line in lines() {
        let every: Vec<usize> = (1..line.text.chars().count()).collect();
        for protocol in PROTOCOLS {
            let stream = (protocol.send)(&pieces(&line.text, &every));
            let (text, raw) = protocol.received(&[stream.as_bytes()]);
            assert_eq!(text, whole(&line.text), "{} in {}", line.id, protocol.name);
            assert_masked(&line, &raw);
        }
    }
}

#[test]
fn labelled_values_never_survive_a_stream_cut_at_any_byte() {
    for (i, line) in lines().iter().enumerate().filter(|(_, l)| !l.values.is_empty()) {
        // Every text in plain form, and in one of the protocols in turn, cut into two events in its middle.
        let protocol = &PROTOCOLS[i % PROTOCOLS.len()];
        let stream = (protocol.send)(&pieces(&line.text, &[line.text.chars().count() / 2]));
        for cut in 0..=stream.len() {
            let (left, right) = stream.as_bytes().split_at(cut);
            let (text, raw) = protocol.received(&[left, right]);
            assert_eq!(text, whole(&line.text), "{} in {} cut at {cut}", line.id, protocol.name);
            assert_masked(line, &raw);
        }
        for cut in 0..=line.text.len() {
            let (left, right) = line.text.as_bytes().split_at(cut);
            let out = stream_bytes(&filter(&[], &all(MASK)), BodyKind::Text, &[left, right]);
            assert_eq!(String::from_utf8(out).unwrap(), whole(&line.text), "{} cut at {cut}", line.id);
        }
    }
}

#[test]
fn plain_text_events_are_one_text() {
    let out = |stream: &str| {
        String::from_utf8(stream_bytes(&filter(&[], &all(MASK)), BodyKind::Sse, &[stream.as_bytes()])).unwrap()
    };
    assert_eq!(
        out("data: call 98765\n\ndata: 43210\n\ndata:  now\n\n"),
        "data: call \n\ndata: \n\ndata: XXXXXX3210 \n\ndata: now\n\n"
    );
    assert_eq!(out("event: t\ndata: 98765\n\ndata: 43210\n\n"), "event: t\ndata: \n\ndata: \n\ndata: XXXXXX3210\n\n");
    assert_eq!(out("id: 1\r\ndata: a@b.in \r\n\r\n"), "id: 1\r\ndata: [EMAIL] \r\n\r\n");
}

#[test]
fn clean_events_leave_as_they_came() {
    let stream = "event: x\r\ndata:{ \"choices\" : [ {\"delta\":{\"content\":\"Hello \"}} ] , \"model\":\"m\\u0061\"}\r\n\r\n: ping\n\n";
    let out = stream_bytes(&filter(&[], &all(MASK)), BodyKind::Sse, &[stream.as_bytes()]);
    assert_eq!(String::from_utf8(out).unwrap(), stream);
}

fn received(stream: &str) -> Vec<Value> {
    let out = stream_bytes(&filter(&[], &all(MASK)), BodyKind::Sse, &[stream.as_bytes()]);
    events(BodyKind::Sse, &String::from_utf8(out).unwrap())
}

#[test]
fn choices_and_tool_calls_do_not_mix() {
    let piece = |choice: u32, text: &str| json!({"choices":[{"index":choice,"delta":{"content":text}}]});
    let args = |tool: u32, text: &str| json!({"choices":[{"index":0,"delta":{"tool_calls":[{"index":tool,"function":{"arguments":text}}]}}]});
    let stream = [
        piece(0, "98765"),
        piece(1, "12"),
        args(0, "asha@"),
        args(1, "x"),
        piece(0, "43210 "),
        piece(1, "345 "),
        args(0, "b.in "),
        args(1, "y "),
    ];
    let got = received(&sse(stream));
    let joined = |choice: u32, path: &str| -> String {
        let mine = got.iter().filter(|e| e["choices"][0]["index"] == choice);
        mine.filter_map(|e| text_at(e, path)).collect()
    };
    assert_eq!(joined(0, "/choices/0/delta/content"), "XXXXXX3210 ");
    assert_eq!(joined(1, "/choices/0/delta/content"), "12345 ");
    let calls: String =
        got.iter().filter_map(|e| text_at(e, "/choices/0/delta/tool_calls/0/function/arguments")).collect();
    assert_eq!(calls, "[EMAIL] xy ", "in the order in which the lanes are certain");
}

#[test]
fn the_added_event_repeats_nothing_that_clients_add_up() {
    let first = json!({"id":"c","model":"m","usage":{"total_tokens":3},"choices":[{"index":0,"delta":{"role":"assistant","content":"98765"}}]});
    let call = json!({"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":2,"id":"call_1","type":"function","function":{"name":"f","arguments":"43210"}}]}}]});
    let end = json!({"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]});
    let got = received(&sse([first, call, end.clone()]));
    assert_eq!(got.len(), 5, "two events are added before the end");
    assert_eq!(
        got[2],
        json!({"id":"c","model":"m","usage":null,"choices":[{"index":0,"delta":{"content":"98765"},"finish_reason":null}]})
    );
    assert_eq!(
        got[3],
        json!({"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":2,"function":{"arguments":"43210"}}]},"finish_reason":null}]})
    );
    assert_eq!(got[4], end);
}

#[test]
fn numbered_events_stay_numbered_without_a_gap() {
    let delta = |n: u32, text: &str| json!({"type":"response.output_text.delta","output_index":0,"content_index":0,"sequence_number":n,"delta":text});
    let done = |n: u32| json!({"type":"response.output_text.done","output_index":0,"content_index":0,"sequence_number":n,"text":"a 98765"});
    let end = json!({"type":"response.completed","sequence_number":6,"response":{}});
    let got = received(&sse([delta(3, "a "), delta(4, "98765"), done(5), end]));
    let numbers: Vec<u64> = got.iter().filter_map(|e| e["sequence_number"].as_u64()).collect();
    assert_eq!(numbers, [3, 4, 5, 6, 7]);
    assert_eq!(got[2]["delta"], "98765");
}

#[test]
fn anthropic_ends_come_before_their_stop_event() {
    let event = |v: Value| format!("event: {}\ndata: {v}\n\n", v["type"].as_str().unwrap());
    let stream = event(
        json!({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"p\":98765"}}),
    ) + &event(json!({"type":"content_block_stop","index":0}));
    let out = stream_bytes(&filter(&[], &all(MASK)), BodyKind::Sse, &[stream.as_bytes()]);
    let expected = event(
        json!({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"p\":"}}),
    ) + "event: content_block_delta\n"
        + "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"98765\"}}\n\n"
        + &event(json!({"type":"content_block_stop","index":0}));
    let parsed = |text: &str| events(BodyKind::Sse, text);
    assert_eq!(parsed(&String::from_utf8(out).unwrap()), parsed(&expected));
}

#[test]
fn a_large_event_holds_nothing_back() {
    let filler = "x ".repeat(40_000);
    let got = received(&sse([json!({"delta":"98765","filler":filler}), json!({"delta":" 43210"})]));
    assert_eq!(got[0]["delta"], "98765");
    let got = received(&sse([json!({"delta":"98765"}), json!({"delta":" 43210","filler":filler})]));
    assert_eq!((&got[0]["delta"], &got[1]["delta"]), (&json!(""), &json!("XXXXX X3210")));
}

#[test]
fn more_lanes_than_kept_are_masked_event_by_event() {
    let piece = |choice: u32, text: &str| json!({"choices":[{"index":choice,"delta":{"content":text}}]});
    let first = (0..70).map(|choice| piece(choice, "98765"));
    let second = (0..70).map(|choice| piece(choice, "43210 9876543210 "));
    let got = received(&sse(first.chain(second)));
    let joined = |choice: u32| -> String {
        let mine = got.iter().filter(|e| e["choices"][0]["index"] == choice);
        mine.filter_map(|e| text_at(e, "/choices/0/delta/content")).collect()
    };
    assert_eq!(joined(63), "XXXXXX3210 XXXXXX3210 ");
    assert_eq!(joined(64), "9876543210 XXXXXX3210 ", "documented: a further lane is only masked within each event");
}

#[test]
fn blocked_types_are_replaced_in_a_stream() {
    let block = filter(&[], &[(PiiType::Phone, PiiAction::Block)]);
    let stream = sse([json!({"delta":"98765"}), json!({"delta":"43210, "})]);
    let out = String::from_utf8(stream_bytes(&block, BodyKind::Sse, &[stream.as_bytes()])).unwrap();
    assert_eq!(out, "data: {\"delta\":\"\"}\n\ndata: {\"delta\":\"[PHONE], \"}\n\n");
}

#[test]
fn other_strings_of_an_event_are_masked_whole() {
    let got = received(&sse([json!({"delta":"hi ","error":{"message":"no asha@x.in"},"id":"call_9876543210"})]));
    assert_eq!(got[0], json!({"delta":"hi ","error":{"message":"no [EMAIL]"},"id":"call_9876543210"}));
}
