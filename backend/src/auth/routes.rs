//! This module's URLs.

use super::client::ClientOrigin;
use super::new_password::PasswordChange;
use super::service::{Auth, Credentials, Login, Registration};
use super::tokens::{ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_DAYS};
use super::two_factor::SecondFactor;
use super::types::{
    Delivery, LoginAnswer, LoginRequest, Nothing, PasswordRequest, Profile, ProfileRequest,
    RecoveryCodesAnswer, RecoveryCodesLeft, RecoveryCodesRequest, RefreshRequest, RegisterAnswer,
    RegisterRequest, RegistrationAnswer, TotpConfirmRequest, TotpDisableRequest, TotpEnableAnswer,
};
use crate::error::{ApiError, ApiResult, ErrorCode, Problem};
use crate::extract::{Body, CurrentUser};
use crate::openapi::Routes;
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get, post, put};
use secrecy::{ExposeSecret, SecretString};

/// Cookie that holds the refresh token of a browser.
const REFRESH_COOKIE: &str = "gaemi_refresh";
/// Nothing outside of this path sees the cookie.
const REFRESH_COOKIE_PATH: &str = "/api/auth";

pub(super) fn all(config: &mut Routes<'_>) {
    config
        .service(register)
        .service(show_registration)
        .service(login)
        .service(refresh)
        .service(logout)
        .service(show_profile)
        .service(change_profile)
        .service(change_password)
        .service(enable_totp)
        .service(confirm_totp)
        .service(show_recovery_codes_left)
        .service(replace_recovery_codes)
        .service(disable_totp);
}

/// Become a user.
#[utoipa::path(tag = "auth", security(()), request_body = RegisterRequest, responses(
    (status = 201, body = RegisterAnswer),
    (status = 403, description = "registration_closed", body = Problem),
    (status = 409, description = "email_taken", body = Problem),
    (status = 422, description = "validation_failed", body = Problem),
    (status = 429, description = "too_many_attempts; see Retry-After", body = Problem)
))]
#[post("/auth/register")]
async fn register(
    http: HttpRequest,
    auth: Data<Auth>,
    Body(request): Body<RegisterRequest>,
) -> ApiResult<HttpResponse> {
    let origin = ClientOrigin::of(&http, auth.trust_proxy);
    let RegisterRequest { email, password, display_name, language } = request;
    let registration = Registration { email, password, display_name, language };
    let user = auth.register(registration, origin.address).await?;
    Ok(HttpResponse::Created().json(RegisterAnswer { user }))
}

/// Whether one can become a user: on a server for one person only the first can.
#[utoipa::path(tag = "auth", security(()), responses((status = 200, body = RegistrationAnswer)))]
#[get("/auth/registration")]
async fn show_registration(auth: Data<Auth>) -> ApiResult<Json<RegistrationAnswer>> {
    Ok(Json(RegistrationAnswer { is_open: auth.registration_is_open().await? }))
}

/// Log in.
#[utoipa::path(tag = "auth", security(()), request_body = LoginRequest, responses(
    (status = 200, body = LoginAnswer),
    (status = 401, description = "invalid_credentials, totp_required, invalid_totp_code or invalid_recovery_code",
        body = Problem),
    (status = 422, description = "validation_failed", body = Problem),
    (status = 429, description = "too_many_attempts; see Retry-After", body = Problem)
))]
#[post("/auth/login")]
async fn login(
    http: HttpRequest,
    auth: Data<Auth>,
    Body(request): Body<LoginRequest>,
) -> ApiResult<HttpResponse> {
    let origin = ClientOrigin::of(&http, auth.trust_proxy);
    let LoginRequest { email, password, totp_code, recovery_code, deliver_refresh_token } = request;
    let second_factor = SecondFactor::of(("totpCode", totp_code), recovery_code)?;
    let done = auth.login(Credentials { email, password, second_factor }, origin.address).await?;
    Ok(answer(done, deliver_refresh_token, origin))
}

