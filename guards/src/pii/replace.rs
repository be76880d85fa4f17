//! What stands in a value's place. None of it looks like a value.

use super::Kind;
use super::fold::{HASH_LETTERS, fold, is_alnum};
use super::rules::{Action, Rules};
use raptorgate_config::model::PiiType;

/// What stands in a value's place.
pub const fn type_name(kind: PiiType) -> &'static str {
    match kind {
        PiiType::Email => "[EMAIL]",
        PiiType::Phone => "[PHONE]",
        PiiType::Aadhaar => "[AADHAAR]",
        PiiType::Pan => "[PAN]",
        PiiType::Gstin => "[GSTIN]",
        PiiType::Ifsc => "[IFSC]",
        PiiType::Upi => "[UPI]",
        PiiType::VoterId => "[VOTER_ID]",
        PiiType::Passport => "[PASSPORT]",
        PiiType::DrivingLicence => "[DRIVING_LICENCE]",
        PiiType::VehicleReg => "[VEHICLE_REG]",
        PiiType::CreditCard => "[CREDIT_CARD]",
        PiiType::Iban => "[IBAN]",
        PiiType::UsSsn => "[US_SSN]",
        PiiType::IpAddress => "[IP_ADDRESS]",
        PiiType::Secret => "[SECRET]",
    }
}

/// Types of which a part still tells who it is.
const fn is_always_whole(kind: PiiType) -> bool {
    matches!(kind, PiiType::Email | PiiType::Upi | PiiType::IpAddress | PiiType::Secret)
}

/// Writes what stands in the place of `value`; gives how much of the value is done. The rest is read again.
pub(super) fn replace(kind: Kind, action: Action, value: &str, rules: &Rules, out: &mut String) -> usize {
    match (action, kind) {
        (Action::Report, _) => out.push_str(value),
        (Action::Mask { keep_last }, Kind::Type(kind)) if !is_always_whole(kind) => return mask(value, keep_last, out),
        (Action::Mask { keep_last }, Kind::Own(_)) => return mask(value, keep_last, out),
        (Action::Mask { .. } | Action::Replace | Action::Block, _) => out.push_str(&name(kind, rules)),
    }
    value.len()
}

fn name(kind: Kind, rules: &Rules) -> std::borrow::Cow<'static, str> {
    match kind {
        Kind::Type(kind) => type_name(kind).into(),
        Kind::Own(place) => format!("[{}]", rules.own().get(place).map_or("OWN", |own| &own.name)).into(),
    }
}

/// A placeholder that tells values apart: the name and the beginning of a keyed digest, in letters only, so that no number can be
/// seen in it. A masked text that is masked again knows it as one.
pub fn placeholder(name: &str, digest: &[u8]) -> String {
    let halves = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]).take(HASH_LETTERS);
    let letters: String = halves.map(|half| char::from(b'a' + half)).collect();
    format!("[{name}:{letters}]")
}

/// What is the same in all ways to write a value: its letters and digits, folded, and the signs of addresses.
pub fn canonical(value: &str) -> Vec<u8> {
    let counts = |c: &char| is_alnum(fold(*c)) || "@.:".contains(*c);
    value.chars().filter(counts).map(|c| fold(c).to_ascii_lowercase()).collect()
}

/// Writes `value` with all but its last letters and digits as `X`, up to the first one that stays; gives its place. At
/// least one is always masked.
fn mask(value: &str, keep_last: usize, out: &mut String) -> usize {
    let readable = value.chars().filter(|c| is_alnum(fold(*c))).count();
    let mut left = readable - keep_last.min(readable.saturating_sub(1));
    for (at, c) in value.char_indices() {
        match (is_alnum(fold(c)), left) {
            (true, 0) => return at,
            (true, _) => {
                left -= 1;
                out.push('X');
            }
            (false, _) => out.push(c),
        }
    }
    value.len()
}
