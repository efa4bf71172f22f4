-- What the simulator knows of order types, times in force and changes of orders in place, and how they are reported.
ALTER TABLE broker.simulator_orders
    DROP CONSTRAINT simulator_orders_order_type_check,
    DROP CONSTRAINT simulator_orders_time_in_force_check,
    ADD COLUMN stop_price    numeric(28, 9) CHECK (stop_price > 0),
    ADD COLUMN trail_amount  numeric(28, 9) CHECK (trail_amount > 0),
    ADD COLUMN trail_percent numeric(28, 9) CHECK (trail_percent > 0),
    ADD COLUMN expire_date   date,
    -- The best last price that a trailing stop has seen.
    ADD COLUMN mark          numeric(28, 9) CHECK (mark > 0),
    ADD COLUMN triggered_at  timestamptz,
    -- How often its terms were replaced.
    ADD COLUMN replaces      integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT simulator_orders_order_type_check
        CHECK (order_type IN ('market', 'limit', 'stop', 'stop_limit', 'trailing_stop')),
    ADD CONSTRAINT simulator_orders_time_in_force_check
        CHECK (time_in_force IN ('day', 'gtc', 'ioc', 'fok', 'opg', 'cls', 'gtd'));

-- What the simulator answered to requests for other terms: the same request gets the same answer for ever.
CREATE TABLE broker.simulator_replaces (
    replace_id  uuid PRIMARY KEY,
    order_id    uuid NOT NULL,
    -- Absent where it was accepted.
    code        text,
    message     text,
    answered_at timestamptz NOT NULL,
    CHECK ((code IS NULL) = (message IS NULL))
);

ALTER TABLE broker.execution_reports
    DROP CONSTRAINT execution_reports_kind_check,
    -- The terms of a `replaced` report; its quantity stands where that of a fill stands.
    ADD COLUMN replace_id    uuid,
    ADD COLUMN limit_price   numeric(28, 9) CHECK (limit_price > 0),
    ADD COLUMN stop_price    numeric(28, 9) CHECK (stop_price > 0),
    ADD COLUMN trail_amount  numeric(28, 9) CHECK (trail_amount > 0),
    ADD COLUMN trail_percent numeric(28, 9) CHECK (trail_percent > 0),
    ADD CONSTRAINT execution_reports_kind_check
        CHECK (kind IN ('accepted', 'rejected', 'fill', 'canceled', 'expired', 'triggered', 'replaced')),
    ADD CONSTRAINT execution_reports_of_triggers CHECK (kind <> 'triggered' OR price IS NOT NULL),
    ADD CONSTRAINT execution_reports_of_replaces
        CHECK (kind <> 'replaced' OR (replace_id IS NOT NULL AND quantity IS NOT NULL));
