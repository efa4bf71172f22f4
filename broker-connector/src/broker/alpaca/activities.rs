//! What Alpaca did in an account beside orders: dividends, fees, interest, money and shares that came or went.
//!
//! Nothing that it lists is left out: what is not understood, or cannot be read, is told as such.

use super::config::{
    ACTIVITIES_PER_PAGE, ACTIVITY_AMOUNT_MAX, ACTIVITY_DAYS_AHEAD_MAX, ACTIVITY_WORD_LENGTH_MAX,
    MOVEMENT_PAGES_MAX,
};
use super::parse::own_symbol;
use super::rest::{Failure, Rest};
use super::wire;
use crate::broker::records::Opening;
use crate::broker::{ListedActivity, Page};
use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::{ActivityKind, Currency};
use rust_decimal::Decimal;
use serde_json::value::RawValue;

/// Most digits behind the point that are kept.
const AMOUNT_DIGITS_MAX: u32 = 9;
/// A unit that comes apart into shares of other names: no split of one share.
const UNIT_SPLIT: &str = "USPLIT";
/// Alpaca's first year: no activity is older.
const FIRST_YEAR: i32 = 2015;

/// Since when activities of an account are read. One may have a day and no time: the day before is read too, and what the
/// opening counted is known by its number.
fn beginning(opened_at: DateTime<Utc>) -> DateTime<Utc> {
    opened_at.checked_sub_days(Days::new(1)).unwrap_or(opened_at)
}

/// A page of the list as it comes, and where the next one begins.
async fn listed(
    rest: &Rest,
    since: DateTime<Utc>,
    after: Option<String>,
) -> Result<(Vec<Box<RawValue>>, Option<String>), Failure> {
    let mut query = vec![
        ("category", "non_trade_activity".to_owned()),
        ("after", since.to_rfc3339()),
        ("direction", "asc".to_owned()),
        ("page_size", ACTIVITIES_PER_PAGE.to_string()),
    ];
    query.extend(after.map(|token| ("page_token", token)));
    let list: Vec<Box<RawValue>> = rest.get("/v2/account/activities", &query).await?;
    let is_full = list.len() >= ACTIVITIES_PER_PAGE;
    let next = list.last().filter(|_| is_full).map(|last| number_of(last)).transpose()?;
    Ok((list, next))
}

/// A page of activities since a moment, none of which the account's opening counted already.
pub(super) async fn page(
    rest: &Rest,
    opening: &Opening,
    since: DateTime<Utc>,
    after: Option<String>,
) -> Result<Page<ListedActivity>, Failure> {
    let (list, next) = listed(rest, since.max(beginning(opening.opened_at)), after).await?;
    let (today, mut items) = (Utc::now().date_naive(), Vec::new());
    for item in &list {
        let activity = activity(item, today)?;
        items.extend(activity.filter(|activity| !opening.movements.contains(&activity.activity_id)));
    }
    Ok(Page { items, next })
}

/// The numbers of the activities that an account's cash contains as it is opened.
pub(super) async fn numbers(rest: &Rest, opened_at: DateTime<Utc>) -> Result<Vec<String>, Failure> {
    let (mut numbers, mut token) = (Vec::new(), None);
    for _ in 0..MOVEMENT_PAGES_MAX {
        let (list, next) = listed(rest, beginning(opened_at), token).await?;
        for item in &list {
            numbers.push(number_of(item)?);
        }
        token = next;
        if token.is_none() {
            return Ok(numbers);
        }
    }
    Err(Failure::Unknown(format!("more than {MOVEMENT_PAGES_MAX} pages of activities")))
}

fn unreadable() -> Failure {
    Failure::Unknown("it lists an activity without a number".into())
}

/// Alpaca's number of an activity: without one it could be counted twice.
fn number_of(item: &RawValue) -> Result<String, Failure> {
    let named: wire::Numbered = serde_json::from_str(item.get()).map_err(|_| unreadable())?;
    let is_sound = |id: &str| {
        !id.is_empty() && id.len() <= ACTIVITY_WORD_LENGTH_MAX && id.chars().all(|one| one.is_ascii_graphic())
    };
    Some(named.id).filter(|id| is_sound(id)).ok_or_else(unreadable)
}

