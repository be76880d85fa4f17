//! Check digits: what proves that a number is not just any number.

pub mod gstin;
pub mod iban;
pub mod luhn;
pub mod verhoeff;
