//! `/api/accounts/{id}/statement`.

use super::super::AccountService;
use super::{Direction, StatementFilter, StatementLine};
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{CurrentUser, Params, PathId};
use crate::openapi::Routes;
use crate::spreadsheet::{Cell, Downloads, Row};
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, Currency, DecimalText, Symbol};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Most lines of a page, and how many there are unless asked otherwise.
const PAGE_LINES_MAX: usize = 500;
const PAGE_LINES_DEFAULT: usize = 100;
/// Lines of one page of a file.
const FILE_PAGE_LINES_MAX: usize = 1_000;
/// Most kinds of one filter, and the longest of them in characters.
const KINDS_MAX: usize = 32;
const KIND_LENGTH_MAX: usize = 40;

/// The URLs of statements.
pub(in crate::account) fn routes(config: &mut Routes<'_>) {
    config.service(show_statement).service(export_statement);
}

/// In which order.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Order {
    NewestFirst,
    OldestFirst,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageParameters {
    /// `newest_first` unless given.
    #[param(inline)]
    order: Option<Order>,
    /// Only lines booked at this moment or later.
    from: Option<DateTime<Utc>>,
    /// Only lines booked before this moment.
    to: Option<DateTime<Utc>>,
    /// Only lines of this currency or symbol.
    commodity: Option<String>,
    /// Only movements of these kinds, separated by commas, such as `deposit,dividend`.
    kind: Option<String>,
    /// 1 to 500; 100 unless given. A page may have fewer and still not be the last.
    limit: Option<usize>,
    /// `nextCursor` of the page before.
    cursor: Option<i64>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FileParameters {
    /// `newest_first` unless given.
    #[param(inline)]
    order: Option<Order>,
    /// Only lines booked at this moment or later.
    from: Option<DateTime<Utc>>,
    /// Only lines booked before this moment.
    to: Option<DateTime<Utc>>,
    /// Only lines of this currency or symbol.
    commodity: Option<String>,
    /// Only movements of these kinds, separated by commas, such as `deposit,dividend`.
    kind: Option<String>,
}

impl FileParameters {
    fn read(self, account: AccountId) -> ApiResult<StatementFilter> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(ApiError::field("to", "out_of_range", "must not be before `from`"));
        }
        if let Some(commodity) = &self.commodity
            && commodity.parse::<Currency>().is_err()
            && commodity.parse::<Symbol>().is_err()
        {
            return Err(ApiError::field("commodity", "invalid", "must be a currency or a symbol"));
        }
        Ok(StatementFilter {
            account,
            direction: match self.order {
                Some(Order::OldestFirst) => Direction::OldestFirst,
                Some(Order::NewestFirst) | None => Direction::NewestFirst,
            },
            from: self.from,
            to: self.to,
            commodity: self.commodity,
            kinds: self.kind.as_deref().map(read_kinds).transpose()?,
        })
    }
}

fn read_kinds(list: &str) -> ApiResult<Vec<String>> {
    let is_word = |kind: &&str| {
        let letters = kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        letters && (1..=KIND_LENGTH_MAX).contains(&kind.len())
    };
    let kinds: Vec<&str> = list.split(',').collect();
    if kinds.len() > KINDS_MAX || !kinds.iter().all(is_word) {
        return Err(ApiError::field("kind", "invalid", "must be kinds of movements, separated by commas"));
    }
    Ok(kinds.into_iter().map(str::to_owned).collect())
}

/// A line of a statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatementLine)]
#[serde(rename_all = "camelCase")]
struct StatementLineDocument {
    /// Its place in the statement, from 1 without gaps.
    sequence: i64,
    booked_at: DateTime<Utc>,
    trade_date: NaiveDate,
    settle_date: NaiveDate,
    /// What kind of movement, such as `deposit` or `fill`.
    kind: String,
    /// `cash`, `shares`, or `receivable` and `payable` for what is to be settled.
    ledger_account: String,
    symbol: Option<String>,
    /// A currency or a symbol.
    commodity: String,
    amount: DecimalText,
    /// What the account had of the commodity after this line, what is to be settled included.
    balance: DecimalText,
    execution_id: Option<String>,
    /// The movement it is a part of.
    journal_id: Uuid,
    /// The movement it takes back.
    reverses: Option<Uuid>,
}

