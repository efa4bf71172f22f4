//! The kill switch: accounts in which their owner, or the house, wants nothing new placed, until a person lifts the halt.

use super::service::TradingService;
use super::store::{self, AccountHalt, HaltKind};
use crate::account::Account;
use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::events::{self, EventKind, NewEvent};
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

/// Who halted trading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum HaltedBy {
    /// The house: something happened that must not, and an incident says what.
    Incident,
    /// The account's owner.
    Owner,
    /// Who runs this server, by the halt file: all accounts, until the file is removed.
    Operator,
}

/// Whether trading is halted in an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct HaltDocument {
    account_id: AccountId,
    halted: bool,
    by: Option<HaltedBy>,
    reason: Option<String>,
    /// Absent where the halt file does it.
    halted_at: Option<DateTime<Utc>>,
}

impl HaltDocument {
    const fn none(account_id: AccountId) -> Self {
        Self { account_id, halted: false, by: None, reason: None, halted_at: None }
    }

    fn written(halt: AccountHalt) -> Self {
        let by = if halt.kind == HaltKind::Owner.name() { HaltedBy::Owner } else { HaltedBy::Incident };
        Self {
            account_id: AccountId(halt.account_id),
            halted: true,
            by: Some(by),
            reason: Some(halt.reason),
            halted_at: Some(halt.halted_at),
        }
    }

    const fn everywhere(account_id: AccountId, reason: String) -> Self {
        let by = Some(HaltedBy::Operator);
        Self { account_id, halted: true, by, reason: Some(reason), halted_at: None }
    }
}

impl TradingService {
    /// Whether trading is halted in each of some accounts. What stands in the database is told before the halt file: it stays
    /// when the file is gone.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn halts_of(&self, accounts: &[Account]) -> ApiResult<Vec<HaltDocument>> {
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let halts = store::halts_of(&*self.pool.get().await?, &ids).await?;
        let mut documents: Vec<HaltDocument> = halts.into_iter().map(HaltDocument::written).collect();
        for account in ids {
            if !documents.iter().any(|halt| halt.account_id == account) {
                let reason = self.gate.halt_everywhere();
                documents.push(reason.map_or_else(
                    || HaltDocument::none(account),
                    |reason| HaltDocument::everywhere(account, reason),
                ));
            }
        }
        Ok(documents)
    }

    /// Halts accounts of a user: from this moment nothing new is placed in them and nothing leaves for their brokers that has
    /// not left; it survives a restart once this has returned. An account that is halted already keeps its reason.
    ///
    /// # Errors
    /// The database's. The accounts are then halted for as long as this process runs.
    pub(super) async fn halt_accounts(
        &self,
        user: UserId,
        accounts: &[Account],
        reason: &str,
    ) -> ApiResult<Vec<HaltDocument>> {
        let _turn = self.gate.turn().await;
        for account in accounts {
            self.gate.halt(account.id, reason.to_owned());
            tracing::warn!(account = %account.id, "trading is halted by its owner");
        }
        let new = accounts.iter().map(|account| (account.id, reason.to_owned())).collect();
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let mut connection = self.pool.get().await?;
        let halts = connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                store::insert_halts(connection, HaltKind::Owner, new, clock::now()).await?;
                let halts = store::halts_of(connection, &ids).await?;
                let halts: Vec<HaltDocument> = halts.into_iter().map(HaltDocument::written).collect();
                tell(connection, user, &halts).await?;
                Ok::<_, ApiError>(halts)
            })
            .await?;
        drop(connection);
        self.events.wake();
        Ok(halts)
    }

    /// Lets an account trade again.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn lift_halt(&self, user: UserId, account: &Account) -> ApiResult<HaltDocument> {
        let _turn = self.gate.turn().await;
        let lifted = HaltDocument::none(account.id);
        let mut connection = self.pool.get().await?;
        connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                store::lift_halt(connection, account.id, clock::now()).await?;
                tell(connection, user, std::slice::from_ref(&lifted)).await
            })
            .await?;
        drop(connection);
        self.gate.lift(account.id);
        self.events.wake();
        self.dispatch.look();
        self.groups().look.look();
        Ok(self.gate.halt_everywhere().map_or(lifted, |reason| HaltDocument::everywhere(account.id, reason)))
    }
}

/// The events about halts.
async fn tell(connection: &AsyncPgConnection, user: UserId, halts: &[HaltDocument]) -> ApiResult<()> {
    let told = halts.iter().map(|halt| NewEvent::new(user, EventKind::Halt, halt));
    let told = told.collect::<Result<_, _>>().map_err(ApiError::internal)?;
    Ok(events::append(connection, told).await?)
}
