//! By whose tariff an order is charged.

use crate::fees::{Fees, commission_max, fees, fees_max};
use chrono::NaiveDate;
use domain::{Market, MoneyError, Price, Quantity, Side, Symbol};
use rust_decimal::Decimal;

/// A broker's tariff. Taxes and regulatory fees are the market's, whoever the broker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tariff {
    /// The simulator's: Kiwoom's for Korean shares, one of its own for American ones.
    #[default]
    Simulator,
    /// Kiwoom's for Korean shares bought online: 0.015 % of the amount.
    KiwoomOnline,
    /// No commission, as Alpaca has it for American shares (November 2026). What it passes on for the consolidated audit
    /// trail is left out: the rate of the year is not known, and it is below a hundredth of a cent a share.
    CommissionFree,
}

impl Tariff {
    fn charged(self, fees: Fees) -> Fees {
        match self {
            Self::Simulator | Self::KiwoomOnline => fees,
            Self::CommissionFree => Fees { commission: Decimal::ZERO, ..fees },
        }
    }

    /// Fees of an order executed in one piece.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 28 digits.
    pub fn fees(
        self,
        symbol: Symbol,
        side: Side,
        price: Price,
        quantity: Quantity,
        trade_date: NaiveDate,
    ) -> Result<Fees, MoneyError> {
        fees(symbol, side, price, quantity, trade_date).map(|fees| self.charged(fees))
    }

    /// What has to be set aside for the fees of an order, given the worst price it may be executed at; see
    /// [`crate::fees_max`].
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 28 digits.
    pub fn fees_max(
        self,
        symbol: Symbol,
        side: Side,
        worst_price: Price,
        quantity: Quantity,
        trade_date: NaiveDate,
    ) -> Result<Fees, MoneyError> {
        fees_max(symbol, side, worst_price, quantity, trade_date).map(|fees| self.charged(fees))
    }

    /// The most commission that an order of this much in total can have cost; see [`crate::commission_max`].
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 28 digits.
    pub fn commission_max(
        self,
        market: Market,
        quantity: Decimal,
        notional: Decimal,
    ) -> Result<Decimal, MoneyError> {
        match self {
            Self::Simulator | Self::KiwoomOnline => commission_max(market, quantity, notional),
            Self::CommissionFree => Ok(Decimal::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tariff: Tariff, symbol: &str, side: Side, price: &str) -> Fees {
        let (price, quantity) = (price.parse().unwrap(), "10".parse().unwrap());
        tariff.fees(symbol.parse().unwrap(), side, price, quantity, "2026-11-20".parse().unwrap()).unwrap()
    }

    #[test]
    fn without_commission_a_purchase_is_free_and_a_sale_pays_what_regulators_take() {
        let free = Tariff::CommissionFree;
        assert_eq!(of(free, "AAPL", Side::Buy, "100"), Fees::default());
        let simulated = of(Tariff::Simulator, "AAPL", Side::Sell, "100");
        assert!(simulated.commission > Decimal::ZERO);
        let sold = of(free, "AAPL", Side::Sell, "100");
        assert_eq!((sold.commission, sold.tax), (Decimal::ZERO, simulated.tax));
        let (price, quantity, on) =
            ("100".parse().unwrap(), "10".parse().unwrap(), "2026-11-20".parse().unwrap());
        assert_eq!(
            free.fees_max("AAPL".parse().unwrap(), Side::Buy, price, quantity, on).unwrap(),
            Fees::default()
        );
        assert_eq!(
            free.commission_max(Market::Us, Decimal::TEN, Decimal::ONE_THOUSAND).unwrap(),
            Decimal::ZERO
        );
    }

    #[test]
    fn kiwoom_charges_korean_shares_as_the_simulator_does() {
        for side in [Side::Buy, Side::Sell] {
            let kiwoom = of(Tariff::KiwoomOnline, "005930.KS", side, "70000");
            assert_eq!(kiwoom, of(Tariff::Simulator, "005930.KS", side, "70000"));
            assert_eq!(kiwoom.commission, Decimal::from(105));
        }
    }
}
