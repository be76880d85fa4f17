//! Which endpoint is asked, and how much at once: weights, least requests, hashing, bounds, connections. What counts is
//! the upstreams' own log.

use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::Request;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::reply::Reply;
use raptorgate_tests::upstream::Upstream;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

fn yaml(upstream: &str, route: &str) -> String {
    format!(
        "{}upstreams:\n  backend: {{ {upstream} }}\nroutes:\n  - {{ name: all, match: {{ path: /* }}, upstream: backend, format: json{route} }}\n",
        listeners()
    )
}

/// `endpoints: […]` with these weights.
fn endpoints(upstreams: &[&Upstream], weights: &[u32]) -> String {
    let entry =
        |(upstream, weight): (&&Upstream, &u32)| format!("{{ address: \"{}\", weight: {weight} }}", upstream.address());
    format!("endpoints: [{}]", upstreams.iter().zip(weights).map(entry).collect::<Vec<_>>().join(", "))
}

/// How many requests each has served, as soon as they are `total`.
async fn served(upstreams: &[&Upstream], total: usize) -> Vec<usize> {
    until(&format!("{total} requests were served"), SOON, async || {
        let counts: Vec<usize> = upstreams.iter().map(|upstream| upstream.records().len()).collect();
        (counts.iter().sum::<usize>() == total).then_some(counts)
    })
    .await
}

fn served_by(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("x-served-by").to_owned()
}

#[tokio::test]
async fn requests_are_spread_by_weight() {
    let all = [Upstream::start(), Upstream::start(), Upstream::start()];
    let all: Vec<&Upstream> = all.iter().collect();
    let gateway = Gateway::start(&yaml(&endpoints(&all, &[5, 2, 1]), "")).await;
    let mut client = gateway.h1().await;
    for _ in 0..80 {
        assert_eq!(client.send(&Request::get("/x")).await.expect("a reply").status, 200);
    }
    assert_eq!(served(&all, 80).await, [50, 20, 10]);
}

#[tokio::test]
async fn least_requests_leaves_the_busy_one_alone() {
    let (busy, idle) = (Upstream::start(), Upstream::start());
    let upstream = endpoints(&[&busy, &idle], &[1, 1]) + ", balance: least_requests";
    let gateway = Gateway::start(&yaml(&upstream, "")).await;
    // the first of two equals gets the long one
    let mut held = gateway.h1().await;
    let mut stream = held.start(&Request::get("/x?reply=sse&n=2&await=held")).await.expect("a head");
    assert!(stream.read_until("\"event\":0").await);
    let holder = stream.reply.header("x-served-by").to_owned();
    for _ in 0..10 {
        assert_ne!(served_by(&gateway.send(&Request::get("/x")).await), holder);
        // a request counts until just after its last byte has left
        until("only the long one is in flight", SOON, async || {
            (gateway.metric("raptorgate_upstream_requests_in_flight").await == 1.0).then_some(())
        })
        .await;
    }
    let holds = if holder == busy.address().to_string() { &busy } else { &idle };
    holds.release("held").await;
    assert_eq!(stream.finish().await.status, 200);
    until("both are asked again", SOON, async || {
        (served_by(&gateway.send(&Request::get("/x")).await) == holder).then_some(())
    })
    .await;
}

#[tokio::test]
async fn least_requests_is_told_how_much_each_can_bear() {
    let (small, large) = (Upstream::start(), Upstream::start());
    let upstream = endpoints(&[&small, &large], &[1, 3]) + ", balance: least_requests";
    let gateway = Gateway::start(&yaml(&upstream, "")).await;
    let mut clients = Vec::new();
    let mut holders: BTreeMap<String, usize> = BTreeMap::new();
    for n in 0..16 {
        let mut client = gateway.h1().await;
        let mut stream = client.start(&Request::get(format!("/x?reply=sse&n=2&await=held{n}"))).await.expect("a head");
        assert!(stream.read_until("\"event\":0").await);
        *holders.entry(stream.reply.header("x-served-by").to_owned()).or_default() += 1;
        drop(stream);
        clients.push(client);
    }
    assert_eq!((holders[&small.address().to_string()], holders[&large.address().to_string()]), (4, 12));
}