impl From<StatementLine> for StatementLineDocument {
    fn from(line: StatementLine) -> Self {
        Self {
            sequence: line.sequence,
            booked_at: line.booked_at,
            trade_date: line.trade_date,
            settle_date: line.settle_date,
            kind: line.kind,
            ledger_account: line.ledger_account,
            symbol: line.symbol,
            commodity: line.commodity,
            amount: line.amount.into(),
            balance: line.balance.into(),
            execution_id: line.execution_id,
            journal_id: line.journal_id,
            reverses: line.reverses,
        }
    }
}

/// A page of a statement.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StatementPage {
    lines: Vec<StatementLineDocument>,
    /// Give this as `cursor` for the next page; absent on the last one.
    next_cursor: Option<i64>,
}

/// The account's statement: every change of its cash and shares, with the balance after it.
#[utoipa::path(tag = "account", params(("id" = AccountId, Path), PageParameters), responses(
    (status = 200, body = StatementPage), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[get("/accounts/{id}/statement")]
async fn show_statement(
    user: CurrentUser,
    accounts: web::Data<AccountService>,
    PathId(account): PathId<AccountId>,
    Params(parameters): Params<PageParameters>,
) -> ApiResult<web::Json<StatementPage>> {
    let account = accounts.find(user.user_id, account).await?;
    let lines_max = parameters.limit.unwrap_or(PAGE_LINES_DEFAULT);
    if !(1..=PAGE_LINES_MAX).contains(&lines_max) {
        let message = format!("must be between 1 and {PAGE_LINES_MAX}");
        return Err(ApiError::field("limit", "out_of_range", message));
    }
    let after = parameters.cursor;
    let PageParameters { order, from, to, commodity, kind, .. } = parameters;
    let filter = FileParameters { order, from, to, commodity, kind }.read(account.id)?;
    let page = accounts.statement(&filter, after, lines_max).await?;
    let lines = page.lines.into_iter().map(StatementLineDocument::from).collect();
    Ok(web::Json(StatementPage { lines, next_cursor: page.next }))
}

/// The first line of a file; [`row`] follows it.
const COLUMNS: [&str; 13] = [
    "sequence",
    "bookedAt",
    "tradeDate",
    "settleDate",
    "kind",
    "ledgerAccount",
    "symbol",
    "commodity",
    "amount",
    "balance",
    "executionId",
    "journalId",
    "reverses",
];

fn row(line: &StatementLine) -> Row {
    let execution = line.execution_id.as_deref().map_or_else(|| Cell::plain(""), Cell::text);
    vec![
        Cell::plain(line.sequence),
        Cell::plain(line.booked_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
        Cell::plain(line.trade_date),
        Cell::plain(line.settle_date),
        Cell::plain(&line.kind),
        Cell::plain(&line.ledger_account),
        Cell::optional(line.symbol.as_ref()),
        Cell::plain(&line.commodity),
        Cell::plain(line.amount.normalize()),
        Cell::plain(line.balance.normalize()),
        execution,
        Cell::plain(line.journal_id),
        Cell::optional(line.reverses),
    ]
}

/// The statement as a CSV file (UTF-8): the same filter as its pages. Words of a broker that would be read as a formula
/// by a spreadsheet are written behind an apostrophe.
#[utoipa::path(tag = "account", params(("id" = AccountId, Path), FileParameters), responses(
    (status = 200, content_type = "text/csv", body = String), (status = 404, body = Problem),
    (status = 422, body = Problem), (status = 429, body = Problem)))]
#[get("/accounts/{id}/statement/export")]
async fn export_statement(
    user: CurrentUser,
    accounts: web::Data<AccountService>,
    downloads: web::Data<Downloads>,
    PathId(account): PathId<AccountId>,
    Params(parameters): Params<FileParameters>,
) -> ApiResult<HttpResponse> {
    let account = accounts.find(user.user_id, account).await?;
    let filter = parameters.read(account.id)?;
    downloads.answer("statement.csv", &COLUMNS, pages(accounts, filter)).await
}

/// Page after page, each read when it is wanted.
fn pages(
    accounts: web::Data<AccountService>,
    filter: StatementFilter,
) -> impl Stream<Item = ApiResult<Vec<Row>>> {
    let begin = Some(None::<i64>);
    stream::try_unfold((accounts, filter, begin), async |(accounts, filter, after)| {
        let Some(after) = after else { return Ok(None) };
        let page = accounts.statement(&filter, after, FILE_PAGE_LINES_MAX).await?;
        let rows: Vec<Row> = page.lines.iter().map(row).collect();
        Ok(Some((rows, (accounts, filter, page.next.map(Some)))))
    })
}
