//! Another key for all credentials, while the connector runs.
//!
//! The next key is there before the first row lies under it, and the present one goes only after the last: a process that
//! dies between finds both.

use super::key::{self, KeySource};
use super::store::Store;
use anyhow::{Context, bail};
use secrecy::SecretString;

/// Seals every row anew: with a key that is made for it, where the key is in a file, or with the next of two that are set.
/// Gives the number of rows.
///
/// # Errors
/// What was in the way. Nothing is lost then, and doing it again goes on.
pub async fn rotate_key(database_url: &SecretString, source: &KeySource) -> anyhow::Result<usize> {
    let store = Store::new(database_url)?;
    match source {
        KeySource::Digits { next: None, .. } => {
            bail!("set GAEMI_BROKER_KEY_NEXT to the key that is to take the place of GAEMI_BROKER_KEY")
        }
        KeySource::Digits { .. } => seal_anew(&store, source).await,
        KeySource::File(path) => {
            let next = key::next_of(path);
            if !next.exists() {
                key::make_file(&next)?;
            }
            let rows = seal_anew(&store, source).await?;
            std::fs::rename(&next, path).context("the next key cannot take the place of the present one")?;
            Ok(rows)
        }
    }
}

async fn seal_anew(store: &Store, source: &KeySource) -> anyhow::Result<usize> {
    let keys = source.keys()?;
    let next = keys.last().context("no key")?;
    store.seal_anew(|sealed, owner| key::seal(next, &key::open(&keys, sealed, owner)?, owner)).await
}
