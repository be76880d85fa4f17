//! What users are metered is what the backend's own log says it served, however a request ends.

use raptorgate_tests::accounts::{self, Account};
use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::Request;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::reply::Ending;
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;

/// Users, each with a key of the same name.
const USERS: [&str; 5] = ["whole", "leaver", "broken", "refused", "aborter"];

struct Stage {
    upstream: Upstream,
    gateway: Gateway,
}

impl Stage {
    async fn set() -> Self {
        let upstream = Upstream::start();
        let keys: Vec<_> = USERS
            .map(|u| format!("{{ id: {u}, sha256: '{}', tenant: acme, user: {u} }}", sha256_hex(u.as_bytes())))
            .into();
        let yaml = format!(
            "{}tenants: {{ acme: {{ timezone: Asia/Kolkata, currency: INR }} }}
prices: {{ gpt-4o-mini: {{ input: 10.00 INR, output: 100.00 INR }} }}
upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}], retries: 0 }} }}
defaults:
  authenticate: {{ api_keys: [{}] }}
  meter: {{ format: openai }}
routes:
  - {{ name: chat, match: {{ path: /v1/chat/completions }}, upstream: agents }}
  - {{ name: masked, match: {{ path: /masked/chat/completions }}, upstream: agents, mask_pii: {{ response: {{ email: replace, phone: block }} }} }}
  - {{ name: aborting, match: {{ path: /aborting/chat/completions }}, upstream: agents, on_disconnect: abort }}
",
            listeners(),
            upstream.address(),
            keys.join(", ")
        );
        let gateway = Gateway::start(&yaml).await;
        Self { upstream, gateway }
    }

    /// Totals of what the upstream wrote down for this user: requests, input and output tokens.
    fn served(&self, user: &str) -> (u64, u64) {
        let records = self.upstream.records();
        let own = records.iter().filter(|r| r["headers"]["x-raptorgate-user"] == user);
        own.fold((0, 0), |(n, tokens), r| (n + 1, tokens + r["tokens"].as_u64().expect("tokens")))
    }

    /// The user's account once it holds so many requests.
    async fn account(&self, user: &str, requests: u64) -> Account {
        let what = format!("{user} is metered for {requests} requests");
        until(&what, SOON, async || accounts::of(&self.gateway, "acme", user).await.filter(|a| a.requests >= requests))
            .await
    }

    /// What must be true at the end: as many requests and tokens as the upstream says, at the price of the file.
    async fn assert_agrees(&self, user: &str, requests: u64) {
        until("the upstream's log is complete", SOON, async || (self.served(user).0 == requests).then_some(())).await;
        let account = self.account(user, requests).await;
        let (_, tokens) = self.served(user);
        assert_eq!(
            (account.requests, account.input_tokens + account.output_tokens),
            (requests, tokens),
            "{user}: {account:?}"
        );
        let nanos = account.input_tokens * 10_000 + account.output_tokens * 100_000;
        assert_eq!(account.cost, format!("{}.{:09} INR", nanos / 1_000_000_000, nanos % 1_000_000_000), "{user}");
    }
}

fn ask(user: &str, route: &str, stream: bool, text: &str) -> Request {
    let body = format!(
        "{{\"model\":\"gpt-4o-mini\",\"stream\":{stream},\"messages\":[{{\"role\":\"user\",\"content\":\"one two three\"}}]}}"
    );
    Request::post(route, body).header("authorization", format!("Bearer {user}")).header("x-test-text", text)
}

const TEXT: &str = "a reply of many words to mail@example.in and so on and on until the end of it";

#[tokio::test]
async fn whole_replies_are_metered_exactly() {
    let stage = Stage::set().await;
    let mut requests = 0;
    for route in ["/v1/chat/completions", "/masked/chat/completions"] {
        for stream in [false, true] {
            for cut in [1, 7, 64, 100_000] {
                let request = ask("whole", &format!("{route}?cut={cut}"), stream, TEXT);
                for reply in
                    [stage.gateway.send(&request).await, stage.gateway.h2().await.send(&request).await.expect("h2")]
                {
                    assert_eq!((reply.status, reply.ending), (200, Ending::Whole));
                    requests += 1;
                }
            }
        }
    }
    stage.assert_agrees("whole", requests).await;
}

