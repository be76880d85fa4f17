//! Floods: frames that cost their sender little and the gateway much.

use crate::case::{get, request};
use crate::{Lane, PATIENCE};
use raptorgate_tests::conformance::client;
use raptorgate_tests::conformance::frames::{
    CONTINUATION, DATA, END_STREAM, Fate, HEADERS, PING, PRIORITY, RST_STREAM, RawH2, SETTINGS, WINDOW_UPDATE, block,
    frame, headers, settings,
};
use std::time::Duration;

/// A flood is over before so many frames.
pub const FRAMES: u32 = 10_000;
/// Streams that a client may have open on a connection; twice as many requests are the most that a flood may cost.
const STREAMS: usize = 100;
/// Frames in one write.
const BATCH: u32 = 100;
/// Frames that are on their way have so long to be answered.
const IN_FLIGHT: Duration = Duration::from_secs(2);

/// One kind of flood.
pub struct Flood {
    /// Its name.
    pub name: &'static str,
    /// The advisory or section that it is about.
    pub law: &'static str,
    /// What is sent before it.
    first: Vec<u8>,
    /// Frames in one round.
    frames: u32,
    /// The bytes of a round.
    round: fn(u32) -> Vec<u8>,
}

/// The client's nth stream.
fn stream(n: u32) -> u32 {
    2 * n + 3
}

fn cancelled(n: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream(n), &[0, 0, 0, 8])
}

fn asked(n: u32) -> Vec<u8> {
    headers(stream(n), END_STREAM, &get("/flood"))
}

/// All of them.
pub fn all() -> Vec<Flood> {
    let flood = |name, law, first: Vec<u8>, frames, round| Flood { name, law, first, frames, round };
    let opened = || headers(1, 0, &request("POST", "/flood"));
    vec![
        flood("rapid-reset", "CVE-2023-44487", vec![], 2, |n| [asked(n), cancelled(n)].concat()),
        flood("rapid-reset-of-uploads", "CVE-2023-44487", vec![], 2, |n| {
            [headers(stream(n), 0, &request("POST", "/flood")), cancelled(n)].concat()
        }),
        flood("made-you-reset-by-window", "CVE-2025-8671", vec![], 2, |n| {
            [asked(n), frame(WINDOW_UPDATE, 0, stream(n), &[0; 4])].concat()
        }),
        flood("made-you-reset-by-overflow", "CVE-2025-8671", vec![], 2, |n| {
            [asked(n), frame(WINDOW_UPDATE, 0, stream(n), &[0x7f, 0xff, 0xff, 0xff])].concat()
        }),
        flood("made-you-reset-by-data-behind-end", "CVE-2025-8671", vec![], 2, |n| {
            [asked(n), frame(DATA, 0, stream(n), b"x")].concat()
        }),
        flood("made-you-reset-by-length", "CVE-2025-8671", vec![], 2, |n| {
            let head = [request("POST", "/flood"), vec![("content-length", "1")]].concat();
            [headers(stream(n), 0, &head), frame(DATA, END_STREAM, stream(n), b"too long")].concat()
        }),
        flood("malformed-requests", "RFC 9113 §10.5", vec![], 1, |n| {
            headers(stream(n), END_STREAM, &[(":method", "GET"), ("X-Upper", "1")])
        }),
        flood("ping", "CVE-2019-9512", vec![], 1, |_| frame(PING, 0, 0, &[0; 8])),
        flood("settings", "CVE-2019-9515", vec![], 1, |_| settings(&[(3, 100)])),
        flood("settings-empty", "CVE-2019-9515", vec![], 1, |_| frame(SETTINGS, 0, 0, &[])),
        flood("empty-data", "CVE-2019-9518", opened(), 1, |_| frame(DATA, 0, 1, &[])),
        flood("one-byte-data-padded", "CVE-2019-9518", opened(), 1, |_| frame(DATA, 8, 1, &[0])),
        flood("continuation-empty", "CVE-2024-27316", frame(HEADERS, END_STREAM, 1, &block(&get("/flood"))), 1, |_| {
            frame(CONTINUATION, 0, 1, &[])
        }),
        flood("continuation", "CVE-2024-27316", frame(HEADERS, END_STREAM, 1, &block(&get("/flood"))), 1, |_| {
            frame(CONTINUATION, 0, 1, &block(&[("x-flood", "0123456789")]))
        }),
        flood("window-update", "RFC 9113 §10.5", vec![], 1, |_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        flood("window-update-on-a-stream", "RFC 9113 §10.5", opened(), 1, |_| {
            frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])
        }),
        flood("priority", "CVE-2019-9513", vec![], 1, |n| {
            frame(PRIORITY, 0, stream(n % 50), &[0, 0, 0, u8::from(n % 2 == 0), 1])
        }),
        flood("unknown-frames", "RFC 9113 §5.5", vec![], 1, |_| frame(0x55, 0, 0, &[])),
        flood("reset-of-a-closed-stream", "RFC 9113 §10.5", [opened(), cancelled_first()].concat(), 1, |_| {
            cancelled_first()
        }),
        // the replies cannot be written: streams pile up to their limit, and not beyond
        flood("zero-window", "CVE-2019-9517", settings(&[(4, 0)]), 1, asked),
    ]
}

fn cancelled_first() -> Vec<u8> {
    frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])
}

/// Sends the flood until the connection ends, with looks at others in between.
pub fn judge(lane: &Lane, flood: &Flood) -> Result<(), String> {
    let address = lane.gateway.address();
    let mut client = RawH2::greet(address);
    client.send(&flood.first);
    let (mut sent, mut n) = (0, 0);
    while client.over.is_none() && sent < FRAMES {
        let rounds = BATCH / flood.frames;
        let batch: Vec<u8> = (n..n + rounds).flat_map(flood.round).collect();
        if !client.send(&batch) {
            client.over = Some(Fate::Closed);
        }
        n += rounds;
        sent += rounds * flood.frames;
        let _ = client.read_until(Duration::from_millis(1), |_| false);
        if sent % (20 * BATCH) == 0 {
            probe(lane)?;
        }
    }
    let _ = client.read_until(IN_FLIGHT, |_| false);
    drop_and_probe(lane, client.over, flood, sent)
}

fn drop_and_probe(lane: &Lane, over: Option<Fate>, flood: &Flood, sent: u32) -> Result<(), String> {
    probe(lane)?;
    let seen = lane.upstream.take();
    let requests = seen.requests.iter().filter(|(_, r)| r.head.start.contains("/flood")).count();
    if requests > 2 * STREAMS {
        return Err(format!("the upstream saw {requests} requests of {sent} frames; {over:?}"));
    }
    if flood.name == "zero-window" {
        return Ok(()); // ended by the clock, or by refused streams: what it may cost is what counts
    }
    match over {
        Some(Fate::GoAway(_) | Fate::Closed) => Ok(()),
        other => Err(format!("after {sent} frames: {other:?}; the upstream saw {requests} requests")),
    }
}

fn probe(lane: &Lane) -> Result<(), String> {
    let asked = std::time::Instant::now();
    match client::get(lane.gateway.address(), "/others").map(|r| r.text()) {
        Ok(text) if text == "saw GET /others" && asked.elapsed() < PATIENCE => Ok(()),
        other => Err(format!("a request of somebody else after {:?}: {other:?}", asked.elapsed())),
    }
}
