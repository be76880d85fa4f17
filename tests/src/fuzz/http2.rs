//! The budget of HTTP/2 frames: it changes nothing within, and nobody can hide frames from it by cutting them.

use super::cuts::ways;
use raptorgate::edge::frames::{FrameBudget, FrameLimits, TooManyFrames};
use std::ops::Range;
use std::time::Instant;

/// Enough for any input.
const AMPLE: FrameLimits = FrameLimits { resets_max: u32::MAX, control_max: u32::MAX };
const TIGHT: FrameLimits = FrameLimits { resets_max: 2, control_max: 3 };
const PREFACE_BYTES: usize = 24;
const HEADER_BYTES: usize = 9;
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

/// What ends a connection: a PING without payload.
const INVALID: [u8; HEADER_BYTES] = [0, 0, 0, 6, 0, 0, 0, 0, 0];

/// What reached the HTTP/2 library, and how the last look ended.
type Passed = (Vec<u8>, Result<(), TooManyFrames>);

/// Frames within the budget pass as they came; of the first one beyond, the header is made invalid and nothing else, or the
/// connection ends at once because the header's first bytes have passed.
pub fn frames(data: &[u8]) {
    let (frames, [cut, single]) = ways(data);
    let begin = [&[b'p'; PREFACE_BYTES], SETTINGS].concat();
    let stream = [&begin, frames].concat();
    assert_eq!(first_beyond(&stream, AMPLE), None);
    for limits in [AMPLE, TIGHT] {
        let beyond = first_beyond(&stream, limits);
        for way in [&[frames][..], &cut, &single] {
            let pieces: Vec<&[u8]> = [&begin[..]].into_iter().chain(way.iter().copied()).collect();
            assert_eq!(passed(limits, &pieces), expected(&stream, &pieces, beyond.clone()), "{limits:?}, {beyond:?}");
        }
    }
}

fn passed(limits: FrameLimits, pieces: &[&[u8]]) -> Passed {
    let now = Instant::now();
    let mut budget = FrameBudget::new(limits);
    let mut out = Vec::new();
    for piece in pieces {
        let mut bytes = piece.to_vec();
        if let Err(error) = budget.inspect(&mut bytes, now) {
            return (out, Err(error));
        }
        out.append(&mut bytes);
        if budget.is_spent() {
            break;
        }
    }
    (out, Ok(()))
}

fn expected(stream: &[u8], pieces: &[&[u8]], beyond: Option<Range<usize>>) -> Passed {
    let Some(judged) = beyond else { return (stream.to_vec(), Ok(())) };
    let mut end = 0;
    for piece in pieces {
        let start = end;
        end += piece.len();
        if end < judged.end {
            continue;
        }
        if judged.start < start {
            return (stream[..start].to_vec(), Err(TooManyFrames));
        }
        let mut out = stream[..end].to_vec();
        out[judged.start..judged.start + HEADER_BYTES].copy_from_slice(&INVALID);
        return (out, Ok(()));
    }
    panic!("a frame beyond the end of the stream");
}

/// The bytes on which the first frame beyond the limits is judged: RFC 9113 §4.1 and §6, read from the whole stream.
fn first_beyond(stream: &[u8], limits: FrameLimits) -> Option<Range<usize>> {
    let (mut resets, mut control) = (0, 0);
    let mut at = PREFACE_BYTES;
    loop {
        let [a, b, c, kind, flags] = *stream.get(at..at + HEADER_BYTES)?.first_chunk()?;
        let length = u32::from_be_bytes([0, a, b, c]);
        let payload = at + HEADER_BYTES;
        let mut judged = at..payload;
        let costs_its_sender = match kind {
            0 => length > 0 || flags & 1 != 0,
            1 => true,
            // any other length is an error of the connection, which the library finds
            8 if length == 4 => {
                judged.end += 4;
                u32::from_be_bytes(*stream.get(payload..)?.first_chunk()?) << 1 >> 1 >= 1024
            }
            8 => true,
            _ => false,
        };
        match kind {
            3 => resets += 1,
            _ if costs_its_sender => {}
            _ => control += 1,
        }
        if resets > limits.resets_max || control > limits.control_max {
            return Some(judged);
        }
        at = payload + length as usize;
    }
}
