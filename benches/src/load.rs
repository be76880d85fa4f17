//! The client: a closed loop over kept connections that checks every reply.

use crate::Failure;
use crate::upstream::padded;
use crate::wire::Reader;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Connections that are kept busy.
pub const CONNECTIONS: usize = 32;

/// What one stretch of load saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Time from the first byte sent to the last received, each request, sorted.
    pub latencies: Vec<Duration>,
    /// How long the stretch took.
    pub took: Duration,
}

impl Seen {
    /// A latency that this share of requests stayed below.
    pub fn quantile(&self, share: f64) -> Duration {
        let at = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(at).or(self.latencies.last()).copied().unwrap_or_default()
    }

    /// Requests per second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// The request that is sent over and over.
pub fn request(api_key: &str) -> Arc<[u8]> {
    let body = padded(|text| {
        json!({"model": "gpt-4o-mini", "temperature": 0.2, "messages": [
            {"role": "system", "content": "You answer questions about orders."}, {"role": "user", "content": text}]})
    });
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: bench.test\r\nAuthorization: Bearer {api_key}\r\n\
         User-Agent: bench\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat().into()
}

/// Keeps [`CONNECTIONS`] busy for a while.
///
/// # Errors
/// A reply was not 200, or a connection broke.
pub async fn run(address: SocketAddr, request: &Arc<[u8]>, time: Duration) -> Result<Seen, Failure> {
    let began = Instant::now();
    let clients: Vec<_> =
        (0..CONNECTIONS).map(|_| tokio::spawn(client(address, request.clone(), began + time))).collect();
    let mut seen = Seen::default();
    for client in clients {
        seen.latencies.extend(client.await??);
    }
    seen.took = began.elapsed();
    seen.latencies.sort_unstable();
    Ok(seen)
}

async fn client(address: SocketAddr, request: Arc<[u8]>, until: Instant) -> Result<Vec<Duration>, Failure> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut reader, mut latencies) = (Reader::default(), Vec::with_capacity(4096));
    let mut sent = Instant::now();
    while sent < until {
        stream.write_all(&request).await?;
        let reply = reader.next(&mut stream).await?.ok_or("the proxy closed a connection")?;
        if !reply.starts_with(b"HTTP/1.1 200 ") {
            return Err(format!("not 200: {}", String::from_utf8_lossy(reply)).into());
        }
        let now = Instant::now();
        latencies.push(now - sent);
        sent = now;
    }
    Ok(latencies)
}
