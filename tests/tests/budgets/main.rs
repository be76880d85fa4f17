//! Budgets and rate limits, judged by the backend's own log: what it served is what was let in, and what it cost is what was
//! charged, to the last nano-unit and over kills.

mod streams;

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::Request;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::reply::{Ending, Reply};
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// A thousand connections take their time on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(60);

struct Stage {
    upstream: Upstream,
    gateway: Gateway,
}

impl Stage {
    /// A gateway whose route has these blocks; one rupee buys 100,000 words of a prompt or 10,000 of an answer.
    async fn set(blocks: &str) -> Self {
        Self::with("", blocks).await
    }

    /// The same with blocks for the whole file.
    async fn with(whole: &str, blocks: &str) -> Self {
        let upstream = Upstream::start();
        let meter = if blocks.contains("    meter:") { "" } else { "    meter: {}\n" };
        let keys: Vec<String> = ["asha", "ravi"]
            .iter()
            .map(|u| format!("{{ id: {u}-key, sha256: '{}', tenant: acme, user: {u} }}", sha256_hex(u.as_bytes())))
            .collect();
        let yaml = format!(
            "{}{whole}tenants: {{ acme: {{ timezone: Asia/Kolkata }} }}
prices: {{ gpt-4o-mini: {{ input: 10.00 INR, output: 100.00 INR }} }}
upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}], retries: 0 }} }}
routes:
  - name: chat
    match: {{ path: /v1/chat/completions }}
    upstream: agents
    authenticate: {{ api_keys: [{}] }}
{meter}{blocks}",
            listeners(),
            upstream.address(),
            keys.join(", ")
        );
        let gateway = Gateway::start(&yaml).await;
        Self { upstream, gateway }
    }

    /// The account of a budget in its one window.
    async fn account(&self, base: &str) -> Value {
        let page = self.gateway.admin(Request::get("/api/v1/ledger/acme/accounts")).await.json();
        let found = page["accounts"]
            .as_array()
            .expect("accounts")
            .iter()
            .find(|a| a["account"].as_str().is_some_and(|name| name.starts_with(&format!("{base}@"))));
        found.cloned().unwrap_or_else(|| panic!("no account {base} in {page}"))
    }

    /// What the backend says it served, priced with nothing but the price list. Every prompt has three words.
    fn served_nanos(&self) -> i64 {
        let tokens = |r: &Value| r["tokens"].as_i64().expect("tokens");
        self.upstream.records().iter().map(|r| 3 * 10_000 + (tokens(r) - 3) * 100_000).sum()
    }
}

fn ask(user: &str, max_tokens: u32, text: &str) -> Request {
    let body = json!({
        "model": "gpt-4o-mini", "max_tokens": max_tokens, "messages": [{"role": "user", "content": "one two three"}]
    });
    Request::post("/v1/chat/completions", body.to_string())
        .header("authorization", format!("Bearer {user}"))
        .header("x-test-text", text)
}

fn rupees(nanos: i64) -> String {
    format!("{}.{:09} INR", nanos / 1_000_000_000, nanos % 1_000_000_000)
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, reply.error_code())
}

