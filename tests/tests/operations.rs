//! What an operator sees: health, metrics, the admin API's door, the access log, and the command line.

use raptorgate_tests::certificates::Authority;
use raptorgate_tests::gateway::{ADMIN_TOKEN, Gateway, command_line, listeners};
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::python::TlsUpstream;
use raptorgate_tests::upstream::Upstream;
use serde_json::Value;

async fn start() -> (Upstream, Gateway) {
    let upstream = Upstream::start();
    let yaml = format!(
        "{}upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}] }} }}\nroutes:\n  - {{ name: all, match: {{ path: /* }}, upstream: agents, sanitize: {{ action: strip }} }}\n",
        listeners(),
        upstream.address()
    );
    let gateway = Gateway::start(&yaml).await;
    (upstream, gateway)
}

#[tokio::test]
async fn the_ops_listener_tells_health_and_metrics_and_nothing_else() {
    let (_upstream, gateway) = start().await;
    gateway.send(&Request::post("/x", "{}")).await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(gateway.ops(path).await.status, 200, "{path}");
    }
    let metrics = gateway.ops("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain"), "{:?}", metrics.headers);
    assert!(gateway.metric("raptorgate_requests_total").await >= 1.0, "{}", metrics.text());
    for line in metrics.text().lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        assert!(
            line.starts_with("raptorgate_") || line.starts_with("process_") || line.starts_with("gen_ai_"),
            "a name of nobody: {line}"
        );
    }
    for path in ["/", "/api/v1/accounts", "/api/v1/reload", "/metrics/x", "/x"] {
        assert_eq!(gateway.ops(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn labels_do_not_grow_with_what_callers_send() {
    let (_upstream, gateway) = start().await;
    gateway.send(&Request::get("/x")).await;
    let series = async || gateway.ops("/metrics").await.text().lines().filter(|l| !l.starts_with('#')).count();
    let before = series().await;
    let mut client = gateway.h1().await;
    for n in 0..300 {
        client.send(&Request::get(format!("/path-{n}")).header("x-api-key", format!("k{n}"))).await.expect("a reply");
    }
    assert_eq!(series().await, before, "a series for each path or key");
}

#[tokio::test]
async fn the_admin_api_opens_to_its_token_and_known_hosts_only() {
    let (_upstream, gateway) = start().await;
    let get = || Request::get("/api/v1/accounts");
    assert_eq!(gateway.admin(get()).await.status, 200);
    let mut client = H1::connect(gateway.admin).await;
    for (what, request) in [
        ("no token", get()),
        ("a wrong token", get().header("authorization", "Bearer wrong")),
        ("a prefix of the token", get().header("authorization", format!("Bearer {}", &ADMIN_TOKEN[..8]))),
        ("the token without Bearer", get().header("authorization", ADMIN_TOKEN)),
        ("the token in the query", Request::get(format!("/api/v1/accounts?token={ADMIN_TOKEN}"))),
    ] {
        assert_eq!(client.send(&request).await.expect("a reply").status, 401, "{what}");
    }
    let mut rebound = H1::connect(gateway.admin).await;
    rebound.host = "evil.example".into();
    let reply = rebound.send(&get().header("authorization", format!("Bearer {ADMIN_TOKEN}"))).await.expect("a reply");
    assert!((400..500).contains(&reply.status), "a name that was rebound to loopback is answered: {}", reply.status);
    for path in ["/api/v1/reload", "//api/v1/accounts", "/%61pi/v1/accounts", "/api/v1/../v1/accounts"] {
        let on_data = gateway.send(&Request::get(path).header("authorization", format!("Bearer {ADMIN_TOKEN}"))).await;
        assert!(!on_data.text().contains("\"accounts\""), "the admin API answers on the data listener: {path}");
    }
    assert!(!gateway.output().contains(ADMIN_TOKEN), "the token was logged");
}

#[tokio::test]
async fn an_unset_admin_token_is_made_and_printed_once() {
    let upstream = Upstream::start();
    let yaml = format!(
        "{}upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}] }} }}\nroutes: [{{ name: all, match: {{ path: /* }}, upstream: agents }}]\n",
        listeners().replace(&format!(", token: {ADMIN_TOKEN}"), ""),
        upstream.address()
    );
    let gateway = Gateway::start(&yaml).await;
    let accounts = |token: &str| Request::get("/api/v1/accounts").header("authorization", format!("Bearer {token}"));
    let words: Vec<String> = gateway
        .output()
        .split(|c: char| !c.is_ascii_alphanumeric() && !"-_".contains(c))
        .filter(|w| w.len() >= 20)
        .map(str::to_owned)
        .collect();
    let mut right = Vec::new();
    for word in words {
        if H1::connect(gateway.admin).await.send(&accounts(&word)).await.expect("a reply").status == 200 {
            right.push(word);
        }
    }
    assert_eq!(right.len(), 1, "the token stands in the output once:\n{}", gateway.output());
    assert_eq!(gateway.admin(Request::get("/api/v1/accounts")).await.status, 401, "the tests' own token opens it");
}

#[tokio::test]
async fn every_request_is_one_line_of_the_access_log() {
    let (_upstream, gateway) = start().await;
    for n in 0..3 {
        gateway
            .send(
                &Request::post("/x?secret-query=1", "{\"q\":\"secret-prompt\"}")
                    .header("x-request-id", format!("logged-{n}")),
            )
            .await;
    }
    gateway.send(&Request::get("/forged").header("x-request-id", "bad\tid")).await;
    let lines = until("three lines", SOON, async || {
        let output = gateway.output();
        let lines: Vec<Value> = output
            .lines()
            .filter_map(|l| serde_json::from_str(l).ok())
            .filter(|l: &Value| l.to_string().contains("logged-"))
            .collect();
        (lines.len() >= 3).then_some(lines)
    })
    .await;
    assert_eq!(lines.len(), 3, "{lines:?}");
    for line in &lines {
        assert_eq!(
            (line["status"].as_u64(), line["route"].as_str(), line["method"].as_str()),
            (Some(200), Some("all"), Some("POST")),
            "{line}"
        );
    }
    let output = gateway.output();
    for private in ["secret-prompt", "secret-query"] {
        assert!(!output.contains(private), "{private} was logged:\n{output}");
    }
    for line in output.lines().filter(|l| l.starts_with('{')) {
        serde_json::from_str::<Value>(line).unwrap_or_else(|e| panic!("a log line that is not JSON ({e}): {line}"));
    }
}

#[tokio::test]
async fn readiness_ends_when_the_gateway_is_told_to_stop() {
    let (upstream, gateway) = start().await;
    let mut client = gateway.h1().await;
    let mut incoming = client.start(&Request::get("/x?reply=sse&n=2&await=stop")).await.expect("a head");
    assert!(incoming.read_until("\"event\":0").await);
    gateway.signal("TERM");
    until("not ready", SOON, async || (gateway.ops("/readyz").await.status == 503).then_some(())).await;
    assert_eq!(gateway.ops("/livez").await.status, 200, "stopping is not dying");
    upstream.release("stop").await;
    assert!(incoming.read_until("[DONE]").await);
}

#[test]
fn the_command_line_says_what_is_wrong_and_how_it_ended() {
    let text = |arguments: &[&str]| {
        let output = command_line(arguments);
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    assert_eq!(text(&["no-such-command"]).0, Some(2));
    assert_eq!(text(&["check", "--no-such-flag"]).0, Some(2));
    let (code, _, stderr) = text(&["check", "-c", "/no/such/file.yaml"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("/no/such/file.yaml"), "{stderr}");
    let (code, version, _) = text(&["version"]);
    assert!(code == Some(0) && version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    let (code, schema, _) = text(&["schema"]);
    let schema: Value = serde_json::from_str(&schema).expect("a JSON Schema");
    assert!(code == Some(0) && schema["properties"]["routes"].is_object(), "{schema}");
}

#[test]
fn the_check_tells_all_problems_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bad.yaml");
    let yaml = "version: 1\nlisteners: [{ adress: 127.0.0.1:0 }]\nupstreams: { u: { endpoints: [{ address: '127.0.0.1:1' }], retries: many } }\nroutes:\n  - { name: one, match: { path: /a }, upstream: v }\n";
    std::fs::write(&file, yaml).expect("write");
    let output = command_line(&["check", "-c", file.to_str().expect("a path")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    for place in ["bad.yaml:2:", "bad.yaml:3:", "bad.yaml:5:"] {
        assert!(said.contains(place), "no problem at {place}: {said}");
    }
    assert!(said.contains("help:") && said.contains("`address`"), "the nearest name is not told: {said}");
    let json = command_line(&["check", "-c", file.to_str().expect("a path"), "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert!(json["errors"].as_array().is_some_and(|e| e.len() >= 3), "{json}");
}

/// Without a file, the ops and admin listeners are where they are by default: one gateway at a time.
static DEFAULT_PORTS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Sends one request through `run --upstream URL`; returns what the upstream says.
async fn run_with_upstream(url: &str, authority: Option<&str>) -> String {
    let _alone = DEFAULT_PORTS.lock().await;
    let folder = tempfile::tempdir().expect("a folder");
    let ready = folder.path().join("ready.json");
    let mut command = std::process::Command::new(raptorgate_tests::gateway::binary());
    command.args(["run", "--upstream", url, "--listen", "127.0.0.1:0", "--ready-file"]).arg(&ready);
    if let Some(file) = authority {
        command.env("SSL_CERT_FILE", file);
    }
    let silent = std::process::Stdio::null;
    let mut child = command.current_dir(folder.path()).stdout(silent()).stderr(silent()).spawn().expect("start it");
    let read = || serde_json::from_slice::<Value>(&std::fs::read(&ready).ok()?).ok();
    let addresses = until("ready", SOON, async || read()).await;
    let address = addresses["listeners"][0].as_str().expect("a listener").parse().expect("an address");
    let reply = H1::connect(address).await.send(&Request::get("/x").header("x-test-id", "run")).await.expect("a reply");
    child.kill().expect("stop it");
    child.wait().expect("its end");
    reply.text().to_owned()
}

#[tokio::test]
async fn an_upstream_on_the_command_line_needs_no_file() {
    let upstream = Upstream::start();
    run_with_upstream(&format!("http://{}", upstream.address()), None).await;
    let host = upstream.record("run").await["headers"]["host"].as_str().expect("a host").to_owned();
    assert_ne!(host, upstream.address().to_string(), "a plain address is no name: it gets what the client asked for");
    let named = Upstream::start();
    let authority = format!("localhost:{}", named.address().port());
    run_with_upstream(&format!("http://{authority}"), None).await;
    assert_eq!(named.record("run").await["headers"]["host"], authority);
}

#[tokio::test]
async fn an_encrypted_upstream_on_the_command_line_is_asked_by_its_name() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), Authority::new());
    authority.write(folder.path(), "ca.pem");
    authority.write_leaf(folder.path(), "api", &["localhost"]);
    let api = TlsUpstream::start(folder.path(), "api", None);
    let named = format!("localhost:{}", api.address().port());
    let ca = folder.path().join("ca.pem");
    let told = run_with_upstream(&format!("https://{named}/"), ca.to_str()).await;
    let told: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("no reply of the upstream: {told}"));
    assert_eq!((told["host"].as_str(), told["sni"].as_str()), (Some(named.as_str()), Some("localhost")));
}

#[test]
fn the_demo_tries_its_own_lines() {
    let output = command_line(&["demo", "--selftest"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.matches("curl").count() >= 5, "{said}");
}
