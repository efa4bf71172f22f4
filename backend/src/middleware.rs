//! What happens around every request: an id, the access log, the gate in front of `/api`, and a net for panics.

use crate::auth::Auth;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::extract::CurrentUser;
use crate::routes::KnownRoutes;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError, web};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

/// Header under which the answer names the request in the log.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// What the page may load: only from here, and nothing written into the page itself.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Gives a request an id, logs its end, and turns a panic into an answer.
///
/// # Errors
/// Those of the request's own handling.
pub async fn trace(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = Uuid::now_v7();
    let started = Instant::now();
    let method = request.method().clone();
    let path = request.path().to_owned();
    let span = tracing::info_span!("request", %id);
    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().instrument(span.clone()).await;
    let _entered = span.enter();
    let mut result = outcome.unwrap_or_else(|_| Err(ApiError::internal("a request handler panicked").into()));
    if let Ok(response) = &mut result {
        let elapsed_micros = started.elapsed().as_micros();
        tracing::debug!(%method, ?path, status = response.status().as_u16(), elapsed_micros, "answered");
        if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
            response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
        }
    }
    result
}

/// Adds the headers that make browsers careful.
///
/// # Errors
/// Those of the request's own handling.
pub async fn harden(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let is_api = request.path().starts_with("/api");
    let mut response = next.call(request).await?;
    add_security_headers(response.headers_mut(), is_api);
    Ok(response)
}

fn add_security_headers(headers: &mut HeaderMap, is_api: bool) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if is_api && !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The gate: whatever stands under `/api` and is not on the list of public routes needs a valid access token. A
/// handler that forgets to ask who is calling is still closed to strangers.
///
/// # Errors
/// Those of the request's own handling.
pub async fn gate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let known = request.app_data::<web::Data<KnownRoutes>>();
    let open = |pattern: &str| known.is_some_and(|known| known.is_open(request.method(), pattern));
    // The path as the router reads it: one written with %-escapes must not look like another here.
    match request.resource_map().match_pattern(request.match_info().as_str()) {
        Some(pattern) if open(&pattern) => {}
        Some(_) => match authenticate(&request).await {
            Ok(user) => _ = request.extensions_mut().insert(user),
            // An answer, not an error: errors would pass by the middleware that adds headers.
            Err(error) => return Ok(request.into_response(error.error_response()).map_into_right_body()),
        },
        // No route matches, so there is nothing to protect; and whatever the router may think, nothing is reached.
        None => {
            let answer = ApiError::new(ErrorCode::NotFound, "").error_response();
            return Ok(request.into_response(answer).map_into_right_body());
        }
    }
    next.call(request).await.map(ServiceResponse::map_into_left_body)
}

async fn authenticate(request: &ServiceRequest) -> ApiResult<CurrentUser> {
    let auth = request.app_data::<web::Data<Auth>>().cloned();
    let auth = auth.ok_or_else(|| ApiError::internal("the gate knows nobody to ask"))?;
    auth.authenticate(request.headers()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service, read_body, try_call_service};
    use actix_web::{App, HttpResponse};

    async fn broken() -> HttpResponse {
        panic!("a defect")
    }

    #[actix_web::test]
    async fn a_panic_becomes_an_answer_that_tells_nothing() {
        let app = App::new()
            .route("/broken", web::get().to(broken))
            .route("/whole", web::get().to(HttpResponse::Ok))
            .wrap(from_fn(harden))
            .wrap(from_fn(trace));
        let app = init_service(app).await;
        let error =
            try_call_service(&app, TestRequest::get().uri("/broken").to_request()).await.err().unwrap();
        let answer = error.error_response();
        assert_eq!(answer.status(), 500);
        let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
        assert!(body.windows(14).any(|window| window == b"internal_error"), "{body:?}");
        assert!(!body.windows(6).any(|window| window == b"defect"), "{body:?}");
        let answer = call_service(&app, TestRequest::get().uri("/whole").to_request()).await;
        assert_eq!(answer.status(), 200, "the server lives on");
        assert!(read_body(answer).await.is_empty());
    }

    async fn forgetful() -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    #[actix_web::test]
    async fn a_handler_that_asks_nobody_is_closed_however_its_path_is_written() {
        let routes = web::scope("/api")
            .route("/secrets", web::get().to(forgetful))
            .default_service(web::to(forgetful))
            .wrap(from_fn(gate));
        let app = init_service(App::new().service(routes)).await;
        for path in
            ["/api/secrets", "/api/%73ecrets", "/api/s%65cret%73", "/api/%2e/secrets", "/api/other", "/api"]
        {
            let answer = call_service(&app, TestRequest::get().uri(path).to_request()).await;
            assert!(!answer.status().is_success(), "{path}: {}", answer.status());
        }
    }
}
