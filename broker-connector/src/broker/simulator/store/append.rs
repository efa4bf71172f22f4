//! One batch as one statement, or as several where one would take too long.

use super::super::record::{Changed, Changes, Record, ReplaceAnswer, Replaced, Report, Standing};
use super::super::rows::Number;
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::QueryResult;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::broker::ReportKind;
use domain::{PriceFields, Symbol, locks};
use exchange::{MarketState, Simulation};
use rust_decimal::Decimal;
use uuid::Uuid;

type Numbers = Vec<Option<Decimal>>;

/// Rows of a kind that one statement carries at most: a close can end, and a price can reach, any number of orders.
const ROWS_MAX: usize = 8_192;

statement! {
    /// Writes a batch. The guard is read before any row of the journal gets its id, so ids become visible in
    /// increasing order whoever else appends.
    Append {
        guard: BigInt = i64,
        order_id: Array<SqlUuid> = Vec<Uuid>,
        sequence: Array<BigInt> = Vec<i64>,
        account_id: Array<SqlUuid> = Vec<Uuid>,
        symbol: Array<Text> = Vec<String>,
        side: Array<Text> = Vec<&'static str>,
        order_type: Array<Text> = Vec<&'static str>,
        time_in_force: Array<Text> = Vec<&'static str>,
        expire_date: Array<Nullable<Date>> = Vec<Option<NaiveDate>>,
        quantity: Array<Numeric> = Vec<Decimal>,
        limit_price: Array<Nullable<Numeric>> = Numbers,
        stop_price: Array<Nullable<Numeric>> = Numbers,
        trail_amount: Array<Nullable<Numeric>> = Numbers,
        trail_percent: Array<Nullable<Numeric>> = Numbers,
        protection_price: Array<Nullable<Numeric>> = Numbers,
        mark: Array<Nullable<Numeric>> = Numbers,
        triggered_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        submitted_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
        accepted_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
        expires_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        status: Array<Text> = Vec<&'static str>,
        filled_quantity: Array<Numeric> = Vec<Decimal>,
        commission: Array<Numeric> = Vec<Decimal>,
        tax: Array<Numeric> = Vec<Decimal>,
        reason: Array<Nullable<Text>> = Vec<Option<String>>,
        message: Array<Nullable<Text>> = Vec<Option<String>>,
        updated_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
        simulation: Array<Text> = Vec<&'static str>,
        active_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        queue_ahead: Array<Nullable<BigInt>> = Vec<Option<i64>>,
        waits_for_price: Array<Bool> = Vec<bool>,
        changed_id: Array<SqlUuid> = Vec<Uuid>,
        changed_status: Array<Text> = Vec<&'static str>,
        changed_filled_quantity: Array<Numeric> = Vec<Decimal>,
        changed_commission: Array<Numeric> = Vec<Decimal>,
        changed_tax: Array<Numeric> = Vec<Decimal>,
        changed_reason: Array<Nullable<Text>> = Vec<Option<String>>,
        changed_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
        changed_mark: Array<Nullable<Numeric>> = Numbers,
        changed_triggered_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        changed_active_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        changed_queue_ahead: Array<Nullable<BigInt>> = Vec<Option<i64>>,
        changed_waits_for_price: Array<Bool> = Vec<bool>,
        replaced_id: Array<SqlUuid> = Vec<Uuid>,
        replaced_sequence: Array<BigInt> = Vec<i64>,
        replaced_quantity: Array<Numeric> = Vec<Decimal>,
        replaced_limit_price: Array<Nullable<Numeric>> = Numbers,
        replaced_stop_price: Array<Nullable<Numeric>> = Numbers,
        replaced_trail_amount: Array<Nullable<Numeric>> = Numbers,
        replaced_trail_percent: Array<Nullable<Numeric>> = Numbers,
        replaced_protection_price: Array<Nullable<Numeric>> = Numbers,
        replaced_times: Array<Integer> = Vec<i32>,
        replaced_status: Array<Text> = Vec<&'static str>,
        replaced_filled_quantity: Array<Numeric> = Vec<Decimal>,
        replaced_commission: Array<Numeric> = Vec<Decimal>,
        replaced_tax: Array<Numeric> = Vec<Decimal>,
        replaced_reason: Array<Nullable<Text>> = Vec<Option<String>>,
        replaced_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
        replaced_mark: Array<Nullable<Numeric>> = Numbers,
        replaced_triggered_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        replaced_active_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        replaced_queue_ahead: Array<Nullable<BigInt>> = Vec<Option<i64>>,
        replaced_waits_for_price: Array<Bool> = Vec<bool>,
        answer_id: Array<SqlUuid> = Vec<Uuid>,
        answer_order_id: Array<SqlUuid> = Vec<Uuid>,
        answer_code: Array<Nullable<Text>> = Vec<Option<String>>,
        answer_message: Array<Nullable<Text>> = Vec<Option<String>>,
        answered_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
        report_account_id: Array<SqlUuid> = Vec<Uuid>,
        report_order_id: Array<SqlUuid> = Vec<Uuid>,
        report_id: Array<Text> = Vec<String>,
        report_kind: Array<Text> = Vec<&'static str>,
        report_symbol: Array<Text> = Vec<String>,
        report_side: Array<Text> = Vec<&'static str>,
        report_execution_id: Array<Nullable<Text>> = Vec<Option<String>>,
        report_quantity: Array<Nullable<Numeric>> = Numbers,
        report_price: Array<Nullable<Numeric>> = Numbers,
        report_commission: Array<Nullable<Numeric>> = Numbers,
        report_tax: Array<Nullable<Numeric>> = Numbers,
        report_reason: Array<Nullable<Text>> = Vec<Option<String>>,
        report_occurred_at: Array<Timestamptz> = Vec<DateTime<Utc>>,
        report_replace_id: Array<Nullable<SqlUuid>> = Vec<Option<Uuid>>,
        report_limit_price: Array<Nullable<Numeric>> = Numbers,
        report_stop_price: Array<Nullable<Numeric>> = Numbers,
        report_trail_amount: Array<Nullable<Numeric>> = Numbers,
        report_trail_percent: Array<Nullable<Numeric>> = Numbers,
        market_symbol: Array<Text> = Vec<String>,
        market_session_date: Array<Date> = Vec<NaiveDate>,
        market_opens_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        market_closes_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        market_reference_price: Array<Numeric> = Vec<Decimal>,
        market_limit_since: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        market_interruption: Array<Nullable<Text>> = Vec<Option<&'static str>>,
        market_began_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        market_ends_at: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
    }
    "WITH guard AS MATERIALIZED (SELECT pg_advisory_xact_lock(?)),
    new_orders AS (
        INSERT INTO broker.simulator_orders (order_id, sequence, account_id, symbol, side, order_type, time_in_force,
            expire_date, quantity, limit_price, stop_price, trail_amount, trail_percent, protection_price, mark,
            triggered_at, submitted_at, accepted_at, expires_at, status, filled_quantity, commission, tax, reason,
            message, updated_at, simulation, active_at, queue_ahead, waits_for_price)
        SELECT new.* FROM guard, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS new
    ), changed_orders AS (
        UPDATE broker.simulator_orders SET status = changed.status, filled_quantity = changed.filled_quantity,
            commission = changed.commission, tax = changed.tax, reason = changed.reason, updated_at = changed.updated_at,
            mark = changed.mark, triggered_at = changed.triggered_at, active_at = changed.active_at,
            queue_ahead = changed.queue_ahead, waits_for_price = changed.waits_for_price
        FROM guard, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            AS changed (order_id, status, filled_quantity, commission, tax, reason, updated_at, mark, triggered_at,
                active_at, queue_ahead, waits_for_price)
        WHERE simulator_orders.order_id = changed.order_id
    ), replaced_orders AS (
        UPDATE broker.simulator_orders SET sequence = replaced.sequence, quantity = replaced.quantity,
            limit_price = replaced.limit_price, stop_price = replaced.stop_price,
            trail_amount = replaced.trail_amount, trail_percent = replaced.trail_percent,
            protection_price = replaced.protection_price, replaces = replaced.times, status = replaced.status,
            filled_quantity = replaced.filled_quantity, commission = replaced.commission, tax = replaced.tax,
            reason = replaced.reason, updated_at = replaced.updated_at, mark = replaced.mark,
            triggered_at = replaced.triggered_at, active_at = replaced.active_at, queue_ahead = replaced.queue_ahead,
            waits_for_price = replaced.waits_for_price
        FROM guard, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS replaced (order_id, sequence, quantity,
            limit_price, stop_price, trail_amount, trail_percent, protection_price, times, status, filled_quantity,
            commission, tax, reason, updated_at, mark, triggered_at, active_at, queue_ahead, waits_for_price)
        WHERE simulator_orders.order_id = replaced.order_id
    ), answers AS (
        INSERT INTO broker.simulator_replaces (replace_id, order_id, code, message, answered_at)
        SELECT answer.* FROM guard, unnest(?, ?, ?, ?, ?) AS answer
    ), reports AS (
        INSERT INTO broker.execution_reports (broker, account_id, order_id, broker_order_id, report_id, kind, symbol,
            side, execution_id, quantity, price, commission, tax, reason, occurred_at, replace_id, limit_price,
            stop_price, trail_amount, trail_percent)
        SELECT 'simulator', account_id, order_id, 'SIM-' || order_id, report_id, kind, symbol, side, execution_id,
            quantity, price, commission, tax, reason, occurred_at, replace_id, limit_price, stop_price, trail_amount,
            trail_percent
        FROM guard, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WITH ORDINALITY
            AS report (account_id, order_id, report_id, kind, symbol, side, execution_id, quantity, price, commission,
                tax, reason, occurred_at, replace_id, limit_price, stop_price, trail_amount, trail_percent, place)
        ORDER BY place
        RETURNING id
    ), markets AS (
        INSERT INTO broker.simulator_markets (symbol, session_date, opens_at, closes_at, reference_price, limit_since,
            interruption, began_at, ends_at)
        SELECT market.* FROM guard, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?) AS market
        ON CONFLICT (symbol) DO UPDATE SET session_date = excluded.session_date, opens_at = excluded.opens_at,
            closes_at = excluded.closes_at, reference_price = excluded.reference_price,
            limit_since = excluded.limit_since, interruption = excluded.interruption, began_at = excluded.began_at,
            ends_at = excluded.ends_at
    )
    SELECT count(*) AS number, pg_notify('execution_reports', max(id)::text) FROM reports"
}

