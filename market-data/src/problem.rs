//! Refusals over HTTP: one table of codes, and how they are written (RFC 9457).

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// Every refusal this server knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The symbol in the path cannot be one.
    InvalidSymbol,
    /// No provider in use has it.
    UnknownSymbol(String),
    /// It exists, and there is no price of it yet.
    NoPriceYet(String),
    /// A query parameter breaks a rule.
    InvalidParameter { field: String, rule: &'static str, message: String },
    /// The provider does not offer this.
    Unsupported(String),
    /// The provider does not answer.
    ProviderUnavailable(String),
    /// No such URL.
    NotFound,
    /// The URL exists, for another method.
    MethodNotAllowed,
    /// `/ws` without a WebSocket handshake.
    UpgradeRequired,
    /// As many WebSocket connections as the server takes.
    TooManyConnections,
    /// As many as it takes from one address.
    TooManyConnectionsFromAddress,
    /// The token of this setting is missing or wrong.
    Forbidden(&'static str),
    /// No provider works.
    NotReady,
}

#[derive(Serialize)]
struct FieldError<'a> {
    field: &'a str,
    rule: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError<'a>>,
}

impl Problem {
    /// Status, code and words.
    fn row(&self) -> (StatusCode, &'static str, String) {
        use StatusCode as S;
        match self {
            Self::InvalidSymbol => {
                (S::BAD_REQUEST, "invalid_symbol", domain::instrument::SymbolError.to_string())
            }
            Self::UnknownSymbol(symbol) => {
                (S::NOT_FOUND, "unknown_symbol", format!("no provider in use knows {symbol}"))
            }
            Self::NoPriceYet(symbol) => (
                S::SERVICE_UNAVAILABLE,
                "no_price_yet",
                format!("there is no price of {symbol} yet; try again"),
            ),
            Self::InvalidParameter { field, message, .. } => {
                (S::BAD_REQUEST, "validation_failed", format!("{field} {message}"))
            }
            Self::Unsupported(what) => (S::NOT_IMPLEMENTED, "unsupported", what.clone()),
            Self::ProviderUnavailable(why) => (S::SERVICE_UNAVAILABLE, "provider_unavailable", why.clone()),
            Self::NotFound => (S::NOT_FOUND, "not_found", "there is nothing at this address".to_owned()),
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "only GET is answered".to_owned())
            }
            Self::Forbidden(setting) => {
                (S::FORBIDDEN, "forbidden", format!("the token of {setting} is needed"))
            }
            Self::UpgradeRequired => (
                S::UPGRADE_REQUIRED,
                "upgrade_required",
                "this address speaks WebSocket, version 13".to_owned(),
            ),
            Self::TooManyConnections => (
                S::SERVICE_UNAVAILABLE,
                "too_many_connections",
                "the server is full; try again later".to_owned(),
            ),
            Self::TooManyConnectionsFromAddress => (
                S::TOO_MANY_REQUESTS,
                "too_many_connections",
                "too many connections from this address".to_owned(),
            ),
            Self::NotReady => {
                (S::SERVICE_UNAVAILABLE, "not_ready", "the server is starting or stopping".to_owned())
            }
        }
    }

    /// Its stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.row().1
    }

    /// The answer.
    pub(crate) fn response(&self) -> Response<Full<Bytes>> {
        let (status, code, detail) = self.row();
        let errors = match self {
            Self::InvalidParameter { field, rule, message } => vec![FieldError { field, rule, message }],
            Self::InvalidSymbol => {
                vec![FieldError { field: "symbol", rule: "invalid_symbol", message: &detail }]
            }
            _ => Vec::new(),
        };
        let document = Document {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code,
            detail: &detail,
            errors,
        };
        let mut response = Response::new(Full::from(serde_json::to_vec(&document).unwrap_or_default()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self {
            Self::MethodNotAllowed => _ = headers.insert("allow", HeaderValue::from_static("GET, HEAD")),
            Self::UpgradeRequired => _ = headers.insert("upgrade", HeaderValue::from_static("websocket")),
            Self::NoPriceYet(_) | Self::ProviderUnavailable(_) | Self::TooManyConnectionsFromAddress => {
                _ = headers.insert("retry-after", HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}
