//! brotli.

use super::decode::{Corrupt, Decoder, Step};
use super::encode::{Encoder, LEVEL_BROTLI, WINDOW_LOG};
use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState, CompressorWriter};
use bytes::BytesMut;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes that the encoder hands on at once.
const ROOM_BYTES: usize = 4 << 10;

/// brotli, one stream.
pub(super) struct Unbrotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    ended: bool,
}

impl Unbrotli {
    pub fn new() -> Self {
        let alloc = StandardAlloc::default;
        // strict: windows as in RFC 7932, at most 16 MiB; the other constructor takes 1 GiB
        let state = Box::new(BrotliState::new_strict(alloc(), alloc(), alloc()));
        Self { state, ended: false }
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Corrupt> {
        let (mut available_in, mut read) = (input.len(), 0);
        let (mut available_out, mut written, mut total) = (out.len(), 0, 0);
        let result = BrotliDecompressStream(
            &mut available_in,
            &mut read,
            input,
            &mut available_out,
            &mut written,
            out,
            &mut total,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err(Corrupt),
            BrotliResult::ResultSuccess => self.ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        Ok(Step { read, written })
    }
}

impl Decoder for Unbrotli {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Corrupt> {
        if self.ended {
            return if input.is_empty() { Ok(Step::default()) } else { Err(Corrupt) };
        }
        // A translation from C with assertions of its own: one that fails is a bad stream and no dead worker.
        catch_unwind(AssertUnwindSafe(|| self.run(input, out))).unwrap_or(Err(Corrupt))
    }

    fn is_whole(&self) -> bool {
        self.ended
    }
}

/// brotli for a client.
pub(super) struct Brotli(Option<CompressorWriter<Vec<u8>>>);

impl Brotli {
    pub fn new() -> Self {
        Self(Some(CompressorWriter::new(Vec::new(), ROOM_BYTES, LEVEL_BROTLI, WINDOW_LOG)))
    }

    /// Writing into memory cannot fail.
    fn with(&mut self, work: impl FnOnce(&mut CompressorWriter<Vec<u8>>) -> std::io::Result<()>, out: &mut BytesMut) {
        let Some(writer) = &mut self.0 else { return };
        drop(work(writer));
        out.extend_from_slice(writer.get_ref());
        writer.get_mut().clear();
    }
}

impl Encoder for Brotli {
    fn write(&mut self, input: &[u8], out: &mut BytesMut) {
        self.with(|writer| writer.write_all(input), out);
    }

    fn flush(&mut self, out: &mut BytesMut) {
        self.with(Write::flush, out);
    }

    fn finish(&mut self, out: &mut BytesMut) {
        if let Some(writer) = self.0.take() {
            out.extend_from_slice(&writer.into_inner());
        }
    }
}
