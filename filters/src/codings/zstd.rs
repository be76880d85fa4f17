//! zstd.

use super::decode::{Corrupt, Decoder, Step};
use super::encode::{Encoder, LEVEL_ZSTD, WINDOW_LOG};
use bytes::BytesMut;
use zstd::stream::raw::{CParameter, DParameter, InBuffer, Operation, OutBuffer};
use zstd::stream::raw::{Decoder as RawDecoder, Encoder as RawEncoder};

/// Base-2 logarithm of the largest window: 8 MiB (RFC 9659 §3). A frame that wants more is not valid here.
const WINDOW_LOG_MAX: u32 = 23;
/// First bytes of a frame (RFC 8878 §3.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// What follows the first byte of a frame that is skipped, 0x50 to 0x5f.
const MAGIC_SKIPPED: [u8; 3] = [0x2a, 0x4d, 0x18];
/// Bytes of output that are made room for at once.
const ROOM_BYTES: usize = 8 << 10;

/// zstd, frame by frame.
pub(super) struct Unzstd {
    /// `None`: memory for it could not be had.
    state: Option<RawDecoder<'static>>,
    /// First bytes of the next frame: the library also reads formats that came before the RFC.
    magic: Vec<u8>,
    in_frame: bool,
    frames: bool,
}

impl Unzstd {
    pub fn new() -> Self {
        let state = RawDecoder::new().and_then(|mut state| {
            state.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
            Ok(state)
        });
        Self { state: state.ok(), magic: Vec::with_capacity(MAGIC.len()), in_frame: false, frames: false }
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Corrupt> {
        let state = self.state.as_mut().ok_or(Corrupt)?;
        let status = state.run_on_buffers(input, out).map_err(|_| Corrupt)?;
        self.in_frame = status.remaining > 0;
        Ok(Step { read: status.bytes_read, written: status.bytes_written })
    }

    fn begin(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Corrupt> {
        let taken = input.iter().take(MAGIC.len().saturating_sub(self.magic.len()));
        let read = taken.len();
        self.magic.extend(taken);
        if self.magic.len() < MAGIC.len() {
            return Ok(Step { read, written: 0 });
        }
        if !is_magic(&self.magic) {
            return Err(Corrupt);
        }
        let magic = std::mem::take(&mut self.magic);
        let step = self.run(&magic, out)?;
        if step.read != magic.len() {
            return Err(Corrupt);
        }
        (self.in_frame, self.frames) = (true, true);
        Ok(Step { read, written: step.written })
    }
}

fn is_magic(first: &[u8]) -> bool {
    let skipped = |first: &[u8]| matches!(first, [0x50..=0x5f, rest @ ..] if *rest == MAGIC_SKIPPED);
    first == MAGIC || skipped(first)
}

impl Decoder for Unzstd {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Corrupt> {
        if self.in_frame { self.run(input, out) } else { self.begin(input, out) }
    }

    fn is_whole(&self) -> bool {
        self.frames && !self.in_frame && self.magic.is_empty()
    }
}

/// zstd for a client.
pub(super) struct Zstd(RawEncoder<'static>);

impl Zstd {
    /// `None`: memory for it could not be had.
    pub fn new() -> Option<Self> {
        let mut state = RawEncoder::new(LEVEL_ZSTD).ok()?;
        state.set_parameter(CParameter::WindowLog(WINDOW_LOG)).ok()?;
        Some(Self(state))
    }
}

impl Encoder for Zstd {
    fn write(&mut self, input: &[u8], out: &mut BytesMut) {
        let mut input = InBuffer::around(input);
        while input.pos() < input.src.len() {
            let read = input.pos();
            let wrote = with_room(out, |room| self.0.run(&mut input, room));
            if wrote.is_none() || (wrote == Some(0) && input.pos() == read) {
                return; // into memory that is there this cannot fail
            }
        }
    }

    fn flush(&mut self, out: &mut BytesMut) {
        while with_room(out, |room| self.0.flush(room)).is_some_and(|left| left > 0) {}
    }

    fn finish(&mut self, out: &mut BytesMut) {
        while with_room(out, |room| self.0.finish(room, false)).is_some_and(|left| left > 0) {}
    }
}

/// Does one step of work into fresh room and appends what came of it; what the step says, `None` if it failed.
fn with_room(
    out: &mut BytesMut,
    step: impl FnOnce(&mut OutBuffer<'_, [u8]>) -> std::io::Result<usize>,
) -> Option<usize> {
    let mut room = [0; ROOM_BYTES];
    let (left, written) = {
        let mut room = OutBuffer::around(room.as_mut_slice());
        let left = step(&mut room).ok()?;
        (left, room.pos())
    };
    out.extend_from_slice(room.get(..written).unwrap_or_default());
    Some(left)
}
