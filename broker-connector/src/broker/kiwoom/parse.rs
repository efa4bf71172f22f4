//! Kiwoom's shapes into rows, and our orders into its shapes. Pure.

use super::rows::{FilledRow, OrderRow, RowKind, Ticket, Told, broker_number, other_number, shares};
use super::wire::{self, Number};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Asia::Seoul;
use domain::broker::{OrderRequest, ReplaceRequest};
use domain::{Market, OrderType, Price, Side, Symbol, TimeInForce};
use rust_decimal::Decimal;
use serde_json::Value;

/// Longest code of a share.
const CODE_LENGTH: usize = 6;

/// A moment as Kiwoom writes it, in Seoul's time: `20261123093000`.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    // A sign would let a year have more digits.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let local = NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S").ok().filter(|_| is_plain)?;
    Seoul.from_local_datetime(&local).single().map(|at| at.to_utc())
}

/// A time of a day in Seoul: `093000` or `09:30:00`.
pub(super) fn at(day: NaiveDate, time: &str) -> Option<DateTime<Utc>> {
    let digits: String = time.chars().filter(char::is_ascii_digit).collect();
    let time = NaiveTime::parse_from_str(&digits, "%H%M%S").ok()?;
    Seoul.from_local_datetime(&day.and_time(time)).single().map(|at| at.to_utc())
}

/// The day in Seoul.
pub(super) fn day_of(at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&Seoul).date_naive()
}

/// The six characters of a share; nothing for other things, which have a letter of their own in front or another length.
pub(super) fn share_code(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.split('_').next().unwrap_or(text);
    let code = if text.len() == CODE_LENGTH + 1 { text.strip_prefix('A')? } else { text };
    (code.len() == CODE_LENGTH).then(|| code.to_owned())
}

/// The code of a symbol.
pub(super) fn code_of(symbol: Symbol) -> String {
    symbol.as_str().split('.').next().unwrap_or_default().to_owned()
}

/// The symbol of a code on a board: 0 is KOSPI, 6 and 8 are trusts and funds listed there, 10 is KOSDAQ. Which code is a
/// fund with ticks of its own is the exchange's table to say ([`exchange::Security`]), not the board.
pub(super) fn symbol(code: &str, board: &str) -> Option<Symbol> {
    let suffix = match board.trim() {
        "0" | "6" | "8" => "KS",
        "10" => "KQ",
        _ => return None,
    };
    format!("{code}.{suffix}").parse().ok()
}

fn side(words: &str) -> Option<Side> {
    match (words.contains("매수"), words.contains("매도")) {
        (true, false) => Some(Side::Buy),
        (false, true) => Some(Side::Sell),
        _ => None,
    }
}

fn kind(words: &str) -> RowKind {
    if words.contains("취소") {
        RowKind::Cancel
    } else if words.contains("정정") {
        RowKind::Change
    } else {
        RowKind::New
    }
}

/// A row of kt00007; nothing for other things than shares.
pub(super) fn order_of_day(day: NaiveDate, row: &wire::OrderOfDay) -> Result<Option<OrderRow>, String> {
    let Some(code) = share_code(&row.stk_cd) else { return Ok(None) };
    let number = other_number(&row.ord_no).ok_or("an order has no number")?;
    let filled = shares(row.cntr_qty, &number)?;
    Ok(Some(OrderRow {
        kind: kind(&format!("{}{}", row.mdfy_cncl, row.io_tp_nm)),
        original: other_number(&row.ori_ord),
        code,
        side: side(&row.io_tp_nm).ok_or_else(|| format!("order {number} neither buys nor sells"))?,
        type_words: row.trde_tp.clone(),
        quantity: shares(row.ord_qty, &number)?,
        open: shares(row.ord_remnq, &number)?,
        filled,
        average: row.cntr_uv.price(),
        price: row.ord_uv.price(),
        stop: row.cond_uv.price(),
        is_confirmed: row.acpt_tp.contains("확인") || shares(row.cnfm_qty, &number)? > 0 || filled > 0,
        is_rejected: row.acpt_tp.contains("거부"),
        at: at(day, &row.ord_tm).ok_or_else(|| format!("the time of order {number} cannot be read"))?,
        number,
    }))
}

/// A row of ka10075; nothing for other things than shares.
pub(super) fn open_order(day: NaiveDate, row: &wire::OpenOrder) -> Result<Option<OrderRow>, String> {
    let Some(code) = share_code(&row.stk_cd) else { return Ok(None) };
    let number = other_number(&row.ord_no).ok_or("an order has no number")?;
    let original = other_number(&row.orig_ord_no);
    Ok(Some(OrderRow {
        kind: if original.is_some() { RowKind::Change } else { RowKind::New },
        original,
        code,
        side: side(&row.io_tp_nm).ok_or_else(|| format!("order {number} neither buys nor sells"))?,
        type_words: row.trde_tp.clone(),
        quantity: shares(row.ord_qty, &number)?,
        open: shares(row.oso_qty, &number)?,
        filled: shares(row.cntr_qty, &number)?,
        average: row.cntr_pric.price(),
        price: row.ord_pric.price(),
        stop: row.stop_pric.price(),
        is_confirmed: true,
        is_rejected: false,
        at: at(day, &row.tm).ok_or_else(|| format!("the time of order {number} cannot be read"))?,
        number,
    }))
}

