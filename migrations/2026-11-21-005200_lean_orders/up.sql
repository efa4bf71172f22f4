-- Postgres reads the text of a generated column's expression anew for each statement that writes the table, as it does
-- with CHECKs. The statements that write a status write these two with it, and invariant 12 asks whether they fit.
ALTER TABLE trading.orders ALTER COLUMN is_open DROP EXPRESSION;
ALTER TABLE trading.orders ALTER COLUMN ended_as DROP EXPRESSION;

-- The first line of an order's history is the order itself: how it began can be read from its row for ever.
DELETE FROM trading.order_events AS e USING trading.orders AS o
WHERE o.id = e.order_id AND e.sequence = 1 AND o.origin = 'OWN';

CREATE VIEW trading.order_history AS
SELECT id AS order_id, 1 AS sequence,
    CASE WHEN denials IS NULL THEN 'submitted' ELSE 'denied' END AS event,
    CASE WHEN denials IS NULL THEN 'PENDING_NEW' ELSE 'DENIED' END AS status,
    (SELECT string_agg(denial ->> 'rule', ', ') FROM json_array_elements(denials) AS denial) AS detail,
    created_at AS occurred_at
FROM trading.orders
WHERE origin = 'OWN'
UNION ALL
SELECT order_id, sequence, event, status, detail, occurred_at FROM trading.order_events;
COMMENT ON VIEW trading.order_history IS 'What happened to orders. Orders that were found at a broker have their first line among the events.';
