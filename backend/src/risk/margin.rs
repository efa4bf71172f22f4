//! What an account that buys on credit or sells short may still do. Pure.
//!
//! Everything open is counted as if it were executed, on whichever side of a symbol asks for more: what is bought
//! beyond what it closes must be covered by the account's own money in part, what is sold beyond what is held beside its
//! proceeds. An order that opens nothing and asks for no more than before is always allowed: it is the way out.

mod reduction;

pub use reduction::Reduction;

use super::judge::Denial;
use domain::{Currency, Pricing, Quote, Side, Symbol};
use exchange::{MarginRules, is_price_tested};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::BTreeMap;

/// One symbol of an account, with what is open in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exposure {
    /// Shares; below zero when they are sold short.
    pub quantity: Decimal,
    /// Price of one share; nothing where nobody knows it.
    pub mark: Option<Decimal>,
    /// Shares that open orders may still buy.
    pub buying: Decimal,
    /// What those may cost at most, fees included.
    pub buying_cost: Decimal,
    /// Shares that open orders may still sell.
    pub selling: Decimal,
    /// What those bring at their orders' worst prices.
    pub selling_worth: Decimal,
}

impl Exposure {
    fn mark(&self) -> Decimal {
        self.mark.unwrap_or_default()
    }

    /// Whether anything here is worth what nobody knows.
    fn is_unpriced(&self) -> bool {
        self.mark.is_none() && !(self.quantity.is_zero() && self.selling.is_zero())
    }

    /// What the shares are worth; below zero of those sold short.
    #[must_use]
    pub fn value(&self) -> Decimal {
        self.quantity * self.mark()
    }

    /// Shares sold short once everything open is sold.
    fn short_at_most(&self) -> Decimal {
        (self.selling - self.quantity).max(Decimal::ZERO)
    }

    /// Shares held once everything open is bought.
    fn long_at_most(&self) -> Decimal {
        (self.quantity + self.buying).max(Decimal::ZERO)
    }

    /// What shares held and bought come to once everything open is bought.
    fn long_value(&self) -> Decimal {
        let held = self.quantity.max(Decimal::ZERO);
        let opened = self.long_at_most() - held;
        held * self.mark() + part(self.buying_cost, opened, self.buying)
    }

    /// What shares sold short come to once everything open is sold: at the price of now, or what they are offered for if
    /// that is more.
    fn short_value(&self) -> Decimal {
        let short = (-self.quantity).max(Decimal::ZERO);
        let opened = self.short_at_most() - short;
        let offered = part(self.selling_worth, opened, self.selling);
        short * self.mark() + offered.max(opened * self.mark())
    }

    /// Equity that must be there for it.
    #[must_use]
    pub fn required(&self, rules: &MarginRules) -> Decimal {
        (self.long_value() * rules.initial).max(self.short_value() * rules.short_own())
    }

    /// Equity that must stay there for what is held and sold short now.
    #[must_use]
    pub fn required_to_stay(&self, rules: &MarginRules) -> Decimal {
        self.value().abs() * self.staying_rate(rules)
    }

    fn staying_rate(&self, rules: &MarginRules) -> Decimal {
        if self.quantity < Decimal::ZERO { rules.short_maintenance } else { rules.maintenance }
    }

    fn with(self, order: &Asked) -> Self {
        match order.side {
            Side::Buy => Self {
                buying: self.buying + order.quantity,
                buying_cost: self.buying_cost + order.amount,
                ..self
            },
            Side::Sell => Self {
                selling: self.selling + order.quantity,
                selling_worth: self.selling_worth + order.amount,
                ..self
            },
        }
    }
}

/// Its part of an amount.
fn part(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal {
    if part >= whole { amount } else { amount * part.checked_div(whole).unwrap_or_default() }
}

/// An order, or what another adds to one, as far as it asks for equity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Bought or sold.
    pub side: Side,
    /// Shares.
    pub quantity: Decimal,
    /// For a purchase what it holds; for a sale what it brings at its worst price.
    pub amount: Decimal,
}

impl Asked {
    /// The same for so many of its shares.
    fn of(&self, quantity: Decimal) -> Self {
        Self { quantity, amount: part(self.amount, quantity, self.quantity), ..*self }
    }
}

