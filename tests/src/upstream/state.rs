//! What all connections of the upstream share: its log, signals from tests, counters.

use crate::upstream::record::{Received, Served};
use crate::upstream::script::{Parameters, Step, script, whole};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

/// Shared state.
#[derive(Debug)]
pub struct State {
    /// Its address, told in `x-served-by` of each reply.
    pub name: String,
    log: Mutex<File>,
    signals: Mutex<HashMap<String, Arc<Semaphore>>>,
    arrived: Mutex<HashMap<String, u64>>,
    counts: Mutex<HashMap<String, u64>>,
    connections: AtomicU64,
    sick: AtomicBool,
}

impl State {
    /// Logs to this file.
    pub fn new(name: String, log: File) -> Self {
        Self {
            name,
            log: Mutex::new(log),
            signals: Mutex::default(),
            arrived: Mutex::default(),
            counts: Mutex::default(),
            connections: AtomicU64::new(0),
            sick: AtomicBool::new(false),
        }
    }

    /// The number of a new connection, from 1.
    pub fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The signal of this name.
    pub fn signal(&self, name: &str) -> Arc<Semaphore> {
        let mut signals = self.signals.lock().expect("signals");
        Arc::clone(signals.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))))
    }

    /// Notes bytes of a body as they arrive.
    pub fn note_arrived(&self, id: &str, bytes: usize) {
        *self.arrived.lock().expect("arrived").entry(id.to_owned()).or_default() += bytes as u64;
    }

    /// Notes that a script waits for this name.
    pub fn note_waiting(&self, name: &str) {
        self.note_arrived(&format!("waiting-{name}"), 1);
    }

    /// What is done with a request.
    pub fn script(&self, parameters: &Parameters, received: &Received) -> Vec<Step> {
        if received.path_without_query() == "/healthz" && self.sick.load(Ordering::Relaxed) {
            return whole(503, "text/plain", "sick");
        }
        let earlier = if parameters.has("id") { self.count(parameters.text("id")) } else { 0 };
        script(parameters, received, earlier)
    }

    /// Counts a request of this id; how many there were before.
    fn count(&self, id: &str) -> u64 {
        let mut counts = self.counts.lock().expect("counts");
        let count = counts.entry(id.to_owned()).or_default();
        *count += 1;
        *count - 1
    }

    /// Writes down a request.
    pub fn record(&self, received: &Received, served: &Served) {
        let line = format!("{}\n", received.line(served));
        self.log.lock().expect("log").write_all(line.as_bytes()).expect("write to the log");
    }

    /// Writes down a request together with the last thing that its peer sees of the reply: whoever has seen that finds the
    /// record. If it cannot be sent, nothing is written down.
    pub fn record_with<T, E>(
        &self,
        received: &Received,
        served: &Served,
        send: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let line = format!("{}\n", received.line(served));
        let mut log = self.log.lock().expect("log");
        let before = log.metadata().expect("the log").len();
        log.write_all(line.as_bytes()).expect("write to the log");
        send().inspect_err(|_| log.set_len(before).expect("take it back"))
    }

    /// Answers a request of the test itself: `/__control/release/NAME`, `/__control/arrived/ID`, `/__control/health/sick`.
    pub fn control(&self, target: &str) -> Option<String> {
        let command = target.strip_prefix("/__control/")?;
        match command.split_once('/')? {
            ("release", name) => {
                self.signal(name).add_permits(1);
                Some("released".into())
            }
            ("health", state) => {
                self.sick.store(state == "sick", Ordering::Relaxed);
                Some(state.to_owned())
            }
            ("arrived", id) => Some(self.arrived.lock().expect("arrived").get(id).copied().unwrap_or(0).to_string()),
            _ => None,
        }
    }
}
