//! `portfolio.corporate_actions` and `portfolio.corporate_applications`.

use super::action::{Action, Terms};
use crate::db::corrupt;
use chrono::{DateTime, Days, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Symbol, UserId};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(QueryableByName)]
struct ActionRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    account_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Nullable<Text>)]
    new_symbol: Option<String>,
    #[diesel(sql_type = Nullable<Numeric>)]
    new_shares: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    old_shares: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    fraction_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    amount_per_share: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    withholding_rate: Option<Decimal>,
    #[diesel(sql_type = Nullable<Date>)]
    ex_date: Option<NaiveDate>,
    #[diesel(sql_type = Date)]
    effective_on: NaiveDate,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    applied_at: Option<DateTime<Utc>>,
}

fn symbol(text: &str) -> QueryResult<Symbol> {
    text.parse().map_err(|_| corrupt("symbol"))
}

impl ActionRow {
    fn terms(&self) -> QueryResult<Terms> {
        if let Some(new_symbol) = &self.new_symbol {
            return Ok(Terms::SymbolChange { new_symbol: symbol(new_symbol)? });
        }
        if let Some((new, old)) = self.new_shares.zip(self.old_shares) {
            let fraction_price = self.fraction_price.map(|price| price.normalize());
            return Ok(Terms::Split { new: new.normalize(), old: old.normalize(), fraction_price });
        }
        let dividend = self.amount_per_share.zip(self.withholding_rate);
        let (amount, rate) = dividend.ok_or_else(|| corrupt("corporate action"))?;
        Ok(Terms::CashDividend { amount_per_share: amount.normalize(), withholding_rate: rate.normalize() })
    }
}

impl TryFrom<ActionRow> for Action {
    type Error = diesel::result::Error;

    fn try_from(row: ActionRow) -> QueryResult<Self> {
        Ok(Self {
            id: row.id,
            user_id: UserId(row.user_id),
            account_id: row.account_id.map(AccountId),
            symbol: symbol(&row.symbol)?,
            terms: row.terms()?,
            ex_date: row.ex_date,
            effective_on: row.effective_on,
            created_at: row.created_at,
            applied_at: row.applied_at,
        })
    }
}

