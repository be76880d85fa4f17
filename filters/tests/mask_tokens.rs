//! Laws of tokens: a backend sees no value, and its client sees what it sent, wherever a reply is cut.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests stand outside of test functions")]

mod driver;

use driver::{events, exchange, filter, headers, reply_in, request_in, stream_in};
use raptorgate_config::model::{PiiAction, PiiType};
use raptorgate_filters::exchange::Exchange;
use raptorgate_filters::filter::BodyKind;
use raptorgate_filters::mask_pii::MaskPii;
use serde_json::{Value, json};

const PAN: &str = "ABCPE1234F";
const MAIL: &str = "asha.rao@example.in";

fn tokenizing(response: &[(PiiType, PiiAction)]) -> MaskPii {
    filter(&PiiType::ALL.map(|kind| (kind, PiiAction::Tokenize)), response)
}

/// A request that was masked, the tokens of its two values, and what the filter remembers.
fn asked(filter: &MaskPii) -> (String, String, Exchange) {
    let mut exchange = exchange();
    let head = headers(&[("content-type", "application/json")]);
    let body =
        json!({"messages": [{"role": "user", "content": format!("My PAN is {PAN}, mail {MAIL}. Again: {PAN}")}]});
    let sent = request_in(filter, &head, body.to_string().as_bytes(), &mut exchange).unwrap();
    let sent: Value = serde_json::from_slice(&sent).unwrap();
    let text = sent["messages"][0]["content"].as_str().unwrap();
    assert!(!text.contains(PAN) && !text.contains(MAIL), "{text}");
    let token = |name: &str| {
        let from = text.find(&format!("[{name}:")).unwrap();
        text[from..=from + text[from..].find(']').unwrap()].to_owned()
    };
    let (pan, mail) = (token("PAN"), token("EMAIL"));
    assert_eq!(text, format!("My PAN is {pan}, mail {mail}. Again: {pan}"));
    (pan, mail, exchange)
}

#[test]
fn a_whole_reply_has_the_values_again() {
    let filter = tokenizing(&[(PiiType::Phone, PiiAction::Replace)]);
    let (pan, mail, mut exchange) = asked(&filter);
    let arguments = json!({"to": mail}).to_string();
    let said = json!({"choices": [{"message": {"content": format!("{pan} ok, call 9876543210"), "tool_calls": [
        {"function": {"name": "send", "arguments": arguments}}]}}]});
    let head = headers(&[("content-type", "application/json")]);
    let got = reply_in(&filter, head, said.to_string().as_bytes(), &mut exchange).unwrap();
    let got: Value = serde_json::from_slice(&got).unwrap();
    let message = &got["choices"][0]["message"];
    assert_eq!(message["content"], format!("{PAN} ok, call [PHONE]"), "what is the model's own is masked");
    let arguments: Value =
        serde_json::from_str(message["tool_calls"][0]["function"]["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments["to"], MAIL);
}

#[test]
fn a_stream_cut_at_any_byte_has_the_values_again() {
    let filter = tokenizing(&[(PiiType::Email, PiiAction::Replace)]);
    let (pan, mail, exchange) = asked(&filter);
    let text = format!("Dear {mail}, your {pan} and other@example.org [x] [PAN:");
    let whole = format!("Dear {MAIL}, your {PAN} and [EMAIL] [x] [PAN:");
    let chars: Vec<char> = text.chars().collect();
    for size in [1, 2, 3, 7, 20, 1_000] {
        let event = |delta: Value, reason: Value| {
            format!(
                "data: {}\n\n",
                json!({"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
            )
        };
        let pieces =
            chars.chunks(size).map(|piece| event(json!({"content": piece.iter().collect::<String>()}), Value::Null));
        let mut stream: String = pieces.collect();
        stream += &event(json!({}), json!("stop"));
        stream += "data: [DONE]\n\n";
        for cut in [1, 5, 64] {
            let chunks: Vec<&[u8]> = stream.as_bytes().chunks(cut).collect();
            let mut again = self::exchange();
            again.minted = exchange.minted.clone();
            let out = String::from_utf8(stream_in(&filter, BodyKind::Sse, &chunks, again)).unwrap();
            let said: String = events(BodyKind::Sse, &out)
                .iter()
                .filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
                .collect();
            assert_eq!(said, whole, "pieces of {size}, cut every {cut}");
            assert!(out.ends_with("data: [DONE]\n\n"));
        }
    }
}

#[test]
fn hashes_stay_hashes() {
    let filter = filter(&[(PiiType::Pan, PiiAction::Hash)], &[(PiiType::Pan, PiiAction::Hash)]);
    let mut exchange = exchange();
    let head = headers(&[("content-type", "text/plain")]);
    let sent = String::from_utf8(request_in(&filter, &head, PAN.as_bytes(), &mut exchange).unwrap()).unwrap();
    assert!(sent.starts_with("[PAN:") && exchange.minted.is_empty(), "{sent}");
    let chunks: Vec<&[u8]> = PAN.as_bytes().chunks(3).collect();
    let got = stream_in(&filter, BodyKind::Text, &chunks, self::exchange());
    assert_eq!(String::from_utf8(got).unwrap(), sent, "the same value, the same hash, in both directions");
}
