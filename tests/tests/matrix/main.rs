//! The permanent matrix of a guarded request: every client framing, upstream, body, rewrite, reply and way to end, with
//! filters of the test's own in the real gateway.
//!
//! # Invariants
//! * Each case is right in what the upstream got, what the client got, whether the connection goes on, and that the
//!   filters were told the end once (`every_case_of_the_matrix_is_right`).

mod cases;
mod filters;
mod judge;

use crate::cases::Route;
use crate::filters::Probe;
use raptorgate_tests::certificates::Authority;
use raptorgate_tests::machine;
use raptorgate_tests::upstream::Upstream;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Cases that run at the same time.
const CONCURRENT: usize = 16;
/// Time after which a case counts as hanging; debug builds hash megabytes slowly.
const CASE_TIMEOUT: Duration = Duration::from_secs(60);
/// Failures that are printed.
const PRINTED_MAX: usize = 25;

/// Everything a case needs.
pub struct Stage {
    upstream: Upstream,
    authority: Authority,
    probe: Arc<Probe>,
    finishes: Finishes,
    plain: SocketAddr,
    tls: SocketAddr,
    _gateway: raptorgate::Gateway,
    _folder: tempfile::TempDir,
}

/// How often the gateway heard that a client had left while it read the upstream on.
#[derive(Default)]
pub struct Finishes {
    heard: AtomicUsize,
    all: AtomicUsize,
}

impl Finishes {
    /// Counts one.
    pub fn note(&self, heard: bool) {
        self.heard.fetch_add(usize::from(heard), Relaxed);
        self.all.fetch_add(1, Relaxed);
    }

    fn assert_mostly_heard(&self) {
        let (heard, all) = (self.heard.load(Relaxed), self.all.load(Relaxed));
        assert!(heard * 10 >= all * 9, "of {all} clients that left, the gateway heard of {heard}");
    }
}

/// One upstream and one route for each kind of upstream and each meaning of a vanished client.
fn config(upstream: SocketAddr) -> String {
    let mut yaml = "version: 1\nlisteners:\n  - { address: '127.0.0.1:0' }\n  - { address: '127.0.0.1:0', tls: { certificate: server.pem, key: server.key } }\n\
                    ops: off\nadmin: { address: '127.0.0.1:0', token: unused-here }\naccess_log: { output: off }\nlimits: { reply: 16 MiB, buffered: 1 GiB }\nupstreams:\n"
        .to_owned();
    let dead = machine::dead_address();
    for route in Route::all() {
        let endpoints = if route.dead_first() {
            format!("{{ address: '{dead}' }}, {{ address: '{upstream}' }}")
        } else {
            format!("{{ address: '{upstream}' }}")
        };
        yaml += &format!(
            "  {}: {{ endpoints: [{endpoints}], protocol: {}, idempotent: {}, retries: 2 }}\n",
            route.name(),
            route.protocol(),
            route.idempotent()
        );
    }
    yaml += "routes:\n";
    for route in Route::all() {
        for end in ["abort", "finish"] {
            let name = route.name();
            yaml += &format!(
                "  - {{ name: {name}-{end}, match: {{ path: /{name}-{end}/* }}, upstream: {name}, format: json, on_disconnect: {end} }}\n"
            );
        }
    }
    yaml
}

/// Panics on purpose are not printed: there are hundreds.
fn silence_panics_on_purpose() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let text = info.payload().downcast_ref::<String>().map(String::as_str).unwrap_or_default();
        if !text.contains("on purpose") {
            print(info);
        }
    }));
}

async fn set_stage() -> Arc<Stage> {
    silence_panics_on_purpose();
    let upstream = Upstream::start();
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new();
    authority.write_leaf(folder.path(), "server", &["gateway.test"]);
    let file = folder.path().join("raptorgate.yaml");
    std::fs::write(&file, config(upstream.address())).expect("write the configuration");
    let probe = Arc::new(Probe::default());
    let loaded = raptorgate_config::load(&file).expect("a valid configuration");
    let gateway =
        raptorgate::Gateway::builder(loaded).filters(filters::all(&probe)).start().await.expect("start the gateway");
    let listeners = gateway.listeners();
    Arc::new(Stage {
        upstream,
        authority,
        probe,
        finishes: Finishes::default(),
        plain: listeners[0],
        tls: listeners[1],
        _gateway: gateway,
        _folder: folder,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_of_the_matrix_is_right() {
    let stage = set_stage().await;
    let places = Arc::new(Semaphore::new(CONCURRENT));
    let mut running = JoinSet::new();
    let cases = cases::all();
    let total = cases.len();
    for case in cases {
        let place = Arc::clone(&places).acquire_owned().await.expect("a place");
        let stage = Arc::clone(&stage);
        running.spawn(async move {
            let _place = place;
            let name = case.to_string();
            // Judged on a task of its own: a panic is this case's failure and not the matrix's end.
            let judged = tokio::spawn(async move {
                let judging = judge::run(&stage, &case);
                tokio::time::timeout(CASE_TIMEOUT, judging).await.expect("the case ends");
            })
            .await;
            judged.err().map(|e| (name, panic_text(e)))
        });
    }
    let failed: Vec<_> = running.join_all().await.into_iter().flatten().collect();
    let shown: Vec<_> = failed.iter().take(PRINTED_MAX).map(|(case, why)| format!("{case}\n      {why}")).collect();
    println!("{total} cases, {} wrong", failed.len());
    stage.finishes.assert_mostly_heard();
    assert!(failed.is_empty(), "{} of {total} cases are wrong:\n  {}", failed.len(), shown.join("\n  "));
}

fn panic_text(e: tokio::task::JoinError) -> String {
    let payload = e.into_panic();
    let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic").to_owned()
}
