//! Types of personal data, and what is done with them.

/// PII masking per direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskPii {
    /// What is done in requests; empty: nothing is looked for.
    pub request: Vec<(PiiType, PiiAction)>,
    /// What is done in replies.
    pub response: Vec<(PiiType, PiiAction)>,
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
    /// Refuse the request, or withhold the reply.
    Block,
}
