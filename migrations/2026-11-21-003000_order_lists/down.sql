DROP INDEX trading.cancel_requests_of_order;
DROP INDEX trading.orders_listed;
ALTER TABLE trading.orders DROP COLUMN ended_as;
CREATE INDEX orders_listed ON trading.orders (account_id, id) WHERE quantity > 0;
