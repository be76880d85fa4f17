//! Reloading: what changes, changes whole and at once; what is not valid changes nothing.

use raptorgate_tests::gateway::{Gateway, Launch, Layout, listeners};
use raptorgate_tests::h1::{H1, Request};
use raptorgate_tests::h2_client::H2;
use raptorgate_tests::poll::{SOON, until};
use raptorgate_tests::reply::{Ending, Reply};
use raptorgate_tests::upstream::Upstream;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Reloads under load.
const RELOADS: usize = 200;
/// Broken files that must change nothing.
const MUTATIONS: usize = 1000;
/// What the upstream says; whether a reply holds it tells which configuration was at work.
const MAIL: &str = "asha@example.in";

/// One of two ways to serve, and a comment that makes each file another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Variant {
    masks: bool,
    upstream: SocketAddr,
}

fn config(variant: Variant, note: &str) -> String {
    let mask = if variant.masks { "mask_pii: { response: { email: replace } }, " } else { "" };
    format!(
        "{}# {note}\nupstreams:\n  agents:\n    endpoints:\n      - address: {}\n    retries: 0\nroutes:\n  - name: chat\n    match: {{ path: /v1/chat/completions }}\n    \
         upstream: agents\n    on_disconnect: abort\n    {}\n",
        listeners(),
        variant.upstream,
        if mask.is_empty() { "passthrough: false".to_owned() } else { mask.trim_end_matches(", ").to_owned() },
    )
}

fn chat(stream: bool) -> Request {
    let query = if stream { "?word_ms=3" } else { "" };
    let body = format!("{{\"model\":\"m\",\"stream\":{stream},\"messages\":[]}}");
    let text = format!("{} write to {MAIL} soon", "word ".repeat(20));
    Request::post(format!("/v1/chat/completions{query}"), body).header("x-test-text", text)
}

