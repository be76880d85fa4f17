//! What passes through untouched, between real peers: gRPC, WebSocket, streams of any framing, ranges, large bodies.

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::Request;
use raptorgate_tests::machine;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::python::{PythonServer, grpc_client, websocket_client};
use raptorgate_tests::upstream::Upstream;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Upstream connections that 100 open calls may take. Calls that begin at the same moment may open one each.
const FEW_CONNECTIONS: usize = 4;
/// A large body.
const LARGE_BYTES: u64 = 64 << 20;
/// What the gateway's memory may grow by while a large body passes.
const GROWTH_BYTES_MAX: u64 = 16 << 20;
/// What the sockets on both sides and the gateway may hold of a body that nobody reads.
const IN_FLIGHT_BYTES_MAX: u64 = 40 << 20;

/// A gateway with one unguarded route to an upstream; `more` are further routes to it.
async fn gateway(address: SocketAddr, protocol: &str, more: &str) -> Gateway {
    let yaml = format!(
        "{}upstreams: {{ peer: {{ protocol: {protocol}, endpoints: [{{ address: '{address}' }}] }} }}
routes:
  - {{ name: plain, match: {{ path: /* }}, upstream: peer, format: json, body: {{ request_max: 128 MiB }} }}
{more}",
        listeners()
    );
    Gateway::start(&yaml).await
}

struct Grpc {
    server: PythonServer,
    gateway: Gateway,
}

impl Grpc {
    async fn set() -> Self {
        let server = PythonServer::grpc();
        let gateway = gateway(server.address(), "http2", "").await;
        Self { server, gateway }
    }

    async fn run(&self, scenario: &str) -> Value {
        grpc_client(self.gateway.address(), scenario).await
    }

    /// The server's log of a method's calls once it has so many.
    async fn log(&self, method: &str, calls: usize) -> Vec<Value> {
        let of_method = || self.server.log().into_iter().filter(|line| line["method"] == method).collect::<Vec<_>>();
        let what = format!("the gRPC server has ended {calls} calls of {method}");
        until(&what, SOON, async || Some(of_method()).filter(|log| log.len() >= calls)).await
    }
}

#[tokio::test]
async fn grpc_calls_carry_messages_metadata_and_trailers() {
    let stage = Grpc::set().await;
    let seen = stage.run("unary").await;
    assert_eq!((&seen["reply"], &seen["code"]), (&json!("hello"), &json!("OK")));
    assert_eq!((&seen["large"], &seen["empty"]), (&json!(true), &json!(true)), "a message came back changed");
    assert_eq!(seen["heads"]["x-first"], "head");
    assert_eq!((&seen["trailers"]["x-last"], &seen["trailers"]["x-bytes-bin"]), (&json!("trailer"), &json!("00ff01")));
    let told = &stage.log("Unary", 1).await[0]["metadata"];
    assert_eq!((&told["x-asked"], &told["x-asked-bin"]), (&json!("by metadata"), &json!("0001fe")));
}

#[tokio::test]
async fn grpc_streams_pass_in_both_directions_at_once() {
    let stage = Grpc::set().await;
    let seen = stage.run("streams").await;
    let counted: Vec<String> = (0..500).map(|n| n.to_string()).collect();
    assert_eq!((&seen["counted"], &seen["none"]), (&json!(counted), &json!([])));
    assert_eq!((&seen["joined"], &seen["nothing"]), (&json!("a+b+c"), &json!("")));
    let talked = stage.run("talk").await;
    let replies: Vec<String> = (0..50).map(|n| format!("re:{n}")).collect();
    assert_eq!(talked, json!({"seen": replies, "more": [], "code": "OK"}));
}

#[tokio::test]
async fn grpc_failures_arrive_with_status_and_details() {
    let seen = Grpc::set().await.run("fails").await;
    assert_eq!(
        (&seen["at_once"]["code"], &seen["at_once"]["details"]),
        (&json!("FAILED_PRECONDITION"), &json!("not yet: é%"))
    );
    assert_eq!(seen["at_once"]["trailers"]["grpc-status-details-bin"], "080912026e6f");
    assert_eq!((&seen["first"], &seen["late"]["code"]), (&json!("one"), &json!("RESOURCE_EXHAUSTED")));
    assert_eq!((&seen["late"]["details"], &seen["late"]["trailers"]["x-last"]), (&json!("enough"), &json!("trailer")));
    assert_eq!(seen["unknown"]["code"], "UNIMPLEMENTED");
}

#[tokio::test]
async fn a_grpc_deadline_is_told_to_the_server_and_ends_the_call() {
    let stage = Grpc::set().await;
    let seen = stage.run("deadline").await;
    assert_eq!((&seen["seen"], &seen["code"]), (&json!("first"), &json!("DEADLINE_EXCEEDED")));
    assert!(seen["lasted_s"].as_f64().is_some_and(|s| s < 5.0), "{seen}");
    let ended = &stage.log("Hang", 1).await[0];
    assert!(
        ended["remaining_s"].as_f64().is_some_and(|s| s > 0.0 && s <= 1.5),
        "the deadline was not passed on: {ended}"
    );
    assert!(ended["lasted_s"].as_f64().is_some_and(|s| s < 5.0), "the call went on: {ended}");
}

#[tokio::test]
async fn a_cancelled_grpc_call_is_cancelled_at_the_server_too() {
    let stage = Grpc::set().await;
    let seen = stage.run("cancel").await;
    assert_eq!(seen, json!({"seen": "first", "code": "CANCELLED", "after": "next"}));
    let ended = &stage.log("Hang", 1).await[0];
    assert_eq!(ended["active"], false, "{ended}");
    assert!(ended["lasted_s"].as_f64().is_some_and(|s| s < 10.0), "the server was not told: {ended}");
}

#[tokio::test]
async fn a_hundred_grpc_calls_that_begin_at_once_all_reach_the_server() {
    let stage = Grpc::set().await;
    // Each call waits at the server until all hundred are there.
    let replies: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    assert_eq!(stage.run("many").await, json!({ "replies": replies }));
    assert_eq!(stage.log("Meet", 100).await.len(), 100);
}

#[tokio::test]
async fn a_hundred_open_grpc_calls_share_few_upstream_connections() {
    let stage = Grpc::set().await;
    let replies: Vec<String> = (0..100).map(|n| format!("re:{n}")).collect();
    assert_eq!(stage.run("held").await, json!({ "replies": replies, "more": [] }));
    let log = stage.log("Talk", 100).await;
    let peers: HashSet<&str> = log.iter().filter_map(|line| line["peer"].as_str()).collect();
    assert!(peers.len() <= FEW_CONNECTIONS, "{} connections: {peers:?}", peers.len());
}

/// Guarded routes beside the unguarded one, without and with `passthrough`.
const GUARDED: &str = "  - { name: guarded, match: { path: /guarded/* }, upstream: peer, format: json, sanitize: { action: strip } }
  - { name: through, match: { path: /through/* }, upstream: peer, format: json, sanitize: { action: strip }, passthrough: true }
";

struct WebSocket {
    server: PythonServer,
    gateway: Gateway,
}

impl WebSocket {
    async fn set() -> Self {
        let server = PythonServer::websocket();
        let gateway = gateway(server.address(), "http1", GUARDED).await;
        Self { server, gateway }
    }

    async fn run(&self, path: &str, scenario: &str) -> Value {
        websocket_client(self.gateway.address(), path, scenario).await
    }

    /// How the server saw the one connection end.
    async fn end(&self) -> Value {
        until("the WebSocket server has seen an end", SOON, async || self.server.log().pop()).await
    }
}

#[tokio::test]
async fn a_websocket_passes_unguarded_and_where_passthrough_is_set() {
    for path in ["/chat", "/through/chat"] {
        let stage = WebSocket::set().await;
        let seen = stage.run(path, "echo").await;
        for (what, expected) in [
            ("text", json!("नमस्ते")),
            ("large", json!(true)),
            ("pieces", json!("in three pieces")),
            ("ordered", json!(true)),
            ("pong", json!(true)),
            ("code", json!(4321)),
            ("subprotocol", json!("chat.v1")),
        ] {
            assert_eq!(seen[what], expected, "{path} {what}");
        }
        assert!(seen["request_id"].is_string(), "{seen}");
        let end = stage.end().await;
        assert_eq!((&end["code"], &end["reason"]), (&json!(4321), &json!("client is done")), "{path}");
        assert_eq!((&end["messages"], &end["headers"]["x-asked"]), (&json!(203), &json!("by header")), "{path}");
    }
}

#[tokio::test]
async fn a_websocket_that_the_server_closes_ends_with_its_code() {
    let stage = WebSocket::set().await;
    let seen = stage.run("/closes", "closed").await;
    assert_eq!(seen["seen"], json!(["last words"]));
    assert_eq!((&seen["code"], &seen["reason"]), (&json!(4001), &json!("server is done")));
}

#[tokio::test]
async fn a_websocket_client_that_vanishes_is_gone_at_the_server_too() {
    let stage = WebSocket::set().await;
    stage.run("/chat", "vanishes").await;
    let end = stage.end().await;
    assert_eq!((&end["code"], &end["messages"]), (&json!(1006), &json!(1)), "{end}");
}

#[tokio::test]
async fn a_websocket_on_a_guarded_route_is_refused() {
    let stage = WebSocket::set().await;
    let seen = stage.run("/guarded/chat", "echo").await;
    assert_eq!(seen["status"], 400, "{seen}");
    assert!(seen["body"].as_str().is_some_and(|body| body.contains("upgraded connection")), "{seen}");
    assert_eq!(stage.server.log(), Vec::<Value>::new(), "the refused upgrade reached the server");
}

#[tokio::test]
async fn an_upgrade_that_connection_does_not_name_is_ignored() {
    let upstream = Upstream::start();
    let gateway = gateway(upstream.address(), "http1", "").await;
    let request = Request::get("/echo").header("x-test-id", "unnamed").header("upgrade", "websocket");
    assert_eq!(gateway.send(&request).await.status, 200);
    let record = upstream.record("unnamed").await.to_string();
    assert!(!record.to_lowercase().contains("websocket"), "{record}");
}

/// One connection to a bare socket that stands for the upstream.
struct Bare {
    listener: TcpListener,
}

impl Bare {
    async fn listen() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.expect("a listener") }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("its address")
    }

    /// The next connection, with its request's head read.
    async fn accept(&self) -> (TcpStream, String) {
        let (mut stream, _) = self.listener.accept().await.expect("a connection");
        let head = read_head(&mut stream).await;
        (stream, head)
    }
}

/// Bytes up to the empty line, and none behind it.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    String::from_utf8(head).expect("a text")
}

async fn read_exactly(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
    let mut all = vec![0; bytes];
    tokio::time::timeout(SOON, stream.read_exact(&mut all)).await.expect("in time").expect("bytes");
    all
}

async fn client(gateway: &Gateway, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(gateway.address()).await.expect("a connection");
    stream.write_all(head.as_bytes()).await.expect("a request");
    stream
}

#[tokio::test]
async fn events_of_any_framing_arrive_as_sent_and_at_once() {
    let bare = Bare::listen().await;
    let gateway = gateway(bare.address(), "http1", "").await;
    let mut client = client(&gateway, "GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n").await;
    let (mut upstream, _) = bare.accept().await;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    upstream.write_all(head.as_bytes()).await.expect("a head");
    let head = read_head(&mut client).await.to_lowercase();
    assert!(head.contains("text/event-stream") && head.contains("transfer-encoding: chunked"), "{head}");
    // Every line end that the format allows, comments, fields cut in two, bytes that are no text: none is touched. Each
    // piece is awaited at the client before the next is sent.
    for piece in [
        &b"\xef\xbb\xbfdata: a\r\rda"[..],
        b"ta: b\r\n\r\n",
        b":\n",
        b"event:x\ndata:1\ndata\n\n",
        b"id\0: \xff\n",
        b"retry: 1",
    ] {
        upstream.write_all(piece).await.expect("a piece");
        let chunk = [format!("{:X}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        assert_eq!(
            read_exactly(&mut client, chunk.len()).await.escape_ascii().to_string(),
            chunk.escape_ascii().to_string()
        );
    }
    drop(upstream);
    assert_eq!(read_exactly(&mut client, 5).await, b"0\r\n\r\n");
}

#[tokio::test]
async fn a_range_passes_with_its_reply() {
    let bare = Bare::listen().await;
    let gateway = gateway(bare.address(), "http1", "").await;
    let head = "GET /file HTTP/1.1\r\nHost: a\r\nRange: bytes=2-5\r\nIf-Range: \"v1\"\r\n\r\n";
    let mut client = client(&gateway, head).await;
    let (mut upstream, head) = bare.accept().await;
    let head = head.to_lowercase();
    assert!(head.contains("range: bytes=2-5\r\n") && head.contains("if-range: \"v1\"\r\n"), "{head}");
    let reply =
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-5/10\r\nETag: \"v1\"\r\nContent-Length: 4\r\n\r\ncdef";
    upstream.write_all(reply.as_bytes()).await.expect("a reply");
    let head = read_head(&mut client).await.to_lowercase();
    assert!(head.starts_with("http/1.1 206 ") && head.contains("content-range: bytes 2-5/10\r\n"), "{head}");
    assert!(head.contains("etag: \"v1\"\r\n") && head.contains("content-length: 4\r\n"), "{head}");
    assert_eq!(read_exactly(&mut client, 4).await, b"cdef");
}

/// Writes a body until it is whole or the other side is gone, and counts what was taken.
fn pour(mut stream: impl AsyncWriteExt + Unpin + Send + 'static, bytes: u64) -> Arc<AtomicU64> {
    let taken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&taken);
    tokio::spawn(async move {
        let piece = vec![b'x'; 64 << 10];
        while count.load(Ordering::Relaxed) < bytes && stream.write_all(&piece).await.is_ok() {
            count.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        // Held open: its end is not this side's.
        std::future::pending::<()>().await;
        drop(stream);
    });
    taken
}

/// What was taken once it has not grown for a while.
async fn settled(taken: &AtomicU64) -> u64 {
    const LOOKS: u32 = 125;
    let (mut last, mut same) = (u64::MAX, 0);
    until("a body stands still", SOON, || {
        let now = taken.load(Ordering::Relaxed);
        same = if now == last { same + 1 } else { 0 };
        last = now;
        std::future::ready((now > 0 && same >= LOOKS).then_some(now))
    })
    .await
}

/// Reads a whole body and holds the gateway's memory to its bound all the while.
async fn drink(stream: &mut TcpStream, gateway: &Gateway, before: u64) {
    let (mut left, mut buffer) = (LARGE_BYTES, vec![0; 256 << 10]);
    while left > 0 {
        let read = tokio::time::timeout(SOON, stream.read(&mut buffer)).await.expect("in time").expect("bytes");
        assert!(read > 0 && buffer[..read].iter().all(|b| *b == b'x'), "{left} bytes are missing or changed");
        left -= read as u64;
        let grown = machine::resident_bytes(gateway.pid()).saturating_sub(before);
        assert!(grown <= GROWTH_BYTES_MAX, "the gateway grew by {grown} bytes");
    }
}

#[tokio::test]
async fn a_large_download_waits_for_its_reader_in_bounded_memory() {
    let bare = Bare::listen().await;
    let gateway = gateway(bare.address(), "http1", "").await;
    let before = machine::resident_bytes(gateway.pid());
    let mut client = client(&gateway, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let (mut upstream, _) = bare.accept().await;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE_BYTES}\r\n\r\n");
    upstream.write_all(head.as_bytes()).await.expect("a head");
    let taken = pour(upstream, LARGE_BYTES);
    let held = settled(&taken).await;
    assert!(held <= IN_FLIGHT_BYTES_MAX, "{held} bytes were taken of a body that nobody reads");
    read_head(&mut client).await;
    drink(&mut client, &gateway, before).await;
}

#[tokio::test]
async fn a_large_upload_waits_for_its_upstream_in_bounded_memory() {
    let bare = Bare::listen().await;
    let gateway = gateway(bare.address(), "http1", "").await;
    let before = machine::resident_bytes(gateway.pid());
    let head = format!("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE_BYTES}\r\n\r\n");
    let (mut replies, requests) = client(&gateway, &head).await.into_split();
    let taken = pour(requests, LARGE_BYTES);
    let (mut upstream, _) = bare.accept().await;
    let held = settled(&taken).await;
    assert!(held <= IN_FLIGHT_BYTES_MAX, "{held} bytes were taken of a body that nobody reads");
    drink(&mut upstream, &gateway, before).await;
    upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.expect("a reply");
    let mut reply = [0; 15];
    tokio::time::timeout(SOON, replies.read_exact(&mut reply)).await.expect("in time").expect("a reply");
    assert_eq!(&reply, b"HTTP/1.1 200 OK");
}

/// Runs a program of the machine; panics with how to get it if it is not there.
async fn program(name: &'static str, package: &str, arguments: Vec<String>) -> String {
    let mut command = Command::new(name);
    command.args(arguments).env_remove("http_proxy").env_remove("all_proxy");
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("a thread");
    let output = match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("{name} is not installed; run `make deps`, or: apt-get install {package}")
        }
        other => other.unwrap_or_else(|error| panic!("run {name}: {error}")),
    };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}

#[tokio::test]
async fn curl_speaks_both_versions_through_the_gateway() {
    let upstream = Upstream::start();
    for protocol in ["http1", "http2"] {
        let gateway = gateway(upstream.address(), protocol, "").await;
        let url = format!("http://{}/echo", gateway.address());
        for (flag, version) in [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")] {
            let send = |more: &[&str]| {
                let common = [
                    "-sS",
                    "--noproxy",
                    "*",
                    "--max-time",
                    "20",
                    flag,
                    "-o",
                    "/dev/null",
                    "-w",
                    "%{http_version} %{http_code}",
                ];
                let all = common.iter().chain(more).map(ToString::to_string).chain([url.clone()]).collect();
                program("curl", "curl", all)
            };
            for request in [&[][..], &["-I"], &["--data-binary", "hello"], &["-T", "Cargo.toml"]] {
                assert_eq!(send(request).await, format!("{version} 200"), "{protocol} {request:?}");
            }
        }
    }
}

#[tokio::test]
async fn nghttp_is_served_many_requests_on_one_connection() {
    let upstream = Upstream::start();
    let gateway = gateway(upstream.address(), "http1", "").await;
    let url = format!("http://{}/echo", gateway.address());
    let arguments = ["-n", "-s", "-m", "20", "-d", "Cargo.toml", &url].map(str::to_owned);
    let told = program("nghttp", "nghttp2-client", arguments.into()).await;
    assert_eq!(told.lines().filter(|line| line.contains(" 200 ") && line.contains("/echo")).count(), 20, "{told}");
}

#[tokio::test]
async fn h2load_gets_a_success_for_every_request() {
    let upstream = Upstream::start();
    for protocol in ["http1", "http2"] {
        let gateway = gateway(upstream.address(), protocol, "").await;
        let url = format!("http://{}/echo", gateway.address());
        let arguments = ["-n", "2000", "-c", "4", "-m", "50", &url].map(str::to_owned);
        let told = program("h2load", "nghttp2-client", arguments.into()).await;
        assert!(told.contains("2000 succeeded, 0 failed, 0 errored, 0 timeout"), "{protocol}: {told}");
        assert!(told.contains("status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx"), "{protocol}: {told}");
    }
}
