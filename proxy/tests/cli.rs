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
    for command in [&["--help"][..], &["run", "--help"], &["check", "--help"], &["init", "--help"], &["demo", "--help"]]
    {
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
