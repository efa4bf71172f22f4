-- Accounts whose broker speaks of another account than the one that was opened, until they agree again: told once.
CREATE TABLE trading.other_accounts (
    account_id uuid PRIMARY KEY REFERENCES account.accounts (id),
    noticed_at timestamptz NOT NULL
);
ALTER TABLE trading.key_checks DROP CONSTRAINT key_checks_outcome_check,
    ADD CONSTRAINT key_checks_outcome_check CHECK (outcome IN
        ('good', 'key_missing', 'key_wrong', 'key_expired', 'key_revoked', 'account_changed', 'not_connected'));
