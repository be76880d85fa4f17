//! How many requests are at an upstream at once: a bound, and a bounded queue before it.
//!
//! # Invariants
//! * Never more are in than the bound that held when they entered (`never_more_than_the_bound_are_in`).
//! * Who waits longest enters first, and nobody overtakes (`who_waits_longest_enters_first`).
//! * A place is given back exactly once, also by a request that stops waiting just when its place comes
//!   (`no_place_is_lost_by_who_gives_up`).

use parking_lot::Mutex;
use raptorgate_config::model::Pool;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The bound of one upstream and who waits at it.
#[derive(Debug)]
pub struct Gate {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    requests_max: usize,
    pending_max: usize,
    inside: usize,
    queue: VecDeque<oneshot::Sender<Place>>,
}

/// A place at the upstream, given back when dropped.
#[derive(Debug)]
#[must_use = "the place is given back when this is dropped"]
pub struct Place {
    gate: Option<Arc<Gate>>,
}

/// What a request finds at the gate.
#[derive(Debug)]
pub enum Entry {
    /// A place.
    In(Place),
    /// A place in the queue; the receiver gets the other one.
    Queued(oneshot::Receiver<Place>),
    /// As many wait as may wait.
    Full,
}

impl Gate {
    /// A gate with these bounds.
    pub fn new(pool: &Pool) -> Arc<Self> {
        let (requests_max, pending_max) = (pool.requests_max, pool.pending_max);
        Arc::new(Self { inner: Mutex::new(Inner { requests_max, pending_max, inside: 0, queue: VecDeque::new() }) })
    }

    /// Changes the bounds. Who is in stays in, who waits goes on waiting.
    pub fn set_bounds(self: &Arc<Self>, pool: &Pool) {
        let mut inner = self.inner.lock();
        (inner.requests_max, inner.pending_max) = (pool.requests_max, pool.pending_max);
        drop(inner);
        while let Some(next) = self.next_in() {
            // one that has given up drops its place, which goes to the next
            drop(next.send(Place { gate: Some(self.clone()) }));
        }
    }

    /// Enters, or queues.
    pub fn enter(self: &Arc<Self>) -> Entry {
        let mut inner = self.inner.lock();
        if inner.inside < inner.requests_max {
            inner.inside += 1;
            return Entry::In(Place { gate: Some(self.clone()) });
        }
        if inner.queue.len() >= inner.pending_max {
            inner.queue.retain(|waiting| !waiting.is_closed());
        }
        if inner.queue.len() >= inner.pending_max {
            return Entry::Full;
        }
        let (sender, receiver) = oneshot::channel();
        inner.queue.push_back(sender);
        Entry::Queued(receiver)
    }

    /// Requests that are in, and that wait.
    pub fn counts(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        (inner.inside, inner.queue.iter().filter(|waiting| !waiting.is_closed()).count())
    }

    /// Takes a place for who waits longest, if there is room.
    fn next_in(&self) -> Option<oneshot::Sender<Place>> {
        let mut inner = self.inner.lock();
        if inner.inside >= inner.requests_max {
            return None;
        }
        let next = inner.queue.pop_front()?;
        inner.inside += 1;
        Some(next)
    }

    /// Gives a place back: to who waits longest and still waits, else to nobody.
    fn leave(self: Arc<Self>) {
        self.give_back();
        while let Some(next) = self.next_in() {
            match next.send(Place { gate: Some(self.clone()) }) {
                Ok(()) => return,
                // not by its own drop: that would come back here, once per request that gave up
                Err(mut place) => {
                    place.gate = None;
                    self.give_back();
                }
            }
        }
    }

    fn give_back(&self) {
        let mut inner = self.inner.lock();
        debug_assert!(inner.inside > 0, "a place was given back twice");
        inner.inside = inner.inside.saturating_sub(1);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn pool(requests_max: usize, pending_max: usize) -> Pool {
        let second = Duration::from_secs(1);
        Pool { requests_max, pending_max, pending_timeout: second, idle_timeout: second, streams_max: 1 }
    }

    fn place(entry: Entry) -> Place {
        match entry {
            Entry::In(place) => place,
            other => panic!("{other:?}"),
        }
    }

    fn queued(entry: Entry) -> oneshot::Receiver<Place> {
        match entry {
            Entry::Queued(receiver) => receiver,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn never_more_than_the_bound_are_in() {
        let gate = Gate::new(&pool(2, 1));
        let (one, two) = (place(gate.enter()), place(gate.enter()));
        let mut waiting = queued(gate.enter());
        assert!(matches!(gate.enter(), Entry::Full));
        assert_eq!(gate.counts(), (2, 1));
        assert!(waiting.try_recv().is_err());
        drop(one);
        let three = waiting.try_recv().unwrap();
        assert_eq!(gate.counts(), (2, 0));
        drop((two, three));
        assert_eq!(gate.counts(), (0, 0));
    }

    #[test]
    fn who_waits_longest_enters_first() {
        let gate = Gate::new(&pool(1, 10));
        let mut inside = place(gate.enter());
        let mut waiting: Vec<_> = (0..5).map(|_| queued(gate.enter())).collect();
        while !waiting.is_empty() {
            drop(inside);
            inside = waiting.remove(0).try_recv().unwrap();
            assert!(waiting.iter_mut().all(|other| other.try_recv().is_err()));
        }
    }

    #[test]
    fn no_place_is_lost_by_who_gives_up() {
        let gate = Gate::new(&pool(1, 3));
        let inside = place(gate.enter());
        let (first, second, mut third) = (queued(gate.enter()), queued(gate.enter()), queued(gate.enter()));
        drop(first); // before its place comes
        drop(inside);
        drop(second); // with its place in the channel, unread
        let third = third.try_recv().unwrap();
        assert_eq!(gate.counts(), (1, 0));
        drop(third);
        assert_eq!(gate.counts(), (0, 0));
    }

    #[test]
    fn who_gave_up_keeps_nobody_out() {
        let gate = Gate::new(&pool(1, 1));
        let _inside = place(gate.enter());
        drop(queued(gate.enter()));
        drop(queued(gate.enter()));
        let _waits = queued(gate.enter());
        assert!(matches!(gate.enter(), Entry::Full));
    }

    #[test]
    fn new_bounds_let_in_who_waits_and_throw_nobody_out() {
        let gate = Gate::new(&pool(1, 10));
        let one = place(gate.enter());
        let mut waiting: Vec<_> = (0..4).map(|_| queued(gate.enter())).collect();
        gate.set_bounds(&pool(3, 10));
        let mut inside: Vec<Place> = waiting.iter_mut().filter_map(|w| w.try_recv().ok()).collect();
        assert_eq!((inside.len(), gate.counts()), (2, (3, 2)));
        gate.set_bounds(&pool(1, 10));
        inside.clear();
        assert_eq!(gate.counts(), (1, 2), "places above the bound are not given on");
        drop(one);
        assert_eq!(gate.counts(), (1, 1));
    }
}
