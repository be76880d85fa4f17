//! Client certificates that stand for a caller: known tenants, one id each, told apart by what they hold.
//!
//! # Invariants
//! * In one block nothing that a certificate may hold stands for two callers (`every_mistake_is_told_where_it_stands`).
//! * Where certificates are accepted, a listener asks for them (`every_mistake_is_told_where_it_stands`).

use super::keys::{Ids, KnownKey, KnownKeys, known_tenant, same_everywhere};
use super::{Scope, once};
use crate::decode::Context;
use crate::model::{CertificateMatch, ClientCertificate};
use crate::problem::{Code, Finding, Position};
use crate::routes::{AuthenticateBlock, ClientCertificateBlock};
use crate::values::Label;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Checks the certificates of one `authenticate` block; `known` are the keys and certificates of the whole file.
pub(super) fn check(
    block: &AuthenticateBlock,
    scope: &Scope<'_>,
    ids: &mut Ids,
    known: &mut KnownKeys,
    cx: &mut Context,
) {
    let Some(list) = &block.client_certificates else { return };
    if scope.sound {
        asked_for(block.at, scope, cx);
    }
    let mut matches: HashMap<CertificateMatch, Position> = HashMap::new();
    for certificate in &list.0 {
        let repeated = ids.contains_key(&certificate.id.shown());
        once(ids, certificate.id.shown(), certificate.id.at, "client certificate or API key", cx);
        known_tenant(&certificate.tenant, scope, cx);
        let Some(holds) = one_match(certificate, cx) else { continue };
        if !repeated {
            let hash = Sha256::digest(format!("{holds:?}")).into();
            let (tenant, user) = (certificate.tenant.value.clone(), certificate.user.clone());
            let this = KnownKey { at: certificate.id.at, hash, tenant, user };
            same_everywhere(&certificate.id, this, "client certificate", "name", known, cx);
        }
        if let Some(first) = matches.insert(holds, certificate.at).filter(|first| *first != certificate.at) {
            let id = certificate.id.shown();
            let message = format!("client certificate `{id}` is known by the same as another of this route");
            let help = format!("the other one is in line {}", first.line);
            cx.tell(Finding::new(certificate.at, Code::DuplicateName, message).help(help));
        }
    }
}

/// Without a listener that asks, no request could ever be of such a caller.
fn asked_for(at: Position, scope: &Scope<'_>, cx: &mut Context) {
    let mut listeners = scope.file.listeners.iter().flat_map(|list| &list.0);
    let asks = listeners.any(|listener| listener.tls.as_ref().is_some_and(|tls| tls.client_certificates.is_some()));
    if !asks {
        let message = "no listener asks for client certificates";
        let help = "set `tls.client_certificates` on one";
        cx.tell(Finding::new(at, Code::MissingBlock, message).help(help));
    }
}

/// What it is known by, if exactly one thing is given.
fn one_match(block: &ClientCertificateBlock, cx: &mut Context) -> Option<CertificateMatch> {
    let matches = matches(block);
    let told = match matches.as_slice() {
        [one] => return Some(one.clone()),
        [] if block.sound => {
            Finding::new(block.at, Code::MissingKey, "a client certificate needs one of `sha256`, `san` and `subject`")
                .help("`san: \"spiffe://prod/agents\"` for whoever bears that name, `sha256` for this one certificate")
        }
        [] => return None,
        _ => Finding::new(
            block.at,
            Code::Conflict,
            "a client certificate is known by one of `sha256`, `san` and `subject`, not by several",
        )
        .help("keep the one that tells most"),
    };
    cx.tell(told);
    None
}

fn matches(block: &ClientCertificateBlock) -> Vec<CertificateMatch> {
    let hash = block.sha256.as_ref().map(|hash| CertificateMatch::Sha256(hash.value.0));
    let san = block.san.as_ref().map(|name| CertificateMatch::San(name.value.clone()));
    let subject = block.subject.as_ref().map(|name| CertificateMatch::Subject(name.value.0.clone()));
    [hash, san, subject].into_iter().flatten().collect()
}

/// The meaning of a block that was checked.
pub(super) fn resolve(block: &AuthenticateBlock) -> Vec<ClientCertificate> {
    block.client_certificates.iter().flat_map(|list| &list.0).filter_map(certificate).collect()
}

fn certificate(block: &ClientCertificateBlock) -> Option<ClientCertificate> {
    let label = |label: &Label| label.as_str().into();
    Some(ClientCertificate {
        id: block.id.value.as_str().into(),
        holds: matches(block).into_iter().next()?,
        tenant: block.tenant.value.as_str().into(),
        user: label(&block.user),
        tier: block.tier.as_ref().map(label),
        region: block.region.as_ref().map(label),
        scopes: block.scopes.iter().map(label).collect(),
    })
}
