//! Random operations on the state machine and on another store: every answer is the same, and so is what is left at the end.
//!
//! Operations are few in ids, accounts and keys, so that they meet. They come twice, late, out of order or not at all; clocks
//! step back and forth; amounts are near 2^53 and 2^63. `SEED=7 cargo test -p raptorgate-policies --test store agree` plays one again.

use crate::contract::Opened;
use crate::operations::*;
use crate::reference::Reference;
use crate::servers::Program;
use raptorgate_policies::ledger::*;
use raptorgate_policies::store::{Ending, Now, Settlements, Store, StoreError};
use std::collections::BTreeSet;
use std::time::{Duration, Instant, SystemTime};

/// For how long each store is tried.
const TRY_FOR: Duration = Duration::from_secs(12);
/// Operations from one seed, on a tenant of their own.
const OPERATIONS: usize = 400;

#[derive(Clone, Debug)]
enum Op {
    Admit(Admit),
    Dispatch(Dispatch),
    Extend(Extend),
    Renew(Renew),
    Key(KeyUse),
    Finish(Vec<Ending>),
    Reap(Reap),
    SetLimit(SetLimit),
    Credit(Credit),
    DropPast(DropPast),
    /// Through this line, by its own hash or another one.
    Trim(u64, Named),
}

#[derive(Debug, PartialEq)]
enum Answer {
    Admission(Admission),
    Clearance(Clearance),
    Extension(Extension),
    Renewal(Renewal),
    Key(Option<KeyAnswer>),
    Settlements(Vec<Settlement>),
    Reaped(Reaped),
    Change(Change),
    Dropped(Dropped),
    Trim(Trim),
}

/// How a line is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Rightly,
    Wrongly,
}

async fn apply(store: &dyn Store, tenant: &StoreName, op: &Op, now: Now) -> Result<Answer, StoreError> {
    Ok(match op {
        Op::Admit(admit) => Answer::Admission(store.admit(tenant, admit, now).await?),
        Op::Dispatch(dispatch) => Answer::Clearance(store.dispatch(tenant, dispatch).await?),
        Op::Extend(extend) => Answer::Extension(store.extend(tenant, extend, now).await?),
        Op::Renew(renew) => Answer::Renewal(store.renew(tenant, renew, now).await?),
        Op::Key(key) => Answer::Key(store.key(tenant, key, now).await?),
        Op::Finish(endings) => Answer::Settlements(store.finish(tenant, endings, now).await?),
        Op::Reap(reap) => Answer::Reaped(store.reap(tenant, reap, now).await?),
        Op::SetLimit(set) => Answer::Change(store.set_limit(tenant, set, now).await?),
        Op::Credit(credit) => Answer::Change(store.credit(tenant, credit, now).await?),
        Op::DropPast(drop) => Answer::Dropped(store.drop_past(tenant, drop, now).await?),
        Op::Trim(version, named) => {
            let line = store.entries(tenant, version.saturating_sub(1), 1).await?.pop();
            let right = line.filter(|line| line.version == *version && *named == Named::Rightly);
            let hash = right.map_or_else(|| GENESIS.to_owned(), |line| line.hash);
            Answer::Trim(store.trim(tenant, &Head { version: *version, hash }).await?)
        }
    })
}

/// What a store is told the time of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// Each gateway has its own, and they step.
    Stepping,
    /// There is one, which never goes back: what is over may be forgotten.
    Steady,
}

/// Makes operations.
struct Maker {
    rng: fastrand::Rng,
    clock: Clock,
    /// When the requests were minted.
    millis: u64,
    /// Operations so far: the ids move on with them, since a request that ended does little more.
    made: u128,
    sequences: [u64; 2],
    admitted: Vec<Admit>,
}

