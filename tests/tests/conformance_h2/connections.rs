//! Frames by the rules of RFC 9113 §3 to §6: preface, sizes, states of streams, settings, windows.

use crate::case::{Case, Wanted, case, get, request};
use Wanted::{ConnectionError, Harmless, Malformed};
use raptorgate_tests::conformance::frames::{
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PREFACE, PRIORITISED, PRIORITY,
    PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, block, frame, headers, settings,
};

const PROTOCOL: &[u32] = &[1];
const FLOW_CONTROL: &[u32] = &[3, 1];
const FRAME_SIZE: &[u32] = &[6, 1];
const CLOSED: &[u32] = &[5, 1];
const ANY: &[u32] = &[];

/// All of them.
pub fn all() -> Vec<Case> {
    [prefaces(), states(), sizes(), continuations(), windows(), of_settings(), others()].concat()
}

fn error(name: &'static str, law: &'static str, codes: &'static [u32], frames: &[Vec<u8>]) -> Case {
    case(name, law, ConnectionError(codes), frames)
}

fn opened() -> Vec<u8> {
    headers(1, 0, &request("POST", "/h2"))
}

fn prefaces() -> Vec<Case> {
    let bare = |name, law, bytes: &[&[u8]]| {
        let (bytes, wanted) = (bytes.concat(), ConnectionError(ANY));
        Case { name, law, bytes, without_greeting: true, wanted }
    };
    let bad_end = PREFACE.strip_suffix(b"SM\r\n\r\n").expect("the preface");
    vec![
        bare("preface-with-another-end", "§3.4", &[bad_end, b"XX\r\n\r\n", &settings(&[])]),
        bare("preface-without-settings", "§3.4", &[PREFACE, &frame(PING, 0, 0, &[0; 8])]),
        bare("preface-then-http1", "§3.4", &[PREFACE, b"GET /h2 HTTP/1.1\r\nHost: gateway.test\r\n\r\n"]),
        bare("preface-then-settings-on-a-stream", "§6.5", &[PREFACE, &frame(SETTINGS, 0, 1, &[])]),
    ]
}

fn states() -> Vec<Case> {
    let done = headers(1, END_STREAM, &get("/probe"));
    vec![
        error("data-on-idle-stream", "§5.1", PROTOCOL, &[frame(DATA, END_STREAM, 1, b"hello")]),
        error("data-on-connection", "§6.1", PROTOCOL, &[frame(DATA, END_STREAM, 0, b"hello")]),
        error("headers-on-connection", "§6.2", PROTOCOL, &[headers(0, END_STREAM, &get("/h2"))]),
        error("headers-on-even-stream", "§5.1.1", PROTOCOL, &[headers(2, END_STREAM, &get("/h2"))]),
        error(
            "stream-ids-decrease",
            "§5.1.1",
            PROTOCOL,
            &[headers(5, END_STREAM, &get("/probe")), headers(3, END_STREAM, &get("/h2"))],
        ),
        error("headers-behind-end", "§5.1", CLOSED, &[done.clone(), headers(1, END_STREAM, &get("/h2"))]),
        error("window-update-on-idle-stream", "§5.1", PROTOCOL, &[frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])]),
        error("reset-on-idle-stream", "§5.1", PROTOCOL, &[frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])]),
        error("reset-on-connection", "§6.4", PROTOCOL, &[frame(RST_STREAM, 0, 0, &[0, 0, 0, 8])]),
        error("continuation-on-connection", "§6.10", PROTOCOL, &[frame(CONTINUATION, END_HEADERS, 0, &[])]),
        error("priority-on-connection", "§6.3", PROTOCOL, &[frame(PRIORITY, 0, 0, &[0, 0, 0, 0, 1])]),
        error(
            "push-promise",
            "§8.4: clients do not push",
            PROTOCOL,
            &[opened(), frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2])],
        ),
        case(
            "data-behind-reset",
            "§5.1: frames in flight are ignored for a time",
            Harmless,
            &[opened(), frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]), frame(DATA, END_STREAM, 1, b"hello")],
        ),
        case("priority-on-idle-stream", "§5.1", Harmless, &[frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])]),
        case(
            "headers-depend-on-themselves",
            "RFC 7540 §5.3.1; RFC 9113 §5.3.2 ignores priorities",
            Wanted::MalformedOr("GET /h2 HTTP/1.1".into()),
            &[frame(
                HEADERS,
                END_STREAM | END_HEADERS | PRIORITISED,
                1,
                &[&[0, 0, 0, 1, 15][..], &block(&get("/h2"))].concat(),
            )],
        ),
    ]
}

fn sizes() -> Vec<Case> {
    vec![
        error("data-above-the-frame-size", "§4.2", FRAME_SIZE, &[opened(), frame(DATA, 0, 1, &[0; 16_385])]),
        error("headers-above-the-frame-size", "§4.2", FRAME_SIZE, &[frame(HEADERS, END_HEADERS, 1, &[0; 16_385])]),
        error("unknown-frame-above-the-frame-size", "§4.2", FRAME_SIZE, &[frame(0x55, 0, 1, &[0; 70_000])]),
        error("ping-of-seven-bytes", "§6.7", FRAME_SIZE, &[frame(PING, 0, 0, &[0; 7])]),
        error("ping-of-nine-bytes", "§6.7", FRAME_SIZE, &[frame(PING, 0, 0, &[0; 9])]),
        error("ping-on-a-stream", "§6.7", PROTOCOL, &[frame(PING, 0, 1, &[0; 8])]),
        error("reset-of-three-bytes", "§6.4", FRAME_SIZE, &[opened(), frame(RST_STREAM, 0, 1, &[0; 3])]),
        error("window-update-of-three-bytes", "§6.9", FRAME_SIZE, &[frame(WINDOW_UPDATE, 0, 0, &[0; 3])]),
        case("priority-of-four-bytes", "§6.3", Malformed, &[opened(), frame(PRIORITY, 0, 1, &[0; 4])]),
        error("goaway-of-seven-bytes", "§6.8", FRAME_SIZE, &[frame(GOAWAY, 0, 0, &[0; 7])]),
        error(
            "padding-longer-than-data",
            "§6.1",
            PROTOCOL,
            &[opened(), frame(DATA, PADDED | END_STREAM, 1, &[200, 1, 2])],
        ),
        error(
            "padding-longer-than-headers",
            "§6.2",
            PROTOCOL,
            &[frame(HEADERS, PADDED | END_STREAM | END_HEADERS, 1, &[200, 1, 2])],
        ),
        error("padding-without-length", "§6.1", &[1, 6], &[opened(), frame(DATA, PADDED | END_STREAM, 1, &[])]),
    ]
}