/// What one statement carries of a batch.
pub(super) struct Part<'a> {
    new: &'a [Record],
    changed: &'a [Changed],
    replaced: &'a [Replaced],
    answers: &'a [ReplaceAnswer],
    reports: &'a [Report],
    markets: &'a [(Symbol, MarketState)],
}

/// The parts of a batch, at least one. Reports stay in their order.
pub(super) fn parts(changes: &Changes) -> Vec<Part<'_>> {
    let Changes { new, changed, replaced, answers, reports, markets } = changes;
    let longest = [new.len(), changed.len(), replaced.len(), answers.len(), reports.len(), markets.len()];
    let count = longest.into_iter().max().unwrap_or_default().div_ceil(ROWS_MAX).max(1);
    let part = |at: usize| Part {
        new: part_of(new, at),
        changed: part_of(changed, at),
        replaced: part_of(replaced, at),
        answers: part_of(answers, at),
        reports: part_of(reports, at),
        markets: part_of(markets, at),
    };
    (0..count).map(part).collect()
}

fn part_of<T>(rows: &[T], at: usize) -> &[T] {
    rows.chunks(ROWS_MAX).nth(at).unwrap_or_default()
}

/// Writes a part of a batch.
pub(super) async fn append(connection: &mut AsyncPgConnection, part: &Part<'_>) -> QueryResult<Number> {
    statement_of(part).get_result(connection).await
}

