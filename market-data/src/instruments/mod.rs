//! Names of shares in English and Korean, and what else is known of them without asking anybody.

mod hangul;
mod search;

use domain::quote::Instrument;
use domain::{Market, Symbol};
pub(crate) use search::{SearchQuery, parse_query, search};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The shipped table; a share that is not in it is called by its symbol.
const TABLE: &str = include_str!("../../data/instruments.csv");

/// A line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Its symbol.
    pub symbol: Symbol,
    /// Name in English.
    pub name: &'static str,
    /// Name in Korean.
    pub name_korean: &'static str,
    /// Whether it is offered to a person who has not asked for one.
    pub offered: bool,
}

static LINES: LazyLock<Vec<Named>> = LazyLock::new(|| TABLE.lines().skip(1).filter_map(read_line).collect());
static BY_SYMBOL: LazyLock<HashMap<Symbol, &'static Named>> =
    LazyLock::new(|| LINES.iter().map(|line| (line.symbol, line)).collect());

fn read_line(line: &'static str) -> Option<Named> {
    let mut cells = line.split(',');
    let symbol = cells.next()?.parse().ok()?;
    let (name, name_korean) = (cells.next()?, cells.next()?);
    Some(Named { symbol, name, name_korean, offered: cells.next()? == "yes" })
}

/// Every share with a name, in the order of the table.
#[must_use]
pub fn named() -> &'static [Named] {
    &LINES
}

/// Whether a share has a name here.
#[must_use]
pub fn is_named(symbol: Symbol) -> bool {
    BY_SYMBOL.contains_key(&symbol)
}

/// The shares that are offered to a person who has not asked for one.
#[must_use]
pub fn offered() -> Vec<Symbol> {
    let mut symbols: Vec<_> = LINES.iter().filter(|line| line.offered).map(|line| line.symbol).collect();
    symbols.sort_unstable();
    symbols
}

/// The board of a Korean share.
#[must_use]
pub fn board(symbol: Symbol) -> Option<&'static str> {
    match (symbol.market(), symbol.as_str().rsplit_once('.')) {
        (Market::Krx, Some((_, "KS"))) => Some("KOSPI"),
        (Market::Krx, Some((_, "KQ"))) => Some("KOSDAQ"),
        _ => None,
    }
}

/// A share as it is listed to people.
#[must_use]
pub fn describe(symbol: Symbol, source: &str, simulated: bool) -> Instrument {
    let (name, name_korean) = BY_SYMBOL
        .get(&symbol)
        .map_or_else(|| (symbol.as_str(), symbol.as_str()), |line| (line.name, line.name_korean));
    Instrument {
        symbol,
        name: name.to_owned(),
        name_korean: name_korean.to_owned(),
        currency: symbol.currency(),
        source: source.to_owned(),
        simulated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read_once() {
        assert_eq!(named().len(), TABLE.lines().count() - 1);
        assert_eq!(BY_SYMBOL.len(), named().len(), "no share twice");
        assert!(named().iter().all(|line| !line.name.is_empty() && !line.name_korean.is_empty()));
        let samsung = describe("005930.KS".parse().unwrap(), "synthetic", true);
        assert_eq!(
            (samsung.name.as_str(), samsung.name_korean.as_str()),
            ("Samsung Electronics", "삼성전자")
        );
        assert_eq!(describe("ZZZ".parse().unwrap(), "replay", false).name, "ZZZ");
        assert_eq!(board("247540.KQ".parse().unwrap()), Some("KOSDAQ"));
        assert!(offered().len() >= 19 && offered().len() < named().len());
    }

    #[test]
    fn the_exchange_knows_every_korean_fund_of_the_table() {
        let is_fund = |line: &&Named| ["KODEX ", "TIGER "].iter().any(|brand| line.name.starts_with(brand));
        let funds: Vec<_> = named().iter().filter(is_fund).map(|line| line.symbol).collect();
        assert!(funds.len() >= 4);
        for fund in funds {
            assert_ne!(exchange::Security::from(fund), exchange::Security::KrxShare, "{fund}");
        }
    }
}
