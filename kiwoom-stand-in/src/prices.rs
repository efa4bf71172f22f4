//! Prices in Kiwoom's shapes: every number a text, and a sign before a price says on which side of the close before it is. Pure.

use crate::lists::Paged;
use crate::market::{Market, Refusal, each_listed, listed, word};
use crate::tape::{Bar, LEVELS, Side, Sides, Trade, day_of};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Asia::Seoul;
use serde_json::{Map, Value, json};

/// Days that a chart reaches back.
const DAYS_MAX: usize = 3_000;

fn in_seoul(at: DateTime<Utc>, format: &str) -> String {
    at.with_timezone(&Seoul).format(format).to_string()
}

/// A price with the sign of its direction.
fn signed(price: u64, before: u64) -> String {
    let sign = match price.cmp(&before) {
        std::cmp::Ordering::Less => "-",
        std::cmp::Ordering::Equal => "",
        std::cmp::Ordering::Greater => "+",
    };
    format!("{sign}{price}")
}

fn change(bar: &Bar) -> String {
    match bar.close.checked_sub(bar.before) {
        Some(0) => "0".into(),
        Some(up) => format!("+{up}"),
        None => format!("-{}", bar.before - bar.close),
    }
}

fn direction(bar: &Bar) -> &'static str {
    match bar.close.cmp(&bar.before) {
        std::cmp::Ordering::Less => "5",
        std::cmp::Ordering::Equal => "3",
        std::cmp::Ordering::Greater => "2",
    }
}

fn best(side: &Side, before: u64) -> String {
    side.first().map_or_else(|| "0".into(), |(price, _)| signed(*price, before))
}

fn real(kind: &str, name: &str, item: &str, values: Value) -> Value {
    json!({ "trnm": "REAL", "data": [{ "type": kind, "name": name, "item": item, "values": values }] })
}

/// A trade (type 0B).
pub(crate) fn trade(trade: &Trade) -> Value {
    let (day, before) = (&trade.day, trade.day.before);
    let values = json!({
        "20": in_seoul(trade.at, "%H%M%S"), "10": signed(day.close, before), "11": change(day), "12": "0.00",
        "27": best(&trade.best.asks, before), "28": best(&trade.best.bids, before),
        "15": format!("{}{}", if trade.is_bought { "+" } else { "-" }, trade.quantity),
        "13": day.volume.to_string(), "14": (day.close * day.volume / 1_000_000).to_string(),
        "16": signed(day.open, before), "17": signed(day.high, before), "18": signed(day.low, before),
        "25": direction(day), "26": "0", "228": "100.00", "290": "2", "9081": "1",
    });
    real("0B", "주식체결", &trade.code, values)
}

/// A book (type 0D).
pub(crate) fn book(code: &str, sides: &Sides, at: DateTime<Utc>, before: u64) -> Value {
    let mut values = Map::new();
    values.insert("21".into(), in_seoul(at, "%H%M%S").into());
    for (side, price, quantity) in [(&sides.asks, 41, 61), (&sides.bids, 51, 71)] {
        for level in 0..LEVELS {
            let (at, wanted) = side.get(level).copied().unwrap_or_default();
            values.insert((price + level).to_string(), signed(at, if at == 0 { 0 } else { before }).into());
            values.insert((quantity + level).to_string(), wanted.to_string().into());
        }
    }
    let sum = |side: &Side| side.iter().map(|(_, quantity)| quantity).sum::<u64>().to_string();
    values.insert("121".into(), sum(&sides.asks).into());
    values.insert("125".into(), sum(&sides.bids).into());
    values.insert("23".into(), "0".into());
    values.insert("24".into(), "0".into());
    real("0D", "주식호가잔량", code, values.into())
}

fn answered(mut body: Map<String, Value>) -> Value {
    body.insert("return_code".into(), 0.into());
    body.insert("return_msg".into(), "정상적으로 처리되었습니다".into());
    body.into()
}

fn share(body: &Value) -> Result<&str, Refusal> {
    let code = word(body, "stk_cd")?;
    listed(code).map(|_| code).ok_or_else(|| (1, "종목코드가 존재하지 않습니다[1902]".into()))
}

