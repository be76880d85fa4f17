//! Values as they are written: durations, sizes, percentages, whole numbers, names, money.
//!
//! # Invariants
//! * Units are always written and never guessed (`units_are_read_strictly`).
//! * What is read can be written again and means the same (`values_survive_writing_and_reading`).

use crate::decode::{FromText, TextStyle, Wrong};
use crate::units::Secret;
use ipnet::IpNet;
use serde_json::{Value as Json, json};
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// Longest duration: a year.
const DURATION_MAX: Duration = Duration::from_secs(366 * 24 * 3600);
/// Most characters in a name.
const NAME_CHARS_MAX: usize = 128;

const DURATION_UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const BYTE_UNITS: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// Splits `30s` or `30 s` into number and unit; digits only, no sign, no fraction.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit.strip_prefix(' ').unwrap_or(unit)))
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let (_, scale) = units.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*scale)
}

/// A duration that may be nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OrZero(pub Duration);

const DURATION_HELP: &str = "a whole number and a unit: `100ms`, `30s`, `1m`, `24h`, `1d`";
const DURATION_PATTERN: &str = "^[0-9]+ ?(ms|s|m|h|d)$";

impl FromText for OrZero {
    const LABEL: &'static str = "a duration";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let millis = scaled(text, &DURATION_UNITS)
            .ok_or_else(|| Wrong::because("it needs a number and a unit").help(DURATION_HELP))?;
        let duration = Duration::from_millis(millis);
        if duration > DURATION_MAX {
            return Err(Wrong::because("the longest is `366d`"));
        }
        Ok(Self(duration))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": DURATION_PATTERN })
    }
}

impl FromText for Duration {
    const LABEL: &'static str = "a duration above zero";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        match OrZero::from_text(text)?.0 {
            Duration::ZERO => Err(Wrong::because("it is zero")),
            duration => Ok(duration),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^0*[1-9][0-9]* ?(ms|s|m|h|d)$" })
    }
}

/// A duration as it is written in the configuration, `30d`; zero is one too.
pub fn duration(text: &str) -> Option<Duration> {
    OrZero::from_text(text).ok().map(|OrZero(duration)| duration)
}

/// Writes a duration in the largest unit that holds it exactly.
pub(crate) fn duration_text(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    largest_unit(millis, &DURATION_UNITS, "")
}

/// Writes a size in the largest unit that holds it exactly.
pub(crate) fn bytes_text(bytes: u64) -> String {
    largest_unit(bytes, &BYTE_UNITS, " ")
}

fn largest_unit(number: u64, units: &[(&str, u64)], space: &str) -> String {
    let exact = units.iter().rev().find(|(_, scale)| number >= *scale && number.is_multiple_of(*scale));
    let (unit, scale) = exact.or(units.first()).copied().unwrap_or(("", 1));
    format!("{}{space}{unit}", number / scale)
}

/// A number of bytes above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bytes(pub u64);

impl FromText for Bytes {
    const LABEL: &'static str = "a size above zero";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let plain = text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        match plain.or_else(|| scaled(text, &BYTE_UNITS)) {
            None => Err(Wrong::because("it needs a number and a unit")
                .help("a whole number and a unit: `512 KiB`, `10 MiB`, `1 GiB`, or plain bytes")),
            Some(0) => Err(Wrong::because("it is zero")),
            Some(bytes) => Ok(Self(bytes)),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "pattern": "^0*[1-9][0-9]* ?(B|KiB|MiB|GiB)$" }] })
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bytes_text(self.0))
    }
}

/// An IP network, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network(pub IpNet);

impl FromText for Network {
    const LABEL: &'static str = "an IP network";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let wrong = || {
            Wrong::because("it is no address and no prefix")
                .help("such as `10.0.0.0/8`, `2001:db8::/32` or `192.0.2.7`")
        };
        network.map(|network: IpNet| Self(network.trunc())).map_err(|_| wrong())
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whole<const MIN: u64, const MAX: u64>(pub u64);

