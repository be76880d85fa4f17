//! Four gateways with one Redis: budgets and limits hold over all of them, and over the death of each.

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::redis::Redis;
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// A thousand connections take their time on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(60);
const GATEWAYS: usize = 4;

struct Stage {
    upstream: Upstream,
    redis: Redis,
    gateways: Vec<Gateway>,
}

impl Stage {
    async fn set(blocks: &str) -> Self {
        let (upstream, redis) = (Upstream::start(), Redis::start().await);
        // a machine that does other things answers late
        let yaml = format!(
            "{}store: {{ redis: {{ urls: [\"{}\"], response_timeout: 5s, connect_timeout: 5s }} }}
tenants: {{ acme: {{}} }}
prices: {{ gpt-4o-mini: {{ input: 10.00 INR, output: 100.00 INR }} }}
upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}], retries: 0 }} }}
routes:
  - name: chat
    match: {{ path: /v1/chat/completions }}
    upstream: agents
    authenticate: {{ api_keys: [{{ id: k, sha256: '{}', tenant: acme, user: asha }}] }}
    meter: {{}}
{blocks}",
            listeners(),
            redis.url(),
            upstream.address(),
            sha256_hex(b"asha"),
        );
        let mut gateways = Vec::new();
        for _ in 0..GATEWAYS {
            gateways.push(Gateway::start(&yaml).await);
        }
        Self { upstream, redis, gateways }
    }

    async fn account(&self) -> Value {
        self.gateways[0].admin(Request::get("/api/v1/ledger/acme/accounts")).await.json()["accounts"][0].clone()
    }

    /// What must be true as soon as the store has heard of every ending: nothing is held, and spent is what was served.
    async fn assert_adds_up(&self) {
        let settled = async || {
            let account = self.account().await;
            (account["held"] == rupees(0) && account["spent"] == rupees(self.served_nanos())).then_some(())
        };
        let what = format!("spent is {}: {}", rupees(self.served_nanos()), self.account().await);
        until(&what, PATIENCE, settled).await;
    }

    /// What the backend says it served, priced with nothing but the price list. Every prompt has three words.
    fn served_nanos(&self) -> i64 {
        let tokens = |r: &Value| r["tokens"].as_i64().expect("tokens");
        self.upstream.records().iter().map(|r| 3 * 10_000 + (tokens(r) - 3) * 100_000).sum()
    }
}

fn ask(max_tokens: u32) -> Request {
    let body = json!({
        "model": "gpt-4o-mini", "max_tokens": max_tokens, "messages": [{"role": "user", "content": "one two three"}]
    });
    Request::post("/v1/chat/completions", body.to_string())
        .header("authorization", "Bearer asha")
        .header("x-test-text", "a b c d")
}

