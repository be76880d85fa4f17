//! Laws of the pipeline: one order whatever the configuration says, panics that stay with their request, and replies
//! that come out the same whether they were held or passed through.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of test functions"
)]

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;
use proptest::prelude::*;
use raptorgate_config::model::ApiFormat;
use raptorgate_filters::exchange::{End, Exchange, Outcome};
use raptorgate_filters::filter::{
    Attempt, BodyKind, Decision, Ended, Filter, FilterName, Phases, RequestHead, ResponseHead, ResponseMode,
    ResponseTransform, WholeResponse,
};
use raptorgate_filters::frame::{Frame, SseData};
use raptorgate_filters::framers::json::JsonLimits;
use raptorgate_filters::payload::Payload;
use raptorgate_filters::pipeline::Pipeline;
use raptorgate_filters::reply::{ReplyPlan, Step, Verdict, whole};
use raptorgate_policies::{Denial, Timestamp};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const ALL: Phases = Phases {
    request: true,
    request_body: true,
    dispatch: true,
    attempt: true,
    response: true,
    progress: true,
    end: true,
};

fn empty() -> &'static HeaderMap {
    static EMPTY: std::sync::LazyLock<HeaderMap> = std::sync::LazyLock::new(HeaderMap::new);
    &EMPTY
}

/// Phases as a filter saw them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Request,
    Body,
    Attempt,
    ResponseHead,
    Response,
    Frame,
    End,
}

type Log = Arc<Mutex<Vec<(FilterName, Seen)>>>;

/// Writes down when it is called, and panics in one phase if it is told to.
struct Witness {
    name: FilterName,
    log: Log,
    panics_in: Option<Seen>,
    gate: bool,
    refuses: bool,
}

impl Witness {
    fn see(&self, seen: Seen) {
        self.log.lock().push((self.name, seen));
        assert!(self.panics_in != Some(seen), "told to");
    }
}

#[async_trait]
impl Filter for Witness {
    fn name(&self) -> FilterName {
        self.name
    }

    fn phases(&self) -> Phases {
        ALL
    }

    async fn on_request(&self, _: &RequestHead<'_>, _: &mut Exchange) -> Decision {
        self.see(Seen::Request);
        if self.refuses { Decision::Deny(Denial::InvalidApiKey) } else { Decision::Continue }
    }

    async fn on_request_body(&self, _: &RequestHead<'_>, _: &mut Payload, _: &mut Exchange) -> Decision {
        self.see(Seen::Body);
        Decision::Continue
    }

    fn on_attempt(&self, _: &mut Attempt<'_>, _: &Exchange) {
        self.see(Seen::Attempt);
    }

    fn on_response_head(&self, _: &ResponseHead<'_>, _: &mut Exchange) -> ResponseMode {
        self.see(Seen::ResponseHead);
        if self.gate {
            return ResponseMode::Gate;
        }
        ResponseMode::Stream(Box::new(Shout {
            kind: BodyKind::Sse,
            panics: self.panics_in == Some(Seen::Frame),
            frames: 0,
        }))
    }

    async fn on_response(&self, _: &mut WholeResponse, _: &mut Exchange) -> Decision {
        self.see(Seen::Response);
        Decision::Continue
    }

    async fn on_end(&self, _: &Outcome, _: &mut Exchange) {
        self.see(Seen::End);
    }
}

/// Changes texts, drops every event named `drop`, and has a last word.
struct Shout {
    kind: BodyKind,
    panics: bool,
    frames: usize,
}

impl ResponseTransform for Shout {
    fn on_frame(&mut self, mut frame: Frame, _: &mut Exchange, out: &mut Vec<Frame>) {
        assert!(!self.panics, "told to");
        match &mut frame {
            Frame::Sse(event) if event.event.as_deref() == Some("drop") => return,
            Frame::Sse(event) => {
                self.frames += 1;
                if let SseData::Text(text) = &event.data {
                    let loud = text.to_uppercase();
                    event.set_text(&loud);
                }
            }
            Frame::JsonLine(line) => {
                self.frames += 1;
                if let Some(doc) = &mut line.json {
                    let texts: Vec<_> = doc.strings().collect();
                    texts.into_iter().for_each(|text| doc.replace_str(text, "loud"));
                }
            }
            Frame::Text(text) => text.make_ascii_uppercase(),
            Frame::Raw(_) => {}
        }
        out.push(frame);
    }

    /// The last word is a part of the reply's own kind, so that the next filter of a held reply can read it again.
    fn on_finish(&mut self, ended: Ended, _: &mut Exchange, out: &mut Vec<Frame>) {
        let whole = ended == Ended::Whole;
        match self.kind {
            BodyKind::Sse => out.push(Frame::sse_text(None, &format!("{} parts, whole: {whole}", self.frames))),
            BodyKind::JsonLines => out.push(Frame::json_line(&format!("[{},{whole}]", self.frames))),
            BodyKind::Text => out.push(Frame::Text(" over".into())),
            BodyKind::None | BodyKind::Json | BodyKind::Other => {}
        }
    }
}

