//! The corpus of HTTP/2 connections, written frame by frame: malformed requests, broken rules of streams and connections,
//! and floods.
//!
//! # Invariants
//! * What RFC 9113 calls malformed or an error ends as one and reaches nobody, and what is legal is served
//!   (`every_connection_of_the_corpus_is_served_or_ended_by_the_letter`).
//! * A flood is ended before [`floods::FRAMES`] frames of it, costs the upstream no more than twice the streams of a
//!   connection, and others are served meanwhile (`floods_are_ended_and_harm_nobody`).

mod case;
mod connections;
mod floods;
mod requests;

use case::{Case, Wanted};
use raptorgate_tests::conformance::client::get;
use raptorgate_tests::conformance::frames::{END_STREAM, Fate, RawH2, headers};
use raptorgate_tests::conformance::report::judge_all;
use raptorgate_tests::conformance::upstream::{RawUpstream, Seen, plain_answers};
use raptorgate_tests::gateway::{Gateway, listeners};
use std::net::SocketAddr;
use std::time::Duration;

/// Cases that run at the same time, each with a gateway and an upstream of its own.
const LANES: usize = 3;
/// Patience with what has to come.
const PATIENCE: Duration = Duration::from_secs(3);
/// Stream of the request that looks whether the connection goes on.
const PROBE_STREAM: u32 = 1001;

/// A gateway before an upstream of its own.
pub struct Lane {
    upstream: RawUpstream,
    gateway: Gateway,
}

fn config(upstream: SocketAddr) -> String {
    format!(
        "{}access_log: {{ output: off }}
upstreams:
  raw: {{ endpoints: [{{ address: '{upstream}' }}], retries: 0, timeouts: {{ connect: 2s, first_byte: 2s, idle: 2s, total: 10s }} }}
defaults:
  body: {{ request_max: 64 KiB, request_timeout: 700ms }}
routes:
  - {{ name: guarded, match: {{ path: /guarded/* }}, upstream: raw, format: json, sanitize: {{ action: strip }} }}
  - {{ name: plain, match: {{ path: /* }}, upstream: raw }}
",
        listeners()
    )
}

async fn lanes() -> Vec<Lane> {
    let mut lanes = Vec::new();
    for _ in 0..LANES {
        let upstream = RawUpstream::start(plain_answers());
        let gateway = Gateway::start(&config(upstream.address())).await;
        lanes.push(Lane { upstream, gateway });
    }
    lanes
}

#[tokio::test]
async fn every_connection_of_the_corpus_is_served_or_ended_by_the_letter() {
    let cases: Vec<Case> = [requests::all(), connections::all()].concat();
    judge_all(&lanes().await, &cases, |case| format!("{} ({})", case.name, case.law), judge);
}

#[tokio::test]
async fn floods_are_ended_and_harm_nobody() {
    let floods = floods::all();
    judge_all(&lanes().await, &floods, |flood| format!("{} ({})", flood.name, flood.law), floods::judge);
}

fn judge(lane: &Lane, case: &Case) -> Result<(), String> {
    let address = lane.gateway.address();
    let mut client = if case.without_greeting { RawH2::connect(address) } else { RawH2::greet(address) };
    client.send(&case.bytes);
    let probe = [(":method", "GET"), (":scheme", "http"), (":path", "/probe"), (":authority", "gateway.test")];
    let fate = match &case.wanted {
        Wanted::ConnectionError(_) | Wanted::Harmless => None,
        Wanted::Passes(_) | Wanted::Malformed | Wanted::MalformedOr(_) | Wanted::HeadOnly(_) => {
            Some(client.fate(1, PATIENCE))
        }
    };
    client.send(&headers(PROBE_STREAM, END_STREAM, &probe));
    let after = client.fate(PROBE_STREAM, PATIENCE);
    let sentinel = get(address, "/sentinel").map(|r| r.text());
    let mut seen = lane.upstream.take();
    seen.requests.retain(|(_, r)| !["GET /sentinel ", "GET /probe "].iter().any(|p| r.head.start.starts_with(p)));
    if !seen.errors.is_empty() {
        return Err(format!("the upstream got what is no HTTP: {}", seen.errors.join("; ")));
    }
    if sentinel.as_deref() != Ok("saw GET /sentinel") {
        return Err(format!("a request on another connection afterwards: {sentinel:?}"));
    }
    case.wanted.check(fate, after, &seen)
}

impl Wanted {
    fn check(&self, fate: Option<Fate>, after: Fate, seen: &Seen) -> Result<(), String> {
        let lines: Vec<&str> = seen.requests.iter().map(|(_, r)| r.head.start.as_str()).collect();
        let nothing = || if lines.is_empty() { Ok(()) } else { Err(format!("the upstream saw {lines:?}")) };
        let goes_on = || match after {
            Fate::Status(200) => Ok(()),
            other => Err(format!("the next request on the connection: {other:?}")),
        };
        match self {
            Self::Passes(line) if fate == Some(Fate::Status(200)) && lines == [line.as_str()] => goes_on(),
            Self::Passes(_) => Err(format!("{fate:?}, and the upstream saw {lines:?}")),
            Self::MalformedOr(line) if fate == Some(Fate::Status(200)) && lines == [line.as_str()] => goes_on(),
            Self::HeadOnly(line) if lines == [line.as_str()] => match (fate, &seen.requests[0].1.body[..]) {
                (Some(Fate::Reset(1..) | Fate::GoAway(1..)), []) => Ok(()),
                (fate, body) => Err(format!("{fate:?}, and the upstream got the body {body:?}")),
            },
            Self::Malformed | Self::MalformedOr(_) | Self::HeadOnly(_) => match (fate, after) {
                (Some(Fate::Reset(code)), Fate::Status(200) | Fate::GoAway(_) | Fate::Closed) if code != 0 => nothing(),
                (Some(Fate::Status(400..=499 | 501)), Fate::Status(200) | Fate::GoAway(_) | Fate::Closed) => nothing(),
                (Some(Fate::GoAway(code)), _) if code != 0 => nothing(),
                (fate, after) => Err(format!("{fate:?}, then {after:?}; the upstream saw {lines:?}")),
            },
            Self::ConnectionError(_) if !lines.is_empty() => nothing(),
            Self::ConnectionError(codes) => match after {
                Fate::GoAway(code) if codes.is_empty() || codes.contains(&code) => Ok(()),
                Fate::Closed => Ok(()),
                other => Err(format!("{other:?} instead of the end of the connection with one of {codes:?}")),
            },
            Self::Harmless => goes_on().and_then(|()| nothing()),
        }
    }
}
