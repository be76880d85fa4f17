//! Decoding in bounded pieces: no more comes out at once than a piece, and no more in all than the bounds say.
//!
//! # Invariants
//! * Decoding stops within one piece of a bound (`a_bomb_is_refused_within_a_piece_of_its_bound`).
//! * Whatever comes in, decoding ends with bytes or an error (`no_bytes_make_a_decoder_panic_or_hang`).

use super::{Coding, brotli, inflate, zstd};
use bytes::{Buf, Bytes};

/// Decoded bytes that come out at once.
const PIECE_BYTES: usize = 32 << 10;
/// Coded bytes that are read at once: some codings can read much and give nothing.
const FED_BYTES: usize = 16 << 10;
/// Up to so many decoded bytes the ratio is not looked at: short texts of one word compress far, and harm nobody.
pub const RATIO_FREE_BYTES: u64 = 64 << 10;

/// What one coding does to the next bytes.
pub(super) trait Decoder: Send + Sync {
    /// Reads from `input` and writes to `out`: all of `input`, unless `out` is full or the stream is over.
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Corrupt>;

    /// True between streams: what was read is whole.
    fn is_whole(&self) -> bool;
}

/// How far a step came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    pub read: usize,
    pub written: usize,
}

/// The bytes are not what their coding says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Corrupt;

/// How much may come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Decoded bytes for each coded byte that has come, beyond [`RATIO_FREE_BYTES`].
    pub ratio_max: u32,
    /// Decoded bytes in all.
    pub bytes_max: u64,
}

/// Why decoding stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not what the coding says, or bytes behind its end.
    #[error("the coded bytes are not valid")]
    Corrupt,
    /// It ends too soon.
    #[error("the coded bytes end too soon")]
    Truncated,
    /// More bytes than [`Bounds::bytes_max`].
    #[error("too many decoded bytes")]
    TooLarge,
    /// More bytes than [`Bounds::ratio_max`] allows.
    #[error("too many decoded bytes for each coded one")]
    RatioTooHigh,
}

impl From<Corrupt> for DecodeError {
    fn from(Corrupt: Corrupt) -> Self {
        Self::Corrupt
    }
}

/// A body that is being decoded: [`feed`](Self::feed), then [`piece`](Self::piece) until there is none, and
/// [`finish`](Self::finish) at its end.
pub struct Decoding {
    decoder: Box<dyn Decoder>,
    bounds: Bounds,
    input: Bytes,
    fed: u64,
    written: u64,
    /// The last step filled its piece: there may be more without more input.
    full: bool,
    piece: Box<[u8]>,
}

impl Decoding {
    /// Starts at the first coded byte.
    pub fn new(coding: Coding, bounds: Bounds) -> Self {
        let decoder: Box<dyn Decoder> = match coding {
            Coding::Gzip => Box::new(inflate::Gunzip::new()),
            Coding::Deflate => Box::new(inflate::Inflate::new()),
            Coding::Brotli => Box::new(brotli::Unbrotli::new()),
            Coding::Zstd => Box::new(zstd::Unzstd::new()),
        };
        let piece = vec![0; PIECE_BYTES].into_boxed_slice();
        Self { decoder, bounds, input: Bytes::new(), fed: 0, written: 0, full: false, piece }
    }

    /// Takes the next coded bytes. What was fed before must have been read: [`piece`](Self::piece) gave `None`.
    pub fn feed(&mut self, input: Bytes) {
        debug_assert!(self.input.is_empty(), "fed before the last input was read");
        self.fed = self.fed.saturating_add(input.len() as u64);
        self.input = input;
    }

    /// The next decoded bytes, at most 32 KiB, perhaps none; `None` when all that was fed is decoded.
    pub fn piece(&mut self) -> Result<Option<Bytes>, DecodeError> {
        if self.input.is_empty() && !self.full {
            return Ok(None);
        }
        let fed = self.input.get(..FED_BYTES).unwrap_or(&self.input);
        let step = self.decoder.step(fed, &mut self.piece)?;
        if step.read == 0 && step.written == 0 && !self.input.is_empty() {
            return Err(DecodeError::Corrupt); // a decoder that stands still would never end
        }
        self.input.advance(step.read);
        self.full = step.written == self.piece.len();
        self.written = self.written.saturating_add(step.written as u64);
        self.check()?;
        Ok(Some(Bytes::copy_from_slice(self.piece.get(..step.written).unwrap_or_default())))
    }

    fn check(&self) -> Result<(), DecodeError> {
        if self.written > self.bounds.bytes_max {
            return Err(DecodeError::TooLarge);
        }
        let fair = self.fed.saturating_mul(u64::from(self.bounds.ratio_max)).max(RATIO_FREE_BYTES);
        if self.written > fair { Err(DecodeError::RatioTooHigh) } else { Ok(()) }
    }

    /// No more coded bytes come. A body of no bytes at all is empty, whatever its coding.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.fed == 0 || self.decoder.is_whole() { Ok(()) } else { Err(DecodeError::Truncated) }
    }
}