fn witness(name: FilterName, log: &Log) -> Witness {
    Witness { name, log: log.clone(), panics_in: None, gate: false, refuses: false }
}

fn exchange() -> Exchange {
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Exchange::new("r".into(), "route".into(), ApiFormat::OpenAi, Timestamp::default(), client)
}

fn request() -> RequestHead<'static> {
    RequestHead { method: &Method::POST, path: "/", query: None, headers: empty() }
}

/// One request through all phases as the proxy calls them; the first refusal skips to the end.
async fn drive(pipeline: &Pipeline, exchange: &mut Exchange) -> Result<(), Denial> {
    let refused = phases(pipeline, exchange).await;
    let outcome = Outcome { end: End::Complete, status: Some(200), dispatched: true, replied: true };
    pipeline.on_end(&outcome, exchange).await;
    refused
}

async fn phases(pipeline: &Pipeline, exchange: &mut Exchange) -> Result<(), Denial> {
    let limits = JsonLimits::default();
    let judged = |decision| match decision {
        Decision::Deny(denial) => Err(denial),
        Decision::Continue | Decision::Reply(_) => Ok(()),
    };
    judged(pipeline.on_request(&request(), exchange).await)?;
    judged(pipeline.on_request_body(&request(), &mut Payload::new(Bytes::new(), limits), exchange).await)?;
    pipeline.on_attempt(1, exchange)?;
    let head = ResponseHead { status: StatusCode::OK, headers: empty(), kind: BodyKind::Sse };
    let plan = pipeline.on_response_head(&head, exchange)?;
    let reply = whole(StatusCode::OK, HeaderMap::new(), Bytes::from_static(b"data: hi\n\n"), limits);
    match plan.decide(reply, limits, exchange).await {
        Verdict::Send(_) => Ok(()),
        Verdict::Deny(denial) => Err(denial),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

const INWARD: [FilterName; 11] = [
    FilterName::FloodLimits,
    FilterName::Authenticate,
    FilterName::EndUser,
    FilterName::Execution,
    FilterName::Fault,
    FilterName::Sanitize,
    FilterName::Purpose,
    FilterName::MaskPii,
    FilterName::PromptLeak,
    FilterName::Meter,
    FilterName::Custom("x"),
];

proptest! {
    #[test]
    fn the_order_is_fixed(shuffled in Just(INWARD.to_vec()).prop_shuffle()) {
        let log = Log::default();
        let filters = shuffled.iter().map(|name| Arc::new(witness(*name, &log)) as Arc<dyn Filter>).collect();
        block_on(drive(&Pipeline::new(filters), &mut exchange())).unwrap();
        let order = |phase| log.lock().iter().filter(|(_, seen)| *seen == phase).map(|(n, _)| *n).collect::<Vec<_>>();
        for phase in [Seen::Request, Seen::Body, Seen::Attempt] {
            prop_assert_eq!(order(phase), INWARD.to_vec());
        }
        for phase in [Seen::ResponseHead, Seen::End] {
            let outward = order(phase);
            prop_assert_eq!(outward[0], FilterName::Meter, "what is billed is read before anything is rewritten");
            let last = [FilterName::PromptLeak, FilterName::MaskPii, FilterName::Custom("x")];
            prop_assert_eq!(&outward[8..], &last[..]);
        }
        let last_head = log.lock().iter().rposition(|(_, seen)| *seen == Seen::Request);
        let first_body = log.lock().iter().position(|(_, seen)| *seen == Seen::Body);
        prop_assert!(last_head < first_body, "no body is asked for before every head filter agreed");
    }

    #[test]
    fn a_held_reply_equals_a_streamed_one(
        (kind, body) in replies(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let limits = JsonLimits::default();
        let steps = || vec![shout("a", kind), shout("b", kind)];
        let mut exchange = exchange();
        let mut at: Vec<usize> = cuts.iter().map(|c| c.index(body.len() + 1)).chain([0, body.len()]).collect();
        at.sort_unstable();
        let mut stream = ReplyPlan::new(kind, steps()).into_stream(limits);
        let mut streamed = BytesMut::new();
        for cut in at.windows(2) {
            let piece = Bytes::copy_from_slice(&body.as_bytes()[cut[0]..cut[1]]);
            stream.push(piece, &mut exchange, &mut streamed).unwrap();
        }
        stream.finish(Ended::Whole, &mut exchange, &mut streamed).unwrap();
        let reply = whole(StatusCode::OK, HeaderMap::new(), Bytes::from(body), limits);
        let held = match block_on(ReplyPlan::new(kind, steps()).decide(reply, limits, &mut exchange)) {
            Verdict::Send(reply) => reply.body,
            Verdict::Deny(denial) => panic!("refused: {denial:?}"),
        };
        prop_assert_eq!(held, streamed.freeze());
    }
}

fn shout(name: &'static str, kind: BodyKind) -> Step {
    Step::Transform(FilterName::Custom(name), Box::new(Shout { kind, panics: false, frames: 0 }))
}

/// Bodies of the kinds that are read in parts.
fn replies() -> impl Strategy<Value = (BodyKind, String)> {
    let event = prop::sample::select(vec![
        "data: häl\n\n",
        "event: drop\ndata: x\n\n",
        "data: {\"a\":\"b\"}\r\n\r\n",
        ": c\n\n",
    ]);
    let line = prop::sample::select(vec!["{\"a\":\"b\"}\n", "\n", "[1,\"ü\"]\r\n"]);
    prop_oneof![
        prop::collection::vec(event, 0..12).prop_map(|parts| (BodyKind::Sse, parts.concat())),
        prop::collection::vec(line, 0..12).prop_map(|parts| (BodyKind::JsonLines, parts.concat())),
        "[a-zäß \n]{0,80}".prop_map(|text| (BodyKind::Text, text)),
    ]
}

#[test]
fn a_refused_caller_is_asked_for_no_body() {
    let log = Log::default();
    let filters: Vec<Arc<dyn Filter>> = vec![
        Arc::new(witness(FilterName::Sanitize, &log)),
        Arc::new(Witness { refuses: true, ..witness(FilterName::Authenticate, &log) }),
    ];
    let refused = block_on(drive(&Pipeline::new(filters), &mut exchange()));
    assert_eq!(refused, Err(Denial::InvalidApiKey));
    let seen: Vec<_> = log.lock().iter().filter(|(_, seen)| *seen != Seen::End).copied().collect();
    assert_eq!(seen, [(FilterName::Authenticate, Seen::Request)]);
}

#[test]
fn a_panic_in_a_filter_is_a_denial() {
    for phase in [Seen::Request, Seen::Body, Seen::Attempt, Seen::ResponseHead, Seen::Response, Seen::Frame] {
        let log = Log::default();
        let name = FilterName::Custom("broken");
        let gate = phase != Seen::Frame;
        let broken = Witness { panics_in: Some(phase), gate, ..witness(name, &log) };
        let filters: Vec<Arc<dyn Filter>> = vec![Arc::new(broken), Arc::new(witness(FilterName::Meter, &log))];
        let mut exchange = exchange();
        let refused = block_on(drive(&Pipeline::new(filters), &mut exchange));
        assert_eq!(refused, Err(Denial::Internal), "{phase:?}");
        assert_eq!(exchange.report.panicked, Some(name), "{phase:?}");
        assert!(log.lock().contains(&(FilterName::Meter, Seen::End)), "{phase:?}: the others hear of the end");
    }
}

#[test]
fn a_panic_at_the_end_keeps_no_other_filter_from_its_end() {
    let log = Log::default();
    let broken = Witness { panics_in: Some(Seen::End), ..witness(FilterName::Meter, &log) };
    let filters: Vec<Arc<dyn Filter>> = vec![Arc::new(broken), Arc::new(witness(FilterName::MaskPii, &log))];
    block_on(drive(&Pipeline::new(filters), &mut exchange())).unwrap();
    assert!(log.lock().contains(&(FilterName::MaskPii, Seen::End)));
}

#[test]
fn nothing_follows_an_error() {
    let kind = BodyKind::JsonLines;
    let broken = || Step::Transform(FilterName::Custom("broken"), Box::new(Shout { kind, panics: true, frames: 0 }));
    let cases = [
        (vec![shout("a", kind)], "{\"a\":1}\nnot json\n", "{\"a\":1}\n", Denial::UpstreamInvalidReply),
        (vec![broken(), shout("b", kind)], "{\"a\":1}\n", "", Denial::Internal),
    ];
    for (steps, body, before, denial) in cases {
        let mut exchange = exchange();
        let mut stream = ReplyPlan::new(kind, steps).into_stream(JsonLimits::default());
        let mut out = BytesMut::new();
        let failed = stream.push(Bytes::from_static(body.as_bytes()), &mut exchange, &mut out);
        assert_eq!(failed, Err(denial));
        assert_eq!(out, before.as_bytes(), "what came whole before the error had been judged");
        stream.push(Bytes::from_static(b"{\"b\":2}\n"), &mut exchange, &mut out).unwrap();
        stream.finish(Ended::Whole, &mut exchange, &mut out).unwrap();
        assert_eq!(out, before.as_bytes(), "nothing follows");
    }
}
