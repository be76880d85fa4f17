//! The framers: JSON of 1 and 64 KiB parsed and edited, a stream of 100 events cut in two ways.

#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to say")]

use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use raptorgate_filters::filter::BodyKind;
use raptorgate_filters::framers::Framer;
use raptorgate_filters::framers::json::{JsonDoc, JsonLimits};
use std::hint::black_box;

fn body(bytes: usize) -> Bytes {
    let message = r#"{"role":"user","content":"Where is my order? It was \"sent\" on Monday."}"#;
    let messages = vec![message; bytes / message.len()].join(",");
    format!(r#"{{"model":"gpt-4o-mini","messages":[{messages}]}}"#).into()
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("json");
    for kib in [1, 64] {
        let body = body(kib * 1024);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(BenchmarkId::new("parse", kib), |b| {
            b.iter(|| JsonDoc::parse(black_box(body.clone()), &JsonLimits::default()).expect("JSON"));
        });
        let doc = || JsonDoc::parse(body.clone(), &JsonLimits::default()).expect("JSON");
        group.bench_function(BenchmarkId::new("edit", kib), |b| {
            b.iter_batched(
                doc,
                |mut doc| {
                    let model = doc.get(doc.root(), "model").expect("a model");
                    doc.replace_str(model, "gpt-4o");
                    doc.into_bytes()
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

fn stream(criterion: &mut Criterion) {
    let event = "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"}}]}\n\n";
    let stream = Bytes::from(event.repeat(100));
    let mut group = criterion.benchmark_group("sse");
    group.throughput(Throughput::Bytes(stream.len() as u64));
    for (case, chunk) in [("an event a chunk", event.len()), ("cut inside events", 50)] {
        group.bench_function(case, |b| {
            b.iter(|| {
                let mut framer = Framer::new(BodyKind::Sse, JsonLimits::default());
                let mut frames = Vec::with_capacity(101);
                for chunk in stream.chunks(chunk) {
                    framer.push(stream.slice_ref(chunk), &mut frames).expect("a stream");
                }
                framer.finish(&mut frames).expect("a stream");
                frames.len()
            });
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    parse(&mut criterion);
    stream(&mut criterion);
    criterion.final_summary();
}