impl Maker {
    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.rng.usize(..items.len())]
    }

    fn some<T>(&mut self, count_max: usize, mut make: impl FnMut(&mut Self, usize) -> T) -> Vec<T> {
        (0..count_max)
            .filter(|_| self.rng.u8(..4) == 0)
            .collect::<Vec<_>>()
            .into_iter()
            .map(|at| make(self, at))
            .collect()
    }

    fn amount(&mut self) -> Nanos {
        let odd = (1 << 53) + 1;
        let small = self.rng.i64(0..200);
        let around = self.rng.i64(-2..3);
        Nanos::new(match self.rng.u8(..10) {
            0 => odd + around,
            1 => i64::MAX - self.rng.i64(0..3),
            2 => i64::MAX / 2 + around,
            3 => 10_000_000_000 + around,
            _ => small,
        })
    }

    fn signed(&mut self) -> i64 {
        let amount = self.amount().get();
        match self.rng.u8(..12) {
            0 => i64::MIN,
            1..5 => -amount,
            _ => amount,
        }
    }

    fn micros(&mut self) -> u64 {
        let short = self.rng.u64(..LEASE);
        let some = self.rng.u64(..10);
        self.pick(&[0, some, short, LEASE, LEASE, GRACE, MICROS_MAX])
    }

    fn account(&mut self, at: usize) -> AccountName {
        let past = self.pick(&["2025-10", "2025-10-31", "2025-11-01T23+0530", "2025-02-31T00-0500", "2025-12-32"]);
        let window = self.pick(&["2030-11", "2030-11", "2030-11", "2030-12", "total", past]);
        AccountName { base: name(["a", "a.b", "ab", "é"][at]), window: name(window) }
    }

    fn id(&mut self) -> LedgerId {
        let number = self.made / 6 + self.rng.u128(..16);
        // some from the day before and the day after, some that do not tell a day
        let millis = match (number % 16, self.clock) {
            (0 | 1, _) => self.millis + 86_400_000,
            (2 | 3, _) => self.millis - 86_400_000,
            (4, Clock::Stepping) => 0,
            _ => self.millis,
        };
        LedgerId::from_u128((u128::from(millis) << 80) | (0x7 << 76) | (0x8 << 60) | number)
    }

    fn note(&mut self) -> Note {
        Note::new(self.pick(&["{}", r#"{"model":"gpt-4o","é":[1,"\\"]}"#])).unwrap()
    }

    fn admit(&mut self) -> Admit {
        let id = self.id();
        let admit = Admit {
            id,
            fingerprint: [if self.rng.u8(..10) == 0 { 99 } else { id.as_u128() as u8 }; 32],
            lease_micros: self.micros(),
            keys: self.some(2, |m, at| m.key(at as u8)),
            slots: self.some(2, |m, at| Slot { name: name(["s", "t"][at]), count_max: m.rng.u32(..5) }),
            rates: self.some(3, |m, at| RateUse { name: name(["r", "q", "p"][at]), step: m.step() }),
            parts: self.some(4, Self::part),
            note: self.note(),
        };
        self.admitted.push(admit.clone());
        admit
    }

    fn part(&mut self, at: usize) -> Part {
        let limit = self.pick(&[500, 500, 500, 0, (1 << 53) + 3, i64::MAX]);
        Part {
            account: self.account(at),
            limit: if self.rng.u8(..6) == 0 { None } else { Some(Nanos::new(limit)) },
            enforce: if self.rng.u8(..4) == 0 { Enforce::Soft } else { Enforce::Hard },
            amount: self.amount(),
        }
    }

    fn step(&mut self) -> RateStep {
        let (units, window) = (self.rng.u64(..12), self.pick(&[0, SECOND, 60 * SECOND, MICROS_MAX]));
        let huge = self.rng.u8(..20) == 0;
        RateStep::of(if huge { u64::MAX } else { units }, 10, window)
    }

    fn key(&mut self, at: u8) -> KeyUse {
        let (short, usual) = (self.rng.u64(..SECOND), self.micros());
        KeyUse {
            key: [at; 32],
            fingerprint: self.pick(&[None, Some([7; 32]), Some([7; 32]), Some([8; 32])]),
            lease_micros: self.pick(&[short, short, usual]),
            keep_micros: self.pick(&[usual, GRACE, GRACE]),
            on_unknown: self.pick(&[OnUnknown::Refuse, OnUnknown::Refuse, OnUnknown::RunAgain]),
        }
    }

    fn key_end(&mut self, at: usize) -> KeyEnd {
        let usual = self.micros();
        let keep_micros = self.pick(&[usual, GRACE, 4 * GRACE]);
        let reply = self.pick(&[None, Some(&b"\0\r\n\xff"[..]), Some(&b""[..])]).map(<[u8]>::to_vec);
        let ending = match self.rng.u8(..4) {
            0 => KeyEnding::Free,
            1 => KeyEnding::Unknown { keep_micros },
            _ => KeyEnding::Reply { reply, keep_micros },
        };
        KeyEnd { key: [at as u8; 32], ending }
    }

    fn fix(&mut self, at: usize) -> RateFix {
        let (delta, window) = (self.signed(), self.pick(&[0, SECOND, 60 * SECOND, MICROS_MAX]));
        let near = self.rng.i64(-90_000_000..90_000_000);
        let delta_micros = self.pick(&[delta, near, near, i64::MAX, i64::MIN]);
        RateFix { name: name(["r", "q", "p"][at]), correction: RateCorrection { delta_micros, window_micros: window } }
    }

    fn mark(&mut self) -> Option<Mark> {
        let gateway = self.rng.usize(..4);
        let last = *self.sequences.get(gateway)?;
        let next = last + self.rng.u64(1..4);
        self.sequences[gateway] = next;
        // sometimes the one before is not the one that was sent before
        let lost = if self.rng.u8(..8) == 0 { self.rng.u64(..3) } else { 0 };
        Some(Mark { gateway: name(["g", "h"][gateway]), sequence: next, previous: last + lost })
    }

    fn ending(&mut self) -> Ending {
        let (id, rates, keys) = (self.id(), self.some(3, Self::fix), self.some(2, Self::key_end));
        let (mark, note) = (self.mark(), self.note());
        let certainties = [Certainty::Exact, Certainty::Estimated];
        let waste = self.some(2, |m, _| Waste { certainty: m.pick(&certainties), note: m.note() });
        if self.rng.u8(..4) == 0 {
            let reasons = [VoidReason::NotSent, VoidReason::NotServed, VoidReason::TakenOver, VoidReason::Unresolved];
            return Ending::Void(Void { id, reason: self.pick(&reasons), rates, keys, waste, mark, note });
        }
        let accounts = self.some(4, Self::account);
        let certainty = self.pick(&certainties);
        Ending::Settle(Settle { id, charge: self.amount(), accounts, certainty, rates, keys, waste, mark, note })
    }

    fn renew(&mut self) -> Renew {
        let mut admitted = match self.admitted.len() {
            0 => self.admit(),
            count => self.admitted[self.rng.usize(..count)].clone(),
        };
        admitted.parts.iter_mut().for_each(|part| part.amount = self.amount());
        let fence = self.pick(&[0, 3, 1 << 40, (1 << 53) + 1]);
        Renew { admitted, fence, extensions: self.rng.u32(..4) }
    }

    fn op(&mut self) -> Op {
        self.made += 1;
        match self.rng.u8(..41) {
            0..14 => Op::Admit(self.admit()),
            14..16 => Op::Dispatch(Dispatch { id: self.id(), keys: self.some(2, |_, at| [at as u8; 32]) }),
            16..20 => {
                let amounts = self.some(4, |m, _| m.amount());
                Op::Extend(Extend { id: self.id(), number: self.rng.u32(1..5), amounts, lease_micros: self.micros() })
            }
            20..23 => Op::Renew(self.renew()),
            23..25 => {
                let at = self.rng.u8(..2);
                Op::Key(self.key(at))
            }
            25..35 => Op::Finish((0..self.rng.usize(1..4)).map(|_| self.ending()).collect()),
            35..37 => Op::Reap(Reap { grace_micros: self.micros(), count_max: self.rng.u32(..6) }),
            37 => {
                let limit = LimitChange::Amount(Nanos::new(self.signed()));
                let limit = self.pick(&[limit, limit, LimitChange::Unlimited, LimitChange::Configured]);
                let (at, version) = (self.rng.usize(..4), self.rng.u64(..9) + (1 << 60));
                Op::SetLimit(SetLimit { base: self.account(at).base, limit, version, note: self.note() })
            }
            38 => {
                let (at, amount) = (self.rng.usize(..4), Nanos::new(self.signed()));
                let kind = self.pick(&[CreditKind::TopUp, CreditKind::Refund]);
                let whose = name(&self.rng.u8(..30).to_string());
                Op::Credit(Credit { name: whose, account: self.account(at), kind, amount, note: self.note() })
            }
            39 => {
                let after = if self.rng.bool() { None } else { Some(self.account(1)) };
                let (looked_max, grace_micros) =
                    (self.pick(&[0, 1, 2, 3, 500, 501]), self.pick(&[0, GRACE, 30 * 86_400 * SECOND]));
                Op::DropPast(DropPast { after, looked_max, grace_micros })
            }
            _ => {
                let version = self.rng.u64(..u64::try_from(self.made).unwrap() / 2 + 2);
                Op::Trim(version, self.pick(&[Named::Rightly, Named::Rightly, Named::Wrongly]))
            }
        }
    }

    /// How far the clock moves.
    fn step_of_clock(&mut self) -> i64 {
        let usual = self.rng.i64(0..LEASE as i64 / 4);
        match self.clock {
            Clock::Steady => self.pick(&[0, 0, 1, 1000, usual, usual, GRACE as i64 / 4]),
            Clock::Stepping => {
                self.pick(&[0, 0, 1, usual, usual, usual, -usual, -3_600_000_000, GRACE as i64, 86_400_000_000])
            }
        }
    }
}

/// What kind of answer it is: its words, without what stands in them.
fn kind(answer: &Result<Answer, StoreError>) -> String {
    let words = format!("{answer:?}");
    let is_name = |word: &&str| word.starts_with(|c: char| c.is_ascii_uppercase());
    words.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_name).take(4).collect::<Vec<_>>().join(" ")
}

/// Answers and lines that must have been met, or the operations prove little.
const MET: [&str; 35] = [
    "Ok Admission Admitted",
    "Ok Admission Finished Settled",
    "Ok Admission Finished Voided",
    "Ok Admission Conflict",
    "Ok Admission Overflow",
    "Ok Admission Keyed InProgress",
    "Ok Admission Keyed Mismatch",
    "Ok Admission Keyed Unknown",
    "Ok Admission Keyed Replied",
    "Ok Admission Refused Slot",
    "Ok Admission Refused Rate",
    "Ok Admission Refused Budget",
    "Ok Clearance Go",
    "Ok Clearance Lost",
    "Ok Extension Extended",
    "Ok Extension Refused",
    "Ok Extension Missing",
    "Ok Extension Finished",
    "Ok Extension Overflow",
    "Ok Renewal Renewed",
    "Ok Renewal Recreated",
    "Ok Renewal Finished",
    "Ok Settlements Done",
    "Ok Settlements Duplicate",
    "Ok Settlements Gap",
    "Ok Change Superseded",
    "Ok Change Overflow",
    "Ok Trim Done",
    "Ok Trim Superseded",
    "Ok Trim OtherLine",
    "Ok Dropped Dropped Some",
    "Ok Dropped Dropped None",
    "line taken_over",
    "line drop",
    "line waste",
];

/// What is played with.
struct Play<'a> {
    reference: Reference,
    store: &'a dyn Store,
    clock: Clock,
    now: u64,
    met: BTreeSet<String>,
}

