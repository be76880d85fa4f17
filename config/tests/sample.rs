//! The sample with every key loads and means what it says.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests end by panics")]

use raptorgate_config::model::{ApiFormat, OnDisconnect, PiiAction, PiiType, Source};
use raptorgate_config::{Loaded, Origin, parse};
use std::path::Path;

const SAMPLE: &str = include_str!("data/sample.yaml");

fn env(name: &str) -> Option<String> {
    match name {
        "SAMPLE_RAVI_KEY" => Some("sk-ravi".to_owned()),
        _ => None,
    }
}

fn sample() -> Loaded {
    let origin = Origin::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample.yaml"));
    parse(SAMPLE, &origin, &env).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_sample_means_what_it_says() {
    let Loaded { config, hash, .. } = sample();
    assert_eq!(hash.len(), 8);
    assert!(config.admin.token.is_none(), "an empty token is none");
    let route = &config.routes[0];
    assert_eq!(route.format, ApiFormat::OpenAi);
    assert_eq!(route.on_disconnect, OnDisconnect::Finish);
    assert!(matches!(route.end_user.as_ref().map(|user| &user.id), Some(Source::Json(_))));
    let mask = route.mask_pii.as_ref().unwrap();
    let aadhaar = mask.response.types.iter().find(|masked| masked.kind == PiiType::Aadhaar).unwrap();
    assert_eq!(aadhaar.action, PiiAction::Mask { keep_last: 4 });
    assert_eq!(route.authenticate.as_ref().unwrap().api_keys.len(), 2);
}

#[test]
fn the_manual_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let manual = std::fs::read_to_string(path).unwrap();
    let how = "run `cargo run -p raptorgate-config --example reference > docs/configuration.md`";
    assert!(manual == raptorgate_config::reference_markdown(), "docs/configuration.md is out of date: {how}");
}

#[test]
fn the_first_file_loads() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["server.pem", "server.key"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
        std::fs::copy(from, folder.path().join(name)).unwrap();
    }
    let origin = Origin { file: "raptorgate.yaml".to_owned(), folder: folder.path().to_owned() };
    let template = raptorgate_config::init_template();
    parse(template, &origin, &|_| None).unwrap_or_else(|problems| panic!("as it is: {problems}"));
    let turned_on: String = template
        .lines()
        .map(|line| match line.strip_prefix('#') {
            // A prose comment has a space behind the `#`, a setting that is indented two of them or more.
            Some(setting) if setting.starts_with("  ") => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert_ne!(turned_on, template);
    let loaded = parse(&turned_on, &origin, &|name| Some(format!("value-of-{name}")));
    loaded.unwrap_or_else(|problems| panic!("with everything turned on: {problems}"));
}

/// Follows one path of keys through the schema, into lists and either-ors.
fn finds(schema: &serde_json::Value, key: &str) -> Option<serde_json::Value> {
    if let Some(found) = schema["properties"].get(key) {
        return Some(found.clone());
    }
    if schema["additionalProperties"].is_object() {
        return Some(schema["additionalProperties"].clone());
    }
    schema["anyOf"].as_array()?.iter().find_map(|schema| finds(schema, key))
}

/// The path of every key, `[]` for a list; read with the bare YAML parser, not with what is tested.
fn keys(text: &str) -> Vec<Vec<String>> {
    let (mut paths, mut stack): (Vec<Vec<String>>, Vec<Option<String>>) = (Vec::new(), Vec::new());
    let mut expects_key: Vec<bool> = Vec::new();
    for event in saphyr_parser::Parser::new_from_str(text) {
        use saphyr_parser::Event;
        match event.unwrap().0 {
            Event::MappingStart(..) => {
                if let Some(expects) = expects_key.last_mut() {
                    *expects = true;
                }
                stack.push(None);
                expects_key.push(true);
            }
            Event::MappingEnd => {
                stack.pop();
                expects_key.pop();
            }
            Event::Scalar(text, ..) if expects_key.last() == Some(&true) => {
                *stack.last_mut().unwrap() = Some(text.into_owned());
                *expects_key.last_mut().unwrap() = false;
                paths.push(stack.iter().flatten().cloned().collect());
            }
            Event::Scalar(..) if !in_list(&stack) => *expects_key.last_mut().unwrap() = true,
            Event::SequenceStart(..) => stack.push(Some("[]".to_owned())),
            Event::SequenceEnd => {
                stack.pop();
                *expects_key.last_mut().unwrap() = true;
            }
            _ => {}
        }
    }
    paths
}

fn in_list(stack: &[Option<String>]) -> bool {
    stack.last() == Some(&Some("[]".to_owned()))
}

/// What a list holds, also where `off` may stand instead.
fn items(schema: &serde_json::Value) -> Option<serde_json::Value> {
    let own = schema.get("items").cloned();
    own.or_else(|| schema["anyOf"].as_array()?.iter().find_map(items))
}

#[test]
fn every_key_of_the_sample_is_in_the_schema() {
    let whole = raptorgate_config::json_schema();
    let paths = keys(SAMPLE);
    assert!(paths.len() > 90, "the sample has {} keys", paths.len());
    for path in paths {
        let mut schema = whole.clone();
        for key in &path {
            let next = if key == "[]" { items(&schema) } else { finds(&schema, key) };
            schema = next.unwrap_or_else(|| panic!("no `{key}` of {path:?} in the schema"));
        }
    }
}

#[test]
fn what_holds_on_a_route_means_the_same_when_loaded() {
    let before = sample();
    let text = raptorgate_config::effective(&before.config, "chat").unwrap();
    assert!(raptorgate_config::effective(&before.config, "chatt").is_none());
    let hashes = &before.config.routes[0].authenticate.as_ref().unwrap().api_keys;
    let file = hashes.iter().fold(text, |text, key| {
        let hex: String = key.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        text.replacen("\"***\"", &hex, 1)
    });
    let file = file.replace("canary: \"***\"", "canary: kestrel-4471-b2");
    let tls = "tls: { certificate: server.pem, key: server.key, client_certificates: { ca: other.pem } }";
    let file = format!("version: 1\nlisteners: [{{ address: 127.0.0.1:0, {tls} }}]\ntenants: {{ acme: {{}} }}\n{file}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let origin = Origin { file: "effective".to_owned(), folder };
    let after = parse(&file, &origin, &|_| None).unwrap_or_else(|problems| panic!("{problems}\n{file}"));
    assert_eq!(format!("{:?}", before.config.routes), format!("{:?}", after.config.routes));
    assert_eq!(format!("{:?}", before.config.upstreams), format!("{:?}", after.config.upstreams));
}
