//! What all clients of other processes share.

use reqwest::ClientBuilder;

/// A client for one address. The machine's root certificates, some hundred, are read only for an address that needs them.
///
/// A proxy that the environment names is not asked.
pub fn client_for(url: &str) -> ClientBuilder {
    let builder = reqwest::Client::builder().no_proxy();
    if url.starts_with("https:") { builder } else { builder.tls_certs_only([]) }
}
