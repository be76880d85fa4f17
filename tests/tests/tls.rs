//! TLS of listeners: which certificate answers, how they are renewed, and what a client's certificate says.

use raptorgate_tests::certificates::{Authority, Leaf};
use raptorgate_tests::gateway::{Gateway, Launch, listeners};
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::h2_client::H2;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::reply::Reply;
use raptorgate_tests::upstream::Upstream;
use rcgen::KeyPair;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Renewals under load.
const SWAPS: usize = 50;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A listener with this `tls`, and one route; `route` are more blocks of it.
fn yaml(upstream: &Upstream, tls: &str, route: &str) -> String {
    let listener = format!("listeners: [{{ address: \"127.0.0.1:0\", tls: {tls} }}]");
    format!(
        "{}tenants: {{ acme: {{}} }}\nupstreams: {{ backend: {{ endpoints: [{{ address: \"{}\" }}] }} }}\nroutes:\n  \
         - {{ name: all, match: {{ path: /* }}, upstream: backend, format: json{route} }}\n",
        listeners().replace("listeners: [{ address: \"127.0.0.1:0\" }]", &listener),
        upstream.address()
    )
}

async fn start(authority: &Authority, upstream: &Upstream, tls: &str, route: &str) -> Gateway {
    let launch = Launch::default();
    authority.write_leaf(launch.folder.path(), "server", &["gateway.test"]);
    authority.write(launch.folder.path(), "ca.pem");
    Gateway::launch(launch, &yaml(upstream, tls, route)).await
}

/// The leaf that a handshake shows.
async fn shown(address: SocketAddr, name: &str, config: Arc<rustls::ClientConfig>) -> std::io::Result<Vec<u8>> {
    let name = rustls::pki_types::ServerName::try_from(name.to_owned()).expect("a server name");
    let stream = TlsConnector::from(config).connect(name, TcpStream::connect(address).await?).await?;
    Ok(stream.get_ref().1.peer_certificates().expect("a certificate")[0].to_vec())
}

/// `openssl s_client` with these arguments, to the end of its handshake.
async fn s_client(address: SocketAddr, arguments: &[&str]) -> Output {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &address.to_string()]).args(arguments).stdin(Stdio::null());
    let run = tokio::task::spawn_blocking(move || command.output()).await.expect("a thread");
    run.expect("run openssl; it is missing: run `make deps` (Debian: apt-get install openssl)")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

#[tokio::test]
async fn old_versions_are_refused_and_names_choose() {
    let (authority, upstream, launch) = (Authority::new(), Upstream::start(), Launch::default());
    let folder = launch.folder.path();
    authority.write(folder, "ca.pem");
    authority.write_leaf(folder, "first", &["first.test"]);
    authority.write_leaf(folder, "wild", &["*.wild.test"]);
    authority.write_leaf(folder, "exact", &["a.wild.test", "exact.test"]);
    let pair = |name: &str| format!("{{ certificate: {name}.pem, key: {name}.key }}");
    let tls = format!("{{ certificates: [{}, {}, {}] }}", pair("first"), pair("wild"), pair("exact"));
    let ca = folder.join("ca.pem").to_str().expect("a path").to_owned();
    let gateway = Gateway::launch(launch, &yaml(&upstream, &tls, "")).await;
    for (asked, holds) in [
        ("first.test", "DNS:first.test"),
        ("exact.test", "DNS:a.wild.test, DNS:exact.test"),
        ("a.wild.test", "DNS:a.wild.test, DNS:exact.test"),
        ("A.WILD.TEST", "DNS:a.wild.test, DNS:exact.test"),
        ("b.wild.test", "DNS:*.wild.test"),
        ("a.b.wild.test", "DNS:first.test"),
        ("wild.test", "DNS:first.test"),
        ("unknown.test", "DNS:first.test"),
        ("", "DNS:first.test"),
    ] {
        let name = if asked.is_empty() { vec!["-noservername"] } else { vec!["-servername", asked] };
        let output =
            s_client(gateway.address(), &[&name[..], &["-CAfile", &ca, "-verify_return_error"]].concat()).await;
        assert!(output.status.success(), "{asked}: {}", text(&output));
        assert_eq!(alternative_names(&output).await, holds, "{asked}");
    }
    for (version, spoken) in [("-tls1", false), ("-tls1_1", false), ("-tls1_2", true), ("-tls1_3", true)] {
        let arguments = [version, "-cipher", "DEFAULT@SECLEVEL=0", "-alpn", "h2,http/1.1"];
        let output = s_client(gateway.address(), &arguments).await;
        assert_eq!(output.status.success(), spoken, "{version}: {}", text(&output));
        assert_eq!(text(&output).contains("ALPN protocol: h2"), spoken, "{version}: {}", text(&output));
    }
}

