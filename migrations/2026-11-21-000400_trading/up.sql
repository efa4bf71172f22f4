-- Orders, what happened to them, and how far the brokers' journal has been applied.
CREATE SCHEMA trading;

CREATE TABLE trading.orders (
    id                  uuid PRIMARY KEY,
    account_id          uuid NOT NULL REFERENCES account.accounts (id),
    user_id             uuid NOT NULL,
    client_order_id     text NOT NULL,
    symbol              text NOT NULL,
    side                text NOT NULL CHECK (side IN ('buy', 'sell')),
    order_type          text NOT NULL CHECK (order_type IN ('market', 'limit')),
    time_in_force       text NOT NULL CHECK (time_in_force IN ('day', 'gtc')),
    quantity            numeric(28, 9) NOT NULL CHECK (quantity > 0),
    limit_price         numeric(28, 9) CHECK (limit_price > 0),
    -- The worst price the order can be executed at: the limit, or a market order's protection.
    -- An order denied for want of a price has none.
    worst_price         numeric(28, 9) CHECK (worst_price > 0),
    fees_max            numeric(28, 9) NOT NULL CHECK (fees_max >= 0),
    status              text NOT NULL CHECK (status IN ('PENDING_NEW', 'NEW', 'PARTIALLY_FILLED', 'SUSPENDED',
                            'DONE_FOR_DAY', 'DENIED', 'REJECTED', 'FILLED', 'CANCELED', 'EXPIRED', 'REPLACED')),
    filled_quantity     numeric(28, 9) NOT NULL DEFAULT 0 CHECK (filled_quantity >= 0),
    filled_notional     numeric(28, 9) NOT NULL DEFAULT 0,
    commission          numeric(28, 9) NOT NULL DEFAULT 0,
    tax                 numeric(28, 9) NOT NULL DEFAULT 0,
    held                numeric(28, 9) NOT NULL DEFAULT 0 CHECK (held >= 0),
    -- Why it was denied (a list of objects with field, rule and message), or the broker's reason.
    denials             json,
    reason              text,
    -- Since when nobody knows whether the broker has the order.
    unresolved_since    timestamptz,
    cancel_requested_at timestamptz,
    event_sequence      integer NOT NULL,
    -- Indexes ask this instead of the status: a step of an order that leaves it open then touches no index.
    is_open             boolean NOT NULL GENERATED ALWAYS AS
                            (status IN ('PENDING_NEW', 'NEW', 'PARTIALLY_FILLED', 'SUSPENDED', 'DONE_FOR_DAY')) STORED,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (account_id, client_order_id),
    CHECK ((order_type = 'limit') = (limit_price IS NOT NULL)),
    CHECK (status = 'DENIED' OR worst_price IS NOT NULL),
    CHECK ((status = 'DENIED') = (denials IS NOT NULL))
) WITH (fillfactor = 80);
-- The condition holds for every row. Only lists state it, so that no plan made while the table is small takes this index
-- for the look-up of a key, which would then read an account's whole history.
CREATE INDEX orders_listed ON trading.orders (account_id, id) WHERE quantity > 0;
CREATE INDEX orders_open ON trading.orders (account_id, symbol) WHERE is_open;
CREATE INDEX orders_unresolved ON trading.orders (account_id, symbol) WHERE unresolved_since IS NOT NULL;

-- Written together with their orders, often in one statement: an invariant checks that they belong to one, instead of
-- a foreign key that would ask again for every row.
CREATE TABLE trading.order_events (
    order_id    uuid NOT NULL,
    sequence    integer NOT NULL,
    event       text NOT NULL,
    status      text NOT NULL,
    detail      text,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, sequence)
);

-- One row an execution: it is what makes a report that comes twice harmless.
CREATE TABLE trading.executions (
    account_id   uuid NOT NULL,
    execution_id text NOT NULL,
    order_id     uuid NOT NULL REFERENCES trading.orders (id),
    journal_id   uuid NOT NULL UNIQUE REFERENCES account.journals (id),
    quantity     numeric(28, 9) NOT NULL CHECK (quantity > 0),
    price        numeric(28, 9) NOT NULL CHECK (price > 0),
    commission   numeric(28, 9) NOT NULL,
    tax          numeric(28, 9) NOT NULL,
    occurred_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, execution_id)
);
CREATE INDEX executions_of_order ON trading.executions (order_id);

-- A cancel is a request of its own beside the order.
CREATE TABLE trading.cancel_requests (
    id         uuid PRIMARY KEY,
    order_id   uuid NOT NULL REFERENCES trading.orders (id),
    status     text NOT NULL CHECK (status IN ('SENT', 'UNRESOLVED', 'ACCEPTED', 'REJECTED')),
    reason     text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX one_cancel_at_a_time ON trading.cancel_requests (order_id)
    WHERE status IN ('SENT', 'UNRESOLVED', 'ACCEPTED');
CREATE INDEX cancels_to_dispatch ON trading.cancel_requests (id) WHERE status IN ('SENT', 'UNRESOLVED');

-- What no order of business produces: a person must look.
CREATE TABLE trading.incidents (
    id          uuid PRIMARY KEY,
    order_id    uuid,
    report_id   bigint,
    kind        text NOT NULL,
    detail      text NOT NULL,
    occurred_at timestamptz NOT NULL
);
CREATE INDEX incidents_of_order ON trading.incidents (order_id);

-- How far the brokers' journal has been applied.
CREATE TABLE trading.report_cursor (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    last_id   bigint NOT NULL
);
INSERT INTO trading.report_cursor (last_id) VALUES (0);
