//! `/api/accounts`.

use super::service::{AccountService, OpeningWish};
use super::{
    Account, CashBalance, CostMethod, CurrencyBalance, MarginSwitches, PLAY_BROKER, movement_routes,
    statement,
};
use crate::clock;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{Body, CurrentUser, IdempotencyKey, PathId};
use crate::openapi::Routes;
use actix_web::{HttpResponse, get, post, put, web};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, ClientOrderId, Currency, DecimalText};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest name of an account, in characters.
const NAME_LENGTH_MAX: usize = 60;
/// Header that marks an answer given before.
pub(crate) const REPLAYED_HEADER: &str = "Idempotency-Replayed";

/// The answer to what was created, now or by the same request before.
pub(super) fn created(replayed: bool, body: &impl Serialize) -> HttpResponse {
    let mut response = HttpResponse::Created();
    if replayed {
        response.insert_header((REPLAYED_HEADER, "true"));
    }
    response.json(body)
}

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    config.service(list_accounts).service(open_account).service(show_balance).service(choose_cost_method);
    movement_routes::routes(config);
    statement::routes(config);
}

/// A trading account.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Account)]
#[serde(rename_all = "camelCase")]
pub struct AccountDocument {
    id: AccountId,
    /// The owner's name for it.
    name: String,
    /// Where its orders go.
    broker: String,
    /// Its base currency. It can hold every other as well.
    currency: Currency,
    /// `active` or `closed`.
    status: String,
    cost_method: CostMethod,
    created_at: DateTime<Utc>,
}

impl From<Account> for AccountDocument {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            name: account.name,
            broker: account.broker,
            currency: account.currency,
            status: account.status,
            cost_method: account.cost_method,
            created_at: account.created_at,
        }
    }
}

/// The cash of an account in one currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Balance)]
#[serde(rename_all = "camelCase")]
pub struct BalanceDocument {
    account_id: AccountId,
    currency: Currency,
    /// All cash, with what trades have promised for later days.
    cash: DecimalText,
    /// Reserved for open orders.
    held: DecimalText,
    /// Cash that nothing is reserved of. An account that buys on credit or sells short may use another sum for new orders:
    /// `GET /api/accounts/{id}/margin` tells it.
    buying_power: DecimalText,
    as_of: DateTime<Utc>,
}

impl BalanceDocument {
    /// A balance as it is answered and told.
    #[must_use]
    pub fn new(balance: &CashBalance, as_of: DateTime<Utc>) -> Self {
        Self {
            account_id: balance.account_id,
            currency: balance.currency,
            cash: balance.total.into(),
            held: balance.held.into(),
            buying_power: balance.buying_power().into(),
            as_of,
        }
    }
}

/// What trades of an account have promised for one day.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UnsettledDay {
    settle_date: NaiveDate,
    receivable: DecimalText,
    payable: DecimalText,
}

/// The cash of an account in one currency, and what of it is only promised.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = CurrencyBalance)]
#[serde(rename_all = "camelCase")]
struct CurrencyBalanceDocument {
    #[serde(flatten)]
    balance: BalanceDocument,
    /// What lies at the broker now.
    settled: DecimalText,
    /// What sales will bring less what purchases will cost when they settle.
    unsettled: DecimalText,
    /// What can be taken out now.
    withdrawable: DecimalText,
    unsettled_days: Vec<UnsettledDay>,
}

impl CurrencyBalanceDocument {
    fn new(balance: &CurrencyBalance, as_of: DateTime<Utc>) -> Self {
        let day = |promise: &super::Unsettled| UnsettledDay {
            settle_date: promise.settle_date,
            receivable: promise.receivable.into(),
            payable: (-promise.payable).into(),
        };
        Self {
            balance: BalanceDocument::new(&balance.cash, as_of),
            settled: balance.settled().into(),
            unsettled: (balance.cash.total - balance.settled()).into(),
            withdrawable: balance.withdrawable().into(),
            unsettled_days: balance.unsettled.iter().map(day).collect(),
        }
    }
}

/// The cash of an account: in its own currency, and in every currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct AccountBalance {
    #[serde(flatten)]
    own: CurrencyBalanceDocument,
    /// The account's own currency first.
    currencies: Vec<CurrencyBalanceDocument>,
}

/// The user's accounts.
#[derive(Debug, Serialize, ToSchema)]
struct AccountList {
    accounts: Vec<AccountDocument>,
}

/// Lists the user's accounts.
#[utoipa::path(tag = "account", responses((status = 200, body = AccountList), (status = 401, body = Problem)))]
#[get("/accounts")]
async fn list_accounts(
    user: CurrentUser,
    accounts: web::Data<AccountService>,
) -> ApiResult<web::Json<AccountList>> {
    let accounts = accounts.list(user.user_id).await?;
    Ok(web::Json(AccountList { accounts: accounts.into_iter().map(AccountDocument::from).collect() }))
}

