//! API keys: known tenants, one id each, one text each; client certificates beside them.
//!
//! # Invariants
//! * A key's text does not outlive the loading; only its SHA-256 does (`secrets_never_print`).
//! * An id stands for one key: the same text, tenant and user wherever it is repeated (`a_key_may_stand_on_many_routes`).
//! * In one block neither an id nor a text stands twice (`every_mistake_is_told_where_it_stands`).

use super::{Scope, client_certificates, once};
use crate::decode::{At, Context};
use crate::model::{ApiKey, Authenticate};
use crate::problem::{Code, Finding, Position, suggest};
use crate::routes::{ApiKeyBlock, AuthenticateBlock};
use crate::values::{Label, Name};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Every key and client certificate of the file by its id.
pub(super) type KnownKeys = BTreeMap<String, KnownKey>;

/// What an id stands for.
pub(super) struct KnownKey {
    pub at: Position,
    pub hash: [u8; 32],
    pub tenant: Name,
    pub user: Label,
}

/// Checks one `authenticate` block; `known` are the keys of the whole file.
pub(super) fn check(block: &AuthenticateBlock, scope: &Scope<'_>, known: &mut KnownKeys, cx: &mut Context) {
    if block.sound && block.api_keys.is_none() && block.client_certificates.is_none() {
        let message = "`authenticate` needs `api_keys`, `client_certificates`, or both";
        cx.tell(Finding::new(block.at, Code::MissingKey, message));
    }
    let mut ids = BTreeMap::new();
    check_api_keys(block, scope, &mut ids, known, cx);
    client_certificates::check(block, scope, &mut ids, known, cx);
}

/// Ids of one block, and where they stand.
pub(super) type Ids = BTreeMap<String, Position>;

fn check_api_keys(
    block: &AuthenticateBlock,
    scope: &Scope<'_>,
    ids: &mut Ids,
    known: &mut KnownKeys,
    cx: &mut Context,
) {
    let mut hashes: BTreeMap<[u8; 32], Position> = BTreeMap::new();
    for key in block.api_keys.iter().flat_map(|list| &list.0) {
        let repeated = ids.contains_key(&key.id.shown());
        once(ids, key.id.shown(), key.id.at, "API key", cx);
        known_tenant(&key.tenant, scope, cx);
        let Some(hash) = one_text(key, cx) else { continue };
        if !repeated {
            let this = KnownKey { at: key.id.at, hash, tenant: key.tenant.value.clone(), user: key.user.clone() };
            same_everywhere(&key.id, this, "API key", "text", known, cx);
        }
        if let Some(first) = hashes.insert(hash, key.at).filter(|first| *first != key.at) {
            let message = format!("API key `{}` has the same text as another key of this route", key.id.shown());
            let help = format!("the other one is in line {}", first.line);
            cx.tell(Finding::new(key.at, Code::DuplicateName, message).help(help));
        }
    }
}

/// A key may stand on many routes, with scopes of its own on each, but then it is the same key.
pub(super) fn same_everywhere(
    id: &At<Name>,
    this: KnownKey,
    kind: &str,
    part: &str,
    known: &mut KnownKeys,
    cx: &mut Context,
) {
    let what = |key: &KnownKey| (key.hash, key.tenant.clone(), key.user.clone());
    match known.get(&id.shown()) {
        Some(first) if what(first) != what(&this) => {
            let line = first.at.line;
            let message = format!("{kind} `{}` has another {part}, tenant or user than in line {line}", id.shown());
            let help = "an id stands for one key: give this one another id";
            cx.tell(Finding::new(id.at, Code::DuplicateName, message).help(help));
        }
        Some(_) => {}
        None => {
            known.insert(id.shown(), this);
        }
    }
}

pub(super) fn known_tenant(tenant: &At<Name>, scope: &Scope<'_>, cx: &mut Context) {
    let tenants = scope.file.tenants.0.iter().map(|(name, _)| name.value.as_str());
    let name = tenant.value.as_str();
    if !tenants.clone().any(|known| known == name) {
        let nothing = || Some("add it under `tenants`".to_owned());
        let message = format!("no tenant is called `{}`", tenant.shown());
        cx.tell(
            Finding::new(tenant.at, Code::UnknownName, message).maybe_help(suggest(name, tenants).or_else(nothing)),
        );
    }
}

/// The hash, if exactly one of `sha256` and `key` is given and is not empty.
fn one_text(key: &ApiKeyBlock, cx: &mut Context) -> Option<[u8; 32]> {
    const HELP: &str =
        "`key: \"${NAME}\"` for a key in the environment, `sha256: \"<hex>\"` for one that is kept elsewhere";
    match (&key.sha256, &key.key) {
        (Some(hash), None) => Some(hash.value.0),
        (None, Some(text)) if text.value.reveal().is_empty() => {
            cx.tell(Finding::new(text.at, Code::WrongValue, format!("API key `{}` is empty", key.id.shown())));
            None
        }
        (None, Some(text)) => Some(Sha256::digest(text.value.reveal().as_bytes()).into()),
        (None, None) => {
            if key.sound {
                cx.tell(Finding::new(key.at, Code::MissingKey, "an API key needs `sha256` or `key`").help(HELP));
            }
            None
        }
        (Some(_), Some(text)) => {
            cx.tell(
                Finding::new(text.at, Code::Conflict, "an API key has either `sha256` or `key`, not both").help(HELP),
            );
            None
        }
    }
}

/// The meaning of a block that was checked.
pub(super) fn resolve(block: &AuthenticateBlock) -> Authenticate {
    Authenticate {
        api_keys: block.api_keys.iter().flat_map(|list| &list.0).map(api_key).collect(),
        client_certificates: client_certificates::resolve(block),
    }
}

fn api_key(key: &ApiKeyBlock) -> ApiKey {
    let hashed = || key.key.as_ref().map(|text| Sha256::digest(text.value.reveal().as_bytes()).into());
    let label = |label: &Label| label.as_str().into();
    ApiKey {
        id: key.id.value.as_str().into(),
        // Without either of the two a problem was told, and this value goes nowhere.
        sha256: key.sha256.as_ref().map(|hash| hash.value.0).or_else(hashed).unwrap_or_default(),
        tenant: key.tenant.value.as_str().into(),
        user: label(&key.user),
        tier: key.tier.as_ref().map(label),
        region: key.region.as_ref().map(label),
        scopes: key.scopes.iter().map(label).collect(),
    }
}
