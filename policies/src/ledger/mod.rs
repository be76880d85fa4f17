//! Money that is provably right: what may be spent, is held, and was spent, for every budget of a tenant.
//!
//! Money moves in two phases. A request is let in with a **hold** on every budget it touches; it ends in exactly one
//! **settle** (charged) or **void** (not charged). Each change is a line of the tenant's ledger, chained to the one before.
//!
//! This module is plain values and functions of them; [`crate::store`] keeps them.

mod answer;
mod entry;
mod id;
mod names;
mod nanos;
mod operation;
mod rate;
mod table;
pub mod tenant;
mod upkeep;
mod window;

pub use answer::{
    Account, Admission, Admitted, Change, Clearance, Dropped, Extension, Finish, KeyAnswer, Reaped, Refusal, Renewal,
    Settlement, Timing, Trim,
};
pub use entry::{Broken, Entry, GENESIS, Head, chain};
pub use id::LedgerId;
pub use names::{AccountName, NAME_BYTES_MAX, StoreName};
pub use nanos::Nanos;
pub use operation::{
    Admit, Certainty, Checked, Credit, CreditKind, Dispatch, Enforce, Extend, Fingerprint, Invalid, KeyEnd, KeyEnding,
    KeyHash, KeyUse, LimitChange, MICROS_MAX, Mark, NOTE_BYTES_MAX, Note, OnUnknown, PARTS_MAX, Part, RATES_MAX,
    REPLY_BYTES_MAX, RateFix, RateUse, Renew, SLOTS_MAX, SetLimit, Settle, Slot, Void, VoidReason, WASTE_MAX, Waste,
};
pub use rate::{RateCorrection, RateRefusal, RateStep};
pub use table::Table;
pub use tenant::TenantState;
pub use upkeep::{DROPPED_MAX, DropPast, LOOKED_MAX, Reap};
pub use window::Window;
