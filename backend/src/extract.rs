//! How a request's parts become typed values, and how those that do not are refused.
//!
//! A handler that takes these extractors never sees an invalid value: what is wrong is answered as a problem that
//! names the field and the rule.

use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::refusal::{self, WHOLE_BODY};
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use domain::{ClientOrderId, UserId};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;
use utoipa::PartialSchema;
use uuid::Uuid;

/// Most bytes of a request body.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Longest time from a request's headers to the end of its body: who sends slower keeps others out.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// Most bytes of an uploaded file, and the longest time from a request's headers to its end.
pub const UPLOAD_BYTES_MAX: usize = 2 * 1024 * 1024;
/// See [`UPLOAD_BYTES_MAX`].
pub const UPLOAD_TIME_MAX: Duration = Duration::from_secs(30);
/// Most bytes of a query string.
pub const QUERY_BYTES_MAX: usize = 4 * 1024;
/// Header that names an order for its caller.
pub const IDEMPOTENCY_KEY_HEADER: &str = "Idempotency-Key";

/// The person a request is made for: the access token was valid and its session is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentUser {
    /// Who.
    pub user_id: UserId,
    /// By which login.
    pub session_id: Uuid,
}

impl FromRequest for CurrentUser {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // The gate in `crate::middleware` has put it there; without it nobody has checked the token.
        let user = request.extensions().get::<Self>().copied();
        ready(user.ok_or_else(|| ApiError::new(ErrorCode::MissingToken, "")))
    }
}

/// The JSON body of a request. A missing body reads as `{}`, so that requests whose fields are all optional need none.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + PartialSchema + 'static> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            check_content_headers(&request, "application/json", BODY_BYTES_MAX)?;
            let bytes = tokio::time::timeout(BODY_TIME_MAX, read_limited(payload, BODY_BYTES_MAX)).await;
            let bytes = bytes.map_err(|_| ApiError::new(ErrorCode::RequestTimeout, ""))??;
            read_json(if bytes.is_empty() { b"{}" } else { &bytes }).map(Self)
        })
    }
}

fn check_content_headers(request: &HttpRequest, expected: &str, bytes_max: usize) -> ApiResult<()> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    if let Some(content_type) = header(CONTENT_TYPE) {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(expected) {
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, format!("must be {expected}")));
        }
    }
    if header(CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(ApiError::new(ErrorCode::UnsupportedMediaType, "a compressed body is not accepted"));
    }
    let announced_bytes = header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()).unwrap_or(0);
    if announced_bytes > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(body_too_large(bytes_max));
    }
    Ok(())
}

fn body_too_large(bytes_max: usize) -> ApiError {
    ApiError::new(ErrorCode::BodyTooLarge, format!("at most {bytes_max} bytes are accepted"))
}

async fn read_limited(mut payload: Payload, bytes_max: usize) -> ApiResult<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(ErrorCode::MalformedRequest, "the body ended early"))?;
        if bytes.len() + chunk.len() > bytes_max {
            return Err(body_too_large(bytes_max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A text file as the body of a request: `text/csv`, at most [`UPLOAD_BYTES_MAX`].
#[derive(Debug)]
pub struct Upload {
    /// The file as it came.
    pub bytes: Vec<u8>,
    encoding: &'static encoding_rs::Encoding,
}

impl FromRequest for Upload {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = ApiResult<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            check_content_headers(&request, "text/csv", UPLOAD_BYTES_MAX)?;
            let encoding = charset_of(&request)?;
            let bytes = tokio::time::timeout(UPLOAD_TIME_MAX, read_limited(payload, UPLOAD_BYTES_MAX)).await;
            let bytes = bytes.map_err(|_| ApiError::new(ErrorCode::RequestTimeout, ""))??;
            Ok(Self { bytes, encoding })
        })
    }
}

/// UTF-8, or the Korean code page where the sender says so.
fn charset_of(request: &HttpRequest) -> ApiResult<&'static encoding_rs::Encoding> {
    let header =
        request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let charset = header
        .split(';')
        .skip(1)
        .filter_map(|part| part.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("charset"));
    let label = charset.map_or("utf-8", |(_, label)| label.trim_matches('"'));
    encoding_rs::Encoding::for_label(label.as_bytes())
        .filter(|encoding| [encoding_rs::UTF_8, encoding_rs::EUC_KR].contains(encoding))
        .ok_or_else(|| ApiError::new(ErrorCode::UnsupportedMediaType, "the charset must be utf-8 or euc-kr"))
}

