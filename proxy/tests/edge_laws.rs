//! What the edge decides on any bytes: it never panics, and where the bytes are cut changes nothing.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests end by panics")]

use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use raptorgate::edge::client_address::client;
use raptorgate::edge::frames::{FrameBudget, FrameLimits};
use raptorgate::edge::head::{HeadLimits, judge};
use raptorgate::edge::message::{Messages, Step};
use raptorgate::edge::{host, path, proxy_protocol};
use std::time::Instant;

const LIMITS: HeadLimits = HeadLimits { bytes_max: 2048, fields_max: 20, target_bytes_max: 512 };

/// Pieces of requests, and pieces that break them.
const PIECES: [&str; 24] = [
    "GET / HTTP/1.1\r\n",
    "POST /a HTTP/1.1\r\n",
    "Host: a\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 0\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Upgrade: websocket\r\n",
    "\r\n",
    "abc",
    "3\r\nabc\r\n",
    "0\r\n\r\n",
    "0\r\nX: y\r\n\r\n",
    "3;x=y\r\n",
    "\n",
    "\r",
    "\0",
    " ",
    ":",
    "%2e",
    "X: y\r\n",
    " folded\r\n",
    "HTTP/1.0\r\n",
    "ffffffffffffffff\r\n",
    "Content-Length: +1\r\n",
];

fn requests() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(&PIECES[..]).prop_map(|p| p.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// What is given on of each message, and how it ends, when the bytes come in these pieces.
fn decided(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, String) {
    let mut messages = Messages::new(LIMITS);
    let (mut given, mut pieces) = (vec![Vec::new()], pieces.iter());
    loop {
        match messages.step() {
            Step::Fill | Step::Pass => match pieces.next() {
                Some(piece) => messages.buffer.extend_from_slice(piece),
                None => return (given, "wants more".to_owned()),
            },
            Step::Give(most) => {
                let taken = messages.took(most);
                let bytes = messages.buffer.split_to(taken);
                given.last_mut().expect("a message").extend_from_slice(&bytes);
            }
            Step::Wait => {
                assert!(messages.next_message(), "a message that waits is over");
                given.push(Vec::new());
            }
            Step::Refuse(denial) => return (given, format!("refused: {}", denial.code())),
            Step::Break(rule) => return (given, format!("broken: {}", rule.len().min(1))),
        }
    }
}

fn paths() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        &["/", ".", "..", "%2e", "%2E", "%2f", "%5c", "\\", ";", "a", "%41", "%25", "%", "%c0%ae", "~", "//", "%00"][..],
    );
    prop::collection::vec(piece, 0..10).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// What a backend may make of a path that decodes once more, takes `\` for `/`, and cuts at `;`.
fn lenient(path: &str) -> Vec<String> {
    let decoded = path.replace("%2F", "/").replace("%5C", "/").replace('\\', "/").replace("%2E", ".");
    decoded.split('/').map(|segment| segment.split(';').next().unwrap_or_default().to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn where_bytes_are_cut_changes_no_decision(bytes in requests(), cut in any::<prop::sample::Index>()) {
        let whole = decided(&[&bytes]);
        let at = cut.index(bytes.len() + 1);
        let cut = decided(&[&bytes[..at], &bytes[at..]]);
        prop_assert_eq!(&whole.1, &cut.1);
        let (whole_given, cut_given) = (whole.0.concat(), cut.0.concat());
        // a body that breaks may have been given on as far as it was sound
        let sound = cut_given.starts_with(&whole_given) && whole.1.starts_with("broken");
        prop_assert!(whole_given == cut_given || sound);
    }

    #[test]
    fn a_head_that_passes_has_one_host_and_one_framing(bytes in requests()) {
        if judge(&bytes, &LIMITS).is_ok() {
            let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
            let named = |name: &str| text.split("\r\n").filter(|line| line.starts_with(name)).count();
            prop_assert!(named("host:") <= 1);
            prop_assert!(named("content-length:") + named("transfer-encoding:") <= 1);
        }
    }

    #[test]
    fn paths_have_one_form_and_no_way_up(path in paths()) {
        if let Ok(normal) = path::normalise(&path) {
            let again = path::normalise(&normal).map(|path| path.into_owned());
            prop_assert_eq!(again.as_deref(), Ok(&*normal), "not stable");
            prop_assert!(!lenient(&normal).iter().any(|segment| segment == ".."), "{} holds a way up", normal);
        }
    }

    #[test]
    fn frames_are_counted_alike_wherever_they_are_cut(bytes in prop::collection::vec(0_u8..12, 0..300), cut in any::<prop::sample::Index>()) {
        let limits = FrameLimits { resets_max: 1000, control_max: 1000 };
        let now = Instant::now();
        let (mut one, mut two) = (FrameBudget::new(limits), FrameBudget::new(limits));
        let (mut whole, mut pieces) = (bytes.clone(), bytes.clone());
        let _ = one.inspect(&mut whole, now);
        let (first, second) = pieces.split_at_mut(cut.index(bytes.len() + 1));
        let _ = two.inspect(first, now);
        let _ = two.inspect(second, now);
        prop_assert_eq!(one.is_spent(), two.is_spent());
    }

    #[test]
    fn claims_of_clients_are_read_without_harm(text in "[ -~\t]{0,80}", trusted in any::<bool>()) {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&text).expect("visible characters");
        headers.append("x-forwarded-for", value.clone());
        headers.append("forwarded", value.clone());
        headers.append("x-forwarded-host", value);
        let networks = if trusted { vec!["0.0.0.0/0".parse().expect("a network")] } else { Vec::new() };
        let peer = "192.0.2.1".parse().expect("an address");
        let seen = client(peer, &headers, &networks);
        prop_assert!(trusted || seen.address == peer);
        prop_assert!(seen.host.is_none_or(|name| host::is_valid(name.as_bytes())));
    }

    #[test]
    fn proxy_headers_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..64), version in 0_u8..3) {
        let start: &[u8] = match version {
            0 => b"PROXY TCP4 ",
            1 => b"\r\n\r\n\0\r\nQUIT\n",
            _ => b"",
        };
        let all = [start, &bytes].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut rest = &all[..];
        let read = runtime.block_on(proxy_protocol::read(&mut rest));
        prop_assert!(read.is_err() || rest.len() < all.len());
    }
}
