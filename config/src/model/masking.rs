//! Personal data and secrets: what is looked for, and what is done with it.

use super::JsonPath;
use crate::units::Secret;

/// PII masking per direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskPii {
    /// What is done in requests; empty: nothing is looked for.
    pub request: Masking,
    /// What is done in replies.
    pub response: Masking,
    /// Values that are never touched.
    pub allow: Vec<String>,
    /// Key of hashes and tokens.
    pub key: Option<Secret>,
    /// Queries are masked as bodies are, but for secrets.
    pub query: bool,
    /// Which parts of JSON requests are looked at.
    pub paths: JsonPaths,
}

/// Parts of JSON documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonPaths {
    /// Only these; empty: all.
    pub only: Vec<JsonPath>,
    /// Not these.
    pub skip: Vec<JsonPath>,
}

/// What is done in one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masking {
    /// Types that are looked for.
    pub types: Vec<Masked>,
    /// Patterns that are.
    pub patterns: Vec<OwnPattern>,
}

impl Masking {
    /// True if nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty() && self.patterns.is_empty()
    }

    /// Everything that is done with something.
    pub fn actions(&self) -> impl Iterator<Item = PiiAction> {
        self.types.iter().map(|masked| masked.action).chain(self.patterns.iter().map(|pattern| pattern.action))
    }
}

/// A type that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Masked {
    /// Which.
    pub kind: PiiType,
    /// What is done with it.
    pub action: PiiAction,
    /// Least certainty in percent.
    pub threshold_percent: u8,
}

/// A pattern of the operator's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPattern {
    /// What stands in its place.
    pub name: String,
    /// A regular expression that matches a bounded number of bytes.
    pub regex: String,
    /// What is done with it.
    pub action: PiiAction,
}

/// Types of personal data, and secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PiiType {
    /// E-mail address.
    Email,
    /// Phone number.
    Phone,
    /// Aadhaar number (12 digits, Verhoeff), or the virtual ID that stands for one (16 digits).
    Aadhaar,
    /// Indian permanent account number.
    Pan,
    /// Indian goods and services tax number, with its check character.
    Gstin,
    /// Code of an Indian bank's branch.
    Ifsc,
    /// Address for payments in India: `name@bank`.
    Upi,
    /// Indian voter's card (EPIC).
    VoterId,
    /// Indian passport.
    Passport,
    /// Indian driving licence.
    DrivingLicence,
    /// Registration mark of an Indian vehicle.
    VehicleReg,
    /// Payment card number (Luhn).
    CreditCard,
    /// International bank account number (mod 97).
    Iban,
    /// Social security number of the United States.
    UsSsn,
    /// IPv4 or IPv6 address.
    IpAddress,
    /// Key, token, password or private key of a machine or service.
    Secret,
}

impl PiiType {
    /// All types, in the order of their declaration.
    pub const ALL: [Self; 16] = [
        Self::Email,
        Self::Phone,
        Self::Aadhaar,
        Self::Pan,
        Self::Gstin,
        Self::Ifsc,
        Self::Upi,
        Self::VoterId,
        Self::Passport,
        Self::DrivingLicence,
        Self::VehicleReg,
        Self::CreditCard,
        Self::Iban,
        Self::UsSsn,
        Self::IpAddress,
        Self::Secret,
    ];

    /// Its name in the configuration, in metrics and in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Aadhaar => "aadhaar",
            Self::Pan => "pan",
            Self::Gstin => "gstin",
            Self::Ifsc => "ifsc",
            Self::Upi => "upi",
            Self::VoterId => "voter_id",
            Self::Passport => "passport",
            Self::DrivingLicence => "driving_licence",
            Self::VehicleReg => "vehicle_reg",
            Self::CreditCard => "credit_card",
            Self::Iban => "iban",
            Self::UsSsn => "us_ssn",
            Self::IpAddress => "ip_address",
            Self::Secret => "secret",
        }
    }
}

impl OwnPattern {
    /// Most bytes that a pattern may match: what is held back of a stream is bounded.
    pub const BYTES_MAX: usize = 120;
}

/// What is done with one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PiiAction {
    /// Replace all but the last characters by `X`, separators kept: `XXXX XXXX 1234`. An e-mail is always replaced whole.
    Mask {
        /// Characters left readable.
        keep_last: usize,
    },
    /// Replace by the type's name: `[AADHAAR]`.
    Replace,
    /// Replace by the type's name and a keyed hash.
    Hash,
    /// As [`PiiAction::Hash`]; where the reply has it, the value comes back.
    Tokenize,
    /// Refuse the request, or withhold the reply.
    Block,
    /// Count it and leave it as it is.
    Report,
}
