//! What stands in a value's place. None of it looks like a value.

use super::Kind;
use super::fold::{HASH_LETTERS, fold, is_alnum};
use super::rules::{Action, Rules};
use raptorgate_config::model::PiiType;
use sha2::{Digest, Sha256};

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
        (Action::Hash, _) => {
            let name = name(kind, rules);
            let name = name.trim_end_matches(']');
            out.push_str(name);
            out.push(':');
            hash(value, rules.hash_key(), out);
            out.push(']');
        }
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

/// Letters only, so that no number can be seen in it: 48 bits of SHA-256 over key and value, in twelve letters.
fn hash(value: &str, key: &[u8], out: &mut String) {
    let mut hasher = Sha256::new();
    hasher.update((key.len() as u64).to_le_bytes());
    hasher.update(key);
    for c in value.chars().filter(|c| is_alnum(fold(*c)) || "@.:".contains(*c)) {
        hasher.update([fold(c).to_ascii_lowercase()]);
    }
    for byte in hasher.finalize().iter().take(HASH_LETTERS / 2) {
        out.push(char::from(b'a' + (byte >> 4)));
        out.push(char::from(b'a' + (byte & 15)));
    }
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
