//! The store in Redis or Valkey (7.0 or later): one state for any number of gateways.
//!
//! Every operation is one Lua script that does what [`crate::ledger::TenantState`] does, in one round trip. All keys of a
//! tenant stand in one slot, `rg1:{tenant}…`; what stands in which is in `docs/redis.md`.
//!
//! # Invariants
//! * It answers as the state machine does, and its lines are the same bytes (`redis_and_the_state_machine_agree`).
//! * Amounts are exact to the last unit of 64 bits (`amounts_are_exact_to_the_edge_of_64_bits`).
//! * A script that meets what it did not write says so and writes nothing (`what_was_tampered_with_is_an_error_and_never_zero`).
//! * Each way in which a server fails has its own error (`redis_faults`).
//! * A server that was set back says from where on it needs settlements again, and charges none of them twice
//!   (`a_server_with_an_older_dataset_asks_for_what_it_lost`).

mod breaker;
mod decode;
mod encode;
mod faults;
mod link;
mod options;
mod scripts;
mod server;

pub use breaker::BreakerOptions;
pub use options::{InvalidUrl, RedisOptions};
pub use server::ServerFinding;

use super::{Accounts, Admissions, Ending, Entries, Now, Settlements, StoreError};
use crate::ledger::{
    Account, AccountName, Admission, Admit, Change, Checked, Clearance, Credit, Dispatch, DropPast, Dropped, Entry,
    Extend, Extension, Head, KeyAnswer, KeyUse, Reap, Reaped, Renew, Renewal, SetLimit, Settlement, StoreName, Trim,
};
use async_trait::async_trait;
use encode::Arguments;
use link::Link;
use parking_lot::Mutex;
use redis::Value;
use scripts::{Script, Scripts};
use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

/// Begins every key. Another layout gets another number, so that both can stand side by side.
const GENERATION: &str = "rg1";

/// Most accounts, lines or names in one answer; more are asked for in several.
const PAGE_MAX: usize = 500;

/// Most requests that are ended in one round trip, so that the answer comes in time and others get their turn.
const FINISH_BATCH_MAX: usize = 128;

/// Most holds that are given up in one script.
const REAP_BATCH_MAX: u32 = 100;

/// How often a tenant is put on the list of those that exist, by each gateway that sees it: a server that lost the list
/// has it again after so long.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(60);

/// Tenants that are remembered as announced; beyond that all are announced anew.
const ANNOUNCED_MAX: usize = 100_000;

/// The store.
pub struct RedisStore {
    link: Link,
    scripts: Scripts,
    announced: Mutex<HashMap<StoreName, Instant>>,
}

impl RedisStore {
    /// Connects when it is first used, so that a server that is down delays no start.
    pub fn new(options: &RedisOptions) -> Result<Self, InvalidUrl> {
        Ok(Self { link: Link::new(options)?, scripts: Scripts::new(), announced: Mutex::default() })
    }