impl Upload {
    /// The file as text.
    ///
    /// # Errors
    /// A field error that names the first line which is not text in the charset that was given, or holds NUL.
    pub fn text(&self) -> ApiResult<String> {
        let (text, malformed) = self.encoding.decode_without_bom_handling(&self.bytes);
        let wrong = match malformed {
            true => text.find('\u{fffd}'),
            false => text.find('\0'),
        };
        let Some(at) = wrong else { return Ok(text.into_owned()) };
        let line = 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        let name = self.encoding.name();
        Err(ApiError::field("body", "not_text", format!("line {line} has bytes that are no text in {name}")))
    }
}

fn read_json<T: DeserializeOwned + PartialSchema>(bytes: &[u8]) -> ApiResult<T> {
    refuse_nul(bytes)?;
    refuse_array(bytes)?;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        // What is no JSON at all is told as that, wherever the reader stumbled first. The reader's own word for it does
        // not help: it calls a number where one of several words belongs a mistake of syntax.
        let body = match serde_json::from_slice::<serde_json::Value>(bytes) {
            Err(error) => return malformed(&error),
            Ok(body) => body,
        };
        let path = error.path().to_string();
        let refusals = refusal::all_of::<T>(&body, &path, &error.into_inner().to_string());
        ApiError::fields(ErrorCode::ValidationFailed, refusals)
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> ApiError {
    ApiError::new(ErrorCode::MalformedJson, error.to_string())
}

/// A structure would also be read from a list of its fields without their names, which nobody means.
fn refuse_array(bytes: &[u8]) -> ApiResult<()> {
    if !bytes.trim_ascii_start().starts_with(b"[") {
        return Ok(());
    }
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(_) => Err(ApiError::field(WHOLE_BODY, "wrong_type", "must be an object")),
        Err(error) => Err(malformed(&error)),
    }
}

/// Postgres cannot store NUL in a text, so no text may hold one. The escape is rare: only when its letters occur is the
/// body read a first time to tell an escape from an escaped backslash.
fn refuse_nul(bytes: &[u8]) -> ApiResult<()> {
    const ESCAPE: &[u8] = b"\\u0000";
    if !bytes.windows(ESCAPE.len()).any(|window| window == ESCAPE) {
        return Ok(());
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    match find_nul(&value, "") {
        Some(field) => Err(nul_refused(&field)),
        None => Ok(()),
    }
}

fn nul_refused(field: &str) -> ApiError {
    ApiError::field(field, "forbidden_character", "must not contain the character NUL")
}

fn find_nul(value: &serde_json::Value, path: &str) -> Option<String> {
    use serde_json::Value;
    let join = |key: &str| {
        if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
    };
    match value {
        Value::String(text) => text.contains('\0').then(|| path.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, item)| find_nul(item, &format!("{path}[{at}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(key, field)| {
            if key.contains('\0') { Some(join("?")) } else { find_nul(field, &join(key)) }
        }),
        _ => None,
    }
}

/// The query string of a request.
#[derive(Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Params<T> {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read_query(request.query_string()).map(Self))
    }
}

fn read_query<T: DeserializeOwned>(query: &str) -> ApiResult<T> {
    if query.len() > QUERY_BYTES_MAX {
        return Err(ApiError::new(ErrorCode::MalformedRequest, "the query string is too long"));
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
        .map_err(|_| ApiError::new(ErrorCode::MalformedRequest, "the query string cannot be read"))?;
    if let Some((key, _)) = pairs.iter().find(|(key, value)| key.contains('\0') || value.contains('\0')) {
        return Err(nul_refused(&key.replace('\0', "?")));
    }
    // A parameter left empty, as an HTML form sends it, is a parameter not given.
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    let text = serde_urlencoded::to_string(given.collect::<Vec<_>>()).map_err(ApiError::internal)?;
    let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let refused = refusal::explain(&path, &error.into_inner().to_string());
        ApiError::fields(ErrorCode::ValidationFailed, vec![refused])
    })
}

/// The id in a path such as `/api/orders/{id}`. What is no id names nothing, so it is not found.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

impl<T: FromStr> FromRequest for PathId<T> {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().iter().next().map(|(_, text)| text).unwrap_or_default();
        ready(text.parse().map(Self).map_err(|_| ApiError::new(ErrorCode::NotFound, "")))
    }
}

/// The caller's own name for what is created, from the header `Idempotency-Key`.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub Option<ClientOrderId>);

