//! Money and rates.

use crate::units::{Money, Secret};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where money, limits and keys are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// In a folder, by one process.
    Embedded(EmbeddedStore),
    /// In a server, for any number of gateways.
    Redis(RedisStore),
}

/// The embedded store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedStore {
    /// Its folder.
    pub path: PathBuf,
    /// When a settled cost counts as kept.
    pub settle: SettleMode,
    /// A checkpoint is made at least so often.
    pub checkpoint_interval: Duration,
}

impl EmbeddedStore {
    /// The store of a file that needs one and says nothing of it.
    pub fn in_folder(folder: &Path) -> Self {
        let checkpoint_interval = Duration::from_secs(30);
        Self { path: folder.join("data"), settle: SettleMode::Journal, checkpoint_interval }
    }
}

/// A store in Redis or Valkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisStore {
    /// Where the server is; may hold a password.
    pub url: Secret,
    /// Folder of the gateway's own journal.
    pub path: PathBuf,
    /// How long connecting and logging in may take.
    pub connect_timeout: Duration,
    /// How long an answer may take.
    pub response_timeout: Duration,
    /// A server that may lose money by its settings is refused.
    pub strict: bool,
    /// When a settled cost counts as kept.
    pub settle: SettleMode,
}

/// When a settled cost counts as kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettleMode {
    /// When it is in the journal's file.
    Journal,
    /// When it is on the disk.
    Sync,
}

/// What may be spent in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Its name; unique in the file.
    pub name: Arc<str>,
    /// Whose money it is.
    pub per: Per,
    /// What may be spent; never negative.
    pub limit: Money,
    /// When it begins anew.
    pub window: BudgetWindow,
    /// Whether it refuses.
    pub enforce: Enforcement,
}

/// Whose money or rate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    /// All users of a tenant together.
    Tenant,
    /// Each user.
    User,
    /// Each end user of a user.
    EndUser,
    /// Each API key or client certificate.
    Key,
    /// Each tenant on each route.
    Route,
    /// Each agent run.
    Execution,
}

/// When a budget begins anew, in the tenant's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BudgetWindow {
    /// With each hour.
    Hour,
    /// At midnight.
    Day,
    /// With the first of the month.
    Month,
    /// Never.
    Total,
}

/// Whether a budget refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// A request that could overspend it is refused.
    Hard,
    /// Nothing is refused.
    Soft,
}

/// A limit in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Its name; unique in the file.
    pub name: Arc<str>,
    /// Who is limited.
    pub per: Per,
    /// What is counted.
    pub counts: Counted,
}

/// What a rate limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// So many requests in a window.
    Requests(u64, Duration),
    /// So many tokens in a window.
    Tokens(u64, Duration),
    /// So much money in a window.
    Cost(Money, Duration),
    /// So many requests that run at once.
    Concurrent(u32),
}