    /// What about the server may lose money.
    pub async fn check_server(&self) -> Result<Vec<ServerFinding>, StoreError> {
        let text = match self.link.read(redis::cmd("INFO")).await? {
            Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Value::VerbatimString { text, .. } => text,
            _ => return Err(decode::corrupt("an answer to INFO")),
        };
        let mut told = server::Told { info: server::info(&text), ..server::Told::default() };
        for setting in server::SETTINGS {
            // Hosted servers and careful operators forbid it: that is a finding of its own.
            match self.link.read(redis::cmd("CONFIG").arg("GET").arg(setting).to_owned()).await {
                Ok(value) => told.config.extend(server::config(value)),
                Err(StoreError::AccessDenied | StoreError::Corrupt(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(server::findings(&told))
    }

    /// An operation that leaves something behind.
    async fn change(&self, tenant: &StoreName, script: &Script, arguments: &Arguments) -> Result<Value, StoreError> {
        self.announce(tenant).await?;
        self.link.run(script, &prefix(tenant), arguments).await
    }

    /// Reads with one command, whose second word is what follows the tenant's prefix in the key.
    async fn read(&self, tenant: &StoreName, words: &[&str]) -> Result<Value, StoreError> {
        let mut arguments = Arguments::default();
        words.iter().for_each(|word| {
            arguments.put(word);
        });
        decode::only(self.link.run(&self.scripts.read, &prefix(tenant), &arguments).await?)
    }

    /// Puts a tenant on the list of those that exist. The list has a slot of its own, so this is no part of any script;
    /// it comes first, since a hold of a tenant that is not listed would never be reaped.
    async fn announce(&self, tenant: &StoreName) -> Result<(), StoreError> {
        let now = Instant::now();
        let recent = |at: &Instant| now.duration_since(*at) < ANNOUNCE_EVERY;
        if self.announced.lock().get(tenant).is_some_and(recent) {
            return Ok(());
        }
        self.link.read(redis::cmd("SADD").arg(tenants_key()).arg(tenant.as_str()).to_owned()).await?;
        let mut announced = self.announced.lock();
        if announced.len() >= ANNOUNCED_MAX {
            announced.clear();
        }
        announced.insert(tenant.clone(), now);
        Ok(())
    }
}

fn prefix(tenant: &StoreName) -> String {
    format!("{GENERATION}:{{{tenant}}}")
}

fn tenants_key() -> String {
    format!("{GENERATION}:tenants")
}

#[async_trait]
impl Admissions for RedisStore {
    async fn admit(&self, tenant: &StoreName, admit: &Admit, now: Now) -> Result<Admission, StoreError> {
        admit.check()?;
        let value = self.change(tenant, &self.scripts.admit, &encode::admit(admit, now)).await?;
        decode::admission(value, admit)
    }

    async fn dispatch(&self, tenant: &StoreName, dispatch: &Dispatch) -> Result<Clearance, StoreError> {
        let arguments = encode::dispatch(dispatch);
        decode::clearance(self.link.run(&self.scripts.dispatch, &prefix(tenant), &arguments).await?)
    }

    async fn extend(&self, tenant: &StoreName, extend: &Extend, now: Now) -> Result<Extension, StoreError> {
        extend.check()?;
        let arguments = encode::extend(extend, now);
        decode::extension(self.link.run(&self.scripts.extend, &prefix(tenant), &arguments).await?)
    }

    async fn renew(&self, tenant: &StoreName, renew: &Renew, now: Now) -> Result<Renewal, StoreError> {
        renew.check()?;
        decode::renewal(self.change(tenant, &self.scripts.renew, &encode::renew(renew, now)).await?)
    }

    async fn key(&self, tenant: &StoreName, key: &KeyUse, now: Now) -> Result<Option<KeyAnswer>, StoreError> {
        decode::key(self.link.run(&self.scripts.key, &prefix(tenant), &encode::key(key, now)).await?)
    }
}

#[async_trait]
impl Settlements for RedisStore {
    /// One round trip for up to [`FINISH_BATCH_MAX`]. Those behind one that failed may have been applied, and are
    /// duplicates when they are sent again.
    async fn finish(&self, tenant: &StoreName, endings: &[Ending], now: Now) -> Result<Vec<Settlement>, StoreError> {
        for ending in endings {
            match ending {
                Ending::Settle(settle) => settle.check()?,
                Ending::Void(void) => void.check()?,
            }
        }
        self.announce(tenant).await?;
        let (key, mut settlements) = (prefix(tenant), Vec::with_capacity(endings.len()));
        for batch in endings.chunks(FINISH_BATCH_MAX) {
            let arguments: Vec<Arguments> = batch.iter().map(|ending| encode::ending(ending, now)).collect();
            for result in self.link.run_each(&self.scripts.finish, &key, &arguments).await {
                match result.and_then(decode::settlement) {
                    Ok(settlement) => settlements.push(settlement),
                    Err(error) if settlements.is_empty() => return Err(error),
                    Err(_) => return Ok(settlements),
                }
            }
        }
        Ok(settlements)
    }

    /// In batches of [`REAP_BATCH_MAX`], so that others get their turn.
    async fn reap(&self, tenant: &StoreName, reap: &Reap, now: Now) -> Result<Reaped, StoreError> {
        reap.check()?;
        let (key, mut all) = (prefix(tenant), Reaped::default());
        let mut left = reap.count_max;
        while left > 0 {
            let batch = Reap { count_max: left.min(REAP_BATCH_MAX), ..*reap };
            let reaped = decode::reaped(self.link.run(&self.scripts.reap, &key, &encode::reap(&batch, now)).await?)?;
            let count = reaped.suspect.len() + reaped.voided.len();
            all.suspect.extend(reaped.suspect);
            all.voided.extend(reaped.voided);
            if count < batch.count_max as usize {
                break;
            }
            left -= batch.count_max;
        }
        Ok(all)
    }

    async fn tenants(&self) -> Result<Vec<StoreName>, StoreError> {
        let (mut names, mut cursor) = (BTreeSet::new(), 0);
        loop {
            let page = redis::cmd("SSCAN").arg(tenants_key()).arg(cursor).arg("COUNT").arg(PAGE_MAX).to_owned();
            let (next, found) = decode::names(self.link.read(page).await?)?;
            names.extend(found);
            cursor = next;
            if cursor == 0 {
                return Ok(names.into_iter().collect());
            }
        }
    }
}

#[async_trait]
impl Accounts for RedisStore {
    async fn account(&self, tenant: &StoreName, name: &AccountName) -> Result<Option<Account>, StoreError> {
        let key = format!("a:{name}");
        decode::account(self.read(tenant, &["HMGET", &key, "l", "t", "h", "s"]).await?)
    }

    async fn accounts(
        &self,
        tenant: &StoreName,
        after: Option<&AccountName>,
        count_max: usize,
    ) -> Result<Vec<(AccountName, Account)>, StoreError> {
        let mut found: Vec<(AccountName, Account)> = Vec::new();
        while found.len() < count_max {
            let last = found.last().map(|(name, _)| name).or(after);
            let mut arguments = Arguments::default();
            arguments.put(last.map_or_else(String::new, encode::indexed));
            arguments.put(PAGE_MAX.min(count_max - found.len()));
            let page = decode::accounts(self.link.run(&self.scripts.accounts, &prefix(tenant), &arguments).await?)?;
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        Ok(found)
    }

    async fn set_limit(&self, tenant: &StoreName, set: &SetLimit, now: Now) -> Result<Change, StoreError> {
        decode::change(self.change(tenant, &self.scripts.set_limit, &encode::set_limit(set, now)).await?)
    }

    async fn credit(&self, tenant: &StoreName, credit: &Credit, now: Now) -> Result<Change, StoreError> {
        decode::change(self.change(tenant, &self.scripts.credit, &encode::credit(credit, now)).await?)
    }

    async fn drop_past(&self, tenant: &StoreName, drop: &DropPast, now: Now) -> Result<Dropped, StoreError> {
        drop.check()?;
        let arguments = encode::drop_past(drop, now);
        decode::dropped(self.link.run(&self.scripts.drop_past, &prefix(tenant), &arguments).await?)
    }
}

#[async_trait]
impl Entries for RedisStore {
    async fn head(&self, tenant: &StoreName) -> Result<Head, StoreError> {
        decode::head(self.read(tenant, &["HMGET", "head", "v", "h"]).await?)
    }

    async fn entries(&self, tenant: &StoreName, after: u64, count_max: usize) -> Result<Vec<Entry>, StoreError> {
        let mut found: Vec<Entry> = Vec::new();
        while found.len() < count_max {
            let from = format!("({}-0", found.last().map_or(after, |entry| entry.version));
            let count = PAGE_MAX.min(count_max - found.len()).to_string();
            let page = decode::entries(self.read(tenant, &["XRANGE", "l", &from, "+", "COUNT", &count]).await?)?;
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        Ok(found)
    }

    async fn archived(&self, tenant: &StoreName) -> Result<Head, StoreError> {
        decode::head(self.read(tenant, &["HMGET", "head", "a", "ah"]).await?)
    }

    async fn trim(&self, tenant: &StoreName, through: &Head) -> Result<Trim, StoreError> {
        decode::trim(self.link.run(&self.scripts.trim, &prefix(tenant), &encode::trim(through)).await?)
    }
}
