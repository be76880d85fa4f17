//! Endpoints that fail, fall ill, vanish and come back, as real processes; what counts is what callers get.

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::machine;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::upstream::Upstream;
use serde_json::Value;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

fn yaml(upstream: &str) -> String {
    format!(
        "{}upstreams:\n  backend: {{ {upstream} }}\nroutes:\n  - {{ name: all, match: {{ path: /* }}, upstream: backend, format: json }}\n",
        listeners()
    )
}

fn endpoints(addresses: &[SocketAddr]) -> String {
    let entries: Vec<String> = addresses.iter().map(|address| format!("{{ address: \"{address}\" }}")).collect();
    format!("endpoints: [{}]", entries.join(", "))
}

/// Wide enough for a busy machine; who comes back has its whole weight at once.
const CHECKS: &str = "health_check: { path: /healthz, interval: 250ms, timeout: 250ms, healthy_after: 2, unhealthy_after: 2 }, \
                      ejection: { slow_start: 0s }";

/// State of each endpoint, in the order of the file.
async fn states(gateway: &Gateway) -> Vec<String> {
    let upstreams = gateway.admin(Request::get("/api/v1/upstreams")).await.json();
    let endpoints = upstreams["upstreams"][0]["endpoints"].as_array().expect("endpoints").clone();
    endpoints.iter().map(|e| e["state"].as_str().expect("a state").to_owned()).collect()
}

async fn until_states(gateway: &Gateway, wanted: &[&str]) {
    until(&format!("the endpoints are {wanted:?}"), SOON, async || (states(gateway).await == wanted).then_some(()))
        .await;
}