/// A broker that accounts can be opened at.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum BrokerName {
    /// Play money on the built-in exchange.
    Simulator,
    /// Alpaca: American shares, in USD. A key of Alpaca's is entered after the account is opened.
    Alpaca,
    /// Kiwoom: Korean shares, in KRW. A key of Kiwoom's is entered after the account is opened.
    Kiwoom,
}

/// What is needed to open an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OpenAccount {
    /// One to sixty characters.
    name: String,
    broker: BrokerName,
    currency: Currency,
    /// Whether it may buy American shares on credit; only play money. Off unless given.
    margin: Option<bool>,
    /// Whether it may sell American shares short; only play money, and together with `margin`. Off unless given.
    short_selling: Option<bool>,
}

impl OpenAccount {
    fn switches(&self) -> ApiResult<MarginSwitches> {
        let switches = MarginSwitches {
            margin: self.margin.unwrap_or_default(),
            short_selling: self.short_selling.unwrap_or_default(),
        };
        if switches.margin && !matches!(self.broker, BrokerName::Simulator) {
            let message = "is possible with play money only";
            return Err(ApiError::field("margin", "not_at_this_broker", message));
        }
        switches.check()
    }
}

/// Whether a character changes how the text around it is shown instead of being shown.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{10ffff}')
}

fn check_name(name: &str) -> ApiResult<String> {
    let name = name.trim();
    if name.is_empty() {
        return Err(ApiError::field("name", "too_short", "must not be empty"));
    }
    if name.chars().count() > NAME_LENGTH_MAX {
        let message = format!("must have at most {NAME_LENGTH_MAX} characters");
        return Err(ApiError::field("name", "too_long", message));
    }
    if name.chars().any(is_invisible) {
        return Err(ApiError::field("name", "forbidden_character", "must not contain control characters"));
    }
    Ok(name.to_owned())
}

/// Opens an account. The same `Idempotency-Key` opens one, whose document as it is now is the answer again.
#[utoipa::path(tag = "account", request_body = OpenAccount,
    params(("Idempotency-Key" = Option<String>, Header)), responses(
    (status = 201, body = AccountDocument), (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/accounts")]
async fn open_account(
    user: CurrentUser,
    accounts: web::Data<AccountService>,
    key: IdempotencyKey,
    Body(request): Body<OpenAccount>,
) -> ApiResult<HttpResponse> {
    let name = check_name(&request.name)?;
    let switches = request.switches()?;
    let broker = match request.broker {
        BrokerName::Simulator => PLAY_BROKER,
        BrokerName::Alpaca if request.currency != Currency::Usd => {
            let message = "an account at Alpaca is in USD";
            return Err(ApiError::field("currency", "not_at_this_broker", message));
        }
        BrokerName::Alpaca => "alpaca",
        BrokerName::Kiwoom if request.currency != Currency::Krw => {
            let message = "an account at Kiwoom is in KRW";
            return Err(ApiError::field("currency", "not_at_this_broker", message));
        }
        BrokerName::Kiwoom => "kiwoom",
    };
    let wish = OpeningWish { name, broker, currency: request.currency, switches };
    let key = key.0.as_ref().map(ClientOrderId::as_str);
    let (account, replayed) = accounts.open(user.user_id, wish, key).await?;
    Ok(created(replayed, &AccountDocument::from(account)))
}

/// The cash of an account.
#[utoipa::path(tag = "account", params(("id" = AccountId, Path)), responses(
    (status = 200, body = AccountBalance), (status = 404, body = Problem)))]
#[get("/accounts/{id}/balance")]
async fn show_balance(
    user: CurrentUser,
    accounts: web::Data<AccountService>,
    PathId(account): PathId<AccountId>,
) -> ApiResult<web::Json<AccountBalance>> {
    let (balances, now) = (accounts.balances(user.user_id, account).await?, clock::now());
    let currencies: Vec<_> =
        balances.iter().map(|balance| CurrencyBalanceDocument::new(balance, now)).collect();
    let own = currencies.first().cloned().ok_or_else(|| ApiError::internal("an account has no cash"))?;
    Ok(web::Json(AccountBalance { own, currencies }))
}

/// How the profit of sales is to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CostMethodChoice {
    method: CostMethod,
}

/// Chooses how the profit of an account's sales is told, past ones included. The books keep both figures.
#[utoipa::path(tag = "account", request_body = CostMethodChoice, params(("id" = AccountId, Path)), responses(
    (status = 200, body = AccountDocument), (status = 404, body = Problem), (status = 422, body = Problem)))]
#[put("/accounts/{id}/cost-method")]
async fn choose_cost_method(
    user: CurrentUser,
    accounts: web::Data<AccountService>,
    PathId(account): PathId<AccountId>,
    Body(choice): Body<CostMethodChoice>,
) -> ApiResult<web::Json<AccountDocument>> {
    let account = accounts.set_cost_method(user.user_id, account, choice.method).await?;
    Ok(web::Json(account.into()))
}
