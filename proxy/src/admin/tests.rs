//! Over real connections: the door is only as good as what stands before it.

use super::*;
use crate::ops;
use crate::telemetry::Metrics;
use parking_lot::Mutex;
use raptorgate_config::Origin;
use raptorgate_config::units::{Currency, Money};
use raptorgate_policies::Usage;
use raptorgate_policies::totals::Charge;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TOKEN: &str = "token-of-the-test";
const YAML: &str = "version: 1\nlisteners: [{ address: '127.0.0.1:0' }]\n\
    upstreams: { u: { endpoints: [{ address: '127.0.0.1:1' }] } }\ntenants: { acme: {} }\nroutes:\n  \
    - { name: chat, match: { path: '/v1/{x}/*', host: '*.x.in', methods: [POST] }, upstream: u, sanitize: { action: strip },\n      \
    authenticate: { api_keys: [{ id: k, key: sk-CANARY, tenant: acme, user: asha }] } }\n";

struct FakePanel {
    status: Mutex<Status>,
    totals: Arc<Totals>,
    config: Arc<Config>,
}

impl FakePanel {
    fn new() -> Arc<Self> {
        let status = Status {
            generation: "7-1f3a9c2e".into(),
            loaded_at: Timestamp::from_micros(1),
            last_rejection: None,
            ready: true,
            draining: false,
            in_flight: 2,
        };
        let config = Arc::new(load(YAML).unwrap().config);
        Arc::new(Self { status: Mutex::new(status), totals: Arc::default(), config })
    }
}

fn load(yaml: &str) -> Result<raptorgate_config::Loaded, Problems> {
    raptorgate_config::parse(yaml, &Origin { file: "test.yaml".into(), folder: ".".into() }, &|_| None)
}

impl ControlPanel for FakePanel {
    fn status(&self) -> Status {
        self.status.lock().clone()
    }
    fn reload(&self) -> Result<String, Problems> {
        load("versoin: 1").map(|loaded| loaded.hash)
    }
    fn totals(&self) -> Arc<Totals> {
        Arc::clone(&self.totals)
    }
    fn store(&self) -> Option<Arc<dyn Store>> {
        None // the real one is looked at end to end
    }
    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config)
    }
    fn upstreams(&self) -> Vec<Arc<UpstreamSet>> {
        Vec::new() // the real ones are looked at end to end
    }
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn admin(panel: &Arc<FakePanel>) -> SocketAddr {
    serve(router(Arc::clone(panel) as Panel, Secret::new(TOKEN), vec!["admin.x.in".into(), "fd00::1".into()])).await
}

async fn ask(address: SocketAddr, line: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{line} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    (text.split(' ').nth(1).unwrap().parse().unwrap(), text)
}

async fn get(address: SocketAddr, line: &str) -> (u16, Value) {
    let (status, text) = ask(address, line, &format!("Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\n")).await;
    (status, serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap_or_default())
}

#[tokio::test]
async fn only_the_token_and_known_hosts_open_the_door() {
    let address = admin(&FakePanel::new()).await;
    let good = format!("Authorization: Bearer {TOKEN}\r\n");
    for (status, headers) in [
        (200, format!("Host: {address}\r\n{good}")),
        (200, format!("Host: LOCALHOST:9901\r\n{good}")),
        (200, format!("Host: [::1]:9901\r\n{good}")),
        (200, format!("Host: Admin.x.in\r\n{good}")),
        (200, format!("Host: [fd00::1]:9901\r\n{good}")),
        (200, format!("Host: admin.x.in:443\r\nAuthorization: bearer {TOKEN}\r\n")),
        (401, "Host: localhost\r\n".to_owned()),
        (401, "Host: localhost\r\nAuthorization: Bearer \r\n".to_owned()),
        (401, "Host: localhost\r\nAuthorization: Bearer token\r\n".to_owned()),
        (401, format!("Host: localhost\r\nAuthorization: Bearer {TOKEN}x\r\n")),
        (401, format!("Host: localhost\r\nAuthorization: {TOKEN}\r\n")),
        (401, format!("Host: localhost\r\nAuthorization: Basic {TOKEN}\r\n")),
        (401, format!("Host: localhost\r\n{good}Authorization: Bearer wrong\r\n")),
        (421, format!("Host: evil.example\r\n{good}")),
        (421, format!("Host: localhost.evil.example\r\n{good}")),
        (421, format!("Host: x.in\r\n{good}")),
        (421, format!("Host: 127.0.0.1.evil.example:9901\r\n{good}")),
        (421, format!("Host: evil.example@localhost\r\n{good}")),
        (421, "Host: evil.example\r\n".to_owned()),
    ] {
        for path in ["/api/v1/status", "/healthz"] {
            let (got, text) = ask(address, &format!("GET {path}"), &headers).await;
            assert_eq!(got, status, "{headers}{text}");
            assert!(!text.contains(TOKEN), "{text}");
        }
    }
}

