//! An order's terms: how they stand in the table when they are not its present ones, and how those are changed.

use super::super::order::{Order, OrderTerms, Original, Replacement};
use crate::db::corrupt;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::QueryResult;
use diesel::sql_types::{Array, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{OrderType, Percent, Price, PriceFields, Pricing, Quantity, ReplaceId};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(super) fn price(value: Decimal) -> QueryResult<Price> {
    Price::new(value.normalize()).map_err(|_| corrupt("price"))
}

pub(super) fn number(price: Option<Price>) -> Option<Decimal> {
    price.map(Price::value)
}

pub(super) fn percent_number(percent: Option<Percent>) -> Option<Decimal> {
    percent.map(Percent::value)
}

/// Terms as they stand in a column of JSON. The type of an order never changes, so it is not among them.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredTerms {
    quantity: Quantity,
    limit_price: Option<Price>,
    stop_price: Option<Price>,
    trail_amount: Option<Price>,
    trail_percent: Option<Percent>,
    worst_price: Option<Price>,
    #[serde(with = "domain::decimal::text")]
    fees_max: Decimal,
}

impl From<OrderTerms> for StoredTerms {
    fn from(terms: OrderTerms) -> Self {
        let PriceFields { limit_price, stop_price, trail_amount, trail_percent } = terms.pricing.fields();
        Self {
            quantity: terms.quantity,
            limit_price,
            stop_price,
            trail_amount,
            trail_percent,
            worst_price: terms.worst_price,
            fees_max: terms.fees_max,
        }
    }
}

impl StoredTerms {
    fn read(self, order_type: OrderType) -> QueryResult<OrderTerms> {
        let fields = PriceFields {
            limit_price: self.limit_price,
            stop_price: self.stop_price,
            trail_amount: self.trail_amount,
            trail_percent: self.trail_percent,
        };
        Ok(OrderTerms {
            quantity: self.quantity,
            pricing: Pricing::from_fields(order_type, fields).map_err(|_| corrupt("price"))?,
            worst_price: self.worst_price,
            fees_max: self.fees_max,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredOriginal {
    terms: StoredTerms,
    replaced_by: Vec<ReplaceId>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StoredReplacement {
    id: ReplaceId,
    terms: StoredTerms,
}

pub(super) fn read_original(order_type: OrderType, text: &str) -> QueryResult<Original> {
    let stored: StoredOriginal = serde_json::from_str(text).map_err(|_| corrupt("original order"))?;
    Ok(Original { terms: stored.terms.read(order_type)?, replaced_by: stored.replaced_by })
}

pub(super) fn read_replacing(order_type: OrderType, text: &str) -> QueryResult<Replacement> {
    let stored: StoredReplacement = serde_json::from_str(text).map_err(|_| corrupt("replace"))?;
    Ok(Replacement { id: stored.id, terms: stored.terms.read(order_type)? })
}

fn write_original(order: &Order) -> QueryResult<Option<String>> {
    let stored = order.original.as_ref().map(|original| StoredOriginal {
        terms: original.terms.into(),
        replaced_by: original.replaced_by.clone(),
    });
    stored.map(|stored| serde_json::to_string(&stored)).transpose().map_err(|_| corrupt("original order"))
}

fn write_replacing(order: &Order) -> QueryResult<Option<String>> {
    let stored = order
        .replacing
        .map(|replacing| StoredReplacement { id: replacing.id, terms: replacing.terms.into() });
    stored.map(|stored| serde_json::to_string(&stored)).transpose().map_err(|_| corrupt("replace"))
}

statement! {
    SaveTerms {
        ids: Array<SqlUuid> = Vec<Uuid>, quantities: Array<Numeric> = Vec<Decimal>,
        limit_prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        stop_prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        trail_amounts: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        trail_percents: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        worst_prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>, fees_max: Array<Numeric> = Vec<Decimal>,
        triggered: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        originals: Array<Nullable<Text>> = Vec<Option<String>>, replacing: Array<Nullable<Text>> = Vec<Option<String>>,
    }
    "UPDATE trading.orders AS o SET quantity = new.quantity, limit_price = new.limit_price, stop_price = new.stop_price,
        trail_amount = new.trail_amount, trail_percent = new.trail_percent, worst_price = new.worst_price,
        fees_max = new.fees_max, triggered_at = new.triggered_at, original = new.original::json,
        replacing = new.replacing::json
     FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS new (id, quantity, limit_price, stop_price, trail_amount,
        trail_percent, worst_price, fees_max, triggered_at, original, replacing)
     WHERE o.id = new.id"
}

/// Writes the terms of orders that the caller has locked. They change rarely, so what changes often is written elsewhere.
pub(in crate::trading) async fn save_terms<'a>(
    mut connection: &AsyncPgConnection,
    orders: impl Iterator<Item = &'a Order> + Clone,
) -> QueryResult<()> {
    let fields = |order: &Order| order.pricing.fields();
    let statement = SaveTerms {
        ids: orders.clone().map(|order| order.id.0).collect(),
        quantities: orders.clone().map(|order| order.quantity.value()).collect(),
        limit_prices: orders.clone().map(|order| number(fields(order).limit_price)).collect(),
        stop_prices: orders.clone().map(|order| number(fields(order).stop_price)).collect(),
        trail_amounts: orders.clone().map(|order| number(fields(order).trail_amount)).collect(),
        trail_percents: orders.clone().map(|order| percent_number(fields(order).trail_percent)).collect(),
        worst_prices: orders.clone().map(|order| number(order.worst_price)).collect(),
        fees_max: orders.clone().map(|order| order.fees_max).collect(),
        triggered: orders.clone().map(|order| order.triggered_at).collect(),
        originals: orders.clone().map(write_original).collect::<QueryResult<_>>()?,
        replacing: orders.map(write_replacing).collect::<QueryResult<_>>()?,
    };
    if statement.ids.is_empty() {
        return Ok(());
    }
    statement.execute(&mut connection).await.map(|_| ())
}
