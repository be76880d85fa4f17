//! What a store is asked to do: each operation is atomic, has an id, and may be sent again.
//!
//! # Invariants
//! * An operation is bounded, and names nothing twice (`an_operation_that_names_something_twice_is_refused`).

use super::{AccountName, LedgerId, Nanos, RateCorrection, RateStep, StoreName};
use serde::{Deserialize, Serialize};

/// Budgets that one request may hold money in.
pub const PARTS_MAX: usize = 16;
/// Rate limits that one request may be charged to.
pub const RATES_MAX: usize = 32;
/// Concurrency limits, and keys, of one request.
pub const SLOTS_MAX: usize = 8;
/// Failed attempts of one request that are told.
pub const WASTE_MAX: usize = 16;
/// Longest note.
pub const NOTE_BYTES_MAX: usize = 2048;
/// Largest reply that can be kept for a key.
pub const REPLY_BYTES_MAX: usize = 1 << 20;

/// SHA-256 of what a client sent.
pub type Fingerprint = [u8; 32];

/// SHA-256 of tenant, principal, route and the client's key.
pub type KeyHash = [u8; 32];

/// Lets a request in, or does not: all of it or nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admit {
    /// The request.
    pub id: LedgerId,
    /// What it is: the same id with another fingerprint is a conflict.
    pub fingerprint: Fingerprint,
    /// How long the hold lives unless it is renewed.
    pub lease_micros: u64,
    /// Idempotency key and execution lock.
    pub keys: Vec<KeyUse>,
    /// Concurrency limits.
    pub slots: Vec<Slot>,
    /// Rate, token and cost limits.
    pub rates: Vec<RateUse>,
    /// Budgets.
    pub parts: Vec<Part>,
    /// What the entry tells beside the amounts.
    pub note: Note,
}

/// A key that only one request at a time may hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// Whose key and which.
    pub key: KeyHash,
    /// What the first request with this key was; `None`: an execution lock, which different requests take in turn.
    pub fingerprint: Option<Fingerprint>,
    /// How long the key is this request's unless it is renewed.
    pub lease_micros: u64,
    /// How long it is known that nobody knows what became of the request that held it.
    pub keep_micros: u64,
    /// What to do when nobody knows.
    pub on_unknown: OnUnknown,
}

/// What becomes of a request whose key was held by one that was sent to the upstream and never heard of again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnUnknown {
    /// It is refused.
    Refuse,
    /// It runs: the client asked for that.
    RunAgain,
}

/// A place among those that may run at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Limit and subject.
    pub name: StoreName,
    /// How many may run at once.
    pub count_max: u32,
}

/// A charge to a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateUse {
    /// Limit and subject.
    pub name: StoreName,
    /// The charge.
    pub step: RateStep,
}

/// Money held in one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The account.
    pub account: AccountName,
    /// What may be spent in its window as the configuration says; `None`: without end.
    pub limit: Option<Nanos>,
    /// Whether the limit refuses.
    pub enforce: Enforce,
    /// What is held; never negative.
    pub amount: Nanos,
}

/// Whether a limit refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Enforce {
    /// What is beyond it is refused.
    Hard,
    /// What is beyond it is only seen.
    Soft,
}

/// Holds more money for a request that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extend {
    /// The request.
    pub id: LedgerId,
    /// 1, 2, 3 …: an extension that came already is not made again.
    pub number: u32,
    /// What is added to each part of the hold, in its order; never negative.
    pub amounts: Vec<Nanos>,
    /// How long the hold lives from now.
    pub lease_micros: u64,
}

/// Says that a request still runs. Carries the whole hold, so that a store that forgot it has it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renew {
    /// The request as it was admitted, with the amounts that are held now.
    pub admitted: Admit,
    /// Its fencing token.
    pub fence: u64,
    /// Extensions made.
    pub extensions: u32,
}

/// Charges a request, and gives back what was held beyond. Never refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settle {
    /// The request.
    pub id: LedgerId,
    /// What it is charged in each account; never negative.
    pub charge: Nanos,
    /// Its accounts: they count if the store has no hold of it.
    pub accounts: Vec<AccountName>,
    /// Whether the charge is known.
    pub certainty: Certainty,
    /// What limits were charged too much or too little.
    pub rates: Vec<RateFix>,
    /// What becomes of its keys.
    pub keys: Vec<KeyEnd>,
    /// Attempts before it that nobody pays for.
    pub waste: Vec<Waste>,
    /// Place in the sender's journal.
    pub mark: Option<Mark>,
    /// What the entry tells beside the amounts.
    pub note: Note,
}

/// An attempt that was sent to an upstream and failed, so that its provider may charge for it: it moves nobody's money and is a
/// line of its own, written in the same step as the end of its request and as often, which is once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waste {
    /// Whether what it cost is known.
    pub certainty: Certainty,
    /// Which attempt, at which upstream, and what it cost.
    pub note: Note,
}

/// Whether a charge is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Certainty {
    /// The upstream told it.
    Exact,
    /// It was counted, or the last thing known before a crash.
    Estimated,
}

