//! Rows of the database, read back into the words of the domain.

use super::record::{Answered, Execution, Record, Standing};
use super::rules::Refusal;
use super::venue::Account;
use crate::broker::JournalLine;
use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Date, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use domain::broker::{ExecutionReport, OrderRequest, ReportKind};
use domain::decimal::DecimalError;
use domain::{
    AccountId, OrderId, OrderStatus, OrderType, Percent, Price, Quantity, ReplaceId, Side, Symbol,
    TimeInForce,
};
use exchange::{Course, Interruption, InterruptionKind, MarketState, OrderFees, Simulation, Span};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(QueryableByName)]
pub(super) struct Flag {
    #[diesel(sql_type = Bool)]
    pub(super) flag: bool,
}

#[derive(QueryableByName)]
pub(super) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(super) number: i64,
}

#[derive(QueryableByName)]
pub(super) struct Word {
    #[diesel(sql_type = Text)]
    pub(super) text: String,
}

#[derive(QueryableByName)]
pub(super) struct AccountRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    simulation: String,
}

impl AccountRow {
    pub(super) fn read(self) -> anyhow::Result<(AccountId, Account)> {
        let simulation = simulation(&self.simulation)?;
        Ok((AccountId(self.account_id), Account { currency: self.currency.parse()?, simulation }))
    }
}

pub(super) fn simulation(name: &str) -> anyhow::Result<Simulation> {
    Simulation::from_name(name).context("unknown simulation")
}

/// What is known of a market.
#[derive(QueryableByName)]
pub(super) struct MarketRow {
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Date)]
    session_date: NaiveDate,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    opens_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    closes_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Numeric)]
    reference_price: Decimal,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    limit_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    interruption: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    began_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ends_at: Option<DateTime<Utc>>,
}

impl MarketRow {
    pub(super) fn read(self) -> anyhow::Result<(Symbol, MarketState)> {
        let interruption = match (self.interruption, self.began_at, self.ends_at) {
            (Some(word), Some(began_at), Some(ends_at)) => {
                let kind = InterruptionKind::from_word(&word).context("unknown interruption")?;
                Some(Interruption { kind, began_at, ends_at })
            }
            _ => None,
        };
        let state = MarketState {
            session_date: self.session_date,
            span: self.opens_at.zip(self.closes_at).map(|(from, to)| Span { from, to }),
            reference: Price::new(self.reference_price)?,
            limit_since: self.limit_since,
            interruption,
        };
        Ok((self.symbol.parse()?, state))
    }
}

/// An execution of an order that was executed in part.
#[derive(QueryableByName)]
pub(super) struct PartRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    price: Decimal,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
}

impl PartRow {
    pub(super) fn read(self) -> anyhow::Result<(OrderId, Execution)> {
        let (price, quantity) = (Price::new(self.price)?, Quantity::new(self.quantity)?);
        Ok((OrderId(self.order_id), Execution { price, quantity, at: self.occurred_at }))
    }
}

#[derive(QueryableByName)]
pub(super) struct OrderRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = BigInt)]
    sequence: i64,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Text)]
    side: String,
    #[diesel(sql_type = Text)]
    order_type: String,
    #[diesel(sql_type = Text)]
    time_in_force: String,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    limit_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    protection_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Date>)]
    expire_date: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Numeric>)]
    stop_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    trail_amount: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    trail_percent: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    mark: Option<Decimal>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    triggered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Integer)]
    replaces: i32,
    #[diesel(sql_type = Timestamptz)]
    submitted_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    accepted_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expires_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Numeric)]
    filled_quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    commission: Decimal,
    #[diesel(sql_type = Numeric)]
    tax: Decimal,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    message: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    simulation: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    active_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    queue_ahead: Option<i64>,
    #[diesel(sql_type = Bool)]
    waits_for_price: bool,
}

