//! Money, prices and quantities: decimals that know what they are.

use crate::decimal::{self, DecimalError};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A currency that accounts are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Currency {
    /// South Korean won; no minor unit in use.
    #[serde(rename = "KRW")]
    Krw,
    /// United States dollar.
    #[serde(rename = "USD")]
    Usd,
}

impl Currency {
    /// All currencies, in the order they are listed to people.
    pub const ALL: [Self; 2] = [Self::Krw, Self::Usd];

    /// ISO 4217 code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Krw => "KRW",
            Self::Usd => "USD",
        }
    }

    /// Digits behind the point in which cash of this currency is kept (ISO 4217 minor units).
    #[must_use]
    pub const fn minor_digits(self) -> u32 {
        match self {
            Self::Krw => 0,
            Self::Usd => 2,
        }
    }

    /// The smallest amount of cash.
    #[must_use]
    pub fn minor_unit(self) -> Decimal {
        Decimal::new(1, self.minor_digits())
    }

    /// The amount in whole minor units, halves to even.
    #[must_use]
    pub fn round(self, amount: Decimal) -> Decimal {
        amount.round_dp_with_strategy(self.minor_digits(), RoundingStrategy::MidpointNearestEven).normalize()
    }

    /// The amount in whole minor units, never less than given: for holds.
    #[must_use]
    pub fn round_up(self, amount: Decimal) -> Decimal {
        amount.round_dp_with_strategy(self.minor_digits(), RoundingStrategy::ToPositiveInfinity).normalize()
    }

    /// The amount in whole minor units, never more than given: for fees that a market truncates.
    #[must_use]
    pub fn round_down(self, amount: Decimal) -> Decimal {
        amount.round_dp_with_strategy(self.minor_digits(), RoundingStrategy::ToNegativeInfinity).normalize()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// A text that names no [`Currency`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of KRW, USD")]
pub struct UnknownCurrency;

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        Self::ALL.into_iter().find(|currency| currency.code() == text).ok_or(UnknownCurrency)
    }
}

/// Why two amounts of money could not be combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Currencies are never netted.
    #[error("{0} and {1} cannot be combined")]
    CurrencyMismatch(Currency, Currency),
    /// The result does not fit into 28 digits.
    #[error("the amount is too large")]
    Overflow,
}

/// An amount of cash in one currency; may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Signed amount.
    pub amount: Decimal,
    /// What it is an amount of.
    pub currency: Currency,
}

impl Money {
    /// An amount of a currency.
    #[must_use]
    pub const fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Sum of two amounts of one currency.
    ///
    /// # Errors
    /// Different currencies, or a result beyond 28 digits.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, currency: self.currency })
    }

    /// Difference of two amounts of one currency.
    ///
    /// # Errors
    /// Different currencies, or a result beyond 28 digits.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.checked_add(Self { amount: -other.amount, currency: other.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.amount, self.currency)
    }
}

