-- Closes, and orders, that the house makes where a margin call is not answered.
ALTER TABLE trading.close_requests
    ADD COLUMN cause text NOT NULL DEFAULT 'TRADER' CHECK (cause IN ('TRADER', 'MARGIN_CALL'));
CREATE INDEX close_requests_of_calls ON trading.close_requests (account_id, updated_at) WHERE cause = 'MARGIN_CALL';
-- Their orders begin like the trader's own, and are marked afterwards.
CREATE OR REPLACE VIEW trading.order_history AS
SELECT id AS order_id, 1 AS sequence,
    CASE WHEN denials IS NULL THEN 'submitted' ELSE 'denied' END AS event,
    CASE WHEN denials IS NULL THEN 'PENDING_NEW' ELSE 'DENIED' END AS status,
    (SELECT string_agg(denial ->> 'rule', ', ') FROM json_array_elements(denials) AS denial) AS detail,
    created_at AS occurred_at
FROM trading.orders
WHERE origin <> 'EXTERNAL'
UNION ALL
SELECT order_id, sequence, event, status, detail, occurred_at FROM trading.order_events;