/// What a request may cost at most: every byte of its body as a token, and all of `max_tokens`.
fn hold_nanos(request: &Request, max_tokens: i64) -> i64 {
    i64::try_from(request.body_len()).expect("a length") * 10_000 + max_tokens * 100_000
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_at_once_with_room_for_seven_hundred() {
    // every request holds the same, and costs exactly what it holds only if nothing is given back: so none may end
    let request = ask("asha", 1000, "one").header("x-test-first", "gate");
    let room = hold_nanos(&request, 1000) * 700;
    let stage = Stage::set(&format!(
        "    budgets: [{{ name: month, per: user, limit: {}, window: month }}]\n",
        rupees(room + 1)
    ))
    .await;
    let (refused, address) = (Arc::new(AtomicUsize::new(0)), stage.gateway.address());
    let mut all = Vec::new();
    for _ in 0..1000 {
        let (request, refused) = (request.clone(), refused.clone());
        all.push(tokio::spawn(async move {
            let reply = raptorgate_tests::h1::H1::connect(address).await.send(&request).await.expect("a reply");
            if reply.status == 402 {
                refused.fetch_add(1, Relaxed);
            }
            (reply.status, reply.text().to_owned())
        }));
    }
    until("three hundred are refused", PATIENCE, async || (refused.load(Relaxed) >= 300).then_some(())).await;
    let account = stage.account("month:INR:user:asha").await;
    assert_eq!(account["held"], rupees(room), "{account}");
    for _ in 0..700 {
        stage.upstream.release("gate").await;
    }
    let mut served = 0;
    for reply in all {
        let (status, text) = reply.await.expect("a task");
        match status {
            200 => served += 1,
            402 => assert!(text.contains("budget_exceeded") && text.contains("`month`"), "{text}"),
            other => panic!("{other}: {text}"),
        }
    }
    assert_eq!((served, refused.load(Relaxed)), (700, 300));
    assert_eq!(stage.upstream.records().len(), 700, "the backend was asked for what was let in, and no more");
    let account = stage.account("month:INR:user:asha").await;
    assert_eq!((&account["held"], &account["spent"]), (&json!(rupees(0)), &json!(rupees(stage.served_nanos()))));
}

#[tokio::test]
async fn what_is_charged_is_what_the_backend_served_over_kills() {
    let mut stage = Stage::set(
        "    budgets:
      - { name: user-day, per: user, limit: 100.00 INR, window: day }
      - { name: tenant-total, per: tenant, limit: 1000.00 INR, window: total, enforce: soft }
      - { name: chat-hour, per: route, limit: 100.00 INR, window: hour }
",
    )
    .await;
    for round in 0..4 {
        for (user, words) in [("asha", "a b c"), ("ravi", "a b c d e f"), ("asha", "x")] {
            let reply = stage.gateway.send(&ask(user, 100, words)).await;
            assert_eq!((reply.status, reply.ending), (200, Ending::Whole), "round {round}: {}", reply.text());
        }
        stage.gateway.kill_and_restart().await;
    }
    let spent = |account: Value| account["spent"].as_str().expect("an amount").to_owned();
    assert_eq!(spent(stage.account("tenant-total:INR:tenant").await), rupees(stage.served_nanos()));
    let of = |words: i64| 3 * 10_000 + words * 100_000;
    assert_eq!(spent(stage.account("user-day:INR:user:asha").await), rupees(4 * (of(3) + of(1))));
    assert_eq!(spent(stage.account("user-day:INR:user:ravi").await), rupees(4 * of(6)));
    let account = stage.account("tenant-total:INR:tenant").await;
    assert_eq!(account["held"], rupees(0), "nothing is held for requests that ended");
}

#[tokio::test]
async fn what_a_shutdown_cuts_is_charged_what_passed() {
    let mut stage = Stage::with(
        "shutdown: { drain: 0s }\n",
        "    budgets: [{ name: b, per: user, limit: 10.00 INR, window: total }]\n",
    )
    .await;
    let body = json!({
        "model": "gpt-4o-mini", "max_tokens": 50, "stream": true,
        "messages": [{"role": "user", "content": "one two three"}]
    });
    let request = Request::post("/v1/chat/completions?await=word&usage=continuous", body.to_string())
        .header("authorization", "Bearer asha")
        .header("x-test-text", "a b c d e f");
    let mut h1 = stage.gateway.h1().await;
    let mut incoming = h1.start(&request).await.expect("a head");
    for word in ["a ", "b ", "c "] {
        stage.upstream.release("word").await;
        assert!(incoming.read_until(&format!("\"{word}\"")).await, "{word}");
    }
    stage.gateway.signal("TERM");
    assert!(stage.gateway.exit().await.success());
    stage.gateway.restart().await;
    let account = stage.account("b:INR:user:asha").await;
    assert_eq!((&account["held"], &account["spent"]), (&json!(rupees(0)), &json!(rupees(3 * 10_000 + 3 * 100_000))));
}

#[tokio::test]
async fn what_was_sent_before_a_kill_is_charged_for_its_prompt() {
    let mut stage = Stage::set("    budgets: [{ name: b, per: user, limit: 10.00 INR, window: total }]\n").await;
    assert_eq!(stage.gateway.send(&ask("asha", 10, "x")).await.status, 200);
    let before = stage.served_nanos();
    let mut connection = stage.gateway.h1().await;
    let request = ask("asha", 10, "x").header("x-test-first", "gate").header("x-test-id", "cut");
    let sending = tokio::spawn(async move { connection.send(&request).await.is_err() });
    until("it is at the backend", SOON, async || (stage.upstream.arrived("cut").await > 0).then_some(())).await;
    for _ in 0..2 {
        stage.gateway.kill_and_restart().await;
        let account = stage.account("b:INR:user:asha").await;
        // 13 characters of prompt are 4 tokens where nobody counts
        let spent = rupees(before + 4 * 10_000);
        assert_eq!((&account["held"], &account["spent"]), (&json!(rupees(0)), &json!(spent)));
    }
    assert!(sending.await.expect("a task"), "its client was cut off");
    let entries = stage.gateway.admin(Request::get("/api/v1/ledger/acme/entries?limit=1000")).await.json();
    let last = entries["entries"].as_array().expect("entries").last().expect("a line")["line"].clone();
    assert!(last.as_str().expect("a line").contains("\"flags\":[\"estimated\"]"), "{last}");
}

#[tokio::test]
async fn a_request_that_nobody_served_costs_nothing() {
    let stage = Stage::set("    budgets: [{ name: b, per: user, limit: 1.00 INR, window: total }]\n").await;
    fail_twice(&stage).await;
    let account = stage.account("b:INR:user:asha").await;
    assert_eq!((&account["held"], &account["spent"]), (&json!(rupees(0)), &json!(rupees(0))));
}

async fn fail_twice(stage: &Stage) {
    for failing in ["500", "429"] {
        let request = ask("asha", 10, "x").header("x-test-reply", "status").header("x-test-status", failing);
        assert_eq!(stage.gateway.send(&request).await.status.to_string(), failing);
    }
}

#[tokio::test]
async fn a_request_that_nobody_served_costs_nothing_after_a_kill_either() {
    let mut stage = Stage::set("    budgets: [{ name: b, per: user, limit: 1.00 INR, window: total }]\n").await;
    for _ in 0..2 {
        fail_twice(&stage).await;
        stage.gateway.kill_and_restart().await;
        let account = stage.account("b:INR:user:asha").await;
        assert_eq!((&account["held"], &account["spent"]), (&json!(rupees(0)), &json!(rupees(0))));
    }
}

#[tokio::test]
async fn a_refusal_says_what_is_left_and_takes_nothing() {
    let request = ask("asha", 1000, "one two");
    let hold = hold_nanos(&request, 1000);
    let stage = Stage::set(&format!(
        "    budgets: [{{ name: day, per: user, limit: {}, window: day }}]
    rate_limits: [{{ name: rpm, per: user, requests: 100, window: 1m }}]\n",
        rupees(hold + 100)
    ))
    .await;
    assert_eq!(stage.gateway.send(&request).await.status, 200);
    let cost = stage.served_nanos();
    for _ in 0..3 {
        let refused = stage.gateway.send(&request).await;
        assert_eq!(code(&refused), (402, "budget_exceeded".to_owned()));
        let left = rupees(hold + 100 - cost);
        assert!(refused.text().contains(&left), "{} is left: {}", left, refused.text());
    }
    let smaller = ask("asha", 10, "one two");
    let reply = stage.gateway.send(&smaller).await;
    assert_eq!(reply.status, 200, "a shorter answer still fits: {}", reply.text());
    assert_eq!(reply.header("x-ratelimit-remaining-requests"), "98", "what was refused counts for no limit");
    assert_eq!(stage.gateway.send(&ask("ravi", 1000, "x")).await.status, 200, "ravi has money of his own");
}

#[tokio::test]
async fn limits_refuse_and_tell_how_far_they_are_used_up() {
    let stage = Stage::set(
        "    rate_limits:
      - { name: rpm, per: key, requests: 3, window: 1h }
      - { name: tpm, per: user, tokens: 100000, window: 1h }
",
    )
    .await;
    for left in ["2", "1", "0"] {
        let reply = stage.gateway.send(&ask("asha", 1000, "one two three four")).await;
        assert_eq!((reply.status, reply.header("x-ratelimit-remaining-requests")), (200, left));
        assert_eq!(reply.header("x-ratelimit-limit-requests"), "3");
        assert!(reply.header("ratelimit-policy").starts_with("\"rpm\";q=3;w=3600, \"tpm\";q=100000;w=3600"));
        assert!(reply.header("ratelimit").starts_with(&format!("\"rpm\";r={left};t=")));
    }
    let refused = stage.gateway.send(&ask("asha", 1000, "x")).await;
    assert_eq!(code(&refused), (429, "rate_limited".to_owned()));
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1100..=1200).contains(&wait), "a third of an hour: {wait}");
    // three requests of 1004 tokens came; each was given back what it did not use
    let reply = stage.gateway.send(&ask("ravi", 1000, "x")).await;
    assert_eq!(reply.status, 200, "another key has a limit of its own");
    let too_large = stage.gateway.send(&ask("ravi", 200_000, "x")).await;
    assert_eq!(code(&too_large), (400, "exceeds_rate_limit".to_owned()));
    assert!(too_large.text().contains("`tpm`"));
}

