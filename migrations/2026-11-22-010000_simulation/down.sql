ALTER TABLE broker.simulator_orders
    DROP CONSTRAINT simulator_orders_course,
    DROP COLUMN simulation,
    DROP COLUMN active_at,
    DROP COLUMN queue_ahead;
ALTER TABLE broker.accounts DROP COLUMN simulation;
