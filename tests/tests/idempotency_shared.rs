//! `Idempotency-Key` over two gateways with one Redis, judged by the backend's own log.

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::redis::Redis;
use raptorgate_tests::reply::{Ending, Reply};
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Thousands of requests take their time on a machine that does other things.
const PATIENCE: Duration = Duration::from_secs(120);

/// Calls of one run, unless `CALLS` says otherwise, and how many of them run at once.
const CALLS: usize = 10_000;
const AT_ONCE: usize = 48;

/// What the replies say, and nothing but what the requests of these tests say.
const SAID: &str = "what-the-model-said";

struct Stage {
    upstream: Upstream,
    redis: Redis,
    gateways: Vec<Gateway>,
}

impl Stage {
    async fn set() -> Self {
        Self::with("keep: 1h, wait_max: 2m", "").await
    }

    /// With these rules, and more keys of the first gateway's upstream.
    async fn with(rules: &str, first: &str) -> Self {
        let (upstream, redis) = (Upstream::start(), Redis::start().await);
        let mut gateways = Vec::new();
        for more in [first, ""] {
            gateways.push(Gateway::start(&configuration(&redis, &upstream, rules, more)).await);
        }
        Self { upstream, redis, gateways }
    }

    async fn held_and_spent(&self) -> [String; 2] {
        let page = self.gateways[1].admin(Request::get("/api/v1/ledger/acme/accounts")).await.json();
        ["held", "spent"].map(|field| page["accounts"][0][field].as_str().expect("an amount").to_owned())
    }

    /// How often the ledger says that something was charged.
    async fn charges(&self) -> usize {
        let (mut charges, mut after) = (0, 0);
        loop {
            let path = format!("/api/v1/ledger/acme/entries?limit=1000&after={after}");
            let page = self.gateways[1].admin(Request::get(path)).await.json();
            let entries = page["entries"].as_array().expect("entries");
            let Some(last) = entries.last() else { return charges };
            after = last["version"].as_u64().expect("a version");
            let lines = entries.iter().filter_map(|entry| entry["line"].as_str());
            charges += lines.filter(|line| line.contains("\"op\":\"settle\"")).count();
        }
    }

    /// Waits until the ledger has heard of every end: nothing is held, and what was spent is what was served, and so much more.
    async fn adds_up(&self, more_nanos: i64) {
        let due = [rupees(0), rupees(self.served_nanos() + more_nanos)];
        until(&format!("{due:?} is held and spent"), PATIENCE, async || {
            (self.held_and_spent().await == due).then_some(())
        })
        .await;
    }

    /// So many calls have reached the backend, and no more.
    async fn calls(&self, count: usize) {
        until(&format!("{count} calls"), SOON, async || (self.upstream.records().len() >= count).then_some(())).await;
        assert_eq!(self.upstream.records().len(), count, "upstream calls");
    }

    /// What the backend says it served, priced with nothing but the price list. Every prompt has three words.
    fn served_nanos(&self) -> i64 {
        let records = self.upstream.records();
        let tokens = records.iter().map(|r| r["tokens"].as_i64().expect("tokens")).filter(|tokens| *tokens > 0);
        tokens.map(|tokens| 3 * 10_000 + (tokens - 3) * 100_000).sum()
    }
}

fn configuration(redis: &Redis, upstream: &Upstream, rules: &str, upstream_keys: &str) -> String {
    // a machine that does other things answers late
    format!(
        "{}store:
  redis: {{ urls: [\"{}\"], response_timeout: 5s, connect_timeout: 5s, strict: true }}
  reply_key: a-secret-of-the-tests-that-is-long-enough
access_log: {{ output: off }}
tenants: {{ acme: {{}} }}
prices: {{ gpt-4o-mini: {{ input: 10.00 INR, output: 100.00 INR }} }}
upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}], retries: 0{upstream_keys} }} }}
routes:
  - name: chat
    match: {{ path: /v1/chat/completions }}
    upstream: agents
    authenticate: {{ api_keys: [{{ id: k, sha256: '{}', tenant: acme, user: asha }}] }}
    meter: {{}}
    idempotency: {{ {rules} }}
    budgets: [{{ name: b, per: user, limit: 100000.00 INR, window: total }}]
