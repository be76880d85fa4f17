//! In-process rate limits: GCRA per key, in a map that cannot grow without end.
//!
//! # Invariants
//! * A limiter decides as a bucket of `requests` tokens that refills evenly within `window`
//!   (`decides_as_a_bucket_that_refills_evenly`).
//! * The wait a refusal tells is enough, and not one microsecond too long (`the_told_wait_is_exact`).
//! * A clock that steps back locks nobody out for longer than one window
//!   (`a_clock_that_steps_back_costs_one_window_at_most`).
//! * At most [`KEYS_MAX`] keys are remembered; who waits longest is forgotten last
//!   (`keys_are_bounded_and_the_limited_stay`).
//! * A reload that leaves name and rate alone leaves the counts alone (`a_reload_keeps_the_counts`).

use crate::Timestamp;
use parking_lot::Mutex;
use raptorgate_config::model::Rate;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Keys that one limiter remembers. More: the one of a few that is nearest to being free again is forgotten.
pub const KEYS_MAX: usize = 100_000;

const SHARDS: usize = 16;
const SHARD_KEYS_MAX: usize = KEYS_MAX / SHARDS;
/// Entries looked at when one has to go.
const EVICTION_SAMPLE: usize = 8;

/// All limiters of the process, by name.
#[derive(Debug, Default)]
pub struct FloodBook {
    // Weak: the limiters of a configuration that is gone go with it.
    limiters: Mutex<HashMap<String, Weak<Limiter>>>,
}

impl FloodBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// The limiter of this name. While one with the same rate is in use anywhere, its counts go on.
    pub fn limiter(&self, name: &str, rate: Rate) -> Arc<Limiter> {
        let mut limiters = self.limiters.lock();
        let known = limiters.get(name).and_then(Weak::upgrade).filter(|limiter| limiter.rate == rate);
        if let Some(limiter) = known {
            return limiter;
        }
        limiters.retain(|_, limiter| limiter.strong_count() > 0);
        let limiter = Arc::new(Limiter::new(rate));
        limiters.insert(name.to_owned(), Arc::downgrade(&limiter));
        limiter
    }
}

/// One limit, for any number of keys.
#[derive(Debug)]
pub struct Limiter {
    rate: Rate,
    gcra: Gcra,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

impl Limiter {
    /// A limiter that has seen nobody yet.
    pub fn new(rate: Rate) -> Self {
        let shards = std::array::from_fn(|_| Mutex::new(Shard::default()));
        Self { rate, gcra: Gcra::new(rate), hasher: RandomState::new(), shards }
    }

    /// Takes one request of `key`; else tells how long it has to wait. A refused request takes nothing.
    pub fn take(&self, key: &[u8], now: Timestamp) -> Result<(), Duration> {
        // The hash is keyed by random numbers of this process: nobody can choose keys that meet.
        let hash = self.hasher.hash_one(key);
        let shard = usize::try_from(hash >> 60).unwrap_or(0);
        let Some(shard) = self.shards.get(shard) else { return Ok(()) };
        shard.lock().take(hash, &self.gcra, now)
    }

    #[cfg(test)]
    fn keys(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().entries.len()).sum()
    }
}

/// The generic cell rate algorithm in units of 1/requests of a microsecond, so that nothing is rounded: in these units
/// one request costs `window_micros`, and a microsecond is `requests`.
///
/// GCRA and not a fixed window: a window lets twice the rate through at its edge.
#[derive(Clone, Copy, Debug)]
struct Gcra {
    cost: u128,
    requests: u128,
}

/// Theoretical arrival time: when the key has its whole burst again, in the units of [`Gcra`].
type Arrival = u128;

impl Gcra {
    fn new(rate: Rate) -> Self {
        Self {
            cost: rate.window.as_micros().clamp(1, u128::from(u64::MAX)),
            requests: u128::from(rate.requests.max(1)),
        }
    }

