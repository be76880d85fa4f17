//! The harness proved against itself: what the clients send is what the upstream records, in every framing and way to end.

use raptorgate_tests::h1::{Body, H1, Request};
use raptorgate_tests::h2_client::H2;
use raptorgate_tests::reply::{Ending, Framing};
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use raptorgate_tests::upstream::script::big_body;

fn bodies() -> Vec<bytes::Bytes> {
    [0, 10, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 300 << 10].map(big_body).to_vec()
}

#[tokio::test]
async fn every_body_arrives_in_every_framing() {
    let upstream = Upstream::start();
    let mut h1 = H1::connect(upstream.address()).await;
    let mut h2 = H2::connect(upstream.address()).await;
    for body in bodies() {
        let length = Request::post("/x", body.clone());
        let unsized_ = length.clone().framed(|b| Body::Unsized(b, 5000));
        let expect = length.clone().framed(Body::Expect);
        let replies = [
            h1.send(&length).await.expect("h1"),
            h1.send(&unsized_).await.expect("h1 chunked"),
            h1.send(&expect).await.expect("h1 expect"),
            h2.send(&length).await.expect("h2"),
            h2.send(&unsized_).await.expect("h2 unsized"),
        ];
        for reply in replies {
            assert_eq!(reply.json()["sha256"], sha256_hex(&body), "{} bytes: {reply:?}", body.len());
            assert_eq!(reply.json()["length"], body.len());
        }
    }
}

#[tokio::test]
async fn a_reply_is_on_record_before_its_last_byte_is_read() {
    let upstream = Upstream::start();
    let mut h1 = H1::connect(upstream.address()).await;
    let mut h2 = H2::connect(upstream.address()).await;
    for round in 0..100 {
        for query in ["json", "chunked", "sse", "204", "trailers", "big&size=200000"] {
            let request = Request::post(format!("/x?reply={query}&round={round}"), "x");
            for reply in [h1.send(&request).await.ok(), h2.send(&request).await.ok()] {
                assert_eq!(reply.expect("a reply").ending, Ending::Whole, "{query}");
            }
            let records = upstream.records();
            let last: Vec<_> = records.iter().rev().take(2).map(|r| (r["target"].clone(), r["end"].clone())).collect();
            let due = (request.target.clone().into(), "whole".into());
            assert_eq!(last, [due.clone(), due], "round {round}, {query}");
        }
    }
    for query in ["reset", "half-body", "half-body&framing=length"] {
        let request = Request::post(format!("/x?reply={query}"), "x").header("x-test-id", query);
        let cut = H1::connect(upstream.address()).await.send(&request).await.expect(query);
        assert_eq!(cut.ending, Ending::Cut);
        assert_eq!(upstream.record(query).await["end"], "broken", "{query}");
    }
}

#[tokio::test]
async fn every_reply_is_seen_as_it_was_sent() {
    let upstream = Upstream::start();
    for (query, status, ending) in [
        ("reply=json", 200, Ending::Whole),
        ("reply=chunked", 200, Ending::Whole),
        ("reply=close", 200, Ending::Whole),
        ("reply=sse", 200, Ending::Whole),
        ("reply=204", 204, Ending::Whole),
        ("reply=304", 304, Ending::Whole),
        ("reply=trailers", 200, Ending::Whole),
        ("reply=big", 200, Ending::Whole),
        ("reply=hints", 200, Ending::Whole),
        ("reply=early503", 503, Ending::Whole),
        ("reply=reset", 200, Ending::Cut),
        ("reply=half-body", 200, Ending::Cut),
        ("reply=half-body&framing=length", 200, Ending::Cut),
    ] {
        let request = Request::post(format!("/x?{query}"), big_body(1 << 20));
        let h1 = H1::connect(upstream.address()).await.send(&request).await.expect(query);
        assert_eq!((h1.status, h1.ending), (status, ending), "h1 {query}");
        let h2 = H2::connect(upstream.address()).await.send(&request).await.expect(query);
        assert_eq!((h2.status, h2.ending), (status, ending), "h2 {query}");
        if query == "reply=trailers" {
            assert_eq!(h1.trailers["grpc-status"], "0");
            assert_eq!(h2.trailers["grpc-status"], "0");
        }
        if query == "reply=hints" {
            assert_eq!(h1.interim, [103]);
        }
        if query == "reply=big" {
            assert_eq!(h1.framing, Framing::Length(10 << 20));
            assert!(h1.body == big_body(10 << 20) && h2.body == h1.body);
        }
    }
}

#[tokio::test]
async fn replies_that_are_no_replies_are_errors() {
    let upstream = Upstream::start();
    for query in ["reply=nothing", "reply=half-head", "reply=garbage"] {
        let request = Request::get(format!("/x?{query}"));
        assert!(H1::connect(upstream.address()).await.send(&request).await.is_err(), "h1 {query}");
        assert!(H2::connect(upstream.address()).await.send(&request).await.is_err(), "h2 {query}");
    }
}

#[tokio::test]
async fn the_log_says_how_each_exchange_ended() {
    let upstream = Upstream::start();
    let chat = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"a b c"}]}"#;
    let post =
        |id: &str, query: &str| Request::post(format!("/v1/chat/completions?{query}"), chat).header("x-test-id", id);
    let mut h1 = H1::connect(upstream.address()).await;
    let whole = h1.send(&post("whole", "").header("x-test-text", "one two three")).await.expect("whole");
    assert_eq!(whole.events().last().map(String::as_str), Some("[DONE]"));
    let record = upstream.record("whole").await;
    assert_eq!(
        (record["end"].as_str(), record["tokens"].as_u64()),
        (Some("whole"), Some(6)),
        "3 prompt and 3 reply words"
    );

    let cut = h1.send(&post("cut", "break_after=2").header("x-test-text", "one two three")).await.expect("cut");
    assert_eq!(cut.ending, Ending::Cut);
    assert_eq!(upstream.record("cut").await["tokens"], 5);

    let mut leaver = H1::connect(upstream.address()).await;
    let mut incoming = leaver.start(&post("left", "await=never")).await.expect("left");
    assert!(incoming.read_until("assistant").await);
    drop(leaver);
    assert_eq!(upstream.record("left").await["end"], "peer_left");
}

#[tokio::test]
async fn an_upstream_that_waits_goes_on_when_released() {
    let upstream = Upstream::start();
    let mut client = H1::connect(upstream.address()).await;
    let mut incoming = client.start(&Request::get("/x?reply=sse&n=3&await=go")).await.expect("a head");
    for n in 0..3 {
        assert!(incoming.read_until(&format!("{{\"event\":{n}}}\n\n")).await, "event {n}");
        upstream.release("go").await;
    }
    assert_eq!(incoming.finish().await.ending, Ending::Whole);
}
