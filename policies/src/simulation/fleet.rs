//! Gateways that share the server: each runs its requests, sends its endings and looks after its holds, a step at a time in
//! an order that follows from the seed; and each may die between two steps or in the middle of writing to a journal.

use super::link::{Link, pause};
use super::server::{Run, Server, Stage};
use super::{Defect, SMALL, id};
use crate::Timestamp;
use crate::admission::{
    Caller, ClientKey, HOLD_LEASE, Keeper, Needs, Plan, Prepared, SUSPECT_GRACE, SentLog, Spool, SpoolError, Used,
};
use crate::crash::{Killed, POINTS_LEFT};
use crate::ledger::{
    Admission, Certainty, Clearance, Dispatch, KeyEnding, LedgerId, Nanos, Note, OnUnknown, StoreName, Void, VoidReason,
};
use crate::store::{Ending, Store};
use parking_lot::{Mutex, MutexGuard};
use raptorgate_config::model::Config;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

const TENANTS: [&str; 2] = ["acme", "other"];
const USERS: [&str; 2] = ["asha", "ravi"];
/// What happens in one seed before it comes to rest.
const STEPS: u32 = 300;

/// What a process has in memory.
struct Live {
    keeper: Keeper,
    spool: Arc<Spool>,
    store: Arc<dyn Store>,
}

/// One after another: a process has one sender and one watch over its holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    Sender,
    Watch,
}

struct Task {
    gateway: usize,
    kind: Kind,
    steps: Pin<Box<dyn Future<Output = ()>>>,
}

/// Which faults a seed has: those that never come hide nothing from the laws of the others.
#[derive(Clone, Copy)]
struct Weather {
    set_backs: bool,
    kills: bool,
    outages: bool,
    long_waits: bool,
}

/// All gateways.
pub struct Fleet {
    seed: u64,
    server: Arc<Mutex<Server>>,
    weather: Weather,
    plan: Plan,
    folders: Vec<PathBuf>,
    live: Vec<Option<Arc<Live>>>,
    tasks: Vec<Task>,
    made: u64,
    /// For the keeper, whose holds are due at each look.
    clock: Instant,
}

/// What becomes of a request at the upstream.
#[derive(Clone, Copy)]
struct Fate {
    floor: i64,
    cost: Option<i64>,
    works_for: u8,
}

impl Fleet {
    pub fn new(seed: u64, config: &Config, folder: &Path, defect: Option<Defect>) -> Self {
        let mut server = Server::new(seed, defect);
        let (gateways, rng) = (server.rng.usize(1..=3), &mut server.rng);
        let weather =
            Weather { set_backs: rng.bool(), kills: rng.u8(..4) > 0, outages: rng.bool(), long_waits: rng.bool() };
        let mut fleet = Self {
            seed,
            server: Arc::new(Mutex::new(server)),
            weather,
            plan: Plan::new(&config.routes[0], config).unwrap(),
            folders: (0..gateways).map(|n| folder.join(n.to_string())).collect(),
            live: (0..gateways).map(|_| None).collect(),
            tasks: Vec::new(),
            made: 0,
            clock: Instant::now(),
        };
        (0..gateways).for_each(|gateway| fleet.start(gateway, None));
        fleet
    }

