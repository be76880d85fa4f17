//! How far an upstream is read ahead of a client that does not take its reply.
//!
//! Pingora reads an HTTP/1.1 upstream in pieces of 64 KiB and lines several of them up, however slow the client is: 600 KiB
//! for each that does not read. So the connection itself gives less, and nothing while the client's session writes.
//!
//! # Invariants
//! * Of a reply, about one piece is between upstream and client (`slow_readers_cost_little`).
//! * Reading never stops for ever: what waits is woken when the session has written, and bytes that become no task for the
//!   session are read on (`what_makes_no_task_is_read_on`).

use futures::task::AtomicWaker;
use prometheus::IntGauge;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Bytes of the first read of a reply, which goes through a buffer of Pingora's that stays as large as it was filled.
const HEAD_BYTES_MAX: usize = 4 << 10;
/// Rounds in which the session is given the chance to take what was read. The proxy loop polls its two halves in turns, so
/// that after three of them both were polled.
const ROUNDS_MAX: usize = 3;
/// Who has taken so much without a pause is fast. More than a socket's send buffer holds, so that it was the client who took
/// it and not the system.
const FAST_AFTER_BYTES: usize = 4 << 20;
/// Bytes at once for who is fast: as many as Pingora has room for.
const FAST_BYTES_MAX: usize = 64 << 10;
/// A write that takes longer is a pause.
const PAUSE: Duration = Duration::from_secs(1);

/// Shared by a connection to an upstream and the session that its reply goes to.
#[derive(Debug)]
pub struct ReadAhead {
    /// Bytes at once; 0 for tunnels, which are not bounded: nobody says what was written.
    piece: AtomicUsize,
    /// The session has bytes to write.
    writing: AtomicBool,
    /// Bytes read since the session last took some.
    read: AtomicUsize,
    rounds: AtomicUsize,
    /// Bytes taken since the reply began, or since the last pause.
    taken: AtomicUsize,
    first: AtomicBool,
    reader: AtomicWaker,
    /// `read` of all connections.
    all: IntGauge,
}

/// How much is read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// At most so many bytes; the session says what it has written.
    Bytes(usize),
    /// As much as there is.
    None,
}

impl ReadAhead {
    /// Of a new connection; `all` counts what is read and not taken.
    pub fn new(all: IntGauge) -> Arc<Self> {
        Arc::new(Self {
            piece: AtomicUsize::new(0),
            writing: AtomicBool::new(false),
            read: AtomicUsize::new(0),
            rounds: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
            first: AtomicBool::new(true),
            reader: AtomicWaker::new(),
            all,
        })
    }

    /// A request begins on the connection.
    pub fn begin(&self, bound: Bound) {
        self.writing.store(false, SeqCst);
        self.reset();
        self.taken.store(0, SeqCst);
        self.first.store(true, SeqCst);
        let Bound::Bytes(piece) = bound else { return self.piece.store(0, SeqCst) };
        self.piece.store(piece, SeqCst);
    }

    /// The session takes what was read, and holds the upstream until it has written.
    pub fn take(self: &Arc<Self>) -> Writing {
        self.writing.store(true, SeqCst);
        Writing { ahead: self.clone(), began: Instant::now() }
    }