#[tokio::test]
async fn a_session_stays_where_it_is() {
    let all = [Upstream::start(), Upstream::start(), Upstream::start()];
    let all: Vec<&Upstream> = all.iter().collect();
    let upstream =
        |count: usize| endpoints(&all[..count], &[1, 1, 1][..count]) + ", balance: { hash: \"header:x-session\" }";
    let gateway = Gateway::start(&yaml(&upstream(3), "")).await;
    let owners = async |gateway: &Gateway| {
        let mut owners = Vec::new();
        for n in 0..60 {
            let request = Request::get("/x").header("x-session", format!("s-{n}"));
            let owner = served_by(&gateway.send(&request).await);
            assert_eq!(served_by(&gateway.send(&request).await), owner, "the second request of a session");
            owners.push(owner);
        }
        owners
    };
    let before = owners(&gateway).await;
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 3, "all have sessions");
    gateway.write_config(&yaml(&upstream(2), ""));
    assert_eq!(gateway.reload().await.status, 200);
    let after = owners(&gateway).await;
    let gone = all[2].address().to_string();
    for (before, after) in before.iter().zip(&after) {
        assert!(before == after || *before == gone, "a session moved from {before} to {after}");
    }
    // without a session: in turn
    let turns: Vec<String> =
        [served_by(&gateway.send(&Request::get("/x")).await), served_by(&gateway.send(&Request::get("/x")).await)]
            .into();
    assert_ne!(turns[0], turns[1]);
}

#[tokio::test]
async fn a_user_and_an_address_have_an_endpoint_of_their_own() {
    let all = [Upstream::start(), Upstream::start(), Upstream::start()];
    let all: Vec<&Upstream> = all.iter().collect();
    let keys: Vec<String> =
        (0..12).map(|n| format!("{{ id: k{n}, key: key-{n}, tenant: acme, user: user-{n} }}")).collect();
    let route = format!(", authenticate: {{ api_keys: [{}] }}", keys.join(", "));
    let by_user = endpoints(&all, &[1, 1, 1]) + ", balance: { hash: user }";
    let gateway = Gateway::start(&(yaml(&by_user, &route) + "tenants: { acme: {} }\n")).await;
    let mut owners = BTreeSet::new();
    for n in 0..12 {
        let request = Request::get("/x").header("x-api-key", format!("key-{n}"));
        let owner = served_by(&gateway.send(&request).await);
        assert_eq!(served_by(&gateway.send(&request).await), owner);
        owners.insert(owner);
    }
    assert!(owners.len() > 1, "all users have one owner");
    let by_address = endpoints(&all, &[1, 1, 1]) + ", balance: { hash: address }";
    let gateway = Gateway::start(&yaml(&by_address, "")).await;
    let mut owners = BTreeSet::new();
    for _ in 0..6 {
        owners.insert(served_by(&gateway.send(&Request::get("/x")).await));
    }
    assert_eq!(owners.len(), 1, "one client address, one endpoint");
}

/// `pool` of one request at once.
fn narrow(upstream: &Upstream, pool: &str) -> String {
    yaml(&format!("{}, pool: {{ {pool} }}", endpoints(&[upstream], &[1])), "")
}

