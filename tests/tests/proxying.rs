//! Proxying by the real program: routes, bodies that stream, headers, time, and the way it stops.

use raptorgate_tests::certificates::Authority;
use raptorgate_tests::gateway::{Gateway, Launch, command_line, listeners};
use raptorgate_tests::h1::{Body, H1, Request};
use raptorgate_tests::h2_client::H2;
use raptorgate_tests::machine;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::reply::{Ending, Framing};
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use raptorgate_tests::upstream::script::big_body;
use std::time::Instant;

/// One route for everything, to `upstream`; `route` are more blocks of it.
fn one_route(upstream: &Upstream, route: &str) -> String {
    with_upstream(&format!("endpoints: [{{ address: \"{}\" }}]", upstream.address()), route)
}

fn with_upstream(upstream: &str, route: &str) -> String {
    format!(
        "{}upstreams:\n  backend: {{ {upstream} }}\nroutes:\n  - {{ name: all, match: {{ path: /* }}, upstream: backend, format: json{route} }}\n",
        listeners()
    )
}

async fn plain() -> (Upstream, Gateway) {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&one_route(&upstream, "")).await;
    (upstream, gateway)
}

#[tokio::test]
async fn the_most_specific_route_wins() {
    // Each route answers with a status of its own, so that the reply tells which one was taken.
    let routes = [
        ("path: /*", 460),
        ("path: /a", 461),
        ("path: /a/*", 462),
        ("path: /a/b/*", 463),
        ("path: '/users/{user_id}'", 464),
        ("path: /users/me", 465),
        ("path: '/users/{user_id}/posts'", 466),
        ("path: /a, host: api.x.in", 467),
        ("path: /*, host: '*.x.in'", 468),
        ("path: /a, methods: [PUT]", 469),
    ];
    let mut yaml = listeners() + "upstreams: { none: { endpoints: [{ address: '127.0.0.1:1' }] } }\nroutes:\n";
    for (matches, status) in routes {
        yaml += &format!(
            "  - {{ name: r{status}, match: {{ {matches} }}, upstream: none, fault: {{ abort: {{ percent: 100, status: {status} }} }} }}\n"
        );
    }
    let gateway = Gateway::start(&yaml).await;
    for (method, host, target, status) in [
        ("GET", "h", "/", 460),
        ("GET", "h", "/other/a", 460),
        ("GET", "h", "/a", 461),
        ("GET", "h", "/a?x=/a/b", 461),
        ("GET", "h", "/a/c", 462),
        ("GET", "h", "/a/b/c", 463),
        ("GET", "h", "/users/asha", 464),
        ("GET", "h", "/users/me", 465),
        ("GET", "h", "/users/asha/posts", 466),
        ("GET", "h", "/users/asha/other", 460),
        ("GET", "api.x.in", "/a", 467),
        ("GET", "API.X.IN:8080", "/a", 467),
        ("GET", "other.x.in", "/a", 468),
        ("GET", "x.in", "/zzz", 460),
        ("PUT", "h", "/a", 469),
    ] {
        let mut client = gateway.h1().await;
        client.host = host.into();
        let reply = client.send(&Request::get(target).method(method)).await.expect("a reply");
        assert_eq!(reply.status, status, "{method} {host}{target}");
    }
}

#[tokio::test]
async fn an_ambiguous_route_is_a_load_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("two.yaml");
    let yaml = "version: 1\nlisteners: [{ address: 127.0.0.1:0 }]\nupstreams: { u: { endpoints: [{ address: '127.0.0.1:1' }] } }\nroutes:\n  \
                - { name: one, match: { path: '/users/{id}' }, upstream: u }\n  - { name: two, match: { path: '/users/{name}' }, upstream: u }\n";
    std::fs::write(&file, yaml).expect("write");
    let output = command_line(&["check", "-c", file.to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("two.yaml:6:"), "the second route's line is not named: {said}");
    assert!(said.contains("one") && said.contains("two"), "both routes are not named: {said}");
}

