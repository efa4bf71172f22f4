//! The decision. Pure.

use super::rules;
use crate::error::FieldError;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{Currency, NewOrder, Price, Pricing, Quantity, Quote, Side, Symbol};
use exchange::trade_date;
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
    /// The legal values nearest to the one that was refused, where there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<String>,
}

impl Denial {
    pub(super) fn new(field: &str, rule: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), rule: rule.to_owned(), message: message.into(), nearest: Vec::new() }
    }

    pub(super) fn nearest(mut self, values: impl IntoIterator<Item = impl ToString>) -> Self {
        self.nearest = values.into_iter().map(|value| value.to_string()).collect();
        self
    }
}

impl From<Denial> for FieldError {
    fn from(denial: Denial) -> Self {
        Self::new(denial.field, denial.rule, denial.message).nearest(denial.nearest)
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
    /// Whether the market has halted the symbol.
    pub symbol_halted: bool,
}

/// What a hold is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldTerms {
    /// The worst price.
    pub worst_price: Price,
    /// The most it can cost in commission and tax.
    pub fees_max: Decimal,
    /// Shares that are open.
    pub leaves: Decimal,
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

    /// What an order has to keep reserved while other terms are asked for.
    ///
    /// Until the broker has answered, what is open may be executed by the present terms, and what the others add to it
    /// may then still be executed by those. For a purchase at a lower price but for more shares that costs more than
    /// either alone.
    #[must_use]
    pub fn while_changing(
        side: Side,
        currency: Currency,
        present: HoldTerms,
        asked: HoldTerms,
        fees_charged: Decimal,
    ) -> Option<Self> {
        if side == Side::Sell {
            return Some(Self::Shares(present.leaves.max(asked.leaves)));
        }
        let alone =
            Self::of(side, currency, asked.worst_price, asked.fees_max, asked.leaves, fees_charged)?.amount();
        let more = (asked.leaves - present.leaves).max(Decimal::ZERO);
        if present.leaves.is_zero() && more.is_zero() {
            return Some(Self::Cash(alone));
        }
        let crossing = present.worst_price.value().checked_mul(present.leaves)?;
        let rest = asked.worst_price.value().checked_mul(more)?;
        let fees = (present.fees_max.max(asked.fees_max) - fees_charged).max(Decimal::ZERO);
        let both = currency.round_up(crossing.checked_add(rest)?).checked_add(fees)?;
        Some(Self::Cash(alone.max(both)))
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
    /// How many shares: as asked for, or what the money pays for.
    pub quantity: Quantity,
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
    /// How many shares are meant; `None` where an amount of money pays for none.
    pub quantity: Option<Quantity>,
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

/// Judges an order on the state of its account, the current price and the market's rules of the moment.
#[must_use]
pub fn judge(
    order: NewOrder,
    account: &AccountState,
    quote: Option<&Quote>,
    now: DateTime<Utc>,
) -> Judgement {
    let on = trade_date(order.symbol.market(), now);
    let quantity = rules::quantity_of(&order, quote);
    let mut denials = rules::broken_rules(&order, quantity, quote, now, on);
    denials.extend(against_symbol(account));
    let terms = quote.zip(quantity).and_then(|(quote, quantity)| terms_of(&order, quantity, quote, on));
    match (terms, quote) {
        (Some(terms), _) => denials.extend(uncovered(&order, &terms, account)),
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
    Judgement { quantity, terms, denials, approved }
}

/// What speaks against any order in a symbol.
fn against_symbol(account: &AccountState) -> Vec<Denial> {
    let mut denials = Vec::new();
    if account.symbol_unresolved {
        let message =
            "an earlier order in this symbol is unresolved: whether the broker has it is being asked";
        denials.push(Denial::new("symbol", "unresolved_order", message));
    }
    if account.symbol_halted {
        denials.push(Denial::new("symbol", "halted", "is halted: no new orders are taken in it"));
    }
    denials
}

fn terms_of(order: &NewOrder, quantity: Quantity, quote: &Quote, on: NaiveDate) -> Option<Terms> {
    let worst_price = rules::worst_price(order.symbol, order.side, order.pricing, quote, on)?;
    terms_at(order.symbol, order.side, quantity, worst_price, on)
}

fn terms_at(
    symbol: Symbol,
    side: Side,
    quantity: Quantity,
    worst_price: Price,
    on: NaiveDate,
) -> Option<Terms> {
    let market = symbol.market();
    let worst_notional = worst_price.notional(quantity.value()).ok()?;
    if rules::is_beyond_books(worst_notional) {
        return None;
    }
    let fees_max = exchange::fees_max(market, side, worst_price, quantity, on).ok()?.total().ok()?;
    let hold = Hold::of(side, market.currency(), worst_price, fees_max, quantity.value(), Decimal::ZERO)?;
    Some(Terms { quantity, worst_price, fees_max, hold })
}

fn uncovered(order: &NewOrder, terms: &Terms, account: &AccountState) -> Option<Denial> {
    let field = match order.size {
        domain::Size::Shares(_) => "quantity",
        domain::Size::Notional(_) => "notional",
    };
    match terms.hold {
        // A sale of next to nothing can cost more in fees than it brings.
        Hold::Shares(shares)
            if shares <= account.shares_free
                && terms.fees_max > account.cash_free + terms.worst_price.value() * shares =>
        {
            let message =
                format!("the fees of up to {} are more than the sale may bring", terms.fees_max.normalize());
            Some(Denial::new(field, "fees_exceed_proceeds", message))
        }
        hold => unpaid(field, hold, account),
    }
}

/// Whether more is to be reserved than is free.
fn unpaid(field: &str, needed: Hold, account: &AccountState) -> Option<Denial> {
    match needed {
        Hold::Cash(needed) if needed > account.cash_free => {
            let free = account.cash_free.normalize();
            let message = format!("{needed} {} are needed, {free} are free", account.currency);
            Some(Denial::new(field, "insufficient_buying_power", message))
        }
        Hold::Shares(needed) if needed > account.shares_free => {
            let free = account.shares_free.normalize();
            let message = format!("{needed} shares are needed, {free} are free");
            let nearest = Some(free).filter(|free| *free > Decimal::ZERO);
            Some(Denial::new(field, "insufficient_shares", message).nearest(nearest))
        }
        Hold::Cash(_) | Hold::Shares(_) => None,
    }
}

/// What is open of an order that is to get other terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOrder {
    /// In what.
    pub symbol: Symbol,
    /// Buy or sell.
    pub side: Side,
    /// Its present prices.
    pub pricing: Pricing,
    /// Its present quantity.
    pub quantity: Quantity,
    /// Its present worst price.
    pub worst_price: Price,
    /// The most it can cost in commission and tax by its present terms.
    pub fees_max: Decimal,
    /// What it holds now.
    pub held: Decimal,
    /// Shares executed so far.
    pub filled_quantity: Decimal,
    /// What they were worth.
    pub filled_notional: Decimal,
    /// Commission and tax paid so far.
    pub charged: Decimal,
}

/// Judges other prices and another quantity for an order that is open; gives the terms that it is to have, with what it
/// reserves until the broker has answered.
///
/// What it holds already counts as free for it, and fills that cross the request may still happen at the old terms.
///
/// # Errors
/// Every reason against it.
pub fn judge_change(
    order: &OpenOrder,
    pricing: Pricing,
    quantity: Quantity,
    account: &AccountState,
    quote: &Quote,
    now: DateTime<Utc>,
) -> Result<Terms, Vec<Denial>> {
    let OpenOrder { symbol, side, .. } = *order;
    let on = trade_date(symbol.market(), now);
    let mut denials = rules::broken_quantity_rules(symbol.market(), quantity);
    denials.extend(rules::broken_price_rules(symbol, side, pricing, Some(quote), on));
    denials.extend(pricing.limit_price().and_then(|limit| rules::too_valuable(limit, quantity)));
    denials.extend(against_symbol(account));
    let worst_price = if pricing == order.pricing {
        Some(order.worst_price)
    } else {
        rules::worst_price(symbol, side, pricing, quote, on)
    };
    let terms = worst_price.and_then(|worst_price| changed_terms(order, quantity, worst_price, on));
    match terms {
        Some(terms) => {
            let more = (terms.hold.amount() - order.held).max(Decimal::ZERO);
            let needed = match terms.hold {
                Hold::Cash(_) => Hold::Cash(more),
                Hold::Shares(_) => Hold::Shares(more),
            };
            denials.extend(unpaid("quantity", needed, account));
        }
        None if denials.is_empty() => {
            denials.push(Denial::new("quantity", "too_large", "the order's value is too large"));
        }
        None => {}
    }
    terms.filter(|_| denials.is_empty()).ok_or(denials)
}

fn changed_terms(order: &OpenOrder, quantity: Quantity, worst_price: Price, on: NaiveDate) -> Option<Terms> {
    let (market, currency) = (order.symbol.market(), order.symbol.currency());
    let plain = terms_at(order.symbol, order.side, quantity, worst_price, on)?;
    let leaves = (quantity.value() - order.filled_quantity).max(Decimal::ZERO);
    let mut fees_max = plain.fees_max;
    if order.side == Side::Buy && (worst_price < order.worst_price || !order.filled_quantity.is_zero()) {
        // What was executed, and what may still be while the request is under way, costs fees by its own price.
        let dearest = worst_price.max(order.worst_price);
        let notional = order.filled_notional.checked_add(dearest.value().checked_mul(leaves)?)?;
        let bound = exchange::commission_max(market, quantity.value(), notional).ok()?;
        fees_max = fees_max.max(bound.checked_add(currency.minor_unit())?);
    }
    let present = HoldTerms {
        worst_price: order.worst_price,
        fees_max: order.fees_max,
        leaves: (order.quantity.value() - order.filled_quantity).max(Decimal::ZERO),
    };
    let asked = HoldTerms { worst_price, fees_max, leaves };
    let hold = Hold::while_changing(order.side, currency, present, asked, order.charged)?;
    Some(Terms { fees_max, hold, ..plain })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{AccountId, Lifetime, Size};
    use proptest::prelude::*;

    fn today() -> DateTime<Utc> {
        "2026-11-20T15:00:00Z".parse().unwrap()
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
            session_date: today().date_naive(),
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
            lifetime: Lifetime::Day,
            size: Size::Shares(quantity.parse().unwrap()),
        }
    }

    fn dollars(cash: i64, shares: i64) -> AccountState {
        AccountState {
            currency: Currency::Usd,
            cash_free: Decimal::from(cash),
            shares_free: Decimal::from(shares),
            symbol_unresolved: false,
            symbol_halted: false,
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
        assert_eq!(judgement.denials[0].nearest, ["70000", "70100"]);
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

        /// Against the obvious: execute the order in the dearest way there is, cent by cent, and look at the purse.
        #[test]
        fn whatever_crosses_a_change_the_purse_never_falls_below_what_is_held(
            (first, second) in ((1i64..20_000, 1u32..300), (1i64..20_000, 1u32..300)),
            before in 0u32..300, crossing in 0u32..300, cheaper in 0i64..50,
        ) {
            let cents = |cents: i64| Price::new(Decimal::new(cents.max(1), 2)).unwrap();
            let shares = |number: u32| Quantity::new(Decimal::from(number)).unwrap();
            let (quantity, more) = (shares(first.1), shares(second.1));
            let apple = quote("AAPL", "100");
            let rich = dollars(100_000_000, 0);
            let placed = order("AAPL", Side::Buy, &quantity.to_string(), Pricing::Limit(cents(first.0)));
            let terms = judge(placed, &rich, Some(&apple), today()).approved().unwrap().terms();
            let mut fees = exchange::OrderFees::new(domain::Market::Us, Side::Buy);
            let (mut filled, mut notional, mut charged, mut spent) =
                (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
            let mut execute = |number: u32, price: Price, filled: &mut Decimal, notional: &mut Decimal, charged: &mut Decimal, spent: &mut Decimal| {
                if number > 0 {
                    let cost = fees.charge(price, shares(number), today().date_naive()).unwrap().total().unwrap();
                    *filled += Decimal::from(number);
                    *notional += price.value() * Decimal::from(number);
                    *charged += cost;
                    *spent += price.value() * Decimal::from(number) + cost;
                }
            };
            let early = before.min(first.1.saturating_sub(1));
            execute(early, cents(first.0 - cheaper), &mut filled, &mut notional, &mut charged, &mut spent);
            let hold = |worst: Price, fees_max: Decimal, quantity: Quantity, filled: Decimal, charged: Decimal| {
                let leaves = (quantity.value() - filled).max(Decimal::ZERO);
                Hold::of(Side::Buy, Currency::Usd, worst, fees_max, leaves, charged).unwrap().amount()
            };
            let held = hold(terms.worst_price, terms.fees_max, quantity, filled, charged);
            let open = OpenOrder {
                symbol: placed.symbol,
                side: Side::Buy,
                pricing: placed.pricing,
                quantity,
                worst_price: terms.worst_price,
                fees_max: terms.fees_max,
                held,
                filled_quantity: filled,
                filled_notional: notional,
                charged,
            };
            let asked = Pricing::Limit(cents(second.0));
            let Ok(changed) = judge_change(&open, asked, more, &rich, &apple, today()) else { return Ok(()) };
            let purse = changed.hold.amount();
            let spent_before = spent;
            let late = crossing.min(first.1 - early);
            execute(late, cents(first.0), &mut filled, &mut notional, &mut charged, &mut spent);
            let left = hold(changed.worst_price, changed.fees_max, more, filled, charged);
            prop_assert!(spent - spent_before + left <= purse, "{} spent, {left} held of {purse}", spent - spent_before);
            let rest = second.1.saturating_sub(early + late);
            let spent_then = spent;
            execute(rest, cents(second.0), &mut filled, &mut notional, &mut charged, &mut spent);
            prop_assert!(spent - spent_then <= left, "{} spent of {left} held", spent - spent_then);
        }
    }
}
