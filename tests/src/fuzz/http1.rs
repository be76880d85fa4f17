//! HTTP/1.1 heads, chunks and whole connections: judged strictly, the same wherever the bytes are cut, and as another
//! parser reads them.

use super::cuts::{pieces, ways};
use raptorgate::edge::chunks::Chunks;
use raptorgate::edge::head::{Framing, Head, HeadLimits, end_of, is_hopeless, judge};
use raptorgate::edge::message::{Messages, Step};

const LIMITS: HeadLimits = HeadLimits { bytes_max: 2048, fields_max: 32, target_bytes_max: 256 };
/// More steps of a connection than its bytes can ask for.
const STEPS_PER_BYTE: usize = 8;

/// A head that passes has one meaning: that of Pingora's parser, and that of a plain reading of its lines.
pub fn head(data: &[u8]) {
    let mut bytes = data.to_vec();
    if end_of(data).is_none() {
        bytes.extend_from_slice(b"\r\n\r\n");
    }
    bytes.truncate(end_of(&bytes).unwrap());
    let Ok(head) = judge(&bytes, &LIMITS) else { return };
    assert!((0..=bytes.len()).all(|end| !is_hopeless(&bytes[..end])), "a valid head was hopeless on its way");
    let mut fields = [httparse::EMPTY_HEADER; 33];
    let mut request = httparse::Request::new(&mut fields);
    let parsed = request.parse(&bytes);
    assert_eq!(parsed, Ok(httparse::Status::Complete(bytes.len())), "the next parser reads it another way");
    let (named, all) = (|name: &str| values(request.headers, name), request.headers.len());
    let lines = bytes.split(|b| *b == b'\n').count() - 3;
    assert_eq!(lines, all, "a field was seen that is not a line, or a line that is no field");
    let hosts = named("host").len();
    assert!(hosts == 1 || (hosts == 0 && request.version == Some(0)), "{hosts} hosts");
    let expected = match (&named("content-length")[..], &named("transfer-encoding")[..]) {
        ([], []) => Framing::Length(0),
        ([length], []) => Framing::Length(std::str::from_utf8(length).unwrap().trim().parse().unwrap()),
        ([], [coding]) if coding.trim_ascii().eq_ignore_ascii_case(b"chunked") => Framing::Chunked,
        (lengths, codings) => panic!("{} lengths beside {} codings passed", lengths.len(), codings.len()),
    };
    assert_eq!(head, Head { framing: expected, asks_upgrade: !named("upgrade").is_empty() });
}

fn values<'a>(fields: &[httparse::Header<'a>], name: &str) -> Vec<&'a [u8]> {
    fields.iter().filter(|f| f.name.eq_ignore_ascii_case(name)).map(|f| f.value).collect()
}

/// A chunked body ends where its lines say, wherever it is cut.
pub fn chunks(data: &[u8]) {
    let (bytes, ways) = ways(data);
    let whole = scanned(&[bytes]);
    for way in ways {
        assert_eq!(scanned(&way), whole, "cut {:?}", way.iter().map(|p| p.len()).collect::<Vec<_>>());
    }
    if let Ok((taken, true)) = whole {
        assert_eq!(plain_end(bytes), Some(taken), "another reader finds another end");
    }
}

/// Bytes taken and whether the body is over; or that it is broken.
fn scanned(pieces: &[&[u8]]) -> Result<(usize, bool), &'static str> {
    let mut chunks = Chunks::default();
    let mut taken = 0;
    for piece in pieces {
        let more = chunks.scan(piece)?;
        taken += more;
        assert!(chunks.unfinished() <= taken);
        assert!(more == piece.len() || chunks.is_over(), "bytes are left over in the middle of a body");
    }
    Ok((taken, chunks.is_over()))
}

/// RFC 9112 §7.1.3, read line by line.
fn plain_end(bytes: &[u8]) -> Option<usize> {
    let line_end = |from: usize| memchr(&bytes[from..]).map(|at| from + at);
    let mut at = 0;
    loop {
        let end = line_end(at)?;
        let line = std::str::from_utf8(bytes[at..end].split(|b| *b == b';').next()?).ok()?;
        let size = usize::from_str_radix(line, 16).ok()?;
        at = end + 2;
        if size == 0 {
            break;
        }
        at += size;
        assert_eq!(bytes.get(at..at + 2), Some(&b"\r\n"[..]), "data without its end passed");
        at += 2;
    }
    loop {
        let end = line_end(at)?;
        let empty = end == at;
        at = end + 2;
        if empty {
            return Some(at);
        }
    }
}

fn memchr(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| pair == b"\r\n")
}

/// What became of a connection.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    /// Whole messages that were given on.
    messages: Vec<Vec<u8>>,
    failed: bool,
}

/// The messages of a connection are the same wherever its bytes are cut, and what is given on is what came.
pub fn messages(data: &[u8]) {
    let (bytes, ways) = ways(data);
    let room = data.first().map_or(1, |b| usize::from(*b) + 1);
    let whole = connection(&[bytes], usize::MAX);
    for way in &ways {
        assert_eq!(connection(way, room), whole);
    }
    assert_eq!(connection(&pieces(bytes, &[128]), 1), whole);
    for message in &whole.messages {
        let (head, body) = message.split_at(end_of(message).expect("a message without a head"));
        match judge(head, &LIMITS).expect("a head passed that is not valid").framing {
            Framing::Length(length) => assert_eq!(body.len() as u64, length),
            Framing::Chunked => assert_eq!(plain_end(body), Some(body.len())),
        }
    }
}

/// Plays a connection whose receiver takes at most `room` bytes at once.
fn connection(pieces: &[&[u8]], room: usize) -> Outcome {
    let mut messages = Messages::new(LIMITS);
    let mut outcome = Outcome { messages: Vec::new(), failed: false };
    let (mut given, mut current) = (Vec::new(), Vec::new());
    let all = pieces.concat();
    let mut pieces = pieces.iter();
    for _ in 0..(all.len() + pieces.len() + 1) * STEPS_PER_BYTE {
        match messages.step() {
            Step::Fill | Step::Pass => match pieces.next() {
                Some(piece) => messages.buffer.extend_from_slice(piece),
                None => return came(outcome, &given, &all),
            },
            Step::Give(most) => {
                let taken = messages.took(most.min(room));
                assert!(taken > 0 && taken <= most, "a step that gives nothing never ends");
                let bytes = messages.buffer.split_to(taken);
                current.extend_from_slice(&bytes);
                given.extend_from_slice(&bytes);
            }
            Step::Wait => {
                outcome.messages.push(std::mem::take(&mut current));
                assert!(messages.next_message(), "a message is over that is not over");
            }
            Step::Refuse(_) | Step::Break(_) => {
                outcome.failed = true;
                return came(outcome, &given, &all);
            }
        }
    }
    panic!("the connection stands still");
}

/// What was given on is what came, but for empty lines between messages.
fn came(outcome: Outcome, given: &[u8], all: &[u8]) -> Outcome {
    let mut rest = all;
    let firsts = outcome.messages.iter().map(Vec::as_slice);
    let last = &given[outcome.messages.iter().map(Vec::len).sum::<usize>()..];
    for message in firsts.chain([last]).filter(|m| !m.is_empty()) {
        while let Some(behind) = rest.strip_prefix(b"\r\n") {
            rest = behind;
        }
        rest = rest.strip_prefix(message).expect("bytes were given on that did not come");
    }
    outcome
}
