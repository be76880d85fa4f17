//! Requests that asked to be let in, or were sent, and have not ended: what a gateway that died must answer for when it
//! starts again.
//!
//! # Invariants
//! * A request that was not sent before its gateway died costs nothing, and holds nothing after the next start
//!   (`what_a_process_before_left_behind_is_told_until_it_was_taken`).
//! * A request that was sent before its gateway died is charged at the next start for its prompt and for what is known to have
//!   passed of its answer, marked as estimated, unless it had ended (`what_was_sent_before_a_kill_is_charged_for_its_prompt`,
//!   `a_stream_that_a_kill_breaks_is_charged_for_what_passed`).
//! * A request that ended without a charge is not charged at the next start
//!   (`a_request_that_nobody_served_costs_nothing_after_a_kill_either`).
//! * The journal is no longer than what runs, and the last segment (`the_journal_of_what_was_sent_stays_short`).

use super::Prepared;
use crate::journal::{Journal, JournalError, JournalOptions};
use crate::ledger::{AccountName, Certainty, LedgerId, Nanos, Note, Settle, StoreName, Void, VoidReason};
use crate::store::Ending;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The journal is looked over for what can go after so many ends.
const TIDY_EVERY: u64 = 1_024;

/// Ten thousand requests or so.
const SEGMENT_BYTES: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
enum Record {
    /// It may have been let in.
    Asked { tenant: StoreName, id: LedgerId, accounts: Vec<AccountName>, note: Note },
    /// The upstream may have it. `floor` is what its prompt costs: the least that the upstream charges then.
    Sent { id: LedgerId, floor: Nanos },
    /// It has ended, or was not let in.
    Ended { id: LedgerId },
    /// What has passed of its answer makes it cost so much.
    Progress { id: LedgerId, cost: Nanos },
}

/// What is known of a request that has not ended.
struct Left {
    tenant: StoreName,
    accounts: Vec<AccountName>,
    note: Note,
    floor: Option<Nanos>,
}

/// The journal.
pub struct SentLog {
    journal: Journal,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    sequences: BTreeMap<LedgerId, u64>,
    ended: u64,
}

impl SentLog {
    /// Opens the journal of a folder, or makes it; and what a process before this one left behind. Of one that ended in the same
    /// moment as the process the store knows by its id.
    pub fn open(folder: &Path) -> Result<(Self, Vec<(StoreName, Ending)>), JournalError> {
        Self::open_with(folder, JournalOptions { segment_bytes: SEGMENT_BYTES, ..JournalOptions::default() })
    }

    /// The same with a journal that is kept otherwise.
    pub(crate) fn open_with(
        folder: &Path,
        options: JournalOptions,
    ) -> Result<(Self, Vec<(StoreName, Ending)>), JournalError> {
        let mut left: BTreeMap<LedgerId, Left> = BTreeMap::new();
        let first = Journal::first(folder)?;
        let (journal, _) = Journal::open(folder, options, first.saturating_sub(1), |sequence, bytes| {
            let unreadable = |_| JournalError::Failed(format!("record {sequence} is of another version").into());
            match postcard::from_bytes(bytes).map_err(unreadable)? {
                Record::Asked { tenant, id, accounts, note } => {
                    left.insert(id, Left { tenant, accounts, note, floor: None });
                }
                Record::Sent { id, floor } => {
                    if let Some(left) = left.get_mut(&id) {
                        left.floor = Some(floor);
                    }
                }
                Record::Ended { id } => drop(left.remove(&id)),
                Record::Progress { id, cost } => {
                    if let Some(left) = left.get_mut(&id) {
                        left.floor = left.floor.max(Some(cost));
                    }
                }
            }
            Ok(())
        })?;
        Ok((Self { journal, running: Mutex::default() }, left.into_iter().map(|(id, left)| left.ending(id)).collect()))
    }

    /// What was left behind was told: it need not be told again.
    pub fn recovered(&self) -> Result<(), JournalError> {
        self.journal.start_segment()?;
        self.journal.remove_through(self.journal.last())
    }

    /// A request asks to be let in.
    pub fn asked(&self, prepared: &Prepared) -> Result<(), JournalError> {
        let accounts = prepared.admit.parts.iter().map(|part| part.account.clone()).collect();
        let (tenant, id, note) = (prepared.tenant.clone(), prepared.admit.id, prepared.admit.note.clone());
        let mut running = self.running.lock();
        let sequence = self.write(&Record::Asked { tenant, id, accounts, note })?;
        running.sequences.insert(id, sequence);
        Ok(())
    }

    /// A request is about to be sent.
    pub fn sent(&self, id: LedgerId, floor: Nanos) -> Result<(), JournalError> {
        self.write(&Record::Sent { id, floor }).map(drop)
    }