#[tokio::test]
async fn every_error_is_a_problem_document() {
    let address = admin(&FakePanel::new()).await;
    let good = format!("Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\n");
    for (status, line, headers) in [
        (401, "GET /api/v1/status", "Host: localhost\r\n"),
        (401, "GET /no/such", "Host: localhost\r\n"),
        (421, "GET /api/v1/status", "Host: evil\r\n"),
        (404, "GET /no/such", &good),
        (404, "GET /api/v1/accounts/acme/nobody", &good),
        (405, "DELETE /api/v1/status", &good),
        (405, "GET /api/v1/reload", &good),
        (422, "POST /api/v1/reload", &good),
        (400, "GET /api/v1/accounts?limit=many", &good),
        (400, "GET /api/v1/accounts?token=x", &good),
    ] {
        let (got, text) = ask(address, line, headers).await;
        assert_eq!(got, status, "{line}: {text}");
        assert!(text.to_ascii_lowercase().contains("content-type: application/problem+json"), "{text}");
        let body: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(body["status"], status, "{body}");
        assert!(body["code"].is_string() && body["title"].is_string(), "{body}");
    }
}

#[tokio::test]
async fn a_refused_reload_tells_all_problems() {
    let address = admin(&FakePanel::new()).await;
    let (status, body) = get(address, "POST /api/v1/reload").await;
    assert_eq!(status, 422);
    let error = &body["errors"][0];
    assert_eq!((error["line"].as_u64(), error["code"].as_str()), (Some(1), Some("unknown_key")), "{body}");
    assert!(error["help"].as_str().is_some_and(|help| help.contains("version")), "{body}");
}

#[tokio::test]
async fn the_last_rejection_is_shown_beside_what_is_served() {
    let panel = FakePanel::new();
    let address = admin(&panel).await;
    let (_, before) = get(address, "GET /api/v1/generations").await;
    assert_eq!(before["last_rejection"], Value::Null);
    panel.status.lock().last_rejection =
        Some(Rejection { at: Timestamp::from_micros(2_000_000), errors: vec![json!({"code": "unknown_key"})] });
    for path in ["/api/v1/generations", "/api/v1/status"] {
        let (status, body) = get(address, &format!("GET {path}")).await;
        assert_eq!(status, 200);
        assert_eq!(body["last_rejection"]["errors"][0]["code"], "unknown_key", "{body}");
        assert_eq!(body["last_rejection"]["at"], "1970-01-01T00:00:02.000000Z");
        assert!(body.to_string().contains("7-1f3a9c2e"), "{body}");
    }
}

#[tokio::test]
async fn routes_show_no_secret() {
    let (status, body) = get(admin(&FakePanel::new()).await, "GET /api/v1/routes").await;
    assert_eq!(status, 200);
    let route = &body["routes"][0];
    assert_eq!(route["match"], json!({"host": "*.x.in", "path": "/v1/{x}/*", "methods": ["POST"]}));
    assert_eq!((&route["name"], &route["blocks"]), (&json!("chat"), &json!(["authenticate", "sanitize"])));
    assert!(!body.to_string().contains("CANARY"), "{body}");
}

#[tokio::test]
async fn pages_are_bounded() {
    let panel = FakePanel::new();
    for n in 0..1_500 {
        let usage = Usage { input: 3, output: 2, cached_input: 1 };
        let cost = Money::from_nanos(123, Currency::INR);
        panel.totals.record("acme", &format!("u/{n:04}"), &Charge { usage, cost, estimated: n == 0 });
    }
    let address = admin(&panel).await;
    let (mut seen, mut query) = (Vec::new(), "limit=999999".to_owned());
    loop {
        let (status, body) = get(address, &format!("GET /api/v1/accounts?{query}")).await;
        assert_eq!(status, 200);
        let page = body["accounts"].as_array().unwrap();
        assert!(page.len() <= 1_000);
        seen.extend(page.iter().map(|account| account["user"].as_str().unwrap().to_owned()));
        let Some(next) = body["next_cursor"].as_str() else { break };
        let encoded: String = next.bytes().map(|byte| format!("%{byte:02x}")).collect();
        query = format!("limit=999999&cursor={encoded}");
    }
    assert_eq!(seen.len(), 1_500);
    assert!(seen.is_sorted_by(|a, b| a < b), "no account twice");
    let (_, one) = get(address, "GET /api/v1/accounts/acme/u%2F0000").await;
    assert_eq!(
        one,
        json!({"tenant": "acme", "user": "u/0000", "requests": 1, "estimated_requests": 1, "input_tokens": 3,
               "output_tokens": 2, "cached_input_tokens": 1, "cost": "0.000000123 INR"})
    );
}

#[tokio::test]
async fn readiness_follows_the_gateway() {
    let panel = FakePanel::new();
    let metrics = Metrics::new().unwrap();
    let address = serve(ops::router(Arc::clone(&panel) as Panel, metrics)).await;
    let status = async |path: &str| ask(address, &format!("GET {path}"), "Host: any\r\n").await.0;
    assert_eq!((status("/livez").await, status("/readyz").await, status("/metrics").await), (200, 200, 200));
    panel.status.lock().draining = true;
    assert_eq!((status("/livez").await, status("/readyz").await), (200, 503));
    *panel.status.lock() = Status { draining: false, ready: false, ..panel.status() };
    assert_eq!((status("/livez").await, status("/readyz").await), (200, 503));
    for path in ["/", "/healthz", "/api/v1/status", "/metrics/", "/livez/x"] {
        assert_eq!(status(path).await, 404, "{path}");
    }
}
