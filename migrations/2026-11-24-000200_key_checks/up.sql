-- Which keys of brokers were looked at before which session of a market, so that each is looked at, and told of, once.
CREATE TABLE trading.key_checks (
    account_id uuid NOT NULL REFERENCES account.accounts (id),
    market     text NOT NULL CHECK (market IN ('KRX', 'US')),
    -- The session's day on the market's own calendar.
    day        date NOT NULL,
    -- What came of it: it opens, what is wrong with it, or that no key was ever entered.
    outcome    text NOT NULL CHECK (outcome IN
        ('good', 'key_missing', 'key_wrong', 'key_expired', 'key_revoked', 'not_connected')),
    checked_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, market, day)
);