/// Rows of ka10076, one an order: whether Kiwoom lists an order's executions together or each for itself, their sums are the
/// same.
pub(super) fn executed(day: NaiveDate, rows: &[wire::Executed]) -> Result<Vec<FilledRow>, String> {
    let mut sums: Vec<FilledRow> = Vec::new();
    for row in rows {
        let number = other_number(&row.ord_no).ok_or("an execution has no order")?;
        let quantity = shares(row.cntr_qty, &number)?;
        let worth = row.cntr_pric.price() * Decimal::from(quantity);
        let found = sums.iter_mut().find(|sum| sum.number == number);
        let sum = match found {
            Some(sum) => sum,
            None => {
                sums.push(FilledRow {
                    number,
                    quantity: 0,
                    worth: Decimal::ZERO,
                    commission: Decimal::ZERO,
                    tax: Decimal::ZERO,
                    ordered_at: at(day, &row.ord_tm),
                });
                match sums.last_mut() {
                    Some(sum) => sum,
                    None => continue,
                }
            }
        };
        sum.quantity += quantity;
        sum.worth += worth;
        sum.commission += row.tdy_trde_cmsn.price();
        sum.tax += row.tdy_trde_tax.price();
    }
    Ok(sums)
}

/// What of an order was executed, by its own row.
pub(super) fn filled(row: &OrderRow) -> FilledRow {
    FilledRow {
        number: row.number.clone(),
        quantity: row.filled,
        worth: row.average * Decimal::from(row.filled),
        commission: Decimal::ZERO,
        tax: Decimal::ZERO,
        ordered_at: Some(row.at),
    }
}

/// An execution in the values of an event of type 00, under the order's number. Only where both ways of counting agree:
/// shares ordered less shares left (900, 902), and shares executed (911).
pub(super) fn told(values: &wire::Values, now: DateTime<Utc>) -> Option<(String, Told)> {
    let text = |field: &str| values.get(field).and_then(Value::as_str).unwrap_or_default();
    let count = |field: &str| Number::read(text(field)).and_then(Number::shares);
    if text("913") != "체결" {
        return None;
    }
    let (quantity, through) = (count("915")?, count("911")?);
    let by_rest = count("900")? - count("902")?;
    let price = Number::read(text("914"))?.price();
    if quantity <= 0 || through < quantity || by_rest != through || price.is_zero() {
        return None;
    }
    let day = day_of(now);
    let told_at = at(day, text("908")).filter(|at| *at <= now).unwrap_or(now);
    let number = broker_number(day, &other_number(text("9203"))?);
    Some((number, Told { through, quantity, price, at: told_at }))
}

/// What type and time in force Kiwoom's words stand for.
pub(super) fn terms(words: &str, price: Decimal, stop: Decimal) -> (OrderType, TimeInForce) {
    let capitals = words.to_uppercase();
    let time_in_force = if capitals.contains("IOC") {
        TimeInForce::Ioc
    } else if capitals.contains("FOK") {
        TimeInForce::Fok
    } else {
        TimeInForce::Day
    };
    let order_type = match (price.is_zero(), stop.is_zero()) {
        (true, _) => OrderType::Market,
        (false, true) => OrderType::Limit,
        (false, false) => OrderType::StopLimit,
    };
    (order_type, time_in_force)
}

fn won(price: Option<Price>) -> Result<String, &'static str> {
    match price.map(|price| price.value().normalize()) {
        None => Ok(String::new()),
        Some(price) if price.scale() == 0 => Ok(price.to_string()),
        Some(_) => Err("prices at Kiwoom are whole won"),
    }
}

/// An order as it is sent.
///
/// # Errors
/// Why Kiwoom has no such order.
pub(super) fn ticket(request: &OrderRequest) -> Result<Ticket, &'static str> {
    use OrderType::{Limit, Market as AtMarket, StopLimit};
    use TimeInForce::{Day, Fok, Ioc};
    if request.symbol.market() != Market::Krx {
        return Err("only Korean shares are traded at Kiwoom from here");
    }
    let quantity = request.quantity.value().normalize();
    if quantity.scale() != 0 {
        return Err("Kiwoom trades whole shares only");
    }
    let trade_type = match (request.order_type, request.time_in_force) {
        (Limit, Day) => "0",
        (AtMarket, Day) => "3",
        (Limit, Ioc) => "10",
        (AtMarket, Ioc) => "13",
        (Limit, Fok) => "20",
        (AtMarket, Fok) => "23",
        (StopLimit, Day) => "28",
        (Limit | AtMarket | StopLimit, _) => return Err("Kiwoom's orders are for the day, IOC or FOK"),
        _ => return Err("Kiwoom takes market, limit and stop-limit orders from here"),
    };
    Ok(Ticket {
        side: request.side,
        code: code_of(request.symbol),
        quantity: quantity.to_string(),
        price: won(request.limit_price)?,
        trade_type,
        stop: won(request.stop_price)?,
    })
}

/// Other prices as they are sent: limit and stop.
///
/// # Errors
/// Why Kiwoom cannot change the order so.
pub(super) fn other_prices(
    request: &ReplaceRequest,
    present: &crate::broker::ListedOrder,
) -> Result<(String, String), (&'static str, &'static str)> {
    if request.quantity.value() != present.quantity {
        return Err((
            "unsupported",
            "Kiwoom changes the price of an order only: for another number of shares it is cancelled and placed anew",
        ));
    }
    if request.limit_price.is_none() || request.trail_amount.is_some() || request.trail_percent.is_some() {
        return Err(("unsupported", "only orders with a limit are changed at Kiwoom"));
    }
    if (request.limit_price, request.stop_price) == (present.limit_price, present.stop_price) {
        return Err(("unchanged", "the order has these terms already"));
    }
    let price = |price| won(price).map_err(|words| ("tick_size", words));
    Ok((price(request.limit_price)?, price(request.stop_price)?))
}

#[cfg(test)]
mod tests;
