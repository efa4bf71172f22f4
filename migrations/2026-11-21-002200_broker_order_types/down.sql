-- Rows written since may be of types that the old checks do not know, so those ask only about new ones.
ALTER TABLE broker.execution_reports
    DROP CONSTRAINT execution_reports_of_replaces,
    DROP CONSTRAINT execution_reports_of_triggers,
    DROP CONSTRAINT execution_reports_kind_check,
    DROP COLUMN replace_id, DROP COLUMN limit_price, DROP COLUMN stop_price, DROP COLUMN trail_amount,
    DROP COLUMN trail_percent,
    ADD CONSTRAINT execution_reports_kind_check CHECK (kind IN ('accepted', 'rejected', 'fill', 'canceled', 'expired')) NOT VALID;
DROP TABLE broker.simulator_replaces;
ALTER TABLE broker.simulator_orders
    DROP CONSTRAINT simulator_orders_order_type_check,
    DROP CONSTRAINT simulator_orders_time_in_force_check,
    DROP COLUMN stop_price, DROP COLUMN trail_amount, DROP COLUMN trail_percent, DROP COLUMN expire_date,
    DROP COLUMN mark, DROP COLUMN triggered_at, DROP COLUMN replaces,
    ADD CONSTRAINT simulator_orders_order_type_check CHECK (order_type IN ('market', 'limit')) NOT VALID,
    ADD CONSTRAINT simulator_orders_time_in_force_check CHECK (time_in_force IN ('day', 'gtc')) NOT VALID;
