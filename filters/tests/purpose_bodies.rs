//! Laws of purposes on whole request bodies, with the labels of the example file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests stand outside of test functions")]

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use raptorgate_config::model::{self, ApiFormat, PurposeAction, PurposeLabel};
use raptorgate_filters::exchange::Exchange;
use raptorgate_filters::filter::{Decision, Filter, RequestHead};
use raptorgate_filters::framers::json::JsonLimits;
use raptorgate_filters::payload::Payload;
use raptorgate_filters::purpose::Purpose;
use raptorgate_policies::{Denial, Timestamp};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

const JSON: &str = "application/json";
const CODING: &str = "Write a SQL query that counts orders per month";
const MARKETING: &str = "Write a cheerful tagline for our monsoon sale";

/// The labels of the example: an item in quotes is an example.
fn config(action: PurposeAction) -> model::Purpose {
    let mut labels: Vec<PurposeLabel> = Vec::new();
    for line in include_str!("../../examples/marketing-agent.yaml").lines().map(str::trim) {
        if line == "marketing:" || line == "general_coding:" {
            let action = if line == "marketing:" { PurposeAction::Allow } else { action };
            labels.push(PurposeLabel { name: line.trim_end_matches(':').to_owned(), examples: Vec::new(), action });
        } else if let (Some(example), Some(label)) = (line.strip_prefix("- \""), labels.last_mut()) {
            label.examples.push(example.trim_end_matches('"').to_owned());
        }
    }
    model::Purpose { labels, shadow: false }
}

fn run(filter: &Purpose, format: ApiFormat, kind: &'static str, body: &[u8]) -> (Result<(), Denial>, Exchange) {
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut exchange = Exchange::new("r".into(), "route".into(), format, Timestamp::default(), client);
    let headers: HeaderMap = [(http::header::CONTENT_TYPE, HeaderValue::from_static(kind))].into_iter().collect();
    let head = RequestHead { method: &Method::POST, path: "/", query: None, headers: &headers };
    let mut payload = Payload::new(Bytes::copy_from_slice(body), JsonLimits::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let result = match runtime.block_on(filter.on_request_body(&head, &mut payload, &mut exchange)) {
        Decision::Continue => Ok(()),
        Decision::Deny(denial) => Err(denial),
        Decision::Reply(_) => panic!("purpose never answers"),
    };
    (result, exchange)
}

fn chat(config: &model::Purpose, messages: &Value) -> (Result<(), Denial>, Exchange) {
    let body = json!({ "messages": messages }).to_string();
    run(&Purpose::new(config).unwrap(), ApiFormat::OpenAi, JSON, body.as_bytes())
}

fn refused() -> Denial {
    Denial::OffPurpose { allowed: "marketing".into() }
}

#[test]
fn unseen_coding_is_blocked_and_unseen_marketing_passes() {
    let filter = Purpose::new(&config(PurposeAction::Block)).unwrap();
    let blocked = |texts: &'static str| {
        let hits = |text: &&str| run(&filter, ApiFormat::Json, "text/plain", text.as_bytes()).0.is_err();
        texts.lines().partition::<Vec<&str>, _>(hits)
    };
    let (hit, missed) = blocked(include_str!("data/purpose_coding.txt"));
    assert!(hit.len() + missed.len() >= 30 && hit.len() * 10 >= (hit.len() + missed.len()) * 9, "missed: {missed:#?}");
    let (hit, passed) = blocked(include_str!("data/purpose_marketing.txt"));
    assert!(hit.len() + passed.len() >= 30 && hit.len() * 20 <= hit.len() + passed.len(), "blocked: {hit:#?}");
}

#[test]
fn only_the_last_text_of_the_user_is_judged() {
    let config = config(PurposeAction::Block);
    let said = |role: &str, content: &str| json!({ "role": role, "content": content });
    let others = [
        said("system", CODING),
        said("user", CODING),
        said("assistant", CODING),
        said("user", MARKETING),
        said("tool", CODING),
    ];
    assert_eq!(chat(&config, &json!(others)).0, Ok(()));
    assert_eq!(chat(&config, &json!([said("user", MARKETING), said("user", CODING)])).0, Err(refused()));
    assert_eq!(chat(&config, &json!([said("system", CODING)])).0, Ok(()), "no user, nothing asked");
}

#[test]
fn strangers_pass() {
    let filter = Purpose::new(&config(PurposeAction::Block)).unwrap();
    for text in ["hi", "", "!!", "今日の天気はどうですか"] {
        assert_eq!(run(&filter, ApiFormat::Json, "text/plain", text.as_bytes()).0, Ok(()), "{text}");
    }
}

#[test]
fn lines_forms_and_texts_are_judged() {
    let filter = Purpose::new(&config(PurposeAction::Block)).unwrap();
    let form = format!("q={}&lang=en", CODING.replace(' ', "+"));
    let lines = format!("{}\n{}\n", json!({ "q": CODING }), json!({ "q": MARKETING }));
    for (kind, body) in
        [("text/plain", CODING), ("application/x-www-form-urlencoded", &form), ("application/x-ndjson", &lines)]
    {
        assert_eq!(run(&filter, ApiFormat::Json, kind, body.as_bytes()).0, Err(refused()), "{kind}");
    }
}

#[test]
fn an_unreadable_body_is_refused() {
    let filter = Purpose::new(&config(PurposeAction::Block)).unwrap();
    assert_eq!(run(&filter, ApiFormat::OpenAi, JSON, b"{").0, Err(Denial::BodyNotJson));
    assert_eq!(run(&filter, ApiFormat::Json, "text/plain", b"\xff").0, Err(Denial::BodyNotUtf8));
    assert_eq!(run(&filter, ApiFormat::Json, "image/png", b"x").0, Err(Denial::UnsupportedContentType));
}

#[test]
fn in_the_shadow_everything_passes() {
    let coding = json!([{ "role": "user", "content": CODING }]);
    let shadow = model::Purpose { shadow: true, ..config(PurposeAction::Block) };
    for (config, done) in
        [(shadow, "shadow"), (config(PurposeAction::Flag), "flag"), (config(PurposeAction::Report), "report")]
    {
        let (result, exchange) = chat(&config, &coding);
        let off = exchange.report.off_purpose.unwrap();
        assert_eq!((result, &*off.label, off.action), (Ok(()), "general_coding", done));
    }
}