/// The words for one kind of activity (`activity_type`), as of November 2026: Alpaca's documentation of account activities. A
/// split comes as two of them, the shares of before with a minus and those of after, each with the sub type `FSPLIT` or
/// `RSPLIT`.
fn kind_of(word: &str) -> ActivityKind {
    match word {
        "DIVNRA" | "DIVFT" | "DIVTW" | "DIVWH" | "INTNRA" | "INTTW" | "WH" => ActivityKind::Withholding,
        "FEE" | "CFEE" | "DIVFEE" | "PTC" | "PTR" => ActivityKind::Fee,
        "INT" => ActivityKind::Interest,
        "CSD" | "CSW" | "JNLC" | "ACATC" | "TRANS" => ActivityKind::Transfer,
        "SPLIT" | "SSP" => ActivityKind::Split,
        "SPIN" | "SSO" | "MA" | "NC" | "SC" | "REORG" | "ACATS" | "JNLS" => ActivityKind::Shares,
        word if word.starts_with("DIV") => ActivityKind::Dividend,
        _ => ActivityKind::Other,
    }
}

/// Text of Alpaca's as it is shown: letters that print, and not too many.
fn shown(text: &str) -> String {
    let sound = text.chars().filter(char::is_ascii_graphic);
    sound.take(ACTIVITY_WORD_LENGTH_MAX).collect()
}

fn bookable(number: Option<wire::Number>) -> Option<Decimal> {
    let amount = number?.0.normalize();
    let is_bookable =
        amount.abs() <= Decimal::from(ACTIVITY_AMOUNT_MAX) && amount.scale() <= AMOUNT_DIGITS_MAX;
    is_bookable.then_some(amount)
}

/// The day of an activity: as it says, or as its number begins, or the day on which it was seen.
fn day_of(movement: &wire::Movement, id: &str, today: NaiveDate) -> NaiveDate {
    let latest = today.checked_add_days(Days::new(ACTIVITY_DAYS_AHEAD_MAX)).unwrap_or(today);
    let first = NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1).unwrap_or(today);
    let said = movement.date.as_deref().and_then(|day| day.parse().ok());
    let numbered = || NaiveDate::parse_from_str(id.get(..8)?, "%Y%m%d").ok();
    said.or_else(numbered).filter(|day| (first..=latest).contains(day)).unwrap_or(today)
}

/// An activity; nothing where it has not come into force, or is an execution.
pub(super) fn activity(item: &RawValue, today: NaiveDate) -> Result<Option<ListedActivity>, Failure> {
    let id = number_of(item)?;
    let movement: wire::Movement = serde_json::from_str(item.get()).unwrap_or_else(|error| {
        tracing::warn!(%error, id, "an activity at Alpaca cannot be read");
        wire::Movement::default()
    });
    let word = shown(&movement.activity_type);
    let is_undone = match movement.status.as_deref() {
        None | Some("executed") => false,
        Some("canceled") => true,
        Some(status) => {
            tracing::info!(id, word, status, "an activity at Alpaca is not in force");
            return Ok(None);
        }
    };
    if word == "FILL" {
        return Ok(None);
    }
    let symbol = movement.symbol.as_deref().and_then(own_symbol);
    let is_in_dollars = movement.currency.as_deref().is_none_or(|code| code == Currency::Usd.code());
    let amount = bookable(movement.net_amount).filter(|_| is_in_dollars);
    let quantity = bookable(movement.qty).filter(|quantity| !quantity.is_zero());
    let sub_type = movement.activity_sub_type.as_deref().map(shown).filter(|text| !text.is_empty());
    let is_whole_split = symbol.is_some()
        && quantity.is_some()
        && amount.unwrap_or_default().is_zero()
        && sub_type.as_deref() != Some(UNIT_SPLIT);
    let kind = match kind_of(&word) {
        ActivityKind::Split if !is_whole_split => ActivityKind::Shares,
        ActivityKind::Dividend if symbol.is_none() => ActivityKind::Other,
        kind if amount.is_none() && !matches!(kind, ActivityKind::Split | ActivityKind::Shares) => {
            ActivityKind::Other
        }
        kind => kind,
    };
    let word = if word.is_empty() { "unreadable".to_owned() } else { word };
    Ok(Some(ListedActivity {
        day: day_of(&movement, &id, today),
        activity_id: id,
        kind,
        word: sub_type.map_or(word.clone(), |sub_type| format!("{word}/{sub_type}")),
        symbol,
        currency: Currency::Usd,
        amount: amount.unwrap_or_default(),
        quantity,
        is_undone,
    }))
}

#[cfg(test)]
mod tests;