",
        listeners(),
        redis.url(),
        upstream.address(),
        sha256_hex(b"asha"),
    )
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

fn rupees(nanos: i64) -> String {
    format!("{}.{:09} INR", nanos / 1_000_000_000, nanos % 1_000_000_000)
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
    stage.adds_up(0).await;
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

/// When one sending of a call leaves.
#[derive(Clone, Copy)]
enum Moment {
    /// With the first: either may be the first.
    Together,
    /// So many milliseconds later, while the first may run.
    During(u64),
    /// When one has its reply.
    After,
}

/// Connections of one client, kept: one to each gateway for each sending of a call, made when it is first used.
struct Client {
    addresses: [SocketAddr; 2],
    connections: [[Option<H1>; 2]; 5],
    random: fastrand::Rng,
}

impl Client {
    fn new(addresses: [SocketAddr; 2], seed: u64) -> Self {
        Self { addresses, connections: Default::default(), random: fastrand::Rng::with_seed(seed) }
    }

    /// Sends a call one to five times; all its replies.
    async fn call(&mut self, number: usize) -> Vec<Reply> {
        let request = ask(&format!("call-{number}"), number.is_multiple_of(3));
        let request = request.header("x-test-text", "four words of answer").header("x-test-word-ms", "1");
        let (replied, reply_of_one) = watch::channel(false);
        let times = self.random.usize(1..=5);
        let sendings = self.connections.iter_mut().take(times).enumerate().map(|(sending, connections)| {
            let moment = match self.random.u8(..3) {
                _ if sending == 0 => Moment::Together,
                0 => Moment::Together,
                1 => Moment::During(self.random.u64(1..12)),
                _ => Moment::After,
            };
            let gateway = self.random.usize(..2);
            let (address, connection) = (self.addresses[gateway], &mut connections[gateway]);
            let (request, replied, mut reply_of_one) = (request.clone(), replied.clone(), reply_of_one.clone());
            async move {
                match moment {
                    Moment::Together => {}
                    Moment::During(millis) => {
                        let at = tokio::time::Instant::now() + Duration::from_millis(millis);
                        tokio::time::interval_at(at, PATIENCE).tick().await;
                    }
                    Moment::After => drop(reply_of_one.wait_for(|replied| *replied).await.expect("the first")),
                }
                if connection.is_none() {
                    *connection = Some(H1::connect(address).await);
                }
                let reply = connection.as_mut().expect("a connection").send(&request).await.expect("a reply");
                replied.send_replace(true);
                reply
            }
        });
        futures::future::join_all(sendings).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_calls_run_once_each_over_two_gateways() {
    let stage = Stage::set().await;
    let calls = std::env::var("CALLS").map_or(CALLS, |calls| calls.parse().expect("CALLS is a number"));
    let seed = std::env::var("SEED").map_or_else(|_| fastrand::u64(..1 << 40), |seed| seed.parse().expect("a seed"));
    println!("{calls} calls, SEED={seed}");
    let addresses = [stage.gateways[0].address(), stage.gateways[1].address()];
    let (next, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let clients = (0..AT_ONCE).map(|client| {
        let next = next.clone();
        tokio::spawn(async move {
            let (mut client, mut sent) = (Client::new(addresses, seed + client as u64), 0);
            loop {
                let number = next.fetch_add(1, Relaxed);
                if number >= calls {
                    return sent;
                }
                let replies = client.call(number).await;
                sent += replies.len();
                let first = |reply: &&Reply| reply.header("idempotent-replayed").is_empty();
                assert_eq!(replies.iter().filter(first).count(), 1, "call {number}: one is the first");
                for reply in &replies {
                    assert_eq!(told(reply), told(&replies[0]), "call {number}");
                    assert_eq!((reply.status, reply.ending), (200, Ending::Whole), "call {number}: {}", reply.text());
                }
            }
        })
    });
    let mut sent = 0;
    for client in clients.collect::<Vec<_>>() {
        sent += client.await.expect("a client");
    }
    println!("{sent} requests in {:?}", began.elapsed());
    let records = stage.upstream.records();
    assert_eq!(records.len(), calls, "upstream calls");
    let ids: BTreeSet<&str> = records.iter().map(|r| r["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), calls, "each once");
    stage.adds_up(0).await;
    assert_eq!(stage.charges().await, calls, "charges");
}

/// Its request is on its way for as long as the test lasts.
fn begin(address: SocketAddr, request: Request) -> tokio::task::JoinHandle<Option<Reply>> {
    tokio::spawn(async move { H1::connect(address).await.send(&request).await.ok() })
}

/// Waits until a metric of a gateway is so high.
async fn reaches(gateway: &Gateway, metric: &str, least: f64) {
    until(metric, SOON, async || (gateway.metric(metric).await >= least).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_dead_gateway_goes_to_another() {
    let rules = "keep: 1h, wait_max: 2m, lease: 15s";
    let mut stage = Stage::with(rules, ", pool: { requests_max: 1, pending_timeout: 2m }").await;
    let addresses = [stage.gateways[0].address(), stage.gateways[1].address()];
    // one is sent, one waits for room at the upstream, and one on the other gateway runs for longer than a lease
    let cut = begin(addresses[0], ask("sent", false).header("x-test-first", "never"));
    stage.upstream.until_waiting("never").await;
    let waiting = begin(addresses[0], ask("waiting", false));
    reaches(&stage.gateways[0], "raptorgate_upstream_requests_waiting", 1.0).await;
    let long = begin(addresses[1], ask("long", false).header("x-test-first", "gate"));
    stage.upstream.until_waiting("gate").await;
    stage.gateways[0].signal("KILL");
    stage.gateways[0].exit().await;
    assert!(cut.await.expect("a task").is_none() && waiting.await.expect("a task").is_none());

    // each waits for the lease of the dead one to end
    let [sent, waited] = ["sent", "waiting"].map(|key| begin(addresses[1], ask(key, false)));
    let sent = sent.await.expect("a task").expect("a reply");
    assert_eq!((sent.status, sent.error_code()), (409, "execution_unknown".to_owned()));
    let waited = waited.await.expect("a task").expect("a reply");
    assert_eq!((waited.status, waited.header("idempotent-replayed")), (200, ""), "{}", waited.text());
    let other = &stage.gateways[1];
    let again = ask("sent", false).header("x-raptorgate-retry-unknown", "true");
    let ran = other.send(&again).await;
    assert_eq!((ran.status, ran.header("idempotent-replayed")), (200, ""), "{}", ran.text());
    let replay = other.send(&ask("sent", false)).await;
    assert_eq!((told(&replay), replay.header("idempotent-replayed")), (told(&ran), "true"));

    // the one that runs still has its key, and its duplicate gets its reply
    let duplicate = begin(addresses[1], ask("long", false));
    reaches(other, "raptorgate_in_flight_requests", 2.0).await;
    stage.upstream.release("gate").await;
    let [long, duplicate] = [long.await, duplicate.await].map(|reply| reply.expect("a task").expect("a reply"));
    assert_eq!((long.status, told(&duplicate)), (200, told(&long)));
    assert_eq!(stage.upstream.records_of("long").len(), 1);

    // what the dead gateway had sent is charged for its prompt when it is back: 13 characters are 4 tokens where nobody counts
    stage.gateways[0].restart().await;
    stage.adds_up(4 * 10_000).await;
    assert_eq!(stage.charges().await, 4);
    let fence = |r: &serde_json::Value| -> u64 {
        r["headers"]["x-raptorgate-fence"].as_str().expect("a fence").parse().expect("a number")
    };
    let [first, second] = &stage.upstream.records_of("sent")[..] else { panic!("two are sent") };
    assert!(fence(second) > fence(first), "the upstream can tell the later one");
}
