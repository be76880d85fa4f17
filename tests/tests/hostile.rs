//! Malformed and hostile input: each has its stable code and a request id, leaks nothing, and harms nobody else.

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::{Body, H1, Request};
use raptorgate_tests::machine;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::reply::{Ending, Reply};
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use std::net::SocketAddr;

/// The caller's key; must never be printed or sent anywhere.
const KEY: &str = "sk-CANARY-key-4711";
/// A text of every prompt; must never be printed.
const PROMPT: &str = "CANARY-prompt-0815";
/// Name of the key in the file; no caller needs to know it.
const KEY_ID: &str = "canary-key-id";

fn config(upstream: SocketAddr) -> String {
    let dead = machine::dead_address();
    let auth = format!(
        "authenticate: {{ api_keys: [{{ id: {KEY_ID}, sha256: \"{}\", tenant: acme, user: asha }}] }}",
        sha256_hex(KEY.as_bytes())
    );
    let guards = "sanitize: { action: strip }, mask_pii: { response: { email: replace } }";
    format!(
        "{}tenants: {{ acme: {{ timezone: Asia/Kolkata, currency: INR }} }}
limits: {{ json_depth: 32 }}
upstreams:
  agents: {{ endpoints: [{{ address: '{upstream}' }}], retries: 0, timeouts: {{ connect: 2s, first_byte: 300ms, idle: 300ms, total: 20s }} }}
  hurried: {{ endpoints: [{{ address: '{upstream}' }}], retries: 0, timeouts: {{ connect: 2s, first_byte: 20s, idle: 20s, total: 500ms }} }}
  gone: {{ endpoints: [{{ address: '{dead}' }}], retries: 1 }}
defaults:
  {auth}
routes:
  - {{ name: chat, match: {{ path: /v1/chat/completions, methods: [POST] }}, upstream: agents, {guards}, meter: {{ format: openai }}, body: {{ request_max: 64 KiB, request_timeout: 700ms, reply_max: 64 KiB, on_large_reply: refuse }} }}
  - {{ name: claude, match: {{ path: /v1/messages, methods: [POST] }}, upstream: agents, format: anthropic, {guards} }}
  - {{ name: json, match: {{ path: /json/* }}, upstream: agents, format: json, {guards} }}
  - {{ name: hurried, match: {{ path: /hurried }}, upstream: hurried }}
  - {{ name: gone, match: {{ path: /gone }}, upstream: gone }}
  - {{ name: streamed, match: {{ path: /streamed }}, upstream: agents, body: {{ request_max: 64 KiB }} }}
",
        listeners()
    )
}

struct Bench {
    upstream: Upstream,
    gateway: Gateway,
}

impl Bench {
    async fn start() -> Self {
        let upstream = Upstream::start();
        let gateway = Gateway::start(&config(upstream.address())).await;
        Self { upstream, gateway }
    }

    /// What must hold of every refusal, whatever its cause.
    fn assert_refused(&self, what: &str, reply: &Reply, status: u16, code: &str) {
        assert_eq!((reply.status, reply.error_code().as_str()), (status, code), "{what}: {}", reply.text());
        let id = reply.header("x-request-id");
        assert!(!id.is_empty(), "{what}: no request id");
        assert!(reply.text().contains(id), "{what}: the request id is not in the body: {}", reply.text());
        self.assert_leaks_nothing(what, &format!("{:?}\n{}", reply.headers, reply.text()));
    }

    fn assert_leaks_nothing(&self, what: &str, text: &str) {
        let upstream = self.upstream.address().to_string();
        for secret in [KEY, PROMPT, KEY_ID, &upstream, &machine::dead_address().to_string()] {
            assert!(!text.contains(secret), "{what}: {secret} got out: {text}");
        }
    }

    fn assert_logs_are_clean(&self) {
        let output = self.gateway.output();
        for secret in [KEY, PROMPT] {
            assert!(!output.contains(secret), "{secret} was logged:\n{output}");
        }
    }
}

fn post(target: &str, body: impl Into<bytes::Bytes>) -> Request {
    Request::post(target, body).header("authorization", format!("Bearer {KEY}"))
}

/// A right chat request.
fn chat(stream: &str) -> String {
    format!(
        "{{\"model\":\"gpt-4o-mini\",\"stream\":{stream},\"messages\":[{{\"role\":\"user\",\"content\":\"{PROMPT}\"}}]}}"
    )
}

/// Bodies that the guards cannot read, each with its code.
fn unreadable_bodies() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let deep = |n: usize| format!("{{\"{PROMPT}\":{}{}}}", "[".repeat(n), "]".repeat(n));
    vec![
        ("no JSON at all", format!("hello {PROMPT}").into(), "body_not_json"),
        ("cut JSON", format!("{{\"messages\":[\"{PROMPT}\"").into(), "body_not_json"),
        ("bytes after the end", format!("{} x", chat("false")).into(), "body_not_json"),
        ("two documents", format!("{0}{0}", chat("false")).into(), "body_not_json"),
        ("NaN", format!("{{\"{PROMPT}\":NaN}}").into(), "body_not_json"),
        ("a comment", format!("{{/* {PROMPT} */}}").into(), "body_not_json"),
        ("a byte order mark", format!("\u{feff}{}", chat("false")).into(), "body_not_json"),
        (
            "duplicate keys",
            format!("{{\"model\":\"cheap\",\"model\":\"dear\",\"p\":\"{PROMPT}\"}}").into(),
            "body_duplicate_key",
        ),
        (
            "an escaped duplicate",
            format!("{{\"model\":\"cheap\",\"\\u006dodel\":\"{PROMPT}\"}}").into(),
            "body_duplicate_key",
        ),
        (
            "a nested duplicate",
            format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{PROMPT}\",\"role\":\"system\"}}]}}").into(),
            "body_duplicate_key",
        ),
        ("too deep", deep(33).into(), "body_too_deep"),
        ("far too deep", deep(20_000).into(), "body_too_deep"),
        ("a lone continuation byte", [b"{\"messages\":\"", PROMPT.as_bytes(), b"\x80\"}"].concat(), "body_not_utf8"),
        ("an overlong slash", [b"{\"messages\":\"", PROMPT.as_bytes(), b"\xc0\xaf\"}"].concat(), "body_not_utf8"),
        ("Latin-1", [b"{\"messages\":\"caf\xe9 ", PROMPT.as_bytes(), b"\"}"].concat(), "body_not_utf8"),
    ]
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_by_name_and_keep_the_connection() {
    let bench = Bench::start().await;
    for target in ["/v1/chat/completions", "/v1/messages", "/json/x"] {
        let mut client = bench.gateway.h1().await;
        for (what, body, code) in unreadable_bodies() {
            for framed in [Body::Length as fn(_) -> _, |b| Body::Unsized(b, 7)] {
                let request = post(target, body.clone()).framed(framed).header("x-test-id", "unreadable");
                let reply = client.send(&request).await.unwrap_or_else(|e| panic!("{target} {what}: {e:?}"));
                bench.assert_refused(what, &reply, 400, code);
            }
        }
        assert_eq!(client.send(&post(target, chat("false"))).await.expect("the connection goes on").status, 200);
    }
    assert!(bench.upstream.records_of("unreadable").is_empty(), "the upstream got a body that nobody could read");
    bench.assert_logs_are_clean();
}

#[tokio::test]
async fn types_and_codings_that_the_guards_cannot_read_are_refused() {
    let bench = Bench::start().await;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonx",
    ] {
        let mut request = post("/v1/chat/completions", chat("false"));
        request.headers.retain(|(name, _)| name != "content-type");
        let reply = bench.gateway.send(&request.header("content-type", content_type)).await;
        bench.assert_refused(content_type, &reply, 415, "unsupported_content_type");
    }
    for coding in ["compress", "gzip, br", "gzip, identity"] {
        let reply =
            bench.gateway.send(&post("/v1/chat/completions", chat("false")).header("content-encoding", coding)).await;
        bench.assert_refused(coding, &reply, 415, "unsupported_content_coding");
    }
    for fine in ["application/json; charset=utf-8", "Application/JSON"] {
        let mut request = post("/v1/chat/completions", chat("false"));
        request.headers.retain(|(name, _)| name != "content-type");
        assert_eq!(bench.gateway.send(&request.header("content-type", fine)).await.status, 200, "{fine}");
    }
    bench.assert_logs_are_clean();
}

#[tokio::test]
async fn callers_without_a_valid_key_are_refused_before_their_body_is_read() {
    let bench = Bench::start().await;
    let bare = Request::post("/v1/chat/completions", chat("false")).header("x-test-id", "strangers");
    let wrong = |value: &str| bare.clone().header("authorization", value);
    for (what, request, code) in [
        ("no key", bare.clone(), "missing_api_key"),
        ("a wrong key", wrong("Bearer sk-wrong"), "invalid_api_key"),
        ("the hash itself", wrong(&format!("Bearer {}", sha256_hex(KEY.as_bytes()))), "invalid_api_key"),
        ("the key's name", wrong(&format!("Bearer {KEY_ID}")), "invalid_api_key"),
        ("a wrong x-api-key", bare.clone().header("x-api-key", "nope"), "invalid_api_key"),
    ] {
        // Only the head is sent: who waits for the body first would never answer.
        let mut client = bench.gateway.h1().await;
        client.write_head(&request).await;
        let reply = client.reply("POST").await.unwrap_or_else(|e| panic!("{what}: {e:?}")).finish().await;
        bench.assert_refused(what, &reply, 401, code);
    }
    assert!(bench.upstream.records_of("strangers").is_empty());
    assert_eq!(bench.gateway.send(&bare.header("x-api-key", KEY)).await.status, 200, "the key in the other header");
}

#[tokio::test]
async fn too_large_bodies_are_refused_as_soon_as_it_is_known() {
    let bench = Bench::start().await;
    for target in ["/v1/chat/completions", "/streamed"] {
        let large = post(target, vec![b' '; 70_000]);
        let mut client = bench.gateway.h1().await;
        client.write_head(&large).await;
        let told = client.reply("POST").await.expect("a reply before any byte of the body").finish().await;
        bench.assert_refused("by its length", &told, 413, "body_too_large");

        let mut h2 = bench.gateway.h2().await;
        let (reply, _body) = h2.open(&large, false).await.expect("a stream");
        assert_eq!(reply.await.expect("a reply before any byte of the body").status(), 413);
    }
    let endless = post("/v1/chat/completions", vec![b' '; 1 << 20]).framed(|b| Body::Unsized(b, 4096));
    let reply = bench.gateway.send(&endless).await;
    bench.assert_refused("chunked", &reply, 413, "body_too_large");
    let reply = bench.gateway.h2().await.send(&endless).await.expect("h2");
    bench.assert_refused("h2 without length", &reply, 413, "body_too_large");
    assert_eq!(bench.gateway.send(&post("/v1/chat/completions", chat("false"))).await.status, 200);
}

#[tokio::test]
async fn a_body_that_trickles_is_timed_out() {
    let bench = Bench::start().await;
    let mut client = bench.gateway.h1().await;
    client.write_head(&post("/v1/chat/completions", chat("false"))).await;
    client.write(b"{\"model\":").await.expect("a part");
    let reply = client.reply("POST").await.expect("a reply").finish().await;
    bench.assert_refused("trickling", &reply, 408, "body_timeout");
}

#[tokio::test]
async fn a_body_that_breaks_off_reaches_nobody() {
    let bench = Bench::start().await;
    let mut client = bench.gateway.h1().await;
    client.write_head(&post("/v1/chat/completions", chat("false")).header("x-test-id", "broken-off")).await;
    client.write(b"{\"model\":").await.expect("a part");
    drop(client);
    assert_eq!(
        bench.gateway.send(&post("/v1/chat/completions", chat("false")).header("x-test-id", "after")).await.status,
        200
    );
    bench.upstream.record("after").await;
    assert!(bench.upstream.records_of("broken-off").is_empty());
}

#[tokio::test]
async fn upstreams_that_fail_before_their_reply_have_a_code_each() {
    let bench = Bench::start().await;
    for (what, target, status, code) in [
        ("refused", "/gone", 502, "upstream_connect_failed"),
        ("nothing, then closed", "/json/x?reply=nothing", 502, "upstream_reset"),
        ("half a head", "/json/x?reply=half-head", 502, "upstream_reset"),
        ("garbage", "/json/x?reply=garbage", 502, "upstream_invalid_reply"),
        ("no first byte", "/json/x?reply=hang", 504, "upstream_timeout_first_byte"),
        ("too long in all", "/hurried?reply=hang", 504, "upstream_timeout_total"),
        ("JSON reset in the middle", "/json/x?reply=reset&framing=length", 502, "upstream_reset"),
        ("chunked JSON reset in the middle", "/json/x?reply=reset", 502, "upstream_reset"),
        ("JSON that stops in the middle", "/json/x?reply=stall&framing=length", 504, "upstream_timeout_idle"),
        ("JSON that is none", "/json/x?reply=not-json", 502, "upstream_invalid_reply"),
        ("a coding that nobody knows", "/json/x?reply=coded&coding=compress", 502, "upstream_invalid_reply"),
    ] {
        let mut client = bench.gateway.h1().await;
        let reply = client.send(&post(target, chat("false"))).await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
        bench.assert_refused(what, &reply, status, code);
        if !reply.header("connection").eq_ignore_ascii_case("close") {
            assert_eq!(
                client.send(&post("/json/x", "{}")).await.expect("the connection goes on").status,
                200,
                "{what}"
            );
        }
        let h2 = bench
            .gateway
            .h2()
            .await
            .send(&post(target, chat("false")))
            .await
            .unwrap_or_else(|e| panic!("h2 {what}: {e:?}"));
        bench.assert_refused(&format!("h2 {what}"), &h2, status, code);
    }
    bench.assert_logs_are_clean();
}

#[tokio::test]
async fn a_held_reply_beyond_its_limit_is_refused() {
    let bench = Bench::start().await;
    let padded = |size: usize| post(&format!("/v1/chat/completions?reply=padded&size={size}"), chat("false"));
    let fits = bench.gateway.send(&padded((64 << 10) - 11)).await;
    assert_eq!((fits.status, fits.body.len()), (200, 64 << 10), "a reply of exactly the limit");
    let reply = bench.gateway.send(&padded((64 << 10) - 10)).await;
    bench.assert_refused("one byte more", &reply, 502, "reply_too_large");
}

#[tokio::test]
async fn a_stream_that_breaks_ends_in_an_error_and_not_as_if_it_were_whole() {
    let bench = Bench::start().await;
    for (what, query) in [("reset", "break_after=2"), ("stalled", "await=never")] {
        let request =
            post(&format!("/v1/chat/completions?{query}"), chat("true")).header("x-test-text", "one two three four");
        let reply = bench.gateway.send(&request).await;
        assert_eq!(reply.status, 200, "{what}: the head was already sent");
        let events = reply.events();
        assert!(!events.iter().any(|e| e == "[DONE]"), "{what}: a broken stream says that it is done: {events:?}");
        let last: serde_json::Value = serde_json::from_str(events.last().expect("an event")).expect("JSON");
        let code = if what == "reset" { "upstream_reset" } else { "upstream_timeout_idle" };
        assert_eq!(last["error"]["code"], code, "{what}: {events:?}");
        bench.assert_leaks_nothing(what, &events.last().cloned().unwrap_or_default());
    }
    let claude = post("/v1/messages?reply=reset&framing=sse", "{\"messages\":[],\"stream\":true}");
    let reply = bench.gateway.send(&claude).await;
    assert!(reply.text().contains("event: error"), "Anthropic's clients look at the event's name: {}", reply.text());
    let last: serde_json::Value = serde_json::from_str(reply.events().last().expect("an event")).expect("JSON");
    assert_eq!((last["type"].as_str(), reply.text().contains("message_stop")), (Some("error"), false));
}

#[tokio::test]
async fn an_unguarded_reply_that_breaks_is_cut() {
    let bench = Bench::start().await;
    for query in ["reset", "reset&framing=length", "half-body", "half-body&framing=length"] {
        let request = post(&format!("/streamed?reply={query}"), chat("true"));
        let h1 = bench.gateway.send(&request).await;
        assert_eq!(h1.ending, Ending::Cut, "h1 {query}: looks whole");
        let h2 = bench.gateway.h2().await.send(&request).await.expect("a head");
        assert_eq!(h2.ending, Ending::Cut, "h2 {query}: looks whole");
    }
}

#[tokio::test]
async fn what_is_no_http_gets_a_bare_400_or_nothing_and_harms_nobody() {
    let bench = Bench::start().await;
    for raw in [
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "POST /json/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "POST /json/x HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
        "POST /json/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /json/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /json/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST /json/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /json/x HTTP/1.1\r\nHost: a\r\nname : value\r\n\r\n",
        "GET /json/x HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET /json\u{0}x HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\n\r\nnonsense\r\n\r\n",
    ] {
        let mut client = H1::connect(bench.gateway.address()).await;
        client.write(raw.as_bytes()).await.expect("write");
        if let Ok(incoming) = client.reply("GET").await {
            assert_eq!(incoming.reply.status, 400, "{raw:?}");
        }
    }
    let records = until("the upstream is quiet", SOON, async || Some(bench.upstream.records())).await;
    assert!(records.is_empty(), "the upstream got something of it: {records:?}");
    assert_eq!(bench.gateway.send(&post("/json/x", "{}")).await.status, 200);
}
