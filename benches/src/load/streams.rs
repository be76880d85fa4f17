//! Many requests at once on an HTTP/2 connection.

use super::{Job, connect};
use crate::Failure;
use crate::contender::API_KEY;
use bytes::{Bytes, BytesMut};
use h2::client::{Builder, SendRequest};
use http::{Method, Request};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Windows of the client: it never keeps a proxy waiting.
const WINDOW_BYTES: u32 = 16 * 1024 * 1024;

/// Keeps so many streams of one connection busy until then.
pub(super) async fn connection(job: Job, streams: usize, until: Instant) -> Result<Vec<Duration>, Failure> {
    let (sender, body) = (open(job.address).await?, body(&job));
    let tasks: Vec<_> =
        (0..streams).map(|_| tokio::spawn(stream(job.clone(), sender.clone(), body.clone(), until))).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    Ok(latencies)
}

pub(super) async fn first_reply(job: &Job) -> Result<Bytes, Failure> {
    let mut sender = open(job.address).await?;
    once(job, &mut sender, &body(job)).await
}

fn body(job: &Job) -> Bytes {
    job.workload.body().unwrap_or_default().into()
}

async fn open(address: SocketAddr) -> Result<SendRequest<Bytes>, Failure> {
    let mut builder = Builder::new();
    builder.initial_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES).enable_push(false);
    let (sender, connection) = builder.handshake(connect(address).await?).await?;
    // its failures are those of the streams
    tokio::spawn(connection);
    Ok(sender)
}

async fn stream(
    job: Job,
    mut sender: SendRequest<Bytes>,
    body: Bytes,
    until: Instant,
) -> Result<Vec<Duration>, Failure> {
    let mut latencies = Vec::with_capacity(4096);
    let mut sent = Instant::now();
    while sent < until {
        once(&job, &mut sender, &body).await?;
        let now = Instant::now();
        latencies.push(now - sent);
        sent = now;
    }
    Ok(latencies)
}

async fn once(job: &Job, sender: &mut SendRequest<Bytes>, body: &Bytes) -> Result<Bytes, Failure> {
    std::future::poll_fn(|context| sender.poll_ready(context)).await?;
    let (reply, mut request_body) = sender.send_request(request(job, body.len())?, body.is_empty())?;
    if !body.is_empty() {
        request_body.send_data(body.clone(), true)?;
    }
    let reply = reply.await?;
    let status = reply.status();
    let mut incoming = reply.into_body();
    let mut received = BytesMut::new();
    while let Some(piece) = incoming.data().await.transpose()? {
        incoming.flow_control().release_capacity(piece.len())?;
        received.extend_from_slice(&piece);
    }
    job.check(status.as_str().as_bytes(), &received)?;
    Ok(received.freeze())
}

/// The head of [`crate::workload::Workload::request`], as HTTP/2 has it.
fn request(job: &Job, length: usize) -> Result<Request<()>, http::Error> {
    let method = if length == 0 { Method::GET } else { Method::POST };
    Request::builder()
        .method(method)
        .uri(format!("http://bench.test{}", job.workload.path()))
        .header("authorization", format!("Bearer {API_KEY}"))
        .header("user-agent", "bench")
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .header("content-length", length)
        .body(())
}
