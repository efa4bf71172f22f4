//! What a trader may ask for: any kind of order, group and change, drawn by chance and shaped as the contract has it.

use crate::chance::Chance;
use chrono::{Datelike, Days, NaiveDate, Weekday};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

/// Most shares of an order.
const SHARES_MAX: u64 = 5;
/// How far from the market prices are asked for, in percent: some are met at once, some never.
const DISTANCES: [i64; 4] = [0, 1, 3, 10];
/// How far the exits of a group are.
const EXIT_DISTANCES: [i64; 3] = [1, 3, 10];
/// Last days of orders lie within so many days.
const LAST_DAY_MAX: u64 = 6;

/// Where is traded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) symbols: &'static [&'static str],
    /// Prices asked for are multiples of it: it is on the grid of every price band met here.
    tick: Decimal,
    /// Whether parts of shares and amounts of money are traded.
    fractions: bool,
    /// What an account begins with.
    pub(crate) opening_deposit: i64,
}

impl Place {
    pub(crate) fn of(currency: &str) -> Self {
        match currency {
            "KRW" => Self {
                symbols: &["005930.KS", "000660.KS"],
                tick: Decimal::ONE_THOUSAND,
                fractions: false,
                opening_deposit: 20_000_000,
            },
            _ => Self {
                symbols: &["AAPL", "IBM", "MSFT"],
                tick: Decimal::new(1, 2),
                fractions: true,
                opening_deposit: 20_000,
            },
        }
    }

    /// A price so many percent away, on the grid.
    pub(crate) fn price(&self, last: Decimal, percent: i64) -> String {
        let moved = last * Decimal::new(100 + percent, 2) / self.tick;
        let ticks = moved.round_dp_with_strategy(0, RoundingStrategy::AwayFromZero).max(Decimal::ONE);
        (ticks * self.tick).normalize().to_string()
    }
}

fn shares(chance: &mut Chance) -> String {
    (1 + chance.below(SHARES_MAX)).to_string()
}

/// The next days are the last days of orders; one of them is a holiday now and then, which is refused.
fn last_day(today: NaiveDate, chance: &mut Chance) -> String {
    let mut day = today + Days::new(1 + chance.below(LAST_DAY_MAX));
    while matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
        day = day + Days::new(1);
    }
    day.to_string()
}

/// An order at this last price; its account is left out.
pub(crate) fn order(place: &Place, symbol: &str, last: Decimal, chance: &mut Chance) -> Value {
    let side = *chance.pick(&["buy", "sell"]);
    let away = if side == "buy" { 1 } else { -1 };
    let distance = *chance.pick(&DISTANCES);
    let mut body = json!({ "symbol": symbol, "side": side, "quantity": shares(chance) });
    match chance.below(12) {
        0..=3 => {
            body["type"] = "market".into();
            body["timeInForce"] = (*chance.pick(&["day", "gtc", "ioc", "fok"])).into();
        }
        4..=7 => {
            body["type"] = "limit".into();
            body["limitPrice"] = place.price(last, -away * distance).into();
            body["timeInForce"] = (*chance.pick(&["day", "gtc", "gtc", "ioc", "fok", "gtd"])).into();
        }
        8 => {
            body["type"] = "stop".into();
            body["stopPrice"] = place.price(last, away * distance).into();
            body["timeInForce"] = (*chance.pick(&["day", "gtc", "gtd"])).into();
        }
        9 => {
            body["type"] = "stop_limit".into();
            body["stopPrice"] = place.price(last, away * distance).into();
            body["limitPrice"] = place.price(last, away * (distance + 1)).into();
            body["timeInForce"] = (*chance.pick(&["day", "gtc", "gtd"])).into();
        }
        10 => trailing(&mut body, place, last, chance),
        _ if place.fractions => part_of_a_share(&mut body, place, last, -away * distance, chance),
        _ => body["type"] = "market".into(),
    }
    if body["timeInForce"] == "gtd" {
        body["expireDate"] = last_day(chrono::Utc::now().date_naive(), chance).into();
    }
    body
}