impl OrderRow {
    /// The order as it was. What its executions cost is not counted again here.
    pub(super) fn read(self) -> anyhow::Result<Record> {
        let side = Side::from_name(&self.side).context("unknown side")?;
        let symbol: Symbol = self.symbol.parse()?;
        let simulation = simulation(&self.simulation)?;
        let course = self.active_at.map(|active_at| Course {
            simulation,
            active_at,
            ahead: self.queue_ahead.and_then(|ahead| u64::try_from(ahead).ok()),
            executions: 0,
        });
        let request = OrderRequest {
            order_id: OrderId(self.order_id),
            account_id: AccountId(self.account_id),
            symbol,
            side,
            order_type: OrderType::from_name(&self.order_type).context("unknown order type")?,
            time_in_force: TimeInForce::from_name(&self.time_in_force).context("unknown time in force")?,
            expire_date: self.expire_date,
            quantity: Quantity::new(self.quantity)?,
            limit_price: price(self.limit_price)?,
            stop_price: price(self.stop_price)?,
            trail_amount: price(self.trail_amount)?,
            trail_percent: self.trail_percent.map(Percent::new).transpose()?,
            protection_price: price(self.protection_price)?,
            notional: None,
            withdrawn: false,
            contingency: None,
            submitted_at: self.submitted_at,
        };
        Ok(Record {
            request,
            sequence: self.sequence,
            accepted_at: self.accepted_at,
            expires_at: self.expires_at,
            standing: Standing {
                status: OrderStatus::from_name(&self.status).context("unknown order status")?,
                filled_quantity: self.filled_quantity.normalize(),
                commission: self.commission.normalize(),
                tax: self.tax.normalize(),
                reason: self.reason,
                message: self.message,
                updated_at: self.updated_at,
                mark: price(self.mark)?,
                triggered_at: self.triggered_at,
                replaces: self.replaces,
                course,
                waits_for_price: self.waits_for_price,
                fees: OrderFees::new(symbol, side),
            },
        })
    }
}

#[derive(QueryableByName)]
pub(super) struct JournalRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Text)]
    report_id: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    execution_id: Option<String>,
    #[diesel(sql_type = Nullable<Numeric>)]
    quantity: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    commission: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    tax: Option<Decimal>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    replace_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Numeric>)]
    limit_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    stop_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    trail_amount: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    trail_percent: Option<Decimal>,
}

impl JournalRow {
    pub(super) fn read(self) -> anyhow::Result<JournalLine> {
        let kind = match self.kind.as_str() {
            "accepted" => ReportKind::Accepted,
            "rejected" => ReportKind::Rejected { reason: self.reason.unwrap_or_default() },
            "fill" => ReportKind::Fill {
                execution_id: self.execution_id.context("a fill without execution")?,
                quantity: Quantity::new(self.quantity.context("a fill without quantity")?)?,
                price: Price::new(self.price.context("a fill without price")?)?,
                commission: self.commission.context("a fill without commission")?,
                tax: self.tax.context("a fill without tax")?,
            },
            "canceled" => ReportKind::Canceled { reason: self.reason },
            "suspended" => ReportKind::Suspended { reason: self.reason },
            "resumed" => ReportKind::Resumed,
            "expired" => ReportKind::Expired,
            "triggered" => {
                ReportKind::Triggered { price: Price::new(self.price.context("a trigger without price")?)? }
            }
            "replaced" => ReportKind::Replaced {
                replace_id: ReplaceId(self.replace_id.context("a replace without request")?),
                quantity: Quantity::new(self.quantity.context("a replace without quantity")?)?,
                limit_price: price(self.limit_price)?,
                stop_price: price(self.stop_price)?,
                trail_amount: price(self.trail_amount)?,
                trail_percent: self.trail_percent.map(Percent::new).transpose()?,
            },
            other => anyhow::bail!("unknown kind of report {other}"),
        };
        let report = ExecutionReport {
            report_id: self.report_id,
            account_id: AccountId(self.account_id),
            order_id: OrderId(self.order_id),
            kind,
            occurred_at: self.occurred_at,
        };
        Ok(JournalLine { journal_id: self.id, report })
    }
}

fn price(value: Option<Decimal>) -> Result<Option<Price>, DecimalError> {
    value.map(Price::new).transpose()
}

#[derive(QueryableByName)]
pub(super) struct ReplaceRow {
    #[diesel(sql_type = SqlUuid)]
    replace_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    message: Option<String>,
}

impl ReplaceRow {
    pub(super) fn read(self) -> (ReplaceId, Answered) {
        let refusal = self.code.map(|code| Refusal::new(&code, self.message.unwrap_or_default()));
        (ReplaceId(self.replace_id), refusal)
    }
}
