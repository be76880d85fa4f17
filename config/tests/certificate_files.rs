//! Certificates and keys belong to the configuration that names them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests end by panics")]

use raptorgate_config::{Origin, Problems, expired_replacements, needs_restart, parse};
use std::path::Path;
use std::time::{Duration, SystemTime};

const SMALL: &str = "\
version: 1
listeners: [{ address: 127.0.0.1:8080 }]
upstreams: { agents: { endpoints: [{ address: 127.0.0.1:8000 }] } }
routes: [{ name: all, match: { path: \"/*\" }, upstream: agents }]
";

fn codes(problems: &Problems) -> Vec<&'static str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

#[test]
fn files_of_tls_are_part_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let copy = |name: &str, to: &str| std::fs::copy(from.join(name), folder.path().join(to)).unwrap();
    let origin = Origin { file: "raptorgate.yaml".to_owned(), folder: folder.path().to_owned() };
    let text = SMALL.replace("8080", "8080, tls: { certificate: server.pem, key: server.key }");
    assert_ne!(text, SMALL);
    let load = || parse(&text, &origin, &|_| None);
    let files = ["server.pem", "server.key"].map(|name| folder.path().join(name));
    assert_eq!(load().unwrap_err().files(), files, "what is missing may be what is brought next");
    copy("server.pem", "server.pem");
    copy("server.key", "server.key");
    let first = load().unwrap();
    assert_eq!(first.files(), files);
    assert_eq!(first.hash, load().unwrap().hash);
    copy("other.pem", "server.pem");
    assert_eq!(codes(&load().unwrap_err()), ["conflict"]);
    copy("other.key", "server.key");
    let renewed = load().unwrap();
    assert_ne!(first.hash, renewed.hash, "a renewed certificate is another configuration");
    assert!(needs_restart(&first.config, &renewed).is_ok());
    let plain = parse(SMALL, &origin, &|_| None).unwrap();
    assert_eq!(codes(&needs_restart(&first.config, &plain).unwrap_err()), ["needs_restart"]);
}

#[test]
fn an_expired_certificate_replaces_nothing_and_stops_nothing() {
    let origin = Origin::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/raptorgate.yaml"));
    let with = |name: &str| {
        let tls = format!("8080, tls: {{ certificate: {name}.pem, key: {name}.key }}");
        parse(&SMALL.replace("8080", &tls), &origin, &|_| None).unwrap()
    };
    let (running, same, other) = (with("server"), with("server"), with("other"));
    let now = SystemTime::now();
    let in_two_centuries = now + Duration::from_secs(200 * 366 * 24 * 3600);
    assert!(expired_replacements(&running.config, &other, now).is_ok());
    let told = expired_replacements(&running.config, &other, in_two_centuries).unwrap_err();
    assert_eq!((codes(&told), told.iter().next().unwrap().line), (vec!["wrong_value"], 2));
    assert!(expired_replacements(&running.config, &same, in_two_centuries).is_ok(), "what is served already stays");
}
