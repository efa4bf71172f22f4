-- Positions at average cost. The share count is the ledger's; what it cost and what it earned is kept beside it.
CREATE SCHEMA portfolio;

CREATE TABLE portfolio.positions (
    account_id   uuid NOT NULL REFERENCES account.accounts (id),
    symbol       text NOT NULL,
    currency     text NOT NULL,
    quantity     numeric(28, 9) NOT NULL,
    cost         numeric(28, 9) NOT NULL,
    realised_pnl numeric(28, 9) NOT NULL,
    commission   numeric(28, 9) NOT NULL,
    tax          numeric(28, 9) NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (account_id, symbol)
) WITH (fillfactor = 70);
