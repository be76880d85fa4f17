//! The laws of decoding and coding: however bytes are cut, the same comes out; what is broken is an error; bounds hold.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests end by panics")]

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use raptorgate_filters::codings::{Bounds, Coding, DecodeError, Decoding, Encoding, RATIO_FREE_BYTES};
use std::io::Write;

const CODINGS: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];
const WIDE: Bounds = Bounds { ratio_max: u32::MAX, bytes_max: u64::MAX };

/// Coded by the libraries' own front ends at other settings than the gateway's: what clients send.
fn coded(coding: Coding, plain: &[u8]) -> Vec<u8> {
    let best = flate2::Compression::best();
    match coding {
        Coding::Gzip => written(flate2::write::GzEncoder::new(Vec::new(), best), plain).finish().unwrap(),
        Coding::Deflate => written(flate2::write::ZlibEncoder::new(Vec::new(), best), plain).finish().unwrap(),
        Coding::Brotli => written(brotli::CompressorWriter::new(Vec::new(), 4096, 9, 22), plain).into_inner(),
        Coding::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 9).unwrap();
            encoder.include_checksum(true).unwrap();
            written(encoder, plain).finish().unwrap()
        }
    }
}

fn written<W: Write>(mut encoder: W, plain: &[u8]) -> W {
    encoder.write_all(plain).unwrap();
    encoder
}

fn bare_deflate(plain: &[u8]) -> Vec<u8> {
    written(flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best()), plain).finish().unwrap()
}

/// Everything that comes out of these pieces, or why it stopped.
fn decoded<'a>(
    coding: Coding,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    bounds: Bounds,
) -> Result<Vec<u8>, DecodeError> {
    let (mut decoding, mut out) = (Decoding::new(coding, bounds), Vec::new());
    for piece in pieces {
        decoding.feed(Bytes::copy_from_slice(piece));
        while let Some(plain) = decoding.piece()? {
            out.extend_from_slice(&plain);
        }
    }
    decoding.finish().map(|()| out)
}

fn whole(coding: Coding, bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    decoded(coding, [bytes], WIDE)
}

/// Text that compresses somewhat, longer than what a decoder gives at once.
fn text(bytes: usize) -> Vec<u8> {
    let words = ["alpha ", "beta ", "gamma\n", "δ ", "{\"x\":1},"];
    let mut state = 7_u32;
    let mut text = Vec::new();
    while text.len() < bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend_from_slice(words[(state >> 16) as usize % words.len()].as_bytes());
    }
    text
}

#[test]
fn long_texts_survive_every_coding() {
    let plain = text(700_000);
    for coding in CODINGS {
        assert!(whole(coding, &coded(coding, &plain)) == Ok(plain.clone()), "{coding:?}");
    }
    assert!(whole(Coding::Deflate, &bare_deflate(&plain)) == Ok(plain));
}

#[test]
fn a_stream_that_is_cut_anywhere_is_an_error() {
    let plain = text(300);
    let all = CODINGS.map(|coding| (coding, coded(coding, &plain)));
    for (coding, bytes) in all.into_iter().chain([(Coding::Deflate, bare_deflate(&plain))]) {
        assert_eq!(whole(coding, &bytes), Ok(plain.clone()));
        for cut in 1..bytes.len() {
            let error = whole(coding, &bytes[..cut]);
            assert_eq!(error, Err(DecodeError::Truncated), "{coding:?} after {cut} of {} bytes", bytes.len());
        }
    }
}

#[test]
fn bytes_behind_the_end_are_an_error() {
    let plain = text(300);
    let all = CODINGS.map(|coding| (coding, coded(coding, &plain)));
    for (coding, bytes) in all.into_iter().chain([(Coding::Deflate, bare_deflate(&plain))]) {
        for tail in [&b"\0"[..], b"{}", b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"] {
            let long = [bytes.as_slice(), tail].concat();
            assert!(whole(coding, &long).is_err(), "{coding:?} with {tail:?} at its end, at once");
            let split = decoded(coding, [bytes.as_slice(), tail], WIDE);
            assert!(split.is_err(), "{coding:?} with {tail:?} behind it");
            let bytewise = decoded(coding, long.chunks(1), WIDE);
            assert!(bytewise.is_err(), "{coding:?} with {tail:?}, byte by byte");
        }
    }
}

