//! Which executions there are. Kiwoom's lists say how many shares of an order were executed and what they cost together; its
//! stream tells single executions, and may lose, repeat or shuffle them. An execution here is a span of an order's shares, from
//! the first to the last; each share is in one span, whoever told of it, so none is booked twice. Pure.

use super::rows::{FilledRow, Told};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

/// An execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// Shares of the order executed before it.
    pub(super) from: i64,
    /// Shares of the order executed with it.
    pub(super) to: i64,
    pub(super) price: Decimal,
    pub(super) commission: Decimal,
    pub(super) tax: Decimal,
    pub(super) at: DateTime<Utc>,
}

impl Span {
    pub(super) const fn quantity(&self) -> i64 {
        self.to - self.from
    }

    fn worth(&self) -> Decimal {
        self.price * Decimal::from(self.quantity())
    }

    /// Its number, unique in the account.
    pub(super) fn execution_id(&self, broker_number: &str) -> String {
        format!("{broker_number}:{}-{}", self.from, self.to)
    }
}

/// The spans of an order that are not written yet, so that together with the written ones they are what a list says. `at` is
/// when what nobody told of counts as executed.
pub(super) fn missing(written: &[Span], row: &FilledRow, told: &[Told], at: DateTime<Utc>) -> Vec<Span> {
    let gaps = gaps(written, row.quantity);
    let count: i64 = gaps.iter().map(|(from, to)| to - from).sum();
    if count <= 0 {
        return Vec::new();
    }
    let worth = row.worth - written.iter().map(Span::worth).sum::<Decimal>();
    let mut spans =
        as_told(&gaps, told, worth, row.quantity).unwrap_or_else(|| at_average(&gaps, count, worth, row, at));
    if let Some(last) = spans.last_mut() {
        let left = |all: Decimal, of: fn(&Span) -> Decimal| {
            (all - written.iter().map(of).sum::<Decimal>()).max(Decimal::ZERO)
        };
        last.commission = left(row.commission, |span| span.commission);
        last.tax = left(row.tax, |span| span.tax);
    }
    spans
}

/// Shares that are in no span.
fn gaps(written: &[Span], filled: i64) -> Vec<(i64, i64)> {
    let mut taken: Vec<(i64, i64)> = written.iter().map(|span| (span.from, span.to)).collect();
    taken.sort_unstable();
    let (mut gaps, mut begin) = (Vec::new(), 0);
    for (from, to) in taken {
        if from.min(filled) > begin {
            gaps.push((begin, from.min(filled)));
        }
        begin = begin.max(to);
    }
    if begin < filled {
        gaps.push((begin, filled));
    }
    gaps
}

fn span(from: i64, to: i64, price: Decimal, at: DateTime<Utc>) -> Span {
    Span { from, to, price, commission: Decimal::ZERO, tax: Decimal::ZERO, at }
}

/// The spans as the stream told them, where they fill the gaps and cost what the list says. A list's average is rounded, so it
/// may be off by less than a won a share.
fn as_told(gaps: &[(i64, i64)], told: &[Told], worth: Decimal, filled: i64) -> Option<Vec<Span>> {
    let mut told: Vec<&Told> = told.iter().collect();
    told.sort_unstable_by_key(|told| told.through);
    told.dedup();
    let mut spans = Vec::new();
    for (from, to) in gaps {
        let mut begin = *from;
        while begin < *to {
            let next =
                told.iter().find(|told| told.through - told.quantity == begin && told.through <= *to)?;
            spans.push(span(begin, next.through, next.price, next.at));
            begin = next.through;
        }
    }
    let sum: Decimal = spans.iter().map(Span::worth).sum();
    ((sum - worth).abs() < Decimal::from(filled.max(1))).then_some(spans)
}

/// The gaps at two neighbouring whole prices that cost together what is left: an average need not be a price.
fn at_average(
    gaps: &[(i64, i64)],
    count: i64,
    worth: Decimal,
    row: &FilledRow,
    at: DateTime<Utc>,
) -> Vec<Span> {
    let worth = worth.round();
    let shares = Decimal::from(count);
    let mut lower = (worth / shares).floor();
    let mut dearer = i64::try_from(worth - lower * shares).unwrap_or(0);
    if lower < Decimal::ONE {
        // The list contradicts what was written before: its own average is the best there is.
        lower = (row.worth / Decimal::from(row.quantity.max(1))).round().max(Decimal::ONE);
        dearer = 0;
    }
    let mut cheaper = count - dearer;
    let mut spans = Vec::new();
    for (from, to) in gaps {
        let middle = from + cheaper.min(to - from);
        if middle > *from {
            spans.push(span(*from, middle, lower, at));
        }
        if *to > middle {
            spans.push(span(middle, *to, lower + Decimal::ONE, at));
        }
        cheaper -= middle - from;
    }
    spans
}

#[cfg(test)]
mod tests;