fn statement_of(part: &Part<'_>) -> Append {
    let mut rows = Append { guard: locks::JOURNAL_APPEND, ..Append::default() };
    for record in part.new {
        rows.push_new(record);
    }
    for record in part.changed {
        rows.push_changed(record);
    }
    for record in part.replaced {
        rows.push_replaced(record);
    }
    for answer in part.answers {
        let refusal = answer.refusal.as_ref();
        rows.answer_id.push(answer.replace_id.0);
        rows.answer_order_id.push(answer.order_id.0);
        rows.answer_code.push(refusal.map(|refusal| refusal.code.clone()));
        rows.answer_message.push(refusal.map(|refusal| refusal.message.clone()));
        rows.answered_at.push(answer.at);
    }
    for report in part.reports {
        rows.push_report(report);
    }
    for (symbol, state) in part.markets {
        rows.push_market(*symbol, state);
    }
    rows
}

fn fields_of(fields: PriceFields, protection: Option<domain::Price>) -> [Option<Decimal>; 5] {
    let value = |price: Option<domain::Price>| price.map(domain::Price::value);
    [
        value(fields.limit_price),
        value(fields.stop_price),
        value(fields.trail_amount),
        fields.trail_percent.map(domain::Percent::value),
        value(protection),
    ]
}

