//! The `Filter` trait is enough for filters that the gateway does not have yet: one that replaces a whole reply, one that
//! waits for others while it rewrites, and one that lets several callers share one upstream call.

use async_trait::async_trait;
use raptorgate_filters::exchange::{Exchange, Outcome};
use raptorgate_filters::filter::{
    Decision, Filter, FilterName, Phases, Reply, RequestHead, ResponseHead, ResponseMode, WholeResponse,
};
use raptorgate_filters::payload::Payload;
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::h2_client::H2;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::reply::{Ending, Reply as Seen};
use raptorgate_tests::upstream::Upstream;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot, watch};

struct Stage {
    upstream: Upstream,
    address: SocketAddr,
    _gateway: raptorgate::Gateway,
    _folder: tempfile::TempDir,
}

/// A gateway with this filter before the recording upstream.
async fn stage(filter: Arc<dyn Filter>) -> Stage {
    let upstream = Upstream::start();
    let yaml = format!(
        "version: 1
listeners: [{{ address: '127.0.0.1:0' }}]
ops: off
admin: {{ address: '127.0.0.1:0', token: unused-here }}
access_log: {{ output: off }}
upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}] }} }}
routes: [{{ name: all, match: {{ path: /* }}, upstream: agents, format: json }}]
",
        upstream.address()
    );
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("raptorgate.yaml");
    std::fs::write(&file, yaml).expect("write the configuration");
    let loaded = raptorgate_config::load(&file).expect("a valid configuration");
    let gateway = raptorgate::Gateway::builder(loaded).filters(vec![filter]).start().await.expect("start the gateway");
    let address = gateway.listeners()[0];
    Stage { upstream, address, _gateway: gateway, _folder: folder }
}

impl Stage {
    /// The same request over both protocols.
    async fn ask_both(&self, request: &Request) -> [Seen; 2] {
        let h1 = H1::connect(self.address).await.send(request).await.expect("a reply");
        let h2 = H2::connect(self.address).await.send(request).await.expect("a reply");
        [h1, h2]
    }
}

/// Reads the whole reply, then answers something else.
struct Replacer;

#[async_trait]
impl Filter for Replacer {
    fn name(&self) -> FilterName {
        FilterName::Custom("replacer")
    }

    fn phases(&self) -> Phases {
        Phases { response: true, ..Phases::default() }
    }

    fn on_response_head(&self, _head: &ResponseHead<'_>, _exchange: &mut Exchange) -> ResponseMode {
        ResponseMode::Gate
    }

    async fn on_response(&self, response: &mut WholeResponse, _exchange: &mut Exchange) -> Decision {
        let length = response.body.original().len();
        let mut headers = http::HeaderMap::new();
        headers.insert("content-type", "text/plain".parse().expect("a value"));
        let body = format!("{} bytes were not good enough", length).into();
        Decision::Reply(Reply { status: http::StatusCode::IM_A_TEAPOT, headers, body })
    }
}

#[tokio::test]
async fn a_filter_replaces_status_and_body_of_a_whole_reply() {
    let stage = stage(Arc::new(Replacer)).await;
    for reply in ["json", "chunked", "sse", "trailers", "text&text=some+words"] {
        for seen in stage.ask_both(&Request::get(format!("/x?reply={reply}"))).await {
            assert_eq!((seen.status, seen.ending), (418, Ending::Whole), "{reply}");
            assert!(seen.text().ends_with(" bytes were not good enough"), "{reply}: {}", seen.text());
            assert_eq!(seen.header("content-length"), seen.body.len().to_string(), "{reply}: its own length");
        }
    }
    let head = stage.ask_both(&Request::get("/x").method("HEAD")).await;
    assert!(head.iter().all(|seen| seen.status == 418 && seen.body.is_empty()), "HEAD stays without a body");
}

/// Asks another task for what to write, in both directions.
struct Asker(mpsc::Sender<(String, oneshot::Sender<String>)>);

impl Asker {
    async fn ask(&self, text: &[u8]) -> bytes::Bytes {
        let (answer, answered) = oneshot::channel();
        let question = String::from_utf8_lossy(text).into_owned();
        self.0.send((question, answer)).await.expect("the other task listens");
        answered.await.expect("an answer").into()
    }
}

#[async_trait]
impl Filter for Asker {
    fn name(&self) -> FilterName {
        FilterName::Custom("asker")
    }

    fn phases(&self) -> Phases {
        Phases { request_body: true, response: true, ..Phases::default() }
    }

    async fn on_request_body(&self, _head: &RequestHead<'_>, body: &mut Payload, _exchange: &mut Exchange) -> Decision {
        let new = self.ask(body.original()).await;
        body.replace(new);
        Decision::Continue
    }

    fn on_response_head(&self, _head: &ResponseHead<'_>, _exchange: &mut Exchange) -> ResponseMode {
        ResponseMode::Gate
    }

    async fn on_response(&self, response: &mut WholeResponse, _exchange: &mut Exchange) -> Decision {
        let new = self.ask(response.body.original()).await;
        response.body.replace(new);
        Decision::Continue
    }
}

#[tokio::test]
async fn a_filter_waits_for_others_while_it_rewrites() {
    let (questions, mut asked) = mpsc::channel::<(String, oneshot::Sender<String>)>(8);
    tokio::spawn(async move {
        while let Some((question, answer)) = asked.recv().await {
            let _ = answer.send(format!("[{question}] seen"));
        }
    });
    let stage = stage(Arc::new(Asker(questions))).await;
    for seen in stage.ask_both(&Request::post("/x?reply=json", "hello")).await {
        assert_eq!((seen.status, seen.ending), (200, Ending::Whole));
        let text = seen.text();
        assert!(text.starts_with('[') && text.ends_with("] seen"), "{text}");
        assert!(text.contains("\"length\":12"), "`[hello] seen` reached the upstream: {text}");
    }
}

/// What the callers of one call share: nothing yet, or its reply.
type Shared = watch::Sender<Option<Reply>>;
/// What one caller asked for all, and where the others wait.
type Lead = (Vec<u8>, Arc<Shared>);

/// Callers that ask the same at the same time wait for one call.
#[derive(Default)]
struct Sharer {
    calls: Mutex<HashMap<Vec<u8>, Arc<Shared>>>,
    leads: Mutex<HashMap<String, Lead>>,
    waiting: Mutex<usize>,
}

#[async_trait]
impl Filter for Sharer {
    fn name(&self) -> FilterName {
        FilterName::Custom("sharer")
    }

    fn phases(&self) -> Phases {
        Phases { request_body: true, response: true, end: true, ..Phases::default() }
    }

    async fn on_request_body(&self, _head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        let question = body.original().to_vec();
        let running = {
            let mut calls = self.calls.lock().expect("calls");
            let running = calls.get(&question).cloned();
            if running.is_none() {
                let call: Arc<Shared> = Arc::new(watch::channel(None).0);
                calls.insert(question.clone(), call.clone());
                let id = exchange.request_id.to_string();
                self.leads.lock().expect("leads").insert(id, (question, call));
            }
            running
        };
        let Some(running) = running else { return Decision::Continue };
        let mut result = running.subscribe();
        drop(running);
        *self.waiting.lock().expect("waiting") += 1;
        match result.wait_for(Option::is_some).await {
            Ok(reply) => Decision::Reply(reply.clone().expect("a reply")),
            Err(_) => Decision::Continue, // the call came to nothing: everyone for themselves
        }
    }

    fn on_response_head(&self, _head: &ResponseHead<'_>, _exchange: &mut Exchange) -> ResponseMode {
        ResponseMode::Gate
    }

    async fn on_response(&self, response: &mut WholeResponse, exchange: &mut Exchange) -> Decision {
        let leads = self.leads.lock().expect("leads");
        if let Some((_, call)) = leads.get(&*exchange.request_id) {
            let body = response.body.original().clone();
            call.send_replace(Some(Reply { status: response.status, headers: response.headers.clone(), body }));
        }
        Decision::Continue
    }

    async fn on_end(&self, _outcome: &Outcome, exchange: &mut Exchange) {
        let lead = self.leads.lock().expect("leads").remove(&*exchange.request_id);
        if let Some((question, _)) = lead {
            self.calls.lock().expect("calls").remove(&question);
        }
    }
}

const CALLERS: usize = 20;

#[tokio::test]
async fn a_filter_lets_callers_share_one_upstream_call() {
    let sharer = Arc::new(Sharer::default());
    let stage = Arc::new(stage(sharer.clone()).await);
    let request = Request::post("/x?reply=json&await=shared", "the same question").header("x-test-id", "shared");
    let callers: Vec<_> = (0..CALLERS)
        .map(|n| {
            let (stage, request) = (stage.clone(), request.clone());
            tokio::spawn(async move {
                let seen = stage.ask_both(&request).await;
                (n, seen)
            })
        })
        .collect();
    until("all but the first wait", SOON, async || {
        (*sharer.waiting.lock().expect("waiting") == CALLERS - 1).then_some(())
    })
    .await;
    // Then each asks again over HTTP/2, and again they share.
    let releasing = tokio::spawn({
        let stage = stage.clone();
        async move {
            loop {
                stage.upstream.release("shared").await;
            }
        }
    });
    let mut bodies = Vec::new();
    for caller in callers {
        let (n, seen) = caller.await.expect("a caller");
        for reply in seen {
            assert_eq!((reply.status, reply.ending), (200, Ending::Whole), "caller {n}");
            bodies.push(reply.text().to_owned());
        }
    }
    releasing.abort();
    let served = stage.upstream.records_of("shared").len();
    assert!(served < CALLERS, "{served} calls for {} requests", 2 * CALLERS);
    assert!(bodies.iter().all(|body| body.contains("\"length\":17")));
}
