//! gzip and deflate, on zlib-ng.

use super::decode::{Corrupt, Decoder, Step};
use super::encode::{Encoder, LEVEL_GZIP};
use bytes::BytesMut;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Base-2 logarithm of the window: the largest there is, which every stream may use.
const WINDOW_BITS: u8 = 15;
/// Members of one gzip body. Each costs a new state, and an empty one has 20 bytes; more: not valid.
const MEMBERS_MAX: u32 = 1024;
/// Bytes of output that are made room for at once.
const ROOM_BYTES: usize = 8 << 10;

fn inflate(state: &mut Decompress, input: &[u8], out: &mut [u8]) -> Result<(Step, Status), Corrupt> {
    let (read, written) = (state.total_in(), state.total_out());
    let status = state.decompress(input, out, FlushDecompress::Sync).map_err(|_| Corrupt)?;
    let moved = |now: u64, before: u64| usize::try_from(now.saturating_sub(before)).map_err(|_| Corrupt);
    Ok((Step { read: moved(state.total_in(), read)?, written: moved(state.total_out(), written)? }, status))
}

/// gzip, member by member.
pub(super) struct Gunzip {
    /// `None` between members.
    member: Option<Decompress>,
    members: u32,
}

impl Gunzip {
    pub fn new() -> Self {
        Self { member: None, members: 0 }
    }
}

impl Decoder for Gunzip {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Corrupt> {
        if self.member.is_none() {
            if input.is_empty() {
                return Ok(Step::default());
            }
            self.members += 1;
            if self.members > MEMBERS_MAX {
                return Err(Corrupt);
            }
        }
        let member = self.member.get_or_insert_with(|| Decompress::new_gzip(WINDOW_BITS));
        let (step, status) = inflate(member, input, out)?;
        if status == Status::StreamEnd {
            self.member = None;
        }
        Ok(step)
    }

    fn is_whole(&self) -> bool {
        self.member.is_none() && self.members > 0
    }
}

/// zlib, or bare deflate: the first two bytes tell.
pub(super) struct Inflate {
    first: Option<u8>,
    state: Option<Decompress>,
    ended: bool,
}

impl Inflate {
    pub fn new() -> Self {
        Self { first: None, state: None, ended: false }
    }

    /// RFC 1950 §2.2: method 8, and the two bytes are a multiple of 31. No encoder begins bare deflate so: it would be
    /// a stored block with padding that is not zero.
    fn is_zlib(first: u8, second: u8) -> bool {
        first & 0x0f == 8 && first >> 4 <= 7 && (u16::from(first) << 8 | u16::from(second)) % 31 == 0
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Corrupt> {
        let Some(state) = &mut self.state else { return Ok(Step::default()) };
        let (step, status) = inflate(state, input, out)?;
        self.ended = status == Status::StreamEnd;
        Ok(step)
    }
}

impl Decoder for Inflate {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Corrupt> {
        if self.ended {
            return if input.is_empty() { Ok(Step::default()) } else { Err(Corrupt) };
        }
        if self.state.is_some() {
            return self.run(input, out);
        }
        match (self.first, input) {
            (_, []) => Ok(Step::default()),
            (None, [first, ..]) => {
                self.first = Some(*first);
                Ok(Step { read: 1, written: 0 })
            }
            (Some(first), [second, ..]) => {
                self.state = Some(Decompress::new(Self::is_zlib(first, *second)));
                self.run(&[first], out).map(|step| Step { read: 0, ..step })?;
                self.run(input, out)
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.ended
    }
}

/// gzip for a client.
pub(super) struct Gzip(Compress);

impl Gzip {
    pub fn new() -> Self {
        Self(Compress::new_gzip(Compression::new(LEVEL_GZIP), WINDOW_BITS))
    }

    fn run(&mut self, mut input: &[u8], flush: FlushCompress, out: &mut BytesMut) {
        let mut room = [0; ROOM_BYTES];
        loop {
            let (read, written) = (self.0.total_in(), self.0.total_out());
            // deflating into room that is there cannot fail
            let Ok(status) = self.0.compress(input, &mut room, flush) else { return };
            let moved = |now: u64, before: u64| usize::try_from(now.saturating_sub(before)).unwrap_or(0);
            let written = moved(self.0.total_out(), written);
            input = input.get(moved(self.0.total_in(), read)..).unwrap_or_default();
            out.extend_from_slice(room.get(..written).unwrap_or_default());
            // room that was left says that nothing is held back
            let drained = written < ROOM_BYTES && input.is_empty();
            if drained && (flush != FlushCompress::Finish || status == Status::StreamEnd) {
                return;
            }
        }
    }
}

impl Encoder for Gzip {
    fn write(&mut self, input: &[u8], out: &mut BytesMut) {
        self.run(input, FlushCompress::None, out);
    }

    fn flush(&mut self, out: &mut BytesMut) {
        self.run(&[], FlushCompress::Sync, out);
    }

    fn finish(&mut self, out: &mut BytesMut) {
        self.run(&[], FlushCompress::Finish, out);
    }
}
