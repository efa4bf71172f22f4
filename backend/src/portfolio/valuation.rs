//! From books and prices to what things are worth. Pure.

use super::cost::PositionState;
use crate::account::{CashBalance, CostMethod, Funding};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{Currency, Quote, Symbol};
use rust_decimal::Decimal;

/// Digits of a percentage.
const PERCENT_DIGITS: u32 = 2;

/// A position with its market value, where there is a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ValuedPosition {
    /// What is held.
    pub(super) symbol: Symbol,
    /// How much, and what it cost.
    pub(super) state: PositionState,
    /// How its cost and profit are told.
    pub(super) method: CostMethod,
    /// What it is worth.
    pub(super) market: Option<MarketValue>,
}

impl ValuedPosition {
    /// Currency of all its amounts.
    pub(super) fn currency(&self) -> Currency {
        self.symbol.currency()
    }

    /// What the shares held have cost.
    pub(super) const fn cost(&self) -> Decimal {
        self.state.cost_by(self.method)
    }

    /// Made by selling, before commission and tax.
    pub(super) const fn realised_pnl(&self) -> Decimal {
        self.state.realised_by(self.method)
    }
}

/// A position's worth at a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MarketValue {
    /// Last price of one share.
    pub(super) price: Decimal,
    /// Of all shares, in whole minor units.
    pub(super) value: Decimal,
    /// Value less cost.
    pub(super) unrealised_pnl: Decimal,
    /// The same in percent of the cost.
    pub(super) unrealised_pnl_percent: Option<Decimal>,
    /// When the price was current.
    pub(super) priced_at: DateTime<Utc>,
    /// The trading day of the price.
    pub(super) session_date: NaiveDate,
    /// Whether the price is invented.
    pub(super) simulated: bool,
}

/// A part in percent of a whole; nothing where the whole is zero.
fn percent(part: Decimal, whole: Decimal) -> Option<Decimal> {
    let ratio = part.checked_div(whole)?;
    Some((ratio * Decimal::ONE_HUNDRED).round_dp(PERCENT_DIGITS).normalize())
}

/// Values a position.
#[must_use]
pub(super) fn value_position(
    (symbol, state): (Symbol, PositionState),
    method: CostMethod,
    quote: Option<&Quote>,
) -> ValuedPosition {
    let cost = state.cost_by(method);
    let market = quote.filter(|_| !state.quantity.is_zero()).and_then(|quote| {
        let price = quote.price.value();
        let value = symbol.currency().round(price.checked_mul(state.quantity)?);
        let unrealised_pnl = value - cost;
        Some(MarketValue {
            price,
            value,
            unrealised_pnl,
            unrealised_pnl_percent: percent(unrealised_pnl, cost.abs()),
            priced_at: quote.at,
            session_date: quote.session_date,
            simulated: quote.simulated,
        })
    });
    ValuedPosition { symbol, state, method, market }
}

/// What an account is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccountValue {
    /// Its cash.
    pub(super) cash: CashBalance,
    /// Of all positions; at cost where there is no price.
    pub(super) positions_value: Decimal,
    /// Cash and positions.
    pub(super) total_value: Decimal,
    /// Money brought in, other currencies and shares in kind included.
    pub(super) net_deposits: Decimal,
    /// Value of the positions less their cost.
    pub(super) unrealised_pnl: Decimal,
    /// Made by selling, before commission and tax.
    pub(super) realised_pnl: Decimal,
    /// Received so far, before tax.
    pub(super) dividends: Decimal,
    /// Paid so far.
    pub(super) commission: Decimal,
    /// Paid so far, on trades and dividends.
    pub(super) tax: Decimal,
    /// Paid so far for exchanging this currency.
    pub(super) exchange_fees: Decimal,
    /// Received so far less paid, for money and borrowed shares.
    pub(super) interest: Decimal,
    /// Total value less the money brought in: what trading has brought after everything.
    pub(super) total_pnl: Decimal,
    /// The same in percent of the money brought in.
    pub(super) total_pnl_percent: Option<Decimal>,
    /// Age of the oldest price used.
    pub(super) prices_as_of: Option<DateTime<Utc>>,
    /// Whether every share that is held has a price.
    pub(super) is_priced: bool,
    /// The trading day of the newest price used.
    pub(super) session_date: Option<NaiveDate>,
}

