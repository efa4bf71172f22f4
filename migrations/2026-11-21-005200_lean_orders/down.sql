DROP VIEW trading.order_history;

INSERT INTO trading.order_events (order_id, sequence, event, status, detail, occurred_at)
SELECT id, 1, CASE WHEN denials IS NULL THEN 'submitted' ELSE 'denied' END,
    CASE WHEN denials IS NULL THEN 'PENDING_NEW' ELSE 'DENIED' END,
    (SELECT string_agg(denial ->> 'rule', ', ') FROM json_array_elements(denials) AS denial), created_at
FROM trading.orders WHERE origin = 'OWN';

ALTER TABLE trading.orders DROP COLUMN is_open, DROP COLUMN ended_as;
ALTER TABLE trading.orders ADD COLUMN is_open boolean NOT NULL GENERATED ALWAYS AS
    (status IN ('PENDING_NEW', 'NEW', 'PARTIALLY_FILLED', 'SUSPENDED', 'DONE_FOR_DAY')) STORED;
ALTER TABLE trading.orders ADD COLUMN ended_as text GENERATED ALWAYS AS
    (CASE WHEN status IN ('DENIED', 'REJECTED', 'FILLED', 'CANCELED', 'EXPIRED', 'REPLACED') THEN status END) STORED;
CREATE INDEX orders_open ON trading.orders (account_id, symbol) WHERE is_open;
CREATE INDEX orders_ended ON trading.orders (account_id, ended_as, created_at, id) WHERE ended_as IS NOT NULL;
CREATE INDEX orders_ended_of_symbol ON trading.orders (account_id, symbol, created_at, id) WHERE ended_as IS NOT NULL;
