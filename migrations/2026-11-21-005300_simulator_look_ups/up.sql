-- The working orders of one account were looked for among those of all: of the two indexes that fit, the plan, made while
-- the table was empty, had taken the wrong one. Now one fits. The condition of the other holds for every row, and only
-- what reads an account's whole past states it.
DROP INDEX broker.simulator_orders_working;
CREATE INDEX simulator_orders_working ON broker.simulator_orders (account_id, sequence)
    WHERE status IN ('NEW', 'PARTIALLY_FILLED');
DROP INDEX broker.simulator_orders_of_account;
CREATE INDEX simulator_orders_of_account ON broker.simulator_orders (account_id, sequence) WHERE quantity > 0;