fn continuations() -> Vec<Case> {
    let head = block(&get("/h2"));
    let begun = frame(HEADERS, END_STREAM, 1, &head[..5]);
    let rest = |stream| frame(CONTINUATION, END_HEADERS, stream, &head[5..]);
    vec![
        error("continuation-without-headers", "§6.10", PROTOCOL, &[frame(CONTINUATION, END_HEADERS, 1, &head)]),
        error("continuation-behind-end", "§6.10", PROTOCOL, &[headers(1, END_STREAM, &get("/probe")), rest(1)]),
        error("continuation-of-another-stream", "§6.10", PROTOCOL, &[begun.clone(), rest(3)]),
        error(
            "continuation-interrupted-by-ping",
            "§6.10",
            PROTOCOL,
            &[begun.clone(), frame(PING, 0, 0, &[0; 8]), rest(1)],
        ),
        error(
            "continuation-interrupted-by-data",
            "§6.10",
            PROTOCOL,
            &[begun.clone(), frame(DATA, 0, 1, b"x"), rest(1)],
        ),
        error(
            "continuation-interrupted-by-headers",
            "§6.10",
            PROTOCOL,
            &[begun.clone(), headers(3, END_STREAM, &get("/h2")), rest(1)],
        ),
        error(
            "continuation-interrupted-by-unknown",
            "§5.5, §6.10",
            PROTOCOL,
            &[begun, frame(0x55, 0, 0, &[]), rest(1)],
        ),
    ]
}

fn windows() -> Vec<Case> {
    let most = [0x7f, 0xff, 0xff, 0xff];
    let data = frame(DATA, 0, 1, &[b'x'; 16_384]);
    vec![
        error("window-update-zero", "§6.9", PROTOCOL, &[frame(WINDOW_UPDATE, 0, 0, &[0; 4])]),
        error("window-overflow", "§6.9.1", FLOW_CONTROL, &[frame(WINDOW_UPDATE, 0, 0, &most)]),
        case("window-update-zero-on-stream", "§6.9", Malformed, &[opened(), frame(WINDOW_UPDATE, 0, 1, &[0; 4])]),
        case("window-overflow-on-stream", "§6.9.1", Malformed, &[opened(), frame(WINDOW_UPDATE, 0, 1, &most)]),
        error(
            "window-overflow-by-setting",
            "§6.9.2",
            FLOW_CONTROL,
            &[opened(), frame(WINDOW_UPDATE, 0, 1, &[0x7f, 0xff, 0, 0]), settings(&[(4, 0x7fff_ffff)])],
        ),
        case(
            "data-beyond-the-body-limit",
            "RFC 9110 §15.5.14",
            Malformed,
            &[opened(), data.repeat(5), frame(DATA, END_STREAM, 1, b"x")],
        ),
    ]
}

fn of_settings() -> Vec<Case> {
    vec![
        error("settings-push-two", "§6.5.2", PROTOCOL, &[settings(&[(2, 2)])]),
        error("settings-window-above-the-most", "§6.5.2", FLOW_CONTROL, &[settings(&[(4, 0x8000_0000)])]),
        error("settings-frame-size-too-small", "§6.5.2", PROTOCOL, &[settings(&[(5, 16_383)])]),
        error("settings-frame-size-too-large", "§6.5.2", PROTOCOL, &[settings(&[(5, 0x0100_0000)])]),
        error("settings-of-five-bytes", "§6.5", FRAME_SIZE, &[frame(SETTINGS, 0, 0, &[0; 5])]),
        error("settings-ack-with-payload", "§6.5", FRAME_SIZE, &[frame(SETTINGS, ACK, 0, &[0; 6])]),
        error("settings-on-a-stream", "§6.5", PROTOCOL, &[frame(SETTINGS, 0, 1, &[])]),
        case("settings-unknown", "§6.5.2: ignored", Harmless, &[settings(&[(0xff, 1), (0x10, 7)])]),
        case("settings-empty", "§6.5", Harmless, &[settings(&[])]),
    ]
}

fn others() -> Vec<Case> {
    vec![
        case("unknown-frame", "§5.5: ignored", Harmless, &[frame(0x55, 0xff, 0, b"whatever")]),
        case("ping", "§6.7", Harmless, &[frame(PING, 0, 0, &[7; 8])]),
        case("ping-ack-unasked", "§6.7", Harmless, &[frame(PING, ACK, 0, &[7; 8])]),
        error("goaway-on-a-stream", "§6.8", PROTOCOL, &[frame(GOAWAY, 0, 1, &[0; 8])]),
        case(
            "reserved-bit-is-ignored",
            "§4.1",
            Wanted::Passes("GET /h2 HTTP/1.1".into()),
            &[headers(0x8000_0001, END_STREAM, &get("/h2"))],
        ),
    ]
}
