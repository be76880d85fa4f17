//! Opens the store of money and limits, and looks after it while the gateway runs.

use crate::telemetry::Metrics;
use raptorgate_config::model::{self, EmbeddedStore, SettleMode};
use raptorgate_policies::admission::{Keeper, SentLog, Spool};
use raptorgate_policies::seal::{KEY_FILE, Seal};
use raptorgate_policies::store::embedded::{Durability, Embedded, EmbeddedOptions};
use raptorgate_policies::store::redis::{RedisOptions, RedisStore};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often holds are looked after.
const TICK: Duration = Duration::from_secs(5);
/// How long the end of a reply waits for a store elsewhere with `settle: sync`.
const SYNC_PATIENCE: Duration = Duration::from_secs(1);
/// How long a stop waits for the store.
const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// Opens the store of a configuration, measured.
pub async fn open(store: &model::Store, metrics: &Metrics) -> Result<Arc<Keeper>, String> {
    let (keeper, folder) = match store {
        model::Store::Embedded(embedded) => {
            (Keeper::new(metrics.measured(Arc::new(open_embedded(embedded)?))), &embedded.path)
        }
        model::Store::Redis(redis) => {
            let store = metrics.measured(Arc::new(open_redis(redis).await?));
            let spool = Spool::open(&redis.path, store.clone());
            let spool = spool.map_err(|e| format!("cannot open the gateway's journal: {e}"))?;
            let patience = match redis.settle {
                SettleMode::Journal => Duration::ZERO,
                SettleMode::Sync => SYNC_PATIENCE,
            };
            (Keeper::with_spool(store, Arc::new(spool), patience), &redis.path)
        }
    };
    let (sent, left) =
        SentLog::open(&folder.join("sent")).map_err(|e| format!("cannot open the gateway's journal: {e}"))?;
    Ok(Arc::new(keeper.answering_for(sent, left).await))
}

fn open_embedded(store: &EmbeddedStore) -> Result<Embedded, String> {
    let durability = match store.settle {
        SettleMode::Journal => Durability::Journal,
        SettleMode::Sync => Durability::Synced,
    };
    let options =
        EmbeddedOptions { durability, checkpoint_interval: store.checkpoint_interval, ..EmbeddedOptions::default() };
    let embedded = Embedded::open(&store.path, options).map_err(|e| format!("cannot open the store: {e}"))?;
    let records = embedded.recovered().records;
    tracing::info!(path = %store.path.display(), records, "store opened");
    Ok(embedded)
}

/// A server that cannot be reached delays no start: requests that need it are refused until it can.
async fn open_redis(store: &model::RedisStore) -> Result<RedisStore, String> {
    let options = RedisOptions {
        connect_timeout: store.connect_timeout,
        response_timeout: store.response_timeout,
        ..RedisOptions::new(store.url.reveal())
    };
    let redis = RedisStore::new(&options).map_err(|e| format!("cannot use the store: {e}"))?;
    match redis.check_server().await {
        Ok(findings) => {
            for finding in &findings {
                tracing::warn!(%finding, "the store may lose money");
            }
            if store.strict && !findings.is_empty() {
                let all: Vec<String> = findings.iter().map(ToString::to_string).collect();
                return Err(format!("the store is refused (`store.redis.strict`):\n  {}", all.join("\n  ")));
            }
        }
        Err(error) if store.strict => return Err(format!("the store cannot be checked: {error}")),
        Err(error) => tracing::warn!(class = error.class(), "the store cannot be asked how it is set up"),
    }
    Ok(redis)
}

/// What replies are sealed with that the store keeps. An embedded store makes its own key; in a server none is kept without one
/// that the file names.
pub fn seal(config: &model::Config) -> Result<Option<Seal>, String> {
    match (&config.reply_key, &config.store) {
        (Some(secret), Some(_)) => Ok(Seal::of_secret(secret)),
        (None, Some(model::Store::Embedded(embedded))) => {
            let failed = |error| format!("cannot use {}: {error}", embedded.path.join(KEY_FILE).display());
            Seal::in_folder(&embedded.path).map(Some).map_err(failed)
        }
        (None, Some(model::Store::Redis(_))) | (_, None) => Ok(None),
    }
}

/// Renews holds, sends endings again that were not taken, and gives up holds that nobody looks after.
pub async fn look_after(keeper: Arc<Keeper>) {
    let ticking = async {
        let mut ticks = tokio::time::interval(TICK);
        loop {
            ticks.tick().await;
            keeper.tick(Instant::now()).await;
        }
    };
    tokio::join!(ticking, keeper.send());
}

/// At the end: what the store was not told yet.
pub async fn flush(keeper: &Keeper) {
    // what is left is in the journal
    let _ = tokio::time::timeout(FLUSH_PATIENCE, keeper.flush()).await;
}
