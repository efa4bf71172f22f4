-- How much the simulator puts between an order and its execution: set by account, kept by order.
ALTER TABLE broker.accounts
    ADD COLUMN simulation text NOT NULL DEFAULT 'ideal' CHECK (simulation IN ('ideal', 'realistic', 'harsh'));

ALTER TABLE broker.simulator_orders
    -- What was set when the order was taken.
    ADD COLUMN simulation  text NOT NULL DEFAULT 'ideal' CHECK (simulation IN ('ideal', 'realistic', 'harsh')),
    -- From when on it is in the market.
    ADD COLUMN active_at   timestamptz,
    -- Shares before it in the queue at its limit, while it rests there.
    ADD COLUMN queue_ahead bigint CHECK (queue_ahead >= 0),
    ADD CONSTRAINT simulator_orders_course CHECK ((simulation = 'ideal') = (active_at IS NULL));
