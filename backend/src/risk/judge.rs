//! The decision. Pure.

use super::hold::Hold;
use super::margin::{Asked, AskedAs, MarginState};
use super::rules;
use crate::error::FieldError;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{Currency, NewOrder, Notional, Price, Pricing, Quantity, Quote, Side, Size, Symbol};
use exchange::{Tariff, stale_age, trade_date};
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
    /// A reason against a field, by a stable word and in words for people.
    pub fn new(field: &str, rule: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), rule: rule.to_owned(), message: message.into(), nearest: Vec::new() }
    }

    /// Whether it says how shares may be sold short: nothing to say where they may not.
    fn is_about_short_sales(&self) -> bool {
        matches!(
            self.rule.as_str(),
            "short_whole_shares" | "short_sale_price_test" | "equity_too_small" | "insufficient_margin"
        )
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
    /// What it may do beyond its own money and shares, where it may do that in this symbol.
    pub margin: Option<MarginState>,
    /// What its broker charges.
    pub tariff: Tariff,
    /// Whether its broker takes a purchase at the market by an amount of money, and finds out how many shares that is.
    pub takes_amounts: bool,
}

impl AccountState {
    /// The amount of money that is sent as it is, where the order is for one that the broker takes so. A limit says how many
    /// shares an amount pays for, and a sale has to hold a number of them: these are for shares everywhere.
    fn amount_sent(&self, order: &NewOrder) -> Option<Notional> {
        let is_taken = self.takes_amounts && order.side == Side::Buy && order.pricing == Pricing::Market;
        match order.size {
            Size::Notional(amount) if is_taken => Some(amount),
            Size::Notional(_) | Size::Shares(_) => None,
        }
    }
}

/// What an order can cost at worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How many shares: as asked for, or what the money pays for.
    pub quantity: Quantity,
    /// Whether the broker is sent the amount of money, so that the number of shares is an estimate.
    pub sends_amount: bool,
    /// The worst price it can be executed at.
    pub worst_price: Price,
    /// The most it can cost in commission and tax; for a sale, at its worst price.
    pub fees_max: Decimal,
    /// What it reserves.
    pub hold: Hold,
}

