//! `/api/accounts/{id}/imports`.

use super::columns::Field;
use super::duplicates::Policy;
use super::read::Options;
use super::report::{ImportReport, hexadecimal};
use super::service::{ImportService, Wish};
use super::values::{DateOrder, DecimalMark, KoreanBoard};
use crate::account::REPLAYED_HEADER;
use crate::error::{ApiResult, Problem};
use crate::extract::{CurrentUser, Params, PathId, Upload};
use crate::openapi::Routes;
use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use domain::AccountId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The URLs of imports.
pub(in crate::activity) fn routes(config: &mut Routes<'_>) {
    config.service(preview_import).service(import_activities).service(list_imports);
}

/// In which order the parts of dates stand.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DateFormat {
    /// `2026-01-31`, `2026/01/31`, `2026.01.31`, `20260131`.
    Ymd,
    /// `01/31/2026`.
    Mdy,
    /// `31/01/2026`, `31.01.2026`.
    Dmy,
}

/// What separates the whole of numbers from their fraction.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DecimalFormat {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

/// The board of Korean codes that name none.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Board {
    Kospi,
    Kosdaq,
}

/// What happens to lines that are there twice.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Duplicates {
    /// The file is refused.
    Refuse,
    /// Only the first is taken over.
    Skip,
    /// Equal lines of this file are different activities; those of earlier files are skipped.
    Keep,
}

/// How a file is to be read. Columns that are not named are found by their headers, English or Korean.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ImportParameters {
    /// `ymd` unless given.
    #[param(inline)]
    date_format: Option<DateFormat>,
    /// `point` unless given.
    #[param(inline)]
    decimal: Option<DecimalFormat>,
    /// For Korean codes without `.KS` or `.KQ`.
    #[param(inline)]
    korean_board: Option<Board>,
    /// `refuse` unless given.
    #[param(inline)]
    duplicates: Option<Duplicates>,
    /// Header of the column with the day.
    column_date: Option<String>,
    /// Header of the column with the kind: deposit, withdrawal, buy, sell, dividend, fee or split.
    column_kind: Option<String>,
    column_symbol: Option<String>,
    column_quantity: Option<String>,
    column_price: Option<String>,
    column_amount: Option<String>,
    column_commission: Option<String>,
    column_tax: Option<String>,
    column_currency: Option<String>,
    /// Header of the column with a split's ratio, new to old, such as `4:1`.
    column_ratio: Option<String>,
    /// Header of the column with the number that names a line in the books it comes from.
    column_reference: Option<String>,
}

impl ImportParameters {
    fn wish(self, dry_run: bool) -> Wish {
        let named = [
            (Field::Date, self.column_date),
            (Field::Kind, self.column_kind),
            (Field::Symbol, self.column_symbol),
            (Field::Quantity, self.column_quantity),
            (Field::Price, self.column_price),
            (Field::Amount, self.column_amount),
            (Field::Commission, self.column_commission),
            (Field::Tax, self.column_tax),
            (Field::Currency, self.column_currency),
            (Field::Ratio, self.column_ratio),
            (Field::Reference, self.column_reference),
        ];
        let options = Options {
            named: named.into_iter().filter_map(|(field, name)| Some((field, name?))).collect(),
            date_order: match self.date_format {
                Some(DateFormat::Mdy) => DateOrder::MonthDayYear,
                Some(DateFormat::Dmy) => DateOrder::DayMonthYear,
                Some(DateFormat::Ymd) | None => DateOrder::YearMonthDay,
            },
            decimal_mark: match self.decimal {
                Some(DecimalFormat::Comma) => DecimalMark::Comma,
                Some(DecimalFormat::Point) | None => DecimalMark::Point,
            },
            korean_board: self.korean_board.map(|board| match board {
                Board::Kospi => KoreanBoard::Kospi,
                Board::Kosdaq => KoreanBoard::Kosdaq,
            }),
        };
        let policy = match self.duplicates {
            Some(Duplicates::Skip) => Policy::Skip,
            Some(Duplicates::Keep) => Policy::Keep,
            Some(Duplicates::Refuse) | None => Policy::Refuse,
        };
        Wish { options, policy, dry_run }
    }
}

/// Says what a file would do, line by line, and books nothing. CSV with a header line, at most 2 MiB and 5,000 lines,
/// UTF-8 or, when `Content-Type` says `charset=euc-kr`, the Korean code page.
#[utoipa::path(tag = "account", params(("id" = AccountId, Path), ImportParameters),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = ImportReport), (status = 404, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem)))]
#[post("/accounts/{id}/imports/preview")]
async fn preview_import(
    user: CurrentUser,
    imports: web::Data<ImportService>,
    PathId(account): PathId<AccountId>,
    Params(parameters): Params<ImportParameters>,
    upload: Upload,
) -> ApiResult<web::Json<ImportReport>> {
    let (report, _) = imports.take_over(user.user_id, account, upload, parameters.wish(true)).await?;
    Ok(web::Json(report))
}

/// Takes a file of activities over: all of its lines or none. The same file is taken over once and answered alike
/// afterwards. Orders are never touched.
#[utoipa::path(tag = "account", params(("id" = AccountId, Path), ImportParameters),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 201, body = ImportReport), (status = 404, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem),
        (status = 422, description = "The file cannot be read, or lines are refused; nothing is booked", body = Problem)))]
#[post("/accounts/{id}/imports")]
async fn import_activities(
    user: CurrentUser,
    imports: web::Data<ImportService>,
    PathId(account): PathId<AccountId>,
    Params(parameters): Params<ImportParameters>,
    upload: Upload,
) -> ApiResult<HttpResponse> {
    let (report, replayed) = imports.take_over(user.user_id, account, upload, parameters.wish(false)).await?;
    let mut response = HttpResponse::Created();
    if replayed {
        response.insert_header((REPLAYED_HEADER, "true"));
    }
    Ok(response.json(report))
}

/// A file that was taken over.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Import {
    id: Uuid,
    /// SHA-256 of the file.
    file_hash: String,
    /// Lines that were booked.
    booked: i32,
    created_at: DateTime<Utc>,
}

/// Files that were taken over.
#[derive(Debug, Serialize, ToSchema)]
struct ImportList {
    imports: Vec<Import>,
}

/// The latest 100 files that an account has taken over, newest first.
#[utoipa::path(tag = "account", params(("id" = AccountId, Path)), responses(
    (status = 200, body = ImportList), (status = 404, body = Problem)))]
#[get("/accounts/{id}/imports")]
async fn list_imports(
    user: CurrentUser,
    imports: web::Data<ImportService>,
    PathId(account): PathId<AccountId>,
) -> ApiResult<web::Json<ImportList>> {
    let rows = imports.list(user.user_id, account).await?;
    let imports = rows.into_iter().map(|row| Import {
        id: row.id,
        file_hash: hexadecimal(&row.file_hash),
        booked: row.booked,
        created_at: row.created_at,
    });
    Ok(web::Json(ImportList { imports: imports.collect() }))
}
