//! Social security numbers: the words of those who write them down, and of keys and column heads. `*`: a stem.

pub(super) const WORDS: &[&str] = &[
    "ssn",
    "ssns",
    "socialsecurity",
    "social",
    "security",
    "itin",
    "taxpayer",
    "socsec",
    "social+security",
    "soc+sec",
];