/// Who answers the next `count` requests.
async fn answering(gateway: &Gateway, count: usize) -> BTreeSet<SocketAddr> {
    let mut answering = BTreeSet::new();
    for _ in 0..count {
        let reply = gateway.send(&Request::get("/x")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        answering.insert(reply.header("x-served-by").parse().expect("an address"));
    }
    answering
}

#[tokio::test]
async fn a_sick_endpoint_gets_nothing_until_it_is_well() {
    for protocol in ["http1", "http2"] {
        let (one, two) = (Upstream::start(), Upstream::start());
        let upstream = format!("{}, protocol: {protocol}, {CHECKS}", endpoints(&[one.address(), two.address()]));
        let gateway = Gateway::start(&yaml(&upstream)).await;
        assert_eq!(answering(&gateway, 4).await.len(), 2);
        one.say("sick").await;
        until_states(&gateway, &["unhealthy", "in"]).await;
        assert_eq!(answering(&gateway, 6).await, [two.address()].into(), "{protocol}");
        until("the gauge says so", SOON, async || {
            let text = gateway.ops("/metrics").await.text().to_owned();
            text.contains("raptorgate_upstream_endpoints{state=\"unhealthy\",upstream=\"backend\"} 1").then_some(())
        })
        .await;
        assert_eq!(gateway.ops("/readyz").await.status, 200, "readiness is the gateway's own");
        one.say("well").await;
        until_states(&gateway, &["in", "in"]).await;
        assert_eq!(answering(&gateway, 4).await.len(), 2, "{protocol}");
        let check = one.records().into_iter().find(|r| r["target"] == "/healthz").expect("a check");
        assert_eq!(check["headers"]["host"], one.address().to_string(), "{protocol}");
        if protocol == "http2" {
            assert_eq!(check["headers"]["x-scheme"], "http", "there is no TLS");
        }
        assert!(check["headers"]["user-agent"].as_str().expect("a name").starts_with("raptorgate-health-check/"));
    }
}

#[tokio::test]
async fn checks_leave_no_connection_behind() {
    for protocol in ["http1", "http2"] {
        let one = Upstream::start();
        let checks = CHECKS.replace("interval: 250ms, timeout: 250ms", "interval: 10ms, timeout: 10ms");
        let upstream = format!("{}, protocol: {protocol}, {checks}", endpoints(&[one.address()]));
        let gateway = Gateway::start(&yaml(&upstream)).await;
        let checked = async |least: f64| {
            until("checks were made", SOON, async || {
                (gateway.metric("raptorgate_upstream_health_checks_total").await >= least).then_some(())
            })
            .await;
            machine::open_files(gateway.pid())
        };
        let before = checked(10.0).await;
        let after = checked(110.0).await;
        assert!(after <= before + 10, "{protocol}: {before} open files, and {after} a hundred checks later");
        let records = one.records();
        let connections: BTreeSet<u64> = records.iter().filter_map(|r| r["connection"].as_u64()).collect();
        assert_eq!(connections.len(), records.len(), "{protocol}: a check came on an old connection");
    }
}

#[tokio::test]
async fn a_dead_endpoint_is_found_before_a_request_is() {
    let alive = Upstream::start();
    let upstream = format!("{}, {CHECKS}, retries: 0", endpoints(&[machine::dead_address(), alive.address()]));
    let gateway = Gateway::start(&yaml(&upstream)).await;
    until_states(&gateway, &["unhealthy", "in"]).await;
    // without retries, one request at the dead one would be a 502
    assert_eq!(answering(&gateway, 10).await, [alive.address()].into());
    assert_eq!(gateway.metric("raptorgate_upstream_attempts_total").await, 10.0);
}

#[tokio::test]
async fn if_all_are_sick_all_are_asked() {
    let (one, two) = (Upstream::start(), Upstream::start());
    let upstream = format!("{}, {CHECKS}", endpoints(&[one.address(), two.address()]));
    let gateway = Gateway::start(&yaml(&upstream)).await;
    one.say("sick").await;
    two.say("sick").await;
    until_states(&gateway, &["unhealthy", "unhealthy"]).await;
    // they say that they are sick, and yet they serve
    assert_eq!(answering(&gateway, 6).await.len(), 2);
    assert_eq!(gateway.metric("raptorgate_upstream_panic_attempts_total").await, 6.0);
}

#[tokio::test]
async fn health_checks_follow_a_reload() {
    let (one, two) = (Upstream::start(), Upstream::start());
    let endpoints = endpoints(&[one.address(), two.address()]);
    let gateway = Gateway::start(&yaml(&format!("{endpoints}, {CHECKS}"))).await;
    one.say("sick").await;
    until_states(&gateway, &["unhealthy", "in"]).await;
    // another path: still sick until that path says otherwise, then well
    gateway.write_config(&yaml(&format!("{endpoints}, {}", CHECKS.replace("/healthz", "/up?reply=json"))));
    assert_eq!(gateway.reload().await.status, 200);
    until("the new path is asked for and nothing else", SOON, async || {
        one.records().iter().rev().take(3).all(|r| r["target"] == "/up?reply=json").then_some(())
    })
    .await;
    until("it is well by the new path", SOON, async || (states(&gateway).await[0] == "in").then_some(())).await;
    // no checks: nobody asks, nobody is unhealthy
    one.say("sick").await;
    gateway.write_config(&yaml(&format!("{endpoints}, {CHECKS}")));
    assert_eq!(gateway.reload().await.status, 200);
    until("it is sick again", SOON, async || (states(&gateway).await[0] == "unhealthy").then_some(())).await;
    gateway.write_config(&yaml(&endpoints));
    assert_eq!(gateway.reload().await.status, 200);
    assert_ne!(states(&gateway).await[0], "unhealthy", "without checks");
    let before = Cell::new(one.records().len());
    until("the checks have ended", SOON, async || {
        let began = Instant::now();
        until("three intervals", SOON, async || (began.elapsed() > Duration::from_millis(800)).then_some(())).await;
        let now = one.records().len();
        (before.replace(now) == now).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_endpoint_that_fails_is_ejected_and_comes_back() {
    let (one, mut two) = (Upstream::start(), Upstream::start());
    let ejection = "ejection: { consecutive_failures: 3, open_for: 1s, slow_start: 0s }";
    let upstream = format!("{}, {ejection}", endpoints(&[one.address(), two.address()]));
    let gateway = Gateway::start(&yaml(&upstream)).await;
    assert_eq!(answering(&gateway, 2).await.len(), 2);
    two.kill();
    // every request is answered by the other one, and after three failures nobody tries any more
    assert_eq!(answering(&gateway, 20).await, [one.address()].into());
    assert_eq!(states(&gateway).await, ["in", "ejected"]);
    assert_eq!(gateway.metric("raptorgate_upstream_ejections_total").await, 1.0);
    two.restart();
    until("it is asked again", SOON, async || answering(&gateway, 2).await.contains(&two.address()).then_some(()))
        .await;
    assert_eq!(states(&gateway).await, ["in", "in"]);
}

#[tokio::test]
async fn an_ejection_outlives_a_reload() {
    let (one, mut two) = (Upstream::start(), Upstream::start());
    let upstream = |retries: u32| {
        let ejection = "ejection: { consecutive_failures: 1, open_for: 1h }";
        yaml(&format!("{}, {ejection}, retries: {retries}", endpoints(&[one.address(), two.address()])))
    };
    let before = upstream(2);
    let after = upstream(0);
    let gateway = Gateway::start(&before).await;
    two.kill();
    answering(&gateway, 4).await;
    assert_eq!(states(&gateway).await, ["in", "ejected"]);
    gateway.write_config(&after);
    assert_eq!(gateway.reload().await.status, 200);
    assert_eq!(states(&gateway).await, ["in", "ejected"]);
    // now that nothing is tried twice, one attempt at the dead one would be a 502
    answering(&gateway, 6).await;
}

#[tokio::test]
async fn a_returning_endpoint_is_asked_less_at_first() {
    let (one, mut two) = (Upstream::start(), Upstream::start());
    // so slow that the test ends at the beginning of it
    let ejection = "ejection: { consecutive_failures: 1, open_for: 100ms, slow_start: 1h }";
    let upstream = format!("{}, {ejection}", endpoints(&[one.address(), two.address()]));
    let gateway = Gateway::start(&yaml(&upstream)).await;
    two.kill();
    answering(&gateway, 4).await;
    two.restart();
    until("it is on its way back", SOON, async || (states(&gateway).await[1] == "returning").then_some(())).await;
    let mut served = 0;
    for _ in 0..110 {
        let reply = gateway.send(&Request::get("/x")).await;
        served += usize::from(reply.header("x-served-by") == two.address().to_string());
    }
    assert!((5..=15).contains(&served), "{served} of 110 requests for a tenth of the weight");
}

#[tokio::test]
async fn a_status_that_says_not_served_counts_and_one_that_does_not_does_not() {
    let (one, two) = (Upstream::start(), Upstream::start());
    let ejection = "ejection: { consecutive_failures: 2, open_for: 1h }";
    let upstream = format!("{}, {ejection}, retries: 0", endpoints(&[one.address(), two.address()]));
    let gateway = Gateway::start(&yaml(&upstream)).await;
    for _ in 0..20 {
        assert_eq!(gateway.send(&Request::post("/x?reply=status&status=500", "{}")).await.status, 500);
        assert_eq!(gateway.send(&Request::post("/x?reply=status&status=429", "{}")).await.status, 429);
    }
    assert_eq!(states(&gateway).await, ["in", "in"], "the backend's own errors are no failures of the endpoint");
    for _ in 0..4 {
        assert_eq!(gateway.send(&Request::post("/x?reply=status&status=503", "{}")).await.status, 503);
    }
    assert_eq!(states(&gateway).await.iter().filter(|s| *s == "ejected").count(), 1, "no more than half");
}

#[tokio::test]
async fn replies_that_break_off_and_time_outs_eject() {
    for reply in ["reset&framing=length", "reset&framing=sse", "nothing", "hang", "half-head", "stall&framing=length"] {
        let (one, two) = (Upstream::start(), Upstream::start());
        let upstream = format!(
            "{}, retries: 0, timeouts: {{ first_byte: 200ms, idle: 200ms }}, ejection: {{ consecutive_failures: 2, open_for: 1h }}",
            endpoints(&[one.address(), two.address()])
        );
        let gateway = Gateway::start(&yaml(&upstream)).await;
        for _ in 0..4 {
            drop(gateway.h1().await.send(&Request::get(format!("/x?reply={reply}"))).await);
        }
        until(&format!("one is ejected by {reply}"), SOON, async || {
            states(&gateway).await.contains(&"ejected".to_owned()).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_retry_goes_elsewhere() {
    let all = [Upstream::start(), Upstream::start(), Upstream::start()];
    let addresses: Vec<SocketAddr> = all.iter().map(Upstream::address).collect();
    let upstream = format!("{}, retries: 2, ejection: off, balance: {{ hash: address }}", endpoints(&addresses));
    let gateway = Gateway::start(&yaml(&upstream)).await;
    // the hash names one endpoint; each attempt of a request still goes to another
    let busy = Request::get("/x?reply=status&status=503").header("x-test-id", "busy");
    assert_eq!(gateway.send(&busy).await.status, 503);
    let counts = async || all.iter().map(|u| u.records_of("busy").len()).collect::<Vec<_>>();
    until("each was asked once", SOON, async || (counts().await == [1, 1, 1]).then_some(())).await;
}

/// Sends GETs until told to stop; how many were answered well, and what the others got.
async fn load(address: SocketAddr, stop: Arc<AtomicBool>, sent: Arc<AtomicUsize>) -> (usize, Vec<String>) {
    let (mut good, mut bad) = (0, Vec::new());
    let mut client = H1::connect(address).await;
    while !stop.load(Relaxed) {
        match client.send(&Request::get("/x")).await {
            Ok(reply) if reply.status == 200 => good += 1,
            Ok(reply) => bad.push(format!("{} {}", reply.status, reply.text())),
            Err(e) => bad.push(format!("{e:?}")),
        }
        if bad.len() > good / 100 {
            client = H1::connect(address).await;
        }
        sent.fetch_add(1, Relaxed);
    }
    (good, bad)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_that_flaps_costs_nobody_a_request() {
    for protocol in ["http1", "http2"] {
        flap(protocol).await;
    }
}

async fn flap(protocol: &str) {
    let (one, two, mut flapping) = (Upstream::start(), Upstream::start(), Upstream::start());
    let upstream = format!(
        "{}, protocol: {protocol}, ejection: {{ consecutive_failures: 3, open_for: 200ms, open_max: 1s, slow_start: 500ms }}",
        endpoints(&[one.address(), two.address(), flapping.address()])
    );
    let gateway = Gateway::start(&yaml(&upstream)).await;
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..8).map(|_| tokio::spawn(load(gateway.address(), stop.clone(), sent.clone()))).collect();
    for _ in 0..8 {
        for restart in [false, true] {
            let from = sent.load(Relaxed);
            until("400 more requests", SOON, async || (sent.load(Relaxed) > from + 400).then_some(())).await;
            if restart { flapping.restart() } else { flapping.kill() }
        }
    }
    stop.store(true, Relaxed);
    let (mut good, mut bad) = (0, Vec::new());
    for client in clients {
        let (more_good, more_bad) = client.await.expect("a client");
        good += more_good;
        bad.extend(more_bad);
    }
    assert!(gateway.metric("raptorgate_upstream_ejections_total").await >= 1.0, "{protocol}: it never flapped");
    assert!(good > 5_000, "{protocol}: {good} requests are too few to tell");
    assert!(bad.len() * 1_000 <= good, "{protocol}: {} of {} failed: {:?}", bad.len(), good + bad.len(), bad.first());
}

#[tokio::test]
async fn the_admin_api_shows_upstreams() {
    let one = Upstream::start();
    let upstream = format!(
        "{}, balance: {{ hash: \"header:x-session\" }}, pool: {{ requests_max: 7 }}",
        endpoints(&[one.address()])
    );
    let gateway = Gateway::start(&yaml(&upstream)).await;
    let mut client = gateway.h1().await;
    let mut held = client.start(&Request::get("/x?reply=sse&n=2&await=held")).await.expect("a head");
    assert!(held.read_until("\"event\":0").await);
    let shown = gateway.admin(Request::get("/api/v1/upstreams")).await.json();
    let upstream = &shown["upstreams"][0];
    assert_eq!(upstream["name"], "backend");
    assert_eq!(upstream["balance"]["hash"], "header:x-session");
    assert_eq!((&upstream["in_flight"], &upstream["requests_max"]), (&Value::from(1), &Value::from(7)));
    let endpoint = &upstream["endpoints"][0];
    assert_eq!(endpoint["address"], one.address().to_string());
    assert_eq!((&endpoint["state"], &endpoint["in_flight"]), (&Value::from("in"), &Value::from(1)));
    one.release("held").await;
    held.finish().await;
}
