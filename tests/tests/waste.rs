//! Attempts that were sent and failed: lines of the operator in the ledger, and nobody is charged for them.

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::Request;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::reply::Reply;
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use serde_json::{Value, json};

/// 13 characters of prompt are 4 tokens where nobody counts, at 10.00 INR for a million.
const PROMPT_NANOS: i64 = 40_000;

struct Stage {
    upstream: Upstream,
    gateway: Gateway,
}

impl Stage {
    /// A gateway that sends POST again, with these endpoints before the one that works.
    async fn set(before: &str, retries: u32) -> Self {
        let upstream = Upstream::start();
        let yaml = format!(
            "{}tenants: {{ acme: {{}} }}
prices: {{ gpt-4o-mini: {{ input: 10.00 INR, output: 100.00 INR }} }}
upstreams: {{ agents: {{ endpoints: [{before}{{ address: '{}' }}], retries: {retries}, idempotent: true, ejection: off }} }}
routes:
  - name: chat
    match: {{ path: /v1/chat/completions }}
    upstream: agents
    authenticate: {{ api_keys: [{{ id: k, sha256: '{}', tenant: acme, user: asha }}] }}
    meter: {{}}
    budgets: [{{ name: b, per: user, limit: 100.00 INR, window: total }}]
",
            listeners(),
            upstream.address(),
            sha256_hex(b"asha"),
        );
        Self { upstream, gateway: Gateway::start(&yaml).await }
    }

    async fn ask(&self, how: &[(&'static str, &str)]) -> Reply {
        let body = json!({
            "model": "gpt-4o-mini", "max_tokens": 9, "messages": [{"role": "user", "content": "one two three"}]
        });
        let request = Request::post("/v1/chat/completions", body.to_string());
        let request = request.header("authorization", "Bearer asha").header("x-test-text", "a b");
        self.gateway.send(&how.iter().fold(request, |request, (name, value)| request.header(name, *value))).await
    }

    async fn lines(&self) -> Vec<Value> {
        let page = self.gateway.admin(Request::get("/api/v1/ledger/acme/entries?limit=1000")).await.json();
        let entries = page["entries"].as_array().expect("entries").iter();
        entries.map(|entry| serde_json::from_str(entry["line"].as_str().expect("a line")).expect("JSON")).collect()
    }

    async fn spent(&self) -> String {
        let page = self.gateway.admin(Request::get("/api/v1/ledger/acme/accounts")).await.json();
        page["accounts"][0]["spent"].as_str().expect("an amount").to_owned()
    }

    async fn wasted(&self) -> (f64, f64) {
        let of = async |name: &str| self.gateway.metric(name).await;
        (
            of("raptorgate_wasted_attempts_total{route=\"chat\",upstream=\"agents\"}").await,
            of("raptorgate_waste_nanos_total{currency=\"INR\",route=\"chat\",upstream=\"agents\"}").await,
        )
    }
}

fn ops(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["op"].as_str().expect("an operation")).collect()
}

#[tokio::test]
async fn the_delivered_attempt_is_charged_and_those_before_it_are_waste() {
    let mut stage = Stage::set("", 2).await;
    let reply = stage.ask(&[("x-test-id", "twice"), ("x-test-fail", "2")]).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    until("it is on record", SOON, async || (stage.upstream.records().len() == 3).then_some(())).await;
    stage.gateway.kill_and_restart().await;
    let lines = stage.lines().await;
    assert_eq!(ops(&lines), ["hold", "settle", "waste", "waste"]);
    for (line, attempt) in lines[2..].iter().zip(1..) {
        assert_eq!((&line["at"], &line["flags"], &line["id"]), (&json!([]), &json!(["estimated"]), &lines[1]["id"]));
        let note = &line["note"];
        let told = [&note["attempt"], &note["upstream"], &note["model"], &note["cost"]];
        assert_eq!(told, [&json!(attempt), &json!("agents"), &json!("gpt-4o-mini"), &json!("0.000040000 INR")]);
    }
    // three words of prompt, two of answer
    assert_eq!(stage.spent().await, "0.000230000 INR", "the caller pays for what was delivered");
}

#[tokio::test]
async fn a_request_of_which_every_attempt_failed_is_waste_and_costs_nothing() {
    let stage = Stage::set("", 2).await;
    let reply = stage.ask(&[("x-test-reply", "nothing")]).await;
    assert_eq!(reply.status, 502, "{}", reply.text());
    let lines = stage.lines().await;
    assert_eq!(ops(&lines), ["hold", "void", "waste", "waste", "waste"]);
    assert_eq!(stage.spent().await, "0.000000000 INR");
    assert_eq!(stage.wasted().await, (3.0, 3.0 * PROMPT_NANOS as f64));
}

#[tokio::test]
async fn what_was_never_sent_or_was_delivered_is_no_waste() {
    let stage = Stage::set("{ address: '127.0.0.1:1' }, ", 1).await;
    for _ in 0..4 {
        assert_eq!(stage.ask(&[]).await.status, 200);
    }
    assert_eq!(ops(&stage.lines().await), ["hold", "settle"].repeat(4), "nobody was at the first endpoint");
    let stage = Stage::set("", 0).await;
    assert_eq!(stage.ask(&[("x-test-id", "busy"), ("x-test-fail", "1")]).await.status, 503);
    assert_eq!(ops(&stage.lines().await), ["hold", "void"], "its caller got this reply");
    let cut = stage.ask(&[("x-test-reply", "half-body")]).await;
    assert_ne!(cut.status, 503);
    let lines = stage.lines().await;
    let charged = lines.iter().filter(|line| line["op"] == "settle").count();
    let waste = lines.iter().filter(|line| line["op"] == "waste").count();
    assert_eq!(charged + waste, 1, "a reply that broke off is charged for or is waste, and never both: {lines:?}");
}
