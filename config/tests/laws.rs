//! Laws of loading: everything is told at once, nothing is guessed, no secret is shown, nothing can overwhelm it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests end by panics")]

use proptest::prelude::*;
use raptorgate_config::model::{Config, OnDisconnect, SanitizeAction};
use raptorgate_config::{Loaded, Origin, Problems, for_upstream, load, needs_restart, parse};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const SAMPLE: &str = include_str!("data/sample.yaml");
const CANARY: &str = "CANARY-7f3a";

const SMALL: &str = "\
version: 1
listeners: [{ address: 127.0.0.1:8080 }]
tenants: { acme: {} }
upstreams: { agents: { endpoints: [{ address: 127.0.0.1:8000 }] } }
routes:
  - name: chat
    match: { path: /v1/chat/completions }
    upstream: agents
";

fn origin() -> Origin {
    Origin::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/raptorgate.yaml"))
}

fn read(text: &str) -> Result<Loaded, Problems> {
    parse(text, &origin(), &|name| match name {
        "SAMPLE_RAVI_KEY" | "SECRET" => Some(CANARY.to_owned()),
        "NUMBER" => Some("3".to_owned()),
        "KEYS" => Some("x }, idempotent: true, retries: { 5".to_owned()),
        _ => None,
    })
}

fn config(text: &str) -> Config {
    read(text).unwrap_or_else(|problems| panic!("{problems}\n{text}")).config
}

fn problems(text: &str) -> Problems {
    read(text).map(drop).err().unwrap_or_else(|| panic!("nothing told\n{text}"))
}

fn codes(problems: &Problems) -> Vec<&'static str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

