//! The frames that a client sends on an HTTP/2 connection, counted by kind (RFC 9113 §10.5).
//!
//! What costs the gateway work and the client almost nothing has a budget per second. Beyond it the next such frame is
//! made invalid, so that the HTTP/2 library itself ends the connection with GOAWAY; if its first bytes have passed already,
//! the connection ends without.
//!
//! # Invariants
//! * Frames within the budget pass as they came, wherever the bytes are cut (`every_cut_counts_the_same`).
//! * No cut hides a frame (`no_cut_hides_a_flood`).

use std::time::{Duration, Instant};

/// Length of a frame's header (RFC 9113 §4.1).
const HEADER_BYTES: usize = 9;
/// A header and the increment of a WINDOW_UPDATE.
const JUDGED_BYTES_MAX: usize = HEADER_BYTES + 4;
/// The preface before the first frame.
const PREFACE_BYTES: usize = 24;
/// Window updates below this many bytes cost more than they allow.
const TINY_WINDOW_UPDATE: u32 = 1 << 10;
/// The bits of an increment; the one above is reserved and ignored (RFC 9113 §6.9).
const INCREMENT_BITS: u32 = u32::MAX >> 1;
const WINDOW: Duration = Duration::from_secs(1);

/// A PING on stream 0 without payload: a connection error for every receiver (RFC 9113 §6.7).
const INVALID_FRAME: [u8; HEADER_BYTES] = [0, 0, 0, 6, 0, 0, 0, 0, 0];

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;

/// Frames per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// RST_STREAM.
    pub resets_max: u32,
    /// SETTINGS, PING, PRIORITY, CONTINUATION, empty DATA, tiny WINDOW_UPDATE, and what is unknown.
    pub control_max: u32,
}

/// A budget is exceeded, and the frame cannot be made invalid any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many HTTP/2 frames")]
pub struct TooManyFrames;

/// Counts the frames of one connection.
#[derive(Debug)]
pub struct FrameBudget {
    limits: FrameLimits,
    /// Bytes until the next frame's header.
    skip: usize,
    /// The first bytes of the frame that comes, and how many have come.
    head: [u8; JUDGED_BYTES_MAX],
    head_bytes: usize,
    /// The first frame has come; it must be SETTINGS (RFC 9113 §3.4).
    begun: bool,
    second: Option<Instant>,
    resets: u32,
    control: u32,
    spent: bool,
}

impl FrameBudget {
    /// A connection whose first bytes are the preface.
    pub fn new(limits: FrameLimits) -> Self {
        Self {
            limits,
            skip: PREFACE_BYTES,
            head: [0; JUDGED_BYTES_MAX],
            head_bytes: 0,
            begun: false,
            second: None,
            resets: 0,
            control: 0,
            spent: false,
        }
    }

    /// True once a budget was exceeded.
    pub fn is_spent(&self) -> bool {
        self.spent
    }

    /// Counts the frames in the next bytes; the one that is too much is made invalid in place.
    ///
    /// # Errors
    /// The first bytes of the one that is too much have passed already: only closing the connection stops it.
    pub fn inspect(&mut self, bytes: &mut [u8], now: Instant) -> Result<(), TooManyFrames> {
        let mut at = 0_usize;
        while at < bytes.len() {
            let rest = bytes.len().saturating_sub(at);
            if self.skip > 0 {
                let passed = self.skip.min(rest);
                self.skip -= passed;
                at = at.saturating_add(passed);
                continue;
            }
            let missing = self.judged_bytes().saturating_sub(self.head_bytes).min(rest);
            let end = at.saturating_add(missing);
            let filled = self.head_bytes.saturating_add(missing);
            if let (Some(to), Some(from)) = (self.head.get_mut(self.head_bytes..filled), bytes.get(at..end)) {
                to.copy_from_slice(from);
            }
            (self.head_bytes, at) = (filled, end);
            if filled < self.judged_bytes() {
                continue;
            }
            self.head_bytes = 0;
            if self.is_too_much(filled, now) {
                let begin = end.checked_sub(filled).ok_or(TooManyFrames)?;
                let here = bytes.get_mut(begin..begin.saturating_add(HEADER_BYTES)).ok_or(TooManyFrames)?;
                here.copy_from_slice(&INVALID_FRAME);
                return Ok(());
            }
        }
        Ok(())
    }

    /// So much of a frame is read before it is counted: of a WINDOW_UPDATE its increment too.
    fn judged_bytes(&self) -> usize {
        match self.head {
            [0, 0, 4, WINDOW_UPDATE, ..] if self.head_bytes >= HEADER_BYTES => JUDGED_BYTES_MAX,
            _ => HEADER_BYTES,
        }
    }