/// The subject alternative names of the certificate that `openssl s_client` printed.
async fn alternative_names(handshake: &Output) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shown.pem");
    std::fs::write(&file, &handshake.stdout).expect("write the certificate");
    let arguments = ["x509", "-noout", "-ext", "subjectAltName", "-in"];
    let output = Command::new("openssl").args(arguments).arg(file).output().expect("run openssl");
    text(&output).lines().nth(1).unwrap_or_default().trim().to_owned()
}

#[tokio::test]
async fn a_listener_may_speak_tls_1_3_alone() {
    let (authority, upstream) = (Authority::new(), Upstream::start());
    let tls = "{ certificate: server.pem, key: server.key, min_version: \"1.3\" }";
    let gateway = start(&authority, &upstream, tls, "").await;
    assert!(!s_client(gateway.address(), &["-tls1_2"]).await.status.success());
    assert!(s_client(gateway.address(), &["-tls1_3"]).await.status.success());
}

#[tokio::test]
async fn two_kinds_of_key_serve_one_name() {
    let (authority, upstream, launch) = (Authority::new(), Upstream::start(), Launch::default());
    let folder = launch.folder.path();
    authority.write_leaf(folder, "ecdsa", &["gateway.test"]);
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    authority.sign_key(Authority::params(&["gateway.test"]), &key).write(folder, "ed25519");
    let tls = "{ certificates: [{ certificate: ecdsa.pem, key: ecdsa.key }, { certificate: ed25519.pem, key: ed25519.key }] }";
    let gateway = Gateway::launch(launch, &yaml(&upstream, tls, "")).await;
    for (schemes, kind) in [("ecdsa_secp256r1_sha256", "id-ecPublicKey"), ("ed25519", "ED25519")] {
        let arguments = ["-servername", "gateway.test", "-sigalgs", schemes, "-tls1_3"];
        let output = s_client(gateway.address(), &arguments).await;
        assert!(output.status.success(), "{schemes}: {}", text(&output));
        let file = gateway.folder().join("shown.pem");
        std::fs::write(&file, &output.stdout).expect("write the certificate");
        let described = Command::new("openssl").args(["x509", "-noout", "-text", "-in"]).arg(file).output();
        let described = text(&described.expect("run openssl"));
        assert!(described.contains(&format!("Public Key Algorithm: {kind}")), "{schemes}: {described}");
    }
}

