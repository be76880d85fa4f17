//! Opens the store of money and limits, and looks after it while the gateway runs.

use raptorgate_config::model::{SettleMode, Store};
use raptorgate_policies::admission::Keeper;
use raptorgate_policies::store::embedded::{Durability, Embedded, EmbeddedOptions};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often holds are looked after.
const TICK: Duration = Duration::from_secs(5);

/// Opens the store of a configuration.
pub fn open(store: &Store) -> Result<Arc<Keeper>, String> {
    let durability = match store.settle {
        SettleMode::Journal => Durability::Journal,
        SettleMode::Sync => Durability::Synced,
    };
    let options =
        EmbeddedOptions { durability, checkpoint_interval: store.checkpoint_interval, ..EmbeddedOptions::default() };
    let embedded = Embedded::open(&store.path, options).map_err(|e| format!("cannot open the store: {e}"))?;
    let records = embedded.recovered().records;
    tracing::info!(path = %store.path.display(), records, "store opened");
    Ok(Arc::new(Keeper::new(Arc::new(embedded))))
}

/// Renews holds, sends endings again that were not taken, and gives up holds that nobody looks after.
pub async fn look_after(keeper: Arc<Keeper>) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        keeper.tick(Instant::now()).await;
    }
}
