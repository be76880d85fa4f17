//! What unit tests of filters begin with.

use crate::exchange::Exchange;
use crate::filter::{Decision, Filter, RequestHead};
use crate::framers::json::JsonLimits;
use crate::payload::Payload;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use raptorgate_config::model::ApiFormat;
use raptorgate_policies::{Denial, Timestamp};
use std::net::{IpAddr, Ipv4Addr};

pub(crate) fn exchange() -> Exchange {
    Exchange::new("r".into(), "route".into(), ApiFormat::OpenAi, Timestamp::default(), IpAddr::V4(Ipv4Addr::LOCALHOST))
}

pub(crate) fn headers(pairs: &[(&'static str, &'static [u8])]) -> HeaderMap {
    let pairs = pairs.iter().filter_map(|(n, v)| Some((HeaderName::from_static(n), HeaderValue::from_bytes(v).ok()?)));
    let mut headers = HeaderMap::new();
    pairs.for_each(|(name, value)| {
        headers.append(name, value);
    });
    headers
}

/// Runs the phases before the upstream that the filter asks for.
pub(crate) async fn run(
    filter: &dyn Filter,
    headers: &HeaderMap,
    body: &str,
    exchange: &mut Exchange,
) -> Result<(), Denial> {
    let head = RequestHead { method: &Method::POST, path: "/", query: None, headers };
    let mut body = Payload::new(Bytes::copy_from_slice(body.as_bytes()), JsonLimits::default());
    let phases = filter.phases();
    let mut decisions = Vec::new();
    if phases.request {
        decisions.push(filter.on_request(&head, exchange).await);
    }
    if phases.request_body {
        decisions.push(filter.on_request_body(&head, &mut body, exchange).await);
    }
    match decisions.into_iter().find(|decision| !matches!(decision, Decision::Continue)) {
        Some(Decision::Deny(denial)) => Err(denial),
        Some(Decision::Continue | Decision::Reply(_)) | None => Ok(()),
    }
}
