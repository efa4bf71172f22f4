//! The secret that backend and connector share, asked for at every address but the two that say how it goes.

use crate::problem::Problem;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web;
use domain::broker::TOKEN_HEADER;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// Addresses that need no secret.
const OPEN: [&str; 2] = ["/health", "/ready"];

/// The expected secret.
#[derive(Debug, Clone)]
pub(crate) struct InternalToken(pub(crate) SecretString);

impl InternalToken {
    fn is(&self, presented: &[u8]) -> bool {
        bool::from(self.0.expose_secret().as_bytes().ct_eq(presented))
    }
}

/// Lets a request through only with the secret.
pub(crate) async fn require_token(
    token: web::Data<InternalToken>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let presented = request.headers().get(TOKEN_HEADER).is_some_and(|value| token.is(value.as_bytes()));
    if presented || OPEN.contains(&request.path()) {
        return next.call(request).await;
    }
    Err(Problem::InvalidToken.into())
}
