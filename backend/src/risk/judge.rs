//! The decision. Pure.

use super::rules;
use crate::error::FieldError;
use chrono::NaiveDate;
use domain::{Currency, NewOrder, Price, Quote, Side};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One reason against an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Field of the request that is concerned.
    pub field: String,
    /// Stable word.
    pub rule: String,
    /// The same for people.
    pub message: String,
}

impl Denial {
    pub(super) fn new(field: &str, rule: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), rule: rule.to_owned(), message: message.into() }
    }
}

impl From<Denial> for FieldError {
    fn from(denial: Denial) -> Self {
        Self::new(denial.field, denial.rule, denial.message)
    }
}

/// What must be known of an account to judge an order of it. Read under the account's lock, or, for a preview,
/// without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountState {
    /// Currency of the order's symbol.
    pub currency: Currency,
    /// Cash of that currency that no open order has reserved.
    pub cash_free: Decimal,
    /// Shares of the order's symbol that no open order has reserved.
    pub shares_free: Decimal,
    /// Whether an earlier order in this symbol may or may not be at the broker.
    pub symbol_unresolved: bool,
}

/// What an approved order reserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Cash of the symbol's currency.
    Cash(Decimal),
    /// Shares of the order's symbol.
    Shares(Decimal),
}

impl Hold {
    /// What an order has to keep reserved while `leaves` shares of it are open and `fees_charged` were paid already.
    ///
    /// A purchase holds the open shares at the worst price, rounded up, and what is left of the largest possible
    /// fees; a sale holds the shares.
    #[must_use]
    pub fn of(
        side: Side,
        currency: Currency,
        worst_price: Price,
        fees_max: Decimal,
        leaves: Decimal,
        fees_charged: Decimal,
    ) -> Option<Self> {
        match side {
            Side::Sell => Some(Self::Shares(leaves)),
            Side::Buy if leaves.is_zero() => Some(Self::Cash(Decimal::ZERO)),
            Side::Buy => {
                let notional = currency.round_up(worst_price.value().checked_mul(leaves)?);
                Some(Self::Cash(notional.checked_add((fees_max - fees_charged).max(Decimal::ZERO))?))
            }
        }
    }

    /// The number reserved.
    #[must_use]
    pub const fn amount(self) -> Decimal {
        match self {
            Self::Cash(amount) | Self::Shares(amount) => amount,
        }
    }
}

/// What an order can cost at worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The worst price it can be executed at.
    pub worst_price: Price,
    /// The most it can cost in commission and tax; for a sale, at its worst price.
    pub fees_max: Decimal,
    /// What it reserves.
    pub hold: Hold,
}

/// Proof that risk has said yes: only [`judge`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approved<T> {
    subject: T,
    terms: Terms,
}

impl<T: Copy> Approved<T> {
    /// What was approved.
    #[must_use]
    pub const fn subject(&self) -> T {
        self.subject
    }

    /// Under which terms.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        self.terms
    }
}

/// The decision on an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The terms, as far as they can be computed at all.
    pub terms: Option<Terms>,
    /// Every reason against it; empty exactly when it was approved.
    pub denials: Vec<Denial>,
    approved: Option<Approved<NewOrder>>,
}

impl Judgement {
    /// The approval, if nothing speaks against the order.
    #[must_use]
    pub const fn approved(&self) -> Option<Approved<NewOrder>> {
        self.approved
    }
}

/// Judges an order on the state of its account, the current price and the market's rules of the day.
#[must_use]
pub fn judge(order: NewOrder, account: &AccountState, quote: Option<&Quote>, on: NaiveDate) -> Judgement {
    let mut denials = rules::broken_rules(&order, quote, on);
    if account.symbol_unresolved {
        let message =
            "an earlier order in this symbol is unresolved: whether the broker has it is being asked";
        denials.push(Denial::new("symbol", "unresolved_order", message));
    }
    let terms = quote.and_then(|quote| terms_of(&order, quote, on));
    match (terms, quote) {
        (Some(terms), _) => denials.extend(uncovered(&terms, account)),
        (None, None) => denials.push(Denial::new("symbol", "no_price", "there is no current price")),
        (None, Some(_)) if denials.is_empty() => {
            denials.push(Denial::new("quantity", "too_large", "the order's value is too large"));
        }
        (None, Some(_)) => {}
    }
    let approved = match terms {
        Some(terms) if denials.is_empty() => Some(Approved { subject: order, terms }),
        _ => None,
    };
    Judgement { terms, denials, approved }
}