#[test]
fn all_problems_are_told_at_once() {
    let text = "\
version: 2
listeners: [{ address: here }]
limits: { reply: 4 MB, josn_depth: 3 }
tenants: { acme: { timezone: Asia/Kolkata } }
upstreams: { agents: { endpoints: [{ address: 127.0.0.1:8000 }], retries: 99 } }
defaults: { sanitize: strip }
routes:
  - name: chat
    match: { path: v1 }
    upstream: agent
    authenticate: { api_keys: [{ id: k, key: \"${UNSET}\", tenant: acne, user: a }] }
  - name: chat
    match: { path: /a }
    upstream: agents
  - name: rest
    match: { path: /a }
    upstream: agents
";
    let told = problems(text);
    let lines: Vec<String> = told.iter().map(|problem| format!("{} {}", problem.line, problem.code)).collect();
    let expected = [
        "1 wrong_value",
        "2 wrong_value",
        "3 wrong_value",
        "3 unknown_key",
        "5 wrong_value",
        "6 wrong_type",
        "9 wrong_value",
        "10 unknown_name",
        "11 unset_variable",
        "11 unknown_name",
        "12 duplicate_name",
        "16 ambiguous_route",
    ];
    assert_eq!(lines, expected, "{told}");
    assert!(told.to_string().ends_with("\n\n12 problems"), "{told}");
}

#[test]
fn a_problem_looks_like_a_compilers() {
    let told = problems(&format!("{SMALL}    saniitze: {{ action: strip }}\n"));
    let expected = "raptorgate.yaml:9:5: error[unknown_key]: unknown key `saniitze`
  |     saniitze: { action: strip }
  |     ^
  help: did you mean `sanitize`?

1 problem";
    let folder = format!("{}/", origin().folder.display());
    assert_eq!(told.to_string().replace(&folder, ""), expected);
}

#[test]
fn one_mistake_is_told_once() {
    let once = [
        // The upstream is there although it cannot be read.
        SMALL
            .replace("address: 127.0.0.1:8000", "addres: 127.0.0.1:8000")
            .replace("[{ addres:", "[{ address: a:1, addres:"),
        SMALL.replace("endpoints: [{ address: 127.0.0.1:8000 }]", "endpoints: none"),
        // So is `authenticate`, which the scope needs.
        format!("{SMALL}    authenticate: {{ api_keys: none }}\n    end_user: {{ id: \"header:u\", scope: s }}\n"),
        // An alias repeats what its anchor says, and is no second key.
        format!(
            "{SMALL}    authenticate: &keys {{ api_keys: [{{ id: k, key: a, tenant: acme, user: a }}] }}\n    bad: 1\n\
             \x20 - {{ name: b, match: {{ path: /b }}, upstream: agents, authenticate: *keys }}\n"
        ),
    ];
    for text in once {
        let told = problems(&text);
        assert_eq!(told.len(), 1, "{told}\n{text}");
    }
}

#[test]
fn a_wrong_value_never_becomes_the_default() {
    for (good, bad) in
        [("reply: 4 MiB", "reply: 4 MB"), ("action: strip", "action: blok"), ("passthrough: false", "passthrough: no")]
    {
        assert!(read(&SAMPLE.replacen(good, bad, 1)).is_err(), "{bad}");
    }
}

#[test]
fn a_block_replaces_the_inherited_one_whole() {
    let defaults = "defaults:\n  sanitize: { action: block }\n  flood_limits: { per_key: { requests: 1, window: 1s } }\n  meter: {}\n";
    let own = "    flood_limits: { per_address: { requests: 2, window: 2s } }\n    meter: off\n";
    let config = config(&format!("{}{own}", SMALL.replace("routes:\n", &format!("{defaults}routes:\n"))));
    let route = &config.routes[0];
    assert_eq!(route.sanitize.as_ref().unwrap().user.action, SanitizeAction::Block, "inherited");
    let flood = route.flood_limits.as_ref().unwrap();
    assert!(flood.per_key.is_none() && flood.per_address.is_some(), "replaced whole");
    assert!(route.meter.is_none(), "removed");
    assert_eq!(route.on_disconnect, OnDisconnect::Abort, "the default follows what holds, not what is inherited");
}

#[test]
fn every_default_is_a_valid_value() {
    let text =
        SMALL.replace("routes:", "ops: {}\nadmin: {}\nlimits: {}\nshutdown: {}\naccess_log: {}\ndefaults: {}\nroutes:");
    let least = "    sanitize: {}\n    meter: {}\n    body: {}\n    fault: { abort: { percent: 0, status: 400 } }\n\
                 \x20   authenticate: { api_keys: [{ id: k, key: a, tenant: acme, user: a }] }\n";
    assert_eq!(format!("{:?}", config(&text)), format!("{:?}", config(SMALL)), "an empty block is no block");
    config(&format!("{text}{least}"));
}

#[test]
fn equal_routes_are_ambiguous() {
    let with = |matches: [&str; 2]| {
        let routes = matches
            .iter()
            .zip(["a", "b"])
            .map(|(m, name)| format!("  - {{ name: {name}, upstream: agents, match: {{ {m} }} }}\n"));
        read(&(SMALL.to_owned() + &routes.collect::<String>()))
    };
    for equal in [
        ["path: /x", "path: /x"],
        ["path: /x/*", "path: /x/*"],
        ["path: \"/u/{a}\"", "path: \"/u/{b}\""],
        ["path: /x, host: \"*.x.in\"", "path: /x, host: \"*.X.in\""],
        ["path: /x, methods: [GET, PUT]", "path: /x, methods: [POST, GET]"],
    ] {
        assert_eq!(codes(&with(equal).map(drop).unwrap_err()), ["ambiguous_route"], "{equal:?}");
    }
    for different in [
        ["path: /x", "path: /x/*"],
        ["path: /x", "path: \"/{x}\""],
        ["path: /x, host: a.in", "path: /x, host: \"*.in\""],
        ["path: /x, host: a.in", "path: /x"],
        ["path: /x, methods: [GET]", "path: /x"],
        ["path: /x, methods: [GET]", "path: /x, methods: [POST]"],
        ["path: \"/{a}/b\"", "path: \"/a/{b}\""],
    ] {
        assert!(with(different).is_ok(), "{different:?}");
    }
}

#[test]
fn a_key_may_stand_on_many_routes() {
    let with = |first: &str, second: &str| {
        let keys = |key: &str| format!("authenticate: {{ api_keys: [{{ id: k, tenant: acme, {key} }}] }}");
        let route = format!("  - {{ name: b, match: {{ path: /b }}, upstream: agents, {} }}\n", keys(second));
        read(&format!("{SMALL}    {}\n{route}", keys(first))).map(|loaded| loaded.config.routes.len())
    };
    assert_eq!(with("key: a, user: u", "key: a, user: u, scopes: [s]").ok(), Some(2), "scopes may differ");
    for other in ["key: b, user: u", "key: a, user: v"] {
        assert_eq!(codes(&with("key: a, user: u", other).unwrap_err()), ["duplicate_name"], "{other}");
    }
}

#[test]
fn braces_without_quotes_are_explained() {
    for slip in ["match: { path: /users/{id} }", "execution: { id: ${NAME} }"] {
        let told = problems(&format!("{SMALL}    x: {{}}\n    {slip}\n"));
        assert!(told.to_string().contains("needs quotes"), "{told}");
    }
}

#[test]
fn a_variable_cannot_add_keys() {
    let config = config(&SMALL.replace("acme: {}", "acme: {}, other: { timezone: \"${TZ:-UTC}\" }"));
    assert_eq!(config.tenants["other"].timezone, "UTC");
    let told = problems(&SMALL.replace("address: 127.0.0.1:8000", "address: \"${KEYS}\""));
    assert_eq!(codes(&told), ["wrong_value"]);
}

#[test]
fn a_variable_is_a_number_where_one_is_needed() {
    for quoted in ["retries: ${NUMBER}", "retries: \"${NUMBER}\""] {
        let text =
            SMALL.replace("upstreams: { agents: { ", "upstreams:\n  agents:\n    ").replace(" } }\nroutes", "\nroutes");
        let text = text.replace("routes:", &format!("    {quoted}\nroutes:"));
        assert_eq!(config(&text).upstreams["agents"].retries_max, 3);
    }
    let escaped =
        config(&SMALL.replace(
            "tenants: { acme: {} }",
            "prices: {}\ntenants: { acme: {} }\naccess_log: { output: \"file:$${X}\" }",
        ));
    assert!(format!("{:?}", escaped.access_log).contains("${X}"), "`$${{` stands for itself");
}

#[test]
fn a_secret_file_open_to_all_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("key.txt");
    std::fs::write(&secret, format!("{CANARY}\n")).unwrap();
    let file = folder.path().join("raptorgate.yaml");
    std::fs::write(&file, format!("{SMALL}    authenticate: {{ api_keys: [{{ id: k, key: \"${{file:key.txt}}\", tenant: acme, user: a }}] }}\n")).unwrap();
    for (mode, fine) in [(0o600, true), (0o640, true), (0o400, true), (0o644, false), (0o660, false), (0o602, false)] {
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).unwrap();
        match load(&file) {
            Ok(loaded) => {
                assert!(fine, "mode {mode:o} must be refused");
                let hash = sha256(CANARY);
                assert_eq!(
                    loaded.config.routes[0].authenticate.as_ref().unwrap().api_keys[0].sha256,
                    hash,
                    "without the last newline"
                );
            }
            Err(problems) => {
                assert!(!fine, "mode {mode:o}: {problems}");
                assert_eq!(codes(&problems), ["insecure_file"]);
            }
        }
    }
}

fn sha256(text: &str) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(text).into()
}

