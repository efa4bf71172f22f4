//! The API's description, OpenAPI 3.1, made from the code. Only who asks for it pays for it: to make it takes more
//! memory than to serve everything it describes.

use crate::error::{ApiError, ErrorCode};
use actix_web::dev::HttpServiceFactory;
use actix_web::{HttpResponse, Route, get, web};
use std::sync::OnceLock;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_actix_web::OpenApiFactory;

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

/// Where the modules put their handlers: into the application and, while somebody asks for it, into the description.
pub struct Routes<'a> {
    served: &'a mut web::ServiceConfig,
    described: Option<&'a mut utoipa::openapi::OpenApi>,
    /// What stands before the paths of the handlers.
    prefix: &'static str,
}

impl<'a> Routes<'a> {
    /// Handlers that are only served.
    pub const fn served(served: &'a mut web::ServiceConfig) -> Self {
        Self { served, described: None, prefix: "" }
    }

    /// Handlers that are described as well.
    pub const fn described(
        served: &'a mut web::ServiceConfig,
        description: &'a mut utoipa::openapi::OpenApi,
    ) -> Self {
        Self { served, described: Some(description), prefix: "" }
    }

    /// Adds a handler and what its attribute says of it.
    pub fn service<F: HttpServiceFactory + OpenApiFactory + 'static>(&mut self, handler: F) -> &mut Self {
        if let Some(description) = &mut self.described {
            let mut paths = handler.paths();
            paths.paths = paths
                .paths
                .into_iter()
                .map(|(path, item)| (format!("{}{path}", self.prefix), item))
                .collect();
            description.paths.merge(paths);
            let mut schemas = Vec::new();
            handler.schemas(&mut schemas);
            description.components.get_or_insert_default().schemas.extend(schemas);
        }
        self.served.service(handler);
        self
    }

    /// Adds what is no part of the description.
    pub fn route(&mut self, path: &str, route: Route) {
        self.served.route(path, route);
    }

    /// Adds handlers below a prefix; `finish` wraps their scope.
    pub fn scope<F: HttpServiceFactory + 'static>(
        &mut self,
        prefix: &'static str,
        inner: impl FnOnce(&mut Routes<'_>),
        finish: impl FnOnce(actix_web::Scope) -> F,
    ) {
        let described = self.described.as_deref_mut();
        let scope = web::scope(prefix).configure(|served| inner(&mut Routes { served, described, prefix }));
        self.served.service(finish(scope));
    }
}

/// The description as text, made when it is asked for the first time.
pub struct Description {
    make: fn() -> utoipa::openapi::OpenApi,
    text: OnceLock<Option<String>>,
}

impl Description {
    /// What `make` will say.
    #[must_use]
    pub const fn of(make: fn() -> utoipa::openapi::OpenApi) -> Self {
        Self { make, text: OnceLock::new() }
    }
}

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    config.service(show_description);
}

/// This document.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
#[get("/openapi.json")]
async fn show_description(description: web::Data<Description>) -> Result<HttpResponse, ApiError> {
    let text = description.text.get_or_init(|| (description.make)().to_pretty_json().ok());
    let text = text.clone().ok_or_else(|| ApiError::new(ErrorCode::Internal, "there is no description"))?;
    Ok(HttpResponse::Ok().content_type("application/json").body(text))
}