/// ka10001: a share, without a word on when its price was.
pub(crate) fn basics(market: &Market, body: &Value) -> Result<Value, Refusal> {
    let code = share(body)?;
    let days = market.tape(code).days(day_of(Utc::now()), 1, true);
    let (_, day) = days.first().ok_or((1, "조회할 자료가 없습니다".to_owned()))?;
    let body = json!({
        "stk_cd": code, "stk_nm": listed(code).map(|row| row.0), "cur_prc": signed(day.close, day.before),
        "pre_sig": direction(day), "pred_pre": change(day), "flu_rt": "0.00", "open_pric": signed(day.open, day.before),
        "high_pric": signed(day.high, day.before), "low_pric": signed(day.low, day.before),
        "base_pric": day.before.to_string(), "upl_pric": format!("+{}", day.before * 13 / 10),
        "lst_pric": format!("-{}", day.before * 7 / 10), "trde_qty": day.volume.to_string(),
    });
    Ok(answered(body.as_object().cloned().unwrap_or_default()))
}

/// ka10004: the book.
pub(crate) fn book_asked(market: &Market, body: &Value) -> Result<Value, Refusal> {
    let tape = market.tape(share(body)?);
    let mut values = Map::new();
    values.insert("bid_req_base_tm".into(), in_seoul(Utc::now(), "%H%M%S").into());
    for (name, side) in [("sel", &tape.sides.asks), ("buy", &tape.sides.bids)] {
        for level in 0..LEVELS {
            let (price, wanted) = side.get(level).copied().unwrap_or_default();
            let (at, of) = match level {
                0 => (format!("{name}_fpr_bid"), format!("{name}_fpr_req")),
                level => {
                    (format!("{name}_{}th_pre_bid", level + 1), format!("{name}_{}th_pre_req", level + 1))
                }
            };
            values.insert(at, format!("+{price}").into());
            values.insert(of, wanted.to_string().into());
        }
    }
    Ok(answered(values))
}

fn row(bar: &Bar, (name, time): (&str, String)) -> Value {
    json!({
        name: time, "cur_prc": signed(bar.close, bar.before), "trde_qty": bar.volume.to_string(),
        "open_pric": signed(bar.open, bar.before), "high_pric": signed(bar.high, bar.before),
        "low_pric": signed(bar.low, bar.before), "pred_pre": change(bar), "pred_pre_sig": direction(bar),
    })
}

fn page(market: &Market, name: &str, rows: Vec<Value>, next_key: &str) -> Paged {
    let begin: usize = next_key.parse().unwrap_or_default();
    let end = begin.saturating_add(market.rows_per_chart).min(rows.len());
    let next = (end < rows.len()).then(|| end.to_string());
    let rows: Vec<Value> = rows.into_iter().skip(begin).take(market.rows_per_chart).collect();
    (answered(Map::from_iter([(name.to_owned(), rows.into())])), next)
}

/// ka10081: days, the latest first.
pub(crate) fn days(market: &Market, body: &Value, next_key: &str) -> Result<Paged, Refusal> {
    let code = share(body)?;
    let to = NaiveDate::parse_from_str(word(body, "base_dt")?, "%Y%m%d");
    let to = to.map_err(|_| (2, "입력 값 오류입니다[1517:base_dt 값이 올바르지 않습니다]".to_owned()))?;
    let days = market.tape(code).days(to, DAYS_MAX, word(body, "upd_stkpc_tp")? == "1");
    let rows = days.iter().map(|(day, bar)| row(bar, ("dt", day.format("%Y%m%d").to_string())));
    Ok(page(market, "stk_dt_pole_chart_qry", rows.collect(), next_key))
}

/// ka10080: minutes, the latest first.
pub(crate) fn minutes(market: &Market, body: &Value, next_key: &str) -> Result<Paged, Refusal> {
    let code = share(body)?;
    let length: i64 = word(body, "tic_scope")?
        .parse()
        .map_err(|_| (2, "입력 값 오류입니다[1517:tic_scope 값이 올바르지 않습니다]".to_owned()))?;
    let minutes = market.tape(code).minutes(length.max(1));
    let rows = minutes.iter().map(|(at, bar)| row(bar, ("cntr_tm", in_seoul(*at, "%Y%m%d%H%M%S"))));
    Ok(page(market, "stk_min_pole_chart_qry", rows.collect(), next_key))
}

/// ka10099: the shares of a board.
pub(crate) fn shares(body: &Value) -> Result<Value, Refusal> {
    let asked = word(body, "mrkt_tp")?;
    let rows: Vec<Value> = each_listed()
        .filter(|(_, _, board)| *board == asked)
        .map(|(code, name, board)| {
            json!({
                "code": code, "name": name, "listCount": "0000000000000000", "regDay": "19750611",
                "lastPrice": "00070000", "state": "증거금20%", "marketCode": board, "orderWarning": "0", "nxtEnable": "Y",
            })
        })
        .collect();
    Ok(answered(Map::from_iter([("list".to_owned(), rows.into())])))
}
