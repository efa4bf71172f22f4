//! JSON bodies, read with a limit; what is wrong with one is named.

use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use domain::broker::BATCH_MAX;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

/// Largest request body, in bytes: a full batch with room to spare.
pub(crate) const BODY_BYTES_MAX: usize = BATCH_MAX * 1024;

/// A body that was read.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Bytes::from_request(request, payload);
        async move { body.await.map_err(|error| refused(&error)).and_then(|body| read(&body)).map(Self) }
            .boxed_local()
    }
}

fn refused(error: &actix_web::Error) -> Problem {
    match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => Problem::BodyTooLarge,
        _ if error.as_response_error().status_code().as_u16() == 413 => Problem::BodyTooLarge,
        _ => Problem::MalformedJson("the body cannot be read".into()),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let (path, cause) = (error.path().to_string(), error.inner());
        match cause.classify() {
            serde_json::error::Category::Data => Problem::field(path, "invalid", cause.to_string()),
            _ => Problem::MalformedJson(cause.to_string()),
        }
    })?;
    deserializer.end().map_err(|error| Problem::MalformedJson(error.to_string()))?;
    Ok(value)
}