macro_rules! positive_decimal {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, example = "150.25"))]
        pub struct $name(Decimal);

        impl $name {
            /// Wraps a value.
            ///
            /// # Errors
            /// [`DecimalError::NotPositive`] for zero and below; [`DecimalError`] for excess digits.
            pub fn new(value: Decimal) -> Result<Self, DecimalError> {
                if value <= Decimal::ZERO {
                    return Err(DecimalError::NotPositive);
                }
                decimal::parse(&value.normalize().to_string()).map(Self)
            }

            /// The number itself.
            #[must_use]
            pub const fn value(self) -> Decimal {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl FromStr for $name {
            type Err = DecimalError;

            fn from_str(text: &str) -> Result<Self, DecimalError> {
                decimal::parse(text).and_then(Self::new)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

positive_decimal! {
    /// A price per share, in the currency of its instrument; greater than zero.
    Price
}
positive_decimal! {
    /// A number of shares; greater than zero. "None" is `Option::<Quantity>::None`, or a plain [`Decimal`] where
    /// zero is an ordinary value (filled quantity, position).
    Quantity
}
positive_decimal! {
    /// An amount of money that an order is to move, in the currency of its instrument; greater than zero.
    Notional
}
positive_decimal! {
    /// A number of hundredths; greater than zero.
    Percent
}

/// Digits behind the point of a [`Price`], a [`Quantity`] and of [`Price::value_of`].
const DIGITS: u32 = 9;

impl Quantity {
    /// Whether this is a whole number of shares.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.0.fract().is_zero()
    }
}

impl Notional {
    /// How many shares this much pays for, rounded down to nine digits; `None` when that is none.
    #[must_use]
    pub fn quantity_at(self, price: Price) -> Option<Quantity> {
        let exact = self.0.checked_div(price.value())?;
        Quantity::new(exact.round_dp_with_strategy(DIGITS, RoundingStrategy::ToZero)).ok()
    }
}

/// The number in units of its ninth digit behind the point.
fn billionths(value: Decimal) -> Option<i128> {
    let factor = 10_i128.checked_pow(DIGITS.checked_sub(value.scale())?)?;
    value.mantissa().checked_mul(factor)
}

impl Price {
    /// What a quantity is worth at this price, to nine digits behind the point, halves up: computed in whole numbers,
    /// so that it is the same number that Postgres gives for `round(price * quantity, 9)`.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 28 digits.
    pub fn value_of(self, quantity: Quantity) -> Result<Decimal, MoneyError> {
        let one = 10_i128.pow(DIGITS);
        let rounded = billionths(self.0)
            .zip(billionths(quantity.0))
            .and_then(|(price, quantity)| price.checked_mul(quantity)?.checked_add(one / 2))
            .map(|value| value / one);
        let value = rounded.and_then(|value| Decimal::try_from_i128_with_scale(value, DIGITS).ok());
        value.map(|value| value.normalize()).ok_or(MoneyError::Overflow)
    }

    /// What a quantity costs at this price, unrounded.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 28 digits.
    pub fn notional(self, quantity: Decimal) -> Result<Decimal, MoneyError> {
        self.0.checked_mul(quantity).map(|amount| amount.normalize()).ok_or(MoneyError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn currencies_are_never_netted() {
        let won = Money::new(Decimal::ONE, Currency::Krw);
        let dollar = Money::new(Decimal::ONE, Currency::Usd);
        assert_eq!(won.checked_add(dollar), Err(MoneyError::CurrencyMismatch(Currency::Krw, Currency::Usd)));
    }

    #[test]
    fn a_price_of_zero_does_not_exist() {
        assert_eq!("0".parse::<Price>(), Err(DecimalError::NotPositive));
        assert_eq!("-1".parse::<Price>(), Err(DecimalError::NotPositive));
        assert!(serde_json::from_str::<Price>("150.25").is_err(), "a JSON number is refused");
        assert_eq!(serde_json::from_str::<Price>("\"150.25\"").unwrap().to_string(), "150.25");
    }

    #[test]
    fn the_value_of_a_fraction_is_rounded_once_in_the_ninth_digit() {
        let value = |price: &str, quantity: &str| {
            let quantity: Quantity = quantity.parse().unwrap();
            price.parse::<Price>().unwrap().value_of(quantity).map(|value| value.to_string())
        };
        assert_eq!(value("150.25", "10").unwrap(), "1502.5");
        assert_eq!(value("0.000000003", "0.5").unwrap(), "0.000000002", "halves up");
        assert_eq!(value("123456.123456789", "98765.987654321").unwrap(), "12193265965.183551592");
        assert_eq!(value("999999999999999", "999999999999999"), Err(MoneyError::Overflow));
    }

    #[test]
    fn money_pays_for_no_more_than_it_is_worth() {
        let hundred: Notional = "100".parse().unwrap();
        assert_eq!(hundred.quantity_at("3".parse().unwrap()).unwrap().to_string(), "33.333333333");
        let cent: Notional = "0.01".parse().unwrap();
        assert_eq!(cent.quantity_at("100000000".parse().unwrap()), None);
    }

    #[test]
    fn holds_round_up_and_fees_round_down() {
        let amount: Decimal = "10.005".parse().unwrap();
        assert_eq!(Currency::Usd.round_up(amount).to_string(), "10.01");
        assert_eq!(Currency::Usd.round_down(amount).to_string(), "10");
        assert_eq!(Currency::Krw.round_up(amount).to_string(), "11");
    }

    proptest! {
        #[test]
        fn rounding_moves_an_amount_by_less_than_one_unit(cents in -1_000_000_000i64..1_000_000_000, scale in 0u32..9) {
            let amount = Decimal::new(cents, scale);
            for currency in Currency::ALL {
                for rounded in [currency.round(amount), currency.round_up(amount), currency.round_down(amount)] {
                    prop_assert!((rounded - amount).abs() < currency.minor_unit());
                    prop_assert!(rounded.scale() <= currency.minor_digits());
                }
                prop_assert!(currency.round_up(amount) >= amount);
                prop_assert!(currency.round_down(amount) <= amount);
            }
        }

        /// Against whole numbers: the quotient and what is left of it say on which side of the half an amount lies.
        #[test]
        fn an_amount_is_rounded_to_the_nearest_unit_and_a_half_to_the_even_one(units in -1_000_000_000i64..1_000_000_000, scale in 0u32..9) {
            let amount = Decimal::new(units, scale);
            for currency in Currency::ALL {
                let pieces = 10_i64.pow(scale.saturating_sub(currency.minor_digits()));
                let (whole, rest) = (units.div_euclid(pieces), units.rem_euclid(pieces));
                let up = 2 * rest > pieces || (2 * rest == pieces && whole % 2 != 0);
                let expected = Decimal::new(whole + i64::from(up), scale.min(currency.minor_digits()));
                prop_assert_eq!(currency.round(amount), expected, "{}", amount);
            }
        }

        #[test]
        fn adding_and_taking_away_leaves_what_was(first in -1_000_000_000i64..1_000_000_000, second in -1_000_000_000i64..1_000_000_000) {
            let first = Money::new(Decimal::new(first, 2), Currency::Usd);
            let second = Money::new(Decimal::new(second, 2), Currency::Usd);
            prop_assert_eq!(first.checked_add(second).unwrap().checked_sub(second).unwrap(), first);
        }
    }
}