/// Renew a login. A refresh token works once; the answer holds the next one.
#[utoipa::path(tag = "auth", security(()), request_body = RefreshRequest, responses(
    (status = 200, body = LoginAnswer),
    (status = 401, description = "invalid_refresh_token, or refresh_token_reused: the login is ended", body = Problem)
))]
#[post("/auth/refresh")]
async fn refresh(
    http: HttpRequest,
    auth: Data<Auth>,
    Body(request): Body<RefreshRequest>,
) -> ApiResult<HttpResponse> {
    let (token, delivery) = sent_token(&http, request.refresh_token)
        .ok_or_else(|| ApiError::new(ErrorCode::InvalidRefreshToken, "no refresh token was sent"))?;
    let renewed = auth.refresh(&token).await?;
    Ok(answer(renewed, delivery, ClientOrigin::of(&http, auth.trust_proxy)))
}

/// End a login, named by its access token or its refresh token.
#[utoipa::path(tag = "auth", security((), ("accessToken" = [])), request_body = RefreshRequest, responses(
    (status = 204, description = "Ended"),
    (status = 401, description = "Neither token is valid", body = Problem)
))]
#[post("/auth/logout")]
async fn logout(
    http: HttpRequest,
    auth: Data<Auth>,
    Body(request): Body<RefreshRequest>,
) -> ApiResult<HttpResponse> {
    let token = sent_token(&http, request.refresh_token).map(|(token, _)| token);
    auth.logout(http.headers(), token.as_ref()).await?;
    let mut gone = Cookie::build(REFRESH_COOKIE, "").path(REFRESH_COOKIE_PATH).finish();
    gone.make_removal();
    Ok(HttpResponse::NoContent().cookie(gone).finish())
}

/// The user who asks.
#[utoipa::path(tag = "users", responses((status = 200, body = Profile)))]
#[get("/users/profile")]
async fn show_profile(auth: Data<Auth>, user: CurrentUser) -> ApiResult<Json<Profile>> {
    auth.profile(user).await.map(Json)
}

/// Change name or language.
#[utoipa::path(tag = "users", request_body = ProfileRequest, responses(
    (status = 200, body = Profile),
    (status = 422, description = "validation_failed", body = Problem)
))]
#[put("/users/profile")]
async fn change_profile(
    auth: Data<Auth>,
    user: CurrentUser,
    Body(request): Body<ProfileRequest>,
) -> ApiResult<Json<Profile>> {
    auth.update_profile(user, request.display_name, request.language).await.map(Json)
}

/// Change the password. Every session ends, that of the caller too, whose next one is in the answer.
#[utoipa::path(tag = "users", path = "/users/password", request_body = PasswordRequest, responses(
    (status = 200, description = "Changed; these tokens replace those of before", body = LoginAnswer),
    (status = 401, description = "invalid_credentials, totp_required, invalid_totp_code or invalid_recovery_code",
        body = Problem),
    (status = 422, description = "validation_failed", body = Problem),
    (status = 429, description = "too_many_attempts; see Retry-After", body = Problem)
))]
#[post("/users/password")]
async fn change_password(
    http: HttpRequest,
    auth: Data<Auth>,
    user: CurrentUser,
    Body(request): Body<PasswordRequest>,
) -> ApiResult<HttpResponse> {
    let origin = ClientOrigin::of(&http, auth.trust_proxy);
    let second_factor = SecondFactor::of(("code", request.code), request.recovery_code)?;
    let change =
        PasswordChange { current: request.current_password, new: request.new_password, second_factor };
    let changed = auth.change_password(user, change).await?;
    Ok(answer(changed, request.deliver_refresh_token, origin))
}

/// Begin to use an authenticator app.
#[utoipa::path(tag = "users", path = "/users/2fa/enable", request_body = Nothing, responses(
    (status = 200, body = TotpEnableAnswer),
    (status = 409, description = "totp_already_enabled", body = Problem)
))]
#[post("/users/2fa/enable")]
async fn enable_totp(
    auth: Data<Auth>,
    user: CurrentUser,
    _: Body<Nothing>,
) -> ApiResult<Json<TotpEnableAnswer>> {
    let enrolment = auth.enable_totp(user).await?;
    Ok(Json(TotpEnableAnswer { secret: enrolment.secret, otpauth_uri: enrolment.uri }))
}

