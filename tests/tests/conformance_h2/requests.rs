//! Requests by the rules of RFC 9113 §8: pseudo-header fields, connection-specific fields, content length, trailers.

use crate::case::{Case, Wanted, case, get, get_but, get_with, request};
use Wanted::{Malformed, MalformedOr, Passes};
use raptorgate_tests::conformance::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PADDED, PRIORITISED, block, frame, headers, integer,
};

/// All of them.
pub fn all() -> Vec<Case> {
    [legal(), pseudo(), values(), fields(), content(), compression()].concat()
}

fn passes(line: &str) -> Wanted {
    Passes(format!("{line} HTTP/1.1"))
}

fn or_passes(line: &str) -> Wanted {
    MalformedOr(format!("{line} HTTP/1.1"))
}

fn whole(name: &'static str, law: &'static str, wanted: Wanted, fields: &[(&str, &str)]) -> Case {
    case(name, law, wanted, &[headers(1, END_STREAM, fields)])
}

fn post<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [request("POST", "/h2"), more.to_vec()].concat()
}

fn legal() -> Vec<Case> {
    let data = |flags, text: &str| frame(DATA, flags, 1, text.as_bytes());
    let split = block(&get("/h2"));
    let padded = [&[4][..], &block(&get("/h2")), &[0; 4]].concat();
    let prioritised = [&[0, 0, 0, 0, 15][..], &block(&get("/h2"))].concat();
    vec![
        whole("get", "§8.3.1", passes("GET /h2"), &get("/h2")),
        whole("get-with-query", "§8.3.1", passes("GET /h2?a=b"), &get("/h2?a=b")),
        whole("head", "RFC 9110 §9.3.2", passes("HEAD /h2"), &request("HEAD", "/h2")),
        whole("te-trailers", "§8.2.2", passes("GET /h2"), &get_with(&[("te", "trailers")])),
        whole("host-equal-to-authority", "§8.3.1", passes("GET /h2"), &get_with(&[("host", "gateway.test")])),
        whole(
            "host-instead-of-authority",
            "§8.3.1",
            passes("GET /h2"),
            &get_but(":authority", &[("host", "gateway.test")]),
        ),
        case("post", "§8.1", passes("POST /h2"), &[headers(1, 0, &post(&[])), data(END_STREAM, "hello")]),
        case(
            "post-with-length",
            "§8.1.1",
            passes("POST /h2"),
            &[headers(1, 0, &post(&[("content-length", "5")])), data(0, "he"), data(END_STREAM, "llo")],
        ),
        case(
            "post-with-trailers",
            "§8.1",
            passes("POST /h2"),
            &[headers(1, 0, &post(&[])), data(0, "hello"), headers(1, END_STREAM, &[("x-checksum", "1")])],
        ),
        case(
            "post-in-empty-frames",
            "§6.1",
            passes("POST /h2"),
            &[headers(1, 0, &post(&[])), data(0, ""), data(0, "hello"), data(END_STREAM, "")],
        ),
        case(
            "head-in-three-frames",
            "§6.10",
            passes("GET /h2"),
            &[
                frame(HEADERS, END_STREAM, 1, &split[..7]),
                frame(CONTINUATION, 0, 1, &split[7..20]),
                frame(CONTINUATION, END_HEADERS, 1, &split[20..]),
            ],
        ),
        case("padded", "§6.2", passes("GET /h2"), &[frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, &padded)]),
        case(
            "prioritised",
            "§6.2",
            passes("GET /h2"),
            &[frame(HEADERS, END_STREAM | END_HEADERS | PRIORITISED, 1, &prioritised)],
        ),
    ]
}

