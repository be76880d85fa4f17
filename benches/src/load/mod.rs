//! The client: closed loops that check every reply.

mod handshakes;
mod kept;
mod streams;

use crate::Failure;
use crate::wire::{Message, Reader};
use crate::workload::{Load, Workload};
use bytes::Bytes;
use rustls::ClientConfig;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// What one stretch of load saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// Time from the first byte sent to the last received, each request, sorted. With new connections, from the connect on.
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

/// What is asked of one proxy, and what each reply must be.
#[derive(Clone)]
pub struct Job {
    /// Where it accepts.
    pub address: SocketAddr,
    /// What is asked.
    pub workload: Workload,
    /// The whole request.
    pub request: Bytes,
    /// Body of every reply; `None` as long as any will do.
    pub reply: Option<Bytes>,
    /// For new TLS connections.
    pub tls: Arc<ClientConfig>,
}

impl Job {
    /// A job that takes any reply.
    pub fn new(address: SocketAddr, workload: Workload, tls: Arc<ClientConfig>) -> Self {
        Self { address, workload, request: workload.request(), reply: None, tls }
    }

    /// # Errors
    /// The reply is not the expected one.
    fn check(&self, status: &[u8], body: &[u8]) -> Result<(), Failure> {
        if status == b"200" && self.reply.as_ref().is_none_or(|r| r == body) {
            return Ok(());
        }
        let (status, body) = (String::from_utf8_lossy(status), String::from_utf8_lossy(body));
        Err(format!("{}: wrong reply: {status}, {} bytes: {body}", self.workload.name(), body.len()).into())
    }
}

/// Keeps a proxy busy for a while.
///
/// # Errors
/// A reply was not the expected one, or a connection broke.
pub async fn run(job: &Job, time: Duration) -> Result<Seen, Failure> {
    let until = Instant::now() + time;
    match job.workload.load() {
        Load::Kept(connections) => all(connections, || kept::client(job.clone(), until)).await,
        Load::Handshakes(at_once) => all(at_once, || handshakes::client(job.clone(), until)).await,
        Load::Streams(connections, streams) => {
            all(connections, || streams::connection(job.clone(), streams, until)).await
        }
    }
}

/// Runs so many clients and gathers what they saw.
async fn all<F>(count: usize, client: impl Fn() -> F) -> Result<Seen, Failure>
where
    F: Future<Output = Result<Vec<Duration>, Failure>> + Send + 'static,
{
    let began = Instant::now();
    let clients: Vec<_> = (0..count).map(|_| tokio::spawn(client())).collect();
    let mut seen = Seen::default();
    for client in clients {
        seen.latencies.extend(client.await??);
    }
    seen.took = began.elapsed();
    seen.latencies.sort_unstable();
    Ok(seen)
}

/// The body of one reply on a new connection, whatever it is.
///
/// # Errors
/// It is not a 200.
pub async fn first_reply(job: &Job) -> Result<Bytes, Failure> {
    let job = Job { reply: None, ..job.clone() };
    match job.workload.load() {
        Load::Streams(..) => streams::first_reply(&job).await,
        Load::Handshakes(_) => handshakes::first_reply(&job).await,
        Load::Kept(_) => {
            let mut stream = connect(job.address).await?;
            Ok(Bytes::copy_from_slice(exchange(&job, &mut stream, &mut Reader::default()).await?.body))
        }
    }
}

/// One request and its reply, checked.
async fn exchange<'a, S: AsyncRead + AsyncWrite + Unpin>(
    job: &Job,
    stream: &mut S,
    reader: &'a mut Reader,
) -> Result<Message<'a>, Failure> {
    stream.write_all(&job.request).await?;
    let reply = reader.next(stream).await?.ok_or("the proxy closed a connection without a word")?;
    job.check(reply.second_word(), reply.body)?;
    Ok(reply)
}

async fn connect(address: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
