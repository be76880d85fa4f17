//! Replies compressed for clients that ask for it, after the guards and in every way a reply can come.

use raptorgate_tests::coded::{Reading, decode};
use raptorgate_tests::gateway::{Gateway, listeners};
use raptorgate_tests::h1::Request;
use raptorgate_tests::reply::{Ending, Framing, Reply};
use raptorgate_tests::upstream::Upstream;
use std::process::Command;

const CODINGS: [&str; 3] = ["zstd", "br", "gzip"];
const MASK: &str = "mask_pii: { response: { email: replace } }";

struct Stage {
    upstream: Upstream,
    gateway: Gateway,
}

impl Stage {
    /// `/plain` without filters, `/masked` with; both compress everything there is, events too.
    async fn new() -> Self {
        let upstream = Upstream::start();
        let yaml = format!(
            "{}upstreams: {{ agents: {{ endpoints: [{{ address: '{}' }}] }} }}
defaults: {{ compress: {{ types: [text/*, text/event-stream, application/json] }} }}
routes:
  - {{ name: plain, match: {{ path: /plain }}, upstream: agents, format: json }}
  - {{ name: masked, match: {{ path: /masked }}, upstream: agents, format: json, {MASK} }}
  - {{ name: usual, match: {{ path: /usual }}, upstream: agents, format: json, compress: {{}} }}
  - {{ name: off, match: {{ path: /off }}, upstream: agents, format: json, compress: off }}
",
            listeners(),
            upstream.address()
        );
        let gateway = Gateway::start(&yaml).await;
        Self { upstream, gateway }
    }
}

/// `{"text":"mail asha@example.in now"  …}` of some 3 KB.
fn ask(path: &str, query: &str) -> Request {
    Request::get(format!("{path}?reply=coded&zeros=3000{query}")).header("x-test-text", "mail asha@example.in now")
}

fn text(path: &str) -> &'static str {
    if path == "/masked" { "mail [EMAIL] now" } else { "mail asha@example.in now" }
}

fn plain(path: &str) -> String {
    format!("{{\"text\":\"{}\"{}}}", text(path), " ".repeat(3000))
}

#[tokio::test]
async fn whole_replies_are_coded_as_the_client_likes() {
    let stage = Stage::new().await;
    let mut h1 = stage.gateway.h1().await;
    let mut h2 = stage.gateway.h2().await;
    for path in ["/plain", "/masked"] {
        for (accept, coding) in [
            ("gzip", "gzip"),
            ("br", "br"),
            ("zstd", "zstd"),
            ("gzip, deflate, br, zstd", "zstd"),
            ("zstd;q=0.1, br;q=0.2, gzip;q=0.3", "gzip"),
            ("*", "zstd"),
            ("identity", ""),
            ("gzip;q=0.5, identity", ""),
            ("deflate", ""),
        ] {
            let request = ask(path, "").header("accept-encoding", accept);
            for reply in [h1.send(&request).await.expect("h1"), h2.send(&request).await.expect("h2")] {
                let what = format!("{path} for {accept}");
                assert_eq!((reply.status, reply.header("content-encoding")), (200, coding), "{what}");
                assert_eq!(String::from_utf8(decode(coding, &reply.body)).expect("text"), plain(path), "{what}");
                assert_eq!(reply.header("vary"), "accept-encoding", "{what}");
                // the masks changed the bytes, so theirs is gone
                let etag = match (path, coding) {
                    ("/masked", _) => "",
                    (_, "") => "\"coded\"",
                    _ => "W/\"coded\"",
                };
                assert_eq!(reply.header("etag"), etag, "{what}");
                if path == "/masked" || coding.is_empty() {
                    assert_eq!(reply.header("content-length"), reply.body.len().to_string(), "{what}");
                }
            }
        }
        let nothing_said = h1.send(&ask(path, "")).await.expect("h1");
        assert_eq!(nothing_said.header("content-encoding"), "", "{path}");
        assert_eq!(nothing_said.header("vary"), "accept-encoding", "{path}");
    }
}

fn accepts(request: Request, coding: &str) -> Request {
    request.header("accept-encoding", coding)
}

#[tokio::test]
async fn replies_that_stream_are_coded() {
    let stage = Stage::new().await;
    let long = "many words and asha@example.in ".repeat(60);
    for coding in CODINGS {
        for (path, seen) in [("/plain", long.clone()), ("/masked", long.replace("asha@example.in", "[EMAIL]"))] {
            for cut in [7, 100_000] {
                let request = Request::get(format!("{path}?reply=text&cut={cut}")).header("x-test-text", &long);
                let request = accepts(request, coding);
                for (h, reply) in [
                    ("h1", stage.gateway.send(&request).await),
                    ("h2", stage.gateway.h2().await.send(&request).await.expect("h2")),
                ] {
                    let what = format!("{path} {coding} {h} cut every {cut} bytes");
                    assert_eq!((reply.header("content-encoding"), reply.ending), (coding, Ending::Whole), "{what}");
                    // the header's last space is no part of its value
                    let plain = decode(coding, &reply.body);
                    assert_eq!(std::str::from_utf8(&plain).expect("text"), seen.trim_end(), "{what}");
                    assert_eq!(reply.header("vary"), "Accept-Encoding", "{what}");
                }
            }
        }
        let large = accepts(Request::get("/plain?reply=coded&zeros=3000000"), coding);
        let reply = stage.gateway.send(&large).await;
        assert_eq!(reply.framing, Framing::Chunked, "{coding}");
        assert_eq!(decode(coding, &reply.body).len(), 3_000_011, "{coding}");
    }
}

#[tokio::test]
async fn compressed_events_arrive_one_by_one() {
    let stage = Stage::new().await;
    for path in ["/plain", "/masked"] {
        for coding in CODINGS {
            let name = format!("next-{coding}-{}", &path[1..]);
            let target = format!("{path}?reply=coded-sse&await={name}");
            let request = accepts(Request::get(target).header("x-test-text", "mail asha@example.in now,"), coding);
            let mut client = stage.gateway.h1().await;
            let mut incoming = client.start(&request).await.expect("a head");
            assert_eq!(incoming.reply.header("content-encoding"), coding, "{path}");
            let mut reading = Reading::new(coding);
            for n in 0..5 {
                // the upstream waits for the release, so only what it has sent can be here
                while !reading.text().contains(&format!("\"event\":{n}")) {
                    let piece = incoming.next().await;
                    reading.feed(&piece.unwrap_or_else(|| panic!("{path} {coding}: event {n} did not come")));
                }
                stage.upstream.release(&name).await;
            }
            let reply = incoming.finish().await;
            let all = String::from_utf8(decode(coding, &reply.body)).expect("text");
            assert_eq!(all.matches(&text(path)[..10]).count(), 5, "{path} {coding}: {all}");
            assert_eq!((reply.ending, all.contains("asha@")), (Ending::Whole, path == "/plain"), "{path} {coding}");
        }
    }
    let usual = stage.gateway.send(&accepts(Request::get("/usual?reply=coded-sse"), "gzip")).await;
    assert_eq!(usual.header("content-encoding"), "", "events are compressed only where they are named");
}

#[tokio::test]
async fn a_compressed_reply_that_breaks_is_cut() {
    let stage = Stage::new().await;
    for path in ["/plain", "/masked"] {
        for coding in CODINGS {
            let request = accepts(Request::get(format!("{path}?reply=reset&framing=sse")), coding);
            let reply = stage.gateway.send(&request).await;
            assert_eq!((reply.ending, reply.header("content-encoding")), (Ending::Cut, coding), "{path}");
            let mut reading = Reading::new(coding);
            reading.feed(&reply.body);
            let seen = reading.text();
            assert!(!reading.is_whole(), "{path} {coding}: as if it were all: {seen}");
            let told = seen.contains("upstream_reset");
            assert_eq!(told, path == "/masked", "{path} {coding}: a guarded stream tells its error: {seen}");
        }
    }
}

fn assert_untouched(what: &str, reply: &Reply, coding: &str) {
    assert_eq!(reply.header("content-encoding"), coding, "{what}");
    assert_eq!(reply.ending, Ending::Whole, "{what}");
}

#[tokio::test]
async fn what_must_not_be_coded_is_not() {
    let stage = Stage::new().await;
    for (what, request, coding) in [
        ("short", Request::get("/plain?reply=coded"), ""),
        ("off", ask("/off", ""), ""),
        ("binary", Request::get("/plain?reply=big&size=5000"), ""),
        ("coded by the upstream", ask("/plain", "&coding=br"), "br"),
        ("a part", Request::get("/plain?reply=status&status=206"), ""),
        ("no content", Request::get("/plain?reply=204"), ""),
        ("trailers of gRPC", Request::get("/plain?reply=trailers"), ""),
    ] {
        let request = accepts(request, "gzip");
        assert_untouched(what, &stage.gateway.send(&request).await, coding);
        assert_untouched(what, &stage.gateway.h2().await.send(&request).await.expect("h2"), coding);
    }
    let decoded = stage.gateway.send(&accepts(ask("/masked", "&coding=br"), "gzip")).await;
    assert_eq!(decoded.header("content-encoding"), "gzip", "undone for the guard, and coded as this client likes");
    assert_eq!(decode("gzip", &decoded.body), plain("/masked").as_bytes());
}

#[tokio::test]
async fn a_head_and_a_304_say_what_a_get_would() {
    let stage = Stage::new().await;
    let mut client = stage.gateway.h1().await;
    let get = client.send(&accepts(ask("/plain", ""), "br")).await.expect("a reply");
    let head = client.send(&accepts(ask("/plain", "").method("HEAD"), "br")).await.expect("a reply");
    for name in ["content-encoding", "vary", "etag", "content-type"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert_eq!((head.header("content-length"), head.body.len()), ("", 0));
    let unchanged = client.send(&accepts(Request::get("/plain?reply=304"), "br")).await.expect("a reply");
    assert_eq!((unchanged.status, unchanged.header("etag")), (304, "W/\"v1\""));
    assert_eq!((unchanged.header("content-encoding"), unchanged.header("vary")), ("", "Accept-Encoding"));
    assert_eq!(client.send(&ask("/plain", "")).await.expect("the connection goes on").status, 200);
}

#[tokio::test]
async fn curl_reads_every_coding() {
    let stage = Stage::new().await;
    for path in ["/plain", "/masked"] {
        for coding in CODINGS {
            for version in ["--http1.1", "--http2-prior-knowledge"] {
                let url = format!("http://{}{path}?reply=coded&zeros=3000", stage.gateway.address());
                let output = Command::new("curl")
                    .args(["-sS", "--noproxy", "*", "--compressed", version, "-D", "-"])
                    .args([
                        "-H",
                        &format!("Accept-Encoding: {coding}"),
                        "-H",
                        "x-test-text: mail asha@example.in now",
                        &url,
                    ])
                    .output()
                    .expect("run curl; install it (Debian: apt-get install curl)");
                let said = String::from_utf8(output.stdout).expect("text");
                assert!(output.status.success(), "{coding} {version}: {}", String::from_utf8_lossy(&output.stderr));
                let (head, body) = said.split_once("\r\n\r\n").expect("a head");
                assert!(head.to_ascii_lowercase().contains(&format!("content-encoding: {coding}")), "{head}");
                assert_eq!(body, plain(path), "{coding} {version}");
            }
        }
    }
}
