//! Scores lines of JSON: `{"id", "text"}` in, `{"id", "score", "flagged", "reasons"}` out.
#![allow(clippy::expect_used, reason = "a program of developers")]

use raptorgate_guards::injection::{Detector, Options, scan};
use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

fn main() {
    let started = Instant::now();
    let detector = Detector::new(&Options::default()).expect("the detector's own data");
    let start = started.elapsed();
    let (mut bytes, mut spent) = (0_usize, Duration::ZERO);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().split(b'\n') {
        let line = String::from_utf8(line.expect("read a line")).expect("lines are UTF-8");
        if line.trim().is_empty() {
            continue;
        }
        let before = Instant::now();
        let answer = scan::line(&detector, &line).expect("a line with a text");
        spent += before.elapsed();
        bytes += line.len();
        writeln!(out, "{answer}").expect("write an answer");
    }
    out.flush().expect("write the answers");
    let kib = u32::try_from(bytes / 1_024).unwrap_or(u32::MAX).max(1);
    eprintln!("start {start:?}; {kib} KiB, {:?} for each, with JSON", spent / kib);
}
