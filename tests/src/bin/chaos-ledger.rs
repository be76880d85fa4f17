//! `chaos-ledger SECONDS SEED`: money under fire. Three gateways with one Redis serve a load of requests while gateways and
//! Redis are killed and Redis is restored from older states; then the ledger is compared with what the backend wrote down.
//!
//! The last line is `ledger-chaos: settles=… lost=… doubled=… open_holds=… overspent=… exact=… estimated=… unresolved=…`; the
//! exit code is 0 only if lost, doubled, open_holds, overspent and unresolved are 0 and no more is estimated than was in flight at
//! the kills.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a harness ends by panics")]

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::poll::until;
use raptorgate_tests::redis::Redis;
use raptorgate_tests::upstream::Upstream;
use raptorgate_tests::upstream::record::sha256_hex;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const GATEWAYS: usize = 3;
const CLIENTS: usize = 24;
/// Room for all, and a budget that is nearly always at its end.
const LIMITS: [(&str, &str); 2] = [("roomy", "1000000.00 INR"), ("tight", "0.50 INR")];
/// How long everything may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);

/// A small generator (SplitMix64): the same seed, the same faults.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

fn configuration(redis: &Redis, upstream: &Upstream) -> String {
    let keys: Vec<String> = LIMITS
        .iter()
        .map(|(user, _)| {
            format!("{{ id: {user}, sha256: '{}', tenant: acme, user: {user} }}", sha256_hex(user.as_bytes()))
        })
        .collect();
    let route = |(name, limit): &(&str, &str)| {
        format!(
            "  - name: {name}\n    match: {{ path: /{name}/chat/completions }}\n    upstream: agents\n    \
             budgets: [{{ name: {name}, per: user, limit: {limit}, window: total }}]\n"
        )
    };
    format!(
        "{}store: {{ redis: {{ urls: [\"{}\"], response_timeout: 500ms, connect_timeout: 500ms }} }}
tenants: {{ acme: {{}} }}
prices: {{ gpt-4o-mini: {{ input: 10.00 INR, output: 100.00 INR }} }}
access_log: {{ output: off }}
upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}], retries: 0 }} }}
defaults: {{ meter: {{ format: openai }}, authenticate: {{ api_keys: [{}] }} }}
routes:\n{}",
        listeners(),
        redis.url(),
        upstream.address(),
        keys.join(", "),
        LIMITS.iter().map(route).collect::<String>()
    )
}

/// What the clients share.
struct Load {
    addresses: Mutex<Vec<SocketAddr>>,
    stop: AtomicBool,
    next: AtomicU64,
    /// Requests without a reply: they may have been in flight when something was killed.
    unanswered: Mutex<HashSet<String>>,
    answered: AtomicU64,
}

async fn client(load: Arc<Load>, number: usize) {
    let mut random = Random(number as u64);
    let mut connection: Option<(SocketAddr, H1)> = None;
    while !load.stop.load(Relaxed) {
        let address = {
            let addresses = load.addresses.lock().unwrap();
            addresses[usize::try_from(random.below(addresses.len() as u64)).unwrap()]
        };
        if connection.as_ref().is_none_or(|(to, _)| *to != address) {
            // it may just have been killed
            let Ok(h1) = H1::try_connect(address).await else { continue };
            connection = Some((address, h1));
        }
        let (route, _) = LIMITS[usize::from(random.below(8) == 0)];
        let id = format!("r-{}", load.next.fetch_add(1, Relaxed));
        let words = vec!["word"; 1 + usize::try_from(random.below(6)).unwrap()].join(" ");
        let body = json!({
            "model": "gpt-4o-mini", "max_tokens": 20, "messages": [{"role": "user", "content": "one two three"}]
        });
        let request = Request::post(format!("/{route}/chat/completions"), body.to_string())
            .header("authorization", format!("Bearer {route}"))
            .header("x-request-id", &id)
            .header("x-test-text", words);
        let Some((_, h1)) = &mut connection else { continue };
        match tokio::time::timeout(Duration::from_secs(20), h1.send(&request)).await {
            Ok(Ok(_)) => {
                load.answered.fetch_add(1, Relaxed);
            }
            Ok(Err(_)) | Err(_) => {
                load.unanswered.lock().unwrap().insert(id);
                connection = None;
            }
        }
    }
}

struct Fire {
    gateways: Vec<Gateway>,
    redis: Redis,
    older: Option<tempfile::TempDir>,
    counts: [u32; 3],
}

impl Fire {
    /// One fault, and its repair.
    async fn strike(&mut self, random: &mut Random, load: &Load) {
        match random.below(6) {
            0..=2 => {
                let n = usize::try_from(random.below(GATEWAYS as u64)).unwrap();
                self.gateways[n].kill_and_restart().await;
                load.addresses.lock().unwrap()[n] = self.gateways[n].address();
                self.counts[0] += 1;
            }
            3 | 4 => {
                self.redis.kill();
                if random.below(2) == 0 {
                    self.older = Some(self.redis.copy_data());
                }
                tokio::time::sleep(Duration::from_millis(100 + random.below(400))).await;
                self.redis.restart().await;
                self.counts[1] += 1;
            }
            _ => {
                if let Some(older) = self.older.take() {
                    self.redis.kill();
                    self.redis.restore_data(&older);
                    self.redis.restart().await;
                    self.counts[2] += 1;
                }
            }
        }
    }