#[tokio::test]
async fn unknown_routes_and_methods_keep_the_connection() {
    let upstream = Upstream::start();
    let yaml = format!(
        "{}upstreams: {{ u: {{ endpoints: [{{ address: '{}' }}] }} }}\nroutes:\n  - {{ name: one, match: {{ path: /one, methods: [POST] }}, upstream: u }}\n",
        listeners(),
        upstream.address()
    );
    let gateway = Gateway::start(&yaml).await;
    let mut client = gateway.h1().await;
    let missing = client.send(&Request::get("/nowhere")).await.expect("404");
    assert_eq!((missing.status, missing.error_code().as_str()), (404, "route_not_found"));
    let method = client.send(&Request::get("/one")).await.expect("405 on the same connection");
    assert_eq!((method.status, method.error_code().as_str()), (405, "method_not_allowed"));
    assert_eq!(method.header("allow"), "POST");
    let right = client.send(&Request::post("/one", "{}")).await.expect("200 on the same connection");
    assert_eq!(right.status, 200);
}

#[tokio::test]
async fn replies_without_body_leave_the_connection_whole() {
    let (_upstream, gateway) = plain().await;
    let mut h1 = gateway.h1().await;
    let mut h2 = gateway.h2().await;
    for (method, query, status) in
        [("HEAD", "json", 200), ("GET", "204", 204), ("GET", "304", 304), ("HEAD", "big", 200), ("GET", "json", 200)]
    {
        let request = Request::get(format!("/x?reply={query}")).method(method);
        let one = h1.send(&request).await.unwrap_or_else(|e| panic!("h1 {method} {query}: {e:?}"));
        let two = h2.send(&request).await.unwrap_or_else(|e| panic!("h2 {method} {query}: {e:?}"));
        assert_eq!((one.status, two.status), (status, status), "{method} {query}");
        assert_eq!((one.ending, two.ending), (Ending::Whole, Ending::Whole), "{method} {query}");
        if (method, query) == ("HEAD", "big") {
            assert_eq!(one.header("content-length"), (10 << 20).to_string(), "HEAD tells the length of GET");
        }
        if (method, query) != ("GET", "json") {
            assert!(one.body.is_empty() && two.body.is_empty(), "{method} {query} has a body");
        }
    }
}

#[tokio::test]
async fn interim_replies_and_expect_do_not_disturb_the_final_one() {
    let (_upstream, gateway) = plain().await;
    let mut client = gateway.h1().await;
    let hints = client.send(&Request::get("/x?reply=hints")).await.expect("103 and 200");
    assert_eq!(hints.status, 200);
    let body = big_body(100_000);
    let expect = client.send(&Request::post("/x", body.clone()).framed(Body::Expect)).await.expect("100 and 200");
    assert_eq!((expect.status, expect.interim.as_slice()), (200, &[100][..]));
    assert_eq!(expect.json()["sha256"], sha256_hex(&body));
    let again = client.send(&Request::get("/x")).await.expect("the connection goes on");
    assert_eq!(again.status, 200);
}

#[tokio::test]
async fn hop_by_hop_and_our_own_headers_do_not_pass() {
    let (upstream, gateway) = plain().await;
    let request = Request::get("/x")
        .header("x-test-id", "hops")
        .header("connection", "keep-alive, x-secret-hop")
        .header("keep-alive", "timeout=5")
        .header("proxy-connection", "keep-alive")
        .header("x-secret-hop", "1")
        .header("te", "gzip")
        .header("x-raptorgate-user", "somebody-else")
        .header("x-raptorgate-tenant", "somebody-else")
        .header("x-kept", "yes");
    assert_eq!(gateway.send(&request).await.status, 200);
    let headers = &upstream.record("hops").await["headers"];
    assert_eq!(headers["x-kept"], "yes");
    for dropped in ["keep-alive", "proxy-connection", "x-secret-hop", "x-raptorgate-user", "x-raptorgate-tenant"] {
        assert!(headers[dropped].is_null(), "{dropped} reached the upstream: {headers}");
    }
    assert_ne!(headers["te"], "gzip");
}

