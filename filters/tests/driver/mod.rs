//! Drives `mask_pii` the way the pipeline does, and reads what a client would read.

#![allow(dead_code, reason = "each test binary uses its part of this module")]
#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests stand outside of test functions")]

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use raptorgate_config::model::{ApiFormat, MaskPii as Config, PiiAction, PiiType};
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
    MaskPii::new(&Config { request: request.to_vec(), response: response.to_vec() })
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
    let mut exchange = exchange();
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
    let mut payload = Payload::new(Bytes::copy_from_slice(body), JsonLimits::default());
    let head = RequestHead { method: &Method::POST, path: "/", query: None, headers: head };
    match wait(filter.on_request_body(&head, &mut payload, &mut exchange())) {
        Decision::Continue => Ok(payload.into_bytes().to_vec()),
        Decision::Deny(denial) => Err(denial),
        Decision::Reply(_) => panic!("mask_pii never answers"),
    }
}

/// What a client gets of a whole reply, or the refusal.
pub fn reply(filter: &MaskPii, headers: HeaderMap, body: &[u8]) -> Result<Vec<u8>, Denial> {
    let payload = Payload::new(Bytes::copy_from_slice(body), JsonLimits::default());
    let mut whole = WholeResponse { status: StatusCode::OK, headers, body: payload };
    match wait(filter.on_response(&mut whole, &mut exchange())) {
        Decision::Continue => Ok(whole.body.into_bytes().to_vec()),
        Decision::Deny(denial) => Err(denial),
        Decision::Reply(_) => panic!("mask_pii never answers"),
    }
}