#[tokio::test]
async fn as_many_run_at_once_as_may() {
    let stage = Stage::set("    rate_limits: [{ name: parallel, per: user, concurrent: 2 }]\n").await;
    let mut running = Vec::new();
    for n in 0..2 {
        let mut connection = stage.gateway.h1().await;
        let request = ask("asha", 10, "x").header("x-test-first", "gate").header("x-test-id", format!("r{n}"));
        running.push(tokio::spawn(async move { connection.send(&request).await.expect("a reply").status }));
    }
    let open = || async { (stage.gateway.metric("raptorgate_holds_open").await >= 2.0).then_some(()) };
    until("both run", SOON, open).await;
    let refused = stage.gateway.send(&ask("asha", 10, "x")).await;
    assert_eq!(code(&refused), (429, "too_many_at_once".to_owned()));
    assert_eq!(stage.gateway.send(&ask("ravi", 10, "x")).await.status, 200);
    for _ in 0..2 {
        stage.upstream.release("gate").await;
    }
    for request in running {
        assert_eq!(request.await.expect("a task"), 200);
    }
    assert_eq!(stage.gateway.send(&ask("asha", 10, "x")).await.status, 200, "a place is free again");
}

#[tokio::test]
async fn an_answer_is_given_a_maximum_where_money_is_held() {
    let stage = Stage::set("    budgets: [{ name: b, per: user, limit: 10.00 INR, window: total }]\n").await;
    let body = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "one two three"}]}).to_string();
    let request = Request::post("/v1/chat/completions", body).header("authorization", "Bearer asha");
    assert_eq!(stage.gateway.send(&request).await.status, 200);
    let sent: Value =
        serde_json::from_str(stage.upstream.records()[0]["text"].as_str().expect("a body")).expect("JSON");
    assert_eq!(sent["max_completion_tokens"], 4096);
}

