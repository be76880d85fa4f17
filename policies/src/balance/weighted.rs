//! Smooth weighted round robin: shares are met over each round, and a heavy endpoint's turns are spread out.
//!
//! The method of nginx (commit 52327e0627f4, 2012): each turn, everybody gains its share; who has most is asked and pays
//! the sum of all shares.

use super::Candidate;

/// What each endpoint has gained and not yet paid.
#[derive(Debug, Default)]
pub(super) struct Turns {
    credit: Vec<i64>,
}

impl Turns {
    /// Whose turn it is among the eligible ones.
    pub fn next(&mut self, candidates: &[Candidate], eligible: impl Fn(&Candidate) -> bool) -> Option<usize> {
        if self.credit.len() != candidates.len() {
            self.credit = vec![0; candidates.len()];
        }
        let mut total = 0i64;
        let mut best: Option<(usize, i64)> = None;
        for (index, (credit, candidate)) in self.credit.iter_mut().zip(candidates).enumerate() {
            if !eligible(candidate) {
                continue;
            }
            *credit += i64::from(candidate.share);
            total += i64::from(candidate.share);
            if best.is_none_or(|(_, most)| *credit > most) {
                best = Some((index, *credit));
            }
        }
        let (index, _) = best?;
        if let Some(credit) = self.credit.get_mut(index) {
            *credit -= total;
        }
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::candidate;
    use super::*;
    use proptest::prelude::*;

    fn turns(weights: &[u32], rounds: u32) -> Vec<usize> {
        let list: Vec<Candidate> = weights.iter().zip(0..).map(|(&w, id)| candidate(id, w)).collect();
        let mut turns = Turns::default();
        (0..weights.iter().sum::<u32>() * rounds).map(|_| turns.next(&list, |_| true).unwrap()).collect()
    }

    #[test]
    fn a_heavy_endpoint_is_not_asked_in_bursts() {
        assert_eq!(turns(&[5, 1, 1], 1), [0, 0, 1, 0, 2, 0, 0]);
        assert_eq!(turns(&[1, 1, 1], 2), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn who_is_not_eligible_neither_gains_nor_pays() {
        let list = [candidate(0, 1), candidate(1, 1)];
        let mut turns = Turns::default();
        for _ in 0..100 {
            assert_eq!(turns.next(&list, |c| c.id == 0), Some(0));
        }
        // the one that was left out gets its share from now on, and not what it missed
        let after: Vec<_> = (0..10).filter_map(|_| turns.next(&list, |_| true)).collect();
        assert_eq!(after.iter().filter(|index| **index == 1).count(), 5);
        assert_eq!(turns.next(&list, |_| false), None);
    }

    proptest! {
        #[test]
        fn each_round_gives_everybody_exactly_its_share(weights in proptest::collection::vec(1u32..=20, 1..8)) {
            let round = weights.iter().sum::<u32>() as usize;
            for turns in turns(&weights, 3).chunks(round) {
                for (index, weight) in weights.iter().enumerate() {
                    prop_assert_eq!(turns.iter().filter(|t| **t == index).count(), *weight as usize);
                }
            }
        }
    }
}
