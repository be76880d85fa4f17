//! What the file may hold about money and rates: the store, budgets and rate limits.

use crate::decode::{At, Some1};
use crate::model::{BudgetWindow, Enforcement, Per, SettleMode};
use crate::shape::{block, words};
use crate::units::{Money, Secret};
use crate::values::{FilePath, Name, Whole};
use std::time::Duration;

block! {
    /// Where money, limits and keys are kept. The store is opened if a route has `budgets`, `rate_limits`, `idempotency` or a lock
    /// of executions, or if this block is there. Either `embedded`, which holds if neither is named, or `redis`.
    pub(crate) struct StoreBlock {
        /// Kept in a folder by this process alone.
        embedded: EmbeddedBlock = optional,
        /// Kept in a Redis or Valkey server, for any number of gateways.
        redis: RedisBlock = optional,
        /// A secret of 32 characters or more that replies kept for idempotency keys are sealed with (AES-256-GCM); the same on all gateways of
        /// a server. Left out: `embedded` makes a key in its folder, and `redis` needs one where a route has `idempotency`.
        reply_key: At<Secret> = optional,
    }
}

block! {
    /// A store in Redis (7.0 or later) or Valkey. How the server is to be set up is in redis.md.
    pub(crate) struct RedisBlock {
        /// The server: `redis://[user][:password@]host[:port][/database]`. Exactly one.
        urls: Some1<At<Secret>> = required,
        /// Folder of this gateway's own journal: costs are in it before the server is told of them, and are sent until it has them. Each
        /// gateway needs one of its own. Relative paths start in the folder of the configuration file.
        path: FilePath = default("./data"),
        /// How long connecting and logging in may take.
        connect_timeout: Duration = default("100ms"),
        /// How long an answer may take.
        response_timeout: Duration = default("50ms"),
        /// Whether a server that may lose money by its settings is refused at the start; `false`: the log warns.
        strict: bool = default("false"),
        /// When a settled cost counts as kept: `sync` waits for the server as well, up to a second, before a reply ends. For gateways whose
        /// own disk may vanish.
        settle: SettleMode = default("journal"),
    }
}

block! {
    /// The embedded store: a journal that every change is written to before anybody hears of it, and checkpoints.
    pub(crate) struct EmbeddedBlock {
        /// Folder; made if it is not there. One process at a time may use it. Relative paths start in the folder of the configuration
        /// file.
        path: FilePath = default("./data"),
        /// When a settled cost counts as kept.
        settle: SettleMode = default("journal"),
        /// A checkpoint is made at least so often; the journal since the last one is read again at a start.
        checkpoint_interval: Duration = default("30s"),
    }
}

block! {
    /// What may be spent in a window. A request holds the most that it may cost until its cost is known.
    pub(crate) struct BudgetBlock {
        /// Its name in refusals, headers and metrics; unique in the file. What was spent is kept under it.
        name: At<Name> = required,
        /// Whose money it is.
        per: At<Per> = required,
        /// What may be spent.
        limit: At<Money> = required,
        /// When it begins anew, in the tenant's time zone.
        window: BudgetWindow = required,
        /// Whether it refuses.
        enforce: Enforcement = default("hard"),
    }
}

block! {
    /// A limit in a window: exactly one of `requests`, `tokens`, `cost`; or `concurrent`, without a window. A whole window's worth may
    /// come at once, and refills evenly.
    pub(crate) struct RateLimitBlock {
        /// Its name in refusals, headers and metrics; unique in the file. What was used is kept under it.
        name: At<Name> = required,
        /// Who is limited.
        per: At<Per> = required,
        /// Requests.
        requests: Whole<1, 1_000_000_000> = optional,
        /// Tokens of prompts and answers. What a request may use at most is taken when it comes; what it did not use is given back.
        tokens: Whole<1, 1_000_000_000_000> = optional,
        /// Cost, taken and given back like tokens.
        cost: At<Money> = optional,
        /// Requests that run at once.
        concurrent: Whole<1, 1_000_000> = optional,
        /// The window, such as `1m`.
        window: Duration = optional,
    }
}

words!(Per {
    "tenant" => Per::Tenant, "all users of a tenant together";
    "user" => Per::User, "each user";
    "end_user" => Per::EndUser, "each end user of a user; the user itself where none is named";
    "key" => Per::Key, "each API key or client certificate";
    "route" => Per::Route, "each tenant on each route";
    "execution" => Per::Execution, "each agent run; each request without one";
});

words!(BudgetWindow {
    "hour" => BudgetWindow::Hour, "with each hour";
    "day" => BudgetWindow::Day, "at midnight";
    "month" => BudgetWindow::Month, "with the first of the month";
    "total" => BudgetWindow::Total, "never";
});

words!(Enforcement {
    "hard" => Enforcement::Hard, "a request that could overspend it gets 402 `budget_exceeded`";
    "soft" => Enforcement::Soft, "nothing is refused; what is left is told and counted, also below zero";
});

words!(SettleMode {
    "journal" => SettleMode::Journal, "when it is in the journal: it survives the end of the process, and the loss of power but for the last millisecond";
    "sync" => SettleMode::Sync, "when it is on the disk, or in the server; each request waits for that";
});
