-- What accounts were worth, minute by minute while it changes. Owned by the backend's module `analytics`. No books: a row
-- says what the books and the prices of its moment were, and is never changed by what is corrected later.
CREATE SCHEMA analytics;

CREATE TABLE analytics.samples (
    account_id      uuid NOT NULL REFERENCES account.accounts (id),
    currency        text NOT NULL CHECK (currency IN ('KRW', 'USD')),
    taken_at        timestamptz NOT NULL,
    cash            numeric(28, 9) NOT NULL,
    positions_value numeric(28, 9) NOT NULL,
    -- Brought in less taken out, up to this moment.
    net_deposits    numeric(28, 9) NOT NULL,
    -- What one unit of money that was there at the first row has become, whatever was brought in or taken out since.
    growth          numeric(28, 12) NOT NULL CHECK (growth >= 0),
    -- The trading day of the newest price in it; of the row before where there is no price in it.
    session_date    date,
    PRIMARY KEY (account_id, currency, taken_at)
);
-- For thinning what is old.
CREATE INDEX samples_by_time ON analytics.samples (taken_at);
