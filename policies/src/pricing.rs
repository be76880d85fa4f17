//! What tokens cost.
//!
//! # Invariants
//! * Money is rounded in [`cost`] and nowhere else (`a_part_of_a_nano_unit_is_charged_whole`).
//! * More tokens never cost less (`more_tokens_never_cost_less`).
//! * A cost too large to write is the largest that can be written, never a small one (`a_cost_beyond_all_bounds_saturates`).

use crate::Usage;
use raptorgate_config::model::ModelPrice;
use raptorgate_config::units::{Currency, Money};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tokens that a price is given for.
const TOKENS_PER_PRICE: i128 = 1_000_000;

/// What a request costs: the one place where money is rounded.
///
/// Up to the next nano-unit: no sequence of small requests is free, and a billion requests are at most one unit too dear.
pub fn cost(usage: Usage, price: &ModelPrice) -> Money {
    let part = |tokens: u64, nanos: i64| i128::from(tokens) * i128::from(nanos);
    let fresh = usage.input.saturating_sub(usage.cached_input);
    // Each product is below 2^127 / 3 for counts up to `TOKENS_MAX`; saturating covers counts that were not bounded.
    let millionths = part(fresh, price.input.nanos_per_million())
        .saturating_add(part(usage.cached_input, price.cached_input.nanos_per_million()))
        .saturating_add(part(usage.output, price.output.nanos_per_million()));
    let nanos = millionths.saturating_add(TOKENS_PER_PRICE - 1) / TOKENS_PER_PRICE;
    Money::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX), price.input.currency())
}

/// The prices of the file.
#[derive(Clone, Debug)]
pub struct PriceTable {
    prices: BTreeMap<Arc<str>, ModelPrice>,
    currency: Currency,
}

impl PriceTable {
    /// Takes the prices of a configuration.
    pub fn new(prices: &BTreeMap<String, ModelPrice>, currency: Currency) -> Self {
        let prices = prices.iter().map(|(model, price)| (Arc::from(model.as_str()), *price)).collect();
        Self { prices, currency }
    }

    /// The price of a model under its own name, else under its name without the day of its release.
    pub fn lookup(&self, model: &str) -> Option<(&Arc<str>, &ModelPrice)> {
        let family = || self.prices.get_key_value(without_day(model)?);
        self.prices.get_key_value(model).or_else(family)
    }

    /// What amounts without a price are counted in.
    pub fn currency(&self) -> Currency {
        self.currency
    }
}

/// `gpt-4o` of `gpt-4o-2024-08-06`.
fn without_day(model: &str) -> Option<&str> {
    let (family, day) = model.split_at_checked(model.len().checked_sub("-YYYY-MM-DD".len())?)?;
    let fits = |(at, b): (usize, u8)| if matches!(at, 0 | 5 | 8) { b == b'-' } else { b.is_ascii_digit() };
    (!family.is_empty() && day.bytes().enumerate().all(|(at, b)| fits((at, b)))).then_some(family)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use raptorgate_config::units::Price;

    fn price(input: i64, output: i64, cached: i64) -> ModelPrice {
        let price = |n| Price::per_million(Money::from_nanos(n, Currency::INR)).unwrap();
        ModelPrice { input: price(input), output: price(output), cached_input: price(cached) }
    }

    #[test]
    fn cached_tokens_cost_the_cached_price() {
        let usage = Usage::claimed(10, 2, 4);
        assert_eq!(
            cost(usage, &price(12_500_000_000, 50_000_000_000, 6_250_000_000)).nanos(),
            75_000 + 25_000 + 100_000
        );
    }

    #[test]
    fn a_part_of_a_nano_unit_is_charged_whole() {
        assert_eq!(cost(Usage::claimed(1, 0, 0), &price(1, 0, 0)).nanos(), 1);
        assert_eq!(cost(Usage::claimed(1_000_000, 0, 0), &price(1, 0, 0)).nanos(), 1);
        assert_eq!(cost(Usage::claimed(1_000_001, 0, 0), &price(1, 0, 0)).nanos(), 2);
        assert_eq!(cost(Usage::default(), &price(1, 1, 1)).nanos(), 0);
    }

    #[test]
    fn a_cost_beyond_all_bounds_saturates() {
        let usage = Usage::claimed(u64::MAX, u64::MAX, 0);
        assert_eq!(cost(usage, &price(i64::MAX, i64::MAX, 0)).nanos(), i64::MAX);
        let unbounded = Usage { input: u64::MAX, output: u64::MAX, cached_input: u64::MAX };
        assert_eq!(cost(unbounded, &price(i64::MAX, i64::MAX, i64::MAX)).nanos(), i64::MAX);
    }

    #[test]
    fn a_dated_model_has_the_price_of_its_family_unless_it_has_its_own() {
        let prices = [("gpt-4o".to_owned(), price(1, 1, 1)), ("gpt-4o-2024-05-13".to_owned(), price(2, 2, 2))];
        let table = PriceTable::new(&prices.into(), Currency::INR);
        let name = |model| table.lookup(model).map(|(name, _)| name.to_string());
        assert_eq!(name("gpt-4o").as_deref(), Some("gpt-4o"));
        assert_eq!(name("gpt-4o-2024-08-06").as_deref(), Some("gpt-4o"));
        assert_eq!(name("gpt-4o-2024-05-13").as_deref(), Some("gpt-4o-2024-05-13"));
        for unknown in ["", "gpt-4", "gpt-4o-mini", "gpt-4o-2024-8-06", "-2024-08-06", "gpt-4o-éé-08-06"] {
            assert_eq!(name(unknown), None, "{unknown}");
        }
    }

    proptest! {
        #[test]
        fn more_tokens_never_cost_less(
            (i, o) in (0..1_u64 << 40, 0..1_u64 << 40), (more_i, more_o) in (0..1_u64 << 20, 0..1_u64 << 20),
            (pi, po, pc) in (0..i64::MAX, 0..i64::MAX, 0..i64::MAX), cached in 0..1_u64 << 40,
        ) {
            let price = price(pi, po, pc);
            let few = Usage::claimed(i, o, cached.min(i));
            let many = Usage { input: few.input + more_i, output: few.output + more_o, ..few };
            prop_assert!(cost(few, &price).nanos() <= cost(many, &price).nanos());
            prop_assert!(cost(few, &price).nanos() >= 0);
        }
    }
}