/// Adds an account up.
#[must_use]
pub(super) fn value_account(
    cash: CashBalance,
    positions: &[ValuedPosition],
    funding: Funding,
) -> AccountValue {
    let sum = |part: &dyn Fn(&ValuedPosition) -> Decimal| positions.iter().map(part).sum::<Decimal>();
    let positions_value = sum(&|position| position.market.map_or(position.cost(), |market| market.value));
    let total_value = cash.total + positions_value;
    let net_deposits = funding.net_deposits;
    let total_pnl = total_value - net_deposits;
    AccountValue {
        cash,
        positions_value,
        total_value,
        net_deposits,
        unrealised_pnl: sum(&|position| {
            position.market.map_or(Decimal::ZERO, |market| market.unrealised_pnl)
        }),
        realised_pnl: sum(&ValuedPosition::realised_pnl),
        dividends: sum(&|position| position.state.dividends),
        commission: sum(&|position| position.state.commission),
        tax: sum(&|position| position.state.tax),
        exchange_fees: funding.exchange_fees,
        interest: funding.interest,
        total_pnl,
        total_pnl_percent: percent(total_pnl, net_deposits),
        prices_as_of: positions
            .iter()
            .filter_map(|position| position.market.map(|market| market.priced_at))
            .min(),
        is_priced: positions
            .iter()
            .all(|position| position.market.is_some() || position.state.quantity.is_zero()),
        session_date: positions
            .iter()
            .filter_map(|position| position.market.map(|market| market.session_date))
            .max(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::cost::PositionFill;
    use super::*;
    use domain::{AccountId, Currency, Side};
    use proptest::prelude::*;

    fn quote(price: &str) -> Quote {
        let price = price.parse().unwrap();
        Quote {
            symbol: "AAPL".parse().unwrap(),
            price,
            bid: None,
            ask: None,
            previous_close: None,
            volume: 1,
            currency: Currency::Usd,
            session_date: chrono::NaiveDate::from_ymd_opt(2013, 3, 1).unwrap(),
            open: price,
            high: price,
            low: price,
            at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            source: "replay".to_owned(),
            simulated: false,
            delayed: true,
        }
    }

    fn bought(quantity: u32, notional_cents: u32) -> PositionState {
        let mut state = PositionState::default();
        state.apply(&PositionFill {
            side: Side::Buy,
            quantity: Decimal::from(quantity),
            notional: Decimal::new(i64::from(notional_cents), 2),
            commission: Decimal::ONE,
            tax: Decimal::ZERO,
            currency: Currency::Usd,
        });
        state
    }

    #[test]
    fn a_position_gains_what_the_price_gains() {
        let valued = value_position(
            ("AAPL".parse().unwrap(), bought(10, 100_000)),
            CostMethod::Average,
            Some(&quote("110")),
        );
        let market = valued.market.unwrap();
        assert_eq!(market.value, Decimal::from(1_100));
        assert_eq!(market.unrealised_pnl, Decimal::ONE_HUNDRED);
        assert_eq!(market.unrealised_pnl_percent, Some(Decimal::TEN));
    }

    #[test]
    fn without_a_price_nothing_is_invented() {
        let valued =
            value_position(("AAPL".parse().unwrap(), bought(10, 100_000)), CostMethod::Average, None);
        assert_eq!(valued.market, None);
    }

    proptest! {
        #[test]
        fn the_total_gain_is_the_sum_of_its_parts(
            quantity in 1u32..1_000, cents in 1u32..1_000_000, price_cents in 1i64..1_000_000, deposited in 0u32..100_000_000,
        ) {
            let state = bought(quantity, cents);
            let deposits = Decimal::from(deposited);
            let cash = CashBalance {
                account_id: AccountId::generate(),
                currency: Currency::Usd,
                total: deposits - state.cost - state.commission,
                held: Decimal::ZERO,
            };
            let quote = quote(&Decimal::new(price_cents, 2).to_string());
            let position = value_position((quote.symbol, state), CostMethod::Average, Some(&quote));
            let account = value_account(cash, &[position], Funding { net_deposits: deposits, ..Funding::default() });
            prop_assert_eq!(account.total_pnl, account.unrealised_pnl + account.realised_pnl - account.commission - account.tax);
        }
    }
}
