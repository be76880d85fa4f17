//! Every file in examples/ is started as it is and serves; only addresses are replaced by free ones.

use raptorgate_tests::certificates::Authority;
use raptorgate_tests::gateway::{ADMIN_TOKEN, Gateway, Launch, command_line};
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::machine::workspace;
use raptorgate_tests::upstream::Upstream;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Secrets that the examples take from the environment.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("RAVI_KEY", "sk-ravi-of-the-examples"),
    ("ASHA_KEY", "sk-asha-of-the-examples"),
    ("RAPTORGATE_ADMIN_TOKEN", ADMIN_TOKEN),
];

fn examples() -> Vec<PathBuf> {
    let folder = workspace().join("examples");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("examples/").map(|e| e.expect("an entry").path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    assert!(files.len() >= 4, "{files:?}");
    files
}

/// Our own addresses become free ports of loopback, the upstreams' that of `upstream`.
fn on_free_ports(yaml: &str, upstream: SocketAddr) -> String {
    let mut block = "";
    let mut out = String::new();
    for line in yaml.lines() {
        if line.starts_with(|c: char| c.is_ascii_lowercase()) {
            block = line.split(':').next().unwrap_or_default();
        }
        // a second endpoint is the same upstream by another name: the same address twice is refused
        let by_name = format!("localhost:{}", upstream.port());
        let new = match block {
            "upstreams" if out.contains(&format!("address: \"{upstream}\"")) => by_name,
            "upstreams" => upstream.to_string(),
            _ => "127.0.0.1:0".to_owned(),
        };
        out += &replace_address(line, &new);
        out.push('\n');
    }
    // A file without these blocks has them at their default ports.
    for block in ["ops", "admin"] {
        if !yaml.contains(&format!("\n{block}:")) {
            out += &format!("{block}: {{ address: \"127.0.0.1:0\" }}\n");
        }
    }
    out
}

fn replace_address(line: &str, new: &str) -> String {
    // the key itself, and not the end of `per_address: `
    let key = |at: &usize| !line[..*at].ends_with('_');
    let Some(at) = line.match_indices("address: ").map(|(at, _)| at).find(key) else { return line.to_owned() };
    let (before, rest) = (&line[..at], &line[at + "address: ".len()..]);
    let end = rest.find([',', ' ', '}']).unwrap_or(rest.len());
    format!("{before}address: \"{new}\"{}", &rest[end..])
}

/// Every file that an example names.
fn write_certificates(folder: &Path, authority: &Authority) {
    authority.write_leaf(folder, "server", &["gateway.test"]);
    authority.write_leaf(folder, "agents", &["agents.test"]);
    authority.write(folder, "clients-ca.pem");
}

async fn start(file: &PathBuf, upstream: &Upstream) -> (Gateway, Authority) {
    let launch = Launch { environment: ENVIRONMENT.to_vec(), ..Launch::default() };
    let authority = Authority::new();
    write_certificates(launch.folder.path(), &authority);
    let yaml = on_free_ports(&std::fs::read_to_string(file).expect("an example"), upstream.address());
    (Gateway::launch(launch, &yaml).await, authority)
}

/// A request for each example, and the status it gets.
fn requests(name: &str) -> Vec<(Request, &'static str, u16)> {
    let key = |request: Request, name: &str| {
        let value = ENVIRONMENT.iter().find(|(n, _)| *n == name).expect("a secret").1;
        request.header("authorization", format!("Bearer {value}"))
    };
    let chat = || {
        Request::post("/v1/chat/completions", r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}"#)
    };
    let asking = |text: &str| {
        let messages = serde_json::json!({ "messages": [{ "role": "user", "content": text }] });
        Request::post("/v1/chat/completions", messages.to_string())
    };
    match name {
        "minimal" | "tls" | "sidecar" => vec![(chat(), "gateway.test", 200), (Request::get("/x"), "gateway.test", 200)],
        "openai-backend" => vec![
            (key(chat(), "RAVI_KEY"), "h", 200),
            (key(Request::get("/v1/models"), "RAVI_KEY"), "h", 200),
            (chat(), "h", 401),
            (Request::get("/healthz"), "h", 200),
            (Request::get("/nowhere"), "h", 404),
        ],
        "anthropic" => vec![
            (key(Request::post("/v1/messages", r#"{"messages":[]}"#), "ASHA_KEY"), "claude.example.in", 200),
            (
                key(Request::post("/tickets/7/ask", r#"{"ticket":{"run":"r-1"}}"#), "ASHA_KEY"),
                "in.support.example.in",
                200,
            ),
            (Request::post("/v1/messages", "{}"), "claude.example.in", 401),
            (Request::post("/v1/messages", "{}"), "other.example.in", 404),
        ],
        "several-endpoints" => vec![(Request::get("/x"), "h", 200), (Request::get("/x"), "h", 200)],
        "mutual-tls" => vec![
            (Request::get("/x"), "gateway.test", 200),
            (Request::get("/x").header("x-api-key", "unknown"), "gateway.test", 401),
        ],
        "budgets" => vec![(key(chat(), "ASHA_KEY"), "h", 200), (chat(), "h", 401)],
        "idempotency" => vec![
            (key(chat(), "ASHA_KEY").header("idempotency-key", "k"), "h", 200),
            (key(chat(), "ASHA_KEY").header("idempotency-key", "k"), "h", 200),
            (key(chat(), "ASHA_KEY").header("idempotency-key", "k").header("x-test-text", "other"), "h", 200),
            (key(Request::post("/payments/1", "{}"), "ASHA_KEY"), "h", 400),
            (key(Request::post("/payments/1", "{}"), "ASHA_KEY").header("idempotency-key", "p"), "h", 200),
            (key(Request::post("/payments/1", "{ }"), "ASHA_KEY").header("idempotency-key", "p"), "h", 422),
        ],
        "marketing-agent" => vec![
            (asking("Write a cheerful tagline for our monsoon sale"), "h", 200),
            (asking("Fix this python stack trace for me"), "h", 403),
            (chat(), "h", 200),
        ],
        "fault-injection" => vec![(Request::get("/down"), "h", 503)],
        other => panic!("examples/{other}.yaml is not tried by this test: add a request for it"),
    }
}

#[tokio::test]
async fn every_example_is_started_and_serves() {
    let upstream = Upstream::start();
    for file in examples() {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let (gateway, authority) = start(&file, &upstream).await;
        for (request, host, status) in requests(&name) {
            let mut client = match name.as_str() {
                "tls" => H1::connect_tls(gateway.address(), "gateway.test", authority.client(&["http/1.1"])).await,
                "mutual-tls" => {
                    let planner = authority.caller("planner", "spiffe://acme/planner");
                    let client = authority.client_showing(&["http/1.1"], Some(&planner));
                    H1::connect_tls(gateway.address(), "agents.test", client).await
                }
                _ => gateway.h1().await,
            };
            client.host = host.into();
            let reply = client.send(&request).await.unwrap_or_else(|e| panic!("{name}: {e:?}"));
            assert_eq!(reply.status, status, "{name} {}: {}", request.target, reply.text());
        }
        if gateway.ops.is_some() {
            assert_eq!(gateway.ops("/readyz").await.status, 200, "{name}");
        }
    }
}

#[test]
fn every_example_passes_the_check() {
    for file in examples() {
        let folder = tempfile::tempdir().expect("a folder");
        write_certificates(folder.path(), &Authority::new());
        let copy = folder.path().join(file.file_name().expect("a name"));
        std::fs::copy(&file, &copy).expect("copy the example");
        let output = std::process::Command::new(raptorgate_tests::gateway::binary())
            .args(["check", "-c"])
            .arg(&copy)
            .envs(ENVIRONMENT)
            .output()
            .expect("run raptorgate check");
        assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_first_file_that_init_writes_passes_the_check() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("raptorgate.yaml");
    let path = file.to_str().expect("a path");
    let made = command_line(&["init", "-c", path]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let checked = command_line(&["check", "-c", path]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let again = command_line(&["init", "-c", path]);
    assert_eq!(again.status.code(), Some(1), "a file that is there is not overwritten");
}
