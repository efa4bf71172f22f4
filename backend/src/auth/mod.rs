//! Users, logins and sessions.

use crate::db::Pool;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::extract::CurrentUser;
use crate::settings::Settings;
use actix_web::http::header::HeaderMap;
use utoipa_actix_web::service_config::ServiceConfig;

/// Users and their sessions.
pub struct Auth {}

impl Auth {
    /// Builds the service.
    ///
    /// # Errors
    /// When a secret cannot be used.
    pub fn new(_pool: Pool, _settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self {})
    }

    /// Who is calling, by the access token in a request's headers.
    ///
    /// # Errors
    /// `401` with the reason.
    pub async fn authenticate(&self, _headers: &HeaderMap) -> ApiResult<CurrentUser> {
        Err(ApiError::new(ErrorCode::MissingToken, ""))
    }
}

/// This module's URLs.
pub fn routes(_config: &mut ServiceConfig<'_>) {}