#[tokio::test]
async fn every_request_has_an_id_and_a_trace() {
    let (upstream, gateway) = plain().await;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let told =
        Request::get("/x").header("x-test-id", "told").header("x-request-id", "req-42").header("traceparent", trace);
    let reply = gateway.send(&told).await;
    let seen = upstream.record("told").await;
    assert_eq!((reply.header("x-request-id"), seen["headers"]["x-request-id"].as_str()), ("req-42", Some("req-42")));
    let passed = seen["headers"]["traceparent"].as_str().expect("a traceparent");
    assert_eq!(passed.get(..36), trace.get(..36), "another trace than the caller's");

    for (id, bad) in [("minted", None), ("minted-bad", Some("not a trace parent"))] {
        let mut request = Request::get("/x").header("x-test-id", id);
        if let Some(bad) = bad {
            request = request.header("traceparent", bad).header("x-request-id", "has spaces and \"quotes\"");
        }
        let reply = gateway.send(&request).await;
        let seen = upstream.record(id).await;
        assert!(reply.header("x-request-id").len() >= 16, "no id of our own: {:?}", reply.headers);
        assert_eq!(seen["headers"]["x-request-id"], reply.header("x-request-id"));
        let passed = seen["headers"]["traceparent"].as_str().unwrap_or_else(|| panic!("no trace: {seen}"));
        let parts: Vec<_> = passed.split('-').map(str::len).collect();
        assert_eq!(parts, [2, 32, 16, 2], "{passed}");
    }
}

#[tokio::test]
async fn an_unfiltered_body_is_streamed_to_the_upstream() {
    let (upstream, gateway) = plain().await;
    let body = big_body(200_000);
    let request = Request::post("/x", body.clone()).header("x-test-id", "streamed");
    let mut client = gateway.h1().await;
    client.write_head(&request).await;
    client.write(&body[..100_000]).await.expect("the first half");
    until("the first half has reached the upstream", SOON, async || {
        (upstream.arrived("streamed").await == 100_000).then_some(())
    })
    .await;
    client.write(&body[100_000..]).await.expect("the second half");
    let reply = client.reply("POST").await.expect("a head").finish().await;
    assert_eq!(reply.json()["sha256"], sha256_hex(&body));
}

#[tokio::test]
async fn a_streamed_body_takes_no_memory() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&one_route(&upstream, ", body: { request_max: 100 MiB }")).await;
    assert_eq!(gateway.send(&Request::get("/x")).await.status, 200);
    let before = machine::peak_resident_bytes(gateway.pid());
    let body = big_body(64 << 20);
    let reply = gateway.send(&Request::post("/x", body.clone())).await;
    assert_eq!(reply.json()["sha256"], sha256_hex(&body));
    let reply = gateway.send(&Request::get(format!("/x?reply=big&size={}", 64 << 20))).await;
    assert!(reply.body == body, "64 MiB came back changed");
    let grown = machine::peak_resident_bytes(gateway.pid()) - before;
    assert!(grown < 32 << 20, "{} MiB more for bodies that nobody buffers", grown >> 20);
}

#[tokio::test]
async fn each_event_arrives_before_the_next_is_sent() {
    let (upstream, gateway) = plain().await;
    let mut h1 = gateway.h1().await;
    let mut incoming = h1.start(&Request::get("/x?reply=sse&n=4&await=h1")).await.expect("a head");
    for n in 0..4 {
        assert!(incoming.read_until(&format!("{{\"event\":{n}}}\n\n")).await, "h1 event {n}");
        upstream.release("h1").await;
    }
    assert_eq!(incoming.finish().await.ending, Ending::Whole);

    let mut h2 = gateway.h2().await;
    let mut incoming = h2.start(&Request::get("/x?reply=sse&n=4&await=h2")).await.expect("a head");
    let mut seen = String::new();
    for n in 0..4 {
        while !seen.contains(&format!("{{\"event\":{n}}}\n\n")) {
            seen +=
                std::str::from_utf8(&incoming.next().await.unwrap_or_else(|| panic!("h2 event {n}"))).expect("UTF-8");
        }
        upstream.release("h2").await;
    }
    assert_eq!(incoming.finish().await.ending, Ending::Whole);
}

