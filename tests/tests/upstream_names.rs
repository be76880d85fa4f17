//! Host names of endpoints: a name server of the tests says what each name stands for, and upstreams on several loopback
//! addresses say who was asked.

use raptorgate_tests::dns_stub::{Answer, DnsStub};
use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::Request;
use raptorgate_tests::machine;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::upstream::Upstream;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

const NAME: &str = "agents.raptorgate.test";

fn yaml(dns: &DnsStub, port: u16, settings: &str) -> String {
    format!(
        "{}dns: {{ servers: [\"{}\"], refresh: 50ms, timeout: 400ms{settings} }}\nupstreams:\n  backend: {{ endpoints: [{{ address: \"{NAME}:{port}\" }}] }}\n\
         routes:\n  - {{ name: all, match: {{ path: /* }}, upstream: backend, format: json }}\n",
        listeners(),
        dns.address()
    )
}

fn loopback(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, last)
}

fn at(last: u8, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(loopback(last)), port)
}

async fn answering(gateway: &Gateway, count: usize) -> BTreeSet<SocketAddr> {
    let mut answering = BTreeSet::new();
    for _ in 0..count {
        let reply = gateway.send(&Request::get("/x")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        answering.insert(reply.header("x-served-by").parse().expect("an address"));
    }
    answering
}

async fn name(gateway: &Gateway) -> Value {
    gateway.admin(Request::get("/api/v1/upstreams")).await.json()["upstreams"][0]["names"][0].clone()
}

async fn until_name_is(gateway: &Gateway, state: &str) -> Value {
    until(&format!("the name is {state}"), SOON, async || {
        let name = name(gateway).await;
        (name["state"] == state).then_some(name)
    })
    .await
}

#[tokio::test]
async fn every_address_serves_and_a_new_answer_counts_at_once() {
    let dns = DnsStub::start().await;
    let port = machine::free_port();
    let upstreams = [at(2, port), at(3, port), at(4, port)].map(Upstream::start_at);
    dns.set(NAME, Answer::Addresses(vec![loopback(2), loopback(3)]));
    let gateway = Gateway::start(&yaml(&dns, port, "")).await;
    assert_eq!(answering(&gateway, 4).await, [at(2, port), at(3, port)].into());
    dns.set(NAME, Answer::Addresses(vec![loopback(4)]));
    until("the new address serves", SOON, async || {
        (answering(&gateway, 3).await == [at(4, port)].into()).then_some(())
    })
    .await;
    assert_eq!(
        upstreams[2].records()[0]["headers"]["host"],
        gateway.address().to_string(),
        "the client's Host is kept"
    );
    assert!(gateway.metric("raptorgate_upstream_dns_lookups_total").await >= 2.0);
}

#[tokio::test]
async fn what_cannot_be_asked_again_is_used_on_for_a_while() {
    let dns = DnsStub::start().await;
    let port = machine::free_port();
    let upstream = Upstream::start_at(at(2, port));
    for failure in [Answer::NoSuchName, Answer::Failure, Answer::Silence, Answer::Addresses(Vec::new())] {
        dns.set(NAME, Answer::Addresses(vec![loopback(2)]));
        let gateway = Gateway::start(&yaml(&dns, port, "")).await;
        answering(&gateway, 1).await;
        dns.set(NAME, failure.clone());
        let stale = until_name_is(&gateway, "stale").await;
        assert_eq!(stale["addresses"], 1, "{failure:?}");
        assert_eq!(answering(&gateway, 3).await, [upstream.address()].into(), "{failure:?}");
        dns.set(NAME, Answer::Addresses(vec![loopback(2)]));
        until_name_is(&gateway, "fresh").await;
    }
}

#[tokio::test]
async fn a_name_that_stays_lost_has_an_end_and_a_code() {
    let dns = DnsStub::start().await;
    let port = machine::free_port();
    let upstream = Upstream::start_at(at(2, port));
    dns.set(NAME, Answer::Addresses(vec![loopback(2)]));
    let gateway = Gateway::start(&yaml(&dns, port, ", stale_max: 300ms")).await;
    answering(&gateway, 1).await;
    dns.set(NAME, Answer::Failure);
    let expired = until_name_is(&gateway, "expired").await;
    assert_eq!(expired["last_lookup"], "failed");
    until("requests are refused", SOON, async || {
        let reply = gateway.send(&Request::get("/x")).await;
        (reply.status != 200)
            .then(|| assert_eq!((reply.status, reply.error_code().as_str()), (503, "upstream_unresolved")))
    })
    .await;
    dns.set(NAME, Answer::Addresses(vec![loopback(2)]));
    until_name_is(&gateway, "fresh").await;
    assert_eq!(answering(&gateway, 1).await, [upstream.address()].into());
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_to_callers() {
    let dns = DnsStub::start().await;
    let gateway = Gateway::start(&yaml(&dns, 80, "")).await;
    let reply = gateway.send(&Request::get("/x")).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (503, "upstream_unresolved"));
    assert!(!reply.text().contains(NAME), "a caller learns no host name: {}", reply.text());
    until_name_is(&gateway, "expired").await;
}

#[tokio::test]
async fn a_request_never_waits_for_a_slow_name_server() {
    let dns = DnsStub::start().await;
    let port = machine::free_port();
    let _upstream = Upstream::start_at(at(2, port));
    dns.set(NAME, Answer::Addresses(vec![loopback(2)]));
    // one look-up takes 10 s to fail
    let yaml = yaml(&dns, port, "").replace("timeout: 400ms", "timeout: 10s");
    let gateway = Gateway::start(&yaml).await;
    answering(&gateway, 1).await;
    dns.set(NAME, Answer::Silence);
    let asked = dns.asked(NAME);
    until("a look-up hangs", SOON, async || (dns.asked(NAME) > asked).then_some(())).await;
    let began = Instant::now();
    answering(&gateway, 50).await;
    assert!(began.elapsed() < Duration::from_secs(8), "requests waited: {:?}", began.elapsed());
}

#[tokio::test]
async fn the_first_request_waits_for_the_first_answer() {
    let dns = DnsStub::start().await;
    let port = machine::free_port();
    let upstream = Upstream::start_at(at(2, port));
    dns.set(NAME, Answer::Silence);
    let yaml = yaml(&dns, port, "").replace("timeout: 400ms", "timeout: 10s");
    let gateway = Gateway::start(&yaml).await;
    let mut client = gateway.h1().await;
    client.write_head(&Request::get("/x")).await;
    until("the name is asked for", SOON, async || (dns.asked(NAME) >= 1).then_some(())).await;
    // the resolver asks a second time when the first datagram seems lost
    dns.set(NAME, Answer::Addresses(vec![loopback(2)]));
    let reply = client.reply("GET").await.expect("a reply").finish().await;
    assert_eq!(reply.header("x-served-by"), upstream.address().to_string());
    // a name that is never answered: not for longer than connecting may take
    dns.set("lost.raptorgate.test", Answer::Silence);
    let lost = yaml.replace(NAME, "lost.raptorgate.test").replace(" }] }\n", " }], timeouts: { connect: 300ms } }\n");
    let gateway = Gateway::start(&lost).await;
    let reply = gateway.send(&Request::get("/x")).await;
    assert_eq!((reply.status, reply.error_code().as_str()), (503, "upstream_unresolved"));
}

#[tokio::test]
async fn names_live_through_a_reload() {
    let dns = DnsStub::start().await;
    let port = machine::free_port();
    let upstream = Upstream::start_at(at(2, port));
    dns.set(NAME, Answer::Addresses(vec![loopback(2)]));
    let text = yaml(&dns, port, "");
    let gateway = Gateway::start(&text).await;
    answering(&gateway, 1).await;
    dns.set(NAME, Answer::Failure);
    until_name_is(&gateway, "stale").await;
    gateway.write_config(&text.replace("refresh: 50ms", "refresh: 60ms"));
    assert_eq!(gateway.reload().await.status, 200);
    assert_eq!(answering(&gateway, 3).await, [upstream.address()].into(), "the reload forgot the last answer");
}
