//! Why there is no price.

use crate::error::{ApiError, ErrorCode};
use domain::Symbol;
use thiserror::Error;

/// Told to clients when the quote server has no price at the moment.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Why there is no price.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MarketError {
    /// No source quotes this symbol.
    #[error("no source quotes {0}")]
    UnknownSymbol(Symbol),
    /// Whoever quotes the symbol does not have what was asked for.
    #[error("the source of {0} does not have this")]
    Unsupported(Symbol),
    /// The symbol may be known, a current price is not: none was seen yet, or the quote server does not answer.
    #[error("there is no current price: {0}")]
    Unavailable(String),
}

impl From<MarketError> for ApiError {
    fn from(error: MarketError) -> Self {
        match error {
            MarketError::UnknownSymbol(_) => Self::new(ErrorCode::UnknownSymbol, error.to_string()),
            MarketError::Unsupported(_) => Self::new(ErrorCode::Unsupported, error.to_string()),
            MarketError::Unavailable(cause) => {
                // The cause may name inner addresses.
                tracing::warn!(%cause, "no price");
                Self::new(ErrorCode::PriceUnavailable, "").retry_after_seconds(RETRY_AFTER_SECONDS)
            }
        }
    }
}
