//! `/api/accounts/{id}/margin`: what an account may do beyond its own money and shares, and how much of that is used.

use super::super::service::TradingService;
use super::reduce::due_at;
use crate::account::{self, AccountService, MarginStanding, MarginSwitches};
use crate::clock;
use crate::error::{ApiResult, Problem};
use crate::extract::{Body, CurrentUser, PathId};
use crate::openapi::Routes;
use crate::risk::{Exposure, MarginBook};
use actix_web::{get, put, web};
use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, Currency, DecimalText, Market as Venue, Symbol, UserId};
use exchange::{MarginRules, trade_date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// These URLs.
pub(in crate::trading) fn routes(config: &mut Routes<'_>) {
    config.service(show_margin).service(set_margin);
}

/// What an account may do beyond its own money and shares.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MarginWish {
    /// Buy American shares on credit.
    margin: bool,
    /// Sell American shares short; only together with `margin`.
    short_selling: bool,
}

/// What is wanted of an account that buys on credit or sells short: parts of one, of what is bought or sold.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = MarginRules)]
#[serde(rename_all = "camelCase")]
struct MarginRulesDocument {
    /// Own money for new purchases.
    initial: DecimalText,
    /// Own money that must stay for shares held.
    maintenance: DecimalText,
    /// What must lie there for new short sales, their proceeds included.
    short_initial: DecimalText,
    /// Own money that must stay for shares sold short, beside their proceeds.
    short_maintenance: DecimalText,
    /// Least equity for either.
    equity_min: DecimalText,
    /// Interest a year on what is owed.
    debit_interest: DecimalText,
    /// Fee a year on the worth of shares sold short.
    borrow_fee: DecimalText,
}

impl From<MarginRules> for MarginRulesDocument {
    fn from(rules: MarginRules) -> Self {
        Self {
            initial: rules.initial.into(),
            maintenance: rules.maintenance.into(),
            short_initial: rules.short_initial.into(),
            short_maintenance: rules.short_maintenance.into(),
            equity_min: rules.equity_min.into(),
            debit_interest: rules.debit_interest.into(),
            borrow_fee: rules.borrow_fee.into(),
        }
    }
}

/// A share's part in the use of credit. Amounts are not rounded; their sums are.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MarginShare {
    symbol: Symbol,
    /// Shares; below zero when they are sold short.
    quantity: DecimalText,
    /// Of one share; absent where nobody knows it.
    price: Option<DecimalText>,
    /// Quantity times price.
    value: DecimalText,
    /// Shares that open orders may still buy, and what those may cost at most, fees included.
    buying: DecimalText,
    buying_cost: DecimalText,
    /// Shares that open orders may still sell, and what those bring at their orders' worst prices.
    selling: DecimalText,
    selling_worth: DecimalText,
    /// Equity that it asks for, with everything open executed on whichever side asks for more.
    required: DecimalText,
    /// Equity that must stay there for what is held or sold short now.
    required_to_stay: DecimalText,
}

impl MarginShare {
    fn new(symbol: Symbol, exposure: &Exposure, rules: &MarginRules) -> Self {
        Self {
            symbol,
            quantity: exposure.quantity.into(),
            price: exposure.mark.map(DecimalText::from),
            value: exposure.value().into(),
            buying: exposure.buying.into(),
            buying_cost: exposure.buying_cost.into(),
            selling: exposure.selling.into(),
            selling_worth: exposure.selling_worth.into(),
            required: exposure.required(rules).into(),
            required_to_stay: exposure.required_to_stay(rules).into(),
        }
    }
}

/// How much of its credit an account uses, at the prices of now.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MarginUse {
    /// All cash; below zero when it is owed.
    cash: DecimalText,
    /// What is held, sold short or open, share by share: of these the figures below are made.
    shares: Vec<MarginShare>,
    /// Cash and shares less what is owed: what would be left if everything were closed now.
    equity: DecimalText,
    /// Money owed.
    borrowed: DecimalText,
    /// Worth of shares held.
    long_value: DecimalText,
    /// Worth of shares sold short.
    short_value: DecimalText,
    /// Equity that everything open and held asks for.
    required: DecimalText,
    /// Equity that nothing asks for; below zero when more is asked for than there is.
    available: DecimalText,
    /// What can still be bought.
    buying_power: DecimalText,
    /// Equity that must stay there.
    required_to_stay: DecimalText,
    /// Whether every share has a price; without one the figures leave it out.
    is_priced: bool,
}

