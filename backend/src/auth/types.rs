//! What this module's requests and answers look like.

use super::display_name::DisplayName;
use super::email::Email;
use super::recovery::RecoveryCode;
use super::store::UserRow;
use super::totp::TotpCode;
use chrono::{DateTime, Utc};
use domain::UserId;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// The language somebody reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Language {
    /// As stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    fn from_code(code: &str) -> Self {
        if code == Self::Ko.code() { Self::Ko } else { Self::En }
    }
}

/// A user, as shown to that user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Who.
    pub id: UserId,
    /// As written at registration.
    pub email: String,
    /// Chosen name.
    #[schema(required = true)]
    pub display_name: Option<String>,
    /// Language read.
    pub language: Language,
    /// Whether logging in takes a code as well.
    pub totp_enabled: bool,
    /// When registered.
    pub created_at: DateTime<Utc>,
}

impl From<UserRow> for Profile {
    fn from(row: UserRow) -> Self {
        Self {
            id: UserId(row.id),
            email: row.email,
            display_name: row.display_name,
            language: Language::from_code(&row.language),
            totp_enabled: row.totp_enabled,
            created_at: row.created_at,
        }
    }
}

/// Somebody who wants to become a user.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RegisterRequest {
    #[schema(value_type = String, format = "email", max_length = 254)]
    pub(super) email: Email,
    /// Any characters; common ones are refused.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 128)]
    pub(super) password: SecretString,
    #[schema(value_type = Option<String>, max_length = 64)]
    pub(super) display_name: Option<DisplayName>,
    #[serde(default)]
    pub(super) language: Language,
}

/// A new user.
#[derive(Serialize, ToSchema)]
pub(super) struct RegisterAnswer {
    pub(super) user: Profile,
}

/// Whether one can become a user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegistrationAnswer {
    pub(super) is_open: bool,
}

/// How the refresh token is handed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Delivery {
    /// In the answer; for programs.
    #[default]
    Body,
    /// In a cookie that scripts cannot read; for browsers.
    Cookie,
}

/// Somebody who says to be a user.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LoginRequest {
    #[schema(value_type = String, format = "email", max_length = 254)]
    pub(super) email: Email,
    #[schema(value_type = String, format = "password")]
    pub(super) password: SecretString,
    /// Needed when two-factor login is on.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{6}$")]
    pub(super) totp_code: Option<TotpCode>,
    /// In place of `totpCode`, for whoever has lost the app: one of the codes that were given when it was switched on. Each
    /// works once.
    #[schema(value_type = Option<String>, max_length = 64)]
    pub(super) recovery_code: Option<RecoveryCode>,
    #[serde(default)]
    pub(super) deliver_refresh_token: Delivery,
}

/// The tokens of a login.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoginAnswer {
    /// Goes into the header `Authorization: Bearer …`.
    pub(super) access_token: String,
    /// How long the access token is valid.
    pub(super) expires_in_seconds: i64,
    /// Works once, for seven days. Absent when it is delivered in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    pub(super) user: Profile,
}

/// A refresh token, unless the cookie holds it.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RefreshRequest {
    #[schema(value_type = Option<String>)]
    pub(super) refresh_token: Option<SecretString>,
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProfileRequest {
    /// `null` removes the name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 64)]
    pub(super) display_name: Option<Option<DisplayName>>,
    pub(super) language: Option<Language>,
}

/// Tells a field that is `null` from one that is absent.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Proof that it is really the owner who wants another password.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PasswordRequest {
    #[schema(value_type = String, format = "password")]
    pub(super) current_password: SecretString,
    /// Any characters; common ones are refused.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 128)]
    pub(super) new_password: SecretString,
    /// Of the app, when two-factor login is on. Either this or `recoveryCode`.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{6}$")]
    pub(super) code: Option<TotpCode>,
    /// Of whoever has lost the app.
    #[schema(value_type = Option<String>, max_length = 64)]
    pub(super) recovery_code: Option<RecoveryCode>,
    #[serde(default)]
    pub(super) deliver_refresh_token: Delivery,
}

/// Nothing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// What goes into an authenticator app.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TotpEnableAnswer {
    /// To type in, base 32.
    pub(super) secret: String,
    /// To show as a QR code.
    pub(super) otpauth_uri: String,
}

/// The first code of a new app.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TotpConfirmRequest {
    #[schema(value_type = String, pattern = "^[0-9]{6}$")]
    pub(super) code: TotpCode,
}

/// Proof that it is really the owner who wants a weaker login.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TotpDisableRequest {
    #[schema(value_type = String, format = "password")]
    pub(super) password: SecretString,
    /// Of the app. Either this or `recoveryCode`.
    #[schema(value_type = Option<String>, pattern = "^[0-9]{6}$")]
    pub(super) code: Option<TotpCode>,
    /// Of whoever has lost the app.
    #[schema(value_type = Option<String>, max_length = 64)]
    pub(super) recovery_code: Option<RecoveryCode>,
}

/// Proof that it is really the owner who wants other recovery codes.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RecoveryCodesRequest {
    #[schema(value_type = String, format = "password")]
    pub(super) password: SecretString,
    /// Of the app; a recovery code will not do.
    #[schema(value_type = String, pattern = "^[0-9]{6}$")]
    pub(super) code: TotpCode,
}

/// Recovery codes. They are shown once: only their hashes are kept.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecoveryCodesAnswer {
    /// Each logs in once in place of the app's code. Hyphens and case do not count.
    pub(super) recovery_codes: Vec<String>,
}

impl From<Vec<RecoveryCode>> for RecoveryCodesAnswer {
    fn from(codes: Vec<RecoveryCode>) -> Self {
        Self { recovery_codes: codes.iter().map(RecoveryCode::in_groups).collect() }
    }
}

/// How many recovery codes are left.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecoveryCodesLeft {
    pub(super) recovery_codes_left: i64,
}