async fn waiting(gateway: &Gateway, number: f64) {
    until(&format!("{number} wait"), SOON, async || {
        (gateway.metric("raptorgate_upstream_requests_waiting").await == number).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_has_no_room_waits_and_what_cannot_wait_is_refused() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&narrow(&upstream, "requests_max: 1, pending_max: 1, pending_timeout: 15s")).await;
    let mut first = gateway.h1().await;
    let mut inside = first.start(&Request::get("/x?reply=sse&n=2&await=one")).await.expect("a head");
    assert!(inside.read_until("\"event\":0").await);
    let mut second = gateway.h1().await;
    second.write_head(&Request::get("/second").header("x-test-id", "second")).await;
    waiting(&gateway, 1.0).await;
    let third = gateway.send(&Request::get("/third").header("x-test-id", "third")).await;
    assert_eq!((third.status, third.error_code().as_str()), (503, "upstream_overloaded"));
    assert!(!third.header("retry-after").is_empty());
    assert_eq!(gateway.metric("raptorgate_upstream_requests_in_flight").await, 1.0);
    assert!(upstream.records_of("second").is_empty(), "it is at the upstream beyond the bound");
    upstream.release("one").await;
    assert_eq!(inside.finish().await.status, 200);
    assert_eq!(second.reply("GET").await.expect("its turn").finish().await.status, 200);
    waiting(&gateway, 0.0).await;
    assert!(upstream.records_of("third").is_empty(), "a refused request was sent");
    assert_eq!(gateway.metric("raptorgate_upstream_overflows_total").await, 1.0);
}

#[tokio::test]
async fn nobody_waits_for_room_longer_than_said() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&narrow(&upstream, "requests_max: 1, pending_timeout: 300ms")).await;
    let mut first = gateway.h1().await;
    let mut inside = first.start(&Request::get("/x?reply=sse&n=2&await=one")).await.expect("a head");
    assert!(inside.read_until("\"event\":0").await);
    let began = Instant::now();
    let refused = gateway.send(&Request::post("/x", "{}")).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (503, "upstream_overloaded"));
    assert!(began.elapsed() >= Duration::from_millis(300), "it did not wait at all");
    // more room by a reload, while the first is still in
    gateway.write_config(&narrow(&upstream, "requests_max: 2, pending_timeout: 300ms"));
    assert_eq!(gateway.reload().await.status, 200);
    assert_eq!(gateway.send(&Request::get("/x")).await.status, 200);
}

#[tokio::test]
async fn waiting_for_room_is_not_waiting_for_the_first_byte() {
    let upstream = Upstream::start();
    let block = format!(
        "{}, pool: {{ requests_max: 1, pending_timeout: 60s }}, timeouts: {{ first_byte: 150ms }}",
        endpoints(&[&upstream], &[1])
    );
    let gateway = Gateway::start(&yaml(&block, "")).await;
    let mut first = gateway.h1().await;
    let mut inside = first.start(&Request::get("/x?reply=sse&n=2&await=one")).await.expect("a head");
    assert!(inside.read_until("\"event\":0").await);
    let mut second = gateway.h1().await;
    second.write_head(&Request::get("/x")).await;
    waiting(&gateway, 1.0).await;
    let began = Instant::now();
    until("three times the time-out", SOON, async || (began.elapsed() > Duration::from_millis(450)).then_some(()))
        .await;
    upstream.release("one").await;
    assert_eq!(second.reply("GET").await.expect("its turn").finish().await.status, 200);
    inside.finish().await;
}

#[tokio::test]
async fn who_leaves_the_queue_makes_room() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&narrow(&upstream, "requests_max: 1, pending_max: 1, pending_timeout: 60s")).await;
    let mut first = gateway.h1().await;
    let mut inside = first.start(&Request::get("/x?reply=sse&n=2&await=one")).await.expect("a head");
    assert!(inside.read_until("\"event\":0").await);
    let mut left = gateway.h1().await;
    left.write_head(&Request::get("/x").header("x-test-id", "left")).await;
    waiting(&gateway, 1.0).await;
    drop(left);
    waiting(&gateway, 0.0).await;
    let mut third = gateway.h1().await;
    third.write_head(&Request::get("/x")).await;
    waiting(&gateway, 1.0).await;
    upstream.release("one").await;
    assert_eq!(third.reply("GET").await.expect("its turn").finish().await.status, 200);
    assert!(upstream.records_of("left").is_empty(), "nobody waits for this reply");
}

