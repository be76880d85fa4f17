//! Fewest requests in flight for its share. Exact, not a sample of two: an upstream has tens of endpoints, not thousands.

use super::Candidate;
use std::cmp::Ordering;

/// Requests and share of the least busy one.
pub(super) fn least_load<'c>(candidates: impl Iterator<Item = &'c Candidate>) -> Option<(u32, u32)> {
    candidates.map(|c| (c.in_flight, c.share)).min_by(|a, b| compare(*a, *b))
}

/// True if this candidate is exactly that busy.
pub(super) fn same_load(candidate: &Candidate, in_flight: u32, share: u32) -> bool {
    compare((candidate.in_flight, candidate.share), (in_flight, share)) == Ordering::Equal
}

/// Compares requests per share without dividing.
fn compare(a: (u32, u32), b: (u32, u32)) -> Ordering {
    let load = |(requests, _): (u32, u32), (_, other): (u32, u32)| u64::from(requests) * u64::from(other);
    load(a, b).cmp(&load(b, a))
}