#[tokio::test]
async fn an_operator_changes_limits_and_tops_up_while_requests_come() {
    let request = ask("asha", 1000, "one");
    let hold = hold_nanos(&request, 1000);
    let stage =
        Stage::set(&format!("    budgets: [{{ name: b, per: user, limit: {}, window: total }}]\n", rupees(hold - 1)))
            .await;
    let post = |path: &str, body: Value| {
        Request::post(format!("/api/v1/ledger/acme/{path}"), body.to_string())
            .header("content-type", "application/json")
    };
    assert_eq!(stage.gateway.send(&request).await.status, 402);
    let top_up =
        json!({"id": "t-1", "account": "b:INR:user:asha@total", "kind": "top_up", "amount": "0.000000001 INR"});
    for changed in [true, false] {
        let reply = stage.gateway.admin(post("credits", top_up.clone())).await;
        assert_eq!((reply.status, reply.json()), (200, json!({"changed": changed})));
    }
    assert_eq!(stage.gateway.send(&request).await.status, 200);
    assert_eq!(stage.gateway.send(&request).await.status, 402, "what was spent is gone");
    let raise = json!({"account": "b:INR:user:asha", "limit": "50.00 INR"});
    assert_eq!(stage.gateway.admin(post("limits", raise)).await.status, 200);
    assert_eq!(stage.gateway.send(&request).await.status, 200);
    let back = json!({"account": "b:INR:user:asha", "limit": "configured"});
    assert_eq!(stage.gateway.admin(post("limits", back)).await.status, 200);
    assert_eq!(stage.gateway.send(&request).await.status, 402);
    for bad in [
        json!({"account": "b:INR:user:asha", "limit": "1.00 USD"}),
        json!({"account": "b:INR:user:asha", "limit": "-1.00 INR"}),
        json!({"account": "b INR", "limit": "1.00 INR"}),
        json!({"account": "b:INR:user:asha"}),
    ] {
        assert_eq!(stage.gateway.admin(post("limits", bad.clone())).await.status, 422, "{bad}");
    }
    let entries = stage.gateway.admin(Request::get("/api/v1/ledger/acme/entries?limit=1000")).await.json();
    let ops: Vec<String> = entries["entries"].as_array().expect("entries").iter().map(op).collect();
    assert_eq!(ops, ["top_up", "hold", "settle", "limit", "hold", "settle", "limit"]);
}

