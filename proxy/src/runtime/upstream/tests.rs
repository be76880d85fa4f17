//! The endpoints of one upstream, without sockets.

use super::*;
use crate::telemetry::Metrics;
use crate::telemetry::upstream_metrics::LookupResult;

fn set(upstream: &str, state: Option<&Arc<UpstreamState>>) -> Arc<UpstreamSet> {
    let yaml = format!(
        "version: 1\nlisteners: [{{ address: '127.0.0.1:1' }}]\nupstreams: {{ u: {{ {upstream} }} }}\nroutes:\n  \
         - {{ name: r, match: {{ path: /* }}, upstream: u }}\n"
    );
    let origin = raptorgate_config::Origin { file: "test.yaml".into(), folder: ".".into() };
    let config = raptorgate_config::parse(&yaml, &origin, &|_| None).unwrap().config;
    let upstream = config.upstreams["u"].clone();
    let state = state.cloned().unwrap_or_else(|| Arc::new(UpstreamState::new(&upstream.pool)));
    Arc::new(UpstreamSet::new(upstream, config.dns, Metrics::new().unwrap().upstream("u"), state))
}

const THREE: &str = "endpoints: [{ address: '10.0.0.1:80' }, { address: '10.0.0.2:80' }, { address: '10.0.0.3:80' }]";

fn pick(set: &Arc<UpstreamSet>) -> Lease {
    set.pick(Method::RoundRobin, &[], Instant::now()).unwrap()
}

fn ports(set: &UpstreamSet) -> Vec<String> {
    set.members().iter().map(|member| format!("{} {}", member.endpoint.address, member.weight)).collect()
}

/// Fails the endpoint at `address` until it is ejected or seems never to be.
fn fail(set: &Arc<UpstreamSet>, address: &str) {
    for _ in 0..3 * 5 {
        let mut lease = pick(set);
        if lease.address().to_string() == address {
            lease.judge(Verdict::Refused);
        } else {
            lease.judge(Verdict::Served);
        }
    }
}

fn standings(set: &UpstreamSet) -> Vec<&'static str> {
    let now = Instant::now();
    set.members().iter().map(|member| set.standing(&member.endpoint, now).as_str()).collect()
}

#[test]
fn an_attempt_is_in_flight_while_its_lease_lives() {
    let set = set(&format!("{THREE}, balance: least_requests"), None);
    let least = |set: &Arc<UpstreamSet>| set.pick(Method::LeastRequests, &[], Instant::now()).unwrap();
    let leases = [least(&set), least(&set), least(&set)];
    let in_flight = |set: &UpstreamSet| set.members().iter().map(|m| m.endpoint.in_flight()).collect::<Vec<_>>();
    assert_eq!(in_flight(&set), [1, 1, 1]);
    let [first, _second, _third] = leases;
    let address = first.address();
    drop(first);
    assert_eq!(least(&set).address(), address, "the only one that is free");
}

#[test]
fn ejected_endpoints_get_nothing_and_never_more_than_may_be() {
    let set = set(THREE, None);
    fail(&set, "10.0.0.2:80");
    assert_eq!(standings(&set), ["in", "ejected", "in"]);
    for _ in 0..10 {
        assert_ne!(pick(&set).address().to_string(), "10.0.0.2:80");
    }
    // 50 % of three is one
    fail(&set, "10.0.0.1:80");
    assert_eq!(standings(&set), ["in", "ejected", "in"]);
}

#[test]
fn ejection_can_be_off() {
    let set = set(&format!("{THREE}, ejection: off"), None);
    fail(&set, "10.0.0.2:80");
    assert_eq!(standings(&set), ["in"; 3]);
}

#[test]
fn a_reload_forgets_nothing_about_endpoints() {
    let old = set(THREE, None);
    fail(&old, "10.0.0.2:80");
    let in_flight = pick(&old);
    let new = set(&THREE.replace('[', "[{ address: '10.0.0.4:80' }, "), Some(&old.state));
    assert_eq!(standings(&new), ["in", "in", "ejected", "in"]);
    let counts: u32 = new.members().iter().map(|member| member.endpoint.in_flight()).sum();
    assert_eq!(counts, 1, "an attempt under the old configuration is still in flight");
    drop(in_flight);
    assert_eq!(new.members().iter().map(|member| member.endpoint.in_flight()).sum::<u32>(), 0);
}

#[test]
fn every_address_of_a_name_is_an_endpoint() {
    let set = set("endpoints: [{ address: 'agents.x.in:80', weight: 2 }, { address: '10.0.0.9:80', weight: 5 }]", None);
    assert_eq!(ports(&set), ["10.0.0.9:80 5"]);
    let name = set.state.name("agents.x.in");
    let learn = |addresses: &[&str]| {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        if name.learn(Ok(addresses), Duration::ZERO, Instant::now()) == crate::upstreams::names::Learned::Changed {
            set.state.changed();
        }
    };
    learn(&["10.0.0.2", "10.0.0.1"]);
    assert_eq!(ports(&set), ["10.0.0.1:80 2", "10.0.0.2:80 2", "10.0.0.9:80 5"]);
    learn(&["10.0.0.9", "fd00::1"]);
    assert_eq!(ports(&set), ["10.0.0.9:80 5", "[fd00::1]:80 2"], "an address of two entries is one endpoint");
    name.learn(Err(LookupResult::Failed), Duration::ZERO, Instant::now());
    set.state.changed();
    assert_eq!(ports(&set), ["10.0.0.9:80 5"]);
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_the_first_look_up_and_no_longer_than_it_may() {
    let set = set("endpoints: [{ address: 'agents.x.in:80' }]", None);
    let second = Duration::from_secs(1);
    let wait = |set: Arc<UpstreamSet>, patience: Duration| async move {
        set.choose(Method::RoundRobin, &[], Instant::now() + patience).await
    };
    assert!(wait(set.clone(), second).await.is_none(), "nothing came in time");
    // the paused clock has moved on, that of the deadline has not
    let waiting = tokio::spawn(wait(set.clone(), 60 * second));
    tokio::task::yield_now().await;
    set.state.name("agents.x.in").learn(Ok(vec!["10.0.0.1".parse().unwrap()]), second, Instant::now());
    set.state.changed();
    let lease = waiting.await.unwrap().unwrap();
    assert_eq!((lease.address().to_string(), lease.configured().host.as_str()), ("10.0.0.1:80".into(), "agents.x.in"));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_stands_for_nothing_is_told_at_once() {
    let set = set("endpoints: [{ address: 'agents.x.in:80' }]", None);
    set.state.name("agents.x.in").learn(Err(LookupResult::NoAddress), Duration::from_secs(300), Instant::now());
    let began = tokio::time::Instant::now();
    assert!(set.choose(Method::RoundRobin, &[], Instant::now() + Duration::from_secs(5)).await.is_none());
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_for_room_is_refused() {
    let set = set(&format!("{THREE}, pool: {{ requests_max: 1, pending_max: 1, pending_timeout: 3s }}"), None);
    let place = set.enter().await.unwrap();
    let waiting = tokio::spawn({
        let set = set.clone();
        async move { set.enter().await.map(drop) }
    });
    tokio::task::yield_now().await;
    assert_eq!(set.enter().await.map(drop), Err(Denial::UpstreamOverloaded), "one waits already");
    let began = tokio::time::Instant::now();
    assert_eq!(waiting.await.unwrap(), Err(Denial::UpstreamOverloaded));
    assert_eq!(began.elapsed().as_secs(), 3);
    drop(place);
    assert!(set.enter().await.is_ok());
}
