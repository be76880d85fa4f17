//! TLS towards upstreams, judged by servers that are not ours: OpenSSL in Python, and a bare socket.

use bytes::Bytes;
use raptorgate_tests::certificates::Authority;
use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::Request;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::python::TlsUpstream;
use raptorgate_tests::reply::Reply;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// What every certificate of a test lies in, and who signed it.
struct House {
    folder: TempDir,
    authority: Authority,
}

impl House {
    fn new() -> Self {
        let (folder, authority) = (TempDir::new().expect("a folder"), Authority::new());
        authority.write(folder.path(), "ca.pem");
        Authority::new().write(folder.path(), "other-ca.pem");
        authority.write_leaf(folder.path(), "backend", &["backend.test", "localhost"]);
        authority.caller("gateway", "spiffe://prod/gateway").write(folder.path(), "gateway");
        Self { folder, authority }
    }

    fn backend(&self, name: &str, clients: Option<&str>) -> TlsUpstream {
        TlsUpstream::start(self.folder.path(), name, clients)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("a path").to_owned()
    }

    /// A `tls` block; `CA`, `OTHER`, `CERT` stand for files.
    fn block(&self, text: &str) -> String {
        let client =
            format!("client_certificate: {}, client_key: {}", self.path("gateway.pem"), self.path("gateway.key"));
        text.replace("OTHER", &format!("ca: {}", self.path("other-ca.pem")))
            .replace("CA", &format!("ca: {}", self.path("ca.pem")))
            .replace("CERT", &client)
    }
}

fn upstream(address: impl std::fmt::Display, tls: &str) -> String {
    format!("{{ endpoints: [{{ address: \"{address}\" }}], tls: {{ {tls} }}, retries: 0 }}")
}

fn yaml(upstreams: &[String]) -> String {
    let mut yaml = listeners() + "upstreams:\n";
    for (n, upstream) in upstreams.iter().enumerate() {
        yaml += &format!("  u{n}: {upstream}\n");
    }
    yaml += "routes:\n";
    for n in 0..upstreams.len() {
        yaml += &format!("  - {{ name: r{n}, match: {{ path: /{n} }}, upstream: u{n}, format: json }}\n");
    }
    yaml
}

async fn ask(gateway: &Gateway, n: usize) -> Reply {
    gateway.send(&Request::post(format!("/{n}"), "{\"secret\":\"text\"}")).await
}

#[tokio::test]
async fn an_upstream_is_asked_for_its_name_and_verified() {
    let house = House::new();
    let backend = house.backend("backend", None);
    let by_name = format!("localhost:{}", backend.address().port());
    let gateway = Gateway::start(&yaml(&[
        upstream(backend.address(), &house.block("CA, server_name: backend.test")),
        upstream(by_name, &house.block("CA")),
        upstream(backend.address(), &house.block("verify: false")),
        upstream(backend.address(), &house.block("OTHER, server_name: wrong.test, verify: false")),
    ]))
    .await;
    for (n, sni) in [(0, Some("backend.test")), (1, Some("localhost")), (2, None), (3, Some("wrong.test"))] {
        let reply = ask(&gateway, n).await;
        assert_eq!(reply.status, 200, "{n}: {}", reply.text());
        let seen = reply.json();
        // SNI holds names and no addresses (RFC 6066 §3)
        assert_eq!((seen["sni"].as_str(), seen["alpn"].as_str()), (sni, Some("http/1.1")), "{n}: {seen}");
        assert_eq!((seen["received"].as_u64(), seen["version"].as_str()), (Some(17), Some("TLSv1.3")), "{n}: {seen}");
    }
}

#[tokio::test]
async fn an_address_is_verified_as_an_address() {
    let house = House::new();
    house.authority.write_leaf(house.folder.path(), "by-address", &["127.0.0.1"]);
    let (right, wrong) = (house.backend("by-address", None), house.backend("backend", None));
    let gateway = Gateway::start(&yaml(&[
        upstream(right.address(), &house.block("CA")),
        upstream(wrong.address(), &house.block("CA")),
    ]))
    .await;
    assert_eq!(ask(&gateway, 0).await.status, 200);
    assert_eq!(ask(&gateway, 1).await.error_code(), "upstream_tls_failed");
}

