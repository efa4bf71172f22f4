DROP INDEX broker.simulator_orders_working;
CREATE INDEX simulator_orders_working ON broker.simulator_orders (sequence)
    WHERE status IN ('NEW', 'PARTIALLY_FILLED');
DROP INDEX broker.simulator_orders_of_account;
CREATE INDEX simulator_orders_of_account ON broker.simulator_orders (account_id, sequence);
