//! Requests that run, so that those which a shutdown drops are charged what passed.
//!
//! # Invariants
//! * A request that still runs when the time to drain is over is ended like any other
//!   (`what_a_shutdown_cuts_is_charged_what_passed`).

use super::Link;
use parking_lot::Mutex;
use raptorgate_filters::exchange::End;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long filters may be busy with what is ended; one look for each beyond it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pause before looking again whether they are.
const PAUSE: Duration = Duration::from_millis(1);

/// Requests that run.
#[derive(Default)]
pub struct InFlight {
    links: Mutex<HashMap<usize, Weak<Link>>>,
}

impl InFlight {
    /// A request begins; it is forgotten with the value.
    pub fn enter(self: &Arc<Self>, link: &Arc<Link>) -> Entered {
        let key = Arc::as_ptr(link).addr();
        self.links.lock().insert(key, Arc::downgrade(link));
        Entered { all: self.clone(), key }
    }

    /// Ends those that still run.
    pub async fn end_all(&self) {
        let running: Vec<Arc<Link>> = self.links.lock().values().filter_map(Weak::upgrade).collect();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        for link in running {
            let ended = async {
                while !link.try_end(End::Dropped).await {
                    tokio::time::sleep(PAUSE).await;
                }
            };
            if tokio::time::timeout_at(deadline, ended).await.is_err() {
                tracing::warn!("a request was dropped while a filter was busy with it");
            }
        }
    }
}

/// One request that runs.
pub struct Entered {
    all: Arc<InFlight>,
    key: usize,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.all.links.lock().remove(&self.key);
    }
}