/// Everything about an account that may buy on credit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarginBook {
    /// What is wanted today.
    pub rules: MarginRules,
    /// Whether it may sell short.
    pub may_short: bool,
    /// Whether its equity has fallen below what must stay.
    pub is_called: bool,
    /// Currency of all amounts.
    pub currency: Currency,
    /// All cash; below zero when it is owed.
    pub cash: Decimal,
    /// Everything held, sold short or open.
    pub exposures: BTreeMap<Symbol, Exposure>,
}

impl MarginBook {
    /// A symbol that is held, owed or offered and of which nobody knows the price.
    #[must_use]
    pub fn unpriced(&self) -> Option<Symbol> {
        self.exposures.iter().find(|(_, exposure)| exposure.is_unpriced()).map(|(symbol, _)| *symbol)
    }

    /// What would be left if everything were sold and bought back now.
    #[must_use]
    pub fn equity(&self) -> Decimal {
        self.cash + self.exposures.values().map(Exposure::value).sum::<Decimal>()
    }

    /// Equity that must be there for everything held, sold short and open.
    #[must_use]
    pub fn required(&self) -> Decimal {
        let required = self.exposures.values().map(|exposure| exposure.required(&self.rules)).sum();
        self.currency.round_up(required)
    }

    /// Equity that must stay there for what is held and sold short now.
    #[must_use]
    pub fn required_to_stay(&self) -> Decimal {
        let required = self.exposures.values().map(|exposure| exposure.required_to_stay(&self.rules)).sum();
        self.currency.round_up(required)
    }

    /// What can still be bought: all of it at once, on top of everything open.
    #[must_use]
    pub fn buying_power(&self) -> Decimal {
        let free = (self.equity() - self.required()).max(Decimal::ZERO);
        self.currency.round_down(free.checked_div(self.rules.initial).unwrap_or_default())
    }

    /// Counts an order that was approved.
    pub fn add(&mut self, symbol: Symbol, order: &Asked) {
        let exposure = self.exposures.entry(symbol).or_default();
        *exposure = exposure.with(order);
    }

    /// The account as an order in one symbol sees it, at this price.
    #[must_use]
    pub fn seen_from(&self, symbol: Symbol, mark: Option<Decimal>) -> MarginState {
        let here = self.exposures.get(&symbol).copied().unwrap_or_default();
        let elsewhere =
            || self.exposures.iter().filter(|(other, _)| **other != symbol).map(|(_, other)| other);
        MarginState {
            rules: self.rules,
            may_short: self.may_short,
            is_called: self.is_called,
            currency: self.currency,
            equity_elsewhere: self.cash + elsewhere().map(Exposure::value).sum::<Decimal>(),
            required_elsewhere: elsewhere().map(|exposure| exposure.required(&self.rules)).sum(),
            unpriced: self.unpriced().filter(|unpriced| *unpriced != symbol),
            here: Exposure { mark: mark.or(here.mark), ..here },
        }
    }
}

/// An account that may buy on credit, as an order in one symbol sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarginState {
    rules: MarginRules,
    may_short: bool,
    is_called: bool,
    currency: Currency,
    equity_elsewhere: Decimal,
    required_elsewhere: Decimal,
    unpriced: Option<Symbol>,
    here: Exposure,
}

/// An order as a person speaks of it: which of its fields says how many, and how it is priced.
#[derive(Debug, Clone, Copy)]
pub(super) struct AskedAs<'a> {
    pub(super) field: &'a str,
    pub(super) pricing: Pricing,
    pub(super) quote: Option<&'a Quote>,
}

impl MarginState {
    fn equity(&self) -> Decimal {
        self.equity_elsewhere + self.here.value()
    }

    fn required(&self, here: &Exposure) -> Decimal {
        self.currency.round_up(self.required_elsewhere + here.required(&self.rules))
    }

    /// Equity that nothing would ask for with an order among what is open, below zero when more were asked for than there is;
    /// and what could still be bought then.
    #[must_use]
    pub fn left_after(&self, order: &Asked) -> (Decimal, Decimal) {
        let left = self.currency.round_down(self.equity() - self.required(&self.here.with(order)));
        let buys = left.max(Decimal::ZERO).checked_div(self.rules.initial).unwrap_or_default();
        (left, self.currency.round_down(buys))
    }

    /// Equity that must be there with an order among what is open, and what is there; `None` where the order is a way out.
    pub(super) fn needed_for(&self, order: &Asked) -> Option<(Decimal, Decimal)> {
        let needed = self.required(&self.here.with(order));
        self.is_judged(order).then(|| (needed, self.equity()))
    }

