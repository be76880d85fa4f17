//! Content codings: any bytes end in decoded ones or an error, within their bound, wherever they are cut.

use super::cuts::ways;
use bytes::{Bytes, BytesMut};
use raptorgate_filters::codings::{Bounds, Coding, DecodeError, Decoding, Encoding};

const BOUNDS: Bounds = Bounds { ratio_max: 100, bytes_max: 96 << 10 };
/// Most that comes out at once.
const PIECE_BYTES_MAX: usize = 32 << 10;
const CODINGS: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

/// The first byte says which coding.
pub fn codings(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let coding = CODINGS[usize::from(*first) % CODINGS.len()];
    let (bytes, ways) = ways(data);
    let whole = decoded(coding, &[bytes]);
    for way in ways {
        match (decoded(coding, &way), &whole) {
            (Ok(seen), Ok(whole)) => assert_eq!(&seen, whole, "{coding:?}"),
            // how far a bomb comes before it is seen depends on how much of it has come
            (Err(DecodeError::RatioTooHigh), _) | (Err(_), Err(_)) => {}
            (seen, whole) => panic!("{coding:?}: a cut changes the end: {:?}, {:?}", seen.err(), whole.as_ref().err()),
        }
    }
    if let Some(mut encoding) = Encoding::new(coding) {
        let mut out = BytesMut::new();
        encoding.write(bytes, &mut out);
        out.extend_from_slice(&encoding.finish());
        assert_eq!(decoded(coding, &[&out]).as_deref(), Ok(bytes), "{coding:?}");
    }
}

fn decoded(coding: Coding, pieces: &[&[u8]]) -> Result<Vec<u8>, DecodeError> {
    let mut decoding = Decoding::new(coding, BOUNDS);
    let mut out = Vec::new();
    for piece in pieces {
        decoding.feed(Bytes::copy_from_slice(piece));
        while let Some(bytes) = decoding.piece()? {
            out.extend_from_slice(&bytes);
            assert!(out.len() as u64 <= BOUNDS.bytes_max + PIECE_BYTES_MAX as u64, "a bound does not hold");
        }
    }
    decoding.finish().map(|()| out)
}
