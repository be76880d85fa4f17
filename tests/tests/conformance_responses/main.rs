//! The corpus of upstream replies (`tests/corpus/responses`): what is right arrives, what is malformed or hostile becomes a
//! 502 or an end that cannot be taken for a whole reply, and no byte of it becomes the reply to somebody else.
//!
//! # Invariants
//! * Every case is right in what the client got, on a plain route and on a guarded one, and in what became of both
//!   connections (`every_reply_of_the_corpus_arrives_whole_or_not_at_all`).
//!
//! Lines of a case besides the bytes that the upstream sends (`fin`: and then closes):
//! * `method M` — of the request; `early` — the upstream replies when it has the head only.
//! * `gets 502 CODE` — status, and the code of the gateway's refusal. `truncated` — a 502, or a reply that is cut.
//! * `has NAME: VALUE`, `lacks NAME`, `never TEXT`, `body TEXT` — of what the client got.
//! * `reused`, `not-reused` — whether the next request takes the same upstream connection.
//! * `open` — the client's connection goes on. `or` — begins another expectation that is as right.

use raptorgate_tests::conformance::case_file::{self, Case, Step, unescape};
use raptorgate_tests::conformance::client::{NoReply, RawClient};
use raptorgate_tests::conformance::message::Message;
use raptorgate_tests::conformance::report::judge_all;
use raptorgate_tests::conformance::upstream::{Action, Answer, RawUpstream, When, plain_reply};
use raptorgate_tests::gateway::{Gateway, listeners};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// Cases that run at the same time, each with a gateway and an upstream of its own.
const LANES: usize = 3;
/// Routes on which each case is played: one that looks at nothing, one whose guards read replies.
const ROUTES: [&str; 2] = ["plain", "guarded"];

struct Lane {
    upstream: RawUpstream,
    gateway: Gateway,
}