/// Plays the operations of a seed on both.
async fn play(seed: u64, with: &mut Play<'_>) {
    let (reference, store, tenant) = (&with.reference, with.store, name(&format!("seed {seed}")));
    let (rng, millis) = (fastrand::Rng::with_seed(seed), with.now / 1000);
    let mut maker = Maker { rng, clock: with.clock, millis, made: 0, sequences: [0, 1 << 53], admitted: Vec::new() };
    let (mut now, mut sent): (u64, Vec<Op>) = (with.now, Vec::new());
    for at in 0..OPERATIONS {
        now = now.saturating_add_signed(maker.step_of_clock()).max(START / 2);
        let op = maker.op();
        sent.push(op.clone());
        // some get lost, some come late, or again
        let arrives = match maker.rng.u8(..10) {
            0 => continue,
            1..4 => sent[maker.rng.usize(..sent.len())].clone(),
            _ => op,
        };
        let due = apply(reference, &tenant, &arrives, Now::At(now)).await;
        let answer = apply(store, &tenant, &arrives, Now::At(now)).await;
        with.met.insert(kind(&due));
        assert_eq!(answer, due, "SEED={seed}, operation {at} at {now}: {arrives:#?}");
    }
    let due = left(reference, &tenant).await;
    for (what, told) in [("taken_over", "taken_over"), ("drop", "\"op\":\"drop\""), ("waste", "\"op\":\"waste\"")] {
        if due.2.iter().any(|line| line.body.contains(told)) {
            with.met.insert(format!("line {what}"));
        }
    }
    assert_eq!(left(store, &tenant).await, due, "SEED={seed}: what is left");
    if with.clock == Clock::Steady {
        with.now = now;
    }
}

