//! What a store answers. A refusal is an answer and not an error.

use super::operation::VoidReason;
use super::{AccountName, LedgerId, Nanos, RateRefusal};
use serde::{Deserialize, Serialize};

/// Answer to an [`super::Admit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Let in.
    Admitted(Admitted),
    /// It was settled or voided before.
    Finished(Finish),
    /// Another request has this id.
    Conflict,
    /// A key says what to do instead.
    Keyed {
        /// Which of the keys.
        index: usize,
        /// What it says.
        answer: KeyAnswer,
    },
    /// A limit refuses.
    Refused(Refusal),
    /// The amounts are larger than an account can hold.
    Overflow,
}

/// Let in: what a caller may be told about its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// True if it was let in before, by the same operation.
    pub again: bool,
    /// The store's time, in microseconds since the epoch: what `arrivals` are compared with.
    pub at: u64,
    /// Grows with every request of the tenant that holds a key; 0 without keys.
    pub fence: u64,
    /// What can still be spent in each budget; `None`: no limit.
    pub available: Vec<Option<Nanos>>,
    /// When each rate limit is at rest again, in microseconds since the epoch.
    pub arrivals: Vec<u64>,
}

/// Which limit refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// As many run as may.
    Slot {
        /// Which of the slots.
        index: usize,
    },
    /// Too much in too short a time.
    Rate {
        /// Which of the rates.
        index: usize,
        /// When it would pass.
        refusal: RateRefusal,
    },
    /// Not enough money.
    Budget {
        /// Which of the parts.
        index: usize,
        /// What can still be spent.
        available: Nanos,
    },
}

/// What a key that was used before says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAnswer {
    /// Another request holds it.
    InProgress {
        /// That request.
        holder: LedgerId,
        /// How long its lease lasts.
        left_micros: u64,
    },
    /// A request was answered with this; `None`: the reply could not be kept.
    Replied {
        /// That request.
        holder: LedgerId,
        /// Its sealed reply.
        reply: Option<Vec<u8>>,
    },
    /// The key belongs to a different request.
    Mismatch,
    /// A request was sent, and nobody knows what became of it.
    Unknown {
        /// That request.
        holder: LedgerId,
    },
}

/// How a request ended in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finish {
    /// Charged.
    Settled {
        /// In each account.
        charge: Nanos,
    },
    /// Not charged.
    Voided(VoidReason),
}

/// Answer to an [`super::Extend`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// Held, now or by the same operation before.
    Extended,
    /// Not enough money.
    Refused {
        /// Which part of the hold.
        index: usize,
        /// What can still be spent.
        available: Nanos,
    },
    /// There is no such hold.
    Missing,
    /// It was settled or voided before.
    Finished(Finish),
    /// The amounts are not those of the hold, or larger than an account can hold.
    Overflow,
}

/// Answer to a [`super::Renew`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The hold lives on.
    Renewed,
    /// The store had forgotten it and has it again.
    Recreated,
    /// It was settled or voided before.
    Finished(Finish),
}

/// Answer to a [`super::Settle`] or [`super::Void`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Done.
    Done {
        /// How it ended.
        finish: Finish,
        /// Whether there was a hold.
        timing: Timing,
    },
    /// It was done before.
    Duplicate(Finish),
    /// The store has not got what was sent before: send everything after this number again.
    Gap {
        /// The last number it has.
        have: u64,
    },
}

/// Whether a settlement found its hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// It did.
    InTime,
    /// The hold was suspect, void or forgotten.
    Late,
}

/// Answer to a [`super::Dispatch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clearance {
    /// Send it.
    Go,
    /// Another request has the key by now.
    Lost,
}

/// Answer to a [`super::Reap`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Became suspect.
    pub suspect: Vec<LedgerId>,
    /// Were suspect for too long and are void now.
    pub voided: Vec<LedgerId>,
}

/// Answer to a [`super::SetLimit`] or [`super::Credit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Changed.
    Done,
    /// It was done before, or something newer holds.
    Superseded,
    /// The amounts are larger than an account can hold.
    Overflow,
}

/// Answer to a [`super::DropPast`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// How many accounts are gone.
    pub count: u32,
    /// Go on behind this one; `None`: there are no more.
    pub next: Option<AccountName>,
}

/// Answer to the request to remove lines that were archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trim {
    /// They are gone.
    Done,
    /// They were gone before.
    Superseded,
    /// The line that is named is not there, or is another one: nothing was removed.
    OtherLine,
}

/// The numbers of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// What may be spent, as of the last request; `None`: without end.
    pub limit: Option<Nanos>,
    /// Added to the limit in this window.
    pub topped: Nanos,
    /// Held for requests that run.
    pub held: Nanos,
    /// Charged.
    pub spent: Nanos,
}

impl Account {
    /// What can still be spent; negative if more was spent than allowed. `None`: no limit.
    pub fn available(&self) -> Option<Nanos> {
        let sum = |limit: Nanos| {
            i128::from(limit.get()) + i128::from(self.topped.get())
                - i128::from(self.held.get())
                - i128::from(self.spent.get())
        };
        self.limit.map(|limit| Nanos::clamp(sum(limit)))
    }
}
