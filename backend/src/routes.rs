//! Every URL of the server.

use crate::error::{ApiError, ErrorCode};
use crate::middleware::gate;
use crate::openapi::Routes;
use crate::{
    account, activity, analytics, auth, corporate, market, notify, openapi, operations, portfolio, relay,
    spa, trading,
};
use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpResponse, ResponseError, web};
use std::sync::OnceLock;

/// What answers without an access token; everything else under `/api` is closed.
pub const PUBLIC: &[(&str, &str)] = &[
    ("POST", "/api/auth/register"),
    ("GET", "/api/auth/registration"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh"),
    // Takes an access token or a refresh token, and checks either itself.
    ("POST", "/api/auth/logout"),
    ("GET", "/api/openapi.json"),
];

/// The modules, in the order in which routes are tried: an order should not wait for all others.
fn api(config: &mut Routes<'_>) {
    trading::routes(config);
    auth::routes(config);
    account::routes(config);
    activity::routes(config);
    market::routes(config);
    notify::routes(config);
    portfolio::routes(config);
    analytics::routes(config);
    corporate::routes(config);
    trading::truth_routes(config);
    trading::brokerage_routes(config);
    openapi::routes(config);
}

/// Everything the server answers.
pub fn all(config: &mut Routes<'_>) {
    operations::routes(config);
    relay::routes(config);
    config.scope("/api", api, |scope| scope.default_service(web::to(no_such_route)).wrap(from_fn(gate)));
}

/// Outside of `/api`: the page.
pub fn page(config: &mut web::ServiceConfig) {
    config.default_service(web::to(spa::serve));
}

/// The API's description, made from the handlers themselves.
#[must_use]
pub fn describe() -> utoipa::openapi::OpenApi {
    let mut description = openapi::base();
    let _ = App::new().configure(|served| all(&mut Routes::described(served, &mut description)));
    description
}

/// The addresses of the API and the methods each knows, to tell a wrong method from a wrong address. They are looked up when
/// somebody comes to such an address for the first time.
#[derive(Default)]
pub struct KnownRoutes(OnceLock<Vec<(ResourceDef, Vec<String>)>>);

impl KnownRoutes {
    fn all(&self) -> &[(ResourceDef, Vec<String>)] {
        self.0.get_or_init(|| Self::of(&describe()))
    }

    fn of(description: &utoipa::openapi::OpenApi) -> Vec<(ResourceDef, Vec<String>)> {
        let methods = |item: &utoipa::openapi::PathItem| {
            let known = [
                ("GET", item.get.is_some()),
                ("PUT", item.put.is_some()),
                ("POST", item.post.is_some()),
                ("PATCH", item.patch.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            known.into_iter().filter(|(_, known)| *known).map(|(name, _)| name.to_owned()).collect()
        };
        let paths = &description.paths.paths;
        paths.iter().map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item))).collect()
    }

    /// Whether a route answers without an access token: it is on the list, or its address is and the method is one that
    /// the address does not know.
    #[must_use]
    pub fn is_open(&self, method: &Method, pattern: &str) -> bool {
        let on_list = |(listed, path): &(&str, &str)| *path == pattern && *listed == method.as_str();
        let address_on_list = PUBLIC.iter().any(|(_, path)| *path == pattern);
        PUBLIC.iter().any(on_list)
            || (address_on_list && !self.methods_of(pattern).contains(&method.as_str()))
    }

    fn methods_of(&self, path: &str) -> Vec<&str> {
        let here = self.all().iter().filter(|(resource, _)| resource.is_match(path));
        let mut methods: Vec<_> = here.flat_map(|(_, methods)| methods.iter().map(String::as_str)).collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }
}

async fn no_such_route(request: HttpRequest, known: web::Data<KnownRoutes>) -> HttpResponse {
    let methods = known.methods_of(request.path());
    if methods.is_empty() {
        return ApiError::new(ErrorCode::NotFound, "").error_response();
    }
    let mut response = ApiError::new(ErrorCode::MethodNotAllowed, "").error_response();
    if let Ok(allow) = actix_web::http::header::HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(actix_web::http::header::ALLOW, allow);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_the_description_refers_to_is_described() {
        let text = describe().to_json().unwrap();
        let description: serde_json::Value = serde_json::from_str(&text).unwrap();
        for reference in text.split(r##""$ref":"#"##).skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(description.pointer(pointer).is_some(), "{pointer}");
        }
    }

    #[test]
    fn every_public_route_exists() {
        let known = KnownRoutes::default();
        for (method, path) in PUBLIC {
            assert!(known.methods_of(path).contains(method), "{method} {path}");
        }
    }

    #[test]
    fn only_what_is_on_the_list_is_open() {
        let known = KnownRoutes::default();
        assert!(known.is_open(&Method::POST, "/api/auth/login"));
        assert!(
            known.is_open(&Method::GET, "/api/auth/login"),
            "there is no such method, so nothing to protect"
        );
        for (method, pattern) in
            [(Method::GET, "/api/users/profile"), (Method::POST, "/api/orders"), (Method::GET, "/api/{tail}")]
        {
            assert!(!known.is_open(&method, pattern), "{pattern}");
        }
    }
}
