//! One request to a vendor: bounded in time and size, and its failure sorted by what can be done about it.

use super::ProviderError;
use reqwest::header::HeaderMap;
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
    let Received { status, body, .. } = receive(request).await?;
    match status {
        StatusCode::OK => Ok(Some(body)),
        StatusCode::NOT_FOUND => Ok(None),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(ProviderError::Refused(format!("it answers {status}: are the credentials right?")))
        }
        status => Err(ProviderError::Unavailable(format!("it answers {status}"))),
    }
}

/// An answer, whatever it says.
pub(super) struct Received {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Sends a request and reads the answer, whatever it says.
///
/// # Errors
/// [`ProviderError::Unavailable`] when none comes, or one that is too long. No error names the address.
pub(super) async fn receive(request: RequestBuilder) -> Result<Received, ProviderError> {
    let unavailable = |error: reqwest::Error| ProviderError::Unavailable(error.without_url().to_string());
    let mut response = request.send().await.map_err(unavailable)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
        if body.len().saturating_add(chunk.len()) > ANSWER_SIZE_MAX {
            return Err(ProviderError::Unavailable("its answer is too long".to_owned()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received { status: response.status(), headers: response.headers().clone(), body })
}