impl From<&MarginBook> for MarginUse {
    fn from(book: &MarginBook) -> Self {
        let sum = |side: fn(Decimal) -> Decimal| {
            let worth = book.exposures.values().map(Exposure::value).map(side).sum();
            book.currency.round(worth)
        };
        let (equity, required) = (book.equity(), book.required());
        let share =
            |(symbol, exposure): (&Symbol, &Exposure)| MarginShare::new(*symbol, exposure, &book.rules);
        Self {
            cash: book.cash.into(),
            shares: book.exposures.iter().map(share).collect(),
            equity: book.currency.round(equity).into(),
            borrowed: (-book.cash).max(Decimal::ZERO).into(),
            long_value: sum(|value| value.max(Decimal::ZERO)).into(),
            short_value: sum(|value| (-value).max(Decimal::ZERO)).into(),
            required: required.into(),
            available: book.currency.round_down(equity - required).into(),
            buying_power: book.buying_power().into(),
            required_to_stay: book.required_to_stay().into(),
            is_priced: book.unpriced().is_none(),
        }
    }
}

/// What an account may do beyond its own money and shares, and how much of that it uses.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AccountMargin {
    account_id: AccountId,
    margin: bool,
    short_selling: bool,
    /// Currency of all amounts.
    currency: Currency,
    rules: MarginRulesDocument,
    /// Absent where margin is off.
    r#use: Option<MarginUse>,
    /// Since when its equity is below what must stay: only orders that reduce what is open are taken.
    called_at: Option<DateTime<Utc>>,
    /// From when on positions are sold and bought back here until there is enough; absent where that is switched off.
    reduced_from: Option<DateTime<Utc>>,
    as_of: DateTime<Utc>,
}

impl AccountMargin {
    fn new(
        account: AccountId,
        standing: Option<&MarginStanding>,
        book: Option<&MarginBook>,
        grace: Option<TimeDelta>,
    ) -> Self {
        let now = clock::now();
        let switches = standing.map(|standing| standing.switches).unwrap_or_default();
        let called_at = standing.and_then(|standing| standing.called_at);
        Self {
            account_id: account,
            margin: switches.margin,
            short_selling: switches.short_selling,
            currency: account::MARGIN_CURRENCY,
            rules: MarginRules::on(trade_date(Venue::Us, now)).into(),
            r#use: book.map(MarginUse::from),
            called_at,
            reduced_from: called_at.and_then(|at| due_at(at, grace)),
            as_of: now,
        }
    }
}

impl TradingService {
    async fn margin_of(&self, account: AccountId) -> ApiResult<AccountMargin> {
        let shares = account::shares_held(&*self.pool.get().await?, &[account]).await?;
        let symbols: Vec<_> = shares.iter().map(|shares| shares.symbol).collect();
        self.market.quotes(&symbols).await;
        let connection = self.pool.get().await?;
        let standing = account::margin_standings(&connection, &[account]).await?.into_iter().next();
        let book = super::look(&connection, account, &self.market).await?;
        Ok(AccountMargin::new(account, standing.as_ref(), book.as_ref(), self.margin_call_grace))
    }

    /// What the account may do is remembered beside its balances: both are read anew.
    async fn switch_margin(
        &self,
        user: UserId,
        account: AccountId,
        switches: MarginSwitches,
    ) -> ApiResult<()> {
        let mut connection = self.pool.get().await?;
        connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                account::set_margin(connection, user, account, switches).await
            })
            .await?;
        self.memory.forget(account);
        Ok(())
    }
}

/// What an account may do beyond its own money and shares.
#[utoipa::path(tag = "trading", params(("id" = AccountId, Path)), responses(
    (status = 200, body = AccountMargin), (status = 404, body = Problem), (status = 409, body = Problem)))]
#[get("/accounts/{id}/margin")]
async fn show_margin(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    PathId(id): PathId<AccountId>,
) -> ApiResult<web::Json<AccountMargin>> {
    let account = accounts.find_of_play_money(user.user_id, id).await?;
    Ok(web::Json(trading.margin_of(account.id).await?))
}

/// Lets an account of play money buy on credit and sell short, or no longer. What is in use cannot be switched.
#[utoipa::path(tag = "trading", params(("id" = AccountId, Path)), request_body = MarginWish, responses(
    (status = 200, body = AccountMargin), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
#[put("/accounts/{id}/margin")]
async fn set_margin(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    accounts: web::Data<AccountService>,
    PathId(id): PathId<AccountId>,
    Body(wish): Body<MarginWish>,
) -> ApiResult<web::Json<AccountMargin>> {
    let account = accounts.find_of_play_money(user.user_id, id).await?;
    let switches = MarginSwitches { margin: wish.margin, short_selling: wish.short_selling };
    trading.switch_margin(user.user_id, account.id, switches).await?;
    Ok(web::Json(trading.margin_of(account.id).await?))
}
