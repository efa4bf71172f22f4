//! Decides whether an open order may get other terms.

use super::hold::{Hold, HoldTerms};
use super::judge::{
    AccountState, Denial, Terms, against_symbol, terms_at, too_old, uncovered_with_margin, unpaid,
};
use super::margin::{Asked, AskedAs};
use super::rules;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{Price, Pricing, Quantity, Quote, Side, Symbol};
use exchange::{Tariff, trade_date};
use rust_decimal::Decimal;

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
    denials.extend(rules::too_little(symbol, side, pricing, quantity, Some(quote)));
    denials.extend(rules::broken_price_rules(symbol, side, pricing, Some(quote), on));
    denials.extend(pricing.limit_price().and_then(|limit| rules::too_valuable(limit, quantity)));
    denials.extend(against_symbol(account));
    let worst_price = if pricing == order.pricing {
        Some(order.worst_price)
    } else {
        rules::worst_price(symbol, side, pricing, quote, on)
    };
    let terms =
        worst_price.and_then(|worst_price| changed_terms(order, quantity, worst_price, on, account.tariff));
    match terms {
        Some(terms) => {
            let asked = more_asked(order, &terms, quantity);
            if asked.amount > Decimal::ZERO {
                denials.extend(too_old(pricing, &asked, false, account, quote, now));
            }
            let more = (terms.hold.amount() - order.held).max(Decimal::ZERO);
            let needed = match terms.hold {
                Hold::Cash(_) => Hold::Cash(more),
                Hold::Shares(_) => Hold::Shares(more),
            };
            match &account.margin {
                None => denials.extend(unpaid("quantity", needed, account)),
                Some(margin) => {
                    let how = AskedAs { field: "quantity", pricing, quote: Some(quote) };
                    denials.extend(uncovered_with_margin(&asked, needed, how, account, margin));
                }
            }
        }
        None if denials.is_empty() => {
            denials.push(Denial::new("quantity", "too_large", "the order's value is too large"));
        }
        None => {}
    }
    terms.filter(|_| denials.is_empty()).ok_or(denials)
}

/// What other terms ask of an account's equity beside the present ones, which are among what is open.
fn more_asked(order: &OpenOrder, terms: &Terms, quantity: Quantity) -> Asked {
    let shares = quantity.value() - order.quantity.value();
    let worth = |price: Price, shares: Decimal| price.value().saturating_mul(shares);
    let amount = match order.side {
        Side::Buy => terms.hold.amount() - order.held,
        // It is executed by the present terms or by the others: fewer shares at a higher price need not ask for more.
        Side::Sell => {
            let leaves = (quantity.value() - order.filled_quantity).max(Decimal::ZERO);
            let held = leaves.min(terms.hold.amount());
            worth(terms.worst_price, held) - worth(order.worst_price, order.held)
        }
    };
    let quantity = shares.max(Decimal::ZERO);
    Asked { side: order.side, quantity, amount: amount.max(Decimal::ZERO) }
}

fn changed_terms(
    order: &OpenOrder,
    quantity: Quantity,
    worst_price: Price,
    on: NaiveDate,
    tariff: Tariff,
) -> Option<Terms> {
    let (market, currency) = (order.symbol.market(), order.symbol.currency());
    let plain = terms_at(order.symbol, order.side, quantity, worst_price, on, tariff)?;
    let leaves = (quantity.value() - order.filled_quantity).max(Decimal::ZERO);
    let mut fees_max = plain.fees_max;
    if order.side == Side::Buy && (worst_price < order.worst_price || !order.filled_quantity.is_zero()) {
        // What was executed, and what may still be while the request is under way, costs fees by its own price.
        let dearest = worst_price.max(order.worst_price);
        let notional = order.filled_notional.checked_add(dearest.value().checked_mul(leaves)?)?;
        let bound = tariff.commission_max(market, quantity.value(), notional).ok()?;
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
