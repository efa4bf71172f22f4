//! What must be in the books, reckoned from the broker's own journal by the slow and obvious way. It knows the contract
//! (docs/decisions 8, 10, 12, 20 and 108, and the API's description) and none of the server's code.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// What the broker has executed of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Execution {
    pub(crate) id: String,
    pub(crate) order: String,
    pub(crate) symbol: String,
    pub(crate) is_purchase: bool,
    pub(crate) quantity: Decimal,
    pub(crate) price: Decimal,
    pub(crate) commission: Decimal,
    pub(crate) tax: Decimal,
}

/// A position under both methods of reckoning its cost. Shares that are owed are below zero, and so is what they have brought.
#[derive(Debug, Default)]
pub(crate) struct Position {
    pub(crate) shares: Decimal,
    pub(crate) cost: Decimal,
    pub(crate) profit: Decimal,
    /// Shares and what they have cost, the oldest first.
    lots: VecDeque<(Decimal, Decimal)>,
    pub(crate) profit_of_lots: Decimal,
    /// Whether more was sold than there was: from then on its cost is not reckoned here.
    pub(crate) was_oversold: bool,
}

/// An account as the broker's executions leave it.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// What trading has brought or cost, fees included.
    pub(crate) traded: Decimal,
    pub(crate) commission: Decimal,
    pub(crate) tax: Decimal,
    pub(crate) positions: BTreeMap<String, Position>,
    pub(crate) orders: BTreeMap<String, Filled>,
    /// Executions after which shares were owed that were not owed before.
    pub(crate) sold_short: usize,
}

/// What was executed of an order.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Filled {
    pub(crate) quantity: Decimal,
    pub(crate) commission: Decimal,
    pub(crate) tax: Decimal,
}

/// Amounts are whole minor units, the nearest, a half to the even one.
fn rounded(amount: Decimal, digits: u32) -> Decimal {
    amount.round_dp_with_strategy(digits, RoundingStrategy::MidpointNearestEven)
}

fn part_of(amount: Decimal, part: Decimal, whole: Decimal, digits: u32) -> Decimal {
    let share = if part == whole { amount } else { rounded(amount * (part / whole), digits) };
    if share.abs() > amount.abs() { amount } else { share }
}

impl Position {
    fn buy(&mut self, shares: Decimal, value: Decimal) {
        self.was_oversold |= self.shares < Decimal::ZERO;
        self.shares += shares;
        self.cost += value;
        self.lots.push_back((shares, value));
    }

    fn sell(&mut self, shares: Decimal, value: Decimal, digits: u32) {
        self.was_oversold |= self.shares < shares;
        if self.was_oversold {
            self.shares -= shares;
            return;
        }
        let gone = part_of(self.cost, shares, self.shares, digits);
        self.shares -= shares;
        self.cost -= gone;
        self.profit += value - gone;
        let gone = self.take_lots(shares, digits);
        self.profit_of_lots += value - gone;
    }

    /// The same where shares may be owed: what comes is above zero, what goes below, and so is its worth. What is there on
    /// the other side goes first, and the rest is the beginning of a new position.
    fn take_either_way(&mut self, shares: Decimal, worth: Decimal, digits: u32) {
        let is_closing = self.shares.is_sign_positive() != shares.is_sign_positive();
        let closed = if is_closing { shares.abs().min(self.shares.abs()) } else { Decimal::ZERO };
        let closing_worth =
            if closed.is_zero() { closed } else { part_of(worth, closed, shares.abs(), digits) };
        if closed > Decimal::ZERO {
            let gone = part_of(self.cost, closed, self.shares.abs(), digits);
            self.cost -= gone;
            self.profit -= closing_worth + gone;
            let gone = self.take_lots(closed, digits);
            self.profit_of_lots -= closing_worth + gone;
        }
        let opened = shares - if shares.is_sign_positive() { closed } else { -closed };
        self.shares += shares;
        if !opened.is_zero() {
            self.cost += worth - closing_worth;
            self.lots.push_back((opened, worth - closing_worth));
        }
    }

    /// What the oldest of these shares have cost, or brought.
    fn take_lots(&mut self, mut shares: Decimal, digits: u32) -> Decimal {
        let mut gone = Decimal::ZERO;
        while shares > Decimal::ZERO {
            let (held, cost) = self.lots.pop_front().expect("lots for every share");
            let taken = held.abs().min(shares);
            let part = part_of(cost, taken, held.abs(), digits);
            if taken < held.abs() {
                let left = if held.is_sign_positive() { held - taken } else { held + taken };
                self.lots.push_front((left, cost - part));
            }
            gone += part;
            shares -= taken;
        }
        gone
    }

    pub(crate) fn cost_of_lots(&self) -> Decimal {
        self.lots.iter().map(|(_, cost)| cost).sum()
    }
}