fn op(entry: &Value) -> String {
    let line: Value = serde_json::from_str(entry["line"].as_str().expect("a line")).expect("JSON");
    line["op"].as_str().expect("an operation").to_owned()
}

#[tokio::test]
async fn ledger_pages_are_bounded() {
    let stage = Stage::set("    budgets: [{ name: b, per: execution, limit: 1.00 INR, window: total }]\n    execution: { id: 'header:x-run' }\n").await;
    for n in 0..5 {
        let reply = stage.gateway.send(&ask("asha", 10, "x").header("x-run", format!("run-{n}"))).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page =
            stage.gateway.admin(Request::get(format!("/api/v1/ledger/acme/accounts?limit=2{cursor}"))).await.json();
        let accounts = page["accounts"].as_array().expect("accounts").clone();
        assert!(accounts.len() <= 2);
        seen.extend(accounts.iter().map(|a| a["account"].as_str().expect("a name").to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let expected: Vec<String> = (0..5).map(|n| format!("b:INR:execution:asha:run-{n}@total")).collect();
    assert_eq!(seen, expected);
    assert_eq!(stage.gateway.admin(Request::get("/api/v1/ledger/acme/accounts?limt=2")).await.status, 400);
}

#[tokio::test]
async fn accounts_of_past_windows_go_and_the_ledger_says_what_they_came_to() {
    let mut stage = Stage::set("    budgets: [{ name: b, per: user, limit: 10.00 INR, window: total }]\n").await;
    assert_eq!(stage.gateway.send(&ask("asha", 10, "x")).await.status, 200);
    let old = json!({"id": "t", "account": "b:INR:user:asha@2020-01", "kind": "top_up", "amount": "2.00 INR"});
    let credit = Request::post("/api/v1/ledger/acme/credits", old.to_string());
    assert_eq!(stage.gateway.admin(credit.header("content-type", "application/json")).await.status, 200);
    let names = async |stage: &Stage| {
        let page = stage.gateway.admin(Request::get("/api/v1/ledger/acme/accounts")).await.json();
        let accounts = page["accounts"].as_array().expect("accounts").iter();
        accounts.map(|account| account["account"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    // they are gone through when a gateway starts, and then every hour
    stage.gateway.kill_and_restart().await;
    let gone = async || (names(&stage).await == ["b:INR:user:asha@total"]).then_some(());
    until("the old one is dropped", SOON, gone).await;
    let entries = stage.gateway.admin(Request::get("/api/v1/ledger/acme/entries?limit=1000")).await.json();
    let last = entries["entries"].as_array().expect("entries").last().expect("a line")["line"].clone();
    let told = "\"op\":\"drop\",\"id\":\"past\",\"at\":[[\"b:INR:user:asha@2020-01\",\"topped\",\"-2000000000\"]]";
    assert!(last.as_str().expect("a line").contains(told), "{last}");
}

/// What a command of the command line prints, asked of this gateway.
fn ask_by_command(gateway: &Gateway, arguments: &[&str]) -> (Option<i32>, String) {
    let output = std::process::Command::new(raptorgate_tests::gateway::binary())
        .args(arguments)
        .args(["--tenant", "acme", "--admin", &format!("http://{}", gateway.admin)])
        .env("RAPTORGATE_ADMIN_TOKEN", raptorgate_tests::gateway::ADMIN_TOKEN)
        .output()
        .expect("run raptorgate");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_shows_and_changes_money() {
    let stage = Stage::set("    budgets: [{ name: b, per: user, limit: 10.00 INR, window: total }]\n").await;
    assert_eq!(stage.gateway.send(&ask("asha", 10, "x y")).await.status, 200);
    let command = |arguments: &[&str]| ask_by_command(&stage.gateway, arguments);
    let listed = command(&["accounts", "list"]);
    let expected = "b:INR:user:asha@total\n  spent 0.000230000 INR, held 0.000000000 INR, left 9.999770000 INR of 10.000000000 INR\n";
    assert_eq!(listed, (Some(0), expected.to_owned()));
    assert_eq!(command(&["accounts", "show", "b:INR:user:asha@total"]), listed);
    assert_eq!(command(&["accounts", "show", "b:INR:user:nobody@total"]).0, Some(1));
    assert_eq!(command(&["accounts", "limit", "b:INR:user:asha", "0.001 INR"]), (Some(0), "changed\n".to_owned()));
    assert_eq!(stage.gateway.send(&ask("asha", 10, "x y")).await.status, 402);
    let top_up = ["accounts", "top-up", "b:INR:user:asha@total", "5.00 INR", "--id", "t1"];
    assert_eq!(command(&top_up).1, "changed\n");
    assert!(command(&top_up).1.starts_with("nothing changed"));
    assert_eq!(stage.gateway.send(&ask("asha", 10, "x y")).await.status, 200);
    let (code, verified) = command(&["ledger", "verify"]);
    assert_eq!(code, Some(0), "{verified}");
    assert!(verified.starts_with("acme: ok, 6 lines up to 6, hash "), "{verified}");
    let exported = command(&["ledger", "export"]).1;
    assert_eq!(exported.lines().count(), 6);
    let first: Value = serde_json::from_str(exported.lines().next().expect("a line")).expect("JSON");
    assert!(first["line"].as_str().expect("a line").starts_with("{\"v\":1,"));
}
