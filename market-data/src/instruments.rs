//! Names of shares in English and Korean.

use domain::Symbol;
use domain::quote::Instrument;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The shipped table; a share that is not in it is called by its symbol.
const NAMES: &str = include_str!("../data/instruments.csv");

static BY_SYMBOL: LazyLock<HashMap<Symbol, (&'static str, &'static str)>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let mut cells = line.split(',');
        let symbol = cells.next()?.parse().ok()?;
        Some((symbol, (cells.next()?, cells.next()?)))
    };
    NAMES.lines().skip(1).filter_map(line).collect()
});

/// Every share with a name.
#[must_use]
pub fn named() -> Vec<Symbol> {
    let mut symbols: Vec<_> = BY_SYMBOL.keys().copied().collect();
    symbols.sort_unstable();
    symbols
}

/// A share as it is listed to people.
#[must_use]
pub fn describe(symbol: Symbol, source: &str, simulated: bool) -> Instrument {
    let (name, name_korean) = BY_SYMBOL
        .get(&symbol)
        .map_or_else(|| (symbol.as_str(), symbol.as_str()), |(name, korean)| (*name, *korean));
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
    fn every_line_of_the_table_is_read() {
        assert_eq!(named().len(), NAMES.lines().count() - 1);
        let samsung = describe("005930.KS".parse().unwrap(), "synthetic", true);
        assert_eq!(
            (samsung.name.as_str(), samsung.name_korean.as_str()),
            ("Samsung Electronics", "삼성전자")
        );
        assert_eq!(describe("ZZZ".parse().unwrap(), "replay", false).name, "ZZZ");
    }
}
