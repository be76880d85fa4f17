//! The detectors: time for a KiB of text, and for one piece of a stream.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a benchmark that cannot be set up has nothing to say"
)]

use criterion::{Criterion, Throughput};
use raptorgate_guards::injection::{Detector, Options, SourceOfText};
use raptorgate_guards::pii::{Action, Masker, Rules, find};
use serde_json::Value;
use std::hint::black_box;

/// Labelled texts in many languages, about half of them with values.
const LINES: &str = include_str!("../../guards/tests/data/pii_dev.jsonl");

const CLEAN: &str = "The gateway reads each request once, decides what may go on, and writes down what happened. ";
const PIECE_BYTES: usize = 40;

fn texts() -> Vec<String> {
    let text = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        line["text"].as_str().expect("a text").to_owned()
    };
    LINES.lines().map(text).collect()
}

/// Pieces of about [`PIECE_BYTES`], cut between characters.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut from) = (Vec::new(), 0);
    for (at, _) in text.char_indices() {
        if at - from >= PIECE_BYTES {
            pieces.push(&text[from..at]);
            from = at;
        }
    }
    pieces.push(&text[from..]);
    pieces
}

fn personal_data(criterion: &mut Criterion) {
    let rules = Rules::all(Action::Replace);
    let (mixed, clean) = (texts().join("\n"), CLEAN.repeat(1 << 14));
    let mut group = criterion.benchmark_group("pii");
    for (name, text) in [("mixed text", &mixed), ("clean text", &clean)] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| b.iter(|| black_box(find(text, &rules))));
    }
    let pieces = pieces(&mixed);
    group.throughput(Throughput::Elements(pieces.len() as u64));
    group.bench_function("a piece of 40 bytes", |b| {
        b.iter(|| {
            let (mut masker, mut out) = (Masker::new(&rules), String::with_capacity(mixed.len()));
            pieces.iter().for_each(|piece| masker.push(piece, &mut out));
            masker.finish(&mut out);
            black_box(out)
        });
    });
    group.finish();
}

fn injections(criterion: &mut Criterion) {
    let detector = Detector::new(&Options::default()).expect("word lists");
    let texts = texts();
    let bytes: usize = texts.iter().map(String::len).sum();
    let mut group = criterion.benchmark_group("injection");
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("short texts", |b| {
        b.iter(|| texts.iter().for_each(|text| drop(black_box(detector.score(text, SourceOfText::User)))));
    });
    let long = CLEAN.repeat(64);
    group.throughput(Throughput::Bytes(long.len() as u64));
    group.bench_function("a long text", |b| b.iter(|| black_box(detector.score(&long, SourceOfText::ToolOrDocument))));
    group.bench_function("start", |b| b.iter(|| black_box(Detector::new(&Options::default()).expect("word lists"))));
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    personal_data(&mut criterion);
    injections(&mut criterion);
    criterion.final_summary();
}
