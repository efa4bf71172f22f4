//! One GET to a vendor: bounded in time and size, and its failure sorted by what can be done about it.

use super::ProviderError;
use reqwest::{Client, RequestBuilder, StatusCode};
use std::time::Duration;

/// Longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest time one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer that is read, in bytes.
const ANSWER_SIZE_MAX: usize = 16 * 1024 * 1024;

/// A client with this house's limits. It follows no redirect: credentials go to the vendor's own host only.
pub(super) fn client() -> Result<Client, ProviderError> {
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent("Gaemi")
        .pool_max_idle_per_host(1)
        .build()
        .map_err(|error| ProviderError::Unusable(format!("no client for HTTP: {}", error.without_url())))
}

/// Sends a request and reads the answer's body.
///
/// # Errors
/// [`ProviderError::Refused`] for wrong credentials, [`ProviderError::Unavailable`] for everything that may pass. No error
/// names the address: keys travel in it.
pub(super) async fn read(request: RequestBuilder) -> Result<Vec<u8>, ProviderError> {
    let missing = || ProviderError::Unavailable(format!("it answers {}", StatusCode::NOT_FOUND));
    read_if_found(request).await?.ok_or_else(missing)
}

/// The same; nothing for what the vendor does not find.
///
/// # Errors
/// As [`read`].
pub(super) async fn read_if_found(request: RequestBuilder) -> Result<Option<Vec<u8>>, ProviderError> {
    let unavailable = |error: reqwest::Error| ProviderError::Unavailable(error.without_url().to_string());
    let mut response = request.send().await.map_err(unavailable)?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Ok(None),
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            return Err(ProviderError::Refused(format!("it answers {status}: are the credentials right?")));
        }
        status => return Err(ProviderError::Unavailable(format!("it answers {status}"))),
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len().saturating_add(chunk.len()) > ANSWER_SIZE_MAX {
            return Err(ProviderError::Unavailable("its answer is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