fn pseudo() -> Vec<Case> {
    let behind = [("x-name", "1")].iter().copied().chain(get("/h2")).collect::<Vec<_>>();
    let last_behind = [&get("/h2")[..3], &[("x-name", "1")], &get("/h2")[3..]].concat();
    vec![
        whole("no-method", "§8.3.1", Malformed, &get_but(":method", &[])),
        whole("no-scheme", "§8.3.1", Malformed, &get_but(":scheme", &[])),
        whole("no-path", "§8.3.1", Malformed, &get_but(":path", &[])),
        whole("no-authority-and-no-host", "§8.3.1: no name to route by", Malformed, &get_but(":authority", &[])),
        whole("two-methods", "§8.3", Malformed, &get_but("", &[(":method", "GET")])),
        whole("two-paths", "§8.3", Malformed, &[&[(":path", "/other")], &get("/h2")[..]].concat()),
        whole("two-schemes", "§8.3", Malformed, &[&[(":scheme", "http")], &get("/h2")[..]].concat()),
        whole("two-authorities", "§8.3", Malformed, &[&[(":authority", "evil.test")], &get("/h2")[..]].concat()),
        whole("pseudo-behind-fields", "§8.3", Malformed, &behind),
        whole("authority-behind-fields", "§8.3", Malformed, &last_behind),
        whole("unknown-pseudo", "§8.3", Malformed, &[&[(":unknown", "1")], &get("/h2")[..]].concat()),
        whole("status-in-a-request", "§8.3", Malformed, &[&[(":status", "200")], &get("/h2")[..]].concat()),
        whole(
            "protocol-not-negotiated",
            "RFC 8441 §4",
            Malformed,
            &[&[(":protocol", "websocket")], &get("/h2")[..]].concat(),
        ),
        whole(
            "empty-method",
            "§8.3.1",
            Malformed,
            &get_but(":method", &[]).iter().copied().chain([(":method", "")]).collect::<Vec<_>>(),
        ),
        whole("authority-unlike-host", "§8.3.1", Malformed, &get_with(&[("host", "evil.test")])),
        whole("two-hosts", "RFC 9110 §7.2", Malformed, &get_with(&[("host", "gateway.test"), ("host", "evil.test")])),
        whole(
            "connect",
            "§8.5: this is no forward proxy",
            Malformed,
            &[(":method", "CONNECT"), (":authority", "gateway.test:443")],
        ),
        whole("connect-with-path", "§8.5", Malformed, &request("CONNECT", "/h2")),
        whole("trace", "RFC 9110 §9.3.8", Malformed, &request("TRACE", "/h2")),
        whole("method-with-space", "RFC 9110 §9.1", Malformed, &request("GET /smuggled HTTP/1.1", "/h2")),
        whole("method-with-crlf", "RFC 9110 §9.1", Malformed, &request("GET / HTTP/1.1\r\nX: y\r\n\r\nGET", "/h2")),
    ]
}

fn values() -> Vec<Case> {
    let path = |name, law, value| whole(name, law, Malformed, &request("GET", value));
    let authority = |name, law, value| {
        whole(name, law, Malformed, &[(":method", "GET"), (":scheme", "http"), (":path", "/h2"), (":authority", value)])
    };
    vec![
        path("path-empty", "§8.3.1", ""),
        path("path-asterisk-get", "§8.3.1: only with OPTIONS", "*"),
        path("path-without-slash", "§8.3.1", "h2"),
        path("path-absolute", "§8.3.1", "http://evil.test/h2"),
        path("path-with-space", "§8.3.1, RFC 3986 §3.3", "/h2 HTTP/1.1"),
        path("path-with-crlf", "§8.2.1", "/h2 HTTP/1.1\r\nHost: evil.test\r\n\r\nGET /smuggled"),
        path("path-with-lf", "§8.2.1", "/h2\nx"),
        path("path-with-nul", "§8.2.1", "/h2\0x"),
        path("path-with-tab", "RFC 3986 §3.3", "/h2\tx"),
        whole(
            "path-with-fragment",
            "§8.3.1: dropped before routing, or malformed",
            or_passes("GET /h2"),
            &request("GET", "/h2#part"),
        ),
        path("path-not-ascii", "RFC 3986 §2", "/caf\u{e9}"),
        path("path-with-encoded-nul", "a backend in C ends its string there", "/h2%00x"),
        authority("authority-empty", "§8.3.1", ""),
        authority("authority-with-userinfo", "§8.3.1", "user:secret@gateway.test"),
        authority("authority-with-space", "§8.3.1", "gateway.test evil.test"),
        authority("authority-with-slash", "§8.3.1", "gateway.test/evil"),
        authority("authority-with-crlf", "§8.2.1", "gateway.test\r\nX-Injected: 1"),
        authority("authority-with-bad-port", "RFC 3986 §3.2.3", "gateway.test:99999"),
        whole(
            "scheme-with-path",
            "§8.3.1",
            Malformed,
            &[(":method", "GET"), (":scheme", "http://evil.test/x?"), (":path", "/h2"), (":authority", "gateway.test")],
        ),
        whole(
            "scheme-with-crlf",
            "§8.2.1",
            Malformed,
            &[(":method", "GET"), (":scheme", "http\r\nX: y"), (":path", "/h2"), (":authority", "gateway.test")],
        ),
        whole("value-with-cr", "§8.2.1", Malformed, &get_with(&[("x-name", "a\rb")])),
        whole("value-with-lf", "§8.2.1", Malformed, &get_with(&[("x-name", "a\nb")])),
        whole(
            "value-with-crlf-field",
            "§8.2.1",
            Malformed,
            &get_with(&[("x-name", "a\r\ntransfer-encoding: chunked")]),
        ),
        whole("value-with-nul", "§8.2.1", Malformed, &get_with(&[("x-name", "a\0b")])),
        whole(
            "value-with-space-around",
            "§8.2.1: malformed; many trim it",
            or_passes("GET /h2"),
            &get_with(&[("x-name", " a ")]),
        ),
    ]
}

