-- Order types that wait for a price, times in force with a day or an auction, orders by amount of money, and changes of
-- orders in place.
ALTER TABLE trading.orders
    DROP CONSTRAINT IF EXISTS orders_order_type_check,
    DROP CONSTRAINT IF EXISTS orders_time_in_force_check,
    DROP CONSTRAINT IF EXISTS orders_check,
    ADD COLUMN stop_price    numeric(28, 9) CHECK (stop_price > 0),
    ADD COLUMN trail_amount  numeric(28, 9) CHECK (trail_amount > 0),
    ADD COLUMN trail_percent numeric(28, 9) CHECK (trail_percent > 0),
    ADD COLUMN expire_date   date,
    -- What was asked for where it was an amount of money: the quantity follows from it at the decision.
    ADD COLUMN notional      numeric(28, 9) CHECK (notional > 0),
    -- When the price it waited for came.
    ADD COLUMN triggered_at  timestamptz,
    -- Its terms as they were first answered, once others have taken their place.
    ADD COLUMN original      json,
    -- Terms that were asked for and not yet answered. What is held covers these and the present ones.
    ADD COLUMN replacing     json,
    ADD CONSTRAINT orders_order_type_check
        CHECK (order_type IN ('market', 'limit', 'stop', 'stop_limit', 'trailing_stop')),
    ADD CONSTRAINT orders_time_in_force_check
        CHECK (time_in_force IN ('day', 'gtc', 'ioc', 'fok', 'opg', 'cls', 'gtd')),
    ADD CONSTRAINT orders_prices_of_type CHECK (
        (order_type IN ('limit', 'stop_limit')) = (limit_price IS NOT NULL)
        AND (order_type IN ('stop', 'stop_limit')) = (stop_price IS NOT NULL)
        AND CASE order_type WHEN 'trailing_stop' THEN 1 ELSE 0 END = num_nonnulls(trail_amount, trail_percent)),
    ADD CONSTRAINT orders_day_of_gtd CHECK ((time_in_force = 'gtd') = (expire_date IS NOT NULL));
COMMENT ON COLUMN trading.orders.worst_price IS
    'The worst price the order can be executed at: its limit, or the protection of an order without one.';

-- A change of terms is a request of its own beside the order.
CREATE TABLE trading.replace_requests (
    id            uuid PRIMARY KEY,
    order_id      uuid NOT NULL REFERENCES trading.orders (id),
    -- The caller's name for it, and what was asked, so that a repetition is known.
    key           text,
    asked         json NOT NULL,
    quantity      numeric(28, 9) NOT NULL CHECK (quantity > 0),
    limit_price   numeric(28, 9) CHECK (limit_price > 0),
    stop_price    numeric(28, 9) CHECK (stop_price > 0),
    trail_amount  numeric(28, 9) CHECK (trail_amount > 0),
    trail_percent numeric(28, 9) CHECK (trail_percent > 0),
    -- Of orders without a limit price.
    protection_price numeric(28, 9) CHECK (protection_price > 0),
    status        text NOT NULL CHECK (status IN ('SENT', 'UNRESOLVED', 'ACCEPTED', 'REJECTED')),
    reason        text,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);
CREATE INDEX replaces_of_order ON trading.replace_requests (order_id, id);
CREATE UNIQUE INDEX one_replace_a_key ON trading.replace_requests (order_id, key) WHERE key IS NOT NULL;
CREATE INDEX replaces_to_dispatch ON trading.replace_requests (id) WHERE status IN ('SENT', 'UNRESOLVED');

-- Symbols in which a user wants no new orders, because the market has halted them.
CREATE TABLE trading.halted_symbols (
    user_id    uuid NOT NULL,
    symbol     text NOT NULL,
    reason     text NOT NULL,
    halted_at  timestamptz NOT NULL,
    PRIMARY KEY (user_id, symbol)
);
