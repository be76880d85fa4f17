//! What each user used since the gateway started, in memory.
//!
//! # Invariants
//! * Every charge is in exactly one account (`charges_from_many_threads_add_up`).
//! * At most [`ACCOUNTS_MAX`] accounts are kept; the charges of further users go to one account of tenant `_other`, none is
//!   lost (`users_beyond_the_bound_share_one_account`).
//! * Amounts of two currencies are never added: a user has one account per currency
//!   (`a_second_currency_has_its_own_account`).

use crate::Usage;
use parking_lot::Mutex;
use raptorgate_config::units::Money;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// Users whose accounts are kept apart.
pub const ACCOUNTS_MAX: usize = 100_000;

/// Tenant and user of those beyond.
const OTHER: &str = "_other";

/// What one request is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Tokens.
    pub usage: Usage,
    /// What they cost.
    pub cost: Money,
    /// True if the tokens are an estimate.
    pub estimated: bool,
}

/// Totals of one user in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The tenant.
    pub tenant: Arc<str>,
    /// The user.
    pub user: Arc<str>,
    /// Requests that an upstream served.
    pub requests: u64,
    /// Those of them whose tokens are an estimate.
    pub estimated_requests: u64,
    /// Tokens of prompts, cached ones included.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// Tokens of prompts that the provider read from its cache.
    pub cached_input_tokens: u64,
    /// What all of that cost.
    pub cost: Money,
}

impl Account {
    fn new(tenant: &Arc<str>, user: &Arc<str>, cost: Money) -> Self {
        Self {
            tenant: tenant.clone(),
            user: user.clone(),
            requests: 0,
            estimated_requests: 0,
            input_tokens: 0,
            output_tokens: 0,
            cached_input_tokens: 0,
            cost: Money::from_nanos(0, cost.currency()),
        }
    }

    fn add(&mut self, charge: &Charge) {
        let Charge { usage, cost, estimated } = charge;
        self.requests = self.requests.saturating_add(1);
        self.estimated_requests = self.estimated_requests.saturating_add(u64::from(*estimated));
        self.input_tokens = self.input_tokens.saturating_add(usage.input);
        self.output_tokens = self.output_tokens.saturating_add(usage.output);
        self.cached_input_tokens = self.cached_input_tokens.saturating_add(usage.cached_input);
        self.cost = Money::from_nanos(self.cost.nanos().saturating_add(cost.nanos()), self.cost.currency());
    }
}

/// The accounts of all users.
#[derive(Debug, Default)]
pub struct Totals {
    book: Mutex<Book>,
}

/// One account per currency of a user; nearly always one.
type Rows = Vec<Account>;

#[derive(Debug, Default)]
struct Book {
    tenants: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Rows>>,
    accounts: usize,
}

impl Book {
    fn rows(&self, tenant: &str, user: &str) -> Option<&Rows> {
        self.tenants.get(tenant)?.get(user)
    }

    fn account(&mut self, tenant: &str, user: &str, cost: Money) -> Option<&mut Account> {
        let rows = self.tenants.get_mut(tenant)?.get_mut(user)?;
        rows.iter_mut().find(|a| a.cost.currency() == cost.currency())
    }

    fn open(&mut self, tenant: &str, user: &str, cost: Money) {
        let (tenant, user): (Arc<str>, Arc<str>) = (tenant.into(), user.into());
        let account = Account::new(&tenant, &user, cost);
        self.tenants.entry(tenant).or_default().entry(user).or_default().push(account);
        self.accounts += 1;
    }
}

impl Totals {
    /// Adds a charge to the user's account.
    pub fn record(&self, tenant: &str, user: &str, charge: &Charge) {
        let mut book = self.book.lock();
        let known = book.account(tenant, user, charge.cost).is_some();
        // The shared account is opened beyond the bound too: one per currency.
        let (tenant, user) = if known || book.accounts < ACCOUNTS_MAX { (tenant, user) } else { (OTHER, OTHER) };
        if book.account(tenant, user, charge.cost).is_none() {
            book.open(tenant, user, charge.cost);
        }
        if let Some(account) = book.account(tenant, user, charge.cost) {
            account.add(charge);
        }
    }

    /// The user's account; if there are several currencies, the one with most requests.
    pub fn get(&self, tenant: &str, user: &str) -> Option<Account> {
        self.book.lock().rows(tenant, user)?.iter().max_by_key(|a| a.requests).cloned()
    }