    /// Counts the frame of which the first `judged` bytes have come.
    fn is_too_much(&mut self, judged: usize, now: Instant) -> bool {
        let [a, b, c, kind, flags, _, _, _, _, increment @ ..] = self.head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let judged_payload = judged.saturating_sub(HEADER_BYTES);
        self.skip = usize::try_from(length).unwrap_or(usize::MAX).saturating_sub(judged_payload);
        let is_tiny = judged_payload > 0 && u32::from_be_bytes(increment) & INCREMENT_BITS < TINY_WINDOW_UPDATE;
        if self.second.is_none_or(|began| now.duration_since(began) >= WINDOW) {
            (self.second, self.resets, self.control) = (Some(now), 0, 0);
        }
        match kind {
            RST_STREAM => self.resets = self.resets.saturating_add(1),
            DATA if length > 0 || flags & END_STREAM != 0 => {}
            HEADERS => {}
            WINDOW_UPDATE if !is_tiny => {}
            DATA | WINDOW_UPDATE | PRIORITY | SETTINGS | PING | CONTINUATION => {
                self.control = self.control.saturating_add(1)
            }
            _ => self.control = self.control.saturating_add(1),
        }
        let out_of_order = !self.begun && kind != SETTINGS;
        self.begun = true;
        self.spent = self.spent
            || out_of_order
            || self.resets > self.limits.resets_max
            || self.control > self.limits.control_max;
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, u8::try_from(payload.len()).unwrap(), kind, 0, 0, 0, 0, 1];
        bytes.extend_from_slice(payload);
        bytes
    }

    fn budget() -> FrameBudget {
        FrameBudget::new(FrameLimits { resets_max: 3, control_max: 5 })
    }

    fn connection(frames: &[Vec<u8>]) -> Vec<u8> {
        [vec![b'p'; PREFACE_BYTES], frame(SETTINGS, &[]), frames.concat()].concat()
    }

    #[test]
    fn every_cut_counts_the_same() {
        let bytes = connection(&[
            frame(PING, &[0; 8]),
            frame(DATA, b"x"),
            frame(RST_STREAM, &[0; 4]),
            frame(WINDOW_UPDATE, &[0, 0, 0, 1]),
        ]);
        for cut in 0..=bytes.len() {
            let mut budget = budget();
            let mut copy = bytes.clone();
            let (first, second) = copy.split_at_mut(cut);
            budget.inspect(first, Instant::now()).unwrap();
            budget.inspect(second, Instant::now()).unwrap();
            assert_eq!((budget.control, budget.resets), (3, 1), "cut at {cut}");
            assert_eq!(copy, bytes);
        }
    }

    #[test]
    fn a_flood_is_made_invalid_and_time_forgives() {
        let start = Instant::now();
        let mut budget = budget();
        let mut flood = connection(&vec![frame(RST_STREAM, &[0; 4]); 3]);
        budget.inspect(&mut flood, start).unwrap();
        let mut later = frame(RST_STREAM, &[0; 4]);
        budget.inspect(&mut later, start + Duration::from_secs(2)).unwrap();
        assert!(!budget.is_spent());
        let mut more = vec![frame(RST_STREAM, &[0; 4]); 3].concat();
        budget.inspect(&mut more, start + Duration::from_secs(2)).unwrap();
        assert!(budget.is_spent());
        assert_eq!(&more[26..35], &INVALID_FRAME);
    }

    #[test]
    fn no_cut_hides_a_flood() {
        for flood in [frame(RST_STREAM, &[0; 4]), frame(WINDOW_UPDATE, &1_u32.to_be_bytes())] {
            for cut in 0..=flood.len() {
                let mut budget = budget();
                budget.inspect(&mut connection(&vec![flood.clone(); 3]), Instant::now()).unwrap();
                let stopped = (0..3).any(|_| {
                    let mut copy = flood.clone();
                    let (first, second) = copy.split_at_mut(cut);
                    let passed = [first, second].map(|piece| budget.inspect(piece, Instant::now()));
                    passed.contains(&Err(TooManyFrames)) || copy != flood
                });
                assert!(stopped, "cut at {cut}, all passes");
            }
        }
    }

    #[test]
    fn ordinary_window_updates_are_free_and_tiny_ones_are_not() {
        let mut budget = budget();
        let large: Vec<_> = (0..50).map(|_| frame(WINDOW_UPDATE, &0x4000_u32.to_be_bytes())).collect();
        budget.inspect(&mut connection(&large), Instant::now()).unwrap();
        assert!(!budget.is_spent());
        let tiny: Vec<_> = (0..6).map(|_| frame(WINDOW_UPDATE, &1_u32.to_be_bytes())).collect();
        budget.inspect(&mut tiny.concat(), Instant::now()).unwrap();
        assert!(budget.is_spent());
    }

    #[test]
    fn the_reserved_bit_makes_no_window_update_large() {
        let mut budget = budget();
        let tiny = frame(WINDOW_UPDATE, &0x8000_0001_u32.to_be_bytes());
        budget.inspect(&mut connection(&vec![tiny; 6]), Instant::now()).unwrap();
        assert!(budget.is_spent());
    }
}