    pub fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock()
    }

    fn below(&self, bound: usize) -> usize {
        self.server.lock().rng.usize(..bound)
    }

    /// Starts a gateway on what the one before it left in its folder.
    fn start(&mut self, gateway: usize, dies_in: Option<u32>) {
        let folder = self.folders[gateway].clone();
        let store: Arc<dyn Store> = Arc::new(Link(self.server.clone()));
        let open = || {
            let spool = Arc::new(open_spool(&folder, &store));
            let (sent, left) = SentLog::open_with(&folder.join("sent"), SMALL).unwrap();
            let keeper = Keeper::with_spool(store.clone(), spool.clone(), Duration::ZERO).answering_for(sent, left);
            Live { keeper: now(keeper), spool, store: store.clone() }
        };
        let opened = mortal(dies_in, open);
        self.live[gateway] = opened.map(Arc::new);
        if self.live[gateway].is_none() {
            self.server.lock().tally.kills_in_a_journal += 1;
        }
    }

    /// What it had in memory is gone; what it wrote stays.
    fn kill(&mut self, gateway: usize) {
        self.tasks.retain(|task| task.gateway != gateway);
        self.live[gateway] = None;
    }

    fn spawn(&mut self, gateway: usize, kind: Kind, steps: impl Future<Output = ()> + 'static) {
        self.tasks.push(Task { gateway, kind, steps: Box::pin(steps) });
    }

    /// One step of one task; it may be the last of its gateway.
    fn step(&mut self, at: usize, dies_in: Option<u32>) {
        let task = &mut self.tasks[at];
        let gateway = task.gateway;
        let mut context = Context::from_waker(Waker::noop());
        match mortal(dies_in, || task.steps.as_mut().poll(&mut context)) {
            Some(Poll::Pending) => {}
            Some(Poll::Ready(())) => drop(self.tasks.swap_remove(at)),
            None => {
                self.server.lock().tally.kills_in_a_journal += 1;
                self.kill(gateway);
            }
        }
    }

    /// Everything that happens, fault after fault.
    pub fn run(&mut self) {
        for _ in 0..STEPS {
            let gateway = self.below(self.live.len());
            match self.below(100) {
                0..52 => self.some_step(),
                52..70 => self.request(gateway),
                70..78 => self.send(gateway),
                78..82 => self.watch(gateway),
                82..87 => self.time_passes(),
                87..91 => drop(self.server.lock().late_arrives()),
                91..93 if self.weather.outages => {
                    let mut server = self.server.lock();
                    server.down = !server.down && server.rng.bool();
                    server.tally.outages += u64::from(server.down);
                }
                93 if self.weather.set_backs => self.server.lock().set_back(),
                94..96 if self.weather.kills && self.live[gateway].is_some() => {
                    self.server.lock().tally.kills_between_steps += 1;
                    self.kill(gateway);
                }
                _ if self.live[gateway].is_none() => {
                    let dies_in = self.death();
                    self.start(gateway, dies_in);
                }
                _ => self.some_step(),
            }
        }
    }

    /// After how many places of its journals a gateway dies, if it does.
    fn death(&self) -> Option<u32> {
        let rng = &mut self.server.lock().rng;
        (self.weather.kills && rng.u8(..32) == 0).then(|| rng.u32(1..=7))
    }

    fn some_step(&mut self) {
        if !self.tasks.is_empty() {
            let (at, dies_in) = (self.below(self.tasks.len()), self.death());
            self.step(at, dies_in);
        }
    }

    fn is_busy(&self, gateway: usize, kind: Kind) -> bool {
        self.tasks.iter().any(|task| task.gateway == gateway && task.kind == kind)
    }

    fn send(&mut self, gateway: usize) {
        if let Some(live) = self.live[gateway].clone()
            && !self.is_busy(gateway, Kind::Sender)
        {
            self.spawn(gateway, Kind::Sender, async move { drop(live.spool.send_all().await) });
        }
    }

    fn watch(&mut self, gateway: usize) {
        self.clock += Duration::from_secs(3600);
        let clock = self.clock;
        if let Some(live) = self.live[gateway].clone()
            && !self.is_busy(gateway, Kind::Watch)
        {
            self.spawn(gateway, Kind::Watch, async move { live.keeper.tick(clock).await });
        }
    }

    fn time_passes(&mut self) {
        let mut server = self.server.lock();
        let seconds = match server.rng.u8(..8) {
            0 if self.weather.long_waits => SUSPECT_GRACE.as_secs() + 1,
            1 | 2 if self.weather.long_waits => HOLD_LEASE.as_secs() + 1,
            _ => server.rng.u64(1..30),
        };
        server.now += seconds * 1_000_000;
    }

    /// A client's request comes to a gateway.
    fn request(&mut self, gateway: usize) {
        let Some(live) = self.live[gateway].clone() else { return };
        self.made += 1;
        let server = self.server.clone();
        let (prepared, fate) = {
            let mut server = self.server.lock();
            let now = Timestamp::from_micros(server.now);
            let rng = &mut server.rng;
            let most = rng.i64(20..120);
            let cost = (rng.u8(..6) > 0).then(|| rng.i64(1..=most));
            let fate = Fate { floor: rng.i64(1..=most), cost, works_for: rng.u8(1..6) };
            let caller = Caller {
                tenant: TENANTS[rng.usize(..TENANTS.len())],
                user: USERS[rng.usize(..USERS.len())],
                key: "k",
                end_user: None,
                execution: "run",
            };
            let needs = Needs { cost_max: Nanos::new(most), ..Needs::default() };
            let key = (rng.u8(..3) == 0).then(|| ClientKey {
                text: rng.u8(..4).to_string().into(),
                fingerprint: [7; 32],
                on_unknown: OnUnknown::Refuse,
            });
            let mut prepared = self.plan.prepare(id(self.seed, self.made), caller, needs, now, Note::default());
            self.plan.claim(caller, key.as_ref(), None, &mut prepared);
            (Arc::new(prepared), fate)
        };
        self.spawn(gateway, Kind::Request, serve(live, server, prepared, fate));
    }

    /// Everything works again and all that waits is done; then time passes until nobody can be waiting any more.
    pub fn come_to_rest(&mut self) -> Result<(), String> {
        while self.server.lock().late_arrives() {}
        {
            let mut server = self.server.lock();
            (server.healthy, server.down) = (true, false);
        }
        for gateway in 0..self.live.len() {
            if self.live[gateway].is_none() {
                self.start(gateway, None);
            }
        }
        for _ in 0..100_000 {
            if self.tasks.is_empty() {
                break;
            }
            self.step(self.tasks.len() - 1, None);
        }
        for gateway in 0..self.live.len() {
            let live = self.live[gateway].clone().ok_or("it starts without a fault")?;
            // a store that was set back says so to whoever tells it something
            for tenant in TENANTS {
                self.made += 1;
                now(live.keeper.finish(&StoreName::of(&[tenant]), nothing(id(self.seed, self.made))));
            }
            now(live.keeper.flush());
            if live.keeper.figures().untold + live.keeper.figures().open > 0 {
                return Err(format!("gateway {gateway} has not come to rest: {:?}", live.keeper.figures()));
            }
        }
        for wait in [HOLD_LEASE, SUSPECT_GRACE] {
            self.server.lock().now += wait.as_micros() as u64 + 1;
            self.clock += Duration::from_secs(3600);
            let live = self.live[0].clone().ok_or("it runs")?;
            now(live.keeper.tick(self.clock));
        }
        Ok(())
    }
}

