//! Values of a whole text with their places, and the lines of `raptorgate scan pii`.

use super::Kind;
use super::masker::Masker;
use super::rules::{Action, Rules};
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

/// Reads lines `{"id","text"}` and answers each with `{"id","entities":[{"type","start","end"}]}`, in code points.
#[derive(Debug)]
pub struct JsonLines {
    rules: Rules,
    lines: usize,
    /// A line was no JSON object with a text.
    pub failed: bool,
}

impl Default for JsonLines {
    fn default() -> Self {
        Self { rules: Rules::all(Action::Replace), lines: 0, failed: false }
    }
}

impl JsonLines {
    /// The answer to one line; `None` for an empty one.
    pub fn answer(&mut self, line: &str) -> Option<String> {
        self.lines += 1;
        if line.trim().is_empty() {
            return None;
        }
        let json = serde_json::from_str::<serde_json::Value>(line).ok();
        let text = json.as_ref().and_then(|json| json.get("text")?.as_str());
        let Some(text) = text else {
            self.failed = true;
            return Some(serde_json::json!({ "id": null, "line": self.lines, "error": "not_json" }).to_string());
        };
        let entities = to_code_points(text, &find(text, &self.rules));
        let entities: Vec<_> = entities
            .iter()
            .filter_map(|e| match e.kind {
                Kind::Type(kind) => Some(serde_json::json!({ "type": label(kind), "start": e.start, "end": e.end })),
                Kind::Own(_) => None,
            })
            .collect();
        let id = json.as_ref().and_then(|json| json.get("id")).cloned().unwrap_or_default();
        Some(serde_json::json!({ "id": id, "entities": entities }).to_string())
    }
}
