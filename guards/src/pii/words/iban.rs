//! Bank account numbers: the words of those who write them down, and of keys and column heads. `*`: a stem.

pub(super) const WORDS: &[&str] = &["iban", "ibans", "swift", "bic", "sepa"];