fn terms_of(order: &NewOrder, quote: &Quote, on: NaiveDate) -> Option<Terms> {
    let market = order.symbol.market();
    let worst_price = rules::worst_price(order, quote, on)?;
    let worst_notional = worst_price.notional(order.quantity.value()).ok()?;
    if rules::is_beyond_books(worst_notional) {
        return None;
    }
    let fees_max =
        exchange::fees_max(market, order.side, worst_price, order.quantity, on).ok()?.total().ok()?;
    let leaves = order.quantity.value();
    let hold = Hold::of(order.side, market.currency(), worst_price, fees_max, leaves, Decimal::ZERO)?;
    Some(Terms { worst_price, fees_max, hold })
}

fn uncovered(terms: &Terms, account: &AccountState) -> Option<Denial> {
    match terms.hold {
        Hold::Cash(needed) if needed > account.cash_free => {
            let message = format!(
                "{needed} {} are needed, {} are free",
                account.currency,
                account.cash_free.normalize()
            );
            Some(Denial::new("quantity", "insufficient_buying_power", message))
        }
        Hold::Shares(needed) if needed > account.shares_free => {
            let message = format!("{needed} shares are needed, {} are free", account.shares_free.normalize());
            Some(Denial::new("quantity", "insufficient_shares", message))
        }
        // A sale of next to nothing can cost more in fees than it brings.
        Hold::Shares(shares) if terms.fees_max > account.cash_free + terms.worst_price.value() * shares => {
            let message =
                format!("the fees of up to {} are more than the sale may bring", terms.fees_max.normalize());
            Some(Denial::new("quantity", "fees_exceed_proceeds", message))
        }
        Hold::Cash(_) | Hold::Shares(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use domain::{AccountId, Pricing, TimeInForce};
    use proptest::prelude::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
    }

    fn quote(symbol: &str, price: &str) -> Quote {
        let price: Price = price.parse().unwrap();
        let symbol: domain::Symbol = symbol.parse().unwrap();
        Quote {
            symbol,
            price,
            bid: Some(price),
            ask: Some(price),
            previous_close: Some(price),
            volume: 1,
            currency: symbol.currency(),
            session_date: today(),
            open: price,
            high: price,
            low: price,
            at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            source: "replay".to_owned(),
            simulated: false,
            delayed: true,
        }
    }

    fn order(symbol: &str, side: Side, quantity: &str, pricing: Pricing) -> NewOrder {
        NewOrder {
            account_id: AccountId::generate(),
            symbol: symbol.parse().unwrap(),
            side,
            pricing,
            time_in_force: TimeInForce::Day,
            quantity: quantity.parse().unwrap(),
        }
    }

    fn dollars(cash: i64, shares: i64) -> AccountState {
        AccountState {
            currency: Currency::Usd,
            cash_free: Decimal::from(cash),
            shares_free: Decimal::from(shares),
            symbol_unresolved: false,
        }
    }

    fn limit(price: &str) -> Pricing {
        Pricing::Limit(price.parse().unwrap())
    }

    fn rules_against(order: NewOrder, account: &AccountState, quote: Option<&Quote>) -> Vec<String> {
        let judgement = judge(order, account, quote, today());
        assert_eq!(judgement.approved().is_none(), !judgement.denials.is_empty());
        judgement.denials.into_iter().map(|denial| denial.rule).collect()
    }

    #[test]
    fn an_order_that_can_be_paid_is_approved_and_holds_its_worst_cost() {
        let apple = quote("AAPL", "150");
        let judgement =
            judge(order("AAPL", Side::Buy, "10", limit("140")), &dollars(2_000, 0), Some(&apple), today());
        let terms = judgement.approved().unwrap().terms();
        assert_eq!(terms.hold, Hold::Cash(Decimal::from(1_400) + terms.fees_max));
    }

    #[test]
    fn a_market_order_holds_a_protection_above_the_ask() {
        let apple = quote("AAPL", "100");
        let judgement =
            judge(order("AAPL", Side::Buy, "1", Pricing::Market), &dollars(2_000, 0), Some(&apple), today());
        assert_eq!(judgement.terms.unwrap().worst_price.to_string(), "105");
    }

    #[test]
    fn every_reason_is_named() {
        let mut account = AccountState { currency: Currency::Krw, ..dollars(1, 0) };
        account.symbol_unresolved = true;
        let samsung = quote("005930.KS", "70000");
        let rules =
            rules_against(order("005930.KS", Side::Buy, "1.5", limit("100050")), &account, Some(&samsung));
        assert_eq!(
            rules,
            ["whole_shares", "tick_size", "price_limit", "unresolved_order", "insufficient_buying_power"]
        );
    }

    #[test]
    fn what_is_not_there_is_not_sold_and_what_is_not_owned_is_not_spent() {
        let apple = quote("AAPL", "150");
        let rules =
            rules_against(order("AAPL", Side::Sell, "11", limit("150")), &dollars(0, 10), Some(&apple));
        assert_eq!(rules, ["insufficient_shares"]);
        let rules =
            rules_against(order("AAPL", Side::Buy, "10", limit("150")), &dollars(1_500, 0), Some(&apple));
        assert_eq!(rules, ["insufficient_buying_power"], "the fees are not covered");
    }

    #[test]
    fn without_a_price_nothing_is_approved() {
        for pricing in [Pricing::Market, limit("150")] {
            assert_eq!(
                rules_against(order("AAPL", Side::Buy, "1", pricing), &dollars(1_000, 0), None),
                ["no_price"]
            );
        }
    }

    #[test]
    fn a_tick_that_is_off_names_the_nearest_prices() {
        let samsung = quote("005930.KS", "70000");
        let won =
            AccountState { currency: Currency::Krw, cash_free: Decimal::from(10_000_000), ..dollars(0, 0) };
        let judgement =
            judge(order("005930.KS", Side::Buy, "1", limit("70050")), &won, Some(&samsung), today());
        assert!(judgement.denials[0].message.contains("70000 or 70100"), "{:?}", judgement.denials);
    }

    #[test]
    fn an_astronomical_order_is_refused_without_overflow() {
        let apple = quote("AAPL", "999999999999999");
        for pricing in [Pricing::Market, limit("999999999999999")] {
            let rules = rules_against(
                order("AAPL", Side::Buy, "999999999999999", pricing),
                &dollars(1, 0),
                Some(&apple),
            );
            assert!(rules.contains(&"too_large".to_owned()), "{rules:?}");
        }
    }

    proptest! {
        #[test]
        fn approved_orders_never_cost_more_than_was_free(
            cash in 0i64..1_000_000, cents in 1i64..100_000, quantities in prop::collection::vec(1u32..500, 1..50),
        ) {
            let apple = quote("AAPL", &Decimal::new(cents, 2).to_string());
            let mut account = dollars(cash, 0);
            for quantity in quantities {
                let order = order("AAPL", Side::Buy, &quantity.to_string(), Pricing::Limit(apple.price));
                if let Some(approved) = judge(order, &account, Some(&apple), today()).approved() {
                    account.cash_free -= approved.terms().hold.amount();
                }
                prop_assert!(account.cash_free >= Decimal::ZERO);
            }
        }

        #[test]
        fn a_hold_shrinks_with_its_order_and_ends_with_it(
            cents in 1i64..100_000, quantity in 1u32..1_000, filled in 0u32..1_000, fees in 0i64..1_000,
        ) {
            let price = Price::new(Decimal::new(cents, 2)).unwrap();
            let filled = filled.min(quantity);
            let hold = |leaves: u32, charged: i64| {
                Hold::of(Side::Buy, Currency::Usd, price, Decimal::from(fees), Decimal::from(leaves), Decimal::from(charged)).unwrap().amount()
            };
            prop_assert!(hold(quantity - filled, 0) <= hold(quantity, 0));
            prop_assert_eq!(hold(0, 0), Decimal::ZERO);
            prop_assert!(hold(quantity, fees + 1) >= Decimal::ZERO);
        }
    }
}
