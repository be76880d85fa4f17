//! Laws of metering: what is charged is what the upstream says or what passed, once, wherever a reply is cut.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of test functions"
)]

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use proptest::prelude::*;
use raptorgate_config::model::{self, ApiFormat, ModelPrice};
use raptorgate_config::units::{Currency, Money, Price};
use raptorgate_filters::exchange::{End, Exchange, Outcome};
use raptorgate_filters::filter::{
    BodyKind, Decision, Ended, Filter, RequestHead, ResponseHead, ResponseMode, WholeResponse,
};
use raptorgate_filters::framers::Framer;
use raptorgate_filters::framers::json::JsonLimits;
use raptorgate_filters::meter::{Meter, OutputCap};
use raptorgate_filters::payload::Payload;
use raptorgate_policies::pricing::PriceTable;
use raptorgate_policies::totals::{Account, Totals};
use raptorgate_policies::{Denial, Timestamp, Usage};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A meter and one request through it.
struct Bench {
    meter: Meter,
    totals: Arc<Totals>,
    exchange: Exchange,
    headers: HeaderMap,
}

fn price(input: i64, output: i64) -> ModelPrice {
    let price = |n| Price::per_million(Money::from_nanos(n * 1_000_000, Currency::INR)).unwrap();
    ModelPrice { input: price(input), output: price(output), cached_input: price(input) }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

impl Bench {
    fn new(format: ApiFormat) -> Self {
        Self::capped(format, OutputCap::Leave)
    }

    fn capped(format: ApiFormat, cap: OutputCap) -> Self {
        let totals = Arc::new(Totals::default());
        let prices = [("m".to_owned(), price(10, 100)), ("big".to_owned(), price(1000, 1000))].into();
        let block = model::Meter {
            format,
            request_usage: true,
            default_price: Some(price(1, 1)),
            output_tokens_max: 50,
            stream_hold_tokens: None,
        };
        let prices = Arc::new(PriceTable::new(&prices, Currency::INR));
        let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            meter: Meter::new(&block, prices, totals.clone(), cap),
            totals,
            exchange: Exchange::new("r".into(), "route".into(), format, Timestamp::default(), client),
            headers: [(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect(),
        }
    }

    fn request(&mut self, body: &str) -> Result<String, Denial> {
        let mut payload = Payload::new(Bytes::copy_from_slice(body.as_bytes()), JsonLimits::default());
        let head = RequestHead { method: &Method::POST, path: "/", query: None, headers: &self.headers };
        match wait(self.meter.on_request_body(&head, &mut payload, &mut self.exchange)) {
            Decision::Continue => Ok(String::from_utf8(payload.into_bytes().to_vec()).unwrap()),
            Decision::Deny(denial) => Err(denial),
            Decision::Reply(_) => panic!("the meter never answers"),
        }
    }

    fn head(&mut self, status: u16, kind: BodyKind) -> ResponseMode {
        let status = StatusCode::from_u16(status).unwrap();
        let head = ResponseHead { status, headers: &HeaderMap::new(), kind };
        self.meter.on_response_head(&head, &mut self.exchange)
    }

    fn stream(&mut self, status: u16, kind: BodyKind, chunks: &[&[u8]], whole: bool) -> String {
        let ResponseMode::Stream(mut transform) = self.head(status, kind) else { panic!("a stream is expected") };
        let mut framer = Framer::new(kind, JsonLimits::default());
        let (mut frames, mut out) = (Vec::new(), Vec::new());
        for chunk in chunks {
            framer.push(Bytes::copy_from_slice(chunk), &mut frames).unwrap();
        }
        framer.finish(&mut frames).unwrap();
        frames.into_iter().for_each(|frame| transform.on_frame(frame, &mut self.exchange, &mut out));
        if whole {
            transform.on_finish(Ended::Whole, &mut self.exchange, &mut out);
        }
        let mut bytes = BytesMut::new();
        out.into_iter().for_each(|frame| frame.encode(&mut bytes));
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn reply(&mut self, status: u16, body: &str) {
        assert!(matches!(self.head(status, BodyKind::Json), ResponseMode::Gate));
        let body = Payload::new(Bytes::copy_from_slice(body.as_bytes()), JsonLimits::default());
        let status = StatusCode::from_u16(status).unwrap();
        let mut whole = WholeResponse { status, headers: HeaderMap::new(), body };
        assert!(matches!(wait(self.meter.on_response(&mut whole, &mut self.exchange)), Decision::Continue));
    }

    fn end(&mut self, dispatched: bool) -> Option<Account> {
        let outcome = Outcome { end: End::Complete, status: Some(200), dispatched, replied: dispatched };
        wait(self.meter.on_end(&outcome, &mut self.exchange));
        self.totals.get("_anon", "_anon")
    }

    fn metered(&self) -> (Usage, i64, bool) {
        let metered = self.exchange.metered.clone().unwrap();
        (metered.usage, metered.cost.nanos(), metered.estimated)
    }
}

fn usage(input: u64, output: u64) -> Usage {
    Usage::claimed(input, output, 0)
}

const ASK: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"one two three"}]}"#;
const USAGE_EVENT: &str =
    "data: {\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";

