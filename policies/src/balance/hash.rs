//! Weighted rendezvous hashing: every endpoint scores the key, and the best score has it.
//!
//! Rendezvous and not a ring: shares are exact for any weights, nothing is built or kept, and who comes or goes moves
//! only its own keys. The score is the logarithmic method of Schindelhauer and Schomaker, "Weighted Distributed Hash
//! Tables" (SPAA 2005): `weight / -ln(u)` for a hash `u` in (0, 1). Its cost grows with the number of endpoints, which
//! are tens.
//!
//! The hash is the same in every process: two gateways send a key to the same endpoint.

use super::Candidate;
use sha2::{Digest, Sha256};

/// A key, hashed. Keyed by nothing: what a client can choose is only which endpoint serves its own requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHash(u64);

impl KeyHash {
    /// Hashes a key.
    pub fn of(key: &[u8]) -> Self {
        Self(hash(key))
    }
}

/// The name of an endpoint in consistent hashing, from its address: it keeps its keys over restarts and in all gateways.
pub fn endpoint_id(address: &str) -> u64 {
    hash(address.as_bytes())
}

fn hash(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The eligible candidate that the key belongs to.
pub(super) fn owner(key: KeyHash, candidates: &[Candidate], eligible: impl Fn(&Candidate) -> bool) -> Option<usize> {
    let scored = candidates.iter().enumerate().filter(|(_, c)| eligible(c)).map(|(index, c)| (index, score(key, c)));
    scored.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(index, _)| index)
}

/// 2⁵³: doubles hold every whole number below it.
const MANTISSA: f64 = 9_007_199_254_740_992.0;

fn score(key: KeyHash, candidate: &Candidate) -> f64 {
    let bits = mix(key.0 ^ candidate.id) >> 11;
    // in (0, 1): neither end has a logarithm that can be divided by
    let unit = (bits as f64 + 0.5) / MANTISSA;
    f64::from(candidate.share) / -unit.ln()
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): each bit of the input changes half of the output's.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::super::{Availability, Tried};
    use super::*;
    use proptest::prelude::*;

    fn endpoint(n: usize, weight: u32) -> Candidate {
        let id = endpoint_id(&format!("10.0.0.{n}:8000"));
        Candidate { share: weight * 1_000, in_flight: 0, id, standing: Availability::In, tried: Tried::No }
    }

    fn owners(candidates: &[Candidate], keys: usize) -> Vec<u64> {
        let keys = (0..keys).map(|n| KeyHash::of(format!("session-{n}").as_bytes()));
        keys.map(|key| candidates[owner(key, candidates, |_| true).unwrap()].id).collect()
    }

    #[test]
    fn the_same_key_goes_to_the_same_endpoint_in_every_process() {
        // computed by another program (Python's hashlib and math.log): a change of the hash would move every session of a running fleet
        let list: Vec<Candidate> = (0..5).map(|n| endpoint(n, 1)).collect();
        let owned = |key: &str| owner(KeyHash::of(key.as_bytes()), &list, |_| true).unwrap();
        assert_eq!(["a", "b", "c", "asha", "ravi", "session-1"].map(owned), [1, 2, 3, 3, 3, 3]);
    }

    #[test]
    fn shares_follow_the_weights() {
        let weights = [1, 2, 3, 10];
        let list: Vec<Candidate> = weights.iter().enumerate().map(|(n, w)| endpoint(n, *w)).collect();
        let keys = 40_000;
        let owned = owners(&list, keys);
        for (candidate, weight) in list.iter().zip(weights) {
            let share = owned.iter().filter(|id| **id == candidate.id).count() as f64 / keys as f64;
            let wanted = f64::from(weight) / 16.0;
            assert!((share - wanted).abs() < 0.01, "{share} of the keys for {wanted} of the weight");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn only_the_share_of_a_changed_endpoint_moves(
            weights in proptest::collection::vec(1u32..=20, 2..8),
            gone in any::<prop::sample::Index>(),
        ) {
            let before: Vec<Candidate> = weights.iter().enumerate().map(|(n, w)| endpoint(n, *w)).collect();
            let mut after = before.clone();
            let gone = after.remove(gone.index(before.len()));
            let (old, new) = (owners(&before, 500), owners(&after, 500));
            for (old, new) in old.iter().zip(&new) {
                // read backwards it is the law for one that comes: it takes keys, and no other key moves
                prop_assert!(*old == gone.id || old == new);
            }
        }

        #[test]
        fn a_heavier_endpoint_only_gains_keys(weight in 1u32..=20, more in 1u32..=20) {
            let list = |weight| vec![endpoint(0, weight), endpoint(1, 5), endpoint(2, 5)];
            let (old, new) = (owners(&list(weight), 300), owners(&list(weight + more), 300));
            let grown = endpoint(0, 1).id;
            for (old, new) in old.iter().zip(&new) {
                prop_assert!(old == new || *new == grown);
            }
        }
    }
}
