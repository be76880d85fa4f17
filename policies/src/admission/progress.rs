//! How far a request that runs has come: when that is written down for the next start, and when it needs more money.
//!
//! # Invariants
//! * More money is asked for before what is held is used up, as long as the request may still cost more
//!   (`more_is_asked_for_before_the_hold_is_used_up`).
//! * What was asked for and not answered is asked for again as it was: the store may have it already, under the same number
//!   (`what_was_not_answered_is_asked_for_again_as_it_was`).
//! * An answer that keeps to its maximum is never short of money (`an_answer_within_its_maximum_asks_for_nothing`).

use super::Used;
use crate::ledger::Nanos;
use std::time::{Duration, Instant};

/// Progress is written down after so many tokens …
const TOLD_EVERY_TOKENS: u64 = 256;
/// … or so long after it was, whichever comes first.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// A store that could not say yes is left alone for so long, unless what is held is used up: answers come in many pieces.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// What a request may ask for beyond what it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slices {
    /// The most that it may cost if its upstream keeps to the maximum of the answer.
    pub whole: Nanos,
    /// What it asks for at a time; zero: its cost is not known.
    pub slice: Nanos,
}

/// One request.
#[derive(Debug)]
pub(super) struct Progress {
    slices: Slices,
    held: Nanos,
    extensions: u32,
    refused: bool,
    /// What was asked for without an answer: it goes on under the same number.
    pending: Option<Nanos>,
    quiet_until: Option<Instant>,
    told_tokens: u64,
    told_at: Instant,
}

impl Progress {
    /// A request that holds so much.
    pub fn new(held: Nanos, slices: Slices, now: Instant) -> Self {
        let (pending, quiet_until) = (None, None);
        Self { slices, held, extensions: 0, refused: false, pending, quiet_until, told_tokens: 0, told_at: now }
    }

    /// True if what passed is to be written down now; it then counts as written.
    pub fn is_due(&mut self, used: Used, now: Instant) -> bool {
        let grown = used.tokens.saturating_sub(self.told_tokens);
        let due = grown >= TOLD_EVERY_TOKENS || grown > 0 && now.duration_since(self.told_at) >= TOLD_EVERY;
        if due {
            (self.told_tokens, self.told_at) = (used.tokens, now);
        }
        due
    }

    /// How much more is to be held for a request that has cost so much; `None`: what it holds is enough.
    pub fn asks(&self, cost: Nanos, now: Instant) -> Option<Nanos> {
        let Slices { whole, slice } = self.slices;
        if slice <= Nanos::ZERO {
            return None;
        }
        let beyond = self.is_beyond(cost);
        let near = i128::from(cost.get()) * 5 >= i128::from(self.held.get()) * 4;
        let quiet = self.quiet_until.is_some_and(|until| now < until);
        if !beyond && (quiet || self.refused || self.held >= whole || !near) {
            return None;
        }
        if self.pending.is_some() {
            return self.pending;
        }
        let missing = cost.get().saturating_sub(self.held.get()).max(0);
        Some(Nanos::new(missing.saturating_add(slice.get())))
    }

    /// True if it has cost more than is held.
    pub fn is_beyond(&self, cost: Nanos) -> bool {
        cost > self.held
    }

    /// The number of the next extension.
    pub fn next_number(&self) -> u32 {
        self.extensions.saturating_add(1)
    }

    /// So much more is held.
    pub fn extended(&mut self, amount: Nanos) {
        self.held = Nanos::new(self.held.get().saturating_add(amount.get()));
        self.extensions = self.next_number();
        (self.pending, self.quiet_until) = (None, None);
    }

    /// There is no more: it is asked for again when what is held is used up.
    pub fn refused(&mut self) {
        (self.refused, self.pending) = (true, None);
    }

    /// Nobody knows whether so much more is held.
    pub fn unanswered(&mut self, amount: Nanos, now: Instant) {
        (self.pending, self.quiet_until) = (Some(amount), Some(now + ASKED_EVERY));
    }

    /// The store knows no hold that could grow: nothing is asked for any more, and all is charged at the end.
    pub fn lost(&mut self) {
        self.slices.slice = Nanos::ZERO;
    }

    /// What is held, by how many extensions.
    pub fn held(&self) -> (Nanos, u32) {
        (self.held, self.extensions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(held: i64, whole: i64, slice: i64) -> Progress {
        let slices = Slices { whole: Nanos::new(whole), slice: Nanos::new(slice) };
        Progress::new(Nanos::new(held), slices, Instant::now())
    }

    #[test]
    fn more_is_asked_for_before_the_hold_is_used_up() {
        let now = Instant::now();
        let mut sliced = progress(100, 1_000, 50);
        assert_eq!(sliced.asks(Nanos::new(79), now), None);
        assert_eq!(sliced.asks(Nanos::new(80), now), Some(Nanos::new(50)));
        assert_eq!(sliced.asks(Nanos::new(130), now), Some(Nanos::new(80)), "one read may bring much");
        sliced.extended(Nanos::new(50));
        assert_eq!((sliced.asks(Nanos::new(119), now), sliced.held()), (None, (Nanos::new(150), 1)));
        sliced.refused();
        assert_eq!(sliced.asks(Nanos::new(150), now), None, "what is held is used up first");
        assert_eq!(sliced.asks(Nanos::new(151), now), Some(Nanos::new(51)));
    }

    #[test]
    fn what_was_not_answered_is_asked_for_again_as_it_was() {
        let mut sliced = progress(100, 1_000, 50);
        let start = Instant::now();
        let asks = |progress: &Progress, cost, now| progress.asks(Nanos::new(cost), now).map(Nanos::get);
        assert_eq!(asks(&sliced, 90, start), Some(50));
        sliced.unanswered(Nanos::new(50), start);
        assert_eq!(asks(&sliced, 95, start), None, "not at every piece");
        assert_eq!(asks(&sliced, 95, start + ASKED_EVERY), Some(50));
        assert_eq!(asks(&sliced, 200, start), Some(50), "as it was, however much has passed meanwhile");
        sliced.extended(Nanos::new(50));
        assert_eq!((asks(&sliced, 200, start), sliced.held()), (Some(100), (Nanos::new(150), 1)));
        sliced.lost();
        assert_eq!(asks(&sliced, 200, start), None);
    }

    #[test]
    fn an_answer_within_its_maximum_asks_for_nothing() {
        let now = Instant::now();
        let whole = progress(100, 100, 50);
        assert!((0..=100).all(|cost| whole.asks(Nanos::new(cost), now).is_none()));
        assert_eq!(whole.asks(Nanos::new(101), now), Some(Nanos::new(51)), "the upstream does not keep to it");
        assert_eq!(progress(0, 0, 0).asks(Nanos::new(1), now), None, "nobody knows what it costs");
    }

    #[test]
    fn progress_is_written_down_by_tokens_and_by_time() {
        let mut progress = progress(1, 1, 1);
        let start = progress.told_at;
        let used = |tokens| Used { cost: Nanos::ZERO, tokens };
        assert!(!progress.is_due(used(255), start));
        assert!(progress.is_due(used(256), start));
        assert!(!progress.is_due(used(300), start + TOLD_EVERY / 2));
        assert!(progress.is_due(used(300), start + TOLD_EVERY));
        assert!(!progress.is_due(used(300), start + 9 * TOLD_EVERY), "nothing passed since");
    }
}