fn fields() -> Vec<Case> {
    let refused = |name, law, field: (&'static str, &'static str)| whole(name, law, Malformed, &get_with(&[field]));
    vec![
        refused("name-upper-case", "§8.2.1", ("X-Name", "1")),
        refused("name-empty", "§8.2.1", ("", "1")),
        refused("name-with-space", "§8.2.1", ("x name", "1")),
        refused("name-with-colon", "§8.2.1", ("x:name", "1")),
        refused("name-with-crlf", "§8.2.1", ("x\r\nhost", "evil.test")),
        refused("name-with-nul", "§8.2.1", ("x\0name", "1")),
        refused("connection-field", "§8.2.2", ("connection", "close")),
        refused("keep-alive-field", "§8.2.2", ("keep-alive", "timeout=5")),
        refused("proxy-connection-field", "§8.2.2", ("proxy-connection", "keep-alive")),
        refused("transfer-encoding-field", "§8.2.2", ("transfer-encoding", "chunked")),
        refused("upgrade-field", "§8.2.2", ("upgrade", "websocket")),
        refused("te-gzip", "§8.2.2", ("te", "gzip")),
        refused("te-trailers-and-more", "§8.2.2", ("te", "trailers, deflate")),
        refused("te-chunked", "§8.2.2", ("te", "chunked")),
    ]
}

