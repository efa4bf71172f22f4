//! The decisions on a batch of orders, one after another on the locked state of their accounts. Pure.

use super::margin;
use super::order::Order;
use crate::account::{BalanceChange, Commodity, LockedBalances};
use crate::risk::{self, AccountState, Denial, Hold, MarginBook};
use chrono::{DateTime, Utc};
use domain::{AccountId, ClientOrderId, NewOrder, OrderId, Quote, Side, Symbol, UserId};
use exchange::Tariff;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// An order somebody waits for.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// Who asks.
    pub(super) user_id: UserId,
    /// The id it gets if it is new.
    pub(super) id: OrderId,
    /// The key under which it exists once in its account.
    pub(super) client_order_id: ClientOrderId,
    /// What is asked.
    pub(super) order: NewOrder,
    /// The current price.
    pub(super) quote: Option<Arc<Quote>>,
    /// Whether the asker has the symbol on the list of halted ones.
    pub(super) symbol_halted: bool,
    /// Whether it closes what is open and nothing else: a sale of what is held, a purchase of what was sold short.
    pub(super) closes_only: bool,
    /// What the account's broker charges.
    pub(super) tariff: Tariff,
    /// Whether it takes a purchase by an amount of money.
    pub(super) takes_amounts: bool,
}

impl Wish {
    /// The balances the decision on it depends on.
    pub(super) fn balances_needed(&self) -> impl Iterator<Item = (AccountId, Commodity)> + use<> {
        let order = &self.order;
        let shares = (order.side == Side::Sell).then_some(Commodity::Shares(order.symbol));
        let account = order.account_id;
        let cash = Commodity::Cash(order.symbol.currency());
        std::iter::once(cash).chain(shares).map(move |commodity| (account, commodity))
    }
}

/// How a wish ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is an order now, submitted or denied.
    Placed(Box<Order>),
    /// It had been answered before.
    Replayed(Box<Order>),
    /// Its key belongs to another order.
    KeyReused,
    /// It is no order at all: nothing was written.
    NoOrder(Vec<Denial>),
    /// The account does not exist or is somebody else's.
    NoSuchAccount,
}

/// The state the decisions are made on: locked, or believed and checked when they are written.
pub(super) struct Locked {
    pub(super) balances: LockedBalances,
    /// Orders that exist already under the keys of the batch.
    pub(super) existing: HashMap<(AccountId, String), Order>,
    /// Symbols in which an order's fate is unknown.
    pub(super) unresolved: HashSet<(AccountId, Symbol)>,
    /// Accounts that may buy on credit.
    pub(super) margins: HashMap<AccountId, MarginBook>,
}

/// What a batch writes.
#[derive(Default)]
pub(super) struct Decisions {
    /// One per wish, in their order.
    pub(super) answers: Vec<Answer>,
    /// New orders.
    pub(super) orders: Vec<Order>,
    /// What they reserve.
    pub(super) holds: Vec<BalanceChange>,
}

/// Decides on every wish in turn. What one has reserved, the next cannot.
pub(super) fn decide(wishes: &[Wish], mut locked: Locked, now: DateTime<Utc>) -> (Decisions, LockedBalances) {
    let mut decisions = Decisions::default();
    for wish in wishes {
        let answer = decide_one(wish, &mut locked, &mut decisions, now);
        decisions.answers.push(answer);
    }
    (decisions, locked.balances)
}

fn decide_one(wish: &Wish, locked: &mut Locked, decisions: &mut Decisions, now: DateTime<Utc>) -> Answer {
    let account = wish.order.account_id;
    let Some((owner, _)) = locked.balances.account(account).filter(|(owner, _)| *owner == wish.user_id)
    else {
        return Answer::NoSuchAccount;
    };
    let currency = wish.order.symbol.currency();
    let key = (account, wish.client_order_id.to_string());
    if let Some(existing) = locked.existing.get(&key) {
        return if existing.wish == wish.order {
            Answer::Replayed(Box::new(existing.as_first_answered()))
        } else {
            Answer::KeyReused
        };
    }
    let shares = locked.balances.balance(account, Commodity::Shares(wish.order.symbol));
    let book = locked.margins.get(&account);
    let state = AccountState {
        currency,
        cash_free: locked.balances.cash_free(account, currency),
        shares_free: shares.total - shares.held,
        symbol_unresolved: locked.unresolved.contains(&(account, wish.order.symbol)),
        symbol_halted: wish.symbol_halted,
        margin: margin::state(book, wish.order.symbol, wish.quote.as_deref()),
        tariff: wish.tariff,
        takes_amounts: wish.takes_amounts,
    };
    let judge = if wish.closes_only { risk::judge_close } else { risk::judge };
    let judgement = judge(wish.order, &state, wish.quote.as_deref(), now);
    let Some(quantity) = judgement.quantity else { return Answer::NoOrder(judgement.denials) };
    let order = match judgement.approved() {
        Some(approved) => {
            let change = hold_change(&wish.order, currency, approved.terms().hold);
            locked.balances.change(&change);
            if let Some(book) = margin::book_for(&mut locked.margins, account, wish.order.symbol) {
                book.add(wish.order.symbol, &approved.terms().asked(wish.order.side));
            }
            decisions.holds.push(change);
            Order::submitted(wish.id, owner, &wish.client_order_id, &approved, now)
        }
        None => {
            let asked = (wish.order, quantity);
            Order::denied(wish.id, owner, &wish.client_order_id, asked, judgement.denials, now)
        }
    };
    locked.existing.insert(key, order.clone());
    decisions.orders.push(order.clone());
    Answer::Placed(Box::new(order))
}

fn hold_change(order: &NewOrder, currency: domain::Currency, hold: Hold) -> BalanceChange {
    let commodity = match hold {
        Hold::Cash(_) => Commodity::Cash(currency),
        Hold::Shares(_) => Commodity::Shares(order.symbol),
    };
    BalanceChange { account_id: order.account_id, commodity, total: Decimal::ZERO, held: hold.amount() }
}

/// The owner of each account of a batch, to tell its new balances.
pub(super) fn owners(wishes: &[Wish], balances: &LockedBalances) -> BTreeMap<AccountId, UserId> {
    let owner = |account| balances.account(account).map(|(owner, _)| (account, owner));
    wishes.iter().filter_map(|wish| owner(wish.order.account_id)).collect()
}
