//! The mean price of the last five minutes, the reference of the American bands.

use chrono::{DateTime, Utc};
use domain::Price;
use rust_decimal::Decimal;
use std::collections::VecDeque;

/// The mean is looked at this often: the American plan's least time between two reference prices (general knowledge, unverified).
const PART_SECONDS: i64 = 30;
/// Parts of which the mean is made: five minutes.
const PARTS: usize = 10;
/// A new mean becomes the reference when it is this far from it, in percent (general knowledge, unverified).
const CHANGE_PERCENT_MIN: u32 = 1;

#[derive(Debug, Clone, Copy)]
struct Part {
    number: i64,
    sum: Decimal,
    count: u32,
}

/// Prices of the last five minutes. Each that is told counts once, as no source tells every trade.
#[derive(Debug, Clone, Default)]
pub(super) struct Mean {
    parts: VecDeque<Part>,
}

impl Mean {
    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.parts.clear();
    }

    /// Takes a price; gives the reference in the place of another one, when a part is over and it has moved far enough.
    pub(super) fn add(&mut self, price: Price, reference: Price, at: DateTime<Utc>) -> Option<Price> {
        let number = at.timestamp().div_euclid(PART_SECONDS);
        if let Some(part) = self.parts.back_mut().filter(|part| part.number == number) {
            part.sum += price.value();
            part.count = part.count.saturating_add(1);
            return None;
        }
        let oldest = number.saturating_sub(i64::try_from(PARTS).unwrap_or(i64::MAX));
        self.parts.retain(|part| part.number >= oldest);
        let mean = self.mean();
        self.parts.push_back(Part { number, sum: price.value(), count: 1 });
        let distance = (mean?.value() - reference.value()).abs() * Decimal::ONE_HUNDRED;
        mean.filter(|_| distance >= reference.value() * Decimal::from(CHANGE_PERCENT_MIN))
    }

    fn mean(&self) -> Option<Price> {
        let sum: Decimal = self.parts.iter().map(|part| part.sum).sum();
        let count: u32 = self.parts.iter().map(|part| part.count).sum();
        Price::new(sum.checked_div(Decimal::from(count))?.round_dp(4)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn price(cents: u32) -> Price {
        Price::new(Decimal::new(cents.into(), 2)).unwrap()
    }

    #[test]
    fn the_reference_follows_slowly_and_by_whole_percents() {
        let start: DateTime<Utc> = "2026-11-20T15:00:00Z".parse().unwrap();
        let (mut mean, mut reference, mut changes) = (Mean::default(), price(10_000), Vec::new());
        for second in 0..600 {
            let told = if second < 300 { 10_000 } else { 10_300 };
            if let Some(new) = mean.add(price(told), reference, start + TimeDelta::seconds(second)) {
                changes.push((second, new.to_string()));
                reference = new;
            }
        }
        let expected = [(420, "101.2"), (540, "102.4")].map(|(second, new)| (second, new.to_owned()));
        assert_eq!(changes, expected);
    }
}
