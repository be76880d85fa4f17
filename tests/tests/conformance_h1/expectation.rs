//! What a case of the corpus expects, and whether it came so.
//!
//! Lines of a case, in the order of the replies:
//! * `refused 400/dropped` — a reply with one of these statuses, or a closed connection; nothing reaches the upstream.
//! * `passes GET /x` — the upstream sees exactly this request line, and the client gets its reply. Behind it, of that
//!   request: `has NAME: VALUE` (once, with this value), `lacks NAME`, `body TEXT`.
//! * `switches GET /x` — the same with a 101.
//! * `partial` — a request that never became whole may have reached the upstream.
//! * `never TEXT` — the upstream's requests do not hold this text anywhere.
//! * `closed`, `open` — what becomes of the connection; without either, both are right.
//! * `or` — begins another expectation that is as right.

use raptorgate_tests::conformance::case_file::{Case, unescape};
use raptorgate_tests::conformance::client::NoReply;
use raptorgate_tests::conformance::message::Message;
use raptorgate_tests::conformance::upstream::Seen;

/// What has to come of one request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// One of these statuses; `None` is a closed connection.
    Refused(Vec<Option<u16>>),
    /// The upstream sees this, and its reply comes back with this status.
    Passes(Box<Expected>),
}

/// What the upstream has to see.
#[derive(Clone, Debug)]
pub struct Expected {
    line: String,
    status: u16,
    has: Vec<(String, String)>,
    lacks: Vec<String>,
    body: Option<Vec<u8>>,
}

/// One right way for a case to end.
#[derive(Clone, Debug, Default)]
pub struct Alternative {
    /// One for each reply.
    pub outcomes: Vec<Outcome>,
    partial: bool,
    never: Vec<String>,
    after: Option<After>,
}

/// What became of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Not looked at: it is a tunnel now.
    Unknown,
    /// The client had ended its side.
    Finished,
    /// Closed.
    Closed,
    /// The next request on it was answered.
    Open,
    /// Something else came of the next request.
    Wrong(String),
}

/// What came of a case.
pub struct Run {
    /// Name of the case.
    pub name: String,
    /// The replies, and why there are no more.
    pub replies: Vec<Result<Message, NoReply>>,
    /// The connection afterwards.
    pub after: After,
    /// What reached the upstream.
    pub seen: Seen,
    /// The reply to a request on another connection afterwards.
    pub sentinel: Result<String, NoReply>,
}

/// The right ways for this case to end.
pub fn of(case: &Case) -> Vec<Alternative> {
    let mut all = vec![Alternative::default()];
    for (word, rest) in &case.expectations {
        if word == "or" {
            all.push(Alternative::default());
        } else if let Some(last) = all.last_mut() {
            last.read(word, rest).unwrap_or_else(|why| panic!("{}: {why}: {word} {rest}", case.name));
        }
    }
    assert!(all.iter().all(|a| !a.outcomes.is_empty()), "{} expects nothing", case.name);
    all
}

/// Method of the nth request, which says whether its reply has a body.
pub fn method(case: &Case, wanted: &[Alternative], n: usize) -> String {
    let line = wanted.iter().find_map(|a| match a.outcomes.get(n) {
        Some(Outcome::Passes(expected)) => Some(expected.line.clone()),
        Some(Outcome::Refused(_)) | None => None,
    });
    let line = line.unwrap_or_else(|| String::from_utf8_lossy(&case.bytes()).into_owned());
    line.split(' ').next().unwrap_or_default().to_owned()
}