#[tokio::test]
async fn an_upstream_that_cannot_be_trusted_gets_nothing() {
    let house = House::new();
    let mut expired = Authority::params(&["backend.test"]);
    expired.not_after = (SystemTime::now() - Duration::from_secs(3600)).into();
    house.authority.sign(expired).write(house.folder.path(), "expired");
    let (good, expired) = (house.backend("backend", None), house.backend("expired", None));
    let gateway = Gateway::start(&yaml(&[
        upstream(good.address(), &house.block("OTHER, server_name: backend.test")),
        upstream(good.address(), &house.block("CA, server_name: other.test")),
        upstream(good.address(), "server_name: backend.test"),
        upstream(expired.address(), &house.block("CA, server_name: backend.test")),
    ]))
    .await;
    for n in 0..4 {
        let reply = ask(&gateway, n).await;
        assert_eq!((reply.status, reply.error_code().as_str()), (502, "upstream_tls_failed"), "{n}");
    }
    for handshake in good.handshakes().iter().chain(&expired.handshakes()) {
        assert_eq!(handshake["ok"], false, "a request went to a server that is not trusted: {handshake}");
    }
    let failed = gateway.ops("/metrics").await.text().to_owned();
    assert!(failed.contains("raptorgate_upstream_attempts_total{result=\"tls_failed\",upstream=\"u0\"} 1"), "{failed}");
}

#[tokio::test]
async fn nothing_is_sent_in_clear() {
    let house = House::new();
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("an address");
    let seen = tokio::spawn(async move {
        let (mut stream, _) = socket.accept().await.expect("a connection");
        let mut all = vec![0; 64 << 10];
        let length = stream.read(&mut all).await.expect("bytes");
        all.truncate(length);
        all
    });
    let gateway = Gateway::start(&yaml(&[upstream(address, &house.block("CA, server_name: backend.test"))])).await;
    assert_eq!(ask(&gateway, 0).await.error_code(), "upstream_tls_failed");
    let seen = seen.await.expect("what was sent");
    assert_eq!(seen.first(), Some(&0x16), "no TLS handshake: {seen:?}");
    assert!(!seen.windows(6).any(|part| part == b"secret"), "the body was sent in clear");
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_asked_for() {
    let house = House::new();
    let backend = house.backend("backend", Some("ca.pem"));
    let gateway = Gateway::start(&yaml(&[
        upstream(backend.address(), &house.block("CA, server_name: backend.test, CERT")),
        upstream(backend.address(), &house.block("CA, server_name: backend.test")),
    ]))
    .await;
    let reply = ask(&gateway, 0).await;
    assert_eq!(reply.json()["client"], "gateway", "{}", reply.text());
    let reply = ask(&gateway, 1).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (502, "upstream_tls_failed"), "{}", reply.text());
}

/// Upstreams at one address: what one may do over its connections, the other may not.
#[tokio::test]
async fn upstreams_that_differ_share_no_connection() {
    let house = House::new();
    let backend = house.backend("backend", None);
    let clients = house.backend("backend", Some("ca.pem"));
    let gateway = Gateway::start(&yaml(&[
        upstream(backend.address(), &house.block("CA, server_name: backend.test")),
        upstream(backend.address(), &house.block("OTHER, server_name: backend.test")),
        upstream(clients.address(), &house.block("CA, server_name: backend.test, CERT")),
        upstream(clients.address(), &house.block("CA, server_name: backend.test")),
    ]))
    .await;
    for _ in 0..3 {
        assert_eq!(ask(&gateway, 0).await.status, 200);
        assert_eq!(ask(&gateway, 1).await.error_code(), "upstream_tls_failed", "it took the connection of another");
        assert_eq!(ask(&gateway, 2).await.status, 200);
        assert_eq!(ask(&gateway, 3).await.error_code(), "upstream_tls_failed", "it took the connection of another");
    }
    let whole = backend.handshakes().iter().filter(|handshake| handshake["ok"] == true).count();
    assert_eq!(whole, 1, "connections of one upstream are used again: {:?}", backend.handshakes());
}

#[tokio::test]
async fn a_renewed_authority_holds_from_the_next_connection_on() {
    let house = House::new();
    let backend = house.backend("backend", None);
    let gateway =
        Gateway::start(&yaml(&[upstream(backend.address(), &house.block("CA, server_name: backend.test"))])).await;
    assert_eq!(ask(&gateway, 0).await.status, 200);
    std::fs::copy(house.path("other-ca.pem"), house.path("ca.pem")).expect("replace the authority");
    until("the new authority holds", SOON, async || {
        let reply = ask(&gateway, 0).await;
        (reply.status != 200 && reply.error_code() == "upstream_tls_failed").then_some(())
    })
    .await;
}

