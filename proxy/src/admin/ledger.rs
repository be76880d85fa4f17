//! Money as the ledger has it: accounts, limits, credits and lines of a tenant, in pages.
//!
//! # Invariants
//! * A page has at most [`PAGE_MAX`] items (`ledger_pages_are_bounded`).
//! * A credit that is sent twice counts once: it is named by its sender (`an_operator_changes_limits_and_tops_up_while_requests_come`).

use super::Panel;
use super::problem::Problem;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use raptorgate_config::units::{Currency, Money};
use raptorgate_policies::Timestamp;
use raptorgate_policies::ledger::{
    Account, AccountName, Change, Credit, CreditKind, Entry, Head, LimitChange, Nanos, Note, SetLimit, StoreName, Trim,
};
use raptorgate_policies::store::{Now, Store, StoreError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Most items on a page.
const PAGE_MAX: usize = 1_000;
/// Items on a page if the caller does not say.
const PAGE_DEFAULT: usize = 100;

type Answer = Result<Json<Value>, Problem>;

fn store(panel: &Panel) -> Result<Arc<dyn Store>, Problem> {
    let none = "no route has budgets or rate limits, and there is no `store`";
    panel.store().ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no_store", none))
}

fn failed(error: StoreError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", &error.to_string())
}

fn wrong(detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_value", detail)
}

fn tenant(name: &str) -> StoreName {
    StoreName::of(&[name])
}

pub(super) async fn tenants(State(panel): State<Panel>) -> Answer {
    let mut tenants = store(&panel)?.tenants().await.map_err(failed)?;
    tenants.sort_unstable();
    let names: Vec<&str> = tenants.iter().map(StoreName::as_str).collect();
    Ok(Json(json!({"tenants": names})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountPage {
    cursor: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn accounts(
    State(panel): State<Panel>,
    Path(name): Path<String>,
    page: Result<Query<AccountPage>, QueryRejection>,
) -> Answer {
    let query = || Problem::new(StatusCode::BAD_REQUEST, "wrong_query", "the query takes `cursor` and `limit`");
    let Query(AccountPage { cursor, limit }) = page.map_err(|_| query())?;
    let after = cursor.as_deref().map(|text| AccountName::parse(text).ok_or_else(query)).transpose()?;
    let count = limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let found = store(&panel)?.accounts(&tenant(&name), after.as_ref(), count).await.map_err(failed)?;
    let next = found.last().filter(|_| found.len() == count).map(|(name, _)| name.to_string());
    let accounts: Vec<Value> = found.iter().map(|(name, account)| view(name, account)).collect();
    Ok(Json(json!({"accounts": accounts, "next_cursor": next})))
}

pub(super) async fn account(State(panel): State<Panel>, Path((name, account)): Path<(String, String)>) -> Answer {
    let missing = || Problem::new(StatusCode::NOT_FOUND, "not_found", "the ledger has no such account");
    let account = AccountName::parse(&account).ok_or_else(missing)?;
    let found = store(&panel)?.account(&tenant(&name), &account).await.map_err(failed)?;
    found.map(|numbers| Json(view(&account, &numbers))).ok_or_else(missing)
}

/// The currency stands in an account's name, behind the budget's.
fn currency(base: &StoreName) -> Option<Currency> {
    Currency::parse(base.as_str().split(':').nth(1)?)
}

fn view(name: &AccountName, account: &Account) -> Value {
    let money = |amount: Nanos| match currency(&name.base) {
        Some(currency) => Money::from_nanos(amount.get(), currency).to_string(),
        None => amount.to_string(),
    };
    json!({
        "account": name.to_string(),
        "budget": name.base.as_str().split(':').next(),
        "window": name.window.as_str(),
        "limit": account.limit.map(money),
        "topped_up": money(account.topped),
        "held": money(account.held),
        "spent": money(account.spent),
        "available": account.available().map(money),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitBody {
    /// The account without its window.
    account: String,
    /// An amount, `unlimited` or `configured`.
    limit: String,
    /// Only a higher version than the one that holds changes anything; the time if left out.
    version: Option<u64>,
}

pub(super) async fn set_limit(
    State(panel): State<Panel>,
    Path(name): Path<String>,
    body: Result<Json<LimitBody>, JsonRejection>,
) -> Answer {
    let Json(body) = body.map_err(|_| wrong("the body is `{\"account\", \"limit\", \"version\"}`"))?;
    let account = body.account.split('@').next().and_then(StoreName::parse);
    let base = account.ok_or_else(|| wrong("`account` is not the name of an account"))?;
    let limit = match body.limit.as_str() {
        "unlimited" => LimitChange::Unlimited,
        "configured" => LimitChange::Configured,
        amount => LimitChange::Amount(amount_of(amount, &base)?),
    };
    if matches!(limit, LimitChange::Amount(amount) if amount < Nanos::ZERO) {
        return Err(wrong("a limit cannot be negative"));
    }
    let version = body.version.unwrap_or_else(|| Timestamp::now().micros());
    let set = SetLimit { base, limit, version, note: by_admin() };
    let change = store(&panel)?.set_limit(&tenant(&name), &set, Now::Store).await.map_err(failed)?;
    changed(change)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreditBody {
    /// Names this credit.
    id: String,
    /// The account with its window.
    account: String,
    /// `top_up`, `refund`.
    kind: String,
    amount: String,
}

pub(super) async fn credit(
    State(panel): State<Panel>,
    Path(name): Path<String>,
    body: Result<Json<CreditBody>, JsonRejection>,
) -> Answer {
    let Json(body) = body.map_err(|_| wrong("the body is `{\"id\", \"account\", \"kind\", \"amount\"}`"))?;
    let account = AccountName::parse(&body.account);
    let account = account.ok_or_else(|| wrong("`account` is not the name of an account with its window"))?;
    let kind = match body.kind.as_str() {
        "top_up" => CreditKind::TopUp,
        "refund" => CreditKind::Refund,
        _ => return Err(wrong("`kind` is `top_up` or `refund`")),
    };
    if body.id.is_empty() || body.id.len() > 128 {
        return Err(wrong("`id` has 1 to 128 characters"));
    }
    let amount = amount_of(&body.amount, &account.base)?;
    let credit = Credit { name: StoreName::of(&[&body.id]), account, kind, amount, note: by_admin() };
    let change = store(&panel)?.credit(&tenant(&name), &credit, Now::Store).await.map_err(failed)?;
    changed(change)
}

fn by_admin() -> Note {
    Note::new(r#"{"by":"admin"}"#).unwrap_or_default()
}

/// An amount in the currency of the account that it is for.
fn amount_of(text: &str, base: &StoreName) -> Result<Nanos, Problem> {
    let amount = Money::parse(text).ok_or_else(|| wrong("an amount is written as `500.00 INR`"))?;
    if currency(base).is_some_and(|currency| currency != amount.currency()) {
        return Err(wrong("the amount is in another currency than the account"));
    }
    Ok(Nanos::new(amount.nanos()))
}

fn changed(change: Change) -> Answer {
    match change {
        Change::Done => Ok(Json(json!({"changed": true}))),
        Change::Superseded => Ok(Json(json!({"changed": false}))),
        Change::Overflow => Err(wrong("the sum is larger than an account can hold")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryPage {
    after: Option<u64>,
    limit: Option<usize>,
}

pub(super) async fn entries(
    State(panel): State<Panel>,
    Path(name): Path<String>,
    page: Result<Query<EntryPage>, QueryRejection>,
) -> Answer {
    let query = |_| Problem::new(StatusCode::BAD_REQUEST, "wrong_query", "the query takes `after` and `limit`");
    let Query(EntryPage { after, limit }) = page.map_err(query)?;
    let count = limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let (store, tenant) = (store(&panel)?, tenant(&name));
    let found = store.entries(&tenant, after.unwrap_or(0), count).await.map_err(failed)?;
    let (head, archived) = (store.head(&tenant).await.map_err(failed)?, store.archived(&tenant).await.map_err(failed)?);
    let entries: Vec<Value> = found.iter().map(entry).collect();
    Ok(Json(json!({"entries": entries, "head": end(&head), "archived": end(&archived)})))
}

fn end(head: &Head) -> Value {
    json!({"version": head.version, "hash": head.hash})
}

/// A line as it was hashed: as a text, for JSON that is written anew has other bytes.
fn entry(entry: &Entry) -> Value {
    json!({"version": entry.version, "line": entry.body, "hash": entry.hash})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrimBody {
    /// The last line that was archived.
    version: u64,
    /// Its hash: whoever does not know it has not archived this ledger.
    hash: String,
}

pub(super) async fn trim(
    State(panel): State<Panel>,
    Path(name): Path<String>,
    body: Result<Json<TrimBody>, JsonRejection>,
) -> Answer {
    let Json(TrimBody { version, hash }) = body.map_err(|_| wrong("the body is `{\"version\", \"hash\"}`"))?;
    let (store, through) = (store(&panel)?, Head { version, hash });
    let trimmed = match store.trim(&tenant(&name), &through).await.map_err(failed)? {
        Trim::Done => "done",
        Trim::Superseded => "before",
        Trim::OtherLine => "other_line",
    };
    Ok(Json(json!({"trimmed": trimmed})))
}
