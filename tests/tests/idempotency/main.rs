//! `Idempotency-Key`, judged by the backend's own log: what it served is what was run, however often it was sent, and what
//! was charged is what it served.

mod ends;
mod runs;

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::reply::{Ending, Reply};
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// Hundreds of connections take their time on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway with a metered chat route and an unmetered one for tools, both with these rules.
struct Stage {
    upstream: Upstream,
    gateway: Gateway,
}

impl Stage {
    async fn set(rules: &str) -> Self {
        Self::with(rules, "", "").await
    }

    /// With more blocks on both routes, and more keys of the upstream.
    async fn with(rules: &str, blocks: &str, upstream_keys: &str) -> Self {
        let upstream = Upstream::start();
        let key = |user: &str, tenant: &str| {
            format!("{{ id: {user}-key, sha256: '{}', tenant: {tenant}, user: {user} }}", sha256_hex(user.as_bytes()))
        };
        let yaml = format!(
            "{}tenants: {{ acme: {{ timezone: Asia/Kolkata }}, other: {{}} }}
prices: {{ gpt-4o-mini: {{ input: 10.00 INR, output: 100.00 INR }} }}
upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}], retries: 0{upstream_keys} }} }}
defaults:
    authenticate: {{ api_keys: [{}, {}, {}] }}
    end_user: {{ id: 'header:x-end-user' }}
    idempotency: {{ {rules} }}
{blocks}routes:
  - name: chat
    match: {{ path: /v1/chat/completions }}
    upstream: agents
    meter: {{}}
    budgets: [{{ name: b, per: user, limit: 1000.00 INR, window: total }}]
  - {{ name: tools, match: {{ path: /tools/* }}, upstream: agents }}
",
            listeners(),
            upstream.address(),
            key("asha", "acme"),
            key("ravi", "acme"),
            key("eve", "other"),
        );
        let gateway = Gateway::start(&yaml).await;
        Self { upstream, gateway }
    }

    async fn account(&self, user: &str) -> Value {
        let page = self.gateway.admin(Request::get("/api/v1/ledger/acme/accounts")).await.json();
        let name = format!("b:INR:user:{user}@total");
        let found = page["accounts"].as_array().expect("accounts").iter().find(|a| a["account"] == name).cloned();
        found.unwrap_or_else(|| panic!("no account {name} in {page}"))
    }

    /// So many calls have reached the backend, and no more.
    async fn calls(&self, count: usize) {
        until(&format!("{count} calls"), SOON, async || (self.upstream.records().len() >= count).then_some(())).await;
        assert_eq!(self.upstream.records().len(), count, "upstream calls");
    }

    /// What the backend says it served of chat, priced with nothing but the price list. Every prompt has three words.
    fn served_nanos(&self) -> i64 {
        let chats = self.upstream.records().into_iter().filter(|r| r["target"] == "/v1/chat/completions");
        chats.map(|r| 3 * 10_000 + (r["tokens"].as_i64().expect("tokens") - 3) * 100_000).sum()
    }

    /// Nothing is held, and what was spent is what was served.
    async fn is_charged_once(&self, user: &str) {
        let account = self.account(user).await;
        assert_eq!(account["held"], rupees(0));
        assert_eq!(account["spent"], rupees(self.served_nanos()));
    }

    /// Waits until so many requests are counted with one of these results.
    async fn counted(&self, results: &[&str], expected: u64) {
        let labels: Vec<String> = results.iter().map(|result| format!("result=\"{result}\"")).collect();
        until(&format!("{expected} are {results:?}"), SOON, async || {
            let text = self.gateway.ops("/metrics").await.text().to_owned();
            let lines = text.lines().filter(|line| line.starts_with("raptorgate_idempotent_requests_total{"));
            let ours = lines.filter(|line| labels.iter().any(|label| line.contains(label)));
            let sum: u64 = ours.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum();
            assert!(sum <= expected, "{text}");
            (sum == expected).then_some(())
        })
        .await;
    }
}

fn rupees(nanos: i64) -> String {
    format!("{}.{:09} INR", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

fn chat(key: &str, id: &str) -> Request {
    let body =
        json!({"model": "gpt-4o-mini", "max_tokens": 100, "messages": [{"role": "user", "content": "one two three"}]});
    keyed(Request::post("/v1/chat/completions", body.to_string()), key, id)
}

fn stream(key: &str, id: &str) -> Request {
    let body = json!({
        "model": "gpt-4o-mini", "max_tokens": 100, "stream": true, "messages": [{"role": "user", "content": "one two three"}]
    });
    keyed(Request::post("/v1/chat/completions", body.to_string()), key, id)
}

fn tool(key: &str, id: &str) -> Request {
    keyed(Request::post("/tools/pay", r#"{"amount":5}"#), key, id)
}

fn keyed(request: Request, key: &str, id: &str) -> Request {
    request.header("authorization", "Bearer asha").header("idempotency-key", key).header("x-test-id", id)
}

async fn send(address: SocketAddr, request: Request) -> Reply {
    H1::connect(address).await.send(&request).await.expect("a reply")
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, reply.error_code())
}

fn is_replay(reply: &Reply) -> bool {
    reply.header("idempotent-replayed") == "true"
}

/// What a client is told; ids and times of its own request aside.
fn told(reply: &Reply) -> (u16, String, Vec<u8>) {
    assert_eq!(reply.ending, Ending::Whole);
    (reply.status, reply.header("content-type").to_owned(), reply.body.to_vec())
}