impl<const MIN: u64, const MAX: u64> FromText for Whole<MIN, MAX> {
    const LABEL: &'static str = "a whole number";
    const STYLE: TextStyle = TextStyle::PlainOnly;

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let number = text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        match number {
            None => Err(Wrong::because("only digits make one")),
            Some(number) if number < MIN => Err(Wrong::because("it is too small").help(format!("the least is {MIN}"))),
            Some(number) if number > MAX => Err(Wrong::because("it is too large").help(format!("the most is {MAX}"))),
            Some(number) => Ok(Self(number)),
        }
    }

    fn schema() -> Json {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

impl FromText for bool {
    const LABEL: &'static str = "true or false";
    const STYLE: TextStyle = TextStyle::PlainOnly;

    fn from_text(text: &str) -> Result<Self, Wrong> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Wrong::because("only `true` and `false` are")),
        }
    }

    fn schema() -> Json {
        json!({ "type": "boolean" })
    }
}

/// A share of requests, 0–100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Percent(pub f64);

impl FromText for Percent {
    const LABEL: &'static str = "a percentage";
    const STYLE: TextStyle = TextStyle::PlainOnly;

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.len() <= 12;
        match text.parse().ok().filter(|_| plain) {
            Some(percent) if (0.0..=100.0).contains(&percent) => Ok(Self(percent)),
            Some(_) => Err(Wrong::because("it is above 100")),
            None => Err(Wrong::because("only a number makes one").help("a number from 0 to 100, without `%`")),
        }
    }

    fn schema() -> Json {
        json!({ "type": "number", "minimum": 0, "maximum": 100 })
    }
}

