//! Operations in short.

use raptorgate_policies::ledger::*;
use raptorgate_policies::store::{Ending, Now};

pub const SECOND: u64 = 1_000_000;
pub const LEASE: u64 = 120 * SECOND;
pub const GRACE: u64 = 900 * SECOND;
/// A time in 2025.
pub const START: u64 = 1_764_057_600 * SECOND;

/// So long after the start.
pub fn after(micros: u64) -> Now {
    Now::At(START + micros)
}

pub fn tenant() -> StoreName {
    StoreName::of(&["acme"])
}

pub fn name(text: &str) -> StoreName {
    StoreName::of(&[text])
}

pub fn account(base: &str) -> AccountName {
    AccountName { base: name(base), window: name("2026-11") }
}

pub fn part(base: &str, limit: i64, amount: i64) -> Part {
    Part { account: account(base), limit: Some(Nanos::new(limit)), enforce: Enforce::Hard, amount: Nanos::new(amount) }
}

pub fn id(number: u128) -> LedgerId {
    // the day of all of them is in 2025
    LedgerId::from_u128((0x019a_ba1c_2c00_u128 << 80) | (0x7 << 76) | (0x8 << 60) | number)
}

pub fn admit(number: u128, parts: Vec<Part>) -> Admit {
    Admit {
        id: id(number),
        fingerprint: [number as u8; 32],
        lease_micros: LEASE,
        keys: vec![],
        slots: vec![],
        rates: vec![],
        parts,
        note: Note::new(format!(r#"{{"route":"chat","é":"{number}"}}"#)).unwrap(),
    }
}

pub fn settle(number: u128, charge: i64, bases: &[&str]) -> Settle {
    Settle {
        id: id(number),
        charge: Nanos::new(charge),
        accounts: bases.iter().map(|base| account(base)).collect(),
        certainty: Certainty::Exact,
        rates: vec![],
        keys: vec![],
        waste: vec![],
        mark: None,
        note: Note::default(),
    }
}

pub fn void(number: u128, reason: VoidReason) -> Void {
    Void { id: id(number), reason, rates: vec![], keys: vec![], waste: vec![], mark: None, note: Note::default() }
}

pub fn key_use(key: u8, fingerprint: Option<u8>) -> KeyUse {
    KeyUse {
        key: [key; 32],
        fingerprint: fingerprint.map(|byte| [byte; 32]),
        lease_micros: LEASE,
        keep_micros: GRACE,
        on_unknown: OnUnknown::Refuse,
    }
}

pub fn keyed(number: u128, key: u8) -> Admit {
    Admit { keys: vec![key_use(key, Some(7))], ..admit(number, vec![part("k", 1000, 10)]) }
}

pub fn dispatch(number: u128, keys: &[u8]) -> Dispatch {
    Dispatch { id: id(number), keys: keys.iter().map(|key| [*key; 32]).collect() }
}

pub fn extend(number: u128, extension: u32, amounts: &[i64]) -> Extend {
    let amounts = amounts.iter().map(|amount| Nanos::new(*amount)).collect();
    Extend { id: id(number), number: extension, amounts, lease_micros: LEASE }
}

pub fn charged(charge: i64, timing: Timing) -> Settlement {
    Settlement::Done { finish: Finish::Settled { charge: Nanos::new(charge) }, timing }
}

pub fn endings(settles: Vec<Settle>) -> Vec<Ending> {
    settles.into_iter().map(Ending::Settle).collect()
}
