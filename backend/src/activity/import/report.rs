//! What is told about a file.

use super::columns::Field;
use super::duplicates::Twice;
use super::read::ReadFile;
use super::{Activity, Refusal, Terms};
use crate::account::Journal;
use crate::error::{ApiError, ErrorCode, FieldError};
use crate::portfolio::Books;
use chrono::NaiveDate;
use domain::{Currency, DecimalText, Symbol};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Refused lines, duplicates and lines of a preview that are told; how many there are is told beside.
const TOLD_MAX: usize = 200;

/// A line that is refused.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefusedLine {
    /// From 1, the header counted.
    line: u64,
    /// From 1; absent where no single column is to blame.
    column: Option<usize>,
    /// What the column is called in the file.
    header: Option<String>,
    /// Stable word for the rule.
    rule: String,
    message: String,
}

/// A line that is not taken over because it is there already.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DuplicateLine {
    line: u64,
    /// The line of this file that says the same; absent when it was taken over before.
    same_as_line: Option<u64>,
}

/// A line as it was understood.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ActivityDocument {
    line: u64,
    date: NaiveDate,
    /// `deposit`, `withdrawal`, `buy`, `sell`, `dividend`, `fee` or `split`.
    kind: String,
    symbol: Option<Symbol>,
    quantity: Option<DecimalText>,
    price: Option<DecimalText>,
    amount: Option<DecimalText>,
    currency: Option<Currency>,
    commission: Option<DecimalText>,
    tax: Option<DecimalText>,
    /// New shares of a split, and of how many old ones.
    new_shares: Option<DecimalText>,
    old_shares: Option<DecimalText>,
    reference: Option<String>,
}

impl From<&Activity> for ActivityDocument {
    fn from(activity: &Activity) -> Self {
        let mut document = Self {
            line: activity.line,
            date: activity.date,
            kind: activity.terms.kind().to_owned(),
            symbol: activity.terms.symbol(),
            quantity: None,
            price: None,
            amount: None,
            currency: activity.terms.symbol().map(|symbol| symbol.currency()),
            commission: None,
            tax: None,
            new_shares: None,
            old_shares: None,
            reference: activity.reference.clone(),
        };
        match &activity.terms {
            Terms::Deposit(money) | Terms::Withdrawal(money) | Terms::Fee(money) => {
                document.amount = Some(money.amount.into());
                document.currency = Some(money.currency);
            }
            Terms::Buy(trade) | Terms::Sell(trade) => {
                document.quantity = Some(trade.quantity.value().into());
                document.price = Some(trade.price.value().into());
                document.commission = Some(trade.commission.into());
                document.tax = Some(trade.tax.into());
            }
            Terms::Dividend { gross, withheld, .. } => {
                document.amount = Some((*gross).into());
                document.tax = Some((*withheld).into());
            }
            Terms::Split { new, old, .. } => {
                document.new_shares = Some((*new).into());
                document.old_shares = Some((*old).into());
            }
        }
        document
    }
}

/// A change of what the account has.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CommodityChange {
    /// A currency or a symbol.
    commodity: String,
    change: DecimalText,
}

/// What a file would do, or has done.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImportReport {
    /// The import; absent for a preview.
    pub(super) import_id: Option<Uuid>,
    /// SHA-256 of the file. The same file is taken over once.
    pub(super) file_hash: String,
    /// Lines of the file, the header and empty ones not counted.
    lines: usize,
    /// Lines that are, or would be, booked.
    pub(super) accepted: usize,
    /// Lines that are left out because they are there already.
    skipped: usize,
    /// Reasons against lines. While there is one, nothing of the file can be booked.
    refused_count: usize,
    /// The first 200 of them.
    refused: Vec<RefusedLine>,
    /// The first 200 lines that are there already.
    duplicates: Vec<DuplicateLine>,
    /// Which column was taken for what.
    columns: BTreeMap<String, String>,
    /// The first 200 lines as they were understood.
    preview: Vec<ActivityDocument>,
    /// By how much cash and shares change.
    changes: Vec<CommodityChange>,
}

/// Everything that is known about a file once it was booked in memory.
pub(super) struct Findings<'a> {
    pub(super) file: &'a ReadFile,
    pub(super) file_hash: &'a [u8],
    pub(super) twice: &'a BTreeMap<u64, Twice>,
    pub(super) refusals: &'a [Refusal],
    pub(super) accepted: &'a [Activity],
}

/// The report on a file.
pub(super) fn report(findings: &Findings<'_>, books: &Books, cash: &[Journal]) -> ImportReport {
    let Findings { file, file_hash, twice, refusals, accepted } = findings;
    let mut changes = BTreeMap::<String, Decimal>::new();
    for (commodity, amount) in books.journals().iter().chain(cash).flat_map(Journal::balance_changes) {
        *changes.entry(commodity.name().to_owned()).or_default() += amount;
    }
    let column = |(field, column): (&Field, &usize)| {
        Some((field.name().to_owned(), file.header.get(*column)?.clone()))
    };
    let duplicate = |(line, twice): (&u64, &Twice)| DuplicateLine {
        line: *line,
        same_as_line: match twice {
            Twice::InFile(line) => Some(*line),
            Twice::Before => None,
        },
    };
    ImportReport {
        import_id: None,
        file_hash: hexadecimal(file_hash),
        lines: file.lines,
        accepted: if refusals.is_empty() { accepted.len() } else { 0 },
        skipped: if refusals.is_empty() { twice.len() } else { 0 },
        refused_count: refusals.len(),
        refused: refusals.iter().take(TOLD_MAX).map(refused_line).collect(),
        duplicates: twice.iter().take(TOLD_MAX).map(duplicate).collect(),
        columns: file.columns.iter().filter_map(column).collect(),
        preview: file.activities.iter().take(TOLD_MAX).map(ActivityDocument::from).collect(),
        changes: changes
            .into_iter()
            .filter(|(_, change)| !change.is_zero())
            .map(|(commodity, change)| CommodityChange { commodity, change: change.into() })
            .collect(),
    }
}

fn refused_line(refusal: &Refusal) -> RefusedLine {
    RefusedLine {
        line: refusal.line,
        column: refusal.column,
        header: refusal.header.clone(),
        rule: refusal.rule.to_owned(),
        message: refusal.message.clone(),
    }
}

/// The refusals as the answer to an import: each names its line and column.
pub(super) fn refused(refusals: &[Refusal]) -> ApiError {
    let error = |refusal: &Refusal| {
        let place = match (refusal.column, &refusal.header) {
            (Some(column), Some(header)) => format!("line {}, column {column} ({header})", refusal.line),
            (Some(column), None) => format!("line {}, column {column}", refusal.line),
            (None, _) => format!("line {}", refusal.line),
        };
        FieldError::new(place, refusal.rule, refusal.message.clone())
    };
    ApiError::fields(ErrorCode::ImportRefused, refusals.iter().take(TOLD_MAX).map(error).collect())
}

/// Bytes as text.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