#[test]
fn members_and_frames_are_one_body() {
    for coding in [Coding::Gzip, Coding::Zstd] {
        let two = [coded(coding, b"one "), coded(coding, b"two")].concat();
        assert_eq!(whole(coding, &two).unwrap(), b"one two");
        assert_eq!(decoded(coding, two.chunks(1), WIDE).unwrap(), b"one two");
    }
    let skipped = [&[0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9][..], &coded(Coding::Zstd, b"x")].concat();
    assert_eq!(whole(Coding::Zstd, &skipped).unwrap(), b"x");
    for coding in [Coding::Deflate, Coding::Brotli] {
        assert!(whole(coding, &[coded(coding, b"one "), coded(coding, b"two")].concat()).is_err(), "{coding:?}");
    }
    let many = coded(Coding::Gzip, b"").repeat(1025);
    assert_eq!(whole(Coding::Gzip, &many), Err(DecodeError::Corrupt), "members are bounded");
}

#[test]
fn no_bytes_at_all_are_an_empty_body() {
    for coding in CODINGS {
        assert_eq!(whole(coding, b""), Ok(Vec::new()));
        assert_eq!(whole(coding, &coded(coding, b"")), Ok(Vec::new()));
    }
}

#[test]
fn a_changed_byte_never_changes_the_text() {
    let plain = text(300);
    for coding in [Coding::Gzip, Coding::Deflate, Coding::Zstd] {
        let bytes = coded(coding, &plain);
        let outcomes = (0..bytes.len()).map(|at| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x40;
            whole(coding, &bytes)
        });
        let outcomes: Vec<_> = outcomes.collect();
        assert!(outcomes.iter().flatten().all(|out| *out == plain), "{coding:?}: other text came out");
        // time and system in gzip's head and the bits that fill the last byte are no content
        let unseen = outcomes.iter().flatten().count();
        assert!(unseen <= 8, "{coding:?}: {unseen} changed bytes were not seen");
    }
}

#[test]
fn windows_beyond_the_bound_are_refused() {
    let plain = text(1000);
    for (log, fits) in [(23, true), (24, false), (27, false)] {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.set_parameter(zstd::stream::raw::CParameter::WindowLog(log)).unwrap();
        let bytes = written(encoder, &plain).finish().unwrap();
        assert_eq!(whole(Coding::Zstd, &bytes).is_ok(), fits, "a window of 2^{log} bytes");
    }
    // RFC 7932 §9.1 leaves 0x11 free: encoders of "large window" brotli begin with it
    assert_eq!(whole(Coding::Brotli, &[0x11, 0x1e, 0, 0, 0, 0]), Err(DecodeError::Corrupt));
    // a frame of zstd 0.7, which the library can read
    assert_eq!(whole(Coding::Zstd, &[0x27, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0, 0]), Err(DecodeError::Corrupt));
}

#[test]
fn a_bomb_is_refused_within_a_piece_of_its_bound() {
    let zeros = vec![0; 10 << 20];
    for coding in CODINGS {
        let bomb = coded(coding, &zeros);
        for (bounds, error) in [
            (Bounds { ratio_max: 100, bytes_max: u64::MAX }, DecodeError::RatioTooHigh),
            (Bounds { ratio_max: u32::MAX, bytes_max: 1 << 20 }, DecodeError::TooLarge),
        ] {
            let mut decoding = Decoding::new(coding, bounds);
            decoding.feed(Bytes::from(bomb.clone()));
            let mut given = 0_u64;
            let refused = loop {
                match decoding.piece() {
                    Ok(Some(piece)) => given += piece.len() as u64,
                    Ok(None) => panic!("{coding:?}: a bomb came through"),
                    Err(e) => break e,
                }
            };
            assert_eq!(refused, error, "{coding:?}");
            let most = bounds.bytes_max.min((bomb.len() as u64 * u64::from(bounds.ratio_max)).max(RATIO_FREE_BYTES));
            assert!(given <= most, "{coding:?}: {given} bytes came out, {most} may");
        }
        let short = coded(coding, &vec![b' '; RATIO_FREE_BYTES as usize]);
        assert!(
            decoded(coding, [short.as_slice()], Bounds { ratio_max: 1, bytes_max: u64::MAX }).is_ok(),
            "{coding:?}"
        );
    }
}