#[test]
fn the_hash_follows_values_from_outside() {
    let text = format!("{SMALL}    execution: {{ id: \"header:${{NAME}}\" }}\n");
    let hash = |name: &str| parse(&text, &origin(), &|_| Some(name.to_owned())).unwrap().hash;
    assert_eq!(hash("a"), hash("a"));
    assert_ne!(hash("a"), hash("b"));
    assert_ne!(read(SMALL).unwrap().hash, read(&format!("{SMALL}#\n")).unwrap().hash);
}

#[test]
fn what_cannot_change_live_is_refused_whole() {
    let running = config(SMALL);
    let change = |text: &str| needs_restart(&running, &read(text).unwrap());
    assert!(change(&format!("{SMALL}    sanitize: {{}}\n")).is_ok(), "a block of a route changes live");
    let all = SMALL.replace("8080", "8081").replace(
        "tenants:",
        "ops: off\nadmin: { address: 127.0.0.1:9, token: t }\naccess_log: { output: off }\ntenants:",
    );
    let told = change(&all).unwrap_err();
    assert_eq!(codes(&told), ["needs_restart"; 5]);
    let lines: Vec<usize> = told.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 3, 4, 4, 5]);
}

#[test]
fn an_upstream_alone_is_a_configuration() {
    for (url, host, port) in [
        ("http://127.0.0.1:8000", "127.0.0.1", 8000),
        ("http://agents.x.in/", "agents.x.in", 80),
        ("http://[::1]:9", "::1", 9),
        ("https://agents.x.in", "agents.x.in", 443),
        ("https://127.0.0.1:8443/", "127.0.0.1", 8443),
    ] {
        let config = for_upstream(url).unwrap().config;
        let upstream = config.upstreams.values().next().unwrap();
        let endpoint = &upstream.endpoints[0];
        assert_eq!(upstream.tls.is_some(), url.starts_with("https"));
        assert_eq!((endpoint.address.host.as_str(), endpoint.address.port), (host, port));
        assert_eq!(config.listeners[0].address.to_string(), "127.0.0.1:8080");
        assert!(config.routes[0].meter.is_none());
    }
    for url in ["ftp://x:1", "x:1", "http://", "http://x:1/v1", "http://x\" }", "http://x:99999"] {
        assert!(for_upstream(url).is_err(), "{url}");
    }
}

