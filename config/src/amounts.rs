//! How the file writes money: `500.00 INR`, a price per million tokens, a currency.

use crate::decode::{FromText, Wrong};
use crate::units::{Currency, Money, Price};
use serde_json::{Value as Json, json};

impl FromText for Currency {
    const LABEL: &'static str = "a currency";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        Currency::parse(text)
            .ok_or_else(|| Wrong::because("it is no ISO 4217 code").help("three capital letters: `INR`, `USD`, `EUR`"))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[A-Z]{3}$" })
    }
}

impl FromText for Price {
    const LABEL: &'static str = "a price per million tokens";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let help = "an amount with at most nine decimals and a currency: `12.50 INR`";
        let amount =
            Money::parse(text).ok_or_else(|| Wrong::because("it needs an amount and a currency").help(help))?;
        Price::per_million(amount).ok_or_else(|| Wrong::because("it is negative"))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,9})? [A-Z]{3}$" })
    }
}

impl FromText for Money {
    const LABEL: &'static str = "an amount of money";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let help = "an amount with at most nine decimals and a currency: `500.00 INR`";
        Money::parse(text).ok_or_else(|| Wrong::because("it needs an amount and a currency").help(help))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,9})? [A-Z]{3}$" })
    }
}

/// Writes an amount as a file would.
pub(crate) fn money_text(amount: Money) -> String {
    let exact = amount.to_string();
    let (amount, currency) = exact.split_once(' ').unwrap_or((&exact, ""));
    format!("{} {currency}", amount.trim_end_matches('0').trim_end_matches('.'))
}

/// Writes a price as a file would.
pub(crate) fn price_text(price: Price) -> String {
    money_text(Money::from_nanos(price.nanos_per_million(), price.currency()))
}
