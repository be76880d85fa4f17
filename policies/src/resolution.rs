//! What is known of a host name: the last answer, and how long it is used on when look-ups fail.
//!
//! # Invariants
//! * An answer that cannot be renewed is used for `stale_max` and not longer (`a_stale_answer_has_an_end`).
//! * A failed look-up never takes away what a fresh answer gave (`one_failure_takes_nothing_away`).
//! * A name has at most [`ADDRESSES_MAX`] addresses, always the same of a larger answer (`answers_are_bounded_and_ordered`).

use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Most addresses of one name that are used; of a longer answer the lowest ones.
pub const ADDRESSES_MAX: usize = 64;

/// What is known of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    addresses: Vec<IpAddr>,
    answered_at: Option<Instant>,
    failing_since: Option<Instant>,
}

/// How good an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// There was no answer yet.
    Unknown,
    /// The last look-up succeeded.
    Fresh,
    /// The last look-up failed; the answer before is used on.
    Stale,
    /// Look-ups have failed for too long: there is nothing to use.
    Expired,
}

impl Resolution {
    /// A look-up has found these addresses. An empty answer is a failed look-up.
    pub fn answered(&mut self, mut addresses: Vec<IpAddr>, now: Instant) {
        if addresses.is_empty() {
            return self.failed(now);
        }
        // sorted: name servers turn their answers around, and that is no change
        addresses.sort_unstable();
        addresses.dedup();
        addresses.truncate(ADDRESSES_MAX);
        *self = Self { addresses, answered_at: Some(now), failing_since: None };
    }

    /// A look-up has failed.
    pub fn failed(&mut self, now: Instant) {
        self.failing_since.get_or_insert(now);
    }

    /// How good the answer is.
    pub fn freshness(&self, stale_max: Duration, now: Instant) -> Freshness {
        match (self.answered_at, self.failing_since) {
            (None, None) => Freshness::Unknown,
            (Some(_), None) => Freshness::Fresh,
            (Some(_), Some(since)) if now.saturating_duration_since(since) < stale_max => Freshness::Stale,
            (Some(_), Some(_)) | (None, Some(_)) => Freshness::Expired,
        }
    }

    /// The addresses to use.
    pub fn usable(&self, stale_max: Duration, now: Instant) -> &[IpAddr] {
        match self.freshness(stale_max, now) {
            Freshness::Fresh | Freshness::Stale => &self.addresses,
            Freshness::Unknown | Freshness::Expired => &[],
        }
    }

    /// When the last answer came.
    pub fn answered_at(&self) -> Option<Instant> {
        self.answered_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const STALE_MAX: Duration = Duration::from_secs(300);

    fn ip(last: u8) -> IpAddr {
        Ipv4Addr::new(10, 0, 0, last).into()
    }

    #[test]
    fn one_failure_takes_nothing_away() {
        let start = Instant::now();
        let mut name = Resolution::default();
        assert_eq!(name.freshness(STALE_MAX, start), Freshness::Unknown);
        name.answered(vec![ip(2), ip(1)], start);
        // an answer that is old because nobody asked is not stale
        let later = start + Duration::from_secs(86_400);
        assert_eq!(name.usable(STALE_MAX, later), [ip(1), ip(2)]);
        name.failed(later);
        assert_eq!((name.freshness(STALE_MAX, later), name.usable(STALE_MAX, later).len()), (Freshness::Stale, 2));
        name.answered(vec![ip(3)], later);
        assert_eq!((name.freshness(STALE_MAX, later), name.usable(STALE_MAX, later)), (Freshness::Fresh, &[ip(3)][..]));
    }

    #[test]
    fn a_stale_answer_has_an_end() {
        let start = Instant::now();
        let mut name = Resolution::default();
        name.answered(vec![ip(1)], start);
        for second in [10, 100, 200, 309] {
            let now = start + Duration::from_secs(second);
            name.failed(now);
            assert_eq!(name.freshness(STALE_MAX, now), Freshness::Stale, "after {second} s");
        }
        // failing since second 10: nothing more from second 310 on, without another look-up
        let end = start + Duration::from_secs(310);
        assert_eq!((name.freshness(STALE_MAX, end), name.usable(STALE_MAX, end)), (Freshness::Expired, &[][..]));
        assert_eq!(name.freshness(Duration::ZERO, start + Duration::from_secs(11)), Freshness::Expired);
        name.answered(vec![ip(1)], end);
        assert_eq!(name.freshness(STALE_MAX, end), Freshness::Fresh);
    }

    #[test]
    fn an_empty_answer_is_a_failure() {
        let start = Instant::now();
        let mut name = Resolution::default();
        name.answered(Vec::new(), start);
        assert_eq!(name.freshness(STALE_MAX, start), Freshness::Expired);
        name.answered(vec![ip(1)], start);
        name.answered(Vec::new(), start);
        assert_eq!(name.usable(STALE_MAX, start), [ip(1)]);
    }

    #[test]
    fn answers_are_bounded_and_ordered() {
        let start = Instant::now();
        let (mut one, mut two) = (Resolution::default(), Resolution::default());
        let many: Vec<IpAddr> = (0..100).map(ip).collect();
        one.answered(many.iter().copied().chain([ip(7)]).collect(), start);
        two.answered(many.into_iter().rev().collect(), start);
        assert_eq!(one, two);
        assert_eq!(one.usable(STALE_MAX, start).len(), ADDRESSES_MAX);
    }
}
