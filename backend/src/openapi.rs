//! The API's description, OpenAPI 3.1, made from the code.

use actix_web::web;
use actix_web::{HttpResponse, get};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_actix_web::service_config::ServiceConfig;

#[derive(OpenApi)]
#[openapi(
    info(title = "Gaemi", description = "The API of a personal trading server. Money, prices and quantities are strings."),
    components(schemas(crate::error::Problem)),
    security(("accessToken" = [])),
    modifiers(&AccessToken),
)]
struct Base;

struct AccessToken;

impl Modify for AccessToken {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("accessToken", SecurityScheme::Http(scheme));
    }
}

/// What the description says besides the routes.
#[must_use]
pub fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

/// The finished description, as text.
pub struct Description(pub String);

/// This module's URLs.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(description);
}

/// This document.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
#[get("/openapi.json")]
async fn description(description: web::Data<Description>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(description.0.clone())
}