/// Prove that the app works. From then on logging in takes a code; every session ends. The answer holds ten codes for
/// whoever loses the app, which are never shown again.
#[utoipa::path(tag = "users", path = "/users/2fa/confirm", request_body = TotpConfirmRequest, responses(
    (status = 200, description = "On; log in again", body = RecoveryCodesAnswer),
    (status = 401, description = "invalid_totp_code", body = Problem),
    (status = 409, description = "totp_not_started or totp_already_enabled", body = Problem),
    (status = 429, description = "too_many_attempts; see Retry-After", body = Problem)
))]
#[post("/users/2fa/confirm")]
async fn confirm_totp(
    auth: Data<Auth>,
    user: CurrentUser,
    Body(request): Body<TotpConfirmRequest>,
) -> ApiResult<Json<RecoveryCodesAnswer>> {
    Ok(Json(auth.confirm_totp(user, &request.code).await?.into()))
}

/// How many recovery codes were not used.
#[utoipa::path(tag = "users", path = "/users/2fa/recovery-codes", responses((status = 200, body = RecoveryCodesLeft)))]
#[get("/users/2fa/recovery-codes")]
async fn show_recovery_codes_left(auth: Data<Auth>, user: CurrentUser) -> ApiResult<Json<RecoveryCodesLeft>> {
    Ok(Json(RecoveryCodesLeft { recovery_codes_left: auth.recovery_codes_left(user).await? }))
}

/// Get ten other recovery codes; those from before stop working. They are never shown again.
#[utoipa::path(tag = "users", path = "/users/2fa/recovery-codes", request_body = RecoveryCodesRequest, responses(
    (status = 200, body = RecoveryCodesAnswer),
    (status = 401, description = "invalid_credentials or invalid_totp_code", body = Problem),
    (status = 409, description = "totp_not_enabled", body = Problem),
    (status = 422, description = "validation_failed", body = Problem),
    (status = 429, description = "too_many_attempts; see Retry-After", body = Problem)
))]
#[post("/users/2fa/recovery-codes")]
async fn replace_recovery_codes(
    auth: Data<Auth>,
    user: CurrentUser,
    Body(request): Body<RecoveryCodesRequest>,
) -> ApiResult<Json<RecoveryCodesAnswer>> {
    Ok(Json(auth.replace_recovery_codes(user, &request.password, request.code).await?.into()))
}

/// Stop using an authenticator app. Every session ends, and recovery codes stop working.
#[utoipa::path(tag = "users", path = "/users/2fa/disable", request_body = TotpDisableRequest, responses(
    (status = 204, description = "Off; log in again"),
    (status = 401, description = "invalid_credentials, invalid_totp_code or invalid_recovery_code", body = Problem),
    (status = 409, description = "totp_not_enabled", body = Problem),
    (status = 422, description = "validation_failed", body = Problem),
    (status = 429, description = "too_many_attempts; see Retry-After", body = Problem)
))]
#[post("/users/2fa/disable")]
async fn disable_totp(
    auth: Data<Auth>,
    user: CurrentUser,
    Body(request): Body<TotpDisableRequest>,
) -> ApiResult<HttpResponse> {
    let factor = SecondFactor::of(("code", request.code), request.recovery_code)?;
    let factor = factor.ok_or_else(|| ApiError::field("code", "required", "is required, or recoveryCode"))?;
    auth.disable_totp(user, &request.password, &factor).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The refresh token of a request and the way it came: in the body, or else in the cookie.
fn sent_token(http: &HttpRequest, in_body: Option<SecretString>) -> Option<(SecretString, Delivery)> {
    if let Some(token) = in_body {
        return Some((token, Delivery::Body));
    }
    http.cookie(REFRESH_COOKIE).map(|cookie| (SecretString::from(cookie.value()), Delivery::Cookie))
}

fn answer(done: Login, delivery: Delivery, origin: ClientOrigin) -> HttpResponse {
    let token = done.refresh_token.text;
    let mut response = HttpResponse::Ok();
    if delivery == Delivery::Cookie {
        response.cookie(refresh_cookie(&token, origin.is_https));
    }
    response.json(LoginAnswer {
        access_token: done.access_token,
        expires_in_seconds: ACCESS_TOKEN_SECONDS,
        refresh_token: (delivery == Delivery::Body).then(|| token.expose_secret().to_owned()),
        user: done.user,
    })
}

fn refresh_cookie(token: &SecretString, is_https: bool) -> Cookie<'static> {
    Cookie::build(REFRESH_COOKIE, token.expose_secret().to_owned())
        .path(REFRESH_COOKIE_PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        // A browser on plain http would drop a secure cookie; the proxy in front says when the way is encrypted.
        .secure(is_https)
        .max_age(Duration::days(REFRESH_TOKEN_DAYS))
        .finish()
}
