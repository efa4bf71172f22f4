//! What is traded, as far as ticks, price limits, taxes and hours depend on it.

use domain::{Market, Symbol};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A kind of security with ticks, price limits and taxes of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Security {
    /// A share on KRX, either board.
    KrxShare,
    /// An exchange-traded fund or note on KRX.
    KrxFund,
    /// The same, which moves by twice the daily change of its index, up or down.
    KrxDoubleFund,
    /// A share or a fund in the United States, where both have the same rules.
    Us,
}

/// The codes of funds that are known as such; no source of prices says what a code is.
static KRX_FUNDS: LazyLock<HashMap<&'static str, Security>> =
    LazyLock::new(|| include_str!("../data/krx-funds.csv").lines().filter_map(fund).collect());

/// The code of a line and what it is; nothing on a comment and the heading.
fn fund(line: &'static str) -> Option<(&'static str, Security)> {
    let mut columns = line.split(',');
    let (code, multiple) = (columns.next()?, columns.next()?);
    let fund = if multiple == "2" { Security::KrxDoubleFund } else { Security::KrxFund };
    code.starts_with(|first: char| first.is_ascii_digit()).then_some((code, fund))
}

impl Security {
    /// Where it is traded.
    #[must_use]
    pub const fn market(self) -> Market {
        match self {
            Self::KrxShare | Self::KrxFund | Self::KrxDoubleFund => Market::Krx,
            Self::Us => Market::Us,
        }
    }
}

impl From<Symbol> for Security {
    fn from(symbol: Symbol) -> Self {
        match symbol.market() {
            Market::Us => Self::Us,
            Market::Krx => {
                let code = symbol.as_str().split_once('.').map(|(code, _)| code);
                code.and_then(|code| KRX_FUNDS.get(code).copied()).unwrap_or(Self::KrxShare)
            }
        }
    }
}

/// The shares of a market.
impl From<Market> for Security {
    fn from(market: Market) -> Self {
        match market {
            Market::Krx => Self::KrxShare,
            Market::Us => Self::Us,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fund_is_known_by_its_code() {
        for (symbol, expected) in [
            ("069500.KS", Security::KrxFund),
            ("459580.KS", Security::KrxFund),
            ("114800.KS", Security::KrxFund),
            ("122630.KS", Security::KrxDoubleFund),
            ("252670.KS", Security::KrxDoubleFund),
            ("005930.KS", Security::KrxShare),
            ("247540.KQ", Security::KrxShare),
            ("SPY", Security::Us),
        ] {
            let symbol: Symbol = symbol.parse().unwrap();
            let security = Security::from(symbol);
            assert_eq!((security, security.market()), (expected, symbol.market()), "{symbol}");
        }
    }

    #[test]
    fn every_line_of_the_table_is_a_code_of_its_own() {
        let lines = include_str!("../data/krx-funds.csv").lines();
        let codes: Vec<_> =
            lines.filter(|line| !line.starts_with('#') && !line.starts_with("code")).collect();
        assert_eq!(KRX_FUNDS.len(), codes.len());
        for line in codes {
            let columns: Vec<_> = line.split(',').collect();
            let &[code, multiple, _] = columns.as_slice() else { panic!("{line}") };
            assert!(format!("{code}.KS").parse::<Symbol>().is_ok(), "{line}");
            assert!(["1", "2"].contains(&multiple), "{line}");
        }
    }
}
