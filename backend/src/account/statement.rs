//! The account statement: every line that changed what an account has, with what there was after it.
//!
//! Lines stand in the order in which they were booked, which never changes: what was traded long ago and imported today
//! is a line of today that names its trade date. A line's balance is of its commodity, what is still to be settled
//! included, and so is right on any page and under any filter.

mod routes;
mod service;

pub(super) use routes::routes;

use chrono::{DateTime, NaiveDate, Utc};
use domain::AccountId;
use rust_decimal::Decimal;
use uuid::Uuid;

/// Lines that one page looks at when a kind is searched for among trades.
const SCANNED_MAX: i64 = 10_000;
/// The kinds of journals that make up most of a statement, and have no index.
const COMMON_KINDS: [&str; 2] = ["fill", "settlement"];

/// A line of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatementLine {
    /// Its place in the statement, from 1 without gaps.
    pub(super) sequence: i64,
    /// The movement it is a part of.
    pub(super) journal_id: Uuid,
    /// When it was booked.
    pub(super) booked_at: DateTime<Utc>,
    /// The market's or the bank's day.
    pub(super) trade_date: NaiveDate,
    /// When cash and shares change hands.
    pub(super) settle_date: NaiveDate,
    /// What kind of movement.
    pub(super) kind: String,
    /// Where: cash, shares, or what is to be settled.
    pub(super) ledger_account: String,
    /// The share it is about.
    pub(super) symbol: Option<String>,
    /// Of what: a currency or a symbol.
    pub(super) commodity: String,
    /// By how much.
    pub(super) amount: Decimal,
    /// What there was after it.
    pub(super) balance: Decimal,
    /// The execution it books.
    pub(super) execution_id: Option<String>,
    /// The movement it takes back.
    pub(super) reverses: Option<Uuid>,
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The newest line first.
    NewestFirst,
    /// The oldest line first.
    OldestFirst,
}

/// Which lines. What is `None` is not asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatementFilter {
    /// Of which account.
    pub(super) account: AccountId,
    /// In which order.
    pub(super) direction: Direction,
    /// Booked at this moment or later.
    pub(super) from: Option<DateTime<Utc>>,
    /// Booked before this moment.
    pub(super) to: Option<DateTime<Utc>>,
    /// Of this currency or symbol.
    pub(super) commodity: Option<String>,
    /// Of these kinds.
    pub(super) kinds: Option<Vec<String>>,
}

/// The run of an index that holds what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// All lines.
    Everything,
    /// Those of one commodity.
    OfCommodity,
    /// Those of kinds that are rare.
    OfKinds,
}

impl StatementFilter {
    pub(super) fn lane(&self) -> Lane {
        let rare = |kinds: &Vec<String>| !kinds.iter().any(|kind| COMMON_KINDS.contains(&kind.as_str()));
        match (&self.commodity, &self.kinds) {
            (Some(_), _) => Lane::OfCommodity,
            (None, Some(kinds)) if rare(kinds) => Lane::OfKinds,
            (None, _) => Lane::Everything,
        }
    }

    /// Whether the lane holds lines that are not asked for.
    fn searches(&self) -> bool {
        self.kinds.is_some() && self.lane() != Lane::OfKinds
    }

    /// Lines that a page of so many may look at.
    pub(super) fn scanned_max(&self, lines_max: i64) -> i64 {
        if self.searches() { SCANNED_MAX.max(lines_max) } else { lines_max }
    }
}

/// A page of a statement.
#[derive(Debug)]
pub(super) struct StatementPage {
    /// In the order asked for.
    pub(super) lines: Vec<StatementLine>,
    /// The line behind which the next page begins; `None` on the last one.
    pub(super) next: Option<i64>,
}

/// What was read: one line more than the page may have, and where the search stopped before its end.
pub(super) fn page_of(
    mut lines: Vec<StatementLine>,
    searched_to: Option<i64>,
    lines_max: usize,
) -> StatementPage {
    let more = lines.len() > lines_max;
    lines.truncate(lines_max);
    let next = if more { lines.last().map(|line| line.sequence) } else { searched_to };
    StatementPage { lines, next }
}