#[tokio::test]
async fn bodies_beyond_the_cap_of_all_are_refused_as_overload() {
    let upstream = Upstream::start();
    let yaml = one_route(&upstream, ", sanitize: { action: strip }")
        + "limits: { buffered: 1 MiB, request_body: 1 MiB, reply: 64 KiB }\n";
    let gateway = Gateway::start(&yaml).await;
    let body = format!("{{\"text\":\"{}\"}}", "a ".repeat(350 << 10));
    let request = Request::post("/x", body.clone());
    // The first caller stops one byte before the end: its body stays buffered.
    let mut slow = gateway.h1().await;
    slow.write_head(&request).await;
    slow.write(&body.as_bytes()[..body.len() - 1]).await.expect("nearly all");
    let refused = until("a second body is refused", SOON, async || {
        let reply = gateway.send(&request).await;
        (reply.status != 200).then_some(reply)
    })
    .await;
    assert_eq!((refused.status, refused.error_code().as_str()), (503, "overloaded"));
    assert!(!refused.header("retry-after").is_empty(), "a caller must know that it may come again");
    slow.write(&body.as_bytes()[body.len() - 1..]).await.expect("the last byte");
    assert_eq!(slow.reply("POST").await.expect("a head").finish().await.status, 200);
    // it is given back just after the last byte has left
    until("the room is given back", SOON, async || (gateway.send(&request).await.status == 200).then_some(())).await;
}

#[tokio::test]
async fn tls_speaks_both_protocols() {
    let upstream = Upstream::start();
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new();
    authority.write_leaf(folder.path(), "server", &["gateway.test"]);
    let yaml = one_route(&upstream, "").replace(
        "listeners: [{ address: \"127.0.0.1:0\" }]",
        "listeners: [{ address: \"127.0.0.1:0\", tls: { certificate: server.pem, key: server.key } }]",
    );
    let gateway = Gateway::launch(Launch { folder, ..Launch::default() }, &yaml).await;
    let body = big_body(300 << 10);
    let request = Request::post("/x", body.clone());
    let mut h1 = H1::connect_tls(gateway.address(), "gateway.test", authority.client(&["http/1.1"])).await;
    let mut h2 = H2::connect_tls(gateway.address(), "gateway.test", authority.client(&["h2"])).await;
    for reply in [h1.send(&request).await.expect("h1"), h2.send(&request).await.expect("h2")] {
        assert_eq!(reply.json()["sha256"], sha256_hex(&body));
    }
    assert_eq!(h1.send(&request).await.expect("the connection goes on").status, 200);
}

#[tokio::test]
async fn an_upstream_may_speak_http2() {
    let upstream = Upstream::start();
    let yaml = with_upstream(&format!("endpoints: [{{ address: \"{}\" }}], protocol: http2", upstream.address()), "");
    let gateway = Gateway::start(&yaml).await;
    let body = big_body(300 << 10);
    let reply = gateway.send(&Request::post("/x", body.clone())).await;
    assert_eq!(reply.json()["version"], "HTTP/2");
    assert_eq!(reply.json()["sha256"], sha256_hex(&body));
    let grpc = gateway.h2().await.send(&Request::post("/x?reply=trailers", body)).await.expect("trailers");
    assert_eq!(grpc.trailers.get("grpc-status").map(|v| v.as_bytes()), Some(&b"0"[..]), "{grpc:?}");
}

#[tokio::test]
async fn endpoints_take_turns() {
    let (one, two) = (Upstream::start(), Upstream::start());
    let endpoints = format!("endpoints: [{{ address: \"{}\" }}, {{ address: \"{}\" }}]", one.address(), two.address());
    let gateway = Gateway::start(&with_upstream(&endpoints, "")).await;
    for n in 0..10 {
        assert_eq!(gateway.send(&Request::get("/x").header("x-test-id", n.to_string())).await.status, 200);
    }
    until("each has served five", SOON, async || (one.records().len() == 5 && two.records().len() == 5).then_some(()))
        .await;
}