    /// Waits until every ending was told and nothing is held.
    async fn rest(&self) {
        let at_rest = async || {
            for gateway in &self.gateways {
                let busy =
                    gateway.metric("raptorgate_endings_untold").await + gateway.metric("raptorgate_holds_open").await;
                if busy > 0.0 {
                    return None;
                }
            }
            Some(())
        };
        until("every ending was told", PATIENCE, at_rest).await;
    }
}

/// The charge of each request by its id, as the ledger has it; and what is held and overspent.
struct Books {
    charges: HashMap<String, Vec<(i64, bool)>>,
    settles: u64,
    held: u64,
    overspent: u64,
}

async fn books(gateway: &Gateway) -> Books {
    let mut books = Books { charges: HashMap::new(), settles: 0, held: 0, overspent: 0 };
    let mut after = 0;
    loop {
        let path = format!("/api/v1/ledger/acme/entries?limit=1000&after={after}");
        let page = gateway.admin(Request::get(path)).await.json();
        let entries = page["entries"].as_array().expect("entries");
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            after = entry["version"].as_u64().unwrap();
            let line: Value = serde_json::from_str(entry["line"].as_str().unwrap()).unwrap();
            if line["op"] != "settle" {
                continue;
            }
            books.settles += 1;
            let spent = line["at"].as_array().unwrap().iter().filter(|at| at[1] == "spent");
            let charge: i64 = spent.map(|at| at[2].as_str().unwrap().parse::<i64>().unwrap()).sum();
            let estimated = line["flags"].as_array().is_some_and(|flags| flags.iter().any(|flag| flag == "estimated"));
            let request = line["note"]["request"].as_str().unwrap_or_default().to_owned();
            books.charges.entry(request).or_default().push((charge, estimated));
        }
    }
    let accounts = gateway.admin(Request::get("/api/v1/ledger/acme/accounts?limit=1000")).await.json();
    for account in accounts["accounts"].as_array().unwrap() {
        books.held += u64::from(account["held"] != "0.000000000 INR");
        books.overspent += u64::from(account["available"].as_str().is_some_and(|left| left.starts_with('-')));
    }
    books
}

/// Compares, prints the line, and says whether all is well.
fn judge(served: &HashMap<String, i64>, books: &Books, load: &Load) -> bool {
    let unanswered = load.unanswered.lock().unwrap();
    let (mut lost, mut doubled, mut exact, mut estimated, mut unresolved) = (0, 0, 0, 0, 0);
    for (id, cost) in served {
        match books.charges.get(id).map(Vec::as_slice) {
            None | Some([]) => lost += 1,
            Some([(_, true)]) => estimated += 1,
            Some([(charge, false)]) if charge == cost => exact += 1,
            Some([(_, false)]) => unresolved += 1,
            Some([_, _, ..]) => doubled += 1,
        }
    }
    println!("{} requests answered, {} without an answer", load.answered.load(Relaxed), unanswered.len());
    println!(
        "ledger-chaos: settles={} lost={lost} doubled={doubled} open_holds={} overspent={} exact={exact} estimated={estimated} unresolved={unresolved}",
        books.settles, books.held, books.overspent
    );
    lost == 0
        && doubled == 0
        && books.held == 0
        && books.overspent == 0
        && unresolved == 0
        && estimated <= unanswered.len()
}

/// What the backend served, by the id of the request: three words of prompt, and the words of its answer.
fn served(upstream: &Upstream) -> HashMap<String, i64> {
    let whole = upstream.records().into_iter().filter(|record| record["tokens"].as_i64().unwrap_or(0) > 0);
    whole
        .map(|record| {
            let cost = 3 * 10_000 + (record["tokens"].as_i64().unwrap() - 3) * 100_000;
            (record["headers"]["x-request-id"].as_str().unwrap_or_default().to_owned(), cost)
        })
        .collect()
}

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let number =
        |at: usize, default: u64| std::env::args().nth(at).map_or(default, |text| text.parse().expect("a number"));
    let (seconds, seed) = (number(1, 40), number(2, 7));
    println!("chaos-ledger: {seconds} s, seed {seed}");
    let (upstream, redis) = (Upstream::start(), Redis::start().await);
    let yaml = configuration(&redis, &upstream);
    let mut gateways = Vec::new();
    for _ in 0..GATEWAYS {
        gateways.push(Gateway::start(&yaml).await);
    }
    let load = Arc::new(Load {
        addresses: Mutex::new(gateways.iter().map(Gateway::address).collect()),
        stop: AtomicBool::new(false),
        next: AtomicU64::new(0),
        unanswered: Mutex::default(),
        answered: AtomicU64::new(0),
    });
    let clients: Vec<_> = (0..CLIENTS).map(|n| tokio::spawn(client(load.clone(), n))).collect();
    let mut fire = Fire { gateways, redis, older: None, counts: [0; 3] };
    let (mut random, began) = (Random(seed), Instant::now());
    while began.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(Duration::from_millis(300 + random.below(900))).await;
        fire.strike(&mut random, &load).await;
    }
    load.stop.store(true, Relaxed);
    for client in clients {
        client.await.expect("a client");
    }
    fire.rest().await;
    let [gateway_kills, redis_kills, restores] = fire.counts;
    println!(
        "{gateway_kills} gateways killed, Redis killed {redis_kills} times and restored from an older state {restores} times"
    );
    let well = judge(&served(&upstream), &books(&fire.gateways[0]).await, &load);
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
