//! Coding a reply for a client, piece by piece.
//!
//! # Invariants
//! * After a flush everything that was written can be decoded (`what_was_flushed_can_be_decoded`).

use super::{Coding, brotli, inflate, zstd};
use bytes::{Bytes, BytesMut};

/// Levels that cost about as much CPU as a guard does; the last few percent of size are not worth a worker.
pub(super) const LEVEL_GZIP: u32 = 4;
pub(super) const LEVEL_BROTLI: u32 = 4;
pub(super) const LEVEL_ZSTD: i32 = 3;
/// Base-2 logarithm of the windows of brotli and zstd: 128 KiB. With it a reply that streams costs at most about 1 MiB
/// of memory, for as long as it lasts.
pub(super) const WINDOW_LOG: u32 = 17;

/// What one coding does to the next bytes of a reply. Writing into memory cannot fail.
pub(super) trait Encoder: Send + Sync {
    /// Takes bytes; appends what is ready.
    fn write(&mut self, input: &[u8], out: &mut BytesMut);

    /// Appends everything that is held back.
    fn flush(&mut self, out: &mut BytesMut);

    /// Appends the rest and the end of the stream.
    fn finish(&mut self, out: &mut BytesMut);
}

/// A reply that is being coded.
pub struct Encoding {
    encoder: Box<dyn Encoder>,
}

impl Encoding {
    /// Starts a reply; `None` if this coding is not written, or there is no memory for it.
    pub fn new(coding: Coding) -> Option<Self> {
        let encoder: Box<dyn Encoder> = match coding {
            Coding::Gzip => Box::new(inflate::Gzip::new()),
            Coding::Brotli => Box::new(brotli::Brotli::new()),
            Coding::Zstd => Box::new(zstd::Zstd::new()?),
            // clients disagree about what it is
            Coding::Deflate => return None,
        };
        Some(Self { encoder })
    }

    /// Takes bytes and gives what is ready, perhaps nothing. The cost grows with `input`: give it bounded pieces.
    pub fn write(&mut self, input: &[u8], out: &mut BytesMut) {
        self.encoder.write(input, out);
    }

    /// What is held back, so that the client can read all that was written.
    pub fn flush(&mut self, out: &mut BytesMut) {
        self.encoder.flush(out);
    }

    /// The end.
    pub fn finish(mut self) -> Bytes {
        let mut out = BytesMut::new();
        self.encoder.finish(&mut out);
        out.freeze()
    }
}