async fn handshakes(address: SocketAddr, authority: Arc<Authority>, stop: Arc<AtomicBool>, done: Arc<AtomicUsize>) {
    while !stop.load(Ordering::Relaxed) {
        let mut client = H1::connect_tls(address, "gateway.test", authority.client(&["http/1.1"])).await;
        let reply = client.send(&Request::get("/x")).await.expect("a reply over each connection");
        assert_eq!(reply.status, 200);
        done.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_certificate_swaps_fail_no_handshake() {
    let (authority, upstream) = (Arc::new(Authority::new()), Upstream::start());
    let gateway = start(&authority, &upstream, "{ certificate: server.pem, key: server.key }", "").await;
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut load = tokio::task::JoinSet::new();
    for _ in 0..4 {
        load.spawn(handshakes(gateway.address(), authority.clone(), stop.clone(), done.clone()));
    }
    for n in 1..=SWAPS {
        let next = authority.sign(Authority::params(&["gateway.test"]));
        next.write(gateway.folder(), "server");
        let reply = gateway.reload().await;
        assert_eq!(reply.status, 200, "swap {n}: {}", reply.text());
        let leaf = shown(gateway.address(), "gateway.test", authority.client(&[])).await.expect("a handshake");
        assert!(leaf == next.der, "swap {n}: the old certificate is still shown");
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(ended) = load.join_next().await {
        ended.expect("no handshake fails during a swap");
    }
    assert!(done.load(Ordering::Relaxed) > SWAPS, "the load ran beside the swaps: {done:?}");
}

#[tokio::test]
async fn a_renewed_certificate_is_noticed_by_itself() {
    let (authority, upstream) = (Authority::new(), Upstream::start());
    let gateway = start(&authority, &upstream, "{ certificate: server.pem, key: server.key }", "").await;
    for signal in [false, true, false] {
        let next = authority.sign(Authority::params(&["gateway.test"]));
        next.write(gateway.folder(), "server");
        if signal {
            gateway.signal("HUP");
        }
        until("the renewed certificate is shown", SOON, async || {
            (shown(gateway.address(), "gateway.test", authority.client(&[])).await.ok()? == next.der).then_some(())
        })
        .await;
    }
}

/// Replaces the pair, expects this code, and the old certificate to be served on.
async fn refused(gateway: &Gateway, authority: &Authority, old: &[u8], code: &str, spoil: impl Fn(&Path)) {
    spoil(gateway.folder());
    let reply = gateway.reload().await;
    assert_eq!(reply.status, 422, "{code}: {}", reply.text());
    assert_eq!(reply.json()["errors"][0]["code"], code, "{}", reply.text());
    assert!(reply.json()["errors"][0]["help"].is_string(), "{}", reply.text());
    let leaf = shown(gateway.address(), "gateway.test", authority.client(&[])).await.expect("a handshake");
    assert!(leaf == old, "{code}: a bad pair took the place of the old one");
}

#[tokio::test]
async fn a_bad_pair_is_refused_and_the_old_one_kept() {
    let (authority, upstream) = (Authority::new(), Upstream::start());
    let gateway = start(&authority, &upstream, "{ certificate: server.pem, key: server.key }", "").await;
    let good = authority.sign(Authority::params(&["gateway.test"]));
    good.write(gateway.folder(), "server");
    assert_eq!(gateway.reload().await.status, 200);
    let other = authority.sign(Authority::params(&["gateway.test"]));
    let with = |name: &'static str, content: String| {
        move |folder: &Path| std::fs::write(folder.join(name), &content).expect("write a file")
    };
    let expect = async |code: &str, name, content: String| {
        refused(&gateway, &authority, &good.der, code, with(name, content)).await;
        good.write(gateway.folder(), "server");
    };
    expect("conflict", "server.key", other.key.clone()).await;
    expect("unreadable_file", "server.key", "no key".into()).await;
    expect("unreadable_file", "server.pem", good.certificate.replace("MII", "xII")).await;
    expect("unreadable_file", "server.pem", String::new()).await;
    expect("unreadable_file", "server.pem", good.certificate.clone() + &other.certificate).await;
    let mut expired = Authority::params(&["gateway.test"]);
    expired.not_after = (SystemTime::now() - DAY).into();
    let expired = authority.sign(expired);
    refused(&gateway, &authority, &good.der, "wrong_value", |folder| expired.write(folder, "server")).await;
    assert!(gateway.output().contains("configuration rejected"), "{}", gateway.output());
    good.write(gateway.folder(), "server");
    assert_eq!(gateway.reload().await.status, 200, "what is served already is no problem");
}

#[tokio::test]
async fn a_certificate_that_expires_soon_is_told() {
    let (authority, upstream, launch) = (Authority::new(), Upstream::start(), Launch::default());
    let until_day = |days: u32| {
        let mut params = Authority::params(&["gateway.test"]);
        params.not_after = (SystemTime::now() + DAY * days + DAY / 2).into();
        authority.sign(params)
    };
    until_day(13).write(launch.folder.path(), "server");
    let tls = "{ certificate: server.pem, key: server.key }";
    let gateway = Gateway::launch(launch, &yaml(&upstream, tls, "")).await;
    let output = gateway.output();
    assert!(output.contains("certificate expires soon") && output.contains("\"days_left\":13"), "{output}");
    let expiry = gateway.metric("raptorgate_certificate_expiry_timestamp_seconds").await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a time").as_secs_f64();
    assert!((expiry - now - 13.5 * DAY.as_secs_f64()).abs() < 3600.0, "{expiry} at {now}");
    let metrics = gateway.ops("/metrics").await.text().to_owned();
    assert!(metrics.contains("{certificate=\"server.pem\",listener=\"127.0.0.1:0\"}"), "{metrics}");
    let warnings = gateway.output().matches("certificate expires soon").count();
    until_day(90).write(gateway.folder(), "server");
    assert_eq!(gateway.reload().await.status, 200);
    let expiry = gateway.metric("raptorgate_certificate_expiry_timestamp_seconds").await;
    assert!(expiry > now + 89.0 * DAY.as_secs_f64(), "the renewed certificate is not measured: {expiry}");
    assert_eq!(gateway.output().matches("certificate expires soon").count(), warnings);
}

const CALLERS: &str = ", authenticate: { client_certificates: [{ id: c1, san: \"spiffe://prod/agents\", tenant: acme, user: asha, scopes: [run] }, \
     { id: c2, subject: batch jobs, tenant: acme, user: ravi }] }";

/// Status and error code, or the user that the upstream is told, on HTTP/1.1 and on HTTP/2.
async fn callers(
    (gateway, upstream): (&Gateway, &Upstream),
    authority: &Authority,
    leaf: Option<&Leaf>,
    request: Request,
) -> [String; 2] {
    let config = |protocol| authority.client_showing(&[protocol], leaf);
    let mut h1 = H1::connect_tls(gateway.address(), "gateway.test", config("http/1.1")).await;
    let mut h2 = H2::connect_tls(gateway.address(), "gateway.test", config("h2")).await;
    let [one, two] = ["h1", "h2"].map(|version| format!("{version}-{}", upstream.records().len()));
    let first = h1.send(&request.clone().header("x-test-id", one.clone())).await.expect("h1");
    let second = h2.send(&request.header("x-test-id", two.clone())).await.expect("h2");
    [seen(upstream, &first, &one).await, seen(upstream, &second, &two).await]
}

async fn seen(upstream: &Upstream, reply: &Reply, id: &str) -> String {
    match reply.status {
        200 => upstream.record(id).await["headers"]["x-raptorgate-user"].as_str().unwrap_or("nobody").to_owned(),
        status => format!("{status} {}", reply.error_code()),
    }
}

#[tokio::test]
async fn a_client_certificate_names_its_holder_on_both_protocols() {
    let (authority, upstream) = (Authority::new(), Upstream::start());
    let tls = "{ certificate: server.pem, key: server.key, client_certificates: { ca: ca.pem, mode: optional } }";
    let gateway = start(&authority, &upstream, tls, CALLERS).await;
    let request = Request::get("/x").header("x-raptorgate-user", "root");
    let both = |text: &str| [text.to_owned(), text.to_owned()];
    for (leaf, expected) in [
        (Some(authority.caller("anything", "spiffe://prod/agents")), "asha"),
        (Some(authority.caller("batch jobs", "spiffe://prod/other")), "ravi"),
        (Some(authority.caller("spiffe://prod/agents", "spiffe://prod/other")), "401 invalid_client_certificate"),
        (None, "401 missing_client_certificate"),
    ] {
        for _ in 0..2 {
            let seen = callers((&gateway, &upstream), &authority, leaf.as_ref(), request.clone()).await;
            assert_eq!(seen, both(expected), "the second time it could be a resumed session");
        }
    }
    let stranger = Authority::new().caller("batch jobs", "spiffe://prod/agents");
    let refused = authority.client_showing(&["http/1.1"], Some(&stranger));
    assert!(!answers(&gateway, refused).await, "the certificate of another authority was accepted");
}

/// True if a request over a new connection is answered at all.
async fn answers(gateway: &Gateway, config: Arc<rustls::ClientConfig>) -> bool {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let name = rustls::pki_types::ServerName::try_from("gateway.test").expect("a server name");
    let socket = TcpStream::connect(gateway.address()).await.expect("a connection");
    let Ok(mut stream) = TlsConnector::from(config).connect(name, socket).await else { return false };
    let sent = stream.write_all(b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    let mut reply = Vec::new();
    sent.is_ok() && stream.read_to_end(&mut reply).await.is_ok() && reply.starts_with(b"HTTP/1.1 200")
}

#[tokio::test]
async fn required_certificates_are_required_in_the_handshake() {
    let (authority, upstream) = (Authority::new(), Upstream::start());
    let tls = "{ certificate: server.pem, key: server.key, client_certificates: { ca: ca.pem } }";
    let gateway = start(&authority, &upstream, tls, "").await;
    let caller = authority.caller("batch jobs", "spiffe://prod/agents");
    let mut expired = Authority::params(&[]);
    expired.not_after = (SystemTime::now() - DAY).into();
    let expired = authority.sign(expired);
    assert!(answers(&gateway, authority.client_showing(&[], Some(&caller))).await);
    assert!(!answers(&gateway, authority.client(&[])).await, "no certificate was needed");
    assert!(!answers(&gateway, authority.client_showing(&[], Some(&expired))).await, "an expired one was accepted");
    caller.write(gateway.folder(), "caller");
    let path = |name: &str| gateway.folder().join(name).to_str().expect("a path").to_owned();
    for version in ["-tls1_2", "-tls1_3"] {
        let arguments = [version, "-cert", &path("caller.pem"), "-key", &path("caller.key")];
        assert!(s_client(gateway.address(), &arguments).await.status.success(), "{version}");
    }
    let without = s_client(gateway.address(), &["-tls1_2"]).await;
    assert!(!without.status.success(), "{}", text(&without));
}

#[tokio::test]
async fn keys_and_certificates_stand_beside_each_other() {
    let (authority, upstream) = (Authority::new(), Upstream::start());
    let tls = "{ certificate: server.pem, key: server.key, client_certificates: { ca: ca.pem, mode: optional } }";
    let keys = CALLERS.replace(
        "authenticate: { ",
        "authenticate: { api_keys: [{ id: k1, key: sk-one, tenant: acme, user: meera }], ",
    );
    let gateway = start(&authority, &upstream, tls, &keys).await;
    let agents = authority.caller("x", "spiffe://prod/agents");
    let seen = async |leaf, request| callers((&gateway, &upstream), &authority, leaf, request).await[1].clone();
    assert_eq!(seen(Some(&agents), Request::get("/x")).await, "asha");
    assert_eq!(seen(Some(&agents), Request::get("/x").header("x-api-key", "sk-one")).await, "meera");
    assert_eq!(seen(Some(&agents), Request::get("/x").header("x-api-key", "sk-two")).await, "401 invalid_api_key");
    assert_eq!(seen(None, Request::get("/x").header("x-api-key", "sk-one")).await, "meera");
    assert_eq!(seen(None, Request::get("/x")).await, "401 missing_api_key");
}
