//! The time, as the database can keep it.

use chrono::{DateTime, SubsecRound, Utc};

/// Digits of a second that Postgres keeps.
const POSTGRES_SUBSECOND_DIGITS: u16 = 6;

/// Now, in whole microseconds: what is stored and read back is equal to what was answered.
#[must_use]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(POSTGRES_SUBSECOND_DIGITS)
}
