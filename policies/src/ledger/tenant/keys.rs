//! Idempotency keys and execution locks.

use super::{KeyRecord, KeyState, TenantState};
use crate::ledger::{
    Admission, Admit, Clearance, Dispatch, KeyAnswer, KeyEnd, KeyEnding, KeyHash, KeyUse, LedgerId, OnUnknown,
};

/// What a key says to a request that comes with it.
enum Look {
    /// Nobody has it.
    Free,
    /// The request that had it is gone and was never sent: its hold goes back.
    TakeOver(LedgerId),
    /// It says something else.
    Answer(KeyAnswer),
}

impl TenantState {
    /// The requests whose keys are taken over; or the first answer of a key that forbids this one.
    pub(super) fn look_at_keys(&self, admit: &Admit, now: u64) -> Result<Vec<LedgerId>, Admission> {
        let mut taken_over = Vec::new();
        for (index, key) in admit.keys.iter().enumerate() {
            match self.live(&key.key, now).map_or(Look::Free, |record| look(record, key, now)) {
                Look::Free => {}
                Look::TakeOver(id) => taken_over.push(id),
                Look::Answer(answer) => return Err(Admission::Keyed { index, answer }),
            }
        }
        taken_over.sort_unstable();
        taken_over.dedup();
        Ok(taken_over)
    }

    /// What a key says to one that waits for it; `None`: it is free.
    pub fn key(&self, key: &KeyUse, now: u64) -> Option<KeyAnswer> {
        match look(self.live(&key.key, now)?, key, now) {
            Look::Free | Look::TakeOver(_) => None,
            Look::Answer(answer) => Some(answer),
        }
    }

    /// What is known of a key. What is over is as if it had never been: a store may have forgotten it.
    fn live(&self, key: &KeyHash, now: u64) -> Option<&KeyRecord> {
        self.keys.get(key).filter(|record| match &record.state {
            KeyState::Running { lease_until, keep_micros, .. } => lease_until + keep_micros > now,
            KeyState::Replied { until, .. } | KeyState::Unknown { until } => *until > now,
        })
    }

    /// Marks that a request is about to be sent, if its keys are still its own.
    pub fn dispatch(&mut self, dispatch: &Dispatch) -> Clearance {
        let running = |key: &KeyHash| {
            let record = self.keys.get(key).filter(|record| record.holder == dispatch.id)?;
            matches!(record.state, KeyState::Running { .. }).then(|| (*key, record.clone()))
        };
        let Some(records) = dispatch.keys.iter().map(running).collect::<Option<Vec<_>>>() else {
            return Clearance::Lost;
        };
        for (key, mut record) in records {
            if let KeyState::Running { dispatched, .. } = &mut record.state {
                *dispatched = true;
            }
            self.keys.put(key, record);
        }
        Clearance::Go
    }

    pub(super) fn end_keys(&mut self, id: LedgerId, ends: &[KeyEnd], now: u64) {
        for end in ends {
            let Some(record) = self.live(&end.key, now).filter(|record| record.holder == id) else { continue };
            let fingerprint = record.fingerprint;
            let state = match &end.ending {
                KeyEnding::Free => {
                    self.keys.remove(&end.key);
                    continue;
                }
                KeyEnding::Reply { reply, keep_micros } => {
                    KeyState::Replied { reply: reply.clone(), until: now + keep_micros }
                }
                KeyEnding::Unknown { keep_micros } => KeyState::Unknown { until: now + keep_micros },
            };
            self.keys.put(end.key, KeyRecord { fingerprint, holder: id, state });
        }
    }

    /// Ends the leases of requests that run, up to `count_max` of them: whoever ran them is gone, for whoever keeps this state is new
    /// and the only one. How many there were.
    pub fn abandon_keys(&mut self, count_max: usize, now: u64) -> usize {
        let runs =
            |record: &KeyRecord| matches!(record.state, KeyState::Running { lease_until, .. } if lease_until > now);
        let running = self.keys.iter().filter(|(_, record)| runs(record)).take(count_max);
        let running: Vec<_> = running.map(|(key, record)| (*key, record.clone())).collect();
        let count = running.len();
        for (key, mut record) in running {
            if let KeyState::Running { lease_until, .. } = &mut record.state {
                *lease_until = now;
            }
            self.keys.put(key, record);
        }
        count
    }

    pub(super) fn renew_keys(&mut self, admit: &Admit, now: u64) {
        for key in &admit.keys {
            let record = match self.live(&key.key, now) {
                Some(record) if record.holder != admit.id => continue,
                known => known.cloned(),
            };
            let dispatched = match record.map(|record| record.state) {
                Some(KeyState::Running { dispatched, .. }) => dispatched,
                // Forgotten by the store: nobody may take it over.
                None => true,
                Some(KeyState::Replied { .. } | KeyState::Unknown { .. }) => continue,
            };
            let lease_until = now + key.lease_micros;
            let state = KeyState::Running { lease_until, dispatched, keep_micros: key.keep_micros };
            self.keys.put(key.key, KeyRecord { fingerprint: key.fingerprint, holder: admit.id, state });
        }
    }
}

fn look(record: &KeyRecord, key: &KeyUse, now: u64) -> Look {
    let holder = record.holder;
    let unknown = || match key.on_unknown {
        OnUnknown::Refuse => Look::Answer(KeyAnswer::Unknown { holder }),
        OnUnknown::RunAgain => Look::Free,
    };
    if key.fingerprint.is_some() && record.fingerprint.is_some() && key.fingerprint != record.fingerprint {
        return Look::Answer(KeyAnswer::Mismatch);
    }
    match &record.state {
        KeyState::Running { lease_until, .. } if *lease_until > now => {
            Look::Answer(KeyAnswer::InProgress { holder, left_micros: lease_until - now })
        }
        KeyState::Running { dispatched: false, .. } => Look::TakeOver(holder),
        KeyState::Running { dispatched: true, .. } | KeyState::Unknown { .. } => unknown(),
        KeyState::Replied { reply, .. } => Look::Answer(KeyAnswer::Replied { holder, reply: reply.clone() }),
    }
}
