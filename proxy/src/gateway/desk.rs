//! The answer to a request that could not be read: it never becomes a request for Pingora, and is answered, logged and
//! counted here.

use crate::control::Control;
use crate::edge::facts::ConnectionFacts;
use crate::edge::http1::Desk;
use crate::telemetry::access_record::{AccessRecord, Protocol};
use bytes::{Bytes, BytesMut};
use raptorgate_config::model::ApiFormat;
use raptorgate_filters::exchange::End;
use raptorgate_filters::filter::Reply;
use raptorgate_filters::render::render;
use raptorgate_policies::request_id::accept_or_mint;
use raptorgate_policies::{Denial, Timestamp};
use std::sync::Arc;

/// Answers for the running gateway.
pub struct FrontDesk {
    control: Arc<Control>,
}

impl FrontDesk {
    /// Answers with the configuration that holds when it is asked.
    pub fn new(control: Arc<Control>) -> Self {
        Self { control }
    }
}

impl Desk for FrontDesk {
    fn refuse(&self, facts: &ConnectionFacts, denial: &Denial) -> Bytes {
        let request_id = accept_or_mint(None);
        let reply = render(denial, ApiFormat::Json, &request_id);
        let mut record =
            AccessRecord::new(Timestamp::now(), request_id, facts.peer.ip().to_canonical(), Protocol::Http1);
        record.listener = facts.listener.clone();
        record.generation = self.control.runtime().generation.clone();
        record.status = Some(reply.status.as_u16());
        record.bytes_out = reply.body.len() as u64;
        record.set_end(&End::Denied(denial.clone()));
        let shared = self.control.shared();
        shared.metrics.unrouted().record(&record);
        let bytes = written(&reply, &record.generation);
        shared.access_log.write(record);
        bytes
    }
}

/// As HTTP/1.1, after which the connection closes.
fn written(reply: &Reply, generation: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(512);
    let reason = reply.status.canonical_reason().unwrap_or_default();
    out.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", reply.status.as_u16()).as_bytes());
    for (name, value) in &reply.headers {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    let length = reply.body.len();
    let rest =
        format!("content-length: {length}\r\nx-raptorgate-generation: {generation}\r\nconnection: close\r\n\r\n");
    out.extend_from_slice(rest.as_bytes());
    out.extend_from_slice(&reply.body);
    out.freeze()
}
