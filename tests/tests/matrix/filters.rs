//! The filters of the matrix: one rewrites request bodies, one looks at replies, one panics where it is told, and all ends
//! are counted.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use raptorgate_filters::exchange::{End, Exchange, Outcome};
use raptorgate_filters::filter::{
    Attempt, Decision, Ended, Filter, FilterName, Phases, RequestHead, ResponseHead, ResponseMode, ResponseTransform,
    WholeResponse,
};
use raptorgate_filters::frame::Frame;
use raptorgate_filters::payload::Payload;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// What the filters were told, by request id.
#[derive(Default)]
pub struct Probe {
    ends: Mutex<HashMap<String, Vec<End>>>,
    plans: Mutex<HashMap<String, Plan>>,
}

/// What a request wants the filters to do; read from its headers in the first phase.
#[derive(Clone, Debug, Default)]
struct Plan {
    rewrite: String,
    watch: String,
    panic: String,
}

impl Probe {
    /// The ends told for a request.
    pub fn ends(&self, id: &str) -> Vec<End> {
        self.ends.lock().expect("ends").get(id).cloned().unwrap_or_default()
    }

    fn plan(&self, exchange: &Exchange) -> Plan {
        self.plans.lock().expect("plans").get(&*exchange.request_id).cloned().unwrap_or_default()
    }

    fn panic_in(&self, phase: &str, exchange: &Exchange) {
        assert!(self.plan(exchange).panic != phase, "a panic on purpose in {phase}");
    }
}

/// What is appended to a body that becomes longer.
pub fn rewritten(rewrite: &str, body: &[u8]) -> Bytes {
    match rewrite {
        "longer" => [body, &[b'+'; 5000]].concat().into(),
        "shorter" => Bytes::copy_from_slice(&body[..body.len() / 2]),
        _ => Bytes::copy_from_slice(body),
    }
}

/// The filters.
pub fn all(probe: &Arc<Probe>) -> Vec<Arc<dyn Filter>> {
    vec![Arc::new(Tester(Arc::clone(probe)))]
}

struct Tester(Arc<Probe>);

#[async_trait]
impl Filter for Tester {
    fn name(&self) -> FilterName {
        FilterName::Custom("tester")
    }

    fn phases(&self) -> Phases {
        Phases {
            request: true,
            request_body: true,
            dispatch: true,
            attempt: true,
            response: true,
            end: true,
            ..Phases::default()
        }
    }

    async fn on_request(&self, head: &RequestHead<'_>, exchange: &mut Exchange) -> Decision {
        let text = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let plan = Plan { rewrite: text("x-test-rewrite"), watch: text("x-test-watch"), panic: text("x-test-panic") };
        self.0.plans.lock().expect("plans").insert(exchange.request_id.to_string(), plan);
        self.0.panic_in("request", exchange);
        Decision::Continue
    }

    async fn on_request_body(&self, _head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        self.0.panic_in("request-body", exchange);
        let rewrite = self.0.plan(exchange).rewrite;
        // Awaits while it rewrites, as a filter that asks a store would.
        tokio::task::yield_now().await;
        if rewrite != "same" {
            let new = rewritten(&rewrite, body.original());
            body.replace(new);
        }
        Decision::Continue
    }

    fn on_attempt(&self, _attempt: &mut Attempt<'_>, exchange: &Exchange) {
        self.0.panic_in("attempt", exchange);
    }

    fn on_response_head(&self, _head: &ResponseHead<'_>, exchange: &mut Exchange) -> ResponseMode {
        self.0.panic_in("response-head", exchange);
        match self.0.plan(exchange).watch.as_str() {
            "stream" => ResponseMode::Stream(Box::new(Watcher(Arc::clone(&self.0)))),
            "gate" => ResponseMode::Gate,
            _ => ResponseMode::Ignore,
        }
    }

    async fn on_response(&self, response: &mut WholeResponse, exchange: &mut Exchange) -> Decision {
        self.0.panic_in("response", exchange);
        tokio::task::yield_now().await;
        // Taken out and put back: what is sent is what a filter gave, and not what happened to be there.
        let body = BytesMut::from(&response.body.original()[..]).freeze();
        response.body.replace(body);
        Decision::Continue
    }

    async fn on_end(&self, outcome: &Outcome, exchange: &mut Exchange) {
        self.0.ends.lock().expect("ends").entry(exchange.request_id.to_string()).or_default().push(outcome.end.clone());
        self.0.panic_in("end", exchange);
    }
}

/// Passes every frame on.
struct Watcher(Arc<Probe>);

impl ResponseTransform for Watcher {
    fn on_frame(&mut self, frame: Frame, exchange: &mut Exchange, out: &mut Vec<Frame>) {
        self.0.panic_in("response", exchange);
        out.push(frame);
    }

    fn on_finish(&mut self, _ended: Ended, _exchange: &mut Exchange, _out: &mut Vec<Frame>) {}
}
