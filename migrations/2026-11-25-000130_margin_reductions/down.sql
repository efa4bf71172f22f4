UPDATE trading.orders SET origin = 'OWN' WHERE origin = 'MARGIN_CALL';
CREATE OR REPLACE VIEW trading.order_history AS
SELECT id AS order_id, 1 AS sequence,
    CASE WHEN denials IS NULL THEN 'submitted' ELSE 'denied' END AS event,
    CASE WHEN denials IS NULL THEN 'PENDING_NEW' ELSE 'DENIED' END AS status,
    (SELECT string_agg(denial ->> 'rule', ', ') FROM json_array_elements(denials) AS denial) AS detail,
    created_at AS occurred_at
FROM trading.orders
WHERE origin = 'OWN'
UNION ALL
SELECT order_id, sequence, event, status, detail, occurred_at FROM trading.order_events;
ALTER TABLE trading.close_requests DROP COLUMN cause;
