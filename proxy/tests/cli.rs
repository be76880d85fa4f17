//! The command line, as a shell sees it.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

#[allow(clippy::expect_used, reason = "a helper of tests")]
fn raptorgate(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_raptorgate")).args(arguments).current_dir(folder).output().expect("run raptorgate")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn exit_codes_tell_usage_from_failure() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.yaml"), "version: 1\nlisteners: [{ adress: 1 }]\n").unwrap();
    for (code, arguments) in [
        (0, &["--help"][..]),
        (0, &["--version"]),
        (0, &["version"]),
        (0, &["schema"]),
        (0, &["run", "--help"]),
        (2, &[]),
        (2, &["serve"]),
        (2, &["check", "--no-such-flag"]),
        (2, &["run", "--listen", "127.0.0.1:0"]),
        (2, &["run", "--listen", "nowhere", "--upstream", "http://a:1"]),
        (2, &["run", "-c", "a.yaml", "--upstream", "http://a:1"]),
        (2, &["demo", "--port", "65536"]),
        (1, &["check"]),
        (1, &["check", "-c", "bad.yaml"]),
        (1, &["run"]),
        (1, &["run", "-c", "bad.yaml"]),
        (1, &["run", "--upstream", "ftp://a"]),
        (2, &["explain"]),
        (1, &["explain", "chat"]),
        (1, &["explain", "chat", "-c", "bad.yaml"]),
        (2, &["accounts", "list"]),
        (1, &["accounts", "list", "--tenant", "acme"]),
        (1, &["accounts", "list", "--tenant", "acme", "--token", "t", "--admin", "http://127.0.0.1:1"]),
        (2, &["accounts", "top-up", "--tenant", "acme", "a@total", "1.00 INR"]),
        (1, &["ledger", "verify", "--tenant", "acme", "--token", "t", "--admin", "http://127.0.0.1:1"]),
        (2, &["ledger", "archive"]),
        (2, &["ledger", "archive", "--to", "archive", "--keep", "1d", "--keep-entries", "1"]),
        (1, &["ledger", "archive", "--to", "archive", "--token", "t", "--admin", "http://127.0.0.1:1"]),
        (1, &["ledger", "repair", "--store", "nowhere"]),
    ] {
        let output = raptorgate(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
        let (quiet, told) = if code == 0 { (output.stderr, output.stdout) } else { (output.stdout, output.stderr) };
        assert!(quiet.is_empty() && !told.is_empty(), "{arguments:?} speaks on the wrong stream");
    }
}

#[test]
fn help_shows_examples() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        &["--help"][..],
        &["run", "--help"],
        &["check", "--help"],
        &["explain", "--help"],
        &["init", "--help"],
        &["demo", "--help"],
        &["accounts", "--help"],
        &["accounts", "limit", "--help"],
        &["ledger", "--help"],
        &["ledger", "verify", "--help"],
        &["ledger", "archive", "--help"],
    ] {
        let help = text(&raptorgate(folder.path(), command).stdout);
        assert!(help.contains("Example") && help.contains("  raptorgate "), "{command:?}: {help}");
    }
}

#[test]
fn init_overwrites_only_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("raptorgate.yaml");
    std::fs::write(&file, "mine").unwrap();
    let refused = raptorgate(folder.path(), &["init"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("--force"), "{}", text(&refused.stderr));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    assert!(raptorgate(folder.path(), &["init", "--force"]).status.success());
    let checked = raptorgate(folder.path(), &["check"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
}

#[test]
fn check_speaks_json_to_programs() {
    let folder = tempfile::tempdir().unwrap();
    assert!(raptorgate(folder.path(), &["init"]).status.success());
    let good = raptorgate(folder.path(), &["check", "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&good.stdout).unwrap(), serde_json::json!({"errors": []}));
    std::fs::write(folder.path().join("bad.yaml"), "version: 1\nlisteners: [{ adress: 1 }]\n").unwrap();
    let bad = raptorgate(folder.path(), &["check", "-c", "bad.yaml", "--json"]);
    let errors: Value = serde_json::from_slice(&bad.stdout).unwrap();
    assert_eq!(bad.status.code(), Some(1));
    let unknown = errors["errors"].as_array().unwrap().iter().find(|error| error["code"] == "unknown_key").unwrap();
    assert_eq!((unknown["file"].as_str(), unknown["line"].as_u64()), (Some("bad.yaml"), Some(2)), "{errors}");
}

#[test]
fn what_holds_on_a_route_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    assert!(raptorgate(folder.path(), &["init"]).status.success());
    let shown = raptorgate(folder.path(), &["check", "--effective", "chat"]);
    assert!(shown.status.success() && text(&shown.stdout).contains("flood_limits"), "{}", text(&shown.stdout));
    let unknown = raptorgate(folder.path(), &["check", "--effective", "chatt"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("chat, rest"), "{}", text(&unknown.stderr));
}

#[test]
fn explain_tells_value_and_line_of_each_key() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "version: 1\nlisteners: [{ address: '127.0.0.1:0' }]\nlimits: { request_body: 2 MiB }\n\
                upstreams: { agents: { endpoints: [{ address: '127.0.0.1:1' }], retries: 0 } }\n\
                defaults: { sanitize: { action: block } }\n\
                routes: [{ name: chat, match: { path: /* }, upstream: agents }]\n";
    std::fs::write(folder.path().join("my.yaml"), yaml).unwrap();
    let shown = raptorgate(folder.path(), &["explain", "chat", "-c", "my.yaml"]);
    let told: Vec<String> =
        text(&shown.stdout).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "routes.chat.sanitize.action block defaults my.yaml:5",
        "routes.chat.body.request_max 2 MiB my.yaml:3, by limits.request_body",
        "upstreams.agents.retries 0 my.yaml:4",
        "upstreams.agents.timeouts.connect 5s default",
        "limits.connections 10000 default",
    ] {
        assert!(told.iter().any(|shown| shown == line), "{line} is not in\n{}", text(&shown.stdout));
    }
    let shown = raptorgate(folder.path(), &["explain", "chat", "-c", "my.yaml", "--json"]);
    let told: Value = serde_json::from_slice(&shown.stdout).unwrap();
    let key = |key: &str| told["keys"].as_array().unwrap().iter().find(|row| row["key"] == key).unwrap().clone();
    assert_eq!(told["route"], "chat");
    assert_eq!(
        key("routes.chat.sanitize.action"),
        serde_json::json!({"key": "routes.chat.sanitize.action", "value": "block", "from": "defaults", "file": "my.yaml", "line": 5, "by": null})
    );
    assert_eq!(
        key("upstreams.agents.protocol"),
        serde_json::json!({"key": "upstreams.agents.protocol", "value": "http1", "from": "default", "file": null, "line": null, "by": null})
    );
    let unknown = raptorgate(folder.path(), &["explain", "chatt", "-c", "my.yaml"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("did you mean `chat`?"), "{}", text(&unknown.stderr));
}
