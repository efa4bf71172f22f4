-- Wishes to close positions. A close waits until the sales that hold its shares have been taken back, whatever is
-- restarted meanwhile, and is then one market order.
CREATE TABLE trading.close_requests (
    id            uuid PRIMARY KEY,
    account_id    uuid NOT NULL,
    user_id       uuid NOT NULL,
    symbol        text NOT NULL,
    -- The caller's name for it.
    key           text NOT NULL,
    -- What was asked for: shares, or percent of the position, or neither for all of it.
    asked_shares  numeric(28, 9) CHECK (asked_shares > 0),
    asked_percent numeric(28, 9) CHECK (asked_percent > 0 AND asked_percent <= 100),
    -- The most that may be sold (nothing for all there is), and what must be left when it is done.
    sell_max      numeric(28, 9) CHECK (sell_max > 0),
    keep          numeric(28, 9) NOT NULL CHECK (keep >= 0),
    status        text NOT NULL CHECK (status IN ('WAITING', 'PLACING', 'PLACED', 'NOTHING_LEFT', 'FAILED', 'WITHDRAWN')),
    -- Each try is an order of its own.
    attempt       integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
    -- Decided before the order is placed, so that it is placed alike after a restart.
    quantity      numeric(28, 9) CHECK (quantity > 0),
    order_id      uuid,
    reason        text,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    UNIQUE (account_id, key),
    CHECK (asked_shares IS NULL OR asked_percent IS NULL),
    CHECK (status <> 'PLACING' OR quantity IS NOT NULL),
    CHECK ((status = 'PLACED') = (order_id IS NOT NULL))
);
-- One close of a position at a time.
CREATE UNIQUE INDEX close_requests_open ON trading.close_requests (account_id, symbol) WHERE status IN ('WAITING', 'PLACING');
CREATE INDEX close_requests_of_account ON trading.close_requests (account_id, created_at, id);

-- A close of everything: which requests it has become is fixed when it is first asked for.
CREATE TABLE trading.close_batches (
    account_id uuid NOT NULL,
    key        text NOT NULL,
    -- What became of each position, as it was answered.
    items      json NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, key)
);