/// Gives a hold back without a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// The request.
    pub id: LedgerId,
    /// Why.
    pub reason: VoidReason,
    /// What limits get back.
    pub rates: Vec<RateFix>,
    /// What becomes of its keys.
    pub keys: Vec<KeyEnd>,
    /// Attempts that nobody pays for.
    pub waste: Vec<Waste>,
    /// Place in the sender's journal.
    pub mark: Option<Mark>,
    /// What the entry tells beside the amounts.
    pub note: Note,
}

/// Why a hold was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VoidReason {
    /// Nothing was sent to an upstream.
    NotSent,
    /// The upstream did not serve it.
    NotServed,
    /// Its key went to another request before it was sent.
    TakenOver,
    /// Nobody renewed or settled it in time.
    Unresolved,
}

impl VoidReason {
    /// The word in entries and keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::NotServed => "not_served",
            Self::TakenOver => "taken_over",
            Self::Unresolved => "unresolved",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::NotSent, Self::NotServed, Self::TakenOver, Self::Unresolved].into_iter().find(|r| r.as_str() == word)
    }
}

/// A limit to correct at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateFix {
    /// Limit and subject.
    pub name: StoreName,
    /// By how much.
    pub correction: RateCorrection,
}

/// What becomes of a key at the end of the request that held it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEnd {
    /// The key.
    pub key: KeyHash,
    /// What becomes of it.
    pub ending: KeyEnding,
}

/// What becomes of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyEnding {
    /// Free again.
    Free,
    /// Later requests get this reply, for so long.
    Reply {
        /// Sealed reply; `None`: it could not be kept.
        reply: Option<Vec<u8>>,
        /// For how long.
        keep_micros: u64,
    },
    /// Nobody knows whether it was served.
    Unknown {
        /// For how long that is told.
        keep_micros: u64,
    },
}

/// A place in a gateway's journal. A store that is behind `previous` has lost something and says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The gateway.
    pub gateway: StoreName,
    /// Number of this record; grows.
    pub sequence: u64,
    /// Number of the record that the gateway sent before, for this tenant.
    pub previous: u64,
}

/// Marks that a request with keys is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The request.
    pub id: LedgerId,
    /// Its keys.
    pub keys: Vec<KeyHash>,
}

/// Overrides the configured limit of a budget's subject, in every window from the next request on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetLimit {
    /// Budget and subject.
    pub base: StoreName,
    /// What holds from now on.
    pub limit: LimitChange,
    /// Only a higher version than the one that holds changes anything.
    pub version: u64,
    /// What the entry tells beside the amounts.
    pub note: Note,
}

/// What a limit becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitChange {
    /// This amount.
    Amount(Nanos),
    /// No limit.
    Unlimited,
    /// What the configuration says.
    Configured,
}

/// Adds to what may be spent, or takes back what was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Names this credit: the same name again changes nothing.
    pub name: StoreName,
    /// The account.
    pub account: AccountName,
    /// Which number moves.
    pub kind: CreditKind,
    /// By how much; may be negative.
    pub amount: Nanos,
    /// What the entry tells beside the amounts.
    pub note: Note,
}

/// Which number a credit moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CreditKind {
    /// More may be spent.
    TopUp,
    /// Less was spent.
    Refund,
}

/// A JSON object, made by the gateway, that stands in an entry as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note(Box<str>);

