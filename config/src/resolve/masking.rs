//! Masking: what is looked for in which direction, and what that needs.

use super::blocks::needs_one;
use crate::decode::Context;
use crate::masking::{Direction, DirectionBlock, MaskAction, MaskBlock, PatternBlock};
use crate::model::{JsonPaths, MaskPii, Masked, Masking, OwnPattern, PiiAction, PiiType};
use crate::problem::{Code, Finding};
use std::collections::BTreeSet;

/// Shortest key of hashes and tokens.
const KEY_CHARS_MIN: usize = 32;

pub(super) fn check(block: &MaskBlock, cx: &mut Context) {
    let nothing = block.request.is_none() && block.response.is_none() && block.patterns.is_none();
    needs_one(block.sound && nothing, block.at, "`request`, `response` or `patterns`", cx);
    for direction in block.request.iter().chain(&block.response) {
        let empty = direction.sound && types(direction).is_empty();
        needs_one(empty, direction.at, "a type, such as `email` or `aadhaar`, or `all`", cx);
    }
    let mut names = BTreeSet::new();
    for pattern in patterns(block) {
        if !names.insert(pattern.name.value.as_str().to_uppercase()) {
            let message = format!("a second pattern `{}`", pattern.name.value);
            cx.tell(Finding::new(pattern.name.at, Code::DuplicateName, message));
        }
    }
    check_key(block, cx);
}

/// What hashes and tokens need, and where a token makes sense.
fn check_key(block: &MaskBlock, cx: &mut Context) {
    let resolved = mask_pii(block);
    let keyed = |action: PiiAction| matches!(action, PiiAction::Hash | PiiAction::Tokenize);
    if resolved.response.actions().any(|action| action == PiiAction::Tokenize) {
        let message = "a reply cannot be tokenized: nobody would turn the tokens back";
        cx.tell(Finding::new(block.at, Code::Conflict, message).help("`hash` in replies, `tokenize` in requests"));
    }
    match &block.key {
        Some(key) if key.value.reveal().chars().count() < KEY_CHARS_MIN => {
            let message = "the key of hashes and tokens is too short";
            cx.tell(
                Finding::new(key.at, Code::WrongValue, message).help("32 characters or more: `openssl rand -hex 32`"),
            );
        }
        None if resolved.request.actions().chain(resolved.response.actions()).any(keyed) => {
            let message = "`hash` and `tokenize` need a `key` in `mask_pii`";
            cx.tell(
                Finding::new(block.at, Code::MissingKey, message).help("key: ${MASK_KEY}, from `openssl rand -hex 32`"),
            );
        }
        Some(_) | None => {}
    }
}

fn patterns(block: &MaskBlock) -> impl Iterator<Item = &PatternBlock> {
    block.patterns.iter().flat_map(|patterns| &patterns.0)
}

fn types(block: &DirectionBlock) -> Vec<Masked> {
    let named: [(PiiType, &Option<MaskAction>); 16] = [
        (PiiType::Email, &block.email),
        (PiiType::Phone, &block.phone),
        (PiiType::Aadhaar, &block.aadhaar),
        (PiiType::Pan, &block.pan),
        (PiiType::Gstin, &block.gstin),
        (PiiType::Ifsc, &block.ifsc),
        (PiiType::Upi, &block.upi),
        (PiiType::VoterId, &block.voter_id),
        (PiiType::Passport, &block.passport),
        (PiiType::DrivingLicence, &block.driving_licence),
        (PiiType::VehicleReg, &block.vehicle_reg),
        (PiiType::CreditCard, &block.credit_card),
        (PiiType::Iban, &block.iban),
        (PiiType::UsSsn, &block.us_ssn),
        (PiiType::IpAddress, &block.ip_address),
        (PiiType::Secret, &block.secret),
    ];
    let one = |(kind, own): (PiiType, &Option<MaskAction>)| {
        let MaskAction { action, threshold_percent } = own.or(block.all)?;
        Some(Masked { kind, action, threshold_percent })
    };
    named.into_iter().filter_map(one).collect()
}

fn direction(types_of: Option<&DirectionBlock>, block: &MaskBlock, other: Direction) -> Masking {
    let here = patterns(block).filter(|pattern| pattern.direction != other).map(|pattern| OwnPattern {
        name: pattern.name.value.as_str().to_owned(),
        regex: pattern.regex.value.0.clone(),
        action: pattern.action.action,
    });
    Masking { types: types_of.map(types).unwrap_or_default(), patterns: here.collect() }
}

pub(super) fn mask_pii(block: &MaskBlock) -> MaskPii {
    MaskPii {
        request: direction(block.request.as_ref(), block, Direction::Response),
        response: direction(block.response.as_ref(), block, Direction::Request),
        allow: block.allow.iter().map(|value| value.as_str().to_owned()).collect(),
        key: block.key.as_ref().map(|key| key.value.clone()),
        query: block.query,
        paths: block
            .json_paths
            .as_ref()
            .map(|paths| JsonPaths { only: paths.only.clone(), skip: paths.skip.clone() })
            .unwrap_or_default(),
    }
}
