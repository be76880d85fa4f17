//! What budgets and rate limits mean, and what they need besides.

use super::{Scope, once, same_currency};
use crate::budgets::{BudgetBlock, RateLimitBlock, RedisBlock};
use crate::decode::{At, Context};
use crate::model::{Budget, Counted, EmbeddedStore, Per, RateLimit, RedisStore, Store};
use crate::problem::{Code, Finding, Position};
use crate::routes::RouteBlocks;
use std::collections::BTreeMap;
use std::time::Duration;

/// Where names of things with state were seen.
pub(super) type KnownNames = BTreeMap<String, Position>;

/// Shortest window of a rate: below it, one microsecond of the store's clock is too coarse.
const WINDOW_MIN: Duration = Duration::from_millis(100);
/// Longest window of a rate; longer ones are budgets.
const WINDOW_MAX: Duration = Duration::from_secs(31 * 86_400);

/// Checks budgets where they stand.
pub(super) fn check_budget(block: &BudgetBlock, scope: &Scope<'_>, known: &mut KnownNames, cx: &mut Context) {
    once(known, block.name.shown(), block.name.at, "budget or rate limit", cx);
    same_currency(block.limit.value.currency(), block.limit.at, scope.currency, cx);
    not_negative(&block.limit, cx);
}

fn not_negative(amount: &At<crate::units::Money>, cx: &mut Context) {
    if amount.value.nanos() < 0 {
        cx.tell(Finding::new(amount.at, Code::WrongValue, "a limit cannot be negative"));
    }
}

/// Checks rate limits where they stand.
pub(super) fn check_rate(block: &RateLimitBlock, scope: &Scope<'_>, known: &mut KnownNames, cx: &mut Context) {
    once(known, block.name.shown(), block.name.at, "budget or rate limit", cx);
    if let Some(cost) = &block.cost {
        same_currency(cost.value.currency(), cost.at, scope.currency, cx);
        not_negative(cost, cx);
    }
    let counted = [block.requests.is_some(), block.tokens.is_some(), block.cost.is_some(), block.concurrent.is_some()];
    let name = block.name.shown();
    if block.sound && counted.iter().filter(|is| **is).count() != 1 {
        let message = format!("rate limit `{name}` needs exactly one of `requests`, `tokens`, `cost` and `concurrent`");
        cx.tell(Finding::new(block.at, Code::Conflict, message));
    }
    match (&block.window, block.concurrent.is_some()) {
        (None, false) if block.sound => {
            let message = format!("rate limit `{name}` needs a `window`");
            cx.tell(Finding::new(block.at, Code::MissingKey, message).help("`window: 1m`"));
        }
        (Some(_), true) => {
            let message = format!("rate limit `{name}` counts requests that run at once, which knows no `window`");
            cx.tell(Finding::new(block.at, Code::Conflict, message));
        }
        (Some(window), false) if !(WINDOW_MIN..=WINDOW_MAX).contains(window) => {
            let message = format!("the window of rate limit `{name}` must be from 100ms to 31d");
            cx.tell(Finding::new(block.at, Code::WrongValue, message).help("for longer ones, use `budgets`"));
        }
        (None | Some(_), _) => {}
    }
}

/// Which blocks a route has that budgets and rate limits may need.
pub(super) struct Has {
    pub authenticate: bool,
    pub end_user: bool,
    pub execution: bool,
    pub meter: bool,
}

/// Tells what the budgets and limits of a route need and it does not have.
pub(super) fn check_needs<'b>(
    route: &str,
    budgets: impl Iterator<Item = &'b BudgetBlock>,
    rates: impl Iterator<Item = &'b RateLimitBlock>,
    has: &Has,
    cx: &mut Context,
) {
    for budget in budgets {
        let name = budget.name.shown();
        needs(&name, &budget.name, "meter", has.meter, route, cx);
        needs_subject(&name, &budget.per, has, route, cx);
    }
    for rate in rates {
        let name = rate.name.shown();
        let counts_usage = rate.tokens.is_some() || rate.cost.is_some();
        needs(&name, &rate.name, "meter", has.meter || !counts_usage, route, cx);
        needs_subject(&name, &rate.per, has, route, cx);
    }
}

