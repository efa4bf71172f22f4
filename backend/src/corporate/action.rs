//! A corporate action, and whether it can be. Pure.

use crate::error::{ApiError, ApiResult};
use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::{AccountId, Market, Price, Quantity, Symbol, UserId};
use exchange::withholding_rate;
use rust_decimal::Decimal;
use uuid::Uuid;

/// Most pieces that a share is made of, or that a share is made from.
const PIECES_MAX: i64 = 10_000;
/// How far ahead an action can be entered, in days.
const DAYS_AHEAD_MAX: u64 = 366;
/// How far back.
const DAYS_BACK_MAX: u64 = 366;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terms {
    /// `new` shares take the place of `old`. A fraction is paid out at `fraction_price` a new share; without one it stays.
    Split { new: Decimal, old: Decimal, fraction_price: Option<Decimal> },
    /// So much a share, less what is withheld.
    CashDividend { amount_per_share: Decimal, withholding_rate: Decimal },
    /// The same shares under another name.
    SymbolChange { new_symbol: Symbol },
}

impl Terms {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Split { .. } => "split",
            Self::CashDividend { .. } => "cash_dividend",
            Self::SymbolChange { .. } => "symbol_change",
        }
    }

    /// What a dividend pays for a share; nothing for the others.
    pub(super) const fn amount_per_share(&self) -> Decimal {
        match self {
            Self::CashDividend { amount_per_share, .. } => *amount_per_share,
            Self::Split { .. } | Self::SymbolChange { .. } => Decimal::ZERO,
        }
    }

    /// Whether open orders in its symbol have to end first: their quantities and prices would mean something else.
    pub(super) const fn ends_orders(&self) -> bool {
        !matches!(self, Self::CashDividend { .. })
    }
}

/// An action that somebody has entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) id: Uuid,
    pub(super) user_id: UserId,
    /// One account; without it, every account of the user.
    pub(super) account_id: Option<AccountId>,
    pub(super) symbol: Symbol,
    pub(super) terms: Terms,
    /// Shares acquired from this day on have no part in it.
    pub(super) ex_date: Option<NaiveDate>,
    /// The day from which it is applied.
    pub(super) effective_on: NaiveDate,
    pub(super) created_at: DateTime<Utc>,
    pub(super) applied_at: Option<DateTime<Utc>>,
}

/// An action as it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) symbol: Symbol,
    pub(super) terms: WishedTerms,
    pub(super) ex_date: Option<NaiveDate>,
    pub(super) pay_date: Option<NaiveDate>,
}

/// The same for its terms.
#[derive(Debug, Clone)]
pub(super) enum WishedTerms {
    Split { new: Quantity, old: Quantity, fraction_price: Option<Price> },
    CashDividend { amount_per_share: Price, withholding_rate: Option<Decimal> },
    SymbolChange { new_symbol: Symbol },
}

fn check_day(field: &str, day: Option<NaiveDate>, today: NaiveDate) -> ApiResult<()> {
    let Some(day) = day else { return Ok(()) };
    let earliest = today.checked_sub_days(Days::new(DAYS_BACK_MAX)).unwrap_or(today);
    let latest = today.checked_add_days(Days::new(DAYS_AHEAD_MAX)).unwrap_or(today);
    if (earliest..=latest).contains(&day) {
        return Ok(());
    }
    Err(ApiError::field(field, "out_of_range", format!("must be between {earliest} and {latest}")))
}

fn check_pieces(field: &str, pieces: Quantity) -> ApiResult<Decimal> {
    if !pieces.is_whole() {
        return Err(ApiError::field(field, "too_precise", "must be a whole number"));
    }
    if pieces.value() > Decimal::from(PIECES_MAX) {
        return Err(ApiError::field(field, "too_large", format!("must be at most {PIECES_MAX}")));
    }
    Ok(pieces.value())
}

impl Action {
    /// The symbols that it touches.
    pub(super) fn symbols(&self) -> Vec<Symbol> {
        let new = match self.terms {
            Terms::SymbolChange { new_symbol } => Some(new_symbol),
            _ => None,
        };
        std::iter::once(self.symbol).chain(new).collect()
    }
}

impl Wish {
    /// The day from which it is applied: the pay date of a dividend, the ex date of anything else, otherwise today.
    pub(super) fn effective_on(&self, today: NaiveDate) -> NaiveDate {
        self.pay_date.or(self.ex_date).unwrap_or(today)
    }

    /// The terms, if they can be.
    ///
    /// # Errors
    /// The field and the rule it breaks.
    pub(super) fn terms(&self, today: NaiveDate) -> ApiResult<Terms> {
        check_day("exDate", self.ex_date, today)?;
        check_day("payDate", self.pay_date, today)?;
        match &self.terms {
            WishedTerms::Split { new, old, fraction_price } => self.split(*new, *old, *fraction_price),
            WishedTerms::CashDividend { amount_per_share, withholding_rate: rate } => {
                if self.pay_date.zip(self.ex_date).is_some_and(|(pay, ex)| pay < ex) {
                    return Err(ApiError::field(
                        "payDate",
                        "before_ex_date",
                        "must not be before the ex date",
                    ));
                }
                let usual = || withholding_rate(self.symbol.market(), self.effective_on(today));
                let withholding_rate = rate.unwrap_or_else(usual);
                if !(Decimal::ZERO..=Decimal::ONE).contains(&withholding_rate) {
                    return Err(ApiError::field(
                        "withholdingRate",
                        "out_of_range",
                        "must be between 0 and 1",
                    ));
                }
                Ok(Terms::CashDividend { amount_per_share: amount_per_share.value(), withholding_rate })
            }
            WishedTerms::SymbolChange { new_symbol } => {
                if *new_symbol == self.symbol {
                    return Err(ApiError::field("newSymbol", "same_symbol", "must be another symbol"));
                }
                if new_symbol.market() != self.symbol.market() {
                    let message = format!("must be a symbol of the same market ({})", self.symbol.market());
                    return Err(ApiError::field("newSymbol", "other_market", message));
                }
                Ok(Terms::SymbolChange { new_symbol: *new_symbol })
            }
        }
    }

    fn split(&self, new: Quantity, old: Quantity, fraction_price: Option<Price>) -> ApiResult<Terms> {
        let (new, old) = (check_pieces("newShares", new)?, check_pieces("oldShares", old)?);
        if new == old {
            return Err(ApiError::field("newShares", "no_change", "must not be as many as the old shares"));
        }
        let leaves_fractions = !(new % old).is_zero();
        if leaves_fractions && fraction_price.is_none() && self.symbol.market() == Market::Krx {
            let message = "is required: shares on KRX are whole, and this leaves fractions";
            return Err(ApiError::field("fractionPrice", "required", message));
        }
        Ok(Terms::Split { new, old, fraction_price: fraction_price.map(Price::value) })
    }
}
