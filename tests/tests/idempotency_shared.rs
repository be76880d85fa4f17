//! `Idempotency-Key` over two gateways with one Redis, judged by the backend's own log.

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::redis::Redis;
use raptorgate_tests::reply::Reply;
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use serde_json::{Value, json};

/// What the replies say, and nothing but what the requests of these tests say.
const SAID: &str = "what-the-model-said";

struct Stage {
    upstream: Upstream,
    redis: Redis,
    gateways: Vec<Gateway>,
}

impl Stage {
    async fn set() -> Self {
        let (upstream, redis) = (Upstream::start(), Redis::start().await);
        // a machine that does other things answers late
        let yaml = format!(
            "{}store:
  redis: {{ urls: [\"{}\"], response_timeout: 5s, connect_timeout: 5s, strict: true }}
  reply_key: a-secret-of-the-tests-that-is-long-enough
tenants: {{ acme: {{}} }}
prices: {{ gpt-4o-mini: {{ input: 10.00 INR, output: 100.00 INR }} }}
upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}], retries: 0 }} }}
routes:
  - name: chat
    match: {{ path: /v1/chat/completions }}
    upstream: agents
    authenticate: {{ api_keys: [{{ id: k, sha256: '{}', tenant: acme, user: asha }}] }}
    meter: {{}}
    idempotency: {{ keep: 1h }}
    budgets: [{{ name: b, per: user, limit: 1000.00 INR, window: total }}]
",
            listeners(),
            redis.url(),
            upstream.address(),
            sha256_hex(b"asha"),
        );
        let gateways = vec![Gateway::start(&yaml).await, Gateway::start(&yaml).await];
        Self { upstream, redis, gateways }
    }

    async fn spent(&self) -> String {
        let page = self.gateways[0].admin(Request::get("/api/v1/ledger/acme/accounts")).await.json();
        page["accounts"][0]["spent"].as_str().expect("an amount").to_owned()
    }

    /// So many calls have reached the backend, and no more.
    async fn calls(&self, count: usize) {
        until(&format!("{count} calls"), SOON, async || (self.upstream.records().len() >= count).then_some(())).await;
        assert_eq!(self.upstream.records().len(), count, "upstream calls");
    }

    /// What the backend says it served, priced with nothing but the price list. Every prompt has three words.
    fn served(&self) -> String {
        let tokens = |r: &Value| r["tokens"].as_i64().expect("tokens");
        let nanos: i64 = self.upstream.records().iter().map(|r| 3 * 10_000 + (tokens(r) - 3) * 100_000).sum();
        format!("{}.{:09} INR", nanos / 1_000_000_000, nanos % 1_000_000_000)
    }
}

fn ask(key: &str, stream: bool) -> Request {
    let body = json!({
        "model": "gpt-4o-mini", "max_tokens": 100, "stream": stream,
        "messages": [{"role": "user", "content": "one two three"}],
    });
    Request::post("/v1/chat/completions", body.to_string())
        .header("authorization", "Bearer asha")
        .header("idempotency-key", key)
        .header("x-test-id", key)
        .header("x-test-text", SAID)
}

fn told(reply: &Reply) -> (u16, &str, &[u8]) {
    (reply.status, reply.header("content-type"), &reply.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_gateway_was_told_both_tell() {
    let mut stage = Stage::set().await;
    let mut firsts = Vec::new();
    for n in 0..10 {
        let (key, stream) = (format!("key-{n}"), n % 2 == 0);
        let request = ask(&key, stream).header("x-test-first", "gate");
        let mut all = Vec::new();
        for sent in 0..6 {
            let (address, request) = (stage.gateways[sent % 2].address(), request.clone());
            all.push(tokio::spawn(async move { H1::connect(address).await.send(&request).await.expect("a reply") }));
        }
        stage.upstream.until_waiting("gate").await;
        stage.upstream.release("gate").await;
        let mut replies = Vec::new();
        for one in all {
            replies.push(tokio::time::timeout(SOON, one).await.expect("in time").expect("a task"));
        }
        let first = |reply: &&Reply| reply.header("idempotent-replayed").is_empty();
        assert_eq!(replies.iter().filter(first).count(), 1, "{key}: one is the first");
        for reply in &replies {
            assert_eq!(told(reply), told(&replies[0]), "{key}");
        }
        assert!(replies[0].text().contains(SAID) && replies[0].status == 200);
        stage.upstream.record(&key).await;
        firsts.push((request, replies.swap_remove(0)));
    }
    assert_eq!(stage.spent().await, stage.served());
    stage.redis.kill();
    stage.redis.restart().await;
    for gateway in &mut stage.gateways {
        gateway.kill_and_restart().await;
        for (request, first) in &firsts {
            let again = gateway.send(request).await;
            assert_eq!(told(&again), told(first));
            assert_eq!(again.header("idempotent-replayed"), "true");
        }
    }
    stage.calls(10).await;
    assert!(!stage.redis.holds(SAID.as_bytes()), "what was said is sealed");
}