#[test]
fn a_billion_laughs_file_is_refused_at_once() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let before = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", "));
    }
    assert_eq!(codes(&problems(&text)), ["too_large"]);
}

#[test]
fn deep_wide_and_large_files_are_refused() {
    let deep = [
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "a:\n".to_owned() + &(0..200).map(|i| " ".repeat(i) + "a:\n").collect::<String>(),
    ];
    for text in deep {
        let told = problems(&text);
        assert!(matches!(codes(&told)[..], ["too_large" | "yaml_syntax"]), "{}", codes(&told).len());
    }
    assert_eq!(codes(&problems(&"- a\n".repeat(200_000))), ["too_large"]);
    assert_eq!(codes(&problems(&"#".repeat(5 << 20))), ["too_large"]);
}

#[test]
fn a_file_that_is_no_text_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("raptorgate.yaml");
    assert_eq!(codes(&load(&file).map(drop).unwrap_err()), ["unreadable_file"]);
    std::fs::write(&file, b"version: 1\nb: \xff\n").unwrap();
    let told = load(&file).map(drop).unwrap_err();
    assert_eq!((told.iter().next().unwrap().line, told.iter().next().unwrap().column), (2, 4));
}

/// The sample with its secrets written into it.
fn with_secrets() -> String {
    SAMPLE.replace("${SAMPLE_ADMIN_TOKEN:-}", CANARY).replace("${SAMPLE_RAVI_KEY}", CANARY)
}

