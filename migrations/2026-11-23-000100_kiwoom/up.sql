-- Executions at a broker whose lists give sums: each is a span of an order's shares, and a share is in one span.
CREATE TABLE broker.execution_spans (
    account_id      uuid NOT NULL REFERENCES broker.accounts (account_id),
    broker_order_id text NOT NULL,
    -- Shares of the order executed before, and with it.
    from_quantity   bigint NOT NULL CHECK (from_quantity >= 0),
    to_quantity     bigint NOT NULL CHECK (to_quantity > from_quantity),
    price           numeric(28, 9) NOT NULL CHECK (price > 0),
    commission      numeric(28, 9) NOT NULL CHECK (commission >= 0),
    tax             numeric(28, 9) NOT NULL CHECK (tax >= 0),
    occurred_at     timestamptz NOT NULL,
    PRIMARY KEY (account_id, broker_order_id, from_quantity)
);

-- Requests for other terms that were, or may have been, sent to a broker that is sent to once. Written before the first byte
-- leaves.
CREATE TABLE broker.sent_replaces (
    replace_id      uuid PRIMARY KEY,
    account_id      uuid NOT NULL REFERENCES broker.accounts (account_id),
    order_id        uuid NOT NULL,
    -- The number that came of it; absent until the broker has answered.
    broker_order_id text,
    sent_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sent_replaces_number ON broker.sent_replaces (account_id, broker_order_id);