    /// Whether an order would have more sold than is held.
    pub(super) fn sells_short(&self, order: &Asked) -> bool {
        self.here.with(order).short_at_most() > self.here.short_at_most()
    }

    /// Shares sold short that no open purchase brings back.
    pub(super) fn still_owed(&self) -> Decimal {
        (-self.here.quantity - self.here.buying).max(Decimal::ZERO)
    }

    /// Whether it may sell short.
    pub(super) const fn may_short(&self) -> bool {
        self.may_short
    }

    /// Whether its equity is too small for credit.
    pub(super) fn is_too_small(&self) -> bool {
        self.equity() < self.rules.equity_min
    }

    /// Whether an order asks for more than before, or opens something: what is turned round can ask for as much as what was
    /// there, and is still a new position.
    pub(super) fn is_judged(&self, order: &Asked) -> bool {
        let after = self.here.with(order);
        let opens = after.short_at_most() > self.here.short_at_most()
            || after.long_at_most() > self.here.long_at_most();
        opens || self.required(&after) > self.required(&self.here)
    }

    /// Whether it is another price for shares sold short. Which of several open sales is the short one nobody can say: all are.
    fn reprices_short(&self, order: &Asked) -> bool {
        order.side == Side::Sell && order.quantity.is_zero() && self.here.short_at_most() > Decimal::ZERO
    }

    /// Everything that speaks against an order, save what also speaks against it in an account without credit.
    pub(super) fn against(&self, order: &Asked, asked: AskedAs<'_>) -> Vec<Denial> {
        let sells_short = self.sells_short(order);
        let mut denials = Vec::new();
        if sells_short || self.reprices_short(order) {
            denials.extend(self.against_short(order, asked));
        }
        if !self.is_judged(order) {
            return denials;
        }
        if self.is_called {
            let message = "the account's equity is below what must stay: only orders that reduce what is open are taken";
            denials.push(Denial::new(asked.field, "margin_call", message));
        }
        if let Some(unpriced) = self.unpriced {
            let message = format!("there is no current price for {unpriced}, which the account has open");
            denials.push(Denial::new("symbol", "no_price", message));
        }
        if sells_short && self.is_too_small() {
            let message = format!(
                "{} {} of equity are needed to sell short, {} are there",
                self.rules.equity_min,
                self.currency,
                self.equity().normalize()
            );
            denials.push(Denial::new(asked.field, "equity_too_small", message));
        }
        denials.extend(self.uncovered(order, asked.field));
        denials
    }

    fn against_short(&self, order: &Asked, asked: AskedAs<'_>) -> Vec<Denial> {
        let mut denials = Vec::new();
        let short = self.here.with(order).short_at_most() - self.here.short_at_most();
        if !short.fract().is_zero() {
            let message = "shares are sold short whole";
            denials.push(Denial::new(asked.field, "short_whole_shares", message));
        }
        let is_above_bid =
            |limit: domain::Price| asked.quote.is_some_and(|quote| limit > quote.bid.unwrap_or(quote.price));
        let is_tested = asked.quote.is_some_and(is_price_tested);
        if is_tested && !asked.pricing.limit_price().is_some_and(is_above_bid) {
            let message =
                "the share has fallen by a tenth: it is sold short only with a limit above the best bid";
            denials.push(Denial::new("limitPrice", "short_sale_price_test", message));
        }
        denials
    }

    fn uncovered(&self, order: &Asked, field: &str) -> Option<Denial> {
        let (needed, there) = (self.required(&self.here.with(order)), self.equity());
        (needed > there).then(|| {
            let message = format!(
                "{} {} of equity are needed for everything open, {} are there",
                needed.normalize(),
                self.currency,
                self.currency.round_down(there).normalize()
            );
            let most = self.most(order).filter(|most| *most > Decimal::ZERO);
            Denial::new(field, "insufficient_margin", message).nearest(most)
        })
    }

    /// The most whole shares of an order that are covered: more never ask for less.
    fn most(&self, order: &Asked) -> Option<Decimal> {
        let (mut fits, mut too_many) = (0u64, order.quantity.trunc().to_u64()?.checked_add(1)?);
        while too_many - fits > 1 {
            let middle = fits + (too_many - fits) / 2;
            let covered = self.required(&self.here.with(&order.of(Decimal::from(middle)))) <= self.equity();
            if covered {
                fits = middle;
            } else {
                too_many = middle;
            }
        }
        Some(Decimal::from(fits))
    }
}

#[cfg(test)]
mod tests;
