//! Every error the API can answer with, as one table, and how it is written: `application/problem+json` (RFC 9457).
//!
//! What went wrong inside is logged and never sent.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use serde::Serialize;
use std::fmt;
use utoipa::ToSchema;

/// Result of everything that answers a request.
pub type ApiResult<T> = Result<T, ApiError>;

/// Media type of every error.
pub const PROBLEM_CONTENT_TYPE: &str = "application/problem+json";

/// How long a client should wait when the database cannot be reached.
const RETRY_AFTER_OUTAGE_SECONDS: u64 = 1;

macro_rules! error_codes {
    ($($name:ident $status:literal $code:literal $title:literal)*) => {
        /// What can go wrong, in stable words.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $title] $name,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The HTTP status it is answered with.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The stable word for programs.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The words for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

error_codes! {
    MalformedJson         400 "malformed_json"          "The request body is not valid JSON"
    MalformedRequest      400 "malformed_request"       "The request cannot be understood"

    MissingToken          401 "missing_token"           "An access token is needed"
    InvalidToken          401 "invalid_token"           "The access token is not valid"
    ExpiredToken          401 "expired_token"           "The access token has expired"
    InvalidCredentials    401 "invalid_credentials"     "The email or the password is wrong"
    TotpRequired          401 "totp_required"           "A code of the authenticator app is needed"
    InvalidTotpCode       401 "invalid_totp_code"       "The code of the authenticator app is wrong or was used before"
    InvalidRecoveryCode   401 "invalid_recovery_code"   "The recovery code is wrong or was used before"
    InvalidRefreshToken   401 "invalid_refresh_token"   "The refresh token is not valid"
    RefreshTokenReused    401 "refresh_token_reused"    "The refresh token was used before; this login is ended"

    Forbidden             403 "forbidden"               "This is not allowed"
    RegistrationClosed    403 "registration_closed"     "This server has its user already"
    TradingHalted         403 "trading_halted"          "Trading is halted"

    NotFound              404 "not_found"               "There is nothing here"
    UnknownSymbol         404 "unknown_symbol"          "No source quotes this symbol"

    MethodNotAllowed      405 "method_not_allowed"      "This address does not know that method"

    RequestTimeout        408 "request_timeout"         "The request took too long to arrive"

    Conflict              409 "conflict"                "The request contradicts the present state"
    EmailTaken            409 "email_taken"             "This email is registered already"
    IdempotencyKeyReused  409 "idempotency_key_reused"  "The key was used before for another request"
    OrderNotUnresolved    409 "order_not_unresolved"    "Nobody has to say what became of this order"
    BrokerDisagrees       409 "broker_disagrees"        "The broker says otherwise"
    OrderNotOpen          409 "order_not_open"          "The order is not open any more"
    CancelPending         409 "cancel_pending"          "The order is being taken back"
    ReplacePending        409 "replace_pending"         "Another change of the order is under way"
    TotpAlreadyEnabled    409 "totp_already_enabled"    "Two-factor login is on already"
    TotpNotEnabled        409 "totp_not_enabled"        "Two-factor login is not on"
    TotpNotStarted        409 "totp_not_started"        "Two-factor login must be enabled before it is confirmed"
    AccountLimitReached   409 "account_limit_reached"   "No more accounts can be opened"
    NotAPaperAccount      409 "not_a_paper_account"     "Only an account of play money can do this"
    ResetUnderWay         409 "reset_under_way"         "The account is beginning anew already"
    NothingToClose        409 "nothing_to_close"        "There is no position to close"
    CloseUnderWay         409 "close_under_way"         "The position is being closed already"
    BrokerKeepsCash       409 "broker_keeps_cash"       "The broker keeps the cash of this account: money is moved there"
    BrokerKeyMissing      409 "broker_key_missing"      "No key of the broker was entered for this account"
    BrokerAccountChanged  409 "broker_account_changed"  "The broker's account is another one than was opened here"
    BrokerAccountTaken    409 "broker_account_taken"    "The account at the broker is connected to another account here"
    BrokerAccountInactive 409 "broker_account_inactive" "The broker does not let this account trade"
    BrokerOrdersOpen      409 "broker_orders_open"      "Orders are open in the account at the broker"
    BrokerBridgeMissing   409 "broker_bridge_missing"   "This server has no bridge to the broker"
    BrokerOtherCurrency   409 "broker_other_currency"   "The account at the broker is in another currency"
    BrokerRefuses         409 "broker_refuses"          "The broker does not open this account here"
    AccountNotActive      409 "account_not_active"      "The account is not active"

    BodyTooLarge          413 "body_too_large"          "The request body is too large"
    UnsupportedMediaType  415 "unsupported_media_type"  "The request body is not of the media type expected"

    ValidationFailed      422 "validation_failed"       "A field is not acceptable"
    BrokerKeyWrong        422 "broker_key_wrong"        "The broker does not know this key"
    BrokerKeyExpired      422 "broker_key_expired"      "The key has expired at the broker"
    BrokerKeyRevoked      422 "broker_key_revoked"      "The key was revoked at the broker"
    BrokerKeyNotNeeded    422 "broker_key_not_needed"   "This broker needs no key"
    ImportRefused         422 "import_refused"          "The file was not imported: nothing of it is booked"
    OrderDenied           422 "order_denied"            "The order was refused by the risk check"

    TooManyAttempts       429 "too_many_attempts"       "Too many attempts; try again later"
    TooManyOrders         429 "too_many_orders"         "Too many orders in a minute; try again later"
    TooManyRequests       429 "too_many_requests"       "Too many requests; try again later"

    Internal              500 "internal_error"          "Something went wrong here"
    Unsupported           501 "unsupported"             "The source of this share does not have that"
    ServiceUnavailable    503 "service_unavailable"     "The server cannot do this at the moment"
    NotReconciled         503 "not_reconciled"          "The account is being compared with its broker; nothing new is placed before"
    PriceUnavailable      503 "price_unavailable"       "There is no current price"
}

/// One field of a request and the rule it breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Path of the field in the body or the query, such as `limitPrice`.
    pub field: String,
    /// Stable word for the rule, such as `required` or `too_long`.
    pub rule: String,
    /// The same for people.
    pub message: String,
    /// The legal values nearest to the one that was refused, where a rule has such.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub nearest: Vec<String>,
}

impl FieldError {
    /// A field and the rule it breaks.
    #[must_use]
    pub fn new(field: impl Into<String>, rule: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), rule: rule.into(), message: message.into(), nearest: Vec::new() }
    }

    /// Adds the legal values nearest to the refused one.
    #[must_use]
    pub fn nearest(mut self, values: Vec<String>) -> Self {
        self.nearest = values;
        self
    }
}

