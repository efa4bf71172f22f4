//! Rules that change with time: tables whose rows say since when they hold.

use chrono::{Datelike, NaiveDate};

/// A rule and the day it took effect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Since<T> {
    /// First day, as (year, month, day).
    pub(crate) day: (i32, u32, u32),
    /// The rule.
    pub(crate) rule: T,
}

/// Short for a row of a dated table.
pub(crate) const fn since<T: Copy>(year: i32, month: u32, day: u32, rule: T) -> Since<T> {
    Since { day: (year, month, day), rule }
}

/// The rule in force on a day. Rows are ordered oldest first; before the first row the first one holds, because a
/// back-test over older prices needs some rule and the oldest known is the nearest.
pub(crate) fn in_force<T: Copy>(first: T, later: &[Since<T>], on: NaiveDate) -> T {
    let day = (on.year(), on.month(), on.day());
    later.iter().take_while(|row| row.day <= day).last().map_or(first, |row| row.rule)
}