impl Note {
    /// Takes a JSON object in one line; `None` if it is longer than [`NOTE_BYTES_MAX`] or does not look like one.
    pub fn new(json: impl Into<Box<str>>) -> Option<Self> {
        let json = json.into();
        let object = json.starts_with('{') && json.ends_with('}') && !json.bytes().any(|b| b < b' ');
        (object && json.len() <= NOTE_BYTES_MAX).then_some(Self(json))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Note {
    fn default() -> Self {
        Self("{}".into())
    }
}

/// An operation that no store takes: a defect of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid operation: {0}")]
pub struct Invalid(&'static str);

/// What can be checked before a store sees it.
pub trait Checked {
    /// Refuses what breaks a bound of this module.
    fn check(&self) -> Result<(), Invalid>;
}

fn distinct<'a, T: Ord + 'a>(things: impl Iterator<Item = &'a T>) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    things.into_iter().all(|thing| seen.insert(thing))
}

pub(super) fn ensure(holds: bool, otherwise: &'static str) -> Result<(), Invalid> {
    if holds { Ok(()) } else { Err(Invalid(otherwise)) }
}

/// Longest time that any field of an operation may tell: 20 years. A time of this century and three of these together
/// stay below 2^53, up to which scripts of Redis count exactly.
pub const MICROS_MAX: u64 = 631_152_000_000_000;

impl Checked for Admit {
    fn check(&self) -> Result<(), Invalid> {
        ensure(self.parts.len() <= PARTS_MAX, "too many budgets")?;
        ensure(self.rates.len() <= RATES_MAX, "too many rates")?;
        ensure(self.slots.len() <= SLOTS_MAX && self.keys.len() <= SLOTS_MAX, "too many slots or keys")?;
        ensure(distinct(self.parts.iter().map(|p| &p.account)), "an account stands twice")?;
        ensure(distinct(self.rates.iter().map(|r| &r.name)), "a rate stands twice")?;
        ensure(distinct(self.slots.iter().map(|s| &s.name)), "a slot stands twice")?;
        ensure(distinct(self.keys.iter().map(|k| &k.key)), "a key stands twice")?;
        ensure(self.parts.iter().all(|p| p.amount >= Nanos::ZERO), "a negative amount")?;
        ensure(self.parts.iter().all(|p| p.limit.is_none_or(|limit| limit >= Nanos::ZERO)), "a negative limit")?;
        ensure(self.rates.iter().all(|r| r.step.window_micros <= MICROS_MAX), "a window without end")?;
        ensure(self.keys.iter().all(|k| k.lease_micros.max(k.keep_micros) <= MICROS_MAX), "a key without end")?;
        ensure(self.lease_micros <= MICROS_MAX, "a lease without end")
    }
}

impl Checked for Renew {
    fn check(&self) -> Result<(), Invalid> {
        self.admitted.check()
    }
}

impl Checked for Extend {
    fn check(&self) -> Result<(), Invalid> {
        ensure(self.number > 0, "extensions are numbered from 1")?;
        ensure(self.amounts.len() <= PARTS_MAX, "too many budgets")?;
        ensure(self.lease_micros <= MICROS_MAX, "a lease without end")?;
        ensure(self.amounts.iter().all(|amount| *amount >= Nanos::ZERO), "a negative amount")
    }
}

fn check_ends(rates: &[RateFix], keys: &[KeyEnd]) -> Result<(), Invalid> {
    ensure(rates.len() <= RATES_MAX && keys.len() <= SLOTS_MAX, "too many rates or keys")?;
    ensure(distinct(rates.iter().map(|r| &r.name)), "a rate stands twice")?;
    ensure(distinct(keys.iter().map(|k| &k.key)), "a key stands twice")?;
    ensure(rates.iter().all(|r| r.correction.window_micros <= MICROS_MAX), "a window without end")?;
    let bounded = |end: &KeyEnd| match &end.ending {
        KeyEnding::Free => true,
        KeyEnding::Unknown { keep_micros } => *keep_micros <= MICROS_MAX,
        KeyEnding::Reply { reply, keep_micros } => {
            *keep_micros <= MICROS_MAX && reply.as_ref().is_none_or(|reply| reply.len() <= REPLY_BYTES_MAX)
        }
    };
    ensure(keys.iter().all(bounded), "a reply that is too large, or kept without end")
}

impl Checked for Settle {
    fn check(&self) -> Result<(), Invalid> {
        ensure(self.accounts.len() <= PARTS_MAX, "too many budgets")?;
        ensure(distinct(self.accounts.iter()), "an account stands twice")?;
        ensure(self.charge >= Nanos::ZERO, "a negative charge")?;
        ensure(self.waste.len() <= WASTE_MAX, "too many failed attempts")?;
        check_ends(&self.rates, &self.keys)
    }
}

impl Checked for Void {
    fn check(&self) -> Result<(), Invalid> {
        ensure(self.waste.len() <= WASTE_MAX, "too many failed attempts")?;
        check_ends(&self.rates, &self.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Reap;

    #[test]
    fn an_operation_that_names_something_twice_is_refused() {
        let part = Part {
            account: AccountName { base: StoreName::of(&["b"]), window: StoreName::of(&["w"]) },
            limit: None,
            enforce: Enforce::Hard,
            amount: Nanos::new(1),
        };
        let admit = |parts| Admit {
            id: LedgerId::from_u128(1),
            fingerprint: [0; 32],
            lease_micros: 1,
            keys: vec![],
            slots: vec![],
            rates: vec![],
            parts,
            note: Note::default(),
        };
        assert_eq!(admit(vec![part.clone()]).check(), Ok(()));
        assert_eq!(admit(vec![part.clone(), part.clone()]).check(), Err(Invalid("an account stands twice")));
        let negative = Part { amount: Nanos::new(-1), ..part };
        assert_eq!(admit(vec![negative]).check(), Err(Invalid("a negative amount")));
    }

    #[test]
    fn times_stay_where_doubles_are_exact() {
        let year_2100 = 4_102_444_800_000_000;
        assert!(year_2100 + 3 * MICROS_MAX < 1 << 53);
        let reap = |grace_micros| Reap { grace_micros, count_max: 1 }.check();
        assert_eq!((reap(MICROS_MAX), reap(MICROS_MAX + 1)), (Ok(()), Err(Invalid("a grace without end"))));
    }

    #[test]
    fn a_note_is_one_line_of_json() {
        assert!(Note::new(r#"{"route":"chat"}"#).is_some());
        for bad in ["", "[]", "{\n}", &format!("{{{}}}", " ".repeat(NOTE_BYTES_MAX))] {
            assert!(Note::new(bad).is_none(), "{bad}");
        }
    }
}
