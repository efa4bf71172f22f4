//! How far a price may go before trading is interrupted, from dated tables.

use crate::dated::{Since, in_force, since};
use crate::ticks::nearest_legal;
use chrono::{NaiveDate, TimeDelta};
use domain::{Market, Price, Symbol};
use rust_decimal::Decimal;
use std::collections::HashSet;
use std::sync::LazyLock;

/// The lowest and the highest price at which trading goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// The lowest.
    pub lower: Price,
    /// The highest.
    pub upper: Price,
}

impl Band {
    /// Whether trading goes on at a price.
    #[must_use]
    pub fn contains(self, price: Price) -> bool {
        self.lower <= price && price <= self.upper
    }
}

/// The codes with the narrower bands.
static NARROW: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("../../data/narrow-bands.csv").lines().filter(|line| !line.starts_with('#')).collect()
});

fn is_narrow(symbol: Symbol) -> bool {
    NARROW.contains(symbol.as_str())
}

/// KRX's thresholds, in percent; absent before there were any.
#[derive(Debug, Clone, Copy)]
struct VolatilityRule {
    /// From the last trade: members of the KOSPI 200, and others.
    step: Option<(u32, u32)>,
    /// From the price of the last auction.
    away: Option<u32>,
}

const VOLATILITY_FIRST: VolatilityRule = VolatilityRule { step: None, away: None };
/// Since 2014-09-01 a step of 3 or 6 % from the last trade, since 2015-06-15 also 10 % from the last auction (the Korean
/// encyclopaedia's entry on volatility interruptions and guides for investors, as of 2026; both first days unverified). Narrower steps
/// hold in the closing auction, in which nothing is matched here before its one price.
const VOLATILITY_LATER: &[Since<VolatilityRule>] = &[
    since(2014, 9, 1, VolatilityRule { step: Some((3, 6)), away: None }),
    since(2015, 6, 15, VolatilityRule { step: Some((3, 6)), away: Some(10) }),
];

/// The American plan, in force since 2013-04-08; since 2020-02-24 its bands are no longer doubled after the open (general
/// knowledge, unverified, as are its numbers below).
const BANDS_LATER: &[Since<BandsRule>] = &[
    since(2013, 4, 8, BandsRule::Bands { is_doubled_after_open: true }),
    since(2020, 2, 24, BandsRule::Bands { is_doubled_after_open: false }),
];

#[derive(Debug, Clone, Copy)]
enum BandsRule {
    Nothing,
    Bands { is_doubled_after_open: bool },
}

/// How far into and before the end of a session the American bands are doubled.
const DOUBLED_AFTER_OPEN: TimeDelta = TimeDelta::minutes(15);
const DOUBLED_BEFORE_CLOSE: TimeDelta = TimeDelta::minutes(25);

/// Which part of the session it is, as far as the bands depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    AfterOpen,
    Middle,
    BeforeClose,
}

impl Part {
    /// The part at a distance from the open and from the close.
    pub(super) fn at(since_open: TimeDelta, until_close: TimeDelta) -> Self {
        if until_close <= DOUBLED_BEFORE_CLOSE {
            Self::BeforeClose
        } else if since_open < DOUBLED_AFTER_OPEN {
            Self::AfterOpen
        } else {
            Self::Middle
        }
    }
}

/// The band around a reference price; `None` on days without such a rule.
pub(super) fn band(
    symbol: Symbol,
    reference: Price,
    previous_close: Option<Price>,
    (part, on): (Part, NaiveDate),
) -> Option<Band> {
    match symbol.market() {
        Market::Krx => {
            let percent = in_force(VOLATILITY_FIRST, VOLATILITY_LATER, on).away?;
            let away = share_of(reference, percent)?;
            // A trade at the threshold interrupts, so trading goes on short of it.
            let lower = short_of(symbol, reference.value() - away, Toward::Above, on)?;
            let upper = short_of(symbol, reference.value() + away, Toward::Below, on)?;
            Some(Band { lower, upper })
        }
        Market::Us => {
            let away = american_distance(symbol, reference, previous_close, (part, on))?;
            let lowest = (reference.value() - away).max(Decimal::new(1, 4));
            let lower = nearest_legal(symbol, Price::new(lowest).ok()?, on).1;
            let upper = nearest_legal(symbol, Price::new(reference.value() + away).ok()?, on).0?;
            Some(Band { lower, upper })
        }
    }
}

/// Whether one trade may not follow another: KRX's dynamic interruption.
pub(super) fn is_step(symbol: Symbol, last: Price, price: Price, on: NaiveDate) -> bool {
    if last == price || symbol.market() != Market::Krx {
        return false;
    }
    let Some((narrow, wide)) = in_force(VOLATILITY_FIRST, VOLATILITY_LATER, on).step else { return false };
    let percent = if is_narrow(symbol) { narrow } else { wide };
    let distance = (price.value() - last.value()).abs();
    distance * Decimal::ONE_HUNDRED >= last.value() * Decimal::from(percent)
}