impl Alternative {
    fn read(&mut self, word: &str, rest: &str) -> Result<(), &'static str> {
        match word {
            "refused" => {
                let statuses = rest.split('/').map(|s| match s {
                    "dropped" => Ok(None),
                    _ => s.parse().map(Some),
                });
                let statuses = statuses.collect::<Result<_, _>>().map_err(|_| "no statuses")?;
                self.outcomes.push(Outcome::Refused(statuses));
            }
            "passes" | "switches" => {
                let (line, status) = (format!("{rest} HTTP/1.1"), if word == "passes" { 200 } else { 101 });
                let expected = Expected { line, status, has: Vec::new(), lacks: Vec::new(), body: None };
                self.outcomes.push(Outcome::Passes(Box::new(expected)));
            }
            "has" => {
                let (name, value) = rest.split_once(':').ok_or("no colon")?;
                self.last()?.has.push((name.to_owned(), value.trim().to_owned()));
            }
            "lacks" => self.last()?.lacks.push(rest.to_owned()),
            "body" => self.last()?.body = Some(unescape(rest)),
            "never" => self.never.push(rest.to_owned()),
            "partial" => self.partial = true,
            "closed" => self.after = Some(After::Closed),
            "open" => self.after = Some(After::Open),
            _ => return Err("not understood"),
        }
        Ok(())
    }

    fn last(&mut self) -> Result<&mut Expected, &'static str> {
        match self.outcomes.last_mut() {
            Some(Outcome::Passes(expected)) => Ok(expected),
            Some(Outcome::Refused(_)) | None => Err("not behind a request that passes"),
        }
    }

    fn check(&self, run: &Run) -> Result<(), String> {
        let replies = run.replies.iter().take(self.outcomes.len());
        for (n, (outcome, reply)) in self.outcomes.iter().zip(replies).enumerate() {
            outcome.check_reply(reply).map_err(|why| format!("reply {}: {why}", n + 1))?;
        }
        if run.replies.len() < self.outcomes.len() {
            return Err(format!("{} replies instead of {}", run.replies.len(), self.outcomes.len()));
        }
        self.check_seen(&run.seen)?;
        if let After::Wrong(why) = &run.after {
            return Err(format!("the connection afterwards: {why}"));
        }
        match &self.after {
            Some(wanted) if *wanted != run.after => {
                Err(format!("the connection is {:?} instead of {wanted:?}", run.after))
            }
            _ => Ok(()),
        }
    }

    fn check_seen(&self, seen: &Seen) -> Result<(), String> {
        let wanted = self.outcomes.iter().filter_map(|o| match o {
            Outcome::Passes(expected) => Some(expected),
            Outcome::Refused(_) => None,
        });
        let wanted: Vec<_> = wanted.collect();
        let lines: Vec<_> = seen.requests.iter().map(|(_, r)| r.head.start.as_str()).collect();
        if lines != wanted.iter().map(|e| e.line.as_str()).collect::<Vec<_>>() {
            return Err(format!("the upstream saw {lines:?}"));
        }
        for (expected, (_, request)) in wanted.iter().zip(&seen.requests) {
            expected.check(request)?;
        }
        if !self.partial && !seen.partial.is_empty() {
            let partial = String::from_utf8_lossy(&seen.partial.concat()).into_owned();
            return Err(format!("a part of a request reached the upstream: {partial:?}"));
        }
        let everything = format!("{:?}", seen).to_ascii_lowercase();
        match self.never.iter().find(|text| everything.contains(&text.to_ascii_lowercase())) {
            Some(text) => Err(format!("{text:?} reached the upstream")),
            None => Ok(()),
        }
    }
}

impl Outcome {
    fn check_reply(&self, reply: &Result<Message, NoReply>) -> Result<(), String> {
        match (self, reply) {
            (Self::Refused(allowed), Err(NoReply::Closed)) if allowed.contains(&None) => Ok(()),
            (Self::Refused(allowed), Ok(reply)) if allowed.contains(&Some(reply.head.status())) => Ok(()),
            (Self::Passes(expected), Ok(reply)) if expected.status == reply.head.status() => {
                let (method, target) = expected.line.split_once(' ').unwrap_or_default();
                let saw = format!("saw {method} {}", target.trim_end_matches(" HTTP/1.1"));
                if method == "HEAD" || expected.status == 101 || reply.text() == saw {
                    Ok(())
                } else {
                    Err(format!("the reply to something else: {:?}", reply.text()))
                }
            }
            (_, Ok(reply)) => Err(format!("{} {}", reply.head.status(), code(reply))),
            (_, Err(none)) => Err(format!("{none:?}")),
        }
    }
}

/// The gateway's code for a refusal.
fn code(reply: &Message) -> String {
    let text = reply.text();
    text.split("\"code\":\"").nth(1).and_then(|t| t.split('"').next()).unwrap_or(text.trim()).to_owned()
}

impl Expected {
    fn check(&self, request: &Message) -> Result<(), String> {
        for (name, value) in &self.has {
            let found = request.head.all(name);
            if found != [value.as_str()] {
                return Err(format!("the upstream got {name}: {found:?} instead of {value:?}"));
            }
        }
        if let Some(name) = self.lacks.iter().find(|n| !request.head.all(n).is_empty()) {
            return Err(format!("the upstream got {name}: {:?}", request.head.all(name)));
        }
        match &self.body {
            Some(body) if *body != request.body => Err(format!("the upstream got the body {:?}", request.text())),
            _ => Ok(()),
        }
    }
}

/// `Err` with the reasons against each of the right ways.
pub fn check(wanted: &[Alternative], run: &Run) -> Result<(), String> {
    if !run.seen.errors.is_empty() {
        return Err(format!("the upstream got what is no HTTP: {}", run.seen.errors.join("; ")));
    }
    if run.sentinel.as_deref() != Ok(&format!("saw GET /sentinel/{}", run.name)) {
        return Err(format!("a request on another connection afterwards: {:?}", run.sentinel));
    }
    let reasons: Vec<String> = wanted.iter().map_while(|a| a.check(run).err()).collect();
    if reasons.len() < wanted.len() { Ok(()) } else { Err(reasons.join(" | or: ")) }
}
