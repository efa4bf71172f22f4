//! `trading.incidents`.

use super::super::incident::{Incident, IncidentDocument, NewIncident};
use crate::db::corrupt;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, OrderId, UserId};
use serde_json::json;
use uuid::Uuid;

statement! {
    InsertIncidents {
        ids: Array<SqlUuid> = Vec<Uuid>, users: Array<Nullable<SqlUuid>> = Vec<Option<Uuid>>,
        accounts: Array<SqlUuid> = Vec<Uuid>, orders: Array<Nullable<SqlUuid>> = Vec<Option<Uuid>>,
        reports: Array<Nullable<BigInt>> = Vec<Option<i64>>, kinds: Array<Text> = Vec<String>,
        details: Array<Text> = Vec<String>, occurred: Array<Timestamptz> = Vec<DateTime<Utc>>,
        facts: Array<Text> = Vec<String>,
    }
    "INSERT INTO trading.incidents (id, user_id, account_id, order_id, report_id, kind, detail, occurred_at, facts)
     SELECT new.id, new.user_id, new.account_id, new.order_id, new.report_id, new.kind, new.detail, new.occurred_at,
        new.facts::jsonb
     FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?)
        AS new (id, user_id, account_id, order_id, report_id, kind, detail, occurred_at, facts)"
}

/// Writes what a person must look at.
pub(in crate::trading) async fn insert_incidents(
    mut connection: &AsyncPgConnection,
    incidents: &[NewIncident],
) -> QueryResult<()> {
    if incidents.is_empty() {
        return Ok(());
    }
    let text = |part: fn(&Incident) -> String| incidents.iter().map(|new| part(&new.incident)).collect();
    let statement = InsertIncidents {
        ids: incidents.iter().map(|new| new.id).collect(),
        users: incidents.iter().map(|new| new.user_id.map(|user| user.0)).collect(),
        accounts: incidents.iter().map(|new| new.account_id.0).collect(),
        orders: incidents.iter().map(|new| new.order_id.map(|order| order.0)).collect(),
        reports: incidents.iter().map(|new| new.report_id).collect(),
        kinds: text(|incident| incident.kind.to_owned()),
        details: text(|incident| incident.detail.clone()),
        occurred: incidents.iter().map(|new| new.at).collect(),
        facts: incidents.iter().map(|new| json!(new.incident.facts).to_string()).collect(),
    };
    statement.execute(&mut connection).await.map(|_| ())
}

#[derive(QueryableByName)]
struct IncidentRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    account_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    order_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    detail: String,
    #[diesel(sql_type = Text)]
    facts: String,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    acknowledged_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    note: Option<String>,
}

fn read(row: IncidentRow) -> QueryResult<IncidentDocument> {
    Ok(IncidentDocument {
        id: row.id,
        account_id: row.account_id.map(AccountId),
        order_id: row.order_id.map(OrderId),
        kind: row.kind,
        detail: row.detail,
        facts: serde_json::from_str(&row.facts).map_err(|_| corrupt("facts"))?,
        occurred_at: row.occurred_at,
        acknowledged_at: row.acknowledged_at,
        note: row.note,
    })
}

statement! {
    ListIncidents { user: SqlUuid = Uuid, before: SqlUuid = Uuid, limit: BigInt = i64 }
    "SELECT id, account_id, order_id, kind, detail, facts::text AS facts, occurred_at, acknowledged_at,
        note FROM trading.incidents
     WHERE user_id = ? AND id < ? ORDER BY id DESC LIMIT ?"
}

statement! {
    ListUnacknowledged { user: SqlUuid = Uuid, before: SqlUuid = Uuid, limit: BigInt = i64 }
    "SELECT id, account_id, order_id, kind, detail, facts::text AS facts, occurred_at, acknowledged_at,
        note FROM trading.incidents
     WHERE user_id = ? AND id < ? AND acknowledged_at IS NULL ORDER BY id DESC LIMIT ?"
}

/// A user's incidents, newest first, those before one of them.
pub(in crate::trading) async fn list_incidents(
    mut connection: &AsyncPgConnection,
    user: UserId,
    only_unacknowledged: bool,
    before: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<IncidentDocument>> {
    let before = before.unwrap_or(Uuid::max());
    let rows: Vec<IncidentRow> = if only_unacknowledged {
        ListUnacknowledged { user: user.0, before, limit }.load(&mut connection).await?
    } else {
        ListIncidents { user: user.0, before, limit }.load(&mut connection).await?
    };
    rows.into_iter().map(read).collect()
}

statement! {
    Acknowledge { at: Timestamptz = DateTime<Utc>, note: Nullable<Text> = Option<String>, id: SqlUuid = Uuid, user: SqlUuid = Uuid }
    "UPDATE trading.incidents SET acknowledged_at = coalesce(acknowledged_at, ?), note = coalesce(?, note)
     WHERE id = ? AND user_id = ?
     RETURNING id, account_id, order_id, kind, detail, facts::text AS facts, occurred_at, acknowledged_at, note"
}

/// Notes that an incident's owner has seen it; nothing when it is not theirs. Doing it twice keeps the first moment.
pub(in crate::trading) async fn acknowledge_incident(
    mut connection: &AsyncPgConnection,
    user: UserId,
    id: Uuid,
    note: Option<String>,
    at: DateTime<Utc>,
) -> QueryResult<Option<IncidentDocument>> {
    let row: Option<IncidentRow> =
        Acknowledge { at, note, id, user: user.0 }.get_result(&mut connection).await.optional()?;
    row.map(read).transpose()
}

#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(sql_type = Bool)]
    found: bool,
}

statement! {
    IsTold { account: SqlUuid = Uuid, kind: Text = String, order: Nullable<SqlUuid> = Option<Uuid>, detail: Text = String }
    "SELECT EXISTS (SELECT FROM trading.incidents
        WHERE account_id = ? AND kind = ? AND order_id IS NOT DISTINCT FROM ? AND detail = ?
          AND acknowledged_at IS NULL) AS found"
}

/// Whether its owner was told the very same already and has not acknowledged it.
pub(in crate::trading) async fn is_told(
    mut connection: &AsyncPgConnection,
    new: &NewIncident,
) -> QueryResult<bool> {
    let statement = IsTold {
        account: new.account_id.0,
        kind: new.incident.kind.to_owned(),
        order: new.order_id.map(|order| order.0),
        detail: new.incident.detail.clone(),
    };
    let row: FoundRow = statement.get_result(&mut connection).await?;
    Ok(row.found)
}