fn course_of(standing: &Standing) -> (Option<DateTime<Utc>>, Option<i64>) {
    let ahead = standing.course.and_then(|course| course.ahead);
    (
        standing.course.map(|course| course.active_at),
        ahead.map(|ahead| i64::try_from(ahead).unwrap_or(i64::MAX)),
    )
}

impl Append {
    fn push_new(&mut self, record: &Record) {
        let request = &record.request;
        let standing = &record.standing;
        let [limit, stop, trail_amount, trail_percent, protection] =
            fields_of(request.fields(), request.protection_price);
        self.order_id.push(request.order_id.0);
        self.sequence.push(record.sequence);
        self.account_id.push(request.account_id.0);
        self.symbol.push(request.symbol.to_string());
        self.side.push(request.side.name());
        self.order_type.push(request.order_type.name());
        self.time_in_force.push(request.time_in_force.name());
        self.expire_date.push(request.expire_date);
        self.quantity.push(request.quantity.value());
        self.limit_price.push(limit);
        self.stop_price.push(stop);
        self.trail_amount.push(trail_amount);
        self.trail_percent.push(trail_percent);
        self.protection_price.push(protection);
        self.mark.push(standing.mark.map(domain::Price::value));
        self.triggered_at.push(standing.triggered_at);
        self.submitted_at.push(request.submitted_at);
        self.accepted_at.push(record.accepted_at);
        self.expires_at.push(record.expires_at);
        self.status.push(standing.status.name());
        self.filled_quantity.push(standing.filled_quantity);
        self.commission.push(standing.commission);
        self.tax.push(standing.tax);
        self.reason.push(standing.reason.clone());
        self.message.push(standing.message.clone());
        self.updated_at.push(standing.updated_at);
        let (active_at, ahead) = course_of(standing);
        self.simulation.push(standing.course.map_or(Simulation::Ideal, |course| course.simulation).name());
        self.active_at.push(active_at);
        self.queue_ahead.push(ahead);
        self.waits_for_price.push(standing.waits_for_price);
    }

    fn push_changed(&mut self, Changed { order_id, standing }: &Changed) {
        self.changed_id.push(order_id.0);
        self.changed_status.push(standing.status.name());
        self.changed_filled_quantity.push(standing.filled_quantity);
        self.changed_commission.push(standing.commission);
        self.changed_tax.push(standing.tax);
        self.changed_reason.push(standing.reason.clone());
        self.changed_at.push(standing.updated_at);
        self.changed_mark.push(standing.mark.map(domain::Price::value));
        self.changed_triggered_at.push(standing.triggered_at);
        let (active_at, ahead) = course_of(standing);
        self.changed_active_at.push(active_at);
        self.changed_queue_ahead.push(ahead);
        self.changed_waits_for_price.push(standing.waits_for_price);
    }

    fn push_replaced(&mut self, Replaced { sequence, quantity, terms, standing }: &Replaced) {
        let [limit, stop, trail_amount, trail_percent, protection] =
            fields_of(terms.fields(), terms.protection_price);
        self.replaced_id.push(terms.order_id.0);
        self.replaced_sequence.push(*sequence);
        self.replaced_quantity.push(quantity.value());
        self.replaced_limit_price.push(limit);
        self.replaced_stop_price.push(stop);
        self.replaced_trail_amount.push(trail_amount);
        self.replaced_trail_percent.push(trail_percent);
        self.replaced_protection_price.push(protection);
        self.replaced_times.push(standing.replaces);
        self.replaced_status.push(standing.status.name());
        self.replaced_filled_quantity.push(standing.filled_quantity);
        self.replaced_commission.push(standing.commission);
        self.replaced_tax.push(standing.tax);
        self.replaced_reason.push(standing.reason.clone());
        self.replaced_at.push(standing.updated_at);
        self.replaced_mark.push(standing.mark.map(domain::Price::value));
        self.replaced_triggered_at.push(standing.triggered_at);
        let (active_at, ahead) = course_of(standing);
        self.replaced_active_at.push(active_at);
        self.replaced_queue_ahead.push(ahead);
        self.replaced_waits_for_price.push(standing.waits_for_price);
    }