fn content() -> Vec<Case> {
    let data = |flags, text: &str| frame(DATA, flags, 1, text.as_bytes());
    let with = |length: &'static str| headers(1, 0, &post(&[("content-length", length)]));
    let law = "§8.1.1";
    let ended = |name, length| whole(name, law, Malformed, &post(&[("content-length", length)]));
    // the head alone is a whole request: it may be on its way before its data show that it is none
    let head_only = Wanted::HeadOnly("POST /h2 HTTP/1.1".into());
    let smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: gateway.test\r\n\r\n";
    vec![
        case("length-shorter-than-data", law, Malformed, &[with("3"), data(END_STREAM, "hello")]),
        case("length-longer-than-data", law, Malformed, &[with("50"), data(END_STREAM, "hello")]),
        case("length-zero-with-data", law, head_only, &[with("0"), data(END_STREAM, smuggled)]),
        case("length-exceeded-by-second-frame", law, Malformed, &[with("5"), data(0, "hello"), data(END_STREAM, "x")]),
        ended("length-without-data", "5"),
        case("length-not-a-number", law, Malformed, &[with("5x"), data(END_STREAM, "hello")]),
        case("length-plus", law, Malformed, &[with("+5"), data(END_STREAM, "hello")]),
        case("length-list", law, Malformed, &[with("5, 5"), data(END_STREAM, "hello")]),
        case("length-over-2-64", law, Malformed, &[with("18446744073709551621"), data(END_STREAM, "hello")]),
        case(
            "length-twice",
            law,
            Malformed,
            &[headers(1, 0, &post(&[("content-length", "5"), ("content-length", "6")])), data(END_STREAM, "hello")],
        ),
        case(
            "length-unmet-by-trailers",
            law,
            Malformed,
            &[with("50"), data(0, "hello"), headers(1, END_STREAM, &[("x-checksum", "1")])],
        ),
        case(
            "trailers-with-pseudo",
            "§8.1: malformed; harmless where trailers of requests go nowhere",
            or_passes("POST /h2"),
            &[headers(1, 0, &post(&[])), data(0, "hello"), headers(1, END_STREAM, &[(":path", "/evil")])],
        ),
        case(
            "trailers-without-end",
            "§8.1",
            Malformed,
            &[headers(1, 0, &post(&[])), data(0, "hello"), headers(1, 0, &[("x-checksum", "1")])],
        ),
        case(
            "trailers-upper-case",
            "§8.2.1",
            Malformed,
            &[headers(1, 0, &post(&[])), data(0, "hello"), headers(1, END_STREAM, &[("X-Checksum", "1")])],
        ),
    ]
}

fn compression() -> Vec<Case> {
    let raw = |name, law, bytes: &[u8]| {
        case(name, law, Wanted::ConnectionError(&[9, 1]), &[frame(HEADERS, END_STREAM | END_HEADERS, 1, bytes)])
    };
    let head = block(&get("/h2"));
    let after = |bytes: &[u8]| [&head[..], bytes].concat();
    // one entry of 4000 bytes in the table, then named again and again: 4 KiB become 14 MB
    let entry = [&[0x40, 1, b'a'][..], &integer(4000, 7, 0), &[b'x'; 4000]].concat();
    let bomb = [&head[..], &entry, &[0xbe; 3500]].concat();
    let large = "x".repeat(15_000);
    vec![
        raw("hpack-index-zero", "RFC 7541 §6.1", &after(&[0x80])),
        raw("hpack-index-beyond-the-table", "RFC 7541 §2.3.3", &after(&[0xff, 0x80, 0x01])),
        raw("hpack-name-index-beyond-the-table", "RFC 7541 §2.3.3", &after(&[0x7f, 0x80, 0x01, 0x01, b'x'])),
        raw("hpack-integer-overflow", "RFC 7541 §5.1", &after(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])),
        raw("hpack-string-longer-than-the-block", "RFC 7541 §5.2", &after(&[0x00, 0x7f, b'x'])),
        raw("hpack-huffman-with-eos", "RFC 7541 §5.2", &after(&[0x00, 0x01, b'x', 0x84, 0xff, 0xff, 0xff, 0xff])),
        raw("hpack-huffman-padding-too-long", "RFC 7541 §5.2", &after(&[0x00, 0x01, b'x', 0x82, 0x1f, 0xff])),
        raw("hpack-table-beyond-the-setting", "RFC 7541 §6.3", &[&integer(1 << 20, 5, 0x20)[..], &head].concat()),
        raw("hpack-table-size-behind-fields", "RFC 7541 §4.2", &after(&[0x20])),
        case("hpack-bomb", "RFC 7541 §7.3", Malformed, &[frame(HEADERS, END_STREAM | END_HEADERS, 1, &bomb)]),
        case(
            "head-too-large",
            "§10.5.1",
            Malformed,
            &[
                frame(HEADERS, END_STREAM, 1, &block(&get_with(&[("x-large", &large)]))),
                frame(CONTINUATION, 0, 1, &block(&[("x-large", &large)])),
                frame(CONTINUATION, 0, 1, &block(&[("x-large", &large)])),
                frame(CONTINUATION, 0, 1, &block(&[("x-large", &large)])),
                frame(CONTINUATION, END_HEADERS, 1, &block(&[("x-large", &large)])),
            ],
        ),
    ]
}