/// 5 % in tier 1 and 10 % in tier 2 above 3.00 USD, 20 % from 0.75 USD, below that the lesser of 0.15 USD and 75 %; by the close
/// before, and by the reference where that is not told. Doubled in the last 25 minutes, in tier 2 only up to 3.00 USD.
fn american_distance(
    symbol: Symbol,
    reference: Price,
    previous_close: Option<Price>,
    (part, on): (Part, NaiveDate),
) -> Option<Decimal> {
    let BandsRule::Bands { is_doubled_after_open } = in_force(BandsRule::Nothing, BANDS_LATER, on) else {
        return None;
    };
    let class = previous_close.unwrap_or(reference).value();
    let is_high = class > Decimal::from(3);
    let distance = if is_high {
        share_of(reference, if is_narrow(symbol) { 5 } else { 10 })?
    } else if class >= Decimal::new(75, 2) {
        share_of(reference, 20)?
    } else {
        share_of(reference, 75)?.min(Decimal::new(15, 2))
    };
    let is_doubled = match part {
        Part::AfterOpen => is_doubled_after_open,
        Part::Middle => false,
        Part::BeforeClose => is_narrow(symbol) || !is_high,
    };
    Some(if is_doubled { distance * Decimal::TWO } else { distance })
}

fn share_of(price: Price, percent: u32) -> Option<Decimal> {
    Some(price.value().checked_mul(Decimal::from(percent))? / Decimal::ONE_HUNDRED)
}

enum Toward {
    Below,
    Above,
}

/// The legal price next to a threshold, not the threshold itself.
fn short_of(symbol: Symbol, threshold: Decimal, toward: Toward, on: NaiveDate) -> Option<Price> {
    // The tick of the price itself chooses the step, so a hair beside the threshold finds the one of its side.
    let hair = Decimal::new(1, 4);
    let beside = match toward {
        Toward::Below => threshold - hair,
        Toward::Above => threshold + hair,
    };
    let beside = Price::new(beside.round_dp(4)).ok()?;
    let (below, above) = nearest_legal(symbol, beside, on);
    match toward {
        Toward::Below => below,
        Toward::Above => Some(above),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    fn around(symbol: &str, reference: &str, part: Part, on: &str) -> Option<(String, String)> {
        band(symbol.parse().unwrap(), price(reference), None, (part, on.parse().unwrap()))
            .map(|band| (band.lower.to_string(), band.upper.to_string()))
    }

    #[test]
    fn a_korean_price_ten_percent_from_its_auction_interrupts() {
        let expected = |lower: &str, upper: &str| Some((lower.to_owned(), upper.to_owned()));
        let band = |reference, on| around("005930.KS", reference, Part::Middle, on);
        assert_eq!(band("70000", "2026-11-20"), expected("63100", "76900"), "63,000 and 77,000 interrupt");
        assert_eq!(band("2000", "2026-11-20"), expected("1801", "2195"), "each side on its own grid");
        assert_eq!(band("70000", "2015-06-12"), None);
    }

    #[test]
    fn a_korean_step_from_trade_to_trade_depends_on_the_class() {
        let is_step = |symbol: &str, to, on: &str| {
            is_step(symbol.parse().unwrap(), price("10000"), price(to), on.parse().unwrap())
        };
        for (symbol, to, expected) in [
            ("005930.KS", "10290", false),
            ("005930.KS", "10300", true),
            ("005930.KS", "9700", true),
            ("247540.KQ", "10590", false),
            ("247540.KQ", "10600", true),
            ("AAPL", "20000", false),
        ] {
            assert_eq!(is_step(symbol, to, "2026-11-20"), expected, "{symbol} {to}");
        }
        assert!(!is_step("005930.KS", "20000", "2014-08-29"));
    }

    #[test]
    fn american_bands_depend_on_tier_price_and_hour() {
        for (symbol, reference, part, lower, upper) in [
            ("AAPL", "150", Part::Middle, "142.5", "157.5"),
            ("AAPL", "150", Part::AfterOpen, "142.5", "157.5"),
            ("AAPL", "150", Part::BeforeClose, "135", "165"),
            ("ZZZ", "150", Part::Middle, "135", "165"),
            ("ZZZ", "150", Part::BeforeClose, "135", "165"),
            ("ZZZ", "3", Part::Middle, "2.4", "3.6"),
            ("ZZZ", "3", Part::BeforeClose, "1.8", "4.2"),
            ("ZZZ", "0.7", Part::Middle, "0.55", "0.85"),
            ("ZZZ", "0.1", Part::Middle, "0.025", "0.175"),
        ] {
            let expected = Some((lower.to_owned(), upper.to_owned()));
            assert_eq!(
                around(symbol, reference, part, "2026-11-20"),
                expected,
                "{symbol} {reference} {part:?}"
            );
        }
        assert_eq!(
            around("AAPL", "150", Part::AfterOpen, "2020-02-21"),
            Some(("135".to_owned(), "165".to_owned()))
        );
        assert_eq!(around("AAPL", "150", Part::Middle, "2013-04-05"), None);
    }

    #[test]
    fn every_code_of_the_table_is_a_symbol() {
        for code in NARROW.iter() {
            assert!(code.parse::<Symbol>().is_ok(), "{code}");
        }
    }
}
