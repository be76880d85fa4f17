//! Which endpoint of an upstream is asked: in turn, the least busy one, or the one that a key belongs to.
//!
//! # Invariants
//! * An endpoint that is out, or was tried for this request, is asked only when nothing better is left
//!   (`the_best_tier_that_has_anybody_is_asked`).
//! * Shares are met exactly over each round (`each_round_gives_everybody_exactly_its_share`).
//! * A key moves only with the endpoint that comes or goes (`only_the_share_of_a_changed_endpoint_moves`).

mod hash;
mod least;
mod weighted;

pub use hash::{KeyHash, endpoint_id};

use weighted::Turns;

/// An endpoint, as the choice sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its weight now, in thousandths of the configured unit; above zero.
    pub share: u32,
    /// Requests that it is serving for us.
    pub in_flight: u32,
    /// What it is called in consistent hashing; see [`endpoint_id`].
    pub id: u64,
    /// Whether it is believed to work.
    pub standing: Availability,
    /// What this request knows of it.
    pub tried: Tried,
}

/// Whether an endpoint is believed to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// As far as is known.
    In,
    /// Ejected, or its health checks fail.
    Out,
}

/// What a request knows of an endpoint from its earlier attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was not asked yet.
    No,
    /// It was asked and failed.
    Failed,
    /// It did not even take a connection.
    Refused,
}

/// How to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// In turn.
    RoundRobin,
    /// Fewest in flight for its share; ties in turn.
    LeastRequests,
    /// The endpoint that this key belongs to.
    Key(KeyHash),
}

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Index of the candidate.
    pub index: usize,
    /// True if no endpoint at all is in: this one is asked because nothing better is left.
    pub panic: bool,
}

/// Remembers whose turn it is among one list of endpoints.
#[derive(Debug, Default)]
pub struct Balancer {
    turns: Turns,
}

impl Balancer {
    /// Chooses one of the candidates; `None` if there are none. The list must keep its order from call to call; a list
    /// of another length starts the turns anew.
    pub fn choose(&mut self, method: Method, candidates: &[Candidate]) -> Option<Choice> {
        let tier = best_tier(candidates)?;
        let eligible = |candidate: &Candidate| tier_of(candidate) == tier || tier == Tier::Any;
        let panic = candidates.iter().all(|candidate| candidate.standing == Availability::Out);
        let index = match method {
            Method::RoundRobin => self.turns.next(candidates, eligible),
            Method::LeastRequests => {
                let (requests, share) = least::least_load(candidates.iter().filter(|c| eligible(c)))?;
                self.turns.next(candidates, |c| eligible(c) && least::same_load(c, requests, share))
            }
            Method::Key(key) => hash::owner(key, candidates, eligible),
        }?;
        Some(Choice { index, panic })
    }
}

/// From best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    /// In, and new to this request.
    Fresh,
    /// Out, but new to this request: one that has just failed is no better.
    Out,
    /// Tried, but it took the connection.
    Failed,
    /// Whoever there is.
    Any,
}

fn tier_of(candidate: &Candidate) -> Tier {
    match (candidate.tried, candidate.standing) {
        (Tried::No, Availability::In) => Tier::Fresh,
        (Tried::No, Availability::Out) => Tier::Out,
        (Tried::Failed, _) => Tier::Failed,
        (Tried::Refused, _) => Tier::Any,
    }
}

fn best_tier(candidates: &[Candidate]) -> Option<Tier> {
    candidates.iter().map(tier_of).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(super) fn candidate(id: u64, weight: u32) -> Candidate {
        Candidate { share: weight * 1_000, in_flight: 0, id, standing: Availability::In, tried: Tried::No }
    }

    fn picked(balancer: &mut Balancer, method: Method, candidates: &[Candidate]) -> usize {
        balancer.choose(method, candidates).unwrap().index
    }

    #[test]
    fn nobody_is_chosen_of_nobody() {
        for method in [Method::RoundRobin, Method::LeastRequests, Method::Key(KeyHash::of(b"k"))] {
            assert_eq!(Balancer::default().choose(method, &[]), None);
        }
    }

    #[test]
    fn the_best_tier_that_has_anybody_is_asked() {
        let all = [
            (Tried::Refused, Availability::Out),
            (Tried::Failed, Availability::In),
            (Tried::No, Availability::Out),
            (Tried::No, Availability::In),
        ];
        for method in [Method::RoundRobin, Method::LeastRequests, Method::Key(KeyHash::of(b"k"))] {
            // the last of each list is the best of it
            for best in 1..=all.len() {
                let list: Vec<Candidate> = all
                    .iter()
                    .take(best)
                    .zip(0..)
                    .map(|(&(tried, standing), id)| Candidate {
                        tried,
                        standing,
                        in_flight: id as u32,
                        ..candidate(id, 1)
                    })
                    .collect();
                let mut balancer = Balancer::default();
                for _ in 0..5 {
                    let choice = balancer.choose(method, &list).unwrap();
                    assert_eq!(choice.index, best - 1, "{method:?} of {list:?}");
                    assert_eq!(choice.panic, best == 1);
                }
            }
        }
    }

    #[test]
    fn if_all_refused_they_are_asked_again() {
        let refused = |id| Candidate { tried: Tried::Refused, ..candidate(id, 1) };
        let list = [refused(1), refused(2)];
        let mut balancer = Balancer::default();
        let turns: Vec<usize> = (0..4).map(|_| picked(&mut balancer, Method::RoundRobin, &list)).collect();
        assert_eq!(turns, [0, 1, 0, 1]);
    }

    proptest! {
        #[test]
        fn least_requests_never_takes_a_busier_one(
            list in proptest::collection::vec((1u32..=1_000, 0u32..50, any::<bool>()), 1..12),
        ) {
            let list: Vec<Candidate> = list
                .iter()
                .zip(0..)
                .map(|(&(weight, in_flight, is_in), id)| Candidate {
                    in_flight,
                    standing: if is_in { Availability::In } else { Availability::Out },
                    ..candidate(id, weight)
                })
                .collect();
            let choice = Balancer::default().choose(Method::LeastRequests, &list).unwrap();
            let chosen = list[choice.index];
            let any_in = list.iter().any(|c| c.standing == Availability::In);
            prop_assert_eq!(choice.panic, !any_in);
            prop_assert!(!any_in || chosen.standing == Availability::In);
            for other in list.iter().filter(|c| c.standing == chosen.standing) {
                let load = |a: &Candidate, b: &Candidate| u64::from(a.in_flight) * u64::from(b.share);
                prop_assert!(load(&chosen, other) <= load(other, &chosen), "{:?} before {:?}", chosen, other);
            }
        }

        #[test]
        fn least_requests_fills_by_weight(weights in proptest::collection::vec(1u32..=9, 2..6)) {
            let mut list: Vec<Candidate> = weights.iter().zip(0..).map(|(&w, id)| candidate(id, w)).collect();
            let mut balancer = Balancer::default();
            let total: u32 = weights.iter().sum();
            // requests that never end: as many as the weights say, 20 times over
            for _ in 0..total * 20 {
                let index = picked(&mut balancer, Method::LeastRequests, &list);
                list[index].in_flight += 1;
            }
            for (candidate, weight) in list.iter().zip(&weights) {
                prop_assert!(candidate.in_flight.abs_diff(weight * 20) <= 1, "{} for {}", candidate.in_flight, weight);
            }
        }
    }
}