fn rupees(nanos: i64) -> String {
    format!("{}.{:09} INR", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_through_four_gateways_with_room_for_seven_hundred() {
    let request = ask(1000).header("x-test-first", "gate");
    let hold = i64::try_from(request.body_len()).expect("a length") * 10_000 + 1000 * 100_000;
    let limit = rupees(hold * 700 + 1);
    let stage = Stage::set(&format!("    budgets: [{{ name: b, per: user, limit: {limit}, window: total }}]\n")).await;
    let refused = Arc::new(AtomicUsize::new(0));
    let mut all = Vec::new();
    for n in 0..1000 {
        let (request, refused) = (request.clone(), refused.clone());
        let address = stage.gateways[n % GATEWAYS].address();
        all.push(tokio::spawn(async move {
            let reply = H1::connect(address).await.send(&request).await.expect("a reply");
            refused.fetch_add(usize::from(reply.status == 402), Relaxed);
            (reply.status, reply.text().to_owned())
        }));
    }
    until("three hundred are refused", PATIENCE, async || (refused.load(Relaxed) >= 300).then_some(())).await;
    assert_eq!(stage.account().await["held"], rupees(hold * 700));
    for _ in 0..700 {
        stage.upstream.release("gate").await;
    }
    let mut served = 0;
    for reply in all {
        match reply.await.expect("a task") {
            (200, _) => served += 1,
            (402, text) => assert!(text.contains("budget_exceeded"), "{text}"),
            (status, text) => panic!("{status}: {text}"),
        }
    }
    assert_eq!((served, refused.load(Relaxed), stage.upstream.records().len()), (700, 300, 700));
    stage.assert_adds_up().await;
}

#[tokio::test]
async fn a_limit_is_one_for_all_gateways() {
    let stage = Stage::set("    rate_limits: [{ name: rpm, per: user, requests: 6, window: 1h }]\n").await;
    let mut statuses = Vec::new();
    for n in 0..9 {
        statuses.push(stage.gateways[n % GATEWAYS].send(&ask(10)).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429, 429, 429]);
}

#[tokio::test]
async fn what_was_spent_survives_the_death_of_the_server_and_of_gateways() {
    let mut stage = Stage::set("    budgets: [{ name: b, per: user, limit: 100.00 INR, window: total }]\n").await;
    for round in 0..3 {
        for gateway in &stage.gateways {
            assert_eq!(gateway.send(&ask(10)).await.status, 200, "round {round}");
        }
        stage.redis.kill();
        let refused = stage.gateways[1].send(&ask(10)).await;
        assert_eq!((refused.status, refused.error_code()), (503, "store_unavailable".to_owned()), "money fails closed");
        assert_eq!(refused.header("retry-after"), "1");
        stage.redis.restart().await;
        stage.gateways[round % GATEWAYS].kill_and_restart().await;
        for gateway in &stage.gateways {
            // the breaker asks again within two seconds
            until("the store is asked again", SOON, async || {
                (gateway.send(&ask(10)).await.status == 200).then_some(())
            })
            .await;
        }
    }
    stage.assert_adds_up().await;
}

#[tokio::test]
async fn a_cost_is_charged_although_the_server_and_then_the_gateway_die_before_it_is_told() {
    let mut stage = Stage::set("    budgets: [{ name: b, per: user, limit: 100.00 INR, window: total }]\n").await;
    assert_eq!(stage.gateways[0].send(&ask(10)).await.status, 200);
    stage.assert_adds_up().await;
    let mut running = Vec::new();
    for n in 0..8 {
        let mut connection = stage.gateways[n % GATEWAYS].h1().await;
        let request = ask(10).header("x-test-first", "gate");
        running.push(tokio::spawn(async move { connection.send(&request).await.expect("a reply").status }));
    }
    let held = async || {
        let mut open = 0.0;
        for gateway in &stage.gateways {
            open += gateway.metric("raptorgate_holds_open").await;
        }
        (open >= 8.0).then_some(())
    };
    until("all are let in", SOON, held).await;
    stage.redis.kill();
    for _ in 0..8 {
        stage.upstream.release("gate").await;
    }
    for request in running {
        assert_eq!(request.await.expect("a task"), 200, "what was let in is served to its end");
    }
    for gateway in &mut stage.gateways {
        gateway.kill_and_restart().await;
    }
    stage.redis.restart().await;
    stage.assert_adds_up().await;
    assert_eq!(stage.upstream.records().len(), 9);
}

#[tokio::test]
async fn a_server_that_is_restored_from_an_older_state_is_told_what_it_lost() {
    let mut stage = Stage::set("    budgets: [{ name: b, per: user, limit: 100.00 INR, window: total }]\n").await;
    let some = async |stage: &Stage| {
        for n in 0..12 {
            assert_eq!(stage.gateways[n % GATEWAYS].send(&ask(10)).await.status, 200);
        }
        stage.assert_adds_up().await;
    };
    some(&stage).await;
    stage.redis.kill();
    let older = stage.redis.copy_data();
    stage.redis.restart().await;
    for gateway in &stage.gateways {
        until("the store is asked again", SOON, async || (gateway.send(&ask(10)).await.status == 200).then_some(()))
            .await;
    }
    some(&stage).await;
    stage.redis.kill();
    stage.redis.restore_data(&older);
    stage.redis.restart().await;
    // each gateway finds out with its next ending
    for gateway in &stage.gateways {
        until("the store is asked again", SOON, async || (gateway.send(&ask(10)).await.status == 200).then_some(()))
            .await;
    }
    stage.assert_adds_up().await;
}

#[tokio::test]
async fn a_server_that_may_lose_money_is_refused_if_the_file_says_so() {
    let redis = Redis::start().await;
    let control = async |command: &str| {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let address = redis.url().trim_start_matches("redis://").to_owned();
        let mut connection = tokio::net::TcpStream::connect(address).await.expect("connect");
        connection.write_all(command.as_bytes()).await.expect("write");
        let mut answer = [0; 5];
        connection.read_exact(&mut answer).await.expect("read");
        assert_eq!(&answer, b"+OK\r\n");
    };
    control("CONFIG SET appendonly no\r\n").await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("raptorgate.yaml");
    let yaml = format!(
        "{}store: {{ redis: {{ urls: [\"{}\"], response_timeout: 5s, strict: true }} }}
upstreams: {{ a: {{ endpoints: [{{ address: 127.0.0.1:1 }}] }} }}
routes: [{{ name: r, match: {{ path: /* }}, upstream: a }}]\n",
        listeners(),
        redis.url()
    );
    std::fs::write(&file, yaml).expect("write the configuration");
    let output = raptorgate_tests::gateway::command_line(&["run", "-c", file.to_str().expect("a path")]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("store.redis.strict") && told.contains("appendonly yes"), "{told}");
}
