//! Values of a whole text with their places.

use super::Kind;
use super::masker::Masker;
use super::rules::Rules;
use raptorgate_config::model::PiiType;

/// A value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// Bytes before it.
    pub start: usize,
    /// Bytes before its end.
    pub end: usize,
    /// How certain it is, in percent.
    pub certain: u8,
}

/// All values of a text, sorted, not overlapping.
pub fn find(text: &str, rules: &Rules) -> Vec<Entity> {
    if rules.is_empty() {
        return Vec::new();
    }
    let mut masker = Masker::recording(rules);
    let mut out = String::new();
    masker.push(text, &mut out);
    masker.finish(&mut out);
    masker.take_entities()
}

/// The same entities by Unicode code points.
pub fn to_code_points(text: &str, entities: &[Entity]) -> Vec<Entity> {
    let (mut bytes, mut points) = (0, 0);
    let mut points_at = |place: usize| {
        points += text.get(bytes..place).unwrap_or_default().chars().count();
        bytes = place;
        points
    };
    entities.iter().map(|e| Entity { start: points_at(e.start), end: points_at(e.end), ..*e }).collect()
}

/// Name of a type in reports and labelled data: `IN_AADHAAR`.
pub const fn label(kind: PiiType) -> &'static str {
    match kind {
        PiiType::Email => "EMAIL",
        PiiType::Phone => "PHONE",
        PiiType::Aadhaar => "IN_AADHAAR",
        PiiType::Pan => "IN_PAN",
        PiiType::Gstin => "IN_GSTIN",
        PiiType::Ifsc => "IN_IFSC",
        PiiType::Upi => "IN_UPI",
        PiiType::VoterId => "IN_VOTER_ID",
        PiiType::Passport => "IN_PASSPORT",
        PiiType::DrivingLicence => "IN_DRIVING_LICENCE",
        PiiType::VehicleReg => "IN_VEHICLE_REG",
        PiiType::CreditCard => "CREDIT_CARD",
        PiiType::Iban => "IBAN",
        PiiType::UsSsn => "US_SSN",
        PiiType::IpAddress => "IP_ADDRESS",
        PiiType::Secret => "SECRET",
    }
}
