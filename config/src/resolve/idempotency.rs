//! What idempotency keys and execution locks mean, and what they need besides.

use super::Scope;
use crate::decode::Context;
use crate::idempotency::IdempotencyBlock;
use crate::model::{ExecutionLock, Idempotency};
use crate::problem::{Code, Finding, Position};
use crate::routes::{ExecutionBlock, RouteBlocks};
use crate::units::Secret;
use std::time::Duration;

/// Longest wait for another request.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// Shortest time that a reply is kept: a client that sends again does so within it.
const KEEP_MIN: Duration = Duration::from_secs(60);
/// Longest time that a reply is kept.
const KEEP_MAX: Duration = Duration::from_secs(30 * 86_400);
/// Shortest lease: holders of keys are looked at every five seconds, and one look may fail.
const LEASE_MIN: Duration = Duration::from_secs(15);
/// Longest lease.
const LEASE_MAX: Duration = Duration::from_secs(600);
/// Largest reply that is kept: the store takes 1 MiB, sealed.
const REPLY_BYTES_MAX: u64 = 960 << 10;
/// Least characters of a secret from which a key is made.
const SECRET_CHARS_MIN: usize = 32;

/// Checks a block where it stands.
pub(super) fn check(block: &IdempotencyBlock, cx: &mut Context) {
    check_wait(block.wait_max.value, block.wait_max.at, "wait_max", cx);
    if !(KEEP_MIN..=KEEP_MAX).contains(&block.keep.value) {
        cx.tell(Finding::new(block.keep.at, Code::WrongValue, "`keep` must be from 1m to 30d"));
    }
    if !(LEASE_MIN..=LEASE_MAX).contains(&block.lease.value) {
        cx.tell(Finding::new(block.lease.at, Code::WrongValue, "`lease` must be from 15s to 10m"));
    }
    if block.reply_bytes_max.value.0 > REPLY_BYTES_MAX {
        let message = "`reply_bytes_max` is larger than the store takes";
        cx.tell(Finding::new(block.reply_bytes_max.at, Code::WrongValue, message).help("the most is `960 KiB`"));
    }
}

/// Checks an execution lock where it stands.
pub(super) fn check_lock(block: &ExecutionBlock, cx: &mut Context) {
    check_wait(block.lock_wait.value, block.lock_wait.at, "lock_wait", cx);
}

fn check_wait(wait: Duration, at: Position, key: &str, cx: &mut Context) {
    if wait > WAIT_MAX {
        cx.tell(Finding::new(at, Code::WrongValue, format!("the longest `{key}` is 10m")));
    }
}

/// Whose keys they are has to be known: nobody may be answered with what somebody else was told.
pub(super) fn check_needs(
    route: &str,
    idempotency: Option<&IdempotencyBlock>,
    execution: Option<&ExecutionBlock>,
    authenticate: bool,
    cx: &mut Context,
) {
    let lock =
        execution.filter(|execution| execution.lock.value).map(|execution| ("execution.lock", execution.lock.at));
    let keyed = idempotency.map(|block| ("idempotency", block.at)).into_iter().chain(lock);
    for (what, at) in keyed.filter(|_| !authenticate) {
        let message = format!("`{what}` needs `authenticate`, which route `{route}` does not have");
        let help = "add `authenticate` to the route or to `defaults`";
        cx.tell(Finding::new(at, Code::MissingBlock, message).help(help));
    }
}

/// True if these blocks keep keys in the store.
pub(super) fn is_stateful(blocks: &RouteBlocks) -> bool {
    let lock = super::blocks::on(&blocks.execution).is_some_and(|execution| execution.lock.value);
    super::blocks::on(&blocks.idempotency).is_some() || lock
}

/// What kept replies are sealed with, if the file says it.
pub(super) fn reply_key(scope: &Scope<'_>, cx: &mut Context) -> Option<Secret> {
    let store = scope.file.store.as_ref()?;
    let routes = scope.file.routes.iter().flat_map(|routes| &routes.0).map(|route| &route.blocks);
    let keeps = |blocks: &RouteBlocks| super::blocks::on(&blocks.idempotency).is_some();
    let kept = keeps(&scope.file.defaults) || routes.into_iter().any(keeps);
    match &store.reply_key {
        Some(key) if key.value.reveal().len() < SECRET_CHARS_MIN => {
            let message = "`reply_key` is too short to be a secret";
            cx.tell(Finding::new(key.at, Code::WrongValue, message).help("`openssl rand -hex 32` makes one"));
            None
        }
        Some(key) => Some(key.value.clone()),
        None if store.redis.is_some() && kept => {
            let message = "`idempotency` keeps replies in a server that others may read, and needs `store.reply_key`";
            let help = "a secret of 32 characters or more, the same on all gateways; `openssl rand -hex 32` makes one";
            cx.tell(Finding::new(store.at, Code::MissingKey, message).help(help));
            None
        }
        None => None,
    }
}

/// A block's meaning.
pub(super) fn idempotency(block: &IdempotencyBlock) -> Idempotency {
    Idempotency {
        on_duplicate: block.on_duplicate,
        wait_max: block.wait_max.value,
        keep: block.keep.value,
        reply_bytes_max: usize::try_from(block.reply_bytes_max.value.0).unwrap_or(usize::MAX),
        lease: block.lease.value,
        required: block.required,
        methods: block.methods.0.iter().map(|method| method.value.0.to_owned()).collect(),
    }
}

/// The lock of an execution block.
pub(super) fn lock(block: &ExecutionBlock) -> Option<ExecutionLock> {
    block.lock.value.then_some(ExecutionLock { wait_max: block.lock_wait.value })
}