    /// How many bytes may be read now.
    pub(super) fn poll_allowed(&self, cx: &Context<'_>) -> Poll<usize> {
        let piece = self.piece.load(SeqCst);
        if piece == 0 {
            return Poll::Ready(usize::MAX);
        }
        if self.writing.load(SeqCst) {
            self.reader.register(cx.waker());
            // it may have been written just now, by another thread that saw no waker
            if self.writing.load(SeqCst) {
                return Poll::Pending;
            }
        }
        let piece = if self.taken.load(SeqCst) >= FAST_AFTER_BYTES { FAST_BYTES_MAX } else { piece };
        let left = piece.saturating_sub(self.read.load(SeqCst));
        if left > 0 {
            return Poll::Ready(if self.first.load(SeqCst) { left.min(HEAD_BYTES_MAX) } else { left });
        }
        if self.rounds.fetch_add(1, SeqCst) < ROUNDS_MAX {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.reset();
        Poll::Ready(piece)
    }

    /// So many bytes were read.
    pub(super) fn add(&self, bytes: usize) {
        if self.piece.load(SeqCst) == 0 {
            return;
        }
        self.first.store(false, SeqCst);
        self.read.fetch_add(bytes, SeqCst);
        self.all.add(signed(bytes));
    }

    fn reset(&self) {
        let read = self.read.swap(0, SeqCst);
        self.rounds.store(0, SeqCst);
        self.taken.fetch_add(read, SeqCst);
        self.all.sub(signed(read));
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.reset();
    }
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// While this lives, the upstream is not read.
#[must_use]
pub struct Writing {
    ahead: Arc<ReadAhead>,
    began: Instant,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.ahead.reset();
        if self.began.elapsed() >= PAUSE {
            self.ahead.taken.store(0, SeqCst);
        }
        self.ahead.writing.store(false, SeqCst);
        self.ahead.reader.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    const PIECE: usize = 8 << 10;

    fn allowed(ahead: &ReadAhead) -> Poll<usize> {
        ahead.poll_allowed(&Context::from_waker(Waker::noop()))
    }

    fn begun(bound: Bound) -> (Arc<ReadAhead>, IntGauge) {
        let all = IntGauge::new("all", "all").unwrap();
        let ahead = ReadAhead::new(all.clone());
        ahead.begin(bound);
        (ahead, all)
    }

    #[test]
    fn nothing_is_read_while_the_session_writes() {
        let (ahead, all) = begun(Bound::Bytes(PIECE));
        assert_eq!(allowed(&ahead), Poll::Ready(HEAD_BYTES_MAX), "the head");
        ahead.add(1000);
        assert_eq!(allowed(&ahead), Poll::Ready(PIECE - 1000), "what is left of the piece");
        let writing = ahead.take();
        assert_eq!(allowed(&ahead), Poll::Pending, "the session writes");
        assert_eq!(all.get(), 1000);
        drop(writing);
        assert_eq!(allowed(&ahead), Poll::Ready(PIECE), "it has written");
        assert_eq!(all.get(), 0);
    }

    #[test]
    fn what_makes_no_task_is_read_on() {
        let (ahead, _) = begun(Bound::Bytes(PIECE));
        ahead.add(PIECE);
        let rounds = (0..).take_while(|_| allowed(&ahead).is_pending()).count();
        assert_eq!(rounds, ROUNDS_MAX, "the session had its chances");
    }

    #[test]
    fn who_takes_much_without_a_pause_gets_more_at_once() {
        let (ahead, _) = begun(Bound::Bytes(PIECE));
        for _ in 0..FAST_AFTER_BYTES / PIECE {
            assert_eq!(allowed(&ahead).map(|bytes| bytes <= PIECE), Poll::Ready(true));
            ahead.add(PIECE);
            drop(ahead.take());
        }
        assert_eq!(allowed(&ahead), Poll::Ready(FAST_BYTES_MAX));
        let mut paused = ahead.take();
        paused.began = Instant::now().checked_sub(PAUSE).unwrap();
        drop(paused);
        assert_eq!(allowed(&ahead), Poll::Ready(PIECE));
    }

    #[test]
    fn tunnels_are_not_bounded() {
        let (ahead, all) = begun(Bound::None);
        ahead.add(PIECE);
        assert_eq!((allowed(&ahead), all.get()), (Poll::Ready(usize::MAX), 0));
        let _writing = ahead.take();
        assert_eq!(allowed(&ahead), Poll::Ready(usize::MAX));
    }

    #[test]
    fn what_a_connection_had_read_goes_with_it() {
        let (ahead, all) = begun(Bound::Bytes(PIECE));
        ahead.add(77);
        assert_eq!(all.get(), 77);
        drop(ahead);
        assert_eq!(all.get(), 0);
    }
}
