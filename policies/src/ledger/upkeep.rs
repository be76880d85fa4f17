//! What a store is asked to do from time to time, so that nothing is held or kept without end.

use super::operation::ensure;
use super::{AccountName, Checked, Invalid, MICROS_MAX};
use serde::{Deserialize, Serialize};

/// Accounts that one look for past ones looks at.
pub const LOOKED_MAX: u32 = 500;
/// Accounts that one such look drops: what is more waits for the next. Their rows and the line fit into one record.
pub const DROPPED_MAX: u32 = 32;

/// Looks for holds that nobody renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reap {
    /// How long a hold stays suspect before it is void.
    pub grace_micros: u64,
    /// How many to look at.
    pub count_max: u32,
}

/// Drops accounts of windows that have been over for a while and hold nothing, a page at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropPast {
    /// Begin behind this account.
    pub after: Option<AccountName>,
    /// How many to look at.
    pub looked_max: u32,
    /// How long a window has to be over.
    pub grace_micros: u64,
}

impl Checked for DropPast {
    fn check(&self) -> Result<(), Invalid> {
        ensure((1..=LOOKED_MAX).contains(&self.looked_max), "too many accounts to look at, or none")?;
        ensure(self.grace_micros <= MICROS_MAX, "a grace without end")
    }
}

impl Checked for Reap {
    fn check(&self) -> Result<(), Invalid> {
        ensure(self.grace_micros <= MICROS_MAX, "a grace without end")
    }
}
