DELETE FROM trading.key_checks WHERE outcome = 'account_changed';
ALTER TABLE trading.key_checks DROP CONSTRAINT key_checks_outcome_check,
    ADD CONSTRAINT key_checks_outcome_check CHECK (outcome IN
        ('good', 'key_missing', 'key_wrong', 'key_expired', 'key_revoked', 'not_connected'));
DROP TABLE trading.other_accounts;