fn needs_subject(name: &str, per: &At<Per>, has: &Has, route: &str, cx: &mut Context) {
    let (block, there) = match per.value {
        Per::Tenant | Per::User | Per::Key => ("authenticate", has.authenticate),
        Per::EndUser => ("end_user", has.end_user),
        Per::Execution => ("execution", has.execution),
        Per::Route => return,
    };
    needs(name, per, block, there, route, cx);
}

fn needs<T>(name: &str, place: &At<T>, block: &str, there: bool, route: &str, cx: &mut Context) {
    if !there {
        let message = format!("`{name}` needs `{block}`, which route `{route}` does not have");
        cx.tell(
            Finding::new(place.at, Code::MissingBlock, message)
                .help(format!("add `{block}` to the route or to `defaults`")),
        );
    }
}

/// A budget's meaning.
pub(super) fn budget(block: &BudgetBlock) -> Budget {
    Budget {
        name: block.name.value.as_str().into(),
        per: block.per.value,
        limit: block.limit.value,
        window: block.window,
        enforce: block.enforce,
    }
}

/// A rate limit's meaning; `None` if it counts nothing, which was told.
pub(super) fn rate(block: &RateLimitBlock) -> Option<RateLimit> {
    let window = block.window.unwrap_or(WINDOW_MIN);
    let counts = match (&block.requests, &block.tokens, &block.cost, &block.concurrent) {
        (Some(requests), ..) => Counted::Requests(requests.0, window),
        (None, Some(tokens), ..) => Counted::Tokens(tokens.0, window),
        (None, None, Some(cost), _) => Counted::Cost(cost.value, window),
        (None, None, None, Some(concurrent)) => Counted::Concurrent(u32::try_from(concurrent.0).unwrap_or(u32::MAX)),
        (None, None, None, None) => return None,
    };
    Some(RateLimit { name: block.name.value.as_str().into(), per: block.per.value, counts })
}

/// The store, if anything needs one.
pub(super) fn store(scope: &Scope<'_>, cx: &mut Context) -> Option<Store> {
    let stateful = |blocks: &RouteBlocks| {
        super::blocks::on(&blocks.budgets).is_some()
            || super::blocks::on(&blocks.rate_limits).is_some()
            || super::idempotency::is_stateful(blocks)
    };
    let routes = scope.file.routes.iter().flat_map(|routes| &routes.0);
    let needed = stateful(&scope.file.defaults) || routes.map(|route| &route.blocks).any(stateful);
    let Some(block) = &scope.file.store else {
        return needed.then(|| Store::Embedded(EmbeddedStore::in_folder(scope.folder)));
    };
    match (&block.embedded, &block.redis) {
        (Some(_), Some(_)) => {
            let message = "a store is kept in a folder (`embedded`) or in a server (`redis`), not in both";
            cx.tell(Finding::new(block.at, Code::Conflict, message).help("remove one of them"));
            None
        }
        (None, Some(redis)) => redis_store(redis, scope, cx),
        (None, None) => Some(Store::Embedded(EmbeddedStore::in_folder(scope.folder))),
        (Some(embedded), None) => Some(Store::Embedded(EmbeddedStore {
            path: scope.folder.join(&embedded.path.0),
            settle: embedded.settle,
            checkpoint_interval: embedded.checkpoint_interval,
        })),
    }
}

fn redis_store(block: &RedisBlock, scope: &Scope<'_>, cx: &mut Context) -> Option<Store> {
    let [url, more @ ..] = &block.urls.0[..] else { return None };
    if let Some(second) = more.first() {
        let message = "`urls` names more than one server; one is spoken to, Sentinel and Cluster are not";
        cx.tell(Finding::new(second.at, Code::WrongValue, message).help("name the primary alone"));
    }
    let known = ["redis://", "redis+unix://"].iter().any(|scheme| url.value.reveal().starts_with(scheme));
    if !known {
        // not quoted: it may hold a password
        let message = "this is not the URL of a Redis server";
        let help = "redis://[user][:password@]host[:port][/database]";
        cx.tell(Finding::new(url.at, Code::WrongValue, message).help(help));
    }
    Some(Store::Redis(RedisStore {
        url: url.value.clone(),
        path: scope.folder.join(&block.path.0),
        connect_timeout: block.connect_timeout,
        response_timeout: block.response_timeout,
        strict: block.strict,
        settle: block.settle,
    }))
}
