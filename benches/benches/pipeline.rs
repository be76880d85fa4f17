//! The pipeline without sockets: one request of 1 KiB through the request phases, with each set of filters.

#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot be set up has nothing to say")]

use bytes::Bytes;
use criterion::Criterion;
use http::{HeaderMap, HeaderValue, Method};
use raptorgate_benches::contender::API_KEY;
use raptorgate_benches::upstream::{BODY_BYTES, padded};
use raptorgate_config::Origin;
use raptorgate_config::model::{ApiFormat, Route};
use raptorgate_filters::authenticate::Authenticate;
use raptorgate_filters::exchange::Exchange;
use raptorgate_filters::filter::{Decision, Filter, RequestHead};
use raptorgate_filters::framers::json::JsonLimits;
use raptorgate_filters::mask_pii::MaskPii;
use raptorgate_filters::payload::Payload;
use raptorgate_filters::pipeline::Pipeline;
use raptorgate_filters::sanitize::Sanitize;
use raptorgate_policies::Timestamp;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const YAML: &str = "version: 1
listeners: [{ address: 127.0.0.1:1 }]
tenants: { acme: {} }
upstreams: { u: { endpoints: [{ address: 127.0.0.1:1 }] } }
routes:
  - name: chat
    match: { path: /v1/chat/completions }
    upstream: u
    authenticate: { api_keys: [{ id: k, key: a-key-for-benchmarks-only, tenant: acme, user: asha }] }
    sanitize: { action: strip }
    mask_pii: { request: { email: replace } }
";

fn route() -> Arc<Route> {
    let origin = Origin { file: "bench.yaml".into(), folder: ".".into() };
    let config = raptorgate_config::parse(YAML, &origin, &|_| None).expect("valid").config;
    config.routes.first().expect("a route").clone()
}

/// The filters alone and together, by name.
fn pipelines() -> Vec<(&'static str, Pipeline)> {
    let route = route();
    let authenticate = || Arc::new(Authenticate::new(route.authenticate.as_ref().expect("a block"))) as Arc<dyn Filter>;
    let sanitize =
        || Arc::new(Sanitize::new(route.sanitize.as_ref().expect("a block")).expect("word lists")) as Arc<dyn Filter>;
    let mask_pii =
        || Arc::new(MaskPii::new(route.mask_pii.as_ref().expect("a block")).expect("patterns")) as Arc<dyn Filter>;
    vec![
        ("empty", Pipeline::default()),
        ("authenticate", Pipeline::new(vec![authenticate()])),
        ("sanitize", Pipeline::new(vec![sanitize()])),
        ("mask_pii", Pipeline::new(vec![mask_pii()])),
        ("all three", Pipeline::new(vec![authenticate(), sanitize(), mask_pii()])),
    ]
}

async fn request(pipeline: &Pipeline, headers: &HeaderMap, body: Bytes) -> Bytes {
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut exchange = Exchange::new("r".into(), "chat".into(), ApiFormat::OpenAi, Timestamp::default(), client);
    let head = RequestHead { method: &Method::POST, path: "/v1/chat/completions", query: None, headers };
    let mut body = Payload::new(body, JsonLimits::default());
    let decided = [
        pipeline.on_request(&head, &mut exchange).await,
        pipeline.on_request_body(&head, &mut body, &mut exchange).await,
    ];
    assert!(decided.iter().all(|d| matches!(d, Decision::Continue)), "refused: {decided:?}");
    black_box(pipeline.on_attempt(1, &mut exchange).expect("no filter panics"));
    body.into_bytes()
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let authorization = format!("Bearer {API_KEY}");
    headers.insert("authorization", HeaderValue::from_str(&authorization).expect("a header value"));
    let body = Bytes::from(padded(
        BODY_BYTES,
        |text| serde_json::json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}),
    ));
    let mut group = criterion.benchmark_group("pipeline");
    for (name, pipeline) in pipelines() {
        group.bench_function(name, |b| {
            b.iter(|| runtime.block_on(request(&pipeline, &headers, black_box(body.clone()))));
        });
    }
    group.finish();
    criterion.final_summary();
}
