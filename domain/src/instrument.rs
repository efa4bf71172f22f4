//! Markets and the symbols traded on them.

use crate::money::Currency;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// A market with its own currency, hours, ticks and fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Market {
    /// Korea Exchange, both boards.
    #[serde(rename = "KRX")]
    Krx,
    /// The listed market of the United States (NYSE, Nasdaq).
    #[serde(rename = "US")]
    Us,
}

impl Market {
    /// The currency its shares are priced in.
    #[must_use]
    pub const fn currency(self) -> Currency {
        match self {
            Self::Krx => Currency::Krw,
            Self::Us => Currency::Usd,
        }
    }

    /// Its short name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Krx => "KRX",
            Self::Us => "US",
        }
    }
}

impl fmt::Display for Market {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// Most bytes of a symbol.
pub const SYMBOL_LENGTH_MAX: usize = 10;

/// The name of a share as Yahoo writes it: `AAPL`, `BRK-B`, `005930.KS` (KOSPI), `035720.KQ` (KOSDAQ).
///
/// Ten bytes at most, so the type is `Copy` and comparing or hashing one touches no heap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol {
    bytes: [u8; SYMBOL_LENGTH_MAX],
    length: u8,
}

/// Why a text is no symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must be a US symbol in capital letters such as AAPL or BRK-B, or six characters and .KS or .KQ such as 005930.KS"
)]
pub struct SymbolError;

impl Symbol {
    /// The symbol as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes
            .get(..usize::from(self.length))
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// The market it is traded on.
    #[must_use]
    pub fn market(&self) -> Market {
        if self.as_str().contains('.') { Market::Krx } else { Market::Us }
    }

    /// The currency it is priced in.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.market().currency()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Symbol {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Symbol {}

fn is_krx(code: &str, board: &str) -> bool {
    // Ordinary shares have six digits; since 2024 new codes may carry a capital letter inside.
    let well_formed = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    code.len() == 6
        && code.bytes().all(well_formed)
        && code.starts_with(|first: char| first.is_ascii_digit())
        && matches!(board, "KS" | "KQ")
}

fn is_us(text: &str) -> bool {
    let (root, class) = text.split_once('-').unwrap_or((text, "A"));
    let capitals = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase());
    capitals(root) && root.len() <= 5 && capitals(class) && class.len() <= 2
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, SymbolError> {
        let valid = match text.split_once('.') {
            Some((code, board)) => is_krx(code, board),
            None => is_us(text),
        };
        let mut bytes = [0; SYMBOL_LENGTH_MAX];
        let (true, Some(target), Ok(length)) = (valid, bytes.get_mut(..text.len()), u8::try_from(text.len()))
        else {
            return Err(SymbolError);
        };
        target.copy_from_slice(text.as_bytes());
        Ok(Self { bytes, length })
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl Serialize for Symbol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Symbol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_know_their_market_and_currency() {
        for (text, market, currency) in [
            ("AAPL", Market::Us, Currency::Usd),
            ("BRK-B", Market::Us, Currency::Usd),
            ("F", Market::Us, Currency::Usd),
            ("005930.KS", Market::Krx, Currency::Krw),
            ("0001A0.KQ", Market::Krx, Currency::Krw),
        ] {
            let symbol: Symbol = text.parse().unwrap();
            assert_eq!((symbol.as_str(), symbol.market(), symbol.currency()), (text, market, currency));
        }
    }

    #[test]
    fn what_is_no_symbol_is_refused() {
        for text in [
            "",
            "aapl",
            "AAPL ",
            "TOOLONG",
            "BRK-",
            "-B",
            "005930",
            "005930.KX",
            "05930.KS",
            "A05930.KS",
            "AAPL.KS",
            "AA PL",
            "ＡＡ",
            "A\0",
        ] {
            assert!(text.parse::<Symbol>().is_err(), "{text:?}");
        }
    }
}