statement! {
    InsertAction {
        id: SqlUuid = Uuid, user: SqlUuid = Uuid, key: Text = String, account: Nullable<SqlUuid> = Option<Uuid>,
        kind: Text = String, symbol: Text = String, new_symbol: Nullable<Text> = Option<String>,
        new_shares: Nullable<Numeric> = Option<Decimal>, old_shares: Nullable<Numeric> = Option<Decimal>,
        fraction_price: Nullable<Numeric> = Option<Decimal>, amount_per_share: Nullable<Numeric> = Option<Decimal>,
        withholding_rate: Nullable<Numeric> = Option<Decimal>, ex_date: Nullable<Date> = Option<NaiveDate>,
        effective_on: Date = NaiveDate, created_at: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO portfolio.corporate_actions (id, user_id, idempotency_key, account_id, kind, symbol, new_symbol,
        new_shares, old_shares, fraction_price, amount_per_share, withholding_rate, ex_date, effective_on, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (user_id, idempotency_key) DO NOTHING"
}

statement! {
    ActionByKey { user: SqlUuid = Uuid, key: Text = String }
    "SELECT id, user_id, account_id, symbol, new_symbol, new_shares, old_shares, fraction_price, amount_per_share,
        withholding_rate, ex_date, effective_on, created_at, applied_at
     FROM portfolio.corporate_actions WHERE user_id = ? AND idempotency_key = ?"
}

/// Writes an action unless there is one under its key, and returns the one there is then.
pub(super) async fn insert_action(
    mut connection: &AsyncPgConnection,
    action: &Action,
    key: &str,
) -> QueryResult<Action> {
    let mut statement = InsertAction {
        id: action.id,
        user: action.user_id.0,
        key: key.to_owned(),
        account: action.account_id.map(|account| account.0),
        kind: action.terms.kind().to_owned(),
        symbol: action.symbol.to_string(),
        new_symbol: None,
        new_shares: None,
        old_shares: None,
        fraction_price: None,
        amount_per_share: None,
        withholding_rate: None,
        ex_date: action.ex_date,
        effective_on: action.effective_on,
        created_at: action.created_at,
    };
    match action.terms {
        Terms::Split { new, old, fraction_price } => {
            (statement.new_shares, statement.old_shares) = (Some(new), Some(old));
            statement.fraction_price = fraction_price;
        }
        Terms::CashDividend { amount_per_share, withholding_rate } => {
            statement.amount_per_share = Some(amount_per_share);
            statement.withholding_rate = Some(withholding_rate);
        }
        Terms::SymbolChange { new_symbol } => statement.new_symbol = Some(new_symbol.to_string()),
    }
    statement.execute(&mut connection).await?;
    let by_key = ActionByKey { user: action.user_id.0, key: key.to_owned() };
    let row: ActionRow = by_key.get_result(&mut connection).await?;
    row.try_into()
}

statement! {
    ActionOf { user: SqlUuid = Uuid, id: SqlUuid = Uuid }
    "SELECT id, user_id, account_id, symbol, new_symbol, new_shares, old_shares, fraction_price, amount_per_share,
        withholding_rate, ex_date, effective_on, created_at, applied_at
     FROM portfolio.corporate_actions WHERE user_id = ? AND id = ?"
}

/// An action, if it is this user's.
pub(super) async fn action_of(
    mut connection: &AsyncPgConnection,
    user: UserId,
    id: Uuid,
) -> QueryResult<Option<Action>> {
    let row: Option<ActionRow> =
        ActionOf { user: user.0, id }.get_result(&mut connection).await.optional()?;
    row.map(Action::try_from).transpose()
}

statement! {
    ActionsOf {
        user: SqlUuid = Uuid, symbol: Nullable<Text> = Option<String>, before: Nullable<SqlUuid> = Option<Uuid>,
        limit: BigInt = i64,
    }
    "WITH asked AS (SELECT ?::uuid AS user_id, ?::text AS symbol, ?::uuid AS before)
     SELECT a.id, a.user_id, a.account_id, a.symbol, a.new_symbol, a.new_shares, a.old_shares, a.fraction_price,
        a.amount_per_share, a.withholding_rate, a.ex_date, a.effective_on, a.created_at, a.applied_at
     FROM portfolio.corporate_actions AS a, asked
     WHERE a.user_id = asked.user_id AND (asked.symbol IS NULL OR a.symbol = asked.symbol)
        AND (asked.before IS NULL OR a.id < asked.before)
     ORDER BY a.id DESC LIMIT ?"
}

/// A page of a user's actions, the newest first.
pub(super) async fn actions_of(
    mut connection: &AsyncPgConnection,
    user: UserId,
    symbol: Option<Symbol>,
    before: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Action>> {
    let symbol = symbol.map(|symbol| symbol.to_string());
    let statement = ActionsOf { user: user.0, symbol, before, limit };
    let rows: Vec<ActionRow> = statement.load(&mut connection).await?;
    rows.into_iter().map(Action::try_from).collect()
}

statement! {
    WaitingActions { until: Date = NaiveDate, limit: BigInt = i64 }
    "SELECT id, user_id, account_id, symbol, new_symbol, new_shares, old_shares, fraction_price, amount_per_share,
        withholding_rate, ex_date, effective_on, created_at, applied_at
     FROM portfolio.corporate_actions WHERE status = 'waiting' AND effective_on <= ?
     ORDER BY effective_on, id LIMIT ?"
}

/// Actions that may be due: the furthest of all calendars is a day ahead.
pub(super) async fn waiting_actions(
    mut connection: &AsyncPgConnection,
    at: DateTime<Utc>,
    limit: i64,
) -> QueryResult<Vec<Action>> {
    let today = at.date_naive();
    let until = today.checked_add_days(Days::new(1)).unwrap_or(today);
    let rows: Vec<ActionRow> = WaitingActions { until, limit }.load(&mut connection).await?;
    rows.into_iter().map(Action::try_from).collect()
}

statement! {
    MarkApplied { at: Timestamptz = DateTime<Utc>, id: SqlUuid = Uuid }
    "UPDATE portfolio.corporate_actions SET status = 'applied', applied_at = ? WHERE id = ? AND status = 'waiting'"
}

/// Writes that an action is done everywhere.
pub(super) async fn mark_applied(
    mut connection: &AsyncPgConnection,
    id: Uuid,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    MarkApplied { at, id }.execute(&mut connection).await.map(|_| ())
}

/// What an action has done to an account.
#[derive(Debug, Default)]
pub(super) struct Application {
    pub(super) quantity_before: Decimal,
    pub(super) quantity_after: Decimal,
    pub(super) cash: Decimal,
    pub(super) withheld: Decimal,
}

#[derive(QueryableByName)]
struct AppliedBefore {
    #[diesel(sql_type = Bool)]
    applied: bool,
}

statement! {
    IsApplied {
        account: SqlUuid = Uuid, action: SqlUuid = Uuid, symbol: Text = String, kind: Text = String,
        ex_date: Nullable<Date> = Option<NaiveDate>, amount_per_share: Numeric = Decimal,
    }
    "WITH asked AS (SELECT ?::uuid AS account_id, ?::uuid AS action_id, ?::text AS symbol, ?::text AS kind, ?::date AS ex_date,
        ?::numeric AS amount_per_share)
     SELECT EXISTS (SELECT FROM portfolio.corporate_applications AS a, asked
        WHERE a.account_id = asked.account_id AND (a.action_id = asked.action_id
            OR (a.symbol = asked.symbol AND a.kind = asked.kind AND a.ex_date = asked.ex_date
                AND a.amount_per_share = asked.amount_per_share))) AS applied"
}

/// Whether an action, or the same one entered before, was applied to an account. The account is locked.
pub(super) async fn is_applied(
    mut connection: &AsyncPgConnection,
    action: &Action,
    account: AccountId,
) -> QueryResult<bool> {
    let statement = IsApplied {
        account: account.0,
        action: action.id,
        symbol: action.symbol.to_string(),
        kind: action.terms.kind().to_owned(),
        ex_date: action.ex_date,
        amount_per_share: action.terms.amount_per_share(),
    };
    let row: AppliedBefore = statement.get_result(&mut connection).await?;
    Ok(row.applied)
}

statement! {
    InsertApplication {
        action: SqlUuid = Uuid, account: SqlUuid = Uuid, kind: Text = String, symbol: Text = String,
        ex_date: Nullable<Date> = Option<NaiveDate>, before: Numeric = Decimal, after: Numeric = Decimal,
        cash: Numeric = Decimal, withheld: Numeric = Decimal, amount_per_share: Numeric = Decimal,
        at: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO portfolio.corporate_applications (action_id, account_id, kind, symbol, ex_date, quantity_before,
        quantity_after, cash, withheld, amount_per_share, applied_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

/// Writes what an action has done to an account.
pub(super) async fn insert_application(
    mut connection: &AsyncPgConnection,
    action: &Action,
    account: AccountId,
    application: &Application,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    let statement = InsertApplication {
        action: action.id,
        account: account.0,
        kind: action.terms.kind().to_owned(),
        symbol: action.symbol.to_string(),
        ex_date: action.ex_date,
        before: application.quantity_before,
        after: application.quantity_after,
        cash: application.cash,
        withheld: application.withheld,
        amount_per_share: action.terms.amount_per_share(),
        at,
    };
    statement.execute(&mut connection).await.map(|_| ())
}

/// What an action has done to an account, as it is stored.
#[derive(Debug, Clone, QueryableByName)]
pub(super) struct AppliedRow {
    #[diesel(sql_type = SqlUuid)]
    pub(super) action_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub(super) account_id: Uuid,
    #[diesel(sql_type = Numeric)]
    pub(super) quantity_before: Decimal,
    #[diesel(sql_type = Numeric)]
    pub(super) quantity_after: Decimal,
    #[diesel(sql_type = Numeric)]
    pub(super) cash: Decimal,
    #[diesel(sql_type = Numeric)]
    pub(super) withheld: Decimal,
    #[diesel(sql_type = Timestamptz)]
    pub(super) applied_at: DateTime<Utc>,
}

statement! {
    ApplicationsOf { actions: Array<SqlUuid> = Vec<Uuid> }
    "SELECT action_id, account_id, quantity_before, quantity_after, cash, withheld, applied_at
     FROM portfolio.corporate_applications WHERE action_id = ANY (?) ORDER BY action_id, account_id"
}

/// What actions have done so far.
pub(super) async fn applications_of(
    mut connection: &AsyncPgConnection,
    actions: &[Uuid],
) -> QueryResult<Vec<AppliedRow>> {
    ApplicationsOf { actions: actions.to_vec() }.load(&mut connection).await
}
