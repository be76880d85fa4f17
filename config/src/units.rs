//! Units that a configuration speaks in: money, prices, currencies, secrets.
//!
//! # Invariants
//! * Money is an integer of nano-units; no float is made from it or into it (`money_is_exact_to_the_nano_unit`).
//! * A secret prints as `***` (`a_secret_never_prints`).

use std::fmt;

/// Nano-units in one unit of a currency.
pub const NANOS_PER_UNIT: i64 = 1_000_000_000;

/// ISO 4217 code, three upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Indian rupee.
    pub const INR: Currency = Currency(*b"INR");

    /// Reads an ISO 4217 code; `None` unless it is three upper-case ASCII letters.
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount of money in nano-units of a currency. Prints as `0.012345678 INR`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    nanos: i64,
    currency: Currency,
}

impl Money {
    /// So many nano-units.
    pub const fn from_nanos(nanos: i64, currency: Currency) -> Self {
        Self { nanos, currency }
    }

    /// The amount in nano-units.
    pub const fn nanos(self) -> i64 {
        self.nanos
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Reads `12`, `12.5` or `0.000000001`, with at most nine decimals, as an amount of `currency`.
    /// `None` for anything else and for amounts beyond ±9.2 billion units.
    pub fn parse_amount(text: &str, currency: Currency) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 9 {
            return None;
        }
        let scale = 10_i64.checked_pow(u32::try_from(9 - fraction.len()).ok()?)?;
        let nanos = whole
            .parse::<i64>()
            .ok()?
            .checked_mul(NANOS_PER_UNIT)?
            .checked_add(fraction.parse::<i64>().ok()?.checked_mul(scale)?)?;
        Some(Self { nanos: if negative { -nanos } else { nanos }, currency })
    }

    /// Reads `500.00 INR`.
    pub fn parse(text: &str) -> Option<Self> {
        let (amount, code) = text.trim().split_once(' ')?;
        Self::parse_amount(amount, Currency::parse(code.trim())?)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nanos < 0 { "-" } else { "" };
        let nanos = self.nanos.unsigned_abs();
        let unit = NANOS_PER_UNIT.unsigned_abs();
        write!(f, "{sign}{}.{:09} {}", nanos / unit, nanos % unit, self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A price in nano-units of a currency per million tokens. Never negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Price(Money);

impl Price {
    /// A price; `None` if it is negative.
    pub fn per_million(amount: Money) -> Option<Self> {
        (amount.nanos() >= 0).then_some(Self(amount))
    }

    /// Nano-units per million tokens.
    pub const fn nanos_per_million(self) -> i64 {
        self.0.nanos()
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.0.currency()
    }
}

/// A text that must never be printed or logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Takes the text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_to_the_nano_unit() {
        let money = |text| Money::parse(text).map(|m| m.nanos());
        assert_eq!(money("500.00 INR"), Some(500 * NANOS_PER_UNIT));
        assert_eq!(money("0.000000001 USD"), Some(1));
        assert_eq!(money("-1.5 INR"), Some(-1_500_000_000));
        for bad in [
            "",
            "INR",
            "1",
            "1 inr",
            "1. INR",
            ".5 INR",
            "1.0000000001 INR",
            "1e3 INR",
            "9300000000 INR",
            "+1 INR",
            "--1 INR",
        ] {
            assert_eq!(money(bad), None, "{bad}");
        }
        assert_eq!(Money::from_nanos(12_345_678, Currency::INR).to_string(), "0.012345678 INR");
        assert_eq!(Money::from_nanos(-1, Currency::INR).to_string(), "-0.000000001 INR");
    }

    #[test]
    fn a_secret_never_prints() {
        assert_eq!(format!("{:?}", Secret::new("sk-CANARY")), "***");
    }
}