/// Name of a route, upstream or tenant: what may stand in a metric label, a URL and a shell.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name(String);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromText for Name {
    const LABEL: &'static str = "a name";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let first = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
        let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if !first || !rest || text.len() > NAME_CHARS_MAX {
            let help = "ASCII letters, digits, `_`, `.` and `-`, at most 128, a letter or digit first";
            return Err(Wrong::because("it has other characters than a name may have").help(help));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Json {
        json!({ "type": ["string", "integer"], "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$" })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user, tier, region, scope or model: what may stand in a header.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Label(String);

impl Label {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromText for Label {
    const LABEL: &'static str = "a label";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let fits =
            !text.is_empty() && text.len() <= NAME_CHARS_MAX && text.bytes().all(|b| b.is_ascii_graphic() && b != b',');
        if !fits {
            let why = if text.is_empty() { "it is empty" } else { "it could not stand in a header" };
            return Err(Wrong::because(why).help("1 to 128 visible ASCII characters without spaces and commas"));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Json {
        json!({ "type": ["string", "integer"], "pattern": "^[!-+\\--~]{1,128}$" })
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromText for Secret {
    const LABEL: &'static str = "a secret";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        if !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(
                Wrong::because("it could not stand in a header").help("visible ASCII characters without spaces")
            );
        }
        Ok(Secret::new(text))
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

/// SHA-256, in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sha256Hex(pub [u8; 32]);

impl FromText for Sha256Hex {
    const LABEL: &'static str = "a SHA-256";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let help = "64 hexadecimal digits: `printf %s \"$KEY\" | sha256sum`";
        let wrong = || Wrong::because("it needs 64 hexadecimal digits").help(help);
        let mut hash = [0; 32];
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(hash))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9a-fA-F]{64}$" })
    }
}

/// An IANA time zone by its shape; whether it exists is known only where the zones are.
#[derive(Clone, Debug)]
pub(crate) struct TimeZone(pub String);

impl FromText for TimeZone {
    const LABEL: &'static str = "a time zone";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let part =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-+".contains(c));
        let shaped = text == "UTC" || (text.contains('/') && text.split('/').all(part) && text.len() <= 64);
        if !shaped {
            return Err(Wrong::because("it is no IANA name").help("`Asia/Kolkata`, `Europe/Berlin`, `UTC`"));
        }
        if jiff::tz::TimeZone::get(text).is_err() {
            let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
            let nearest = crate::problem::suggest(text, known.iter().map(String::as_str));
            return Err(Wrong { help: nearest, ..Wrong::because("there is no such time zone") });
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(UTC|[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)+)$" })
    }
}

/// Path of a file as it is written; relative to the configuration's folder.
pub(crate) struct FilePath(pub String);

impl FromText for FilePath {
    const LABEL: &'static str = "a file";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        if text.is_empty() { Err(Wrong::because("it is empty")) } else { Ok(Self(text.to_owned())) }
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amounts::price_text;
    use crate::units::{Currency, Money, Price};
    use proptest::prelude::*;

    fn reads<T: FromText>(text: &str) -> Option<T> {
        T::from_text(text).ok()
    }

    #[test]
    fn units_are_read_strictly() {
        let millis = |text| reads::<OrZero>(text).map(|duration| duration.0.as_millis());
        assert_eq!(
            ["100ms", "30s", "1m", "24h", "1d", "0s", "30 s"].map(millis),
            [Some(100), Some(30_000), Some(60_000), Some(86_400_000), Some(86_400_000), Some(0), Some(30_000)]
        );
        for bad in [
            "",
            "30",
            "s",
            "-1s",
            "+1s",
            "1.5s",
            "1h30m",
            "1S",
            " 1s",
            "1s ",
            "1  s",
            "367d",
            "99999999999999999999s",
            "1µs",
            "١s",
        ] {
            assert_eq!(millis(bad), None, "{bad}");
        }
        let bytes = |text| reads::<Bytes>(text).map(|bytes| bytes.0);
        assert_eq!(
            ["1024", "1 B", "256 KiB", "10MiB", "1 GiB"].map(bytes),
            [1024, 1, 262_144, 10_485_760, 1 << 30].map(Some)
        );
        for bad in [
            "",
            "0",
            "0 B",
            "1 KB",
            "1 kib",
            "1.5 MiB",
            "-1",
            "+1",
            "1e3",
            "99999999999999999999",
            "18446744073709551615 KiB",
        ] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_and_amounts_are_read_strictly() {
        let percent = |text| reads::<Percent>(text).map(|percent| percent.0);
        assert_eq!(["0", "100", "0.5", "5"].map(percent), [0.0, 100.0, 0.5, 5.0].map(Some));
        for bad in ["", "101", "-1", "5%", "1e1", "nan", "inf", "1.1.1", ".", "0x1"] {
            assert_eq!(percent(bad), None, "{bad}");
        }
        let price = |text| reads::<Price>(text).map(Price::nanos_per_million);
        assert_eq!(["12.50 INR", "0 USD"].map(price), [12_500_000_000, 0].map(Some));
        for bad in ["12.50", "12.50INR", "-1 INR", "1 rupee", "1.0000000001 INR"] {
            assert_eq!(price(bad), None, "{bad}");
        }
        assert!(reads::<Sha256Hex>(&"aB".repeat(32)).is_some_and(|hash| hash.0 == [0xab; 32]));
        for bad in ["", "ab", &"g0".repeat(32), &"é".repeat(32), &"ab".repeat(33)] {
            assert!(reads::<Sha256Hex>(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn names_can_stand_in_headers_labels_and_urls() {
        assert!(["chat", "k1", "a.b-c_d", "007"].iter().all(|name| reads::<Name>(name).is_some()));
        assert!(["", "_anon", "-a", "a b", "a/b", "आशा", "a\n"].iter().all(|name| reads::<Name>(name).is_none()));
        assert!(["asha@x.in", "agents:read", "meta/llama-3"].iter().all(|label| reads::<Label>(label).is_some()));
        assert!(["", "a b", "a,b", "आशा", "a\r\nb"].iter().all(|label| reads::<Label>(label).is_none()));
    }

    proptest! {
        #[test]
        fn values_survive_writing_and_reading(millis in 0..31_622_400_000_u64, bytes in 1..u64::MAX, nanos in 0..i64::MAX) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(reads::<OrZero>(&duration_text(duration)), Some(OrZero(duration)));
            prop_assert_eq!(reads::<Bytes>(&bytes_text(bytes)), Some(Bytes(bytes)));
            let price = Price::per_million(Money::from_nanos(nanos, Currency::INR)).unwrap();
            prop_assert_eq!(reads::<Price>(&price_text(price)), Some(price));
        }
    }
}
