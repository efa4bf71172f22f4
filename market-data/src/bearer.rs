//! Tokens that callers show in `Authorization: Bearer`.

use crate::problem::Problem;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// Lets pass who shows the token of a setting; nobody when none is set.
///
/// # Errors
/// [`Problem::Forbidden`], which names the setting.
pub(crate) fn demand(
    token: Option<&SecretString>,
    authorization: Option<&str>,
    setting: &'static str,
) -> Result<(), Problem> {
    let given = authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    match token {
        Some(token) if bool::from(given.as_bytes().ct_eq(token.expose_secret().as_bytes())) => Ok(()),
        _ => Err(Problem::Forbidden(setting)),
    }
}
