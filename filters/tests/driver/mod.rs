//! Drives `mask_pii` the way the pipeline does, and reads what a client would read.

#![allow(dead_code, reason = "each test binary uses its part of this module")]
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests stand outside of test functions")]

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use raptorgate_config::model::{ApiFormat, JsonPaths, MaskPii as Config, Masked, Masking, PiiAction, PiiType};
use raptorgate_config::units::Secret;
use raptorgate_filters::exchange::Exchange;
use raptorgate_filters::filter::{
    BodyKind, Decision, Ended, Filter, RequestHead, ResponseHead, ResponseMode, WholeResponse,
};
use raptorgate_filters::framers::Framer;
use raptorgate_filters::framers::json::JsonLimits;
use raptorgate_filters::mask_pii::MaskPii;
use raptorgate_filters::payload::Payload;
use raptorgate_policies::{Denial, Timestamp};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};

pub fn filter(request: &[(PiiType, PiiAction)], response: &[(PiiType, PiiAction)]) -> MaskPii {
    filter_at(request, response, JsonPaths::default())
}

/// One that looks only at a part of JSON requests.
pub fn filter_at(request: &[(PiiType, PiiAction)], response: &[(PiiType, PiiAction)], paths: JsonPaths) -> MaskPii {
    let masking = |actions: &[(PiiType, PiiAction)]| Masking {
        types: actions
            .iter()
            .map(|(kind, action)| Masked { kind: *kind, action: *action, threshold_percent: 50 })
            .collect(),
        patterns: Vec::new(),
    };
    let key = Some(Secret::new("0123456789abcdef0123456789abcdef"));
    let (request, response) = (masking(request), masking(response));
    let config = Config { request, response, allow: Vec::new(), key, query: true, paths };
    MaskPii::new(&config).unwrap()
}

pub fn exchange() -> Exchange {
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    // a route of the `json` format takes every readable kind of body
    Exchange::new("r".into(), "route".into(), ApiFormat::Json, Timestamp::default(), client)
}

pub fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(n, v)| (n.parse().expect("a name"), HeaderValue::from_static(v))).collect()
}

/// What a client gets of a reply that arrives in these chunks.
pub fn stream_bytes(filter: &MaskPii, kind: BodyKind, chunks: &[&[u8]]) -> Vec<u8> {
    stream_in(filter, kind, chunks, exchange())
}

/// The same for a request that came before.
pub fn stream_in(filter: &MaskPii, kind: BodyKind, chunks: &[&[u8]], mut exchange: Exchange) -> Vec<u8> {
    let head = ResponseHead { status: StatusCode::OK, headers: &HeaderMap::new(), kind };
    let ResponseMode::Stream(mut transform) = filter.on_response_head(&head, &mut exchange) else {
        panic!("a stream is expected");
    };
    let mut framer = Framer::new(kind, JsonLimits::default());
    let mut out = Vec::new();
    for chunk in chunks {
        let mut frames = Vec::new();
        framer.push(Bytes::copy_from_slice(chunk), &mut frames).expect("readable");
        frames.into_iter().for_each(|frame| transform.on_frame(frame, &mut exchange, &mut out));
    }
    let mut frames = Vec::new();
    framer.finish(&mut frames).expect("readable");
    frames.into_iter().for_each(|frame| transform.on_frame(frame, &mut exchange, &mut out));
    transform.on_finish(Ended::Whole, &mut exchange, &mut out);
    let mut bytes = BytesMut::new();
    out.into_iter().for_each(|frame| frame.encode(&mut bytes));
    bytes.to_vec()
}

/// The JSON values in a stream, read by a parser that is not ours.
pub fn events(kind: BodyKind, stream: &str) -> Vec<Value> {
    let data = |line: &'_ str| match kind {
        BodyKind::Sse => line.strip_prefix("data: ").map(str::to_owned),
        _ => Some(line.to_owned()),
    };
    stream.lines().filter_map(data).filter_map(|json| serde_json::from_str(&json).ok()).collect()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

/// What the upstream gets of a request, or the refusal.
pub fn request(filter: &MaskPii, head: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, Denial> {
    request_in(filter, head, body, &mut exchange())
}

/// The same, with what the filter remembers of it.
pub fn request_in(filter: &MaskPii, head: &HeaderMap, body: &[u8], exchange: &mut Exchange) -> Result<Vec<u8>, Denial> {
    let head = RequestHead { method: &Method::POST, path: "/", query: None, headers: head };
    request_at(filter, &head, body, exchange)
}

/// The same with any head.
pub fn request_at(
    filter: &MaskPii,
    head: &RequestHead<'_>,
    body: &[u8],
    exchange: &mut Exchange,
) -> Result<Vec<u8>, Denial> {
    let mut payload = Payload::new(Bytes::copy_from_slice(body), JsonLimits::default());
    match wait(filter.on_request_body(head, &mut payload, exchange)) {
        Decision::Continue => Ok(payload.into_bytes().to_vec()),
        Decision::Deny(denial) => Err(denial),
        Decision::Reply(_) => panic!("mask_pii never answers"),
    }
}

/// What a client gets of a whole reply, or the refusal.
pub fn reply(filter: &MaskPii, headers: HeaderMap, body: &[u8]) -> Result<Vec<u8>, Denial> {
    reply_in(filter, headers, body, &mut exchange())
}

/// The same for a request that came before.
pub fn reply_in(filter: &MaskPii, headers: HeaderMap, body: &[u8], exchange: &mut Exchange) -> Result<Vec<u8>, Denial> {
    let payload = Payload::new(Bytes::copy_from_slice(body), JsonLimits::default());
    let mut whole = WholeResponse { status: StatusCode::OK, headers, body: payload };
    match wait(filter.on_response(&mut whole, exchange)) {
        Decision::Continue => Ok(whole.body.into_bytes().to_vec()),
        Decision::Deny(denial) => Err(denial),
        Decision::Reply(_) => panic!("mask_pii never answers"),
    }
}