/// The one before it is gone, but whoever lists the open files of this process may hold its lock for a moment longer.
fn open_spool(folder: &Path, store: &Arc<dyn Store>) -> Spool {
    for _ in 0..10_000 {
        match Spool::open_with(folder, store.clone(), SMALL) {
            Err(SpoolError::InUse(_)) => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
    unreachable!("two of the same gateway run")
}

/// The life of a request that is let in.
async fn serve(live: Arc<Live>, server: Arc<Mutex<Server>>, prepared: Arc<Prepared>, fate: Fate) {
    let (id, tenant) = (prepared.admit.id, prepared.tenant.clone());
    let Ok(Admission::Admitted(_)) = live.keeper.admit(&prepared).await else { return };
    if prepared.is_keyed() {
        let keys = prepared.admit.keys.iter().map(|key| key.key).collect();
        let clear = live.store.dispatch(&tenant, &Dispatch { id, keys }).await;
        if !matches!(clear, Ok(Clearance::Go)) {
            live.keeper.finish(&tenant, Ending::Void(prepared.void(VoidReason::NotSent, Note::default()))).await;
            return;
        }
    }
    let key = prepared.idempotency_key().copied();
    let stage = |stage: Stage| {
        let run = Run { stage, floor: fate.floor, cost: fate.cost, key };
        server.lock().upstream.insert(id, (tenant.clone(), run));
    };
    stage(Stage::Sending);
    live.keeper.sent(&prepared, Nanos::new(fate.floor));
    stage(Stage::Sent);
    pause(fate.works_for).await;
    let mut ending = match fate.cost {
        Some(cost) => {
            let used = Used { cost: Nanos::new(cost), tokens: 0 };
            Ending::Settle(prepared.settle(used, Certainty::Exact, Note::default()))
        }
        None => Ending::Void(prepared.void(VoidReason::NotServed, Note::default())),
    };
    if let Ending::Settle(settle) = &mut ending {
        settle.keys = prepared.key_ends(&KeyEnding::Reply { reply: None, keep_micros: prepared.keep_micros() });
    }
    stage(Stage::Ending);
    live.keeper.finish(&tenant, ending).await;
    stage(Stage::Ended);
}

/// An ending that changes nothing.
fn nothing(id: LedgerId) -> Ending {
    let (rates, keys) = (Vec::new(), Vec::new());
    Ending::Void(Void {
        id,
        reason: VoidReason::NotSent,
        rates,
        keys,
        waste: vec![],
        mark: None,
        note: Note::default(),
    })
}

/// Runs something that may die in the middle of it; `None`: it did.
fn mortal<T>(dies_in: Option<u32>, run: impl FnOnce() -> T) -> Option<T> {
    POINTS_LEFT.set(dies_in);
    let result = catch_unwind(AssertUnwindSafe(run));
    POINTS_LEFT.set(None);
    match result {
        Ok(value) => Some(value),
        Err(cause) if cause.is::<Killed>() => None,
        Err(other) => resume_unwind(other),
    }
}

/// What needs nobody else.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    unreachable!("it waits for something that does not come")
}
