//! Legs become orders. Pure.

use super::{Group, GroupLeg, LegName, LegState};
use crate::account::{BalanceChange, Commodity, LockedBalances};
use crate::error::FieldError;
use crate::risk::{self, AccountState, Denial, MarginState};
use crate::trading::order::{GroupShare, Order};
use chrono::{DateTime, Utc};
use domain::{NewOrder, Quantity, Quote, Side};
use exchange::Tariff;
use rust_decimal::Decimal;

/// What legs are judged by, beside the account's locked balances.
#[derive(Clone, Copy)]
pub(super) struct Circumstances<'a> {
    pub(super) quote: Option<&'a Quote>,
    pub(super) symbol_halted: bool,
    pub(super) symbol_unresolved: bool,
    pub(super) now: DateTime<Utc>,
    /// What entries may be bought with beyond the account's own money. Exits sell what is there.
    pub(super) margin: Option<MarginState>,
    /// What the account's broker charges.
    pub(super) tariff: Tariff,
}

/// Legs that were judged together.
#[derive(Default)]
pub(super) struct Woken {
    pub(super) orders: Vec<Order>,
    pub(super) holds: Vec<BalanceChange>,
    /// The legs that cannot be orders, and why.
    pub(super) refused: Vec<(LegName, Vec<Denial>)>,
}

/// Reasons that time may take away; a leg that has only those waits for it.
const PASSING_RULES: [&str; 5] = ["no_price", "stale_price", "halted", "unresolved_order", "session"];

impl Woken {
    /// Whether nothing speaks against the refused legs but the moment.
    pub(super) fn only_waits(&self) -> bool {
        let passes = |denial: &Denial| PASSING_RULES.contains(&denial.rule.as_str());
        !self.refused.is_empty() && self.refused.iter().all(|(_, denials)| denials.iter().all(passes))
    }

    /// The refusals as fields of the request.
    pub(super) fn complaints(self) -> Vec<FieldError> {
        let of_leg = |(name, denials): (LegName, Vec<Denial>)| {
            denials.into_iter().map(move |denial| {
                let field = format!("{}.{}", name.field(), denial.field);
                FieldError::from(Denial { field, ..denial })
            })
        };
        self.refused.into_iter().flat_map(of_leg).collect()
    }
}

/// Judges legs for so many shares on the locked balances, which are changed by what the orders hold. Two exits share their
/// shares: the second is judged as if the first did not hold them.
pub(super) fn wake(
    group: &Group,
    legs: &[&GroupLeg],
    quantity: Quantity,
    balances: &mut LockedBalances,
    circumstances: Circumstances<'_>,
) -> Woken {
    let mut woken = Woken::default();
    let mut first: Option<Order> = None;
    for leg in legs {
        let Ok(order) = leg.wish.order(group.account_id, group.symbol, quantity) else {
            // It was checked when the group was made.
            woken.refused.push((leg.name, Vec::new()));
            continue;
        };
        let shared = first.as_ref().map_or(Decimal::ZERO, |first| first.held);
        let state = state_of(group, &order, balances, shared, circumstances);
        let judgement = risk::judge(order, &state, circumstances.quote, circumstances.now);
        let Some(approved) = judgement.approved() else {
            woken.refused.push((leg.name, judgement.denials));
            continue;
        };
        let key = leg.order_id.into();
        let mut order = Order::submitted(leg.order_id, group.user_id, &key, &approved, circumstances.now);
        order.group = Some(GroupShare { group: group.id, sibling: None, left: None, sibling_held: None });
        order.contingency = group.contingency(order.id);
        if let Some(mut profit) = first.take() {
            pair(&mut profit, &mut order);
            woken.finish(profit, balances);
        }
        if leg.name == LegName::TakeProfit { first = Some(order) } else { woken.finish(order, balances) }
    }
    if let Some(alone) = first {
        woken.finish(alone, balances);
    }
    woken
}

pub(super) fn pair(profit: &mut Order, loss: &mut Order) {
    let ids = (profit.id, loss.id);
    for (order, other) in [(&mut *profit, ids.1), (&mut *loss, ids.0)] {
        if let Some(share) = &mut order.group {
            share.sibling = Some(other);
        }
    }
    profit.share_with(loss);
}

impl Woken {
    pub(super) fn finish(&mut self, order: Order, balances: &mut LockedBalances) {
        let commodity = if order.holds_cash() {
            Commodity::Cash(order.currency())
        } else {
            Commodity::Shares(order.wish.symbol)
        };
        let account_id = order.wish.account_id;
        let change = BalanceChange { account_id, commodity, total: Decimal::ZERO, held: order.held };
        balances.change(&change);
        self.holds.push(change);
        self.orders.push(order);
    }
}

fn state_of(
    group: &Group,
    order: &NewOrder,
    balances: &LockedBalances,
    shared: Decimal,
    circumstances: Circumstances<'_>,
) -> AccountState {
    let account = group.account_id;
    let currency = order.symbol.currency();
    let shares = balances.balance(account, Commodity::Shares(order.symbol));
    AccountState {
        currency: balances.account(account).map_or(currency, |(_, currency)| currency),
        cash_free: balances.cash_free(account, order.symbol.currency()),
        // The first exit's hold is not among the balances yet when the second is judged.
        shares_free: (shares.total - shares.held).max(shared),
        symbol_unresolved: circumstances.symbol_unresolved,
        symbol_halted: circumstances.symbol_halted,
        margin: circumstances.margin.filter(|_| order.side == Side::Buy),
        tariff: circumstances.tariff,
        takes_amounts: false,
    }
}

/// What speaks against legs whose turn has not come: everything but the money and the shares, which they will only then
/// need. Of what the entry buys, shares that are `owed` now are given back, and not there to be sold.
pub(super) fn judge_ahead(
    group: &Group,
    legs: &[&GroupLeg],
    owed: Decimal,
    circumstances: Circumstances<'_>,
) -> Woken {
    let mut ahead = Woken::default();
    for leg in legs {
        let Ok(order) = leg.wish.order(group.account_id, group.symbol, group.quantity) else { continue };
        let plenty = AccountState {
            currency: order.symbol.currency(),
            cash_free: Decimal::MAX / Decimal::TWO,
            shares_free: group.quantity.value() - owed,
            symbol_unresolved: false,
            symbol_halted: circumstances.symbol_halted,
            margin: None,
            tariff: circumstances.tariff,
            takes_amounts: false,
        };
        let judgement = risk::judge(order, &plenty, circumstances.quote, circumstances.now);
        if judgement.approved().is_none() {
            ahead.refused.push((leg.name, judgement.denials));
        }
    }
    ahead
}

/// Legs that are to be orders now.
pub(super) fn waiting(group: &Group) -> Vec<&GroupLeg> {
    let mut legs: Vec<&GroupLeg> = group.legs.iter().filter(|leg| leg.state == LegState::Waiting).collect();
    // The exit with profit first: it holds the shares.
    legs.sort_by_key(|leg| leg.name != LegName::TakeProfit);
    legs
}
