-- Lists of orders run along (created_at, id): a page costs the same however long the history is. Orders that have ended
-- are found by symbol and by how they ended; those that are open are few and have an index already. What an order's end
-- alone writes costs a new order nothing, hence a column that stays empty until then.
ALTER TABLE trading.orders ADD COLUMN ended_as text GENERATED ALWAYS AS
    (CASE WHEN status IN ('DENIED', 'REJECTED', 'FILLED', 'CANCELED', 'EXPIRED', 'REPLACED') THEN status END) STORED;

-- As before, only lists state a condition that always holds, so that no look-up of one order takes this index.
DROP INDEX trading.orders_listed;
CREATE INDEX orders_listed ON trading.orders (account_id, created_at, id) WHERE quantity > 0;
CREATE INDEX orders_ended ON trading.orders (account_id, ended_as, created_at, id) WHERE ended_as IS NOT NULL;
CREATE INDEX orders_ended_of_symbol ON trading.orders (account_id, symbol, created_at, id) WHERE ended_as IS NOT NULL;

-- The history of an order names its requests.
CREATE INDEX cancel_requests_of_order ON trading.cancel_requests (order_id);