/// Which variant a whole reply shows; panics if it shows a mixture.
fn shown(reply: &Reply) -> Variant {
    let text: String = if reply.header("content-type").contains("event-stream") {
        assert_eq!(reply.events().last().map(String::as_str), Some("[DONE]"), "a stream without its end");
        let delta = |e: &String| {
            serde_json::from_str::<serde_json::Value>(e).ok()?["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        };
        reply.events().iter().filter_map(delta).collect()
    } else {
        reply.json()["choices"][0]["message"]["content"].as_str().expect("a text").to_owned()
    };
    let (raw, masked) = (text.contains(MAIL), text.contains("[EMAIL]"));
    assert!(raw != masked, "neither one nor the other: {text}");
    Variant { masks: masked, upstream: reply.header("x-served-by").parse().expect("an upstream") }
}

/// The hash in a generation: it changes with the file's text.
fn hash(generation: &str) -> String {
    let (number, hash) = generation.split_once('-').unwrap_or_else(|| panic!("no generation: {generation:?}"));
    assert!(
        number.parse::<u64>().is_ok() && hash.len() == 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
        "{generation}"
    );
    hash.to_owned()
}

/// What the load saw: generation hash, variant shown.
type Seen = Arc<Mutex<Vec<(String, Variant)>>>;

async fn load_h1(address: SocketAddr, stream: bool, stop: Arc<AtomicBool>, seen: Seen) {
    let mut client = H1::connect(address).await;
    while !stop.load(Ordering::Relaxed) {
        let reply = client.send(&chat(stream)).await.expect("no request fails during a reload");
        note(&reply, &seen);
    }
}

async fn load_h2(address: SocketAddr, stream: bool, stop: Arc<AtomicBool>, seen: Seen) {
    let mut client = H2::connect(address).await;
    while !stop.load(Ordering::Relaxed) {
        let reply = client.send(&chat(stream)).await.expect("no request fails during a reload");
        note(&reply, &seen);
    }
}

fn note(reply: &Reply, seen: &Seen) {
    assert_eq!(
        (reply.status, reply.ending),
        (200, Ending::Whole),
        "a request failed or a stream was cut: {}",
        reply.text()
    );
    let row = (hash(reply.header("x-raptorgate-generation")), shown(reply));
    seen.lock().expect("rows").push(row);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_reloads_under_load_mix_nothing_and_fail_nothing() {
    let (one, two) = (Upstream::start(), Upstream::start());
    let variants =
        [Variant { masks: true, upstream: one.address() }, Variant { masks: false, upstream: two.address() }];
    let gateway = Gateway::start(&config(variants[0], "the first")).await;
    let first = gateway.send(&chat(false)).await;
    let mut expected = HashMap::from([(hash(first.header("x-raptorgate-generation")), variants[0])]);

    let (stop, seen) = (Arc::new(AtomicBool::new(false)), Seen::default());
    let mut load = tokio::task::JoinSet::new();
    for stream in [true, true, false] {
        load.spawn(load_h1(gateway.address(), stream, Arc::clone(&stop), Arc::clone(&seen)));
        load.spawn(load_h2(gateway.address(), stream, Arc::clone(&stop), Arc::clone(&seen)));
    }
    for n in 1..=RELOADS {
        let variant = variants[n % 2];
        if n % 3 == 0 {
            gateway.write_config(&config(variant, &format!("{n}")))
        } else {
            gateway.rename_config(&config(variant, &format!("{n}")))
        }
        let reply = gateway.reload().await;
        assert_eq!(reply.status, 200, "reload {n}: {}", reply.text());
        let generation = reply.json()["generation"].as_str().expect("a generation").to_owned();
        expected.insert(hash(&generation), variant);
        // From now on nobody may see the old one.
        let after = gateway.send(&chat(false)).await;
        assert_eq!(
            (hash(after.header("x-raptorgate-generation")), shown(&after)),
            (hash(&generation), variant),
            "after reload {n}"
        );
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(done) = load.join_next().await {
        done.expect("the load saw nothing wrong");
    }
    let seen = seen.lock().expect("rows");
    assert_eq!(expected.len(), RELOADS + 1, "each file has a hash of its own");
    for (hash, variant) in seen.iter() {
        assert_eq!(expected.get(hash), Some(variant), "a reply that its own generation does not explain");
    }
    let generations: std::collections::HashSet<_> = seen.iter().map(|(hash, _)| hash).collect();
    assert!(
        generations.len() > RELOADS / 10,
        "the load ran beside the reloads: {} replies of {} generations",
        seen.len(),
        generations.len()
    );
}

/// Waits until the file's variant is served without having asked for a reload.
async fn until_served(gateway: &Gateway, variant: Variant, how: &str) {
    until(&format!("the file is served after {how}"), SOON, async || {
        (shown(&gateway.send(&chat(false)).await) == variant).then_some(())
    })
    .await;
}

#[tokio::test]
async fn every_way_to_change_the_file_is_noticed() {
    let (one, two) = (Upstream::start(), Upstream::start());
    let variants =
        [Variant { masks: true, upstream: one.address() }, Variant { masks: false, upstream: two.address() }];
    let gateway = Gateway::start(&config(variants[0], "plain")).await;
    until_served(&gateway, variants[0], "the start").await;
    for n in 0..3 {
        gateway.write_config(&config(variants[1], &format!("written {n}")));
        until_served(&gateway, variants[1], "an in-place write").await;
        gateway.rename_config(&config(variants[0], &format!("renamed {n}")));
        until_served(&gateway, variants[0], "an atomic rename").await;
    }
    let launch = Launch { layout: Layout::ConfigMap, ..Launch::default() };
    let mounted = Gateway::launch(launch, &config(variants[0], "mounted")).await;
    for n in 1..4 {
        mounted.write_config(&config(variants[n % 2], &format!("mounted {n}")));
        until_served(&mounted, variants[n % 2], "a ConfigMap's symlink swap").await;
    }
}

/// A route whose key stands in a file of its own: the configuration's text stays as it is.
fn config_with_key_file(upstream: SocketAddr, key: &str) -> String {
    format!(
        "{}tenants: {{ acme: {{ timezone: Asia/Kolkata, currency: INR }} }}\nupstreams: {{ agents: {{ endpoints: [{{ address: '{upstream}' }}] }} }}\nroutes:\n  \
         - {{ name: all, match: {{ path: /* }}, upstream: agents, authenticate: {{ api_keys: [{{ id: k1, key: '${{file:{key}}}', tenant: acme, user: asha }}] }} }}\n",
        listeners()
    )
}

#[tokio::test]
async fn a_signal_and_the_admin_api_read_the_file_again() {
    let upstream = Upstream::start();
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key.txt");
    let set_key = |text: &str| {
        std::fs::write(&key, text).expect("write the key");
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("keep the key private");
    };
    set_key("first-key-of-the-file");
    let yaml = config_with_key_file(upstream.address(), key.to_str().expect("a path"));
    let gateway = Gateway::launch(Launch { folder, ..Launch::default() }, &yaml).await;
    let accepts = async |key: &str| gateway.send(&Request::get("/x").header("x-api-key", key)).await.status == 200;
    assert!(accepts("first-key-of-the-file").await);

    set_key("second-key-of-the-file");
    gateway.signal("HUP");
    until("SIGHUP loads the second key", SOON, async || accepts("second-key-of-the-file").await.then_some(())).await;
    assert!(!accepts("first-key-of-the-file").await, "the old key is still accepted");

    set_key("third-key-of-the-file");
    assert_eq!(gateway.reload().await.status, 200);
    assert!(accepts("third-key-of-the-file").await, "the reply came before the configuration was served");
    assert!(!accepts("second-key-of-the-file").await);
}

#[tokio::test]
async fn what_cannot_change_live_is_refused_whole() {
    let (one, two) = (Upstream::start(), Upstream::start());
    let old = Variant { masks: true, upstream: one.address() };
    let gateway = Gateway::start(&config(old, "")).await;
    let moved = config(Variant { masks: false, upstream: two.address() }, "").replacen(
        "listeners: [{ address: \"127.0.0.1:0\" }]",
        "listeners: [{ address: \"127.0.0.1:9\" }]",
        1,
    );
    gateway.rename_config(&moved);
    let reply = gateway.reload().await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    assert!(reply.text().contains("needs_restart"), "{}", reply.text());
    assert_eq!(shown(&gateway.send(&chat(false)).await), old, "a part of a refused file is served");
}

#[tokio::test]
async fn a_rejection_says_where_and_what_and_is_kept() {
    let upstream = Upstream::start();
    let good = config(Variant { masks: true, upstream: upstream.address() }, "");
    let gateway = Gateway::start(&good).await;
    gateway.rename_config(&good.replace("retries: 0", "retires: 0"));
    let reply = gateway.reload().await;
    assert_eq!(reply.status, 422, "{}", reply.text());
    let error = &reply.json()["errors"][0];
    let line = good.lines().position(|l| l.contains("retries: 0")).expect("the line") + 1;
    assert_eq!((error["line"].as_u64(), error["column"].as_u64()), (Some(line as u64), Some(5)), "{error}");
    assert!(error["file"].as_str().is_some_and(|f| f.ends_with("raptorgate.yaml")), "{error}");
    assert!(error["code"].is_string() && error["message"].as_str().is_some_and(|m| m.contains("retires")), "{error}");
    assert!(error["help"].as_str().is_some_and(|h| h.contains("retries")), "the nearest name is not told: {error}");
    let status = gateway.admin(Request::get("/api/v1/generations")).await;
    assert!(status.text().contains("retires"), "the last rejection is not shown: {} {}", status.status, status.text());
}

/// A small generator of our own: a failing run is repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

/// Breaks the text so that it cannot be valid, whatever the dice say.
fn break_surely(text: &str, dice: &mut Dice) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let keyed: Vec<usize> = (0..lines.len())
        .filter(|n| lines[*n].contains(": ") && !lines[*n].trim_start().starts_with(['#', '-']))
        .collect();
    let at = keyed[dice.roll(keyed.len())];
    let with = |line: String| {
        let mut lines: Vec<String> = lines.iter().map(|l| (*l).to_owned()).collect();
        lines[at] = line;
        lines.join("\n")
    };
    match dice.roll(8) {
        0 => text.replacen("upstream: agents", "upstream: agent", 1),
        1 => text.replacen(
            "retries: 0",
            ["retries: zero", "retries: -1", "retries: 1.5", "retries: [0]"][dice.roll(4)],
            1,
        ),
        2 => format!("{text}{}: 1\n", ["unknown_key", "Listeners", "route", "defaultz"][dice.roll(4)]),
        3 => text.replacen("version: 1", ["version: 2", "version: one", "ver: 1"][dice.roll(3)], 1),
        4 => text.replacen(
            "email: replace",
            ["email: replaced", "e-mail: replace", "email: { action: mask, keep: 3 }", "email:"][dice.roll(4)],
            1,
        ),
        5 => with(format!("{}\u{1}", lines[at])),
        6 => with(format!("{}\n{}", lines[at], lines[at])),
        _ => with(lines[at].replacen(": ", ": [", 1)),
    }
}

/// Changes a few bytes anywhere; the result may be valid.
fn break_perhaps(text: &str, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(bytes.len());
        match dice.roll(5) {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, b"{}[]:,'\"#&*!|>%@`\n\t -\x00\xff"[dice.roll(23)]),
            2 => bytes[at] = dice.roll(256) as u8,
            3 => bytes.truncate(at.max(1)),
            _ => {
                let end = (at + dice.roll(40)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                let to = dice.roll(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

#[tokio::test]
async fn a_thousand_mutated_files_change_nothing_unless_valid() {
    let seed = 0x5eed_2026_u64;
    println!("seed {seed:#x}");
    let mut dice = Dice(seed);
    let upstream = Upstream::start();
    let variant = Variant { masks: true, upstream: upstream.address() };
    let good = config(variant, "the good one");
    let gateway = Gateway::start(&good).await;
    let generation = hash(gateway.send(&chat(false)).await.header("x-raptorgate-generation"));
    let mut client = gateway.h1().await;
    let file = gateway.config_file();
    let (mut accepted, mut refused) = (0, 0);
    for n in 0..MUTATIONS {
        let sure = n % 2 == 0;
        let broken = if sure { break_surely(&good, &mut dice).into_bytes() } else { break_perhaps(&good, &mut dice) };
        let text = String::from_utf8_lossy(&broken).into_owned();
        std::fs::write(file.with_extension("new"), &broken).expect("write");
        std::fs::rename(file.with_extension("new"), &file).expect("rename");
        let reply = gateway.reload().await;
        match reply.status {
            422 => {
                refused += 1;
                assert!(reply.json()["errors"][0]["line"].is_u64(), "mutation {n}: no line: {}", reply.text());
                let served = client.send(&chat(false)).await.expect("still served");
                let now = hash(served.header("x-raptorgate-generation"));
                assert_eq!(
                    (served.status, now.as_str(), shown(&served)),
                    (200, generation.as_str(), variant),
                    "mutation {n} was refused and yet served:\n{text}"
                );
            }
            200 => {
                accepted += 1;
                assert!(!sure, "mutation {n} cannot be valid and was taken:\n{text}");
                gateway.rename_config(&good);
                assert_eq!(gateway.reload().await.status, 200, "the good file after mutation {n}");
            }
            other => panic!("mutation {n} got {other}: {}\n{text}", reply.text()),
        }
    }
    println!("{refused} refused, {accepted} accepted");
    assert!(
        refused > MUTATIONS / 2 && accepted > 0,
        "{refused} refused, {accepted} accepted: the mutations no longer test both sides"
    );
    gateway.rename_config(&good);
    assert_eq!(gateway.reload().await.status, 200);
    assert_eq!(shown(&gateway.send(&chat(false)).await), variant);
}