/// An error as it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    code: ErrorCode,
    detail: String,
    errors: Vec<FieldError>,
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    /// An error with a sentence for the caller; an empty one is left out.
    #[must_use]
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after_seconds: None }
    }

    /// An error about fields.
    #[must_use]
    pub fn fields(code: ErrorCode, errors: Vec<FieldError>) -> Self {
        let detail =
            errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>();
        Self { code, detail: detail.join("; "), errors, retry_after_seconds: None }
    }

    /// A single field that is not acceptable.
    #[must_use]
    pub fn field(field: &str, rule: &str, message: impl Into<String>) -> Self {
        Self::fields(ErrorCode::ValidationFailed, vec![FieldError::new(field, rule, message)])
    }

    /// A defect: the cause is logged, the caller only learns that something went wrong.
    #[must_use]
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(ErrorCode::Internal, "")
    }

    /// Adds when to try again.
    #[must_use]
    pub const fn retry_after_seconds(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// The fields concerned.
    #[must_use]
    pub fn field_errors(&self) -> &[FieldError] {
        &self.errors
    }

    fn outage(cause: &dyn fmt::Display) -> Self {
        tracing::error!(%cause, "the database cannot be reached");
        Self::new(ErrorCode::ServiceUnavailable, "").retry_after_seconds(RETRY_AFTER_OUTAGE_SECONDS)
    }
}

/// The body of every error answer (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the code says what went wrong.
    pub r#type: String,
    /// What went wrong, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong, as a stable word.
    pub code: String,
    /// More about this case.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = false)]
    pub detail: String,
    /// The fields concerned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code.code(), self.detail)
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let problem = Problem {
            r#type: "about:blank".to_owned(),
            title: self.code.title().to_owned(),
            status: self.code.status(),
            code: self.code.code().to_owned(),
            detail: self.detail.clone(),
            errors: self.errors.clone(),
        };
        let mut response = HttpResponseBuilder::new(self.status_code());
        response.insert_header((CONTENT_TYPE, PROBLEM_CONTENT_TYPE));
        if self.code.status() == 401 {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.body(serde_json::to_string(&problem).unwrap_or_default())
    }
}

/// Server messages that mean "not now" rather than "this statement is wrong"; Postgres gives them no kind of their own.
const OUTAGE_MESSAGES: [&str; 10] = [
    "terminating connection",
    "the database system is",
    "canceling statement due to",
    "deadlock detected",
    "too many clients",
    "remaining connection slots",
    "No space left on device",
    "could not extend file",
    "out of memory",
    "out of shared memory",
];

fn is_outage(error: &DieselError) -> bool {
    match error {
        DieselError::BrokenTransactionManager => true,
        DieselError::DatabaseError(kind, information) => {
            matches!(
                kind,
                DatabaseErrorKind::UnableToSendCommand
                    | DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::SerializationFailure
                    | DatabaseErrorKind::ReadOnlyTransaction
            ) || OUTAGE_MESSAGES.iter().any(|message| information.message().contains(message))
        }
        _ => false,
    }
}

impl From<DieselError> for ApiError {
    fn from(error: DieselError) -> Self {
        if is_outage(&error) {
            Self::outage(&error)
        } else {
            Self::internal(format_args!("database: {error}"))
        }
    }
}

impl From<diesel_async::pooled_connection::deadpool::PoolError> for ApiError {
    fn from(error: diesel_async::pooled_connection::deadpool::PoolError) -> Self {
        Self::outage(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_its_own_word_and_a_valid_status() {
        let words: HashSet<_> = ErrorCode::ALL.iter().map(|code| code.code()).collect();
        assert_eq!(words.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!((400..600).contains(&code.status()), "{}", code.code());
        }
    }

    #[test]
    fn a_broken_connection_is_an_outage_and_a_wrong_statement_a_defect() {
        let database = |kind, message: &str| {
            ApiError::from(DieselError::DatabaseError(kind, Box::new(message.to_owned()))).code()
        };
        for (kind, message) in [
            (DatabaseErrorKind::UnableToSendCommand, "connection closed"),
            (DatabaseErrorKind::Unknown, "terminating connection due to administrator command"),
            (DatabaseErrorKind::Unknown, "canceling statement due to statement timeout"),
            (DatabaseErrorKind::Unknown, "could not extend file \"base/5/1\": No space left on device"),
        ] {
            assert_eq!(database(kind, message), ErrorCode::ServiceUnavailable, "{message}");
        }
        assert_eq!(database(DatabaseErrorKind::CheckViolation, "violates check"), ErrorCode::Internal);
    }

    #[test]
    fn an_internal_error_tells_the_caller_nothing() {
        let error = ApiError::internal("password of the database is wrong");
        assert!(error.detail.is_empty());
    }
}