fn trailing(body: &mut Value, place: &Place, last: Decimal, chance: &mut Chance) {
    body["type"] = "trailing_stop".into();
    body["timeInForce"] = (*chance.pick(&["day", "gtc"])).into();
    if chance.one_in(2) {
        body["trailPercent"] = (*chance.pick(&["0.5", "2", "12.5"])).into();
    } else {
        body["trailAmount"] = place.price(last, -97).into();
    }
}

fn part_of_a_share(body: &mut Value, place: &Place, last: Decimal, percent: i64, chance: &mut Chance) {
    body["type"] = (*chance.pick(&["market", "limit"])).into();
    body["timeInForce"] = "day".into();
    if body["type"] == "limit" {
        body["limitPrice"] = place.price(last, percent).into();
    }
    if chance.one_in(2) {
        body["quantity"] = format!("{}.{:09}", chance.below(3), 1 + chance.below(999_999_999)).into();
    } else {
        body.as_object_mut().unwrap().remove("quantity");
        body["notional"] = format!("{}.{:02}", 5 + chance.below(400), chance.below(100)).into();
    }
}

/// A group at this last price; its account is left out.
pub(crate) fn group(place: &Place, symbol: &str, last: Decimal, chance: &mut Chance) -> Value {
    let kind = *chance.pick(&["oco", "oto", "bracket"]);
    let mut body = json!({ "kind": kind, "symbol": symbol, "quantity": shares(chance) });
    if kind != "oco" {
        body["entry"] = if chance.one_in(3) {
            json!({ "limitPrice": place.price(last, *chance.pick(&[0, -1, -3])) })
        } else {
            json!({})
        };
    }
    if kind == "oto" {
        let (first, then) = *chance.pick(&[("buy", "sell"), ("sell", "buy")]);
        body["entry"] = json!({ "side": first });
        let percent = *chance.pick(&DISTANCES);
        let percent = if then == "sell" { percent } else { -percent };
        body["then"] = json!({ "side": then, "limitPrice": place.price(last, percent) });
    } else {
        let (up, down) = (*chance.pick(&EXIT_DISTANCES), *chance.pick(&EXIT_DISTANCES));
        body["takeProfit"] = json!({ "limitPrice": place.price(last, up + 1) });
        body["stopLoss"] = match chance.below(3) {
            0 => json!({ "stopPrice": place.price(last, -down - 4) }),
            1 => {
                json!({ "stopPrice": place.price(last, -down - 4), "limitPrice": place.price(last, -down - 6) })
            }
            _ => json!({ "trailPercent": (down + 4).to_string() }),
        };
    }
    body
}

/// Whether an order can still be open a while after it was asked for with this body.
pub(crate) fn can_wait(asked: &Value) -> bool {
    asked["type"] != "market" && asked["timeInForce"] != "ioc" && asked["timeInForce"] != "fok"
}

/// Other terms for an order that was asked for with this body.
pub(crate) fn change(place: &Place, asked: &Value, last: Decimal, chance: &mut Chance) -> Value {
    let away = if asked["side"] == "buy" { 1 } else { -1 };
    let distance = *chance.pick(&DISTANCES);
    let quantity = chance.one_in(3).then(|| shares(chance));
    let mut change = match asked["type"].as_str().unwrap() {
        "limit" => json!({ "limitPrice": place.price(last, -away * distance) }),
        "stop" => json!({ "stopPrice": place.price(last, away * distance) }),
        "stop_limit" => json!({ "limitPrice": place.price(last, away * (distance + 1)) }),
        "trailing_stop" => json!({ "trailPercent": (1 + chance.below(9)).to_string() }),
        _ => json!({ "quantity": shares(chance) }),
    };
    let is_whole = asked["quantity"].as_str().is_some_and(|quantity| !quantity.contains('.'));
    if let Some(quantity) = quantity.filter(|_| is_whole) {
        change["quantity"] = quantity.into();
    }
    change
}
