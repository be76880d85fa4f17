//! The metered totals, as the admin API tells them.

use crate::gateway::Gateway;
use crate::h1::Request;

/// Totals of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Requests.
    pub requests: u64,
    /// Input tokens.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// What they cost, as text with its currency.
    pub cost: String,
}

/// The account of a user; `None` as long as there is none.
pub async fn of(gateway: &Gateway, tenant: &str, user: &str) -> Option<Account> {
    let reply = gateway.admin(Request::get("/api/v1/accounts")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    let accounts = body["accounts"].as_array().unwrap_or_else(|| panic!("no accounts in {body}"));
    let account = accounts.iter().find(|a| a["tenant"] == tenant && a["user"] == user)?;
    let number = |field: &str| account[field].as_u64().unwrap_or_else(|| panic!("no {field} in {account}"));
    Some(Account {
        requests: number("requests"),
        input_tokens: number("input_tokens"),
        output_tokens: number("output_tokens"),
        cost: account["cost"].as_str().unwrap_or_else(|| panic!("no cost in {account}")).to_owned(),
    })
}