impl FromRequest for IdempotencyKey {
    type Error = ApiError;
    type Future = Ready<ApiResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut values = request.headers().get_all(IDEMPOTENCY_KEY_HEADER);
        let refused = |message: String| ApiError::field(IDEMPOTENCY_KEY_HEADER, "invalid", message);
        ready(match (values.next(), values.next()) {
            (None, _) => Ok(Self(None)),
            (Some(_), Some(_)) => Err(refused("is given more than once".to_owned())),
            (Some(value), None) => value
                .to_str()
                .unwrap_or_default()
                .parse()
                .map(|key| Self(Some(key)))
                .map_err(|error: domain::ids::ClientOrderIdError| refused(error.to_string())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::FieldError;
    use actix_web::error::PayloadError;
    use serde::Deserialize;
    use utoipa::ToSchema;

    #[derive(Debug, Deserialize, ToSchema)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Order {
        #[allow(dead_code, reason = "only its reading is tested")]
        limit_price: domain::Price,
        #[allow(dead_code, reason = "only its reading is tested")]
        side: Option<domain::Side>,
    }

    fn refusal(json: &str) -> (ErrorCode, String, String) {
        let error = read_json::<Order>(json.as_bytes()).unwrap_err();
        let field = error.field_errors().first().cloned();
        let field = field.unwrap_or_else(|| FieldError::new("", "", ""));
        (error.code(), field.field, field.rule)
    }

    #[test]
    fn what_is_wrong_is_named_by_field_and_rule() {
        for (json, field, rule) in [
            (r"{}", "limitPrice", "required"),
            (r#"{"limitPrice":"1","x":1}"#, "x", "unknown_field"),
            (r#"{"limitPrice":"1","limitPrice":"2"}"#, "limitPrice", "duplicate_field"),
            (r#"{"limitPrice":1}"#, "limitPrice", "wrong_type"),
            (r#"{"limitPrice":null}"#, "limitPrice", "wrong_type"),
            (r#"{"limitPrice":"-1"}"#, "limitPrice", "not_positive"),
            (r#"{"limitPrice":"1e9999"}"#, "limitPrice", "not_a_number"),
            (r#"{"limitPrice":"1","side":"steal"}"#, "side", "unknown_value"),
            (r#"{"limitPrice":"1","side":7}"#, "side", "wrong_type"),
            (r#"["1", "buy"]"#, "body", "wrong_type"),
            ("null", "body", "wrong_type"),
            ("7", "body", "wrong_type"),
            (r#"{"limitPrice":"1\u0000"}"#, "limitPrice", "forbidden_character"),
        ] {
            assert_eq!(
                refusal(json),
                (ErrorCode::ValidationFailed, field.to_owned(), rule.to_owned()),
                "{json}"
            );
        }
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        let deep = "[".repeat(60_000);
        let closed = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        for json in [
            "{",
            "nonsense",
            r#"{"limitPrice":"1"}x"#,
            r#"{"limitPrice":"\ud800"}"#,
            r#"{"limitPrice":NaN}"#,
            "{\"limitPrice\":\"\u{0}\"}",
            &deep,
            &closed,
            r#"{"limitPrice":1"#,
            "{\"unknown\":\"\u{0}\"}",
        ] {
            assert_eq!(refusal(json).0, ErrorCode::MalformedJson, "{}", &json[..json.len().min(40)]);
        }
        let deep_unknown = format!(r#"{{"x":{}}}"#, "[".repeat(60_000));
        assert!(read_json::<Order>(deep_unknown.as_bytes()).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_is_not_waited_for_without_end() {
        let request = actix_web::test::TestRequest::post().to_http_request();
        let begun = futures_util::stream::iter([Ok(actix_web::web::Bytes::from_static(b"{"))]);
        let begun = begun.chain(futures_util::stream::pending::<Result<_, PayloadError>>());
        let mut payload: Payload = Payload::Stream { payload: Box::pin(begun) };
        let refused = Body::<serde_json::Value>::from_request(&request, &mut payload).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RequestTimeout);
    }

    #[test]
    fn an_escaped_backslash_is_no_nul() {
        assert!(refuse_nul(br#"{"a":"\\u0000"}"#).is_ok());
        assert!(refuse_nul(br#"{"a":["x","\u0000"]}"#).is_err());
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        limit: Option<u16>,
    }

    #[test]
    fn a_query_is_read_and_refused_by_name() {
        assert_eq!(read_query::<Page>("limit=5").unwrap().limit, Some(5));
        assert_eq!(read_query::<Page>("").unwrap().limit, None);
        assert_eq!(read_query::<Page>("limit=").unwrap().limit, None);
        for (query, field) in [
            ("limit=-1", "limit"),
            ("limit=99999999", "limit"),
            ("limit=1&limit=2", "limit"),
            ("other=1", "other"),
            ("limit=%00", "limit"),
        ] {
            let error = read_query::<Page>(query).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ValidationFailed, "{query}");
            assert_eq!(error.field_errors()[0].field, field, "{query}");
        }
    }
}
