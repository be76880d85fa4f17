//! The server that keeps the money: the ledger's state machine behind a network that cannot be trusted, on a disk that may
//! be set back to any earlier moment. And what the upstream wrote down, which is no part of it.

use super::Defect;
use crate::admission::{HOLD_LEASE, SUSPECT_GRACE};
use crate::ledger::*;
use crate::store::{Ending, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a store is asked.
#[derive(Clone, Debug)]
pub enum Op {
    Admit(Admit),
    Dispatch(Dispatch),
    Renew(Renew),
    Finish(Ending),
    Reap(Reap),
}

/// What it answers.
#[derive(Debug)]
pub enum Answer {
    Admission(Admission),
    Clearance(Clearance),
    Renewal(Renewal),
    Settlement(Settlement),
    Reaped(Reaped),
}

/// How far a request came, as its upstream and its client know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Its gateway writes down that it is sent.
    Sending,
    /// The upstream has it.
    Sent,
    /// Its gateway writes down how it ended.
    Ending,
    /// It is written down.
    Ended,
}

/// What the upstream wrote down of a request.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub stage: Stage,
    /// What its prompt costs.
    pub floor: i64,
    /// What all of it costs; `None`: it was not served.
    pub cost: Option<i64>,
    pub key: Option<KeyHash>,
}

macro_rules! tally {
    ($($field:ident),*) => {
        /// How often what happened.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Tally { $(pub $field: u64),* }

        impl Tally {
            /// Adds another's.
            pub fn add(&mut self, other: &Self) {
                $(self.$field += other.$field;)*
            }

            /// What never happened.
            pub fn never(&self) -> Vec<&'static str> {
                [$((stringify!($field), self.$field)),*].into_iter().filter(|(_, n)| *n == 0).map(|(name, _)| name).collect()
            }
        }
    };
}
tally!(
    served,
    not_served,
    refused,
    keyed,
    taken_over,
    estimated,
    settled_late,
    duplicates,
    gaps,
    recreated,
    suspect,
    unresolved,
    lost_requests,
    lost_replies,
    delayed,
    doubled,
    outages,
    set_back,
    kills_between_steps,
    kills_in_a_journal,
    overspent
);

/// The server, the network before it, the clock, and the upstream's book.
pub struct Server {
    pub rng: fastrand::Rng,
    pub now: u64,
    /// No message gets lost, comes late or twice: in some seeds from the beginning, in all of them in the end.
    pub healthy: bool,
    pub down: bool,
    pub tenants: BTreeMap<StoreName, TenantState>,
    pub upstream: BTreeMap<LedgerId, (StoreName, Run)>,
    /// What an account may be overspent by: the server forgot it, or gave it up before it was charged.
    pub allowed: BTreeMap<(StoreName, AccountName), i128>,
    pub tally: Tally,
    defect: Option<Defect>,
    /// Prints what is done.
    traced: bool,
    /// All that was done, so that it can be set back to any moment.
    done: Vec<(u64, StoreName, Op)>,
    /// On its way, however long ago its sender gave up.
    late: Vec<(StoreName, Op)>,
    /// When each hold was made or renewed last.
    seen: BTreeMap<LedgerId, u64>,
    /// The first thing that was wrong before the end.
    pub wrong: Option<String>,
    /// Requests whose holds were given up before they were charged.
    given_up: BTreeSet<LedgerId>,
    /// Of each request that was charged.
    accounts: BTreeMap<LedgerId, Vec<AccountName>>,
}