    /// The accounts of up to `limit` users behind the cursor `after`, by tenant and user, and the cursor of the next page.
    pub fn page(&self, after: Option<&str>, limit: usize) -> (Vec<Account>, Option<String>) {
        let (from, beyond) = after.and_then(parse_cursor).unwrap_or_default();
        let book = self.book.lock();
        let mut found = Vec::new();
        let mut last: Option<(&Arc<str>, &Arc<str>)> = None;
        let mut left = limit.max(1);
        for (tenant, users) in book.tenants.range::<str, _>((Bound::Included(from), Bound::Unbounded)) {
            let start = if **tenant == *from && after.is_some() { Bound::Excluded(beyond) } else { Bound::Unbounded };
            for (user, rows) in users.range::<str, _>((start, Bound::Unbounded)) {
                if left == 0 {
                    return (found, last.map(|(t, u)| cursor(t, u)));
                }
                left -= 1;
                found.extend(rows.iter().cloned());
                last = Some((tenant, user));
            }
        }
        (found, None)
    }
}

/// `4:acmeasha`: the length says where the user begins, whatever characters the names have.
fn cursor(tenant: &str, user: &str) -> String {
    format!("{}:{tenant}{user}", tenant.len())
}

fn parse_cursor(cursor: &str) -> Option<(&str, &str)> {
    let (len, names) = cursor.split_once(':')?;
    names.split_at_checked(len.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use raptorgate_config::units::Currency;

    fn charge(input: u64, nanos: i64, currency: Currency) -> Charge {
        Charge { usage: Usage::claimed(input, 1, 0), cost: Money::from_nanos(nanos, currency), estimated: input == 3 }
    }

    #[test]
    fn charges_from_many_threads_add_up() {
        let totals = Totals::default();
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let totals = &totals;
                scope.spawn(move || {
                    (0..1000).for_each(|n| {
                        totals.record("acme", &format!("u{}", (n + thread) % 7), &charge(n % 5, 10, Currency::INR));
                    });
                });
            }
        });
        let (all, next) = totals.page(None, 100);
        let sum = |field: fn(&Account) -> u64| all.iter().map(field).sum::<u64>();
        assert_eq!((all.len(), next), (7, None));
        assert_eq!(sum(|a| a.requests), 8000);
        assert_eq!(sum(|a| a.estimated_requests), 1600);
        assert_eq!((sum(|a| a.input_tokens), sum(|a| a.output_tokens)), (16_000, 8000));
        assert_eq!(all.iter().map(|a| a.cost.nanos()).sum::<i64>(), 80_000);
    }

    #[test]
    fn pages_tell_every_user_once() {
        let totals = Totals::default();
        for (tenant, user) in [("b", "x"), ("a:", "1"), ("a", ":1"), ("a", "2"), ("", ""), ("c", "é")] {
            totals.record(tenant, user, &charge(1, 1, Currency::INR));
        }
        let mut told = Vec::new();
        let mut after = None;
        loop {
            let (page, next) = totals.page(after.as_deref(), 2);
            told.extend(page.iter().map(|a| format!("{}|{}", a.tenant, a.user)));
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(told, ["|", "a|2", "a|:1", "a:|1", "b|x", "c|é"]);
        assert_eq!(totals.page(Some("nonsense"), 10).0.len(), 5, "a bad cursor is not a panic");
    }

    #[test]
    fn users_beyond_the_bound_share_one_account() {
        let totals = Totals::default();
        for n in 0..ACCOUNTS_MAX + 5 {
            totals.record("t", &n.to_string(), &charge(1, 1, Currency::INR));
        }
        totals.record("t", "7", &charge(1, 1, Currency::INR));
        assert_eq!(totals.get("t", "7").unwrap().requests, 2);
        assert_eq!(totals.get(OTHER, OTHER).unwrap().requests, 5);
    }

    #[test]
    fn a_second_currency_has_its_own_account() {
        let totals = Totals::default();
        totals.record("t", "u", &charge(1, 5, Currency::INR));
        totals.record("t", "u", &charge(1, 7, Currency::parse("USD").unwrap()));
        let (rows, _) = totals.page(None, 10);
        assert_eq!(rows.iter().map(|a| a.cost.nanos()).collect::<Vec<_>>(), [5, 7]);
    }
}
