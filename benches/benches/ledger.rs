//! The stores: one request let in, and one charged, with three budgets and two rate limits. Embedded, each change is in the
//! journal's file when the call returns; in Redis, the server's answer is waited for. Then many at once.

#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark that cannot be set up has nothing to say")]

use criterion::{BatchSize, Criterion, Throughput};
use raptorgate_config::Origin;
use raptorgate_policies::Timestamp;
use raptorgate_policies::admission::{Caller, Needs, Plan, Prepared, Used};
use raptorgate_policies::ledger::{Admission, Certainty, LedgerId, Nanos, Note};
use raptorgate_policies::store::embedded::{Embedded, EmbeddedOptions};
use raptorgate_policies::store::redis::{RedisOptions, RedisStore};
use raptorgate_policies::store::{Ending, Now, Store};
use std::cell::RefCell;
use std::hint::black_box;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Requests that run at once where many do.
const TASKS: usize = 64;
/// Settlements that a gateway's journal sends in one round trip.
const BATCH: usize = 64;

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

fn let_in(store: &dyn Store, runtime: &Runtime, prepared: &Prepared) {
    match runtime.block_on(store.admit(&prepared.tenant, &prepared.admit, Now::Store)) {
        Ok(Admission::Admitted(admitted)) => drop(black_box(admitted)),
        other => panic!("{other:?}"),
    }
}

fn finish(store: &dyn Store, runtime: &Runtime, prepared: &Prepared, endings: &[Ending]) {
    let answers = runtime.block_on(store.finish(&prepared.tenant, endings, Now::Store)).expect("settled");
    assert_eq!(answers.len(), endings.len());
}

/// One after the other.
fn singly(criterion: &mut Criterion, name: &str, store: &dyn Store) {
    let (runtime, plan) = (Runtime::new().expect("a runtime"), plan());
    let mut group = criterion.benchmark_group(name);
    let last: RefCell<Option<Prepared>> = RefCell::default();
    group.bench_function("admit", |b| {
        // what was let in before is ended outside of the measure, so that as many run as in a gateway
        let next = || {
            if let Some(before) = last.take() {
                finish(store, &runtime, &before, &[settled(&before)]);
            }
            request(&plan)
        };
        let work = |prepared: Prepared| {
            let_in(store, &runtime, &prepared);
            last.replace(Some(prepared));
        };
        b.iter_batched(next, work, BatchSize::PerIteration);
    });
    group.bench_function("settle", |b| {
        let next = || {
            let prepared = request(&plan);
            let_in(store, &runtime, &prepared);
            let ending = settled(&prepared);
            (prepared, ending)
        };
        let work = |(prepared, ending)| finish(store, &runtime, &prepared, std::slice::from_ref(&ending));
        b.iter_batched(next, work, BatchSize::PerIteration);
    });
    group.finish();
}

/// From many tasks, in batches as a gateway's journal sends them; per settlement.
fn together(criterion: &mut Criterion, name: &str, store: &Arc<dyn Store>) {
    let (runtime, plan) = (Runtime::new().expect("a runtime"), plan());
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1)).sample_size(10).measurement_time(Duration::from_secs(3));
    group.bench_function("settle, many at once", |b| {
        b.iter_custom(|count| {
            let requests: Vec<Prepared> = (0..count).map(|_| request(&plan)).collect();
            requests.iter().for_each(|prepared| let_in(store.as_ref(), &runtime, prepared));
            let Some(tenant) = requests.first().map(|prepared| prepared.tenant.clone()) else { return Duration::ZERO };
            let endings: Vec<Ending> = requests.iter().map(settled).collect();
            let share = endings.len().div_ceil(TASKS).max(1);
            let work = endings.chunks(share).map(|part| (store.clone(), tenant.clone(), part.to_vec()));
            let work: Vec<_> = work.collect();
            let begun = Instant::now();
            runtime.block_on(async {
                let tasks: Vec<_> = work
                    .into_iter()
                    .map(|(store, tenant, part)| {
                        tokio::spawn(async move {
                            for batch in part.chunks(BATCH) {
                                store.finish(&tenant, batch, Now::Store).await.expect("settled");
                            }
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await.expect("a task");
                }
            });
            begun.elapsed()
        });
    });
    group.finish();
}

/// A Redis server that is gone with the value.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server that writes an append-only file, as a gateway asks for, on a socket in this folder.
fn redis(folder: &std::path::Path) -> (Server, RedisStore) {
    let socket = folder.join("socket");
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--unixsocket"]);
    command.arg(&socket).arg("--dir").arg(folder).stdout(Stdio::null());
    let server = Server(command.spawn().expect("redis-server runs (Debian: apt-get install redis-server)"));
    let begun = Instant::now();
    while !socket.exists() {
        assert!(begun.elapsed() < Duration::from_secs(10), "redis-server does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    let options = RedisOptions {
        // a measure is no place for deadlines
        response_timeout: Duration::from_secs(5),
        ..RedisOptions::new(format!("redis+unix://{}", socket.display()))
    };
    (server, RedisStore::new(&options).expect("a store"))
}

fn main() {
    let (folder, data) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let embedded: Arc<dyn Store> =
        Arc::new(Embedded::open(folder.path(), EmbeddedOptions::default()).expect("a store"));
    let mut criterion = Criterion::default().configure_from_args();
    let plan = plan();
    criterion.bench_function("ledger/prepare", |b| b.iter(|| black_box(request(&plan))));
    singly(&mut criterion, "ledger", embedded.as_ref());
    together(&mut criterion, "ledger", &embedded);
    let (_server, store) = redis(data.path());
    let shared: Arc<dyn Store> = Arc::new(store);
    singly(&mut criterion, "redis", shared.as_ref());
    together(&mut criterion, "redis", &shared);
    criterion.final_summary();
}
