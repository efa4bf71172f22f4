//! HTTP as it is spoken with every broker.

use reqwest::{Client, Response};
use std::time::Duration;

/// Longest wait for a connection.
pub(in crate::broker) const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// Longest wait for an answer; after it nobody knows what became of a request.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(8);
/// Largest answer that is read, in bytes: a full page of orders.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A client that speaks to one address.
///
/// # Errors
/// When none can be made at all.
pub(in crate::broker) fn client() -> anyhow::Result<Client> {
    Ok(Client::builder()
        .connect_timeout(CONNECT_TIME_MAX)
        .timeout(ANSWER_TIME_MAX)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?)
}

/// Whether a request that has no answer provably never left: the connection could not be made.
pub(in crate::broker) fn never_left(error: &reqwest::Error) -> bool {
    error.is_connect() || error.is_builder()
}

/// The body of an answer.
///
/// # Errors
/// Why it cannot be read.
pub(in crate::broker) async fn body_of(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err("its answer is too long".into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
