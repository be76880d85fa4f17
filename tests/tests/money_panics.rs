//! A filter that panics costs its request, and not the agreement between the meter and the backend's own log.

use async_trait::async_trait;
use raptorgate_filters::exchange::{Exchange, Outcome};
use raptorgate_filters::filter::{
    Attempt, Decision, Ended, Filter, FilterName, Phases, RequestHead, ResponseHead, ResponseMode, ResponseTransform,
    WholeResponse,
};
use raptorgate_filters::frame::Frame;
use raptorgate_filters::payload::Payload;
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;

const TEXT: &str = "one two three four five six";
/// Frames of a stream that pass before the panic: the role, then three words.
const FRAMES: usize = 4;

/// Panics in the phase that the user's name says.
struct Panicker;

fn panic_in(phase: &str, exchange: &Exchange) {
    let here = exchange.identity.as_ref().is_some_and(|i| &**i.user() == phase);
    assert!(!here, "a panic on purpose in {phase}");
}

#[async_trait]
impl Filter for Panicker {
    fn name(&self) -> FilterName {
        FilterName::Custom("panicker")
    }

    fn phases(&self) -> Phases {
        Phases {
            request: true,
            request_body: true,
            dispatch: true,
            attempt: true,
            response: true,
            progress: true,
            end: true,
        }
    }

    async fn on_request(&self, _head: &RequestHead<'_>, exchange: &mut Exchange) -> Decision {
        panic_in("request", exchange);
        Decision::Continue
    }

    async fn on_request_body(&self, _head: &RequestHead<'_>, _body: &mut Payload, exchange: &mut Exchange) -> Decision {
        panic_in("request-body", exchange);
        Decision::Continue
    }

    fn on_attempt(&self, _attempt: &mut Attempt<'_>, exchange: &Exchange) {
        panic_in("attempt", exchange);
    }

    fn on_response_head(&self, head: &ResponseHead<'_>, exchange: &mut Exchange) -> ResponseMode {
        panic_in("response-head", exchange);
        match head.headers.get("content-type").and_then(|v| v.to_str().ok()) {
            Some("text/event-stream") => ResponseMode::Stream(Box::new(Counter(0))),
            _ => ResponseMode::Gate,
        }
    }

    async fn on_response(&self, _response: &mut WholeResponse, exchange: &mut Exchange) -> Decision {
        panic_in("response", exchange);
        Decision::Continue
    }

    async fn on_end(&self, _outcome: &Outcome, exchange: &mut Exchange) {
        panic_in("end", exchange);
    }
}

struct Counter(usize);

impl ResponseTransform for Counter {
    fn on_frame(&mut self, frame: Frame, exchange: &mut Exchange, out: &mut Vec<Frame>) {
        self.0 += 1;
        if self.0 == FRAMES {
            panic_in("response", exchange);
        }
        out.push(frame);
    }

    fn on_finish(&mut self, _ended: Ended, _exchange: &mut Exchange, _out: &mut Vec<Frame>) {}
}

const PHASES: [&str; 6] = ["request", "request-body", "attempt", "response-head", "response", "end"];

struct Stage {
    upstream: Upstream,
    gateway: raptorgate::Gateway,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

async fn stage() -> Stage {
    let upstream = Upstream::start();
    let keys =
        PHASES.map(|p| format!("{{ id: {p}, sha256: '{}', tenant: acme, user: {p} }}", sha256_hex(p.as_bytes())));
    let yaml = format!(
        "version: 1
listeners: [{{ address: '127.0.0.1:0' }}]
ops: off
admin: {{ address: '127.0.0.1:0', token: admin }}
access_log: {{ output: off }}
tenants: {{ acme: {{}} }}
prices: {{ gpt-4o-mini: {{ input: 10.00 INR, output: 100.00 INR }} }}
upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}], retries: 0 }} }}
routes:
  - {{ name: chat, match: {{ path: /v1/chat/completions }}, upstream: agents, authenticate: {{ api_keys: [{}] }}, meter: {{ format: openai }} }}
",
        upstream.address(),
        keys.join(", ")
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("raptorgate.yaml");
    std::fs::write(&file, yaml).expect("write the configuration");
    let loaded = raptorgate_config::load(&file).expect("a valid configuration");
    let gateway = raptorgate::Gateway::builder(loaded)
        .filters(vec![Arc::new(Panicker)])
        .start()
        .await
        .expect("start the gateway");
    let address = gateway.listeners()[0];
    Stage { upstream, gateway, address, _folder: folder }
}

impl Stage {
    /// Requests and tokens that the upstream wrote down for a user.
    fn served(&self, user: &str) -> (u64, u64) {
        let records = self.upstream.records();
        let own = records.iter().filter(|r| r["headers"]["x-raptorgate-user"] == user);
        own.fold((0, 0), |(n, tokens), r| (n + 1, tokens + r["tokens"].as_u64().expect("tokens")))
    }

    /// Requests and tokens that the gateway metered for a user.
    async fn metered(&self, user: &str) -> (u64, u64) {
        let request = Request::get("/api/v1/accounts").header("authorization", "Bearer admin");
        let reply = H1::connect(self.gateway.admin_address()).await.send(&request).await.expect("the accounts");
        let body = reply.json();
        let accounts = body["accounts"].as_array().cloned().unwrap_or_default();
        let account = accounts.iter().find(|a| a["user"] == user).cloned().unwrap_or(Value::Null);
        let number = |field: &str| account[field].as_u64().unwrap_or(0);
        (number("requests"), number("input_tokens") + number("output_tokens"))
    }

    async fn ask(&self, user: &str, stream: bool, more: &str) -> raptorgate_tests::reply::Reply {
        let body = format!(
            r#"{{"model":"gpt-4o-mini","stream":{stream},"messages":[{{"role":"user","content":"one two three"}}]}}"#
        );
        let request = Request::post(format!("/v1/chat/completions?{more}"), body)
            .header("authorization", format!("Bearer {user}"))
            .header("x-test-text", TEXT);
        H1::connect(self.address).await.send(&request).await.expect("a reply")
    }

    async fn assert_agrees(&self, user: &str, requests: u64) {
        let metered = until("all of it is metered", SOON, async || {
            Some(self.metered(user).await).filter(|m| m.0 >= requests && self.served(user).0 == requests)
        })
        .await;
        assert_eq!(metered, self.served(user), "{user}: metered against served");
    }
}

#[tokio::test]
async fn panics_leave_the_totals_in_agreement_with_the_backend() {
    let stage = stage().await;
    for phase in PHASES {
        let reached = !matches!(phase, "request" | "request-body" | "attempt");
        for stream in [false, true] {
            let name = format!("{phase}-{stream}");
            // The panic comes with the third word, and the upstream says no more before it is told to.
            let waits = if stream && phase == "response" { format!("&await={name}") } else { String::new() };
            let query = format!("usage=continuous{waits}");
            let asking = stage.ask(phase, stream, &query);
            let telling = async {
                for _ in 0..if waits.is_empty() { 0 } else { FRAMES - 1 } {
                    stage.upstream.release(&name).await;
                }
            };
            let (reply, ()) = tokio::join!(asking, telling);
            let cut_in_stream = stream && phase == "response";
            assert_eq!(reply.status == 200, cut_in_stream || phase == "end", "{name}: {}", reply.text());
            assert!(!cut_in_stream || !reply.text().contains("[DONE]"), "{name} looks whole: {}", reply.text());
        }
        stage.assert_agrees(phase, if reached { 2 } else { 0 }).await;
    }
    let after = stage.ask("end", false, "").await;
    assert_eq!(after.status, 200, "the gateway serves on");
}