impl Terms {
    /// What it asks of an account's equity.
    #[must_use]
    pub fn asked(&self, side: Side) -> Asked {
        let quantity = self.quantity.value();
        let amount = match side {
            Side::Buy => self.hold.amount(),
            Side::Sell => self.worst_price.value().saturating_mul(quantity),
        };
        Asked { side, quantity, amount }
    }
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
    let terms =
        quote.zip(quantity).and_then(|(quote, quantity)| terms_of(&order, quantity, quote, on, account));
    if let Some((quote, terms)) = quote.zip(terms) {
        let asked = terms.asked(order.side);
        let by_amount = matches!(order.size, Size::Notional(_));
        denials.extend(too_old(order.pricing, &asked, by_amount, account, quote, now));
    }
    match (terms, quote) {
        (Some(terms), _) => denials.extend(uncovered(&order, &terms, account, quote)),
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

/// Judges an order that is to close what is open and nothing else: a sale of what is held, or a purchase of what was sold
/// short and no open purchase is for.
#[must_use]
pub fn judge_close(
    order: NewOrder,
    account: &AccountState,
    quote: Option<&Quote>,
    now: DateTime<Utc>,
) -> Judgement {
    if order.side == Side::Sell {
        return judge(order, &AccountState { margin: None, ..*account }, quote, now);
    }
    let mut judgement = judge(order, account, quote, now);
    let owed = account.margin.map_or(Decimal::ZERO, |margin| margin.still_owed());
    if let Some(quantity) = judgement.quantity.filter(|quantity| quantity.value() > owed) {
        let (needed, owed) = (quantity.value().normalize(), owed.normalize());
        let message = format!("{needed} shares are to be bought back, {owed} are owed");
        judgement.denials.push(Denial::new("quantity", "more_than_owed", message));
        judgement.approved = None;
    }
    judgement
}

/// What speaks against any order in a symbol.
pub(super) fn against_symbol(account: &AccountState) -> Vec<Denial> {
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

/// A price that is too old pays for nothing: where the order has no limit of its own, what it can cost would be guessed.
/// A sale of what is held costs nothing and always gets out.
pub(super) fn too_old(
    pricing: Pricing,
    asked: &Asked,
    by_amount: bool,
    account: &AccountState,
    quote: &Quote,
    now: DateTime<Utc>,
) -> Option<Denial> {
    let is_priced = match asked.side {
        Side::Buy => true,
        Side::Sell => by_amount || account.margin.is_some_and(|margin| margin.sells_short(asked)),
    };
    if pricing.limit_price().is_some() || !is_priced {
        return None;
    }
    let minutes = stale_age(quote, now)?.num_minutes();
    let message =
        format!("the last price is {minutes} minutes old and the market is open: give a limit price");
    Some(Denial::new("type", "stale_price", message))
}

fn terms_of(
    order: &NewOrder,
    quantity: Quantity,
    quote: &Quote,
    on: NaiveDate,
    account: &AccountState,
) -> Option<Terms> {
    let worst_price = rules::worst_price(order.symbol, order.side, order.pricing, quote, on)?;
    let terms = terms_at(order.symbol, order.side, quantity, worst_price, on, account.tariff)?;
    let Some(amount) = account.amount_sent(order) else { return Some(terms) };
    let currency = order.symbol.currency();
    let hold = Hold::of_amount(currency, amount, Decimal::ZERO, terms.fees_max, Decimal::ZERO);
    Some(Terms { sends_amount: true, hold, ..terms })
}

pub(super) fn terms_at(
    symbol: Symbol,
    side: Side,
    quantity: Quantity,
    worst_price: Price,
    on: NaiveDate,
    tariff: Tariff,
) -> Option<Terms> {
    let market = symbol.market();
    let worst_notional = worst_price.notional(quantity.value()).ok()?;
    if rules::is_beyond_books(worst_notional) {
        return None;
    }
    let fees_max = tariff.fees_max(symbol, side, worst_price, quantity, on).ok()?.total().ok()?;
    let hold = Hold::of(side, market.currency(), worst_price, fees_max, quantity.value(), Decimal::ZERO)?;
    Some(Terms { quantity, sends_amount: false, worst_price, fees_max, hold })
}

fn uncovered(order: &NewOrder, terms: &Terms, account: &AccountState, quote: Option<&Quote>) -> Vec<Denial> {
    let field = match order.size {
        Size::Shares(_) => "quantity",
        Size::Notional(_) => "notional",
    };
    if let Some(margin) = &account.margin {
        let asked = AskedAs { field, pricing: order.pricing, quote };
        return uncovered_with_margin(&terms.asked(order.side), terms.hold, asked, account, margin);
    }
    uncovered_by_own(field, terms, account).into_iter().collect()
}

/// With credit: what is bought may exceed the cash and what is sold the shares, as far as the account's equity covers it.
pub(super) fn uncovered_with_margin(
    order: &Asked,
    hold: Hold,
    asked: AskedAs<'_>,
    account: &AccountState,
    margin: &MarginState,
) -> Vec<Denial> {
    let by_own_alone = match order.side {
        Side::Sell => margin.sells_short(order) && !margin.may_short(),
        Side::Buy => margin.is_too_small() && margin.is_judged(order),
    };
    let mut denials = margin.against(order, asked);
    if by_own_alone {
        if order.side == Side::Sell {
            denials.retain(|denial| !denial.is_about_short_sales());
        }
        denials.extend(unpaid(asked.field, hold, account));
    }
    denials
}

fn uncovered_by_own(field: &str, terms: &Terms, account: &AccountState) -> Option<Denial> {
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
pub(super) fn unpaid(field: &str, needed: Hold, account: &AccountState) -> Option<Denial> {
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

#[cfg(test)]
mod tests;