    fn units(&self, now: Timestamp) -> u128 {
        u128::from(now.micros()).saturating_mul(self.requests)
    }

    fn take(&self, arrival: Arrival, now: Timestamp) -> Result<Arrival, Duration> {
        let now = self.units(now);
        let burst = self.cost.saturating_mul(self.requests);
        let latest = now.saturating_add(burst);
        // An arrival beyond `latest` was never given out: the clock stepped back.
        let arrival = arrival.clamp(now, latest);
        let next = arrival.saturating_add(self.cost);
        if next <= latest {
            return Ok(next);
        }
        // Rounded up: a caller that waits this long is let through.
        let micros = next.saturating_sub(latest).div_ceil(self.requests);
        Err(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)))
    }
}

#[derive(Debug, Default)]
struct Shard {
    entries: Vec<Entry>,
    places: HashMap<u64, usize>,
    /// Where the next search for an entry to forget begins.
    hand: usize,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    arrival: Arrival,
}

impl Shard {
    fn take(&mut self, hash: u64, gcra: &Gcra, now: Timestamp) -> Result<(), Duration> {
        let place = self.places.get(&hash).copied();
        if let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) {
            entry.arrival = gcra.take(entry.arrival, now)?;
            return Ok(());
        }
        let entry = Entry { hash, arrival: gcra.take(0, now)? };
        if self.entries.len() < SHARD_KEYS_MAX {
            self.places.insert(hash, self.entries.len());
            self.entries.push(entry);
        } else {
            self.replace_one(entry);
        }
        Ok(())
    }

    /// Of the next few entries the one with the earliest arrival makes room: one that is free again, if there is any.
    fn replace_one(&mut self, entry: Entry) {
        let len = self.entries.len().max(1);
        let sample = (0..EVICTION_SAMPLE).map(|step| self.hand.wrapping_add(step) % len);
        let found = sample.filter_map(|place| Some((self.entries.get(place)?.arrival, place))).min();
        self.hand = self.hand.wrapping_add(EVICTION_SAMPLE) % len;
        let Some((_, place)) = found else { return };
        let Some(old) = self.entries.get_mut(place) else { return };
        self.places.remove(&old.hash);
        self.places.insert(entry.hash, place);
        *old = entry;
        debug_assert_eq!(self.places.len(), self.entries.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(requests: u32, window_micros: u64) -> Rate {
        Rate { requests, window: Duration::from_micros(window_micros) }
    }

    fn at(micros: u64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    /// A bucket of `requests` tokens, counted in 1/window of a token.
    struct Bucket {
        requests: u128,
        window: u128,
        level: u128,
        seen_at: u64,
    }

    impl Bucket {
        fn full(rate: Rate, now: u64) -> Self {
            let (requests, window) = (u128::from(rate.requests), rate.window.as_micros());
            Self { requests, window, level: requests * window, seen_at: now }
        }

        fn take(&mut self, now: u64) -> bool {
            let refill = u128::from(now - self.seen_at) * self.requests;
            self.seen_at = now;
            self.level = (self.level + refill).min(self.requests * self.window);
            let enough = self.level >= self.window;
            self.level -= if enough { self.window } else { 0 };
            enough
        }
    }

    proptest! {
        #[test]
        fn decides_as_a_bucket_that_refills_evenly(
            requests in 1_u32..20, window in 1_u64..5_000, start in 0_u64..1 << 50,
            gaps in proptest::collection::vec(0_u64..700, 1..200),
        ) {
            let limiter = Limiter::new(rate(requests, window));
            let mut bucket = Bucket::full(rate(requests, window), start);
            let mut now = start;
            for gap in gaps {
                now += gap;
                prop_assert_eq!(limiter.take(b"k", at(now)).is_ok(), bucket.take(now));
            }
        }

        #[test]
        fn no_span_sees_more_than_burst_and_refill(
            requests in 1_u32..10, window in 1_u64..3_000, gaps in proptest::collection::vec(0_u64..300, 1..120),
        ) {
            let limiter = Limiter::new(rate(requests, window));
            let mut now = 1_000_000;
            let mut taken = Vec::new();
            for gap in gaps {
                now += gap;
                taken.extend(limiter.take(b"k", at(now)).is_ok().then_some(now));
            }
            for (first, from) in taken.iter().enumerate() {
                for (last, to) in taken.iter().enumerate().skip(first) {
                    let count = (last - first + 1) as u64;
                    let allowed = u64::from(requests) + (to - from) * u64::from(requests) / window;
                    prop_assert!(count <= allowed, "{} in {} µs", count, to - from);
                }
            }
        }

        #[test]
        fn the_told_wait_is_exact(requests in 1_u32..50, window in 1_u64..100_000, late in 0_u64..1_000) {
            let limiter = Limiter::new(rate(requests, window));
            let start = 1 << 40;
            let mut told = None;
            for _ in 0..=requests {
                told = limiter.take(b"k", at(start + late)).err();
            }
            let wait = u64::try_from(told.expect("one more than the burst is refused").as_micros()).unwrap();
            prop_assert!(limiter.take(b"k", at(start + late + wait - 1)).is_err());
            prop_assert!(limiter.take(b"k", at(start + late + wait)).is_ok());
        }
    }

    #[test]
    fn keys_do_not_share_a_limit() {
        let limiter = Limiter::new(rate(1, 1_000));
        assert!(limiter.take(b"a", at(5)).is_ok());
        assert!(limiter.take(b"b", at(5)).is_ok());
        assert_eq!(limiter.take(b"a", at(5)), Err(Duration::from_millis(1)));
    }

    #[test]
    fn a_clock_that_steps_back_costs_one_window_at_most() {
        let limiter = Limiter::new(rate(2, 1_000));
        let hour = 3_600_000_000;
        assert!(limiter.take(b"k", at(hour)).is_ok());
        let wait = limiter.take(b"k", at(10)).expect_err("the burst is taken as used up");
        assert!(wait <= Duration::from_millis(1), "{wait:?}");
    }

    #[test]
    fn keys_are_bounded_and_the_limited_stay() {
        let limiter = Limiter::new(rate(10, 60_000_000));
        while limiter.take(b"limited", at(1)).is_ok() {}
        for n in 0_u32..200_000 {
            assert!(limiter.take(&n.to_be_bytes(), at(1)).is_ok());
        }
        assert!(limiter.keys() <= KEYS_MAX);
        assert!(limiter.take(b"limited", at(1)).is_err(), "a flood of new keys does not free a limited one");
    }

    #[test]
    fn a_reload_keeps_the_counts() {
        let book = FloodBook::new();
        let before = book.limiter("chat/address", rate(1, 1_000));
        assert!(before.take(b"k", at(1)).is_ok());
        let after = book.limiter("chat/address", rate(1, 1_000));
        assert!(after.take(b"k", at(1)).is_err());
        let changed = book.limiter("chat/address", rate(2, 1_000));
        assert!(changed.take(b"k", at(1)).is_ok(), "a new rate counts anew");
        assert!(book.limiter("chat/key", rate(1, 1_000)).take(b"k", at(1)).is_ok(), "names do not share counts");
    }

    #[test]
    fn limiters_nobody_uses_are_dropped() {
        let book = FloodBook::new();
        for n in 0..100 {
            drop(book.limiter(&format!("route-{n}"), rate(1, 1)));
        }
        assert_eq!(book.limiters.lock().len(), 1);
    }

    #[test]
    fn extreme_rates_do_not_overflow() {
        for rate in [rate(u32::MAX, u64::MAX), rate(1, u64::MAX), rate(u32::MAX, 1), rate(0, 0)] {
            let limiter = Limiter::new(rate);
            assert!(limiter.take(b"k", at(u64::MAX)).is_ok());
            let _refused_or_not = limiter.take(b"k", at(u64::MAX));
        }
    }
}
