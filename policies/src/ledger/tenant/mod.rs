//! A tenant's money, limits and keys as one state machine: every operation is applied whole or not at all, and the time
//! is an argument. The embedded store runs it; the scripts of the Redis store do the same, line by line.
//!
//! # Invariants
//! * `held` of an account is the sum of its holds (`held_is_the_sum_of_the_holds`).
//! * A hard budget is never overspent by what was admitted (`a_thousand_requests_with_room_for_seven_hundred`).
//! * A request is charged once, whatever is sent twice and in whichever order (`settling_twice_charges_once`).
//! * A refusal takes from nothing (`a_refusal_leaves_no_trace`).
//! * A failed attempt is told once, with the end of its request, and charged to nobody (`a_failed_attempt_is_told_once_and_charged_to_nobody`).
//! * The lines of the ledger add up to the accounts (`the_lines_add_up_to_the_accounts`).
//! * No line is removed but by whoever knows its hash, and the chain goes on from it (`what_is_trimmed_is_gone_and_the_chain_goes_on`).
//! * An account is dropped only when its window has been over for the grace and nothing is held in it; its last numbers stand in
//!   the ledger (`accounts_of_past_windows_are_dropped`).

mod accounts;
mod admit;
mod finish;
mod keys;
mod lease;
mod past;
pub mod rows;
#[cfg(test)]
mod tests;
mod trim;

use super::entry::{Draft, EntryKind};
use super::table::Table;
use super::{Account, AccountName, Entry, Fingerprint, Finish, Head, KeyHash, LedgerId, Nanos, Note, StoreName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Days for which it is known how a request ended. Journals are shorter (`state.md`: 72 h).
pub const FINISHED_DAYS: u64 = 40;

/// Everything that is known of one tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TenantState {
    /// Accounts.
    pub accounts: Table<AccountName, Account>,
    /// Limits that an operator set.
    pub overrides: Table<StoreName, Override>,
    /// Requests that run.
    pub holds: Table<LedgerId, Hold>,
    /// Requests that ended.
    pub finished: Table<LedgerId, Finish>,
    /// Credits that were made.
    pub credits: Table<StoreName, Nanos>,
    /// Arrival times of rate limits.
    pub arrivals: Table<StoreName, u64>,
    /// Who runs, until when unless renewed.
    pub slots: Table<(StoreName, LedgerId), u64>,
    /// Keys in use or answered.
    pub keys: Table<KeyHash, KeyRecord>,
    /// The last number of each gateway's journal.
    pub marks: Table<StoreName, u64>,
    /// The last fencing token.
    pub fence: u64,
    /// Where the ledger ends.
    pub head: Head,
    /// The last line that was archived and removed: the lines that are left go on from it.
    pub archived: Head,
    /// Lines since they were taken away last.
    pub entries: Vec<Entry>,
    expiries: BTreeSet<(u64, LedgerId)>,
    saved_fence: u64,
    saved_archived: u64,
}

/// A limit that an operator set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The highest version seen.
    pub version: u64,
    /// What it says.
    pub limit: super::LimitChange,
}

/// Money and places that a request holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What the request is.
    pub fingerprint: Fingerprint,
    /// When it becomes suspect, or void if it is.
    pub expires_at: u64,
    /// Nobody renewed it in time.
    pub suspect: bool,
    /// Its fencing token.
    pub fence: u64,
    /// The last extension.
    pub extensions: u32,
    /// Money.
    pub parts: Vec<HeldPart>,
    /// Places.
    pub slots: Vec<StoreName>,
    /// Rate limits it was charged to.
    pub rates: Vec<StoreName>,
}

/// Money that a request holds in one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPart {
    /// The account.
    pub account: AccountName,
    /// How much.
    pub amount: Nanos,
    /// Whether the account's limit refuses.
    pub enforce: super::Enforce,
}

/// A key that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// What the first request was, if different ones are told apart.
    pub fingerprint: Option<Fingerprint>,
    /// The request that has, or had, the key.
    pub holder: LedgerId,
    /// What is known of it.
    pub state: KeyState,
}

/// What is known of a request with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyState {
    /// It runs.
    Running {
        /// Unless renewed, others may take the key then.
        lease_until: u64,
        /// It was sent to an upstream.
        dispatched: bool,
        /// How long after the lease it is known that nobody knows its end.
        keep_micros: u64,
    },
    /// It was answered.
    Replied {
        /// The sealed reply; `None`: not kept.
        reply: Option<Vec<u8>>,
        /// How long that is known.
        until: u64,
    },
    /// Nobody knows.
    Unknown {
        /// How long that is known.
        until: u64,
    },
}

impl TenantState {
    fn write(&mut self, draft: Draft, kind: EntryKind, now: u64, id: &str, note: &Note) {
        let entry = draft.finish(&self.head, kind, now, id, note);
        self.head = Head { version: entry.version, hash: entry.hash.clone() };
        self.entries.push(entry);
    }

    fn account(&self, name: &AccountName) -> Account {
        self.accounts.get(name).copied().unwrap_or_default()
    }

    fn set_hold(&mut self, id: LedgerId, hold: Hold) {
        if let Some(old) = self.holds.get(&id) {
            self.expiries.remove(&(old.expires_at, id));
        }
        self.expiries.insert((hold.expires_at, id));
        self.holds.put(id, hold);
    }

    fn take_hold(&mut self, id: LedgerId) -> Option<Hold> {
        let hold = self.holds.remove(&id)?;
        self.expiries.remove(&(hold.expires_at, id));
        Some(hold)
    }

    /// How many run in a slot.
    fn running(&self, slot: &StoreName, now: u64) -> usize {
        self.runners(slot).filter(|(_, until)| *until > now).count()
    }

    fn runners(&self, slot: &StoreName) -> impl Iterator<Item = (LedgerId, u64)> {
        let rows = self.slots.from(&(slot.clone(), LedgerId::from_u128(0)));
        rows.take_while(move |((name, _), _)| name == slot).map(|((_, id), until)| (*id, *until))
    }

    fn occupy(&mut self, slot: &StoreName, id: LedgerId, until: u64, now: u64) {
        let gone: Vec<LedgerId> = self.runners(slot).filter(|(_, until)| *until <= now).map(|(id, _)| id).collect();
        gone.into_iter().for_each(|id| self.leave(slot, id));
        self.slots.put((slot.clone(), id), until);
    }

    fn leave(&mut self, slot: &StoreName, id: LedgerId) {
        self.slots.remove(&(slot.clone(), id));
    }
}
