//! Totals by tenant and user, in pages.
//!
//! # Invariants
//! * A page has at most [`PAGE_ACCOUNTS_MAX`] accounts (`pages_are_bounded`).

use super::Panel;
use super::problem::Problem;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use raptorgate_policies::totals::Account;
use serde::Deserialize;
use serde_json::{Value, json};

/// Most accounts on a page.
const PAGE_ACCOUNTS_MAX: usize = 1_000;
/// Accounts on a page if the caller does not say.
const PAGE_ACCOUNTS_DEFAULT: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    cursor: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn list(
    State(panel): State<Panel>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Ok(Query(Page { cursor, limit })) = page else {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "wrong_query", "the query takes `cursor` and `limit`"));
    };
    let limit = limit.unwrap_or(PAGE_ACCOUNTS_DEFAULT).clamp(1, PAGE_ACCOUNTS_MAX);
    let (accounts, next) = panel.totals().page(cursor.as_deref(), limit);
    let accounts: Vec<Value> = accounts.iter().map(account).collect();
    Ok(Json(json!({"accounts": accounts, "next_cursor": next})))
}

pub(super) async fn one(
    State(panel): State<Panel>,
    Path((tenant, user)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    match panel.totals().get(&tenant, &user) {
        Some(found) => Ok(Json(account(&found))),
        None => Err(Problem::new(StatusCode::NOT_FOUND, "not_found", "nothing was metered for this user")),
    }
}

fn account(account: &Account) -> Value {
    json!({
        "tenant": account.tenant,
        "user": account.user,
        "requests": account.requests,
        "estimated_requests": account.estimated_requests,
        "input_tokens": account.input_tokens,
        "output_tokens": account.output_tokens,
        "cached_input_tokens": account.cached_input_tokens,
        "cost": account.cost.to_string(),
    })
}