impl Server {
    pub fn new(seed: u64, defect: Option<Defect>) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self {
            healthy: rng.u8(..4) == 0,
            rng,
            now: 1_764_057_600_000_000,
            down: false,
            tenants: BTreeMap::new(),
            upstream: BTreeMap::new(),
            allowed: BTreeMap::new(),
            tally: Tally::default(),
            defect,
            traced: std::env::var_os("TRACE").is_some(),
            done: Vec::new(),
            late: Vec::new(),
            seen: BTreeMap::new(),
            wrong: None,
            given_up: BTreeSet::new(),
            accounts: BTreeMap::new(),
        }
    }

    /// Does it, and remembers that.
    fn execute(&mut self, tenant: &StoreName, op: Op) -> Answer {
        if let Op::Finish(Ending::Settle(settle)) = &op {
            self.count_late(tenant, settle);
            self.accounts.insert(settle.id, settle.accounts.clone());
        }
        let state = self.tenants.entry(tenant.clone()).or_default();
        let answer = apply(state, &op, self.now, self.defect);
        if self.traced {
            println!("{} {tenant} {op:?}\n    {answer:?}", self.now);
        }
        let seen = match &op {
            Op::Admit(admit) => Some(admit.id),
            Op::Renew(renew) => Some(renew.admitted.id),
            Op::Dispatch(_) | Op::Finish(_) | Op::Reap(_) => None,
        };
        self.done.push((self.now, tenant.clone(), op));
        self.watch_leases(&answer, seen);
        self.count(&answer);
        answer
    }

    /// A charge of what was given up, even if that was forgotten since: others may have been promised that money.
    fn count_late(&mut self, tenant: &StoreName, settle: &Settle) {
        if self.given_up.remove(&settle.id) {
            for account in &settle.accounts {
                *self.allowed.entry((tenant.clone(), account.clone())).or_default() += i128::from(settle.charge.get());
            }
        }
    }

    /// A hold is given up when its lease and the grace are over, and not before, unless the server forgot a renewal.
    fn watch_leases(&mut self, answer: &Answer, id: Option<LedgerId>) {
        let (now, seen) = (self.now, &mut self.seen);
        match (answer, id) {
            (Answer::Admission(Admission::Admitted(Admitted { again: false, .. })), Some(id))
            | (Answer::Renewal(Renewal::Renewed | Renewal::Recreated), Some(id)) => drop(seen.insert(id, now)),
            (Answer::Reaped(reaped), _) if self.tally.set_back == 0 => {
                let least = micros(HOLD_LEASE) + micros(SUSPECT_GRACE);
                let early = |id: &&LedgerId| seen.get(*id).is_none_or(|seen| now - seen < least);
                if let Some(id) = reaped.voided.iter().find(early) {
                    self.wrong.get_or_insert(format!("{id} is given up too early"));
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, answer: &Answer) {
        let tally = &mut self.tally;
        match answer {
            Answer::Admission(Admission::Refused(_)) => tally.refused += 1,
            Answer::Admission(Admission::Keyed { .. }) => tally.keyed += 1,
            Answer::Settlement(Settlement::Duplicate(_)) => tally.duplicates += 1,
            Answer::Settlement(Settlement::Gap { .. }) => tally.gaps += 1,
            Answer::Settlement(Settlement::Done { finish: Finish::Settled { .. }, timing: Timing::Late }) => {
                tally.settled_late += 1;
            }
            Answer::Renewal(Renewal::Recreated) => tally.recreated += 1,
            Answer::Reaped(reaped) => {
                tally.suspect += reaped.suspect.len() as u64;
                tally.unresolved += reaped.voided.len() as u64;
                self.given_up.extend(&reaped.voided);
            }
            Answer::Admission(_) | Answer::Clearance(_) | Answer::Renewal(_) | Answer::Settlement(_) => {}
        }
    }

    /// What becomes of an operation on its way there and back.
    pub fn deliver(&mut self, tenant: &StoreName, op: Op) -> Result<Answer, StoreError> {
        if self.healthy {
            return Ok(self.execute(tenant, op));
        }
        if self.down {
            return Err(StoreError::Unreachable);
        }
        match self.rng.u8(..24) {
            0 => Err(StoreError::Unreachable),
            1 => {
                self.tally.lost_requests += 1;
                Err(StoreError::Timeout)
            }
            2 => {
                self.tally.lost_replies += 1;
                self.execute(tenant, op);
                Err(StoreError::Disconnected)
            }
            3 => {
                self.tally.delayed += 1;
                self.late.push((tenant.clone(), op));
                Err(StoreError::Timeout)
            }
            4 => {
                self.tally.doubled += 1;
                self.execute(tenant, op.clone());
                Ok(self.execute(tenant, op))
            }
            5 => {
                self.tally.doubled += 1;
                self.late.push((tenant.clone(), op.clone()));
                Ok(self.execute(tenant, op))
            }
            _ => Ok(self.execute(tenant, op)),
        }
    }

    /// Something that was on its way for long arrives, or does not any more.
    pub fn late_arrives(&mut self) -> bool {
        if self.late.is_empty() {
            return false;
        }
        let (tenant, op) = self.late.swap_remove(self.rng.usize(..self.late.len()));
        if !self.down && self.rng.u8(..4) > 0 {
            self.execute(&tenant, op);
        }
        true
    }

    /// It is restored as it was at a moment before.
    pub fn set_back(&mut self) {
        self.tally.set_back += 1;
        let forgotten = match self.rng.u8(..3) {
            0 => self.rng.usize(..=self.done.len()),
            _ => self.rng.usize(..=self.done.len().min(12)),
        };
        if self.traced {
            println!("{} the last {forgotten} operations are forgotten", self.now);
        }
        let before = self.promised();
        self.done.truncate(self.done.len() - forgotten);
        self.tenants.clear();
        for (now, tenant, op) in &self.done {
            apply(self.tenants.entry(tenant.clone()).or_default(), op, *now, self.defect);
        }
        let after = self.promised();
        for ((tenant, account, id), amount) in before {
            // request by request: what it remembers of one that has ended is given back, and makes up for nothing
            let (key, known) = ((tenant.clone(), account.clone(), id), i128::from(amount));
            let forgotten = known - after.get(&key).copied().map_or(0, i128::from);
            *self.allowed.entry((tenant, account)).or_default() += forgotten.max(0);
        }
    }

    /// What is held for or was charged to each request in each of its accounts.
    fn promised(&self) -> BTreeMap<(StoreName, AccountName, LedgerId), i64> {
        let mut promised = BTreeMap::new();
        for (tenant, state) in &self.tenants {
            for (id, hold) in state.holds.iter() {
                let parts = hold.parts.iter();
                promised.extend(parts.map(|part| ((tenant.clone(), part.account.clone(), *id), part.amount.get())));
            }
            for (id, finish) in state.finished.iter() {
                let Finish::Settled { charge } = finish else { continue };
                let accounts = self.accounts.get(id).into_iter().flatten();
                promised.extend(accounts.map(|account| ((tenant.clone(), account.clone(), *id), charge.get())));
            }
        }
        promised
    }
}

fn apply(state: &mut TenantState, op: &Op, now: u64, defect: Option<Defect>) -> Answer {
    let is = |of: Defect| defect == Some(of);
    match op {
        Op::Admit(admit) if is(Defect::AsksNoBudget) || is(Defect::SharesKeys) => {
            let mut admit = admit.clone();
            if is(Defect::AsksNoBudget) {
                admit.parts.iter_mut().for_each(|part| part.limit = None);
            } else {
                admit.keys.iter_mut().for_each(|key| key.key = fold(key.key, admit.id));
            }
            Answer::Admission(state.admit(&admit, now))
        }
        Op::Admit(admit) => Answer::Admission(state.admit(admit, now)),
        Op::Dispatch(dispatch) if is(Defect::SharesKeys) => {
            let keys = dispatch.keys.iter().map(|key| fold(*key, dispatch.id)).collect();
            Answer::Clearance(state.dispatch(&Dispatch { keys, ..dispatch.clone() }))
        }
        Op::Dispatch(dispatch) => Answer::Clearance(state.dispatch(dispatch)),
        Op::Renew(renew) => Answer::Renewal(state.renew(renew, now)),
        Op::Reap(_) if is(Defect::ForgetsHolds) => {
            let now = now + (1 << 40);
            state.reap(&Reap { grace_micros: 0, count_max: 1000 }, now);
            Answer::Reaped(state.reap(&Reap { grace_micros: 0, count_max: 1000 }, now))
        }
        Op::Reap(reap) => Answer::Reaped(state.reap(reap, now)),
        Op::Finish(ending) => {
            let mut ending = ending.clone();
            if is(Defect::ChargesTwice) {
                state.finished.remove(&ending_id(&ending));
            }
            if is(Defect::IgnoresGaps) {
                match &mut ending {
                    Ending::Settle(settle) => settle.mark = None,
                    Ending::Void(void) => void.mark = None,
                }
            }
            Answer::Settlement(match &ending {
                Ending::Settle(settle) => state.settle(settle, now),
                Ending::Void(void) => state.void(void, now),
            })
        }
    }
}

fn micros(duration: Duration) -> u64 {
    duration.as_micros() as u64
}

fn fold(mut key: KeyHash, id: LedgerId) -> KeyHash {
    for (byte, with) in key.iter_mut().zip(id.as_u128().to_be_bytes()) {
        *byte ^= with;
    }
    key
}

fn ending_id(ending: &Ending) -> LedgerId {
    match ending {
        Ending::Settle(settle) => settle.id,
        Ending::Void(void) => void.id,
    }
}
