//! The embedded store: one request let in, and one charged, with three budgets and two rate limits; each change is in the
//! journal's file when the call returns.

#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot be set up has nothing to say")]

use criterion::{BatchSize, Criterion};
use raptorgate_config::Origin;
use raptorgate_policies::Timestamp;
use raptorgate_policies::admission::{Caller, Needs, Plan, Prepared, Used};
use raptorgate_policies::ledger::{Admission, Certainty, LedgerId, Nanos, Note};
use raptorgate_policies::store::embedded::{Embedded, EmbeddedOptions};
use raptorgate_policies::store::{Admissions, Ending, Now, Settlements};
use std::cell::RefCell;
use std::hint::black_box;

const YAML: &str = "version: 1
listeners: [{ address: 127.0.0.1:1 }]
tenants: { acme: { timezone: Asia/Kolkata } }
upstreams: { u: { endpoints: [{ address: 127.0.0.1:1 }] } }
routes:
  - name: chat
    match: { path: /v1/chat/completions }
    upstream: u
    authenticate: { api_keys: [{ id: k, key: k, tenant: acme, user: asha }] }
    meter: {}
    budgets:
      - { name: a, per: tenant, limit: 9000000000 INR, window: month }
      - { name: b, per: user, limit: 9000000000 INR, window: day }
      - { name: c, per: key, limit: 9000000000 INR, window: total }
    rate_limits:
      - { name: d, per: key, requests: 1000000000, window: 1s }
      - { name: e, per: user, tokens: 1000000000000, window: 1s }
";

fn plan() -> Plan {
    let origin = Origin { file: "bench.yaml".into(), folder: ".".into() };
    let config = raptorgate_config::parse(YAML, &origin, &|_| None).expect("valid").config;
    Plan::new(config.routes.first().expect("a route"), &config).expect("it has budgets")
}

fn request(plan: &Plan) -> Prepared {
    let caller = Caller { tenant: "acme", user: "asha", key: "k", end_user: None, execution: "run" };
    let needs = Needs {
        cost_max: Nanos::new(40_000_000),
        cost_predicted: Nanos::new(10_000_000),
        cost_prompt: Nanos::new(1_000_000),
        tokens: 1_000,
        ..Needs::default()
    };
    let note = Note::new(r#"{"route":"chat","user":"asha","key":"k","model":"gpt-4o-mini"}"#).expect("a note");
    plan.prepare(LedgerId::mint(), caller, needs, Timestamp::now(), note)
}

fn settled(prepared: &Prepared) -> Ending {
    let used = Used { cost: Nanos::new(7_000_000), tokens: 800 };
    let note = Note::new(r#"{"model":"gpt-4o-mini","input":600,"output":200}"#).expect("a note");
    Ending::Settle(prepared.settle(used, Certainty::Exact, note))
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Embedded::open(folder.path(), EmbeddedOptions::default()).expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let plan = plan();
    let admit = |prepared: &Prepared| match runtime.block_on(store.admit(&prepared.tenant, &prepared.admit, Now::Store))
    {
        Ok(Admission::Admitted(admitted)) => admitted,
        other => panic!("{other:?}"),
    };
    let finish = |prepared: &Prepared, ending: &Ending| {
        runtime.block_on(store.finish(&prepared.tenant, std::slice::from_ref(ending), Now::Store)).expect("settled")
    };
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("ledger");
    group.bench_function("prepare", |b| b.iter(|| black_box(request(&plan))));
    let last: RefCell<Option<Prepared>> = RefCell::default();
    group.bench_function("admit", |b| {
        // what was let in before is ended outside of the measure, so that as many run as in a gateway
        let next = || {
            if let Some(before) = last.take() {
                finish(&before, &settled(&before));
            }
            request(&plan)
        };
        let let_in = |prepared: Prepared| {
            black_box(admit(&prepared));
            last.replace(Some(prepared));
        };
        b.iter_batched(next, let_in, BatchSize::PerIteration);
    });
    group.bench_function("settle", |b| {
        let next = || {
            let prepared = request(&plan);
            admit(&prepared);
            let ending = settled(&prepared);
            (prepared, ending)
        };
        b.iter_batched(next, |(prepared, ending)| finish(&prepared, &ending), BatchSize::PerIteration);
    });
    group.finish();
    criterion.final_summary();
}