fn piece(text: &str) -> String {
    format!("data: {{\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

fn chat() -> String {
    [&piece(""), &piece("a "), &piece("é"), USAGE_EVENT, "data: [DONE]\n\n"].concat()
}

#[test]
fn an_answer_without_a_maximum_is_given_one() {
    let sent = |format, cap, body: &str| Bench::capped(format, cap).request(body).unwrap();
    for (format, body, capped) in [
        (ApiFormat::OpenAi, r#"{"messages":[]}"#, r#"{"messages":[],"max_completion_tokens":50}"#),
        (ApiFormat::OpenAi, r#"{"prompt":"a"}"#, r#"{"prompt":"a","max_tokens":50}"#),
        (ApiFormat::OpenAi, r#"{"messages":[],"max_tokens":9}"#, r#"{"messages":[],"max_tokens":9}"#),
        (ApiFormat::OpenAi, r#"{"input":"an embedding"}"#, r#"{"input":"an embedding"}"#),
        (ApiFormat::OpenAiResponses, r#"{"input":"a"}"#, r#"{"input":"a","max_output_tokens":50}"#),
        (ApiFormat::Anthropic, r#"{"messages":[]}"#, r#"{"messages":[]}"#),
        (ApiFormat::Gemini, r#"{"contents":[]}"#, r#"{"contents":[],"generationConfig":{"maxOutputTokens":50}}"#),
        (
            ApiFormat::Gemini,
            r#"{"generationConfig":{"topK":1}}"#,
            r#"{"generationConfig":{"topK":1,"maxOutputTokens":50}}"#,
        ),
        (ApiFormat::Gemini, r#"{"generationConfig":7}"#, r#"{"generationConfig":7}"#),
    ] {
        assert_eq!(sent(format, OutputCap::Set, body), capped);
        assert_eq!(sent(format, OutputCap::Leave, body), body);
    }
}

#[test]
fn what_a_request_may_cost_is_never_less_than_what_it_costs() {
    let needs = |format, body: &str| {
        let mut bench = Bench::new(format);
        bench.request(body).unwrap();
        bench.exchange.needs
    };
    // 10 and 100 milli-units a million tokens: 10_000 and 100_000 nano-units a thousand
    for (body, output) in [
        (r#"{"model":"m","messages":[{"content":"hello"}],"max_tokens":1000}"#, 1000),
        (r#"{"model":"m","messages":[{"content":"hello"}],"max_tokens":10,"max_completion_tokens":1000}"#, 1000),
        (r#"{"model":"m","messages":[{"content":"hello"}],"max_tokens":1000,"n":3}"#, 3000),
        (r#"{"model":"m","messages":[{"content":"hello"}]}"#, 50),
        (r#"{"model":"m","input":"hello"}"#, 0),
    ] {
        let needs = needs(ApiFormat::OpenAi, body);
        let nanos = |input: u64, output: u64| i64::try_from((input * 10 + output * 100).div_ceil(1000)).unwrap();
        assert_eq!(needs.cost_max.get(), nanos(body.len() as u64 * 1000, output * 1000), "{body}");
        assert!(needs.cost_predicted <= needs.cost_max, "{body}");
        assert_eq!(needs.tokens, 2 + output, "{body}");
    }
}

#[test]
fn usage_is_asked_for_in_streamed_chats_only() {
    for (sent, forwarded) in [
        (
            r#"{"stream":true,"messages":[]}"#,
            r#"{"stream":true,"messages":[],"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"stream":true,"messages":[],"stream_options":{"x":1}}"#,
            r#"{"stream":true,"messages":[],"stream_options":{"x":1,"include_usage":true}}"#,
        ),
        (
            r#"{"stream":true,"prompt":"","stream_options":{"include_usage": false}}"#,
            r#"{"stream":true,"prompt":"","stream_options":{"include_usage": true}}"#,
        ),
        (
            r#"{"stream":true,"messages":[],"stream_options":null}"#,
            r#"{"stream":true,"messages":[],"stream_options":{"include_usage":true}}"#,
        ),
    ] {
        let mut bench = Bench::new(ApiFormat::OpenAi);
        assert_eq!(bench.request(sent).unwrap(), forwarded);
        assert!(bench.exchange.metering.asked_usage);
    }
    for kept in [
        r#"{"messages":[]}"#,
        r#"{"stream":false,"messages":[]}"#,
        r#"{"stream":true,"input":"x"}"#,
        r#"{"stream":true,"messages":[],"stream_options":{"include_usage":true}}"#,
        r#"{"stream":true,"messages":[],"stream_options":7}"#,
        r#"[true]"#,
    ] {
        let mut bench = Bench::new(ApiFormat::OpenAi);
        assert_eq!(bench.request(kept).unwrap(), kept);
        assert!(!bench.exchange.metering.asked_usage, "{kept}");
    }
    assert_eq!(Bench::new(ApiFormat::Anthropic).request(ASK).unwrap(), ASK);
}

#[test]
fn an_ambiguous_request_is_refused_and_other_types_pass() {
    for (body, denial) in [("{", Denial::BodyNotJson), (r#"{"model":"a","model":"b"}"#, Denial::BodyDuplicateKey)] {
        assert_eq!(Bench::new(ApiFormat::OpenAi).request(body), Err(denial));
    }
    let mut bench = Bench::new(ApiFormat::OpenAi);
    bench.headers.insert("content-type", HeaderValue::from_static("multipart/form-data; boundary=x"));
    assert_eq!(bench.request("--x--").unwrap(), "--x--");
    assert_eq!(Bench::new(ApiFormat::OpenAi).request("").unwrap(), "");
}

#[test]
fn the_cost_is_told_before_the_end() {
    let cost = ": raptorgate cost=\"0.000000230 INR\"\n\n";
    let mut bench = Bench::new(ApiFormat::OpenAi);
    bench.request(ASK).unwrap();
    let seen = bench.stream(200, BodyKind::Sse, &[chat().as_bytes()], true);
    assert!(seen.ends_with(&format!("{}{cost}data: [DONE]\n\n", piece("é"))), "{seen}");
    assert_eq!(bench.metered(), (usage(3, 2), 230, false));

    let mut bench = Bench::new(ApiFormat::OpenAi);
    let unended = chat().replace("data: [DONE]\n\n", "");
    let seen = bench.stream(200, BodyKind::Sse, &[unended.as_bytes()], true);
    assert!(seen.ends_with(&format!("{USAGE_EVENT}{cost}")), "{seen}");

    let stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    let anthropic = format!(
        "data: {{\"type\":\"message_start\",\"message\":{{\"model\":\"m\",\"usage\":{{\"input_tokens\":3,\"output_tokens\":1}}}}}}\n\n\
         data: {{\"type\":\"message_delta\",\"delta\":{{}},\"usage\":{{\"output_tokens\":2}}}}\n\n{stop}"
    );
    let mut bench = Bench::new(ApiFormat::Anthropic);
    let seen = bench.stream(200, BodyKind::Sse, &[anthropic.as_bytes()], true);
    assert!(seen.ends_with(&format!("{cost}{stop}")), "{seen}");

    let done = "data: {\"type\":\"response.completed\",\"response\":{\"model\":\"m\",\"usage\":{\"input_tokens\":3,\"output_tokens\":2}}}\n\n";
    let mut bench = Bench::new(ApiFormat::OpenAiResponses);
    assert_eq!(bench.stream(200, BodyKind::Sse, &[done.as_bytes()], true), format!("{cost}{done}"));
}

#[test]
fn usage_that_the_client_did_not_ask_for_is_withheld() {
    let asking = ASK.replace("\"stream\":true", "\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    for (request, shown) in [(ASK, false), (asking.as_str(), true)] {
        let mut bench = Bench::new(ApiFormat::OpenAi);
        bench.request(request).unwrap();
        let seen = bench.stream(200, BodyKind::Sse, &[chat().as_bytes()], true);
        assert_eq!(seen.contains(USAGE_EVENT), shown);
        assert_eq!(bench.metered().0, usage(3, 2));
    }
}

#[test]
fn a_broken_stream_costs_what_came() {
    let mut bench = Bench::new(ApiFormat::OpenAi);
    bench.request(ASK).unwrap();
    bench.head(200, BodyKind::Sse);
    assert_eq!(bench.metered(), (usage(4, 0), 40, true), "13 bytes of prompt are 4 tokens");
    let came = [piece(""), piece("a "), piece("b ")].concat();
    bench.stream(200, BodyKind::Sse, &[came.as_bytes()], false);
    assert_eq!(bench.metered(), (usage(4, 2), 240, true));
    let account = bench.end(true).unwrap();
    assert_eq!((account.requests, account.estimated_requests, account.output_tokens), (1, 1, 2));

    let continuous = piece("a ").replace("]}\n\n", "],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n");
    let mut bench = Bench::new(ApiFormat::OpenAi);
    bench.stream(200, BodyKind::Sse, &[continuous.as_bytes()], false);
    assert_eq!(bench.metered(), (usage(3, 1), 130, false));

    let begun = "data: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n\
        data: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"a\"}}\n\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"b\"}}\n\n";
    let mut bench = Bench::new(ApiFormat::Anthropic);
    bench.stream(200, BodyKind::Sse, &[begun.as_bytes()], false);
    assert_eq!(bench.metered(), (usage(3, 2), 230, true));
}

#[test]
fn the_model_that_answered_is_charged() {
    let reply = |model: &str| format!(r#"{{"model":"{model}","usage":{{"prompt_tokens":3,"completion_tokens":2}}}}"#);
    for (request, answered, model, cost) in [
        ("m", "big", "big", 5000),
        ("m", "big-2026-01-31", "big", 5000),
        ("m", "unknown", "m", 230),
        ("x", "unknown", "other", 5),
    ] {
        let mut bench = Bench::new(ApiFormat::OpenAi);
        bench.request(&format!(r#"{{"model":"{request}","messages":[]}}"#)).unwrap();
        bench.reply(200, &reply(answered));
        let metered = bench.exchange.metered.clone().unwrap();
        assert_eq!((&*metered.model, metered.cost.nanos()), (model, cost));
        let mut headers = HeaderMap::new();
        bench.exchange.response_headers.apply(&mut headers);
        assert_eq!(headers.get("x-raptorgate-cost").unwrap().to_str().unwrap(), metered.cost.to_string());
    }
}

#[test]
fn errors_are_counted_and_cost_nothing() {
    let mut bench = Bench::new(ApiFormat::OpenAi);
    bench.request(ASK).unwrap();
    bench.reply(429, r#"{"error":{"message":"slow down"}}"#);
    let account = bench.end(true).unwrap();
    assert_eq!((account.requests, account.input_tokens, account.cost.nanos()), (1, 0, 0));
    let mut bench = Bench::new(ApiFormat::OpenAi);
    bench.stream(500, BodyKind::Sse, &[piece("sorry").as_bytes()], true);
    assert_eq!(bench.metered(), (usage(0, 0), 0, false));
    let mut bench = Bench::new(ApiFormat::OpenAi);
    bench.reply(200, "not JSON");
    assert_eq!(bench.metered(), (usage(0, 0), 0, false));
}

#[test]
fn ending_twice_charges_once() {
    let mut bench = Bench::new(ApiFormat::OpenAi);
    bench.reply(200, r#"{"model":"m","usage":{"prompt_tokens":3,"completion_tokens":2}}"#);
    let first = bench.end(true).unwrap();
    assert_eq!(bench.end(true), Some(first.clone()));
    assert_eq!((first.requests, first.input_tokens, first.output_tokens, first.cost.nanos()), (1, 3, 2, 230));
}

#[test]
fn what_nobody_served_costs_nothing() {
    let mut bench = Bench::new(ApiFormat::OpenAi);
    bench.request(ASK).unwrap();
    assert_eq!(bench.end(false), None);
    assert_eq!(bench.end(true), None, "no head came");
}

#[test]
fn json_lines_are_metered_without_comments() {
    let lines = "{\"model\":\"m\",\"message\":{\"content\":\"a\"},\"done\":false}\n\
                 {\"model\":\"m\",\"message\":{\"content\":\"\"},\"done\":true,\"prompt_eval_count\":3,\"eval_count\":2}\n";
    let mut bench = Bench::new(ApiFormat::Json);
    assert_eq!(bench.stream(200, BodyKind::JsonLines, &[lines.as_bytes()], true), lines);
    assert_eq!(bench.metered(), (usage(3, 2), 230, false));
}

proptest! {
    #[test]
    fn cuts_change_neither_bytes_nor_cost(mut cuts in prop::collection::vec(0..1000_usize, 0..12)) {
        let text = chat();
        let mut whole = Bench::new(ApiFormat::OpenAi);
        whole.request(ASK).unwrap();
        let expected = whole.stream(200, BodyKind::Sse, &[text.as_bytes()], true);
        cuts.iter_mut().for_each(|at| *at = (*at).min(text.len()));
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &text.as_bytes()[w[0]..w[1]]).collect();
        let mut bench = Bench::new(ApiFormat::OpenAi);
        bench.request(ASK).unwrap();
        prop_assert_eq!(bench.stream(200, BodyKind::Sse, &chunks, true), expected);
        prop_assert_eq!(bench.metered(), whole.metered());
    }
}