    /// Part of a request's answer has passed.
    pub fn passed(&self, id: LedgerId, cost: Nanos) -> Result<(), JournalError> {
        self.write(&Record::Progress { id, cost }).map(drop)
    }

    fn write(&self, record: &Record) -> Result<u64, JournalError> {
        let bytes = postcard::to_stdvec(record).map_err(|error| JournalError::Failed(error.to_string().into()))?;
        self.journal.append(&bytes)
    }

    /// A request has ended, or was not let in.
    pub fn ended(&self, id: LedgerId) {
        let mut running = self.running.lock();
        if running.sequences.remove(&id).is_none() {
            return;
        }
        if let Err(error) = self.write(&Record::Ended { id }) {
            tracing::error!(%error, "it is not written down that a request has ended");
        }
        running.ended += 1;
        if !running.ended.is_multiple_of(TIDY_EVERY) {
            return;
        }
        let through = running.sequences.values().min().map_or_else(|| self.journal.last(), |oldest| oldest - 1);
        drop(running);
        if let Err(error) = self.journal.remove_through(through) {
            tracing::warn!(%error, "the journal of what was sent could not be shortened");
        }
    }
}

impl Left {
    fn ending(self, id: LedgerId) -> (StoreName, Ending) {
        let (rates, keys, waste, mark) = (Vec::new(), Vec::new(), Vec::new(), None);
        let note = recovered(&self.note);
        let ending = match self.floor {
            None => Ending::Void(Void { id, reason: VoidReason::NotSent, rates, keys, waste, mark, note }),
            Some(charge) => {
                let (accounts, certainty) = (self.accounts, Certainty::Estimated);
                Ending::Settle(Settle { id, charge, accounts, certainty, rates, keys, waste, mark, note })
            }
        };
        (self.tenant, ending)
    }
}

/// What the hold told of the request, and that its gateway ended before it did.
fn recovered(note: &Note) -> Note {
    let members = note.as_str().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let comma = if members.is_empty() { "" } else { "," };
    Note::new(format!("{{\"recovered\":true{comma}{members}}}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{one_budget, prepare_one};
    use super::*;

    #[test]
    fn the_journal_of_what_was_sent_stays_short() {
        let folder = tempfile::tempdir().unwrap();
        let (log, left) = SentLog::open(folder.path()).unwrap();
        assert!(left.is_empty());
        let plan = one_budget();
        let stuck = prepare_one(&plan);
        log.asked(&stuck).unwrap();
        for _ in 0..40_000 {
            let prepared = prepare_one(&plan);
            log.asked(&prepared).unwrap();
            log.sent(prepared.admit.id, Nanos::new(1)).unwrap();
            log.ended(prepared.admit.id);
        }
        assert!(log.journal.bytes() > 2 * SEGMENT_BYTES, "the one that runs keeps what is behind it");
        log.ended(stuck.admit.id);
        for _ in 0..TIDY_EVERY {
            let prepared = prepare_one(&plan);
            log.asked(&prepared).unwrap();
            log.sent(prepared.admit.id, Nanos::new(1)).unwrap();
            log.ended(prepared.admit.id);
        }
        assert!(log.journal.bytes() <= 2 * SEGMENT_BYTES, "{}", log.journal.bytes());
    }

    #[test]
    fn what_a_process_before_left_behind_is_told_until_it_was_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (prepared, unsent) = (prepare_one(&one_budget()), prepare_one(&one_budget()));
        let (log, _) = SentLog::open(folder.path()).unwrap();
        [&prepared, &unsent].into_iter().for_each(|request| log.asked(request).unwrap());
        log.sent(prepared.admit.id, Nanos::new(3)).unwrap();
        [7, 5].into_iter().for_each(|cost| log.passed(prepared.admit.id, Nanos::new(cost)).unwrap());
        let over = prepare_one(&one_budget());
        log.asked(&over).unwrap();
        log.sent(over.admit.id, Nanos::new(7)).unwrap();
        log.ended(over.admit.id);
        drop(log);
        for _ in 0..2 {
            let (_, left) = SentLog::open(folder.path()).unwrap();
            let [(tenant, Ending::Settle(settle)), (_, Ending::Void(void))] = &left[..] else { panic!("{left:?}") };
            assert_eq!((void.id, void.reason), (unsent.admit.id, VoidReason::NotSent));
            assert_eq!((tenant, settle.id, settle.charge), (&prepared.tenant, prepared.admit.id, Nanos::new(7)));
        }
        let (log, _) = SentLog::open(folder.path()).unwrap();
        log.recovered().unwrap();
        drop(log);
        assert!(SentLog::open(folder.path()).unwrap().1.is_empty());
    }
}
