//! Streams and the money that is held for them.

use super::{Stage, rupees};
use raptorgate_tests::h1::Request;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::python::openai_client;
use raptorgate_tests::reply::Ending;
use serde_json::{Value, json};

fn stream(words: usize) -> Request {
    let body = json!({
        "model": "gpt-4o-mini", "max_tokens": 5000, "stream": true,
        "messages": [{"role": "user", "content": "one two three"}]
    });
    Request::post("/v1/chat/completions?usage=continuous&word_ms=1", body.to_string())
        .header("authorization", "Bearer asha")
        .header("x-test-text", "word ".repeat(words))
}

fn nanos(account: &Value, what: &str) -> i64 {
    let text = account[what].as_str().unwrap_or_else(|| panic!("no {what} in {account}"));
    text.trim_end_matches(" INR").replace('.', "").parse().expect("an amount")
}

/// A stage whose budget holds money for ten words of a streamed answer at a time.
async fn sliced(limit_nanos: i64) -> Stage {
    let budget = format!("    budgets: [{{ name: b, per: user, limit: {}, window: total }}]\n", rupees(limit_nanos));
    Stage::set(&format!("    meter: {{ stream_hold_tokens: 10 }}\n{budget}")).await
}

#[tokio::test]
async fn a_stream_ends_where_its_budget_does() {
    let request = stream(500);
    let prompt = i64::try_from(request.body_len()).expect("a length") * 10_000;
    let stage = sliced(prompt + 52 * 100_000).await;
    let reply = stage.gateway.send(&request).await;
    assert_eq!((reply.status, reply.ending), (200, Ending::Whole), "{}", reply.text());
    let text = reply.text();
    assert!(text.contains(r#""delta":{},"finish_reason":"length""#), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n") && text.contains(": raptorgate cost="), "{text}");
    let cut = async || stage.upstream.records().first().map(|record| record["tokens"].as_i64().expect("tokens"));
    let served = until("the backend is stopped", SOON, cut).await;
    assert!(served < 300, "the backend is stopped too: {served}");
    let account = stage.account("b:INR:user:asha").await;
    assert_eq!(account["held"], rupees(0));
    // what is held is used up before the stream ends, and what one read brings more is charged as well
    let (spent, held) = (nanos(&account, "spent"), prompt + 50 * 100_000);
    assert!((held..held + 40 * 100_000).contains(&spent), "{spent} of {held}");
    assert!(text.contains(&rupees(spent)), "{spent} is told: {text}");
    let stopped = async || Some(stage.gateway.output()).filter(|log| log.contains(r#""end":"stopped""#));
    let log = until("it is in the access log", SOON, stopped).await;
    assert!(log.contains("budget_exceeded"), "{log}");
    let refused = stage.gateway.send(&stream(1)).await;
    assert_eq!(refused.error_code(), "budget_exceeded");
}

#[tokio::test]
async fn a_stream_within_its_budget_is_held_for_in_slices_and_ends_by_itself() {
    let request = stream(100);
    let prompt = i64::try_from(request.body_len()).expect("a length") * 10_000;
    let stage = sliced(prompt + 400 * 100_000).await;
    let reply = stage.gateway.send(&request).await;
    assert_eq!((reply.status, reply.ending), (200, Ending::Whole));
    assert!(reply.text().contains(r#""finish_reason":"stop""#), "its maximum of 5000 words had never been affordable");
    let account = stage.account("b:INR:user:asha").await;
    assert_eq!((nanos(&account, "held"), nanos(&account, "spent")), (0, stage.served_nanos()));
}

#[tokio::test]
async fn a_client_reads_a_stopped_stream_to_its_end() {
    let stage = sliced(12_000_000).await;
    let seen = openai_client(stage.gateway.address(), "asha", "long_stream").await;
    assert_eq!(seen["finish_reason"], "length", "{seen}");
    let words = seen["text"].as_str().expect("a text").split_whitespace().count();
    assert!((20..200).contains(&words), "{seen}");
}

#[tokio::test]
async fn a_stream_that_a_kill_breaks_is_charged_for_what_passed() {
    let mut stage = Stage::set("    budgets: [{ name: b, per: user, limit: 10.00 INR, window: total }]\n").await;
    let request = stream(1000).header("x-test-await", "word");
    let mut connection = stage.gateway.h1().await;
    let mut incoming = connection.start(&request).await.expect("a head");
    for _ in 0..300 {
        stage.upstream.release("word").await;
    }
    assert!(incoming.read_until(r#""completion_tokens":300"#).await, "three hundred words pass");
    let written = async || (stage.gateway.metric("raptorgate_holds_open").await >= 1.0).then_some(());
    until("it runs", SOON, written).await;
    stage.gateway.kill_and_restart().await;
    let account = stage.account("b:INR:user:asha").await;
    let spent = nanos(&account, "spent");
    assert_eq!(account["held"], rupees(0));
    let of = |words: i64| 3 * 10_000 + words * 100_000;
    assert!((of(253)..=of(300)).contains(&spent), "written down every 256 tokens: {spent}");
}
