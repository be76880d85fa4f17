//! What is served now, and the one way to change it.
//!
//! # Invariants
//! * A reload is one pointer swap of a configuration that was read, checked and compiled whole; a bad one changes nothing
//!   (`a_thousand_mutated_files_change_nothing_unless_valid`).
//! * Reloads run one at a time, so generations are numbered in the order in which they are served.

use crate::admin::{ControlPanel, Rejection, Status};
use crate::runtime::upstream::UpstreamSet;
use crate::runtime::{Runtime, Shared};
use crate::telemetry::metrics::ReloadResult;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use raptorgate_config::model::Config;
use raptorgate_config::{Loaded, Problems, expired_replacements, needs_restart};
use raptorgate_policies::Timestamp;
use raptorgate_policies::store::Store;
use raptorgate_policies::totals::Totals;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::SystemTime;

/// What is served now.
pub struct Control {
    runtime: ArcSwap<Runtime>,
    shared: Arc<Shared>,
    path: Option<PathBuf>,
    history: Mutex<History>,
    reloading: Mutex<()>,
    ready: AtomicBool,
    draining: AtomicBool,
}

struct History {
    hash: String,
    loaded_at: Timestamp,
    /// Files that the file named when it was last read, valid or not.
    files: Vec<PathBuf>,
    last_rejection: Option<Rejection>,
}

impl Control {
    /// Serves a first configuration; `path` is what later reloads read.
    pub fn new(loaded: Loaded, path: Option<PathBuf>, shared: Arc<Shared>) -> Arc<Self> {
        let files = loaded.files().to_vec();
        let runtime = Runtime::compile(loaded.config, 1, &loaded.hash, &shared);
        shared.upstreams.serve(runtime.upstreams.clone());
        shared.metrics.set_generation(1);
        let history = History { hash: loaded.hash, loaded_at: Timestamp::now(), files, last_rejection: None };
        Arc::new(Self {
            runtime: ArcSwap::from_pointee(runtime),
            shared,
            path,
            history: Mutex::new(history),
            reloading: Mutex::new(()),
            ready: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        })
    }

    /// What a request is served with; taken once and kept to its end.
    pub fn runtime(&self) -> Arc<Runtime> {
        self.runtime.load_full()
    }

    /// What outlives reloads.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Listeners accept.
    pub fn set_ready(&self) {
        self.ready.store(true, Relaxed);
    }

    /// The gateway was told to stop.
    pub fn set_draining(&self) {
        self.draining.store(true, Relaxed);
    }

    /// Files that the configuration names: if one of them changes, it is to be read again.
    pub fn files(&self) -> Vec<PathBuf> {
        self.history.lock().files.clone()
    }

    /// Reads the file again and serves it if it is valid.
    pub fn reload(&self) -> Result<Arc<str>, Problems> {
        // not the history's lock: health checks must not wait for a file
        let _one_at_a_time = self.reloading.lock();
        let running = self.runtime();
        let Some(path) = &self.path else { return Ok(running.generation.clone()) };
        let now = Timestamp::now();
        let loaded = raptorgate_config::load(path)
            .inspect_err(|problems| self.history.lock().files = problems.files().to_vec())
            .inspect(|loaded| self.history.lock().files = loaded.files().to_vec())
            .and_then(|loaded| needs_restart(&running.config, &loaded).map(|()| loaded))
            .and_then(|loaded| {
                expired_replacements(&running.config, &loaded, SystemTime::now()).map(|()| loaded)
            })
            .inspect_err(|problems| {
                let errors = problems.iter().map(raptorgate_config::Problem::to_json).collect();
                self.history.lock().last_rejection = Some(Rejection { at: now, errors });
                self.shared.metrics.reloaded(ReloadResult::Rejected, now);
                tracing::warn!(problems = problems.len(), first = ?problems.iter().next().map(|p| (p.code.as_str(), p.line, &p.message)), "configuration rejected");
            })?;
        if loaded.hash == self.history.lock().hash {
            self.shared.metrics.reloaded(ReloadResult::Unchanged, now);
            return Ok(running.generation.clone());
        }
        let number = running.number.saturating_add(1);
        let next = Arc::new(Runtime::compile(loaded.config, number, &loaded.hash, &self.shared));
        let generation = next.generation.clone();
        let upstreams = next.upstreams.clone();
        self.runtime.store(next);
        self.shared.upstreams.serve(upstreams);
        let mut history = self.history.lock();
        (history.hash, history.loaded_at) = (loaded.hash, now);
        drop(history);
        self.shared.metrics.set_generation(number);
        self.shared.metrics.reloaded(ReloadResult::Accepted, now);
        tracing::info!(%generation, "configuration loaded");
        Ok(generation)
    }
}

impl ControlPanel for Control {
    fn status(&self) -> Status {
        let history = self.history.lock();
        Status {
            generation: self.runtime().generation.to_string(),
            loaded_at: history.loaded_at,
            last_rejection: history.last_rejection.clone(),
            ready: self.ready.load(Relaxed),
            draining: self.draining.load(Relaxed),
            in_flight: self.shared.metrics.in_flight(),
        }
    }

    fn reload(&self) -> Result<String, Problems> {
        Control::reload(self).map(|generation| generation.to_string())
    }

    fn totals(&self) -> Arc<Totals> {
        self.shared.totals.clone()
    }

    fn store(&self) -> Option<Arc<dyn Store>> {
        self.shared.keeper.as_ref().map(|keeper| keeper.store().clone())
    }

    fn config(&self) -> Arc<Config> {
        self.runtime().config.clone()
    }

    fn upstreams(&self) -> Vec<Arc<UpstreamSet>> {
        self.runtime().upstreams.clone()
    }
}
