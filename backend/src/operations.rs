//! What those who run the server ask it.

use crate::db::{self, Pool};
use crate::openapi::Routes;
use actix_web::{HttpResponse, get, web};
use std::time::Duration;

/// Longest time a readiness check may take.
const READY_TIME_MAX: Duration = Duration::from_secs(2);

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    config.service(health).service(ready);
}

/// Whether the process runs.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, description = "It runs")))]
#[get("/health")]
async fn health() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// Whether it can do its work: the database answers.
#[utoipa::path(tag = "operations", security(()), responses(
    (status = 200, description = "It can work"),
    (status = 503, description = "The database does not answer")
))]
#[get("/ready")]
async fn ready(pool: web::Data<Pool>) -> HttpResponse {
    match tokio::time::timeout(READY_TIME_MAX, db::answers(&pool)).await {
        Ok(true) => HttpResponse::Ok().content_type("text/plain").body("ready\n"),
        _ => HttpResponse::ServiceUnavailable()
            .content_type("text/plain")
            .body("the database does not answer\n"),
    }
}