/// An HTTP/2 server over TLS; with `clients`, client certificates of this authority are needed.
async fn http2_backend(house: &House, clients: bool) -> SocketAddr {
    let config = house.authority.server(house.folder.path(), "backend", &["h2"], clients);
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(config);
        while let Ok((stream, _)) = socket.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let sni = stream.get_ref().1.server_name().unwrap_or_default().to_owned();
                let Ok(mut connection) = h2::server::handshake(stream).await else { return };
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let text = format!("{{\"sni\":\"{sni}\",\"version\":\"{:?}\"}}", request.version());
                    let head = http::Response::builder().header("content-type", "application/json");
                    let mut body = respond.send_response(head.body(()).expect("a head"), false).expect("send a head");
                    body.send_data(Bytes::from(text), true).expect("send a body");
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn an_upstream_may_speak_http2_over_tls() {
    let house = House::new();
    let (open, closed) = (http2_backend(&house, false).await, http2_backend(&house, true).await);
    let http1_only = house.backend("backend", None);
    let http2 = |address: SocketAddr, tls: &str| {
        upstream(address, &house.block(tls)).replace("retries", "protocol: http2, retries")
    };
    let gateway = Gateway::start(&yaml(&[
        http2(open, "CA, server_name: backend.test"),
        http2(closed, "CA, server_name: backend.test, CERT"),
        http2(closed, "CA, server_name: backend.test"),
        http2(http1_only.address(), "CA, server_name: backend.test"),
    ]))
    .await;
    for n in [0, 1] {
        let reply = ask(&gateway, n).await;
        assert_eq!(reply.status, 200, "{n}: {}", reply.text());
        assert_eq!(
            (reply.json()["sni"].as_str(), reply.json()["version"].as_str()),
            (Some("backend.test"), Some("HTTP/2.0"))
        );
    }
    let reply = ask(&gateway, 2).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (502, "upstream_tls_failed"), "{}", reply.text());
    // Python's ssl goes on without ALPN where no protocol is common, and then HTTP/1.1 is spoken
    let reply = ask(&gateway, 3).await;
    assert_eq!((reply.status, reply.json()["alpn"].is_null()), (200, true), "{}", reply.text());
}

/// State of each upstream's endpoint, by the number of the upstream.
async fn states(gateway: &Gateway) -> Vec<String> {
    let upstreams = gateway.admin(Request::get("/api/v1/upstreams")).await.json();
    let all = upstreams["upstreams"].as_array().expect("upstreams").clone();
    let mut named: Vec<_> =
        all.iter().map(|u| (u["name"].to_string(), u["endpoints"][0]["state"].to_string())).collect();
    named.sort();
    named.into_iter().map(|(_, state)| state.trim_matches('"').to_owned()).collect()
}

#[tokio::test]
async fn health_checks_speak_tls_as_requests_do() {
    let house = House::new();
    let (open, closed) = (house.backend("backend", None), house.backend("backend", Some("ca.pem")));
    let check = |path: &str| {
        format!(
            "retries: 0, health_check: {{ path: {path}, interval: 500ms, timeout: 500ms, unhealthy_after: 1, healthy_after: 1 }}"
        )
    };
    let upstream = |address: SocketAddr, tls: &str, path: &str| {
        upstream(address, &house.block(tls)).replace("retries: 0", &check(path))
    };
    let gateway = Gateway::start(&yaml(&[
        upstream(open.address(), "CA, server_name: backend.test", "/healthz"),
        upstream(open.address(), "OTHER, server_name: backend.test", "/healthz"),
        upstream(open.address(), "CA, server_name: wrong.test", "/healthz"),
        upstream(open.address(), "OTHER, server_name: unverified.test, verify: false", "/healthz"),
        upstream(open.address(), "CA, server_name: backend.test", "/sick"),
        upstream(closed.address(), "CA, server_name: backend.test, CERT", "/healthz"),
        upstream(closed.address(), "CA, server_name: backend.test", "/healthz"),
    ]))
    .await;
    let wanted = ["in", "unhealthy", "unhealthy", "in", "unhealthy", "in", "unhealthy"];
    until("each check ends as a request would", SOON, async || (states(&gateway).await == wanted).then_some(())).await;
    let made = |server: &TlsUpstream, name: &str| {
        server.handshakes().iter().filter(|h| h["sni"] == name && h["ok"] == true).count()
    };
    until("the good ones are checked again", SOON, async || {
        let again = made(&open, "backend.test") >= 4
            && made(&open, "unverified.test") >= 2
            && made(&closed, "backend.test") >= 2;
        again.then_some(())
    })
    .await;
    assert_eq!(states(&gateway).await, wanted, "they stay as they are");
    let reply = ask(&gateway, 0).await.json();
    assert_eq!(reply["checked"], serde_json::json!([open.address().to_string()]), "Host of the checks");
}