#[tokio::test]
async fn what_was_not_sent_is_tried_elsewhere_and_what_was_sent_is_not() {
    let upstream = Upstream::start();
    let endpoints = format!(
        "endpoints: [{{ address: \"{}\" }}, {{ address: \"{}\" }}]",
        machine::dead_address(),
        upstream.address()
    );
    let body = big_body(100_000);
    for (protocol, idempotent, posts, gets) in
        [("http1", false, 1, 3), ("http1", true, 3, 3), ("http2", false, 1, 3), ("http2", true, 3, 3)]
    {
        let yaml = with_upstream(
            &format!("{endpoints}, protocol: {protocol}, idempotent: {idempotent}, retries: 4"),
            ", sanitize: off",
        );
        let gateway = Gateway::start(&yaml).await;
        let name = |what: &str| format!("{what}-{protocol}-{idempotent}");
        for _ in 0..4 {
            let reply = gateway.send(&Request::post("/x", body.clone())).await;
            assert_eq!(reply.status, 200, "an endpoint that refuses connections costs nobody a request");
            assert_eq!(reply.json()["sha256"], sha256_hex(&body));
        }
        let broken = |what: &str| Request::post("/x?reply=nothing", "{}").header("x-test-id", name(what));
        let post = gateway.send(&broken("post")).await;
        assert_eq!((post.status, post.error_code().as_str()), (502, "upstream_reset"), "{}", name("post"));
        let get = gateway.send(&broken("get").framed(|_| Body::None).method("GET")).await;
        assert_eq!((get.status, get.error_code().as_str()), (502, "upstream_reset"), "{}", name("get"));
        let (sent_posts, sent_gets) =
            (upstream.records_of(&name("post")).len(), upstream.records_of(&name("get")).len());
        assert_eq!(sent_posts > 1, posts > 1, "{}: sent {sent_posts} times", name("post"));
        assert_eq!(sent_gets > 1, gets > 1, "{}: sent {sent_gets} times", name("get"));
    }
}

#[tokio::test]
async fn upgrading_to_h2c_is_refused() {
    let (_upstream, gateway) = plain().await;
    let request = Request::get("/x")
        .header("connection", "upgrade, http2-settings")
        .header("upgrade", "h2c")
        .header("http2-settings", "AAMAAABkAAQCAAAAAAIAAAAA");
    let reply = gateway.send(&request).await;
    assert_ne!(reply.status, 101);
}

#[tokio::test]
async fn an_idle_gateway_stops_at_once() {
    let (_upstream, mut gateway) = plain().await;
    assert_eq!(gateway.send(&Request::get("/x")).await.status, 200);
    let start = Instant::now();
    gateway.signal("TERM");
    let status = gateway.exit().await;
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(start.elapsed().as_secs() < 15, "the drain limit of 30 s was waited for with nothing in flight");
}

#[tokio::test]
async fn requests_in_flight_are_finished_before_the_end() {
    let (upstream, mut gateway) = plain().await;
    let address = gateway.address();
    let mut client = gateway.h1().await;
    let mut incoming = client.start(&Request::get("/x?reply=sse&n=3&await=drain")).await.expect("a head");
    assert!(incoming.read_until("\"event\":0").await);
    gateway.signal("TERM");
    until("new connections are refused", SOON, async || {
        tokio::net::TcpStream::connect(address).await.is_err().then_some(())
    })
    .await;
    assert!(gateway.is_running(), "a stream is in flight");
    upstream.release("drain").await;
    assert!(incoming.read_until("\"event\":1").await, "the stream was cut");
    upstream.release("drain").await;
    let reply = incoming.finish().await;
    assert_eq!((reply.ending, reply.framing), (Ending::Whole, Framing::Chunked));
    assert_eq!(gateway.exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_drain_has_an_end() {
    let upstream = Upstream::start();
    let mut gateway = Gateway::start(&(one_route(&upstream, "") + "shutdown: { drain: 1s }\n")).await;
    let mut client = gateway.h1().await;
    let mut incoming = client.start(&Request::get("/x?reply=sse&await=never")).await.expect("a head");
    assert!(incoming.read_until("\"event\":0").await);
    gateway.signal("TERM");
    gateway.exit().await;
    assert_eq!(incoming.finish().await.ending, Ending::Cut, "a stream that was cut must not look whole");
}
