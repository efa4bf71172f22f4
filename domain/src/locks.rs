//! The keys of the advisory locks that the processes take in the one database: all in one place, because two users
//! of one key would wait for each other without knowing why.

/// One program migrates at a time. Held for a session.
pub const MIGRATION: i64 = 7_202_601;
/// Whoever appends to the brokers' journal, to the end of the transaction, so that ids become visible in order.
pub const JOURNAL_APPEND: i64 = 7_202_611;
/// The one connector that runs the simulator. Held for a session.
pub const SIMULATOR_OWNER: i64 = 7_202_612;
/// Whoever appends what brokers did beside orders, to the end of the transaction, so that ids become visible in order.
pub const ACTIVITIES_APPEND: i64 = 7_202_613;
/// Whoever appends events, to the end of the transaction, so that ids become visible in order.
pub const EVENTS_APPEND: i64 = 7_202_621;
/// Whoever opens an account, to the end of the transaction, so that the limit is counted right.
pub const ACCOUNT_OPENING: i64 = 7_202_622;
/// Whoever becomes the only user, to the end of the transaction.
pub const FIRST_USER: i64 = 7_202_623;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_locks_share_a_key() {
        let keys = [
            MIGRATION,
            JOURNAL_APPEND,
            SIMULATOR_OWNER,
            ACTIVITIES_APPEND,
            EVENTS_APPEND,
            ACCOUNT_OPENING,
            FIRST_USER,
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