#[tokio::test]
async fn connections_are_bounded_and_used_again() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&narrow(&upstream, "requests_max: 5, pending_timeout: 20s")).await;
    let address = gateway.address();
    let clients = (0..40).map(|_| {
        tokio::spawn(async move {
            for _ in 0..10 {
                let mut client = raptorgate_tests::h1::H1::connect(address).await;
                assert_eq!(client.send(&Request::get("/x?delay_ms=2")).await.expect("a reply").status, 200);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("a client");
    }
    let records = upstream.records();
    let connections: BTreeSet<u64> = records.iter().filter_map(|r| r["connection"].as_u64()).collect();
    assert_eq!(records.len(), 400);
    assert!(connections.len() <= 5, "{} connections for 5 requests at once", connections.len());
    let metric = async |kind: &str| {
        let text = gateway.ops("/metrics").await.text().to_owned();
        let line = format!("raptorgate_upstream_connections_total{{kind=\"{kind}\",upstream=\"backend\"}} ");
        text.lines().find_map(|l| l.strip_prefix(&line)?.parse::<usize>().ok()).expect("the metric")
    };
    assert_eq!((metric("opened").await, metric("reused").await), (connections.len(), 400 - connections.len()));
}

#[tokio::test]
async fn an_idle_connection_is_closed_in_time() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&narrow(&upstream, "idle_timeout: 200ms")).await;
    let connection = async |id: &str| {
        assert_eq!(gateway.send(&Request::get("/x").header("x-test-id", id)).await.status, 200);
        upstream.record(id).await["connection"].as_u64().expect("a number")
    };
    let first = connection("first").await;
    let mut n = 0;
    until("a new connection is opened", SOON, || {
        n += 1;
        let id = format!("later-{n}");
        let began = Instant::now();
        let connection = &connection;
        async move {
            // each look is a request of its own; only a pause longer than the idle time-out shows it
            until("a pause", SOON, async || (began.elapsed() > Duration::from_millis(400)).then_some(())).await;
            (connection(&id).await != first).then_some(())
        }
    })
    .await;
}

#[tokio::test]
async fn http2_requests_share_connections_up_to_the_streams_said() {
    for (streams_max, wanted) in [(100, 1), (4, 5)] {
        let upstream = Upstream::start();
        let block =
            format!("{}, protocol: http2, pool: {{ streams_max: {streams_max} }}", endpoints(&[&upstream], &[1]));
        let gateway = Gateway::start(&yaml(&block, "")).await;
        let mut clients = Vec::new();
        // one after the other, so that each finds the connections of those before it
        for n in 0..20 {
            let mut client = gateway.h1().await;
            client.write_head(&Request::get(format!("/x?await=h{n}"))).await;
            upstream.until_waiting(&format!("h{n}")).await;
            clients.push(client);
        }
        for (n, client) in clients.iter_mut().enumerate() {
            upstream.release(&format!("h{n}")).await;
            assert_eq!(client.reply("GET").await.expect("a head").finish().await.status, 200);
        }
        let records = upstream.records();
        let connections: BTreeSet<u64> = records.iter().filter_map(|r| r["connection"].as_u64()).collect();
        assert_eq!((records.len(), connections.len()), (20, wanted), "{streams_max} streams per connection");
    }
}

#[tokio::test]
async fn an_upstream_with_a_host_of_its_own_gets_it() {
    let upstream = Upstream::start();
    for protocol in ["http1", "http2"] {
        let yaml = format!(
            "{}upstreams: {{ api: {{ endpoints: [{{ address: \"{}\" }}], protocol: {protocol}, host: api.example.com, \
             health_check: {{ path: /healthz }} }} }}\n\
             routes: [{{ name: all, match: {{ path: /* }}, upstream: api, format: json }}]\n",
            listeners(),
            upstream.address()
        );
        let gateway = Gateway::start(&yaml).await;
        for client in ["h1", "h2"] {
            let id = format!("own-host-{protocol}-{client}");
            let request = Request::get("/x").header("x-test-id", &id);
            let reply = match client {
                "h1" => gateway.send(&request).await,
                _ => gateway.h2().await.send(&request).await.expect("a reply"),
            };
            assert_eq!(reply.status, 200, "{id}");
            let record = upstream.record(&id).await;
            assert_eq!(record["headers"]["host"], "api.example.com", "{id}");
            let forwarded = record["headers"]["x-forwarded-host"].as_str().expect("what the client asked for");
            assert!(forwarded.starts_with("127.0.0.1") || forwarded == "gateway.test", "{id}: {forwarded}");
        }
        let check = until("a check", SOON, async || {
            upstream
                .records()
                .into_iter()
                .find(|r| r["target"] == "/healthz" && r["headers"]["host"] == "api.example.com")
        });
        check.await;
    }
}