impl Books {
    /// The books after these executions, in the order in which the broker reported them; amounts have so many digits. Shares
    /// may be owed where the account sells short.
    pub(crate) fn after(executions: &[Execution], digits: u32, sells_short: bool) -> Self {
        let mut books = Self::default();
        for execution in executions {
            let value = rounded(execution.price * execution.quantity, digits);
            let position = books.positions.entry(execution.symbol.clone()).or_default();
            let sign = if execution.is_purchase { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
            books.traded -= sign * value;
            match (sells_short, execution.is_purchase) {
                (true, _) => {
                    let was_owed = position.shares < Decimal::ZERO;
                    position.take_either_way(sign * execution.quantity, sign * value, digits);
                    books.sold_short += usize::from(position.shares < Decimal::ZERO && !was_owed);
                }
                (false, true) => position.buy(execution.quantity, value),
                (false, false) => position.sell(execution.quantity, value, digits),
            }
            books.traded -= execution.commission + execution.tax;
            books.commission += execution.commission;
            books.tax += execution.tax;
            let order = books.orders.entry(execution.order.clone()).or_default();
            order.quantity += execution.quantity;
            order.commission += execution.commission;
            order.tax += execution.tax;
        }
        books
    }
}

/// The terms of an order that can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) quantity: Decimal,
    limit_price: Option<Decimal>,
    stop_price: Option<Decimal>,
    trail_amount: Option<Decimal>,
    trail_percent: Option<Decimal>,
}

pub(crate) fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap_or_else(|| panic!("a string, not {value}")).parse().unwrap()
}

fn decimal_if_any(value: &Value) -> Option<Decimal> {
    (!value.is_null()).then(|| decimal(value))
}

impl Terms {
    /// Those that a document names.
    pub(crate) fn of(document: &Value) -> Self {
        Self {
            quantity: decimal(&document["quantity"]),
            limit_price: decimal_if_any(&document["limitPrice"]),
            stop_price: decimal_if_any(&document["stopPrice"]),
            trail_amount: decimal_if_any(&document["trailAmount"]),
            trail_percent: decimal_if_any(&document["trailPercent"]),
        }
    }

    /// The same after what a change names; a distance of the one kind takes the place of one of the other.
    pub(crate) fn changed(self, change: &Value) -> Self {
        let trail = (decimal_if_any(&change["trailAmount"]), decimal_if_any(&change["trailPercent"]));
        let (trail_amount, trail_percent) =
            if trail == (None, None) { (self.trail_amount, self.trail_percent) } else { trail };
        Self {
            quantity: decimal_if_any(&change["quantity"]).unwrap_or(self.quantity),
            limit_price: decimal_if_any(&change["limitPrice"]).or(self.limit_price),
            stop_price: decimal_if_any(&change["stopPrice"]).or(self.stop_price),
            trail_amount,
            trail_percent,
        }
    }

    /// Whether an execution at this price is what was asked for.
    pub(crate) fn allow(&self, is_purchase: bool, price: Decimal) -> bool {
        self.limit_price.is_none_or(|limit| if is_purchase { price <= limit } else { price >= limit })
    }
}

mod tests {
    use super::*;

    fn execution(is_purchase: bool, quantity: &str, price: &str) -> Execution {
        Execution {
            id: String::new(),
            order: "one".into(),
            symbol: "AAPL".into(),
            is_purchase,
            quantity: quantity.parse().unwrap(),
            price: price.parse().unwrap(),
            commission: Decimal::ONE,
            tax: Decimal::ZERO,
        }
    }

    #[test]
    fn the_model_knows_an_example_worked_out_by_hand() {
        let executions = [
            execution(true, "10", "10"),
            execution(true, "10", "20"),
            execution(false, "15", "30"),
            execution(true, "0.5", "10.01"),
        ];
        let books = Books::after(&executions, 2, false);
        let position = &books.positions["AAPL"];
        // 5.005 is as near to 5.00 as to 5.01.
        assert_eq!(books.traded, "141".parse::<Decimal>().unwrap(), "-100 -200 +450 -5.00 -4");
        assert_eq!(position.shares, "5.5".parse().unwrap());
        assert_eq!((position.cost, position.profit), ("80".parse().unwrap(), "225".parse().unwrap()));
        let lots = (position.cost_of_lots(), position.profit_of_lots);
        assert_eq!(lots, ("105".parse().unwrap(), "250".parse().unwrap()));
    }

    #[test]
    fn the_model_knows_a_short_sale_worked_out_by_hand() {
        let executions = [
            execution(true, "2", "10"),
            execution(false, "5", "12"),
            execution(false, "3", "15"),
            execution(true, "4", "11"),
            execution(true, "3", "20"),
        ];
        let books = Books::after(&executions, 2, true);
        let position = &books.positions["AAPL"];
        // Held 2 for 20, sold for 24: 4. Owed 3 for 36 and 3 for 45. Four bought back for 44: of the average, 54 less 44 are 10;
        // of the lots, 51 less 44 are 7. The last two of three cost 40, the third is held for 20.
        assert_eq!(books.traded, "-24".parse::<Decimal>().unwrap(), "-20 +60 +45 -44 -60 -5");
        assert_eq!(position.shares, Decimal::ONE);
        assert_eq!(
            (position.cost, position.profit),
            (Decimal::from(20), "1".parse().unwrap()),
            "4 + 10 + (27 - 40)"
        );
        let lots = (position.cost_of_lots(), position.profit_of_lots);
        assert_eq!(lots, (Decimal::from(20), "1".parse().unwrap()), "4 + 7 + (30 - 40)");
    }
}