/// Accounts, both ends of the ledger, and lines.
async fn left(store: &dyn Store, tenant: &StoreName) -> (Vec<(AccountName, Account)>, [Head; 2], Vec<Entry>) {
    let accounts = store.accounts(tenant, None, usize::MAX).await.unwrap();
    let lines = store.entries(tenant, 0, usize::MAX).await.unwrap();
    (accounts, [store.archived(tenant).await.unwrap(), store.head(tenant).await.unwrap()], lines)
}

async fn play_many(opened: &Opened, clock: Clock) -> Reference {
    let now = match clock {
        Clock::Stepping => START,
        // a store with a clock of its own must not be told of a time before
        Clock::Steady => SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64,
    };
    let (reference, store) = (Reference::default(), opened.store.as_ref());
    let mut with = Play { reference, store, clock, now, met: BTreeSet::new() };
    let given = std::env::var("SEED").ok().map(|seed| seed.parse::<u64>().expect("SEED is a number"));
    let (started, mut seeds) = (Instant::now(), 0);
    loop {
        play(given.unwrap_or_else(|| fastrand::u64(..)), &mut with).await;
        seeds += 1;
        let is_met = |kind: &&str| with.met.iter().any(|met| met.starts_with(kind));
        let missed: Vec<&str> = MET.into_iter().filter(|kind| !is_met(kind)).collect();
        // a slow machine gets longer, until it has met everything
        if given.is_some() || (started.elapsed() > TRY_FOR && missed.is_empty()) {
            break;
        }
        assert!(started.elapsed() < 5 * TRY_FOR, "never met in {seeds} seeds: {missed:?}");
    }
    println!("{seeds} seeds of {OPERATIONS} operations");
    with.reference
}

#[tokio::test]
async fn redis_and_the_state_machine_agree() {
    play_many(&Opened::on(Program::Redis), Clock::Stepping).await;
}

#[tokio::test]
async fn valkey_and_the_state_machine_agree() {
    play_many(&Opened::on(Program::Valkey), Clock::Stepping).await;
}

#[tokio::test]
async fn the_embedded_store_and_the_state_machine_agree_also_after_a_restart() {
    let opened = Opened::embedded();
    let reference = play_many(&opened, Clock::Steady).await;
    let again = opened.opened_again();
    for tenant in reference.tenants().await.unwrap() {
        let due = left(&reference, &tenant).await;
        assert_eq!(left(again.store.as_ref(), &tenant).await, due, "{tenant} after a restart");
    }
}
