//! `raptorgate accounts`.

use super::admin_client::{AdminArgs, AdminClient, segment};
use super::{Failure, say};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Accounts asked for at once.
const PAGE: usize = 500;

#[derive(Subcommand)]
pub(super) enum AccountsCommand {
    /// All accounts of a tenant, with what is held, spent and left; windows that have been over for 35 days are in the ledger only
    List(ListArgs),
    /// One account
    Show(ShowArgs),
    /// Override the configured limit of a budget's subject, in every window from now on
    #[command(
        after_help = "Examples:\n  raptorgate accounts limit --tenant acme user-day:INR:user:asha '750.00 INR'\n  raptorgate accounts limit --tenant acme user-day:INR:user:asha configured"
    )]
    Limit(LimitArgs),
    /// Let more be spent in one window
    TopUp(CreditArgs),
    /// Take back what was charged
    Refund(CreditArgs),
}

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    admin: AdminArgs,
    /// The tenant
    #[arg(long, value_name = "NAME")]
    tenant: String,
    /// Print each account as a line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct ShowArgs {
    /// The account with its window: user-day:INR:user:asha@2026-11-25
    #[arg(value_name = "ACCOUNT")]
    account: String,
    #[command(flatten)]
    which: ListArgs,
}

#[derive(Args)]
pub(super) struct LimitArgs {
    /// The account without its window: user-day:INR:user:asha
    #[arg(value_name = "ACCOUNT")]
    account: String,
    /// An amount such as '750.00 INR', `unlimited`, or `configured`
    #[arg(value_name = "LIMIT")]
    limit: String,
    #[command(flatten)]
    which: ListArgs,
}

#[derive(Args)]
pub(super) struct CreditArgs {
    /// The account with its window
    #[arg(value_name = "ACCOUNT")]
    account: String,
    /// An amount such as '100.00 INR'
    #[arg(value_name = "AMOUNT")]
    amount: String,
    /// Names this credit: the same name again changes nothing
    #[arg(long, value_name = "ID")]
    id: String,
    #[command(flatten)]
    which: ListArgs,
}

pub(super) fn accounts(command: &AccountsCommand) -> Result<(), Failure> {
    match command {
        AccountsCommand::List(arguments) => list(arguments),
        AccountsCommand::Show(ShowArgs { account, which }) => {
            let path = format!("/api/v1/ledger/{}/accounts/{}", segment(&which.tenant), segment(account));
            tell(&AdminClient::new(&which.admin)?.get(&path)?, which.json)
        }
        AccountsCommand::Limit(LimitArgs { account, limit, which }) => {
            change(which, "limits", &json!({"account": account, "limit": limit}))
        }
        AccountsCommand::TopUp(arguments) => credit(arguments, "top_up"),
        AccountsCommand::Refund(arguments) => credit(arguments, "refund"),
    }
}

fn list(arguments: &ListArgs) -> Result<(), Failure> {
    let client = AdminClient::new(&arguments.admin)?;
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/ledger/{}/accounts?limit={PAGE}{cursor}", segment(&arguments.tenant));
        let page = client.get(&path)?;
        for account in page.get("accounts").and_then(Value::as_array).into_iter().flatten() {
            tell(account, arguments.json)?;
        }
        match page.get("next_cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={}", segment(next)),
            None => return Ok(()),
        }
    }
}

fn credit(arguments: &CreditArgs, kind: &str) -> Result<(), Failure> {
    let CreditArgs { account, amount, id, which } = arguments;
    change(which, "credits", &json!({"id": id, "account": account, "kind": kind, "amount": amount}))
}

fn change(which: &ListArgs, what: &str, body: &Value) -> Result<(), Failure> {
    let path = format!("/api/v1/ledger/{}/{what}", segment(&which.tenant));
    let answer = AdminClient::new(&which.admin)?.post(&path, body)?;
    if which.json {
        return say(&answer.to_string());
    }
    let changed = answer.get("changed") == Some(&Value::Bool(true));
    say(if changed { "changed" } else { "nothing changed: it was done before, or something newer holds" })
}

fn tell(account: &Value, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return say(&account.to_string());
    }
    let member = |name| account.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    let [name, limit, held, spent, available] = ["account", "limit", "held", "spent", "available"].map(member);
    say(&format!("{name}\n  spent {spent}, held {held}, left {available} of {limit}"))
}
