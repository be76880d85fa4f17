//! The router: the first, the last and no route among few and many.

#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to say")]

use criterion::{BenchmarkId, Criterion};
use raptorgate::runtime::router::Router;
use raptorgate_config::Origin;
use std::hint::black_box;

/// A router of this many routes, each with its own first segment, half of them with a parameter.
fn router(routes: usize) -> Router {
    let route = |n: usize| match n % 2 {
        0 => format!(
            "  - {{ name: r{n}, match: {{ path: /team{n:04}/v1/chat/completions, methods: [POST] }}, upstream: u }}\n"
        ),
        _ => format!("  - {{ name: r{n}, match: {{ path: '/team{n:04}/users/{{user_id}}' }}, upstream: u }}\n"),
    };
    let routes: String = (0..routes).map(route).collect();
    let yaml = format!(
        "version: 1\nlisteners: [{{ address: 127.0.0.1:1 }}]\nupstreams: {{ u: {{ endpoints: [{{ address: 127.0.0.1:1 }}] }} }}\nroutes:\n{routes}"
    );
    let origin = Origin { file: "bench.yaml".into(), folder: ".".into() };
    let config = raptorgate_config::parse(&yaml, &origin, &|_| None).expect("valid").config;
    Router::new(&config.routes)
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("router");
    for routes in [1, 10, 100] {
        let router = router(routes);
        let last = format!("/team{:04}/users/asha", routes - 1);
        for (case, path) in [("first", "/team0000/v1/chat/completions"), ("last", &last), ("none", "/nothing/here")] {
            group.bench_function(BenchmarkId::new(case, routes), |b| {
                b.iter(|| router.find(black_box("api.example.com"), black_box(path), black_box("POST")));
            });
        }
    }
    group.finish();
    criterion.final_summary();
}
