//! Accounts at brokers outside of this house: what opens them, how the way there is, and what can be done there.

use super::connector::{BrokerKey, OTHER_ACCOUNT, OpenError};
use super::fit;
use super::group::{self, GroupKind, NewGroup};
use super::lane::Lane;
use super::service::TradingService;
use crate::account::Account;
use crate::error::{ApiError, ApiResult, ErrorCode, FieldError};
use chrono::{DateTime, Utc};
use domain::{AccountId, Currency, Money, NewOrder, Size, UserId};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// When a caller should come back who found the broker out of reach.
const RETRY_AFTER_SECONDS: u64 = 5;

/// How an account's way to its broker is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = BrokerConnection)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectionDocument {
    /// The broker.
    broker: String,
    /// `connected`, `connecting`, `down`, `key_missing`, `key_wrong`, `key_expired`, `key_revoked` or
    /// `account_changed`.
    state: String,
    /// Since when.
    since: Option<DateTime<Utc>>,
    /// What the trouble is, if there is any.
    detail: Option<String>,
    /// When the broker's stream last told something.
    heard_at: Option<DateTime<Utc>>,
    /// When the broker's lists were last read to their end.
    read_at: Option<DateTime<Utc>>,
}

/// What can be done at a broker.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = BrokerCapabilities)]
#[serde(rename_all = "camelCase")]
pub(super) struct CapabilitiesDocument {
    /// The broker.
    pub(super) broker: String,
    /// Markets: `US`, `KRX`.
    pub(super) markets: Vec<String>,
    /// Currencies that accounts may have.
    currencies: Vec<Currency>,
    /// Types of orders it takes.
    pub(super) order_types: Vec<String>,
    /// Times in force it takes.
    pub(super) times_in_force: Vec<String>,
    /// Whether open orders can be given other terms.
    pub(super) replace: bool,
    /// Whether these may be another number of shares.
    pub(super) replace_quantity: bool,
    /// Kinds of groups whose orders it can work.
    #[serde(default)]
    #[schema(required = true)]
    pub(super) groups: Vec<GroupKind>,
    /// Kinds of those that it takes as one order of its own: every order of such a group is `day`, or every one `gtc`. Of `oto`
    /// only a purchase followed by its exit.
    #[serde(default)]
    #[schema(required = true)]
    pub(super) native_groups: Vec<GroupKind>,
    /// Whether two open sales can stand for the same shares there.
    #[serde(skip_serializing)]
    #[schema(ignore)]
    pub(super) shared_exits: bool,
    /// Whether parts of shares are traded.
    pub(super) fractions: bool,
    /// Whether a purchase at the market by an amount of money spends the amount there; otherwise it becomes shares here.
    #[serde(default)]
    #[schema(required = true)]
    pub(super) amounts: bool,
    /// Whether accounts can buy on credit and sell short here.
    #[serde(default)]
    short_selling: bool,
    /// Whether an account needs a key of the broker's.
    credentials: bool,
    /// Whether the broker keeps the cash, so that deposits are made there.
    keeps_cash: bool,
    /// Whether real money can be at stake.
    real_money: bool,
}

/// What can be done at each.
#[derive(Deserialize)]
pub(super) struct AllCapabilities {
    pub(super) brokers: Vec<CapabilitiesDocument>,
}

fn refused(error: OpenError) -> ApiError {
    match error {
        OpenError::Unreachable(reason) => {
            tracing::warn!(reason, "a broker cannot be asked");
            ApiError::new(ErrorCode::ServiceUnavailable, "the broker cannot be reached")
                .retry_after_seconds(RETRY_AFTER_SECONDS)
        }
        OpenError::Refused { code, detail } => match code.as_str() {
            "key_wrong" => ApiError::new(ErrorCode::BrokerKeyWrong, ""),
            "key_expired" => ApiError::new(ErrorCode::BrokerKeyExpired, ""),
            "key_revoked" => ApiError::new(ErrorCode::BrokerKeyRevoked, ""),
            "key_missing" => ApiError::new(ErrorCode::BrokerKeyMissing, ""),
            OTHER_ACCOUNT => ApiError::new(ErrorCode::BrokerAccountChanged, ""),
            "unsupported" => ApiError::new(ErrorCode::BrokerKeyNotNeeded, ""),
            "validation_failed" => ApiError::field("keyId", "malformed", detail),
            "rate_limited" => ApiError::new(ErrorCode::TooManyRequests, "the broker was asked too often")
                .retry_after_seconds(RETRY_AFTER_SECONDS),
            "other_account" => ApiError::new(ErrorCode::BrokerAccountChanged, detail),
            "account_taken" => ApiError::new(ErrorCode::BrokerAccountTaken, detail),
            "account_inactive" => ApiError::new(ErrorCode::BrokerAccountInactive, detail),
            "orders_open" => ApiError::new(ErrorCode::BrokerOrdersOpen, detail),
            "bridge_missing" => ApiError::new(ErrorCode::BrokerBridgeMissing, detail),
            "other_currency" => ApiError::new(ErrorCode::BrokerOtherCurrency, detail),
            _ => ApiError::new(ErrorCode::BrokerRefuses, detail),
        },
    }
}

