//! A new TLS connection for each request.

use super::{Job, connect, exchange};
use crate::Failure;
use crate::tls::HOST;
use crate::wire::Reader;
use bytes::Bytes;
use rustls::HandshakeKind;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsConnector;

/// Connects, asks and closes until then.
pub(super) async fn client(job: Job, until: Instant) -> Result<Vec<Duration>, Failure> {
    let mut reader = Reader::default();
    let mut latencies = Vec::with_capacity(4096);
    let mut sent = Instant::now();
    while sent < until {
        once(&job, &mut reader).await?;
        let now = Instant::now();
        latencies.push(now - sent);
        sent = now;
    }
    Ok(latencies)
}

pub(super) async fn first_reply(job: &Job) -> Result<Bytes, Failure> {
    once(job, &mut Reader::default()).await
}

/// The reply's body, if the job does not know it yet.
async fn once(job: &Job, reader: &mut Reader) -> Result<Bytes, Failure> {
    let stream = connect(job.address).await?;
    let mut stream = TlsConnector::from(job.tls.clone()).connect(HOST.try_into()?, stream).await?;
    let reply = exchange(job, &mut stream, reader).await?;
    let body = if job.reply.is_none() { Bytes::copy_from_slice(reply.body) } else { Bytes::new() };
    if stream.get_ref().1.handshake_kind() != Some(HandshakeKind::Full) {
        return Err("the handshake was not a full one".into());
    }
    stream.shutdown().await?;
    Ok(body)
}
