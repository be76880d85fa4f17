//! The keys that a request holds while it runs: its idempotency key, and the lock of its execution.
//!
//! # Invariants
//! * A request with a key runs once, and is charged once, over all gateways of a store
//!   (`thousands_of_calls_run_once_each_over_two_gateways`).
//! * A request keeps its key for as long as it runs, however short the lease (`two_renewals_may_fail_before_a_lease_is_over`,
//!   `the_key_of_a_dead_gateway_goes_to_another`).
//! * Two callers never share a key, nor do two routes (`keys_belong_to_one_principal_and_one_route`).

use super::keeper::RENEW_AFTER;
use super::{Caller, HOLD_LEASE, Plan, Prepared, micros};
use crate::ledger::{Fingerprint, KeyEnd, KeyEnding, KeyHash, KeyUse, OnUnknown};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// An idempotency key that a client sent, and what it sent with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientKey {
    /// Its text, as it means: without quotes.
    pub text: Box<str>,
    /// What the request is.
    pub fingerprint: Fingerprint,
    /// What the client wants if nobody knows what became of the first.
    pub on_unknown: OnUnknown,
}

/// What a key of a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Its idempotency key.
    Idempotency,
    /// The lock of its execution.
    Execution,
}

impl Plan {
    /// Adds the keys that a request must hold. `execution` is the run that it names itself.
    pub fn claim(&self, caller: Caller<'_>, key: Option<&ClientKey>, execution: Option<&str>, prepared: &mut Prepared) {
        if let (Some(rules), Some(key)) = (&self.idempotency, key) {
            prepared.claims.push((Claim::Idempotency, rules.wait_max));
            prepared.keep_micros = micros(rules.keep);
            prepared.admit.keys.push(KeyUse {
                key: idempotency_hash(caller, &self.route, &key.text),
                fingerprint: Some(key.fingerprint),
                lease_micros: micros(rules.lease),
                keep_micros: prepared.keep_micros,
                on_unknown: key.on_unknown,
            });
        }
        if let (Some(lock), Some(execution)) = (&self.lock, execution) {
            prepared.claims.push((Claim::Execution, lock.wait_max));
            // A lock whose holder is gone is free: what that one did is for its idempotency key to say.
            prepared.admit.keys.push(KeyUse {
                key: execution_hash(caller, execution),
                fingerprint: None,
                lease_micros: micros(HOLD_LEASE),
                keep_micros: 0,
                on_unknown: OnUnknown::RunAgain,
            });
        }
    }
}

impl Prepared {
    /// What one of its keys is for, and how long to wait for it at most.
    pub fn claimed(&self, index: usize) -> Option<(Claim, Duration, &KeyUse)> {
        let (claim, wait_max) = self.claims.get(index)?;
        Some((*claim, *wait_max, self.admit.keys.get(index)?))
    }

    /// Its idempotency key, if it has one.
    pub fn idempotency_key(&self) -> Option<&KeyHash> {
        let held = self.claims.iter().zip(&self.admit.keys).find(|((claim, _), _)| *claim == Claim::Idempotency);
        held.map(|(_, key)| &key.key)
    }

    /// How long its key is known when it has ended.
    pub fn keep_micros(&self) -> u64 {
        self.keep_micros
    }

    /// How often what it holds must be renewed: twice may fail before a lease is over.
    pub fn renew_after(&self) -> Duration {
        let shortest = self.admit.keys.iter().map(|key| Duration::from_micros(key.lease_micros)).min();
        shortest.map_or(RENEW_AFTER, |lease| RENEW_AFTER.min(lease / 3))
    }

    /// True if it holds keys.
    pub fn is_keyed(&self) -> bool {
        !self.admit.keys.is_empty()
    }

    /// True if there is nothing that a store has to be asked.
    pub fn asks_nothing(&self) -> bool {
        let admit = &self.admit;
        admit.keys.is_empty() && admit.slots.is_empty() && admit.rates.is_empty() && admit.parts.is_empty()
    }

    /// What becomes of its keys: an execution's lock is free again, whatever happened.
    pub fn key_ends(&self, idempotency: &KeyEnding) -> Vec<KeyEnd> {
        let end = |((claim, _), key): (&(Claim, Duration), &KeyUse)| {
            let ending = match claim {
                Claim::Idempotency => idempotency.clone(),
                Claim::Execution => KeyEnding::Free,
            };
            KeyEnd { key: key.key, ending }
        };
        self.claims.iter().zip(&self.admit.keys).map(end).collect()
    }
}

/// User and not API key: a client whose key was renewed may still ask what became of its request. With the end user: a service
/// that acts for many must not hand one of them what was said to another.
fn idempotency_hash(caller: Caller<'_>, route: &str, key: &str) -> KeyHash {
    let end_user = caller.end_user.unwrap_or_default();
    let named = if caller.end_user.is_some() { "end_user" } else { "user" };
    hash(&["idempotency", caller.tenant, named, caller.user, end_user, route, key])
}

/// Not by route: a run goes over many.
fn execution_hash(caller: Caller<'_>, execution: &str) -> KeyHash {
    hash(&["execution", caller.tenant, caller.user, execution])
}

/// Each part with its length, so that no two lists are the same bytes.
fn hash(parts: &[&str]) -> KeyHash {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{one_budget, prepare_one};
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn two_renewals_may_fail_before_a_lease_is_over() {
        let mut prepared = prepare_one(&one_budget());
        assert_eq!(prepared.renew_after(), RENEW_AFTER);
        for (lease, renew_after) in [(600, 30), (15, 5), (60, 5)] {
            let (lease_micros, on_unknown) = (micros(Duration::from_secs(lease)), OnUnknown::Refuse);
            let key = KeyUse { key: [lease as u8; 32], fingerprint: None, lease_micros, keep_micros: 0, on_unknown };
            prepared.admit.keys.push(key);
            assert_eq!(prepared.renew_after(), Duration::from_secs(renew_after));
        }
    }

    #[test]
    fn keys_belong_to_one_principal_and_one_route() {
        let caller = Caller { tenant: "acme", user: "asha", key: "k1", end_user: None, execution: "run" };
        let hashes = [
            idempotency_hash(caller, "chat", "k"),
            idempotency_hash(Caller { tenant: "other", ..caller }, "chat", "k"),
            idempotency_hash(Caller { user: "ravi", ..caller }, "chat", "k"),
            idempotency_hash(Caller { end_user: Some("x"), ..caller }, "chat", "k"),
            idempotency_hash(Caller { end_user: Some(""), ..caller }, "chat", "k"),
            idempotency_hash(caller, "mail", "k"),
            idempotency_hash(caller, "chatk", ""),
            execution_hash(caller, "k"),
        ];
        assert_eq!(BTreeSet::from(hashes).len(), hashes.len());
        let renewed = Caller { key: "k2", execution: "another", ..caller };
        assert_eq!(idempotency_hash(renewed, "chat", "k"), hashes[0]);
    }
}