impl TradingService {
    /// Opens an account at its broker with a key, or gives it another key. What the account holds there when it is opened
    /// is booked, once; shares that it holds come with the first comparison.
    ///
    /// # Errors
    /// What the broker says about the key, [`ErrorCode::NotFound`] for the accounts of others.
    pub(super) async fn enter_key(
        &self,
        user: UserId,
        account: AccountId,
        key: &BrokerKey,
    ) -> ApiResult<ConnectionDocument> {
        let account = self.accounts.find(user, account).await?;
        let lane = lane_of(&account)?;
        if lane == Lane::Simulator {
            return Err(ApiError::new(ErrorCode::BrokerKeyNotNeeded, ""));
        }
        let opened = self.connector.open(lane, account.id, account.currency, key).await.map_err(refused)?;
        tracing::info!(account = %account.id, broker_number = opened.broker_number, "a broker has opened an account");
        if let Some(cash) = opened.opening_cash {
            let cash = account.currency.round_down(cash.0);
            if cash > Decimal::ZERO {
                self.accounts.book_opening(user, account.id, Money::new(cash, account.currency)).await?;
            }
        }
        // Nothing is placed before the books know what the account holds.
        self.gate.has_key(account.id);
        self.pauses.lift(account.id);
        self.reconciler.ask_for(BTreeSet::from([account.id]));
        self.connection_of(&account).await
    }

    /// How an account's way to its broker is.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the accounts of others; that the connector cannot be reached.
    pub(super) async fn connection(&self, user: UserId, account: AccountId) -> ApiResult<ConnectionDocument> {
        let account = self.accounts.find(user, account).await?;
        self.connection_of(&account).await
    }

    async fn connection_of(&self, account: &Account) -> ApiResult<ConnectionDocument> {
        let lane = lane_of(account)?;
        let mut connection: ConnectionDocument =
            self.connector.connection(account.id).await.map_err(refused)?;
        if connection.broker != lane.name() {
            // The connector has never heard of it: what it does not know is the simulator's.
            connection = ConnectionDocument {
                broker: lane.name().to_owned(),
                state: "key_missing".to_owned(),
                since: None,
                detail: Some("no key of the broker was entered".to_owned()),
                heard_at: None,
                read_at: None,
            };
        }
        Ok(connection)
    }

    /// What can be done in an account.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the accounts of others; that the connector cannot be reached.
    pub(super) async fn capabilities(
        &self,
        user: UserId,
        account: AccountId,
    ) -> ApiResult<CapabilitiesDocument> {
        let account = self.accounts.find(user, account).await?;
        let all: AllCapabilities = self.connector.capabilities().await.map_err(refused)?;
        let of_broker = all.brokers.into_iter().find(|broker| broker.broker == account.broker);
        let of_broker = of_broker.ok_or_else(|| {
            ApiError::internal(format_args!("the connector does not know {}", account.broker))
        })?;
        Ok(CapabilitiesDocument { groups: group::kinds_at(&of_broker), ..of_broker })
    }

    /// What of an order the broker of its account does not take. While nobody says what it takes, it takes what can be asked
    /// for at all; what it then refuses stands in the journal.
    pub(super) async fn unfit(&self, order: &NewOrder) -> Vec<FieldError> {
        let broker = self.offers.of(self.lanes.of(order.account_id)).await;
        broker.map(|broker| fit::against_order(&broker, order)).unwrap_or_default()
    }

    /// Whether the broker of an order's account takes amounts of money. It is asked of orders by one alone; where nobody says,
    /// they become shares here.
    pub(super) async fn takes_amounts(&self, order: &NewOrder) -> bool {
        if !matches!(order.size, Size::Notional(_)) {
            return false;
        }
        let broker = self.offers.of(self.lanes.of(order.account_id)).await;
        broker.is_some_and(|broker| broker.amounts)
    }

    /// Brings a group into the terms of its account's broker. What the simulator takes is what can be asked for at all, so
    /// it is not asked.
    pub(super) async fn fit_to_broker(&self, user: UserId, new: &mut NewGroup) -> ApiResult<()> {
        if self.lanes.of(new.account_id) == Lane::Simulator {
            return Ok(());
        }
        let broker = self.capabilities(user, new.account_id).await?;
        new.fit(&broker)
    }
}

fn lane_of(account: &Account) -> ApiResult<Lane> {
    Lane::from_name(&account.broker)
        .ok_or_else(|| ApiError::internal(format_args!("an account at {}", account.broker)))
}

#[cfg(test)]
mod tests;