#[test]
fn secrets_never_print() {
    let loaded = read(&with_secrets()).unwrap();
    assert!(loaded.config.admin.token.is_some());
    let effective = raptorgate_config::effective(&loaded.config, "chat").unwrap();
    assert!(!format!("{loaded:?}{effective}").contains(CANARY), "a valid file");
    let slips = [
        SMALL.to_owned() + "    authenticate: { api_keys: [CANARY] }\n",
        SMALL.to_owned() + "    authenticate: { api_keys: [{ id: k, kye: CANARY, tenant: acme, user: a }] }\n",
        SMALL.to_owned() + "    authenticate: { api_keys: [{ id: k, sha256: CANARY, tenant: acme, user: a }] }\n",
        SMALL.to_owned() + "    authenticate: { api_keys: [{ id: k, key: [CANARY], tenant: acme, user: a }] }\n",
        SMALL.to_owned() + "    authenticate: { api_keys: [{ id: k, key: \"CANARY x\", tenant: acne, user: a }] }\n",
        SMALL.to_owned() + "    authenticate: { api_keys: [{ id: k, key: \"CANARY\", tenant: acne, user: a }\n",
        SMALL.to_owned() + "    authenticate: { api_keys: [{ id: k, tenant: acne, key: \"CANARY",
        SMALL.to_owned() + "    authenticate:\n      api_keys:\n        - key:\n            \"CANARY\n",
        SMALL.to_owned()
            + "    authenticate:\n      api_keys:\n        - key: |\n            CANARY\n          id: k\n",
        SMALL.to_owned()
            + "    format: \"${SECRET}\"\n    name: \"${SECRET}\"\n    fault: \"${SECRET}\"\n    body: { request_max: \"${SECRET}\" }\n",
        SMALL.replace("upstream: agents", "upstream: \"${SECRET}\""),
        SMALL.replace("address: 127.0.0.1:8000", "address: \"${SECRET}\""),
        SMALL.replace("tenants:", "admin: { token: \"CANARY x\" }\ntenants:"),
        SMALL.replace("tenants:", "admin: { tokn: CANARY }\ntenants:"),
        SMALL.replace("tenants:", "token: CANARY\ntenants:"),
    ];
    for slip in slips {
        let told = problems(&slip.replace("CANARY", CANARY));
        let json: String = told.iter().map(|problem| problem.to_json().to_string()).collect();
        assert!(!format!("{told}{told:?}{json}").contains(CANARY), "{told}");
    }
}

/// Fragments that mean something to YAML, to interpolation or to the schema.
const FRAGMENTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ": ",
    "- ",
    "\n",
    "\r",
    "\t",
    "  ",
    "\"",
    "'",
    "#",
    "&a ",
    "*a",
    "!!x ",
    "|",
    ">",
    "---\n",
    "%",
    "?",
    "~",
    "$",
    "${",
    "${A}",
    "${SECRET}",
    "\0",
    "\u{85}",
    "\u{2028}",
    "é",
    "क",
    "🦖",
    "off",
    "null",
    "0",
    "-1",
    "1e9",
    "99999999999999999999",
    "\\",
    "<<: ",
    "/*",
    "{x}",
];

fn mutated() -> impl Strategy<Value = String> {
    let text = with_secrets();
    let edits = prop::collection::vec(
        (any::<prop::sample::Index>(), 0..12_usize, prop::sample::select(FRAGMENTS), 0..4_u8),
        1..6,
    );
    edits.prop_map(move |edits| {
        let mut chars: Vec<char> = text.chars().collect();
        for (at, length, fragment, kind) in edits {
            let start = at.index(chars.len().max(1)).min(chars.len());
            let end = (start + length).min(chars.len());
            match kind {
                0 => drop(chars.drain(start..end)),
                1 => drop(chars.splice(start..start, fragment.chars())),
                2 => drop(chars.splice(start..end, fragment.chars())),
                _ => chars.truncate(start.max(1)),
            }
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_never_panic_and_point_inside_the_file(text in mutated()) {
        if let Err(problems) = read(&text) {
            let text = text.replace("\r\n", "\n").replace('\r', "\n");
            let lines: Vec<&str> = text.split('\n').collect();
            prop_assert!(problems.len() > 0);
            for problem in &problems {
                prop_assert!((1..=lines.len()).contains(&problem.line), "{problem}");
                let columns = lines[problem.line - 1].chars().count() + 1;
                prop_assert!((1..=columns).contains(&problem.column), "{problem}");
            }
            let _ = problems.to_string();
        }
    }
}
