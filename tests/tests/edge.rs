//! The edge: slow and greedy clients, addresses behind proxies, paths, and connections that end well.

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::{Body, H1, Request};
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::upstream::Upstream;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Stage {
    upstream: Upstream,
    gateway: Gateway,
}

impl Stage {
    async fn with(more: &str) -> Self {
        Self::on(&listeners(), more).await
    }

    async fn on(listeners: &str, more: &str) -> Self {
        let upstream = Upstream::start();
        let yaml = format!(
            "{listeners}{more}
upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}] }} }}
routes:
  - {{ name: all, match: {{ path: /* }}, upstream: agents, format: json }}
  - {{ name: admin, match: {{ path: /admin/* }}, upstream: agents, format: json, fault: {{ abort: {{ percent: 100, status: 403 }} }} }}
  - {{ name: guarded, match: {{ path: /guarded }}, upstream: agents, format: json, sanitize: {{ action: strip }}, body: {{ request_max: 1 KiB }} }}
",
            upstream.address()
        );
        let gateway = Gateway::start(&yaml).await;
        Self { upstream, gateway }
    }

    fn address(&self) -> SocketAddr {
        self.gateway.address()
    }

    /// Sends bytes on a new connection and reads to its end.
    async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address()).await.expect("connect");
        stream.write_all(bytes).await.expect("write");
        read_to_end(&mut stream).await
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut reply = Vec::new();
    let reading = tokio::time::timeout(SOON, stream.read_to_end(&mut reply)).await.expect("the connection ends");
    reading.expect("it ends without a reset");
    String::from_utf8_lossy(&reply).into_owned()
}

#[tokio::test]
async fn slow_clients_are_cut() {
    let stage = Stage::with("limits: { header_timeout: 300ms, idle_timeout: 1s }").await;
    // A head that stops in the middle is answered.
    let began = Instant::now();
    let reply = stage.raw(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ").await;
    assert!(reply.starts_with("HTTP/1.1 408 ") && reply.contains("header_timeout"), "{reply}");
    assert!(began.elapsed() >= Duration::from_millis(300), "too early: {:?}", began.elapsed());
    // One that trickles is cut all the same: the limit is for the whole head.
    let mut stream = TcpStream::connect(stage.address()).await.expect("connect");
    stream.set_nodelay(true).expect("nodelay");
    let (mut reader, mut writer) = stream.split();
    let trickle = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(40));
        loop {
            ticks.tick().await;
            if writer.write_all(b"G").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let mut reply = Vec::new();
    tokio::select! {
        read = reader.read_to_end(&mut reply) => drop(read),
        () = trickle => unreachable!("never ends"),
    }
    assert!(reply.starts_with(b"HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&reply));
    // A kept connection on which nothing comes is closed without a word.
    let mut client = stage.gateway.h1().await;
    assert_eq!(client.send(&Request::get("/x")).await.expect("a reply").status, 200);
    assert!(client.is_closed_by_peer().await, "an idle connection stays");
}

#[tokio::test]
async fn clients_that_read_nothing_are_cut() {
    let stage = Stage::with("limits: { write_timeout: 500ms }").await;
    for h2 in [false, true] {
        let id = format!("unread-{h2}");
        let request = Request::get("/x?reply=big&size=33554432").header("x-test-id", &id);
        // The head is read, and nothing behind it; the connection stays open until the upstream's log tells of the cut.
        let record = if h2 {
            let mut client = stage.gateway.h2().await;
            let _reply = client.start(&request).await.expect("a head");
            stage.upstream.record(&id).await
        } else {
            let mut client = stage.gateway.h1().await;
            let _reply = client.start(&request).await.expect("a head");
            stage.upstream.record(&id).await
        };
        assert_eq!(record["end"], "peer_left", "{id}: the upstream is let go");
    }
}

#[tokio::test]
async fn silent_connections_are_dropped() {
    let stage = Stage::with("limits: { header_timeout: 200ms }").await;
    let mut stream = TcpStream::connect(stage.address()).await.expect("connect");
    assert_eq!(read_to_end(&mut stream).await, "", "nobody asked, nobody is answered");
    until("it is counted", SOON, async || {
        (stage.gateway.metric("raptorgate_connections_refused_total").await >= 1.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn bodies_that_trickle_are_refused() {
    // A rate that nobody reaches, so that the grace of 10 s is all there is; the route's own time for bodies is longer.
    let stage = Stage::with("limits: { body_rate: 100000000, request_body_timeout: 60s }").await;
    let began = Instant::now();
    let reply = stage.raw(b"POST /guarded HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{").await;
    assert!(reply.starts_with("HTTP/1.1 408 ") && reply.contains("body_timeout"), "{reply}");
    assert!(began.elapsed() >= Duration::from_secs(9), "{:?}", began.elapsed());
}

#[tokio::test]
async fn bodies_that_trickle_over_http2_are_refused() {
    let stage = Stage::with("limits: { body_rate: 100000000, request_body_timeout: 60s }").await;
    let mut client = stage.gateway.h2().await;
    for target in ["/guarded", "/streamed"] {
        let began = Instant::now();
        let (response, mut stream) = client
            .open(&Request::post(target, "").framed(|body| Body::Unsized(body, 1)), false)
            .await
            .expect("a stream");
        stream.send_data("{".into(), false).expect("a first byte");
        match response.await {
            Ok(response) => assert_eq!(response.status(), 408, "{target}"),
            Err(error) => panic!("{target}: {error}"),
        }
        let took = began.elapsed();
        assert!(took >= Duration::from_secs(9) && took < Duration::from_secs(50), "{target}: {took:?}");
    }
    assert_eq!(client.send(&Request::get("/x")).await.expect("the connection lives").status, 200);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told() {
    let stage = Stage::with("limits: { connections_per_address: 3 }").await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut client = stage.gateway.h1().await;
        assert_eq!(client.send(&Request::get("/x")).await.expect("a reply").status, 200);
        held.push(client);
    }
    let refused = stage.raw(b"").await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("too_many_connections"), "{refused}");
    assert_eq!(stage.gateway.ops("/livez").await.status, 200, "operators have a door of their own");
    drop(held);
    until("there is room again", SOON, async || {
        let mut client = H1::connect(stage.address()).await;
        client.send(&Request::get("/x")).await.ok().filter(|reply| reply.status == 200)
    })
    .await;
}

#[tokio::test]
async fn connections_are_closed_after_their_last_request() {
    let stage = Stage::with("limits: { requests_per_connection: 2 }").await;
    let mut client = stage.gateway.h1().await;
    let first = client.send(&Request::get("/x")).await.expect("a reply");
    let second = client.send(&Request::get("/x")).await.expect("a reply");
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(second.header("connection"), "close");
    assert!(client.is_closed_by_peer().await);
}

#[tokio::test]
async fn requests_in_one_write_are_answered_in_order() {
    let stage = Stage::with("").await;
    let one = |n: u8| {
        format!(
            "POST /guarded?n={n} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
        )
    };
    let last = "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let reply = stage.raw([one(1), one(2), one(3), last.to_owned()].concat().as_bytes()).await;
    let asked: Vec<usize> =
        ["n=1", "n=2", "n=3", "/last"].iter().map(|n| reply.find(n).expect("each is answered")).collect();
    assert!(asked.is_sorted(), "{asked:?} in {reply}");
    assert_eq!(reply.matches("HTTP/1.1 200 ").count(), 4, "{reply}");
    // What follows a refused head is not looked at.
    let reply =
        stage.raw(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 400 ") && reply.matches("HTTP/1.1").count() == 1, "{reply}");
    assert!(!stage.upstream.records().iter().any(|r| r["target"] == "/smuggled"));
}

#[tokio::test]
async fn answers_reach_clients_that_still_send() {
    let stage = Stage::with("").await;
    for _ in 0..20 {
        let body = vec![b'x'; 300 << 10];
        let head = format!(
            "POST /guarded HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let reply = stage.raw(&[head.as_bytes(), &body].concat()).await;
        assert!(reply.starts_with("HTTP/1.1 413 "), "{reply}");
    }
}

#[tokio::test]
async fn paths_are_routed_as_they_are_sent() {
    let stage = Stage::with("").await;
    for (asked, sent) in [
        ("/a/../b?x=/../y", Some("/b?x=/../y")),
        ("/%61/./b%2fc", Some("/a/b%2Fc")),
        ("/a//b", Some("/a//b")),
        ("/x/../admin/keys", None),
        ("/%61dmin/keys", None),
        ("/x/%2e%2e/admin/keys", None),
        ("/%2e%2e/admin/keys", None),
        ("/x%2f..%2fadmin/keys", None),
        ("/..;/admin/keys", None),
    ] {
        for h2 in [false, true] {
            let id = format!("{asked}-{h2}");
            let request = Request::get(asked).header("x-test-id", &id);
            let reply = if h2 {
                stage.gateway.h2().await.send(&request).await.expect("a reply")
            } else {
                stage.gateway.send(&request).await
            };
            match sent {
                Some(sent) => assert_eq!((reply.status, reply.json()["target"].as_str()), (200, Some(sent)), "{id}"),
                None => assert!([400, 403].contains(&reply.status), "{id}: {}", reply.status),
            }
            assert!(sent.is_some() || stage.upstream.records_of(&id).is_empty(), "{id} came through");
        }
    }
}

/// What the upstream was told about the client.
async fn told(stage: &Stage, id: &str) -> [Value; 3] {
    let record = stage.upstream.record(id).await;
    ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].map(|name| record["headers"][name].clone())
}

#[tokio::test]
async fn only_trusted_proxies_name_clients() {
    let spoofed = |id: &str| {
        Request::get("/x")
            .header("x-test-id", id)
            .header("x-forwarded-for", "198.51.100.9, 203.0.113.5")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "public.example")
            .header("forwarded", "for=_nobody")
    };
    let open = Stage::with("").await;
    open.gateway.send(&spoofed("open")).await;
    let [address, scheme, host] = told(&open, "open").await;
    assert_eq!((address, scheme), ("127.0.0.1".into(), "http".into()), "anybody may write these headers");
    assert_eq!(host, open.address().to_string());
    let mut request = spoofed("proxied");
    request.headers.retain(|(name, _)| name != "forwarded");
    let behind = Stage::with("trusted_proxies: [127.0.0.0/8]").await;
    behind.gateway.send(&request).await;
    let expected = ["203.0.113.5", "https", "public.example"].map(Value::from);
    assert_eq!(told(&behind, "proxied").await, expected);
}

#[tokio::test]
async fn proxy_headers_name_the_client() {
    let listener =
        listeners().replacen("{ address: \"127.0.0.1:0\" }", "{ address: \"127.0.0.1:0\", proxy_protocol: true }", 1);
    assert!(listener.contains("proxy_protocol"), "{listener}");
    let stage = Stage::on(&listener, "trusted_proxies: [127.0.0.1]").await;
    let request = "GET /x HTTP/1.1\r\nHost: a\r\nX-Test-Id: v1\r\nConnection: close\r\n\r\n";
    let reply = stage.raw(format!("PROXY TCP4 203.0.113.9 127.0.0.1 5555 80\r\n{request}").as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 200 "), "{reply}");
    assert_eq!(told(&stage, "v1").await[0], "203.0.113.9");
    let mut stream = TcpStream::connect(stage.address()).await.expect("connect");
    stream.write_all(request.as_bytes()).await.expect("write");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "served without a PROXY header: {}", String::from_utf8_lossy(&rest));
}

#[tokio::test]
async fn bounds_of_heads_have_codes() {
    let stage = Stage::with("limits: { header: 4 KiB, header_fields: 20, target: 1 KiB }").await;
    let long = "a".repeat(1100);
    let fields: String = (0..25).map(|n| format!("X-{n}: y\r\n")).collect();
    let large = format!("X: {}\r\n", "y".repeat(5000));
    for (head, status) in [
        (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), 414),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{large}\r\n"), 431),
        (format!("GET /{} HTTP/1.1", "a".repeat(9000)), 414),
    ] {
        let reply = stage.raw(head.as_bytes()).await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {reply}");
    }
    let mut h2 = stage.gateway.h2().await;
    assert_eq!(h2.send(&Request::get(format!("/{long}"))).await.expect("a reply").status, 414);
    let mut many = Request::get("/");
    many.headers.extend((0..25).map(|n| (format!("x-{n}"), "y".to_owned())));
    assert_eq!(h2.send(&many).await.expect("a reply").status, 431);
    assert_eq!(h2.send(&Request::get("/x")).await.expect("a reply").status, 200, "the connection goes on");
}

#[tokio::test]
async fn chunked_uploads_pass_and_broken_ones_do_not() {
    let stage = Stage::with("").await;
    let body = vec![b'x'; 200_000];
    let request = Request::post("/x", body).framed(|b| Body::Unsized(b, 777));
    let reply = stage.gateway.send(&request).await;
    assert_eq!((reply.status, reply.json()["length"].as_u64()), (200, Some(200_000)));
    // Cut between a chunk's data and its end of line, as segments may be.
    let framed: String = (0..3).map(|_| format!("64\r\n{}\r\n", "y".repeat(100))).collect::<String>() + "0\r\n\r\n";
    let head =
        "POST /x HTTP/1.1\r\nHost: a\r\nX-Test-Id: cut\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let mut stream = TcpStream::connect(stage.address()).await.expect("connect");
    stream.set_nodelay(true).expect("nodelay");
    stream.write_all([head, &framed[..104]].concat().as_bytes()).await.expect("write");
    until("the first chunk is there", SOON, async || (stage.upstream.arrived("cut").await == 100).then_some(())).await;
    stream.write_all(&framed.as_bytes()[104..]).await.expect("write");
    let reply = read_to_end(&mut stream).await;
    assert!(reply.contains("\"length\":300"), "{reply}");
    let broken = "POST /guarded HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}X\n0\r\n\r\n";
    let reply = stage.raw(broken.as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 400 ") && reply.contains("bad_request"), "{reply}");
}