fn config(upstream: SocketAddr) -> String {
    format!(
        "{}access_log: {{ output: off }}
upstreams:
  raw: {{ endpoints: [{{ address: '{upstream}' }}], retries: 0, timeouts: {{ connect: 2s, first_byte: 2s, idle: 1s, total: 10s }} }}
routes:
  - {{ name: guarded, match: {{ path: /guarded/* }}, upstream: raw, format: json, mask_pii: {{ response: {{ email: replace }} }} }}
  - {{ name: plain, match: {{ path: /* }}, upstream: raw }}
",
        listeners()
    )
}

fn actions(case: &Case) -> Vec<Action> {
    let action = |step: &Step| match step {
        Step::Send(bytes) => Action::Send(bytes.clone()),
        Step::Finish | Step::Await => Action::Close,
    };
    case.steps.iter().map(action).collect()
}

/// The reply of the case that a request names in its path; a plain one to everything else.
fn answers(cases: &[Case]) -> Answer {
    let scripts: HashMap<String, (When, Vec<Action>)> = cases
        .iter()
        .map(|case| {
            let when = if has(case, "early") { When::Head } else { When::Whole };
            (case.name.clone(), (when, actions(case)))
        })
        .collect();
    Arc::new(move |request| {
        let target = request.head.start.split(' ').nth(1).unwrap_or_default();
        let name = target.strip_prefix("/plain/").or(target.strip_prefix("/guarded/")).unwrap_or_default();
        scripts.get(name).cloned().unwrap_or_else(|| (When::Whole, vec![Action::Send(plain_reply(request))]))
    })
}

fn has(case: &Case, word: &str) -> bool {
    case.expectations.iter().any(|(w, _)| w == word)
}

fn method(case: &Case) -> &str {
    case.expectations.iter().find(|(w, _)| w == "method").map_or("GET", |(_, method)| method)
}

#[tokio::test]
async fn every_reply_of_the_corpus_arrives_whole_or_not_at_all() {
    let cases = case_file::read("responses");
    let mut lanes = Vec::new();
    for _ in 0..LANES {
        let upstream = RawUpstream::start(answers(&cases));
        let gateway = Gateway::start(&config(upstream.address())).await;
        lanes.push(Lane { upstream, gateway });
    }
    let on_routes: Vec<_> = cases.iter().flat_map(|case| ROUTES.map(|route| (case, route))).collect();
    judge_all(
        &lanes,
        &on_routes,
        |(case, route)| format!("{} on {route}", case.title()),
        |lane, (case, route)| {
            let run = play(lane, case, route);
            let ways = case.expectations.split(|(word, _)| word == "or");
            let reasons: Vec<String> = ways.clone().map_while(|way| run.check(way).err()).collect();
            if reasons.len() < ways.count() { Ok(()) } else { Err(reasons.join(" | or: ")) }
        },
    );
}

struct Run {
    reply: Result<Message, NoReply>,
    /// The next request on the client's connection, if it goes on.
    next: Result<Message, NoReply>,
    /// The next request on another connection.
    other: Result<Message, NoReply>,
    /// The upstream connection was used again.
    reused: bool,
    name: String,
}

fn play(lane: &Lane, case: &Case, route: &str) -> Run {
    let method = method(case);
    let body = if method == "POST" { "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" } else { "\r\n" };
    let mut client = RawClient::connect(lane.gateway.address());
    client.send(format!("{method} /{route}/{} HTTP/1.1\r\nHost: gateway.test\r\n{body}", case.name).as_bytes());
    let reply = client.reply(method);
    let get = |client: &mut RawClient, what: &str| {
        client.send(format!("GET /{what}/{} HTTP/1.1\r\nHost: gateway.test\r\n\r\n", case.name).as_bytes());
        client.reply("GET")
    };
    let next = if reply.is_ok() { get(&mut client, "next") } else { Err(NoReply::Closed) };
    let other = get(&mut RawClient::connect(lane.gateway.address()), "other");
    let seen = lane.upstream.take();
    let first = seen.requests.iter().find(|(_, r)| r.head.start.contains(&format!("/{route}/{}", case.name)));
    let reused = first.is_some_and(|(c, _)| seen.requests.iter().filter(|(other, _)| other == c).count() > 1);
    Run { reply, next, other, reused, name: case.name.clone() }
}

impl Run {
    fn check(&self, way: &[(String, String)]) -> Result<(), String> {
        for (word, rest) in way {
            self.check_line(word, rest)?;
        }
        match &self.next {
            Ok(next) if next.text() == format!("saw GET /next/{}", self.name) => {}
            Err(NoReply::Closed) if !way.iter().any(|(word, _)| word == "open") => {}
            other => return Err(format!("the next request on the connection got {other:?}")),
        }
        match &self.other {
            Ok(other) if other.text() == format!("saw GET /other/{}", self.name) => Ok(()),
            other => Err(format!("a request on another connection got {other:?}")),
        }
    }

    fn check_line(&self, word: &str, rest: &str) -> Result<(), String> {
        let no_reply = |e: &NoReply| format!("{e:?}");
        match word {
            "method" | "early" | "open" => Ok(()),
            "truncated" => match &self.reply {
                Err(NoReply::Cut(_) | NoReply::Closed) => Ok(()),
                Ok(reply) if reply.head.status() == 502 => Ok(()),
                other => Err(format!("not cut: {other:?}")),
            },
            "reused" if !self.reused => Err("the upstream connection was not used again".into()),
            "not-reused" if self.reused => Err("the upstream connection was used again".into()),
            "reused" | "not-reused" => Ok(()),
            _ => self.reply.as_ref().map_err(no_reply).and_then(|reply| check_reply(reply, word, rest)),
        }
    }
}

fn check_reply(reply: &Message, word: &str, rest: &str) -> Result<(), String> {
    let (right, found) = match word {
        "gets" => {
            let (status, code) = rest.split_once(' ').unwrap_or((rest, ""));
            let status_is_right = reply.head.status().to_string() == status;
            let code_is_right = code.is_empty() || reply.text().contains(&format!("\"code\":\"{code}\""));
            (status_is_right && code_is_right, format!("{} {:?}", reply.head.start, reply.text()))
        }
        "body" => (reply.body == unescape(rest), format!("the body {:?}", reply.text())),
        "has" => {
            let (name, value) = rest.split_once(": ").expect("NAME: VALUE");
            (reply.head.all(name).contains(&value), format!("{name}: {:?}", reply.head.all(name)))
        }
        "lacks" => (reply.head.all(rest).is_empty(), format!("{rest}: {:?}", reply.head.all(rest))),
        "never" => (!format!("{reply:?}").contains(rest), format!("{reply:?}")),
        _ => panic!("not understood: {word} {rest}"),
    };
    if right { Ok(()) } else { Err(format!("the client got {found}, wanted: {word} {rest}")) }
}
