//! How many bytes of bodies may be held in memory at once, over all requests.
//!
//! # Invariants
//! * Never more is taken than the bound that held when it was taken (`never_more_than_the_bound`).
//! * What was taken is given back exactly once, when its permit goes (`a_dropped_permit_gives_back_what_it_holds`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bound and what is taken of it.
#[derive(Debug)]
pub struct BufferBudget {
    bytes_max: AtomicU64,
    bytes_used: AtomicU64,
}

impl BufferBudget {
    /// A budget of this many bytes.
    pub fn new(bytes_max: u64) -> Arc<Self> {
        Arc::new(Self { bytes_max: AtomicU64::new(bytes_max), bytes_used: AtomicU64::new(0) })
    }

    /// Changes the bound. What is already taken stays taken.
    pub fn set_max(&self, bytes_max: u64) {
        self.bytes_max.store(bytes_max, Ordering::Relaxed);
    }

    /// Bytes that are taken now.
    pub fn used(&self) -> u64 {
        self.bytes_used.load(Ordering::Relaxed)
    }

    /// Takes `n` bytes; `None` if there is no room for them.
    pub fn try_take(self: &Arc<Self>, n: u64) -> Option<BufferPermit> {
        self.add(n).then(|| BufferPermit { budget: Arc::clone(self), bytes: n })
    }

    // Relaxed is enough: the counter guards no other memory.
    fn add(&self, n: u64) -> bool {
        let bytes_max = self.bytes_max.load(Ordering::Relaxed);
        let fitting = |used: u64| used.checked_add(n).filter(|&sum| sum <= bytes_max);
        self.bytes_used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fitting).is_ok()
    }
}

/// Bytes taken from a [`BufferBudget`]; given back when dropped.
#[derive(Debug)]
#[must_use = "the bytes are given back when this is dropped"]
pub struct BufferPermit {
    budget: Arc<BufferBudget>,
    bytes: u64,
}

impl BufferPermit {
    /// Takes `n` bytes more; false, and nothing taken, if there is no room for them.
    #[must_use]
    pub fn grow(&mut self, n: u64) -> bool {
        let grown = self.budget.add(n);
        self.bytes += if grown { n } else { 0 };
        grown
    }

    /// Bytes that this permit holds.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for BufferPermit {
    fn drop(&mut self) {
        let before = self.budget.bytes_used.fetch_sub(self.bytes, Ordering::Relaxed);
        debug_assert!(before >= self.bytes, "given back more than was taken");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_more_than_the_bound() {
        let budget = BufferBudget::new(100);
        let mut permit = budget.try_take(60).unwrap();
        assert!(budget.try_take(41).is_none());
        assert!(!permit.grow(41));
        assert!(!permit.grow(u64::MAX), "a sum that overflows does not fit");
        assert!(permit.grow(40));
        assert_eq!((budget.used(), permit.bytes()), (100, 100));
    }

    #[test]
    fn never_more_than_the_bound_over_threads() {
        let budget = BufferBudget::new(10);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        let permit = budget.try_take(4);
                        assert!(budget.used() <= 10);
                        drop(permit);
                    }
                });
            }
        });
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_dropped_permit_gives_back_what_it_holds() {
        let budget = BufferBudget::new(100);
        let mut permit = budget.try_take(10).unwrap();
        assert!(permit.grow(20));
        assert!(!permit.grow(1000), "a refused growth is not given back");
        drop(permit);
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn a_smaller_bound_holds_for_what_comes() {
        let budget = BufferBudget::new(100);
        let permit = budget.try_take(80).unwrap();
        budget.set_max(50);
        assert!(budget.try_take(1).is_none());
        drop(permit);
        assert!(budget.try_take(50).is_some());
    }
}
