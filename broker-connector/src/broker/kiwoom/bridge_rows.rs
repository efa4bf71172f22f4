//! The shapes of the bridge's answers, and the rows that they are. Pure.

use super::parse::at;
use super::rows::{self, FilledRow, Held, OrderRow, RowKind, other_number, shares};
use super::wire::Number;
use chrono::NaiveDate;
use domain::Side;
use rust_decimal::Decimal;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Taken {
    pub(super) number: String,
}

#[derive(Deserialize)]
pub(super) struct Rows<R> {
    pub(super) rows: Vec<R>,
    #[serde(default)]
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cash {
    pub(super) settled: Number,
    pub(super) buying_power: Number,
}

#[derive(Deserialize)]
pub(super) struct Instrument {
    #[serde(default)]
    pub(super) market: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Holding {
    code: String,
    quantity: Number,
}

impl Holding {
    pub(super) fn read(self) -> Result<Held, String> {
        Ok(Held { quantity: shares(self.quantity, &self.code)?, code: self.code })
    }
}

#[derive(Deserialize)]
pub(super) struct Execution {
    number: String,
    quantity: Number,
    price: Number,
    commission: Number,
    tax: Number,
    #[serde(default)]
    time: String,
}

impl Execution {
    pub(super) fn read(self, today: NaiveDate) -> Result<FilledRow, String> {
        let number = other_number(&self.number).ok_or("an execution has no order")?;
        let quantity = shares(self.quantity, &number)?;
        Ok(FilledRow {
            quantity,
            worth: self.price.price() * Decimal::from(quantity),
            commission: self.commission.price(),
            tax: self.tax.price(),
            ordered_at: at(today, &self.time),
            number,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    number: String,
    #[serde(default)]
    original: Option<String>,
    kind: String,
    code: String,
    side: String,
    trade_type: String,
    quantity: Number,
    open: Number,
    filled: Number,
    average: Number,
    price: Number,
    stop: Number,
    confirmed: bool,
    rejected: bool,
    time: String,
}

impl Order {
    pub(super) fn read(self, day: NaiveDate) -> Result<OrderRow, String> {
        let number = other_number(&self.number).ok_or("an order has no number")?;
        let kind = match self.kind.as_str() {
            "new" => RowKind::New,
            "change" => RowKind::Change,
            "cancel" => RowKind::Cancel,
            other => return Err(format!("order {number} is of an unknown kind: {other}")),
        };
        Ok(OrderRow {
            kind,
            original: self.original.as_deref().and_then(rows::other_number),
            code: self.code,
            side: Side::from_name(&self.side).ok_or_else(|| format!("order {number} has no side"))?,
            type_words: self.trade_type,
            quantity: shares(self.quantity, &number)?,
            open: shares(self.open, &number)?,
            filled: shares(self.filled, &number)?,
            average: self.average.price(),
            price: self.price.price(),
            stop: self.stop.price(),
            is_confirmed: self.confirmed,
            is_rejected: self.rejected,
            at: at(day, &self.time).ok_or_else(|| format!("the time of order {number} cannot be read"))?,
            number,
        })
    }
}
