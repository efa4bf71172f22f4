//! Takes executions back: exactly, and with what came after them counted anew.
//!
//! A trade that a broker cancels was never made, so later sales took other shares than the books say. The reversal
//! mirrors the trade line by line; then everything that has moved the position is counted again without it, and one more
//! journal books the difference. The position ends as if the trade had never been booked.

use super::cost::{PositionFill, PositionState};
use super::holding::{Holding, Sale};
use super::store::{self, PositionKey};
use crate::account::{
    self, Journal, JournalKind, LedgerAccount, ReverseError, StoredJournal, reversal_of_fill,
};
use chrono::{DateTime, NaiveDate, Utc};
use diesel_async::AsyncPgConnection;
use domain::{AccountId, Currency, Side, Symbol};
use rust_decimal::Decimal;
use uuid::Uuid;

/// Movements of one position that are counted anew at most; beyond it a person has to.
const MOVEMENTS_MAX: i64 = 200_000;

/// Something that has moved a position, as it is counted anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Movement {
    pub(super) journal_id: Uuid,
    pub(super) kind: JournalKind,
    pub(super) trade_date: NaiveDate,
    /// Shares that came (or, below zero, went).
    pub(super) shares: Decimal,
    /// What they were worth in money, zero or more.
    pub(super) worth: Decimal,
    /// New pieces, old pieces, and the day from before which shares were counted.
    pub(super) split: Option<(Decimal, Decimal, Option<NaiveDate>)>,
}

/// An execution that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversed {
    /// What was booked for it; already posted.
    pub journals: Vec<Journal>,
    /// Of what.
    pub symbol: Symbol,
    /// Shares that the execution had brought (or, below zero, taken).
    pub shares: Decimal,
    /// What was paid for it.
    pub commission: Decimal,
    /// What was paid for it.
    pub tax: Decimal,
    /// The position now.
    pub position: PositionState,
}

/// Counts movements in their order. `None` beyond what the books can hold, or for one that cannot be counted alone.
/// `either_way` says whether the account may sell short; where a position was never below zero both come to the same.
pub(super) fn replay(
    movements: &[Movement],
    currency: Currency,
    either_way: bool,
) -> Option<(Holding, Vec<Sale>)> {
    let (mut holding, mut sales) = (Holding::default(), Vec::new());
    for movement in movements {
        let place = (movement.journal_id, movement.trade_date);
        match movement.kind {
            JournalKind::Fill | JournalKind::Trade | JournalKind::CashInLieu => {
                let bought = movement.shares > Decimal::ZERO;
                let fill = PositionFill {
                    side: if bought { Side::Buy } else { Side::Sell },
                    quantity: movement.shares.abs(),
                    notional: movement.worth,
                    commission: Decimal::ZERO,
                    tax: Decimal::ZERO,
                    currency,
                };
                sales.extend(if either_way {
                    let change = holding.state.apply_either_way(&fill);
                    holding.follow_either_way(&fill, change, place)
                } else {
                    let change = holding.state.apply(&fill);
                    holding.follow(&fill, change, place)
                });
            }
            JournalKind::Reset => sales.extend(holding.close(place, currency)),
            // Nobody can say what of shares that were sold short is given back so.
            JournalKind::SharesIn | JournalKind::SharesOut if holding.state.is_short() => return None,
            JournalKind::SharesIn => holding.receive(movement.shares, movement.worth, place),
            JournalKind::SharesOut => {
                let quantity = -movement.shares;
                let cost = holding.cost_of(quantity, currency);
                sales.push(holding.deliver(quantity, cost, place, currency));
            }
            JournalKind::Split => {
                let (new, old, before) = movement.split?;
                holding.split(new, old, before)?;
            }
            _ => return None,
        }
    }
    Some((holding, sales))
}

/// Takes an execution back in the caller's transaction, which has locked the account and holds no unsaved movement of
/// its position. Journals, balances, position and lots are written.
///
/// # Errors
/// [`ReverseError`]; nothing was written then.
pub async fn reverse_fill(
    connection: &AsyncPgConnection,
    account: AccountId,
    execution_id: &str,
    at: DateTime<Utc>,
) -> Result<Reversed, ReverseError> {
    let (original, reversal) = reversal_of_fill(connection, account, execution_id, at).await?;
    let symbol = original.postings.iter().find_map(|posting| posting.symbol).ok_or(ReverseError::Unknown)?;
    let key = (account, symbol);
    let before = store::lock_positions(connection, std::iter::once(key)).await?;
    let before = before.get(&key).copied().unwrap_or_default();
    let movements = store::movements_of(connection, key, MOVEMENTS_MAX + 1).await?;
    if i64::try_from(movements.len()).unwrap_or(i64::MAX) > MOVEMENTS_MAX {
        return Err(ReverseError::NotByRule("too many movements came after it"));
    }
    let kept: Vec<Movement> =
        movements.into_iter().filter(|movement| movement.journal_id != original.id).collect();
    let either_way = account::switches_of(connection, account).await?.short_selling;
    let (holding, sales) = replay(&kept, symbol.currency(), either_way)
        .ok_or(ReverseError::NotByRule("the shares have got another name since"))?;
    let (state, recost) = recost(&original, &before, holding.state, (key, reversal.id()), at)?;
    let mut journals = vec![reversal];
    journals.extend(recost);
    account::post(connection, &journals).await?;
    let holding = Holding { state, ..holding };
    store::rewrite(connection, key, &holding, &sales, at).await?;
    Ok(Reversed {
        journals,
        symbol,
        shares: original.amount_on(LedgerAccount::Shares),
        commission: original.amount_on(LedgerAccount::Commission),
        tax: original.amount_on(LedgerAccount::Tax),
        position: state,
    })
}

/// What stands after the reversal, and the journal that brings the books there. `before` is the position with the trade,
/// `counted` the one without it.
fn recost(
    original: &StoredJournal,
    before: &PositionState,
    counted: PositionState,
    ((account, symbol), reversal): (PositionKey, Uuid),
    at: DateTime<Utc>,
) -> Result<(PositionState, Option<Journal>), ReverseError> {
    let mirrored_quantity = before.quantity - original.amount_on(LedgerAccount::Shares);
    let mirrored_cost = before.cost - original.amount_on(LedgerAccount::PositionCost);
    let mirrored_pnl = before.realised_pnl + original.amount_on(LedgerAccount::RealisedPnl);
    let cost_change = counted.cost - mirrored_cost;
    let changes = (counted.quantity - mirrored_quantity, cost_change);
    let journal = Journal::recost((account, symbol), changes, reversal, at)?;
    let realised_pnl = mirrored_pnl + cost_change;
    let state = PositionState {
        quantity: counted.quantity,
        cost: counted.cost,
        realised_pnl,
        commission: before.commission - original.amount_on(LedgerAccount::Commission),
        tax: before.tax - original.amount_on(LedgerAccount::Tax),
        dividends: before.dividends,
        fifo_cost: counted.fifo_cost,
        // Under either method cost and profit are the same money.
        fifo_realised_pnl: counted.fifo_cost - counted.cost + realised_pnl,
    };
    Ok((state, journal))
}

#[cfg(test)]
mod tests;