    fn push_market(&mut self, symbol: Symbol, state: &MarketState) {
        self.market_symbol.push(symbol.to_string());
        self.market_session_date.push(state.session_date);
        self.market_opens_at.push(state.span.map(|span| span.from));
        self.market_closes_at.push(state.span.map(|span| span.to));
        self.market_reference_price.push(state.reference.value());
        self.market_limit_since.push(state.limit_since);
        self.market_interruption.push(state.interruption.map(|interruption| interruption.kind.word()));
        self.market_began_at.push(state.interruption.map(|interruption| interruption.began_at));
        self.market_ends_at.push(state.interruption.map(|interruption| interruption.ends_at));
    }

    fn push_report(&mut self, report: &Report) {
        self.report_account_id.push(report.subject.account_id.0);
        self.report_order_id.push(report.subject.order_id.0);
        self.report_id.push(report.report_id.clone());
        self.report_symbol.push(report.subject.symbol.to_string());
        self.report_side.push(report.subject.side.name());
        self.report_occurred_at.push(report.occurred_at);
        let row = ReportRow::of(&report.kind);
        self.report_kind.push(row.kind);
        self.report_reason.push(row.reason);
        self.report_execution_id.push(row.execution_id);
        self.report_quantity.push(row.quantity);
        self.report_price.push(row.price);
        self.report_commission.push(row.commission);
        self.report_tax.push(row.tax);
        self.report_replace_id.push(row.replace_id);
        self.report_limit_price.push(row.fields.limit_price.map(domain::Price::value));
        self.report_stop_price.push(row.fields.stop_price.map(domain::Price::value));
        self.report_trail_amount.push(row.fields.trail_amount.map(domain::Price::value));
        self.report_trail_percent.push(row.fields.trail_percent.map(domain::Percent::value));
    }
}

/// The columns that differ from kind to kind.
#[derive(Default)]
struct ReportRow {
    kind: &'static str,
    reason: Option<String>,
    execution_id: Option<String>,
    quantity: Option<Decimal>,
    price: Option<Decimal>,
    commission: Option<Decimal>,
    tax: Option<Decimal>,
    replace_id: Option<Uuid>,
    fields: PriceFields,
}

impl ReportRow {
    fn of(kind: &ReportKind) -> Self {
        match kind {
            ReportKind::Accepted => Self { kind: "accepted", ..Self::default() },
            ReportKind::Rejected { reason } => {
                Self { kind: "rejected", reason: Some(reason.clone()), ..Self::default() }
            }
            ReportKind::Canceled { reason } => {
                Self { kind: "canceled", reason: reason.clone(), ..Self::default() }
            }
            ReportKind::Expired => Self { kind: "expired", ..Self::default() },
            ReportKind::Suspended { reason } => {
                Self { kind: "suspended", reason: reason.clone(), ..Self::default() }
            }
            ReportKind::Resumed => Self { kind: "resumed", ..Self::default() },
            // The simulator never does these.
            ReportKind::DoneForDay | ReportKind::TradeCanceled { .. } | ReportKind::TradeCorrected { .. } => {
                Self { kind: kind.name(), ..Self::default() }
            }
            ReportKind::Triggered { price } => {
                Self { kind: "triggered", price: Some(price.value()), ..Self::default() }
            }
            ReportKind::Fill { execution_id, quantity, price, commission, tax } => Self {
                kind: "fill",
                execution_id: Some(execution_id.clone()),
                quantity: Some(quantity.value()),
                price: Some(price.value()),
                commission: Some(*commission),
                tax: Some(*tax),
                ..Self::default()
            },
            ReportKind::Replaced {
                replace_id,
                quantity,
                limit_price,
                stop_price,
                trail_amount,
                trail_percent,
            } => Self {
                kind: "replaced",
                quantity: Some(quantity.value()),
                replace_id: Some(replace_id.0),
                fields: PriceFields {
                    limit_price: *limit_price,
                    stop_price: *stop_price,
                    trail_amount: *trail_amount,
                    trail_percent: *trail_percent,
                },
                ..Self::default()
            },
        }
    }
}
