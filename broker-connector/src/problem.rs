//! Errors as they are answered: `application/problem+json` (RFC 9457) with a stable code. Causes inside are logged
//! and never sent.

use crate::broker::{BrokerError, KeyTrouble, OpeningTrouble};
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;
use std::fmt;
use std::time::Duration;

/// What can go wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The body is no JSON.
    MalformedJson(String),
    /// A field breaks a rule.
    Validation { field: String, rule: &'static str, message: String },
    /// The secret is missing or wrong.
    InvalidToken,
    /// No such address, or nothing of that id.
    NotFound,
    /// The address exists, the method does not.
    MethodNotAllowed,
    /// What was asked contradicts what is.
    Conflict(String),
    /// The body is larger than any request may be.
    BodyTooLarge,
    /// The broker cannot do this at all.
    Unsupported(String),
    /// The broker has refused it for good.
    BrokerRefused(String),
    /// The broker does not let us in.
    Key(KeyTrouble),
    /// The account behind a good key is not opened here.
    NotOpened(OpeningTrouble, String),
    /// The broker was asked too often.
    RateLimited(Duration),
    /// The broker or the database cannot be reached.
    Unavailable,
}

impl Problem {
    pub(crate) fn field(field: impl Into<String>, rule: &'static str, message: impl Into<String>) -> Self {
        Self::Validation { field: field.into(), rule, message: message.into() }
    }

    /// Status, code and title: the table of all errors.
    const fn row(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::MalformedJson(_) => {
                (StatusCode::BAD_REQUEST, "malformed_json", "The request body is not valid JSON")
            }
            Self::Validation { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", "A field is not acceptable")
            }
            Self::InvalidToken => {
                (StatusCode::UNAUTHORIZED, "invalid_token", "The internal token is not valid")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "There is nothing here"),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This address does not know that method",
            ),
            Self::Conflict(_) => {
                (StatusCode::CONFLICT, "conflict", "The request contradicts the present state")
            }
            Self::BodyTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The request body is too large")
            }
            Self::Unsupported(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unsupported", "The broker cannot do this")
            }
            Self::BrokerRefused(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "broker_refused", "The broker refuses this")
            }
            Self::Key(trouble) => {
                (StatusCode::UNPROCESSABLE_ENTITY, trouble.word(), "The broker does not let us in")
            }
            Self::NotOpened(trouble, _) => {
                (StatusCode::CONFLICT, trouble.word(), "The broker does not open this account here")
            }
            Self::RateLimited(_) => {
                (StatusCode::TOO_MANY_REQUESTS, "rate_limited", "The broker was asked too often")
            }
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "service_unavailable",
                "The connector cannot do this at the moment",
            ),
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::MalformedJson(detail)
            | Self::Conflict(detail)
            | Self::Unsupported(detail)
            | Self::BrokerRefused(detail)
            | Self::NotOpened(_, detail) => Some(detail.clone()),
            Self::Key(trouble) => Some(trouble.to_string()),
            Self::Validation { field, message, .. } => Some(format!("{field}: {message}")),
            Self::InvalidToken
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::BodyTooLarge
            | Self::RateLimited(_)
            | Self::Unavailable => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, code, title) = self.row();
        write!(formatter, "{code}: {title}")
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.row().0
    }

    fn error_response(&self) -> HttpResponse {
        let (status, code, title) = self.row();
        let mut body =
            json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "code": code });
        if let (Some(object), Some(detail)) = (body.as_object_mut(), self.detail()) {
            object.insert("detail".into(), detail.into());
            if let Self::Validation { field, rule, message } = self {
                let error = json!({ "field": field, "rule": rule, "message": message });
                object.insert("errors".into(), json!([error]));
            }
        }
        let mut response = HttpResponse::build(status);
        if let Self::RateLimited(after) = self {
            response.insert_header((RETRY_AFTER, after.as_secs().max(1)));
        }
        response.content_type("application/problem+json").body(body.to_string())
    }
}

impl From<BrokerError> for Problem {
    fn from(error: BrokerError) -> Self {
        match error {
            BrokerError::Unavailable(cause) => {
                tracing::warn!(%cause, "a request could not be served");
                Self::Unavailable
            }
            BrokerError::Conflict(detail) => Self::Conflict(detail),
            BrokerError::Unsupported(detail) => Self::Unsupported(detail),
            BrokerError::Rejected(detail) => Self::BrokerRefused(detail),
            BrokerError::AuthExpired(trouble) => Self::Key(trouble),
            BrokerError::NotOpened(trouble, detail) => Self::NotOpened(trouble, detail),
            BrokerError::RateLimited(after) => Self::RateLimited(after),
        }
    }
}