#[tokio::test]
async fn clients_that_leave_pay_for_what_the_backend_goes_on_to_serve() {
    let stage = Stage::set().await;
    let mut requests = 0;
    for route in ["/v1/chat/completions", "/masked/chat/completions"] {
        for n in 0..4 {
            let name = format!("leaver-{n}-{}", route.len());
            let request = ask("leaver", &format!("{route}?await={name}"), true, TEXT).header("x-test-id", &name);
            let mut h1 = stage.gateway.h1().await;
            let mut incoming = h1.start(&request).await.expect("a head");
            stage.upstream.release(&name).await;
            // A masking route may hold the first word back; the head alone is enough to leave after.
            if route.starts_with("/v1") {
                assert!(incoming.read_until("\"a \"").await);
            }
            drop(h1);
            for _ in TEXT.split(' ') {
                stage.upstream.release(&name).await;
            }
            assert_eq!(
                stage.upstream.record(&name).await["end"],
                "whole",
                "the gateway reads on after the client has left"
            );
            requests += 1;
        }
    }
    // Not streamed: the client leaves while the upstream thinks.
    for n in 0..4 {
        let name = format!("leaver-whole-{n}");
        let request =
            ask("leaver", "/v1/chat/completions", false, TEXT).header("x-test-id", &name).header("x-test-first", &name);
        let mut h1 = stage.gateway.h1().await;
        h1.write_head(&request).await;
        let raptorgate_tests::h1::Body::Length(body) = &request.body else { unreachable!("a body with its length") };
        h1.write(body).await.expect("the body");
        until("the upstream has the request", SOON, async || {
            (stage.upstream.arrived(&name).await == body.len() as u64).then_some(())
        })
        .await;
        drop(h1);
        stage.upstream.release(&name).await;
        assert_eq!(stage.upstream.record(&name).await["end"], "whole");
        requests += 1;
    }
    stage.assert_agrees("leaver", requests).await;
}

#[tokio::test]
async fn streams_that_the_upstream_breaks_are_metered_as_far_as_they_came() {
    let stage = Stage::set().await;
    let mut requests = 0;
    for route in ["/v1/chat/completions", "/masked/chat/completions"] {
        for words in [0, 1, 5, 12] {
            let request = ask("broken", &format!("{route}?usage=continuous&break_after={words}"), true, TEXT);
            let reply = stage.gateway.send(&request).await;
            assert!(!reply.text().contains("[DONE]"));
            requests += 1;
        }
    }
    stage.assert_agrees("broken", requests).await;
}

#[tokio::test]
async fn an_upstream_without_usage_is_metered_by_counting_what_passed() {
    let stage = Stage::set().await;
    for words in [1, 5, 12] {
        stage.gateway.send(&ask("broken", &format!("/v1/chat/completions?break_after={words}"), true, TEXT)).await;
    }
    let account = stage.account("broken", 3).await;
    assert_eq!(account.output_tokens, 18, "a piece of a stream is a token: {account:?}");
    assert!(account.input_tokens > 0, "a prompt costs something although nobody counted it: {account:?}");
}

#[tokio::test]
async fn withheld_replies_cost_what_the_backend_served_and_refused_requests_nothing() {
    let stage = Stage::set().await;
    let withheld =
        stage.gateway.send(&ask("refused", "/masked/chat/completions", false, "call +91 98765 43210 now")).await;
    assert_eq!(withheld.error_code(), "reply_pii_blocked");
    stage.assert_agrees("refused", 1).await;
    let refused = stage.gateway.send(&ask("refused", "/nowhere", false, TEXT)).await;
    let not_json = stage
        .gateway
        .send(&Request::post("/masked/chat/completions", "{").header("authorization", "Bearer refused"))
        .await;
    assert_eq!((refused.status, not_json.status), (404, 400));
    let after = accounts::of(&stage.gateway, "acme", "refused").await.expect("an account");
    assert_eq!(stage.served("refused").0, 1);
    let (_, tokens) = stage.served("refused");
    assert_eq!(after.input_tokens + after.output_tokens, tokens, "a request that nobody served cost something");
}

#[tokio::test]
async fn aborting_routes_stop_the_backend_and_meter_what_it_served() {
    let stage = Stage::set().await;
    for n in 0..4 {
        let name = format!("aborter-{n}");
        let request = ask("aborter", &format!("/aborting/chat/completions?usage=continuous&await={name}"), true, TEXT)
            .header("x-test-id", &name);
        let mut client = stage.gateway.h1().await;
        let mut incoming = client.start(&request).await.expect("a head");
        for word in ["a ", "reply ", "of "] {
            stage.upstream.release(&name).await;
            assert!(incoming.read_until(&format!("\"{word}\"")).await, "{word}");
        }
        drop(client);
        let record = stage.upstream.record(&name).await;
        assert_eq!(
            (record["end"].as_str(), record["tokens"].as_u64()),
            (Some("peer_left"), Some(6)),
            "3 words asked, 3 served"
        );
    }
    stage.assert_agrees("aborter", 4).await;
}

#[tokio::test]
async fn metrics_and_accounts_tell_the_same_tokens() {
    let stage = Stage::set().await;
    for stream in [false, true] {
        stage.gateway.send(&ask("whole", "/v1/chat/completions", stream, TEXT)).await;
    }
    let account = stage.account("whole", 2).await;
    let metered = stage.gateway.metric("raptorgate_tokens_total").await;
    assert_eq!(metered, (account.input_tokens + account.output_tokens) as f64);
}