#[test]
fn what_was_flushed_can_be_decoded() {
    for coding in [Coding::Gzip, Coding::Brotli, Coding::Zstd] {
        let mut encoding = Encoding::new(coding).unwrap();
        let mut decoding = Decoding::new(coding, WIDE);
        for n in 0..50 {
            let event = format!("data: {{\"event\":{n}}}\n\n");
            let mut out = BytesMut::new();
            encoding.write(event.as_bytes(), &mut out);
            encoding.flush(&mut out);
            decoding.feed(out.freeze());
            let mut plain = Vec::new();
            while let Some(piece) = decoding.piece().unwrap() {
                plain.extend_from_slice(&piece);
            }
            assert_eq!(plain, event.as_bytes(), "{coding:?}: an event is held back");
        }
        assert_eq!(decoding.finish(), Err(DecodeError::Truncated), "{coding:?}: not over yet");
        decoding.feed(encoding.finish());
        while let Some(piece) = decoding.piece().unwrap() {
            assert!(piece.is_empty(), "{coding:?}: the end brings bytes");
        }
        assert_eq!(decoding.finish(), Ok(()), "{coding:?}");
    }
    assert!(Encoding::new(Coding::Deflate).is_none());
}

fn coding() -> impl Strategy<Value = Coding> {
    prop::sample::select(&CODINGS[..])
}

proptest! {
    #[test]
    fn any_cut_of_the_coded_bytes_decodes_to_the_same(
        coding in coding(), plain in prop::collection::vec(any::<u8>(), 0..2000), repeats in 1..40_usize,
        cuts in prop::collection::vec(1..300_usize, 1..20),
    ) {
        let plain = plain.repeat(repeats);
        let bytes = coded(coding, &plain);
        let (mut pieces, mut rest, mut sizes) = (Vec::new(), bytes.as_slice(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        let out = decoded(coding, pieces, WIDE);
        prop_assert!(out.as_ref() == Ok(&plain), "{:?}", out.map(|out| out.len()));
    }

    #[test]
    fn any_cut_of_plain_bytes_survives_coding(
        coding in prop::sample::select(&[Coding::Gzip, Coding::Brotli, Coding::Zstd][..]),
        pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..3000), any::<bool>()), 0..20),
    ) {
        let (mut encoding, mut out, mut plain) = (Encoding::new(coding).unwrap(), BytesMut::new(), Vec::new());
        for (piece, flush) in &pieces {
            plain.extend_from_slice(piece);
            encoding.write(piece, &mut out);
            if *flush {
                encoding.flush(&mut out);
            }
        }
        out.extend_from_slice(&encoding.finish());
        prop_assert!(whole(coding, &out) == Ok(plain));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic_or_hang(
        coding in coding(), bytes in prop::collection::vec(any::<u8>(), 0..4000), cut in 1..200_usize,
    ) {
        let bounds = Bounds { ratio_max: 1000, bytes_max: 4 << 20 };
        let at_once = decoded(coding, [bytes.as_slice()], bounds);
        let cut = decoded(coding, bytes.chunks(cut), bounds);
        prop_assert!(at_once.is_ok() == cut.is_ok());
    }

    #[test]
    fn broken_streams_end_in_bytes_or_an_error(
        coding in coding(), size in 1..5000_usize, at in any::<prop::sample::Index>(), with in any::<u8>(), cut in 1..200_usize,
    ) {
        let mut bytes = coded(coding, &text(size));
        let at = at.index(bytes.len());
        bytes[at] = with;
        let bounds = Bounds { ratio_max: 1000, bytes_max: 4 << 20 };
        let (at_once, cut) = (decoded(coding, [bytes.as_slice()], bounds), decoded(coding, bytes.chunks(cut), bounds));
        prop_assert!(at_once.is_ok() == cut.is_ok());
    }
}
