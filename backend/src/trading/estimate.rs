//! What an order would cost, and what speaks against it, without placing it.

use super::margin;
use super::service::TradingService;
use super::store;
use crate::account::Account;
use crate::error::{ApiResult, FieldError};
use crate::risk::{self, AccountState, Judgement, MarginState, NearLimit};
use chrono::Utc;
use domain::{NewOrder, Quote, UserId};
use exchange::Tariff;
use rust_decimal::Decimal;
use std::collections::HashSet;
use std::sync::Arc;

/// What an order would cost.
pub(super) struct Preview {
    pub(super) judgement: Judgement,
    pub(super) quote: Arc<Quote>,
    pub(super) cash_free: Decimal,
    /// What the account may do beyond that.
    pub(super) margin: Option<MarginState>,
    /// What its broker charges.
    pub(super) tariff: Tariff,
    /// The limits that it would come close to.
    pub(super) near: Vec<NearLimit>,
    /// What of it the account's broker does not take.
    pub(super) unfit: Vec<FieldError>,
}

impl TradingService {
    /// What risk would say, and what the order would cost, without placing it.
    ///
    /// # Errors
    /// That there is no such account, or a symbol that nobody quotes.
    pub(super) async fn preview(&self, user: UserId, order: NewOrder) -> ApiResult<Preview> {
        let account = self.accounts.find(user, order.account_id).await?;
        let quote = self.price_for(order.symbol).await?;
        let state = self.account_state(&account, &order, &quote).await?;
        let now = Utc::now();
        let judgement = risk::judge(order, &state, Some(&quote), now);
        let near = judgement.terms.map(|terms| risk::near_limits(&order, &terms, &state, &quote, now));
        let near = near.unwrap_or_default();
        let AccountState { cash_free, margin, tariff, .. } = state;
        let unfit = self.unfit(&order).await;
        Ok(Preview { judgement, quote, cash_free, margin, tariff, near, unfit })
    }

    async fn account_state(
        &self,
        account: &Account,
        order: &NewOrder,
        quote: &Quote,
    ) -> ApiResult<AccountState> {
        let currency = order.symbol.currency();
        let cash = self.accounts.cash_in(account.id, currency).await?;
        let shares_free = self.accounts.free_shares(account.id, order.symbol).await?;
        let pairs = HashSet::from([(account.id, order.symbol)]);
        let connection = self.pool.get().await?;
        let (_, unresolved) = store::known_orders(&connection, &HashSet::new(), &pairs).await?;
        let book = margin::look(&connection, account.id, &self.market).await?;
        let cash_free = cash.buying_power();
        let cash_free = if book.is_some() { cash_free.max(Decimal::ZERO) } else { cash_free };
        Ok(AccountState {
            currency,
            cash_free,
            shares_free,
            symbol_unresolved: !unresolved.is_empty(),
            symbol_halted: self.halts.is_halted(account.user_id, order.symbol),
            margin: margin::state(book.as_ref(), order.symbol, Some(quote)),
            tariff: self.lanes.of(account.id).tariff(),
            takes_amounts: self.takes_amounts(order).await,
        })
    }
}
