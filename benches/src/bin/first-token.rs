//! `first-token [STREAMS]`: when the first words of a stream reach its client, with the guards on and off, in interleaved rounds.
//!
//! The upstream sends an event every 2 ms. Looks for `bare-pingora` and `raptorgate` beside itself; `scripts/bench tokens` builds and starts it.

use raptorgate_benches::Failure;
use raptorgate_benches::contender::{Contender, Place};
use raptorgate_benches::upstream::{self, PACED_PATH};
use raptorgate_benches::workload::Workload;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const STREAMS: usize = 60;
const MASK: &str = "mask_pii: { request: { all: replace }, response: { all: replace } }";
const SANITIZE: &str = "sanitize: { action: block }";

/// What a client saw of one stream.
struct Seen {
    /// When its first words came.
    first: Duration,
    /// When the last ones did.
    last: Duration,
}

fn main() -> Result<(), Failure> {
    let streams = std::env::args().nth(1).map_or(Ok(STREAMS), |a| a.parse())?;
    let folder = tempfile::tempdir()?;
    let programs = std::env::current_exe()?.parent().ok_or("no folder of programs")?.to_owned();
    let (folder, upstream) = (folder.path().to_owned(), upstream::start()?);
    let place = Place { programs, folder, upstream, workload: Workload::PostSmall };
    let contenders = [
        Contender::bare_pingora(&place)?,
        Contender::raptorgate("raptorgate, filters off", &place, &[], "off")?,
        Contender::raptorgate("mask_pii, all types", &place, &[MASK], "off")?,
        Contender::raptorgate("sanitize and mask_pii", &place, &[SANITIZE, MASK], "off")?,
    ];
    let mut rows: Vec<(&str, Vec<Seen>)> = contenders.iter().map(|c| (c.name.as_str(), Vec::new())).collect();
    for _ in 0..streams {
        for (contender, row) in contenders.iter().zip(&mut rows) {
            row.1.push(stream(contender.address)?);
        }
    }
    println!("{streams} streams each, an event every 2 ms; milliseconds after the request was sent\n");
    println!("| proxy | first words p50 | p95 | last words p50 |\n|---|---:|---:|---:|");
    for (name, seen) in &rows {
        let at = |of: fn(&Seen) -> Duration, percent: usize| {
            let mut all: Vec<Duration> = seen.iter().map(of).collect();
            all.sort();
            all.get((all.len() * percent / 100).min(all.len().saturating_sub(1))).map_or(0.0, Duration::as_secs_f64)
                * 1e3
        };
        println!("| {name} | {:.2} | {:.2} | {:.2} |", at(|s| s.first, 50), at(|s| s.first, 95), at(|s| s.last, 50));
    }
    Ok(())
}

/// One stream on a connection of its own, read to its end.
fn stream(address: SocketAddr) -> Result<Seen, Failure> {
    let text = "Where is my refund for order 4471? Please look it up and tell me what happens next.";
    let body =
        json!({"model": "gpt-4o-mini", "stream": true, "messages": [{"role": "user", "content": text}]}).to_string();
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    let head = format!(
        "POST {PACED_PATH} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let began = Instant::now();
    socket.write_all((head + &body).as_bytes())?;
    let (mut got, mut seen, mut buffer) = (Vec::new(), Seen { first: Duration::MAX, last: Duration::ZERO }, [0; 16384]);
    while !got.ends_with(b"\r\n0\r\n\r\n") {
        let read = socket.read(&mut buffer)?;
        if read == 0 {
            return Err("a stream that broke off".into());
        }
        let before = words(&got);
        got.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if words(&got) > before {
            seen = Seen { first: seen.first.min(began.elapsed()), last: began.elapsed() };
        }
    }
    if words(&got) < upstream::EVENTS / 2 {
        return Err(format!("a stream without its words: {}", String::from_utf8_lossy(&got)).into());
    }
    Ok(seen)
}

/// Events that carry words.
fn words(stream: &[u8]) -> usize {
    const CONTENT: &[u8] = b"\"content\":\"";
    let pieces = stream.windows(CONTENT.len() + 1).filter(|window| window.starts_with(CONTENT));
    pieces.filter(|window| !window.ends_with(b"\"\"")).count()
}
