//! `/api/accounts/{id}/credentials`, `/connection` and `/capabilities`.

use super::brokerage::{CapabilitiesDocument, ConnectionDocument};
use super::connector::BrokerKey;
use super::service::TradingService;
use crate::error::{ApiError, ApiResult, Problem};
use crate::extract::{Body, CurrentUser, PathId};
use crate::openapi::Routes;
use actix_web::{get, put, web};
use domain::AccountId;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

/// Longest part of a key, in bytes.
const KEY_PART_BYTES_MAX: usize = 512;

/// These URLs.
pub fn routes(config: &mut Routes<'_>) {
    config.service(enter_credentials).service(show_connection).service(show_capabilities);
}

/// Which of a broker's two worlds a key opens.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[schema(as = BrokerEnvironment)]
#[serde(rename_all = "snake_case")]
enum Environment {
    /// Play money at the broker.
    Paper,
    /// Real money.
    Live,
}

/// A key of a broker's. It is stored encrypted and never shown again.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = BrokerCredentials)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Credentials {
    environment: Environment,
    /// Its public part.
    #[schema(value_type = String)]
    key_id: SecretString,
    /// Its secret part.
    #[schema(value_type = String, format = Password)]
    secret_key: SecretString,
}

fn check(field: &str, part: &SecretString) -> ApiResult<()> {
    let part = part.expose_secret();
    if part.is_empty() {
        return Err(ApiError::field(field, "too_short", "must not be empty"));
    }
    if part.len() > KEY_PART_BYTES_MAX {
        let message = format!("must have at most {KEY_PART_BYTES_MAX} bytes");
        return Err(ApiError::field(field, "too_long", message));
    }
    if !part.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "must have visible ASCII characters and no blank";
        return Err(ApiError::field(field, "forbidden_character", message));
    }
    Ok(())
}

/// Opens an account at its broker with a key, or gives it another key. What the account holds there is booked when it is
/// opened; orders are taken once it was compared.
#[utoipa::path(tag = "account", request_body = Credentials, params(("id" = AccountId, Path)), responses(
    (status = 200, body = ConnectionDocument), (status = 404, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem), (status = 503, body = Problem)))]
#[put("/accounts/{id}/credentials")]
async fn enter_credentials(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(account): PathId<AccountId>,
    Body(credentials): Body<Credentials>,
) -> ApiResult<web::Json<ConnectionDocument>> {
    let Credentials { environment, key_id, secret_key } = credentials;
    check("keyId", &key_id)?;
    check("secretKey", &secret_key)?;
    let environment = match environment {
        Environment::Paper => "paper",
        Environment::Live => "live",
    };
    let key = BrokerKey { environment: environment.to_owned(), key_id, secret_key };
    Ok(web::Json(trading.enter_key(user.user_id, account, &key).await?))
}

/// How an account's way to its broker is.
#[utoipa::path(tag = "account", params(("id" = AccountId, Path)), responses(
    (status = 200, body = ConnectionDocument), (status = 404, body = Problem), (status = 503, body = Problem)))]
#[get("/accounts/{id}/connection")]
async fn show_connection(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(account): PathId<AccountId>,
) -> ApiResult<web::Json<ConnectionDocument>> {
    Ok(web::Json(trading.connection(user.user_id, account).await?))
}

/// What can be done in an account at its broker.
#[utoipa::path(tag = "account", params(("id" = AccountId, Path)), responses(
    (status = 200, body = CapabilitiesDocument), (status = 404, body = Problem), (status = 503, body = Problem)))]
#[get("/accounts/{id}/capabilities")]
async fn show_capabilities(
    user: CurrentUser,
    trading: web::Data<TradingService>,
    PathId(account): PathId<AccountId>,
) -> ApiResult<web::Json<CapabilitiesDocument>> {
    Ok(web::Json(trading.capabilities(user.user_id, account).await?))
}
