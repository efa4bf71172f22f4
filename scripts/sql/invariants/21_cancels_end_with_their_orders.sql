-- Whoever asked to take an order back has an answer at the latest when the order ends.
SELECT c.id AS request_id, c.status AS request_status, o.id AS order_id, o.status AS order_status
FROM trading.cancel_requests AS c
JOIN trading.orders AS o ON o.id = c.order_id
WHERE c.status IN ('SENT', 'UNRESOLVED') AND o.ended_as IS NOT NULL;
