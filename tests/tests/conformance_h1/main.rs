//! The corpus of HTTP/1.1 requests (`tests/corpus/h1`): what is invalid or ambiguous is refused and reaches nobody, and
//! what is legal passes as it was meant.
//!
//! # Invariants
//! * Every case is right in its replies, in what the upstream saw byte by byte, and in what becomes of the connection
//!   (`every_request_of_the_corpus_is_served_or_refused_by_the_letter`).

mod expectation;

use expectation::{After, Alternative, Run};
use raptorgate_tests::conformance::case_file::{self, Case, Step};
use raptorgate_tests::conformance::client::{NoReply, RawClient, get};
use raptorgate_tests::conformance::report::judge_all;
use raptorgate_tests::conformance::upstream::{RawUpstream, plain_answers};
use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::upstream::record::sha256_hex;
use std::net::SocketAddr;

/// Cases that run at the same time, each with a gateway and an upstream of its own.
const LANES: usize = 3;
/// The key of the routes that ask for one.
const KEY: &str = "sk-conformance";

struct Lane {
    upstream: RawUpstream,
    gateway: Gateway,
}

fn config(upstream: SocketAddr) -> String {
    let hash = sha256_hex(KEY.as_bytes());
    format!(
        "{}access_log: {{ output: off }}\ntenants: {{ acme: {{ timezone: UTC, currency: INR }} }}
upstreams:
  raw: {{ endpoints: [{{ address: '{upstream}' }}], retries: 0, timeouts: {{ connect: 2s, first_byte: 2s, idle: 2s, total: 10s }} }}
defaults:
  body: {{ request_max: 64 KiB, request_timeout: 700ms }}
routes:
  - {{ name: keyed, match: {{ path: /keyed/* }}, upstream: raw, authenticate: {{ api_keys: [{{ id: k1, sha256: \"{hash}\", tenant: acme, user: asha }}] }} }}
  - {{ name: guarded, match: {{ path: /guarded/* }}, upstream: raw, format: json, sanitize: {{ action: strip }} }}
  - {{ name: tunnel, match: {{ path: /tunnel }}, upstream: raw, passthrough: true }}
  - {{ name: rest, match: {{ path: /* }}, upstream: raw }}
",
        listeners()
    )
}

async fn lane() -> Lane {
    let upstream = RawUpstream::start(plain_answers());
    let gateway = Gateway::start(&config(upstream.address())).await;
    Lane { upstream, gateway }
}

#[tokio::test]
async fn every_request_of_the_corpus_is_served_or_refused_by_the_letter() {
    let cases: Vec<(Case, Vec<Alternative>)> =
        case_file::read("h1").into_iter().map(|case| (case.clone(), expectation::of(&case))).collect();
    let mut lanes = Vec::new();
    for _ in 0..LANES {
        lanes.push(lane().await);
    }
    judge_all(
        &lanes,
        &cases,
        |(case, _)| case.title(),
        |lane, (case, wanted)| expectation::check(wanted, &run(lane, case, wanted)),
    );
}

/// Plays one case and looks at everything that came of it.
fn run(lane: &Lane, case: &Case, wanted: &[Alternative]) -> Run {
    let mut client = RawClient::connect(lane.gateway.address());
    let mut after = After::Unknown;
    for step in &case.steps {
        match step {
            Step::Send(bytes) => client.send(bytes),
            Step::Finish => {
                client.finish();
                after = After::Finished;
            }
            Step::Await => {
                if !matches!(client.interim(), Ok(100)) {
                    break;
                }
            }
        }
    }
    let mut replies = Vec::new();
    let most = wanted.iter().map(|a| a.outcomes.len()).max().unwrap_or(0);
    while replies.len() < most && !matches!(replies.last(), Some(Err(_))) {
        replies.push(client.reply(&expectation::method(case, wanted, replies.len())));
    }
    let tunnel = replies.iter().flatten().any(|r| r.head.status() == 101);
    if after == After::Unknown && !tunnel {
        after = ask_again(&mut client, &case.name);
    }
    drop(client);
    let sentinel = get(lane.gateway.address(), &format!("/sentinel/{}", case.name));
    let mut seen = lane.upstream.take();
    seen.requests.retain(|(_, r)| !["GET /sentinel/", "GET /probe/"].iter().any(|p| r.head.start.starts_with(p)));
    Run { replies, after, seen, sentinel: sentinel.map(|r| r.text()), name: case.name.clone() }
}

/// Whether the connection goes on, and with what.
fn ask_again(client: &mut RawClient, name: &str) -> After {
    let probe = format!("GET /probe/{name} HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n");
    client.send(probe.as_bytes());
    match client.reply("GET") {
        Ok(reply) if reply.text() == format!("saw GET /probe/{name}") => match client.reply("GET") {
            Err(NoReply::Closed) => After::Open,
            other => After::Wrong(format!("{other:?} behind the reply to the last request")),
        },
        Ok(reply) => After::Wrong(format!("a reply to something else: {} {:?}", reply.head.start, reply.text())),
        Err(NoReply::Closed) => After::Closed,
        Err(other) => After::Wrong(format!("{other:?} instead of a reply to the next request")),
    }
}
