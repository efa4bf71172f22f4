-- Terms that an order is to get are those of exactly one request that waits for its answer, and no request of an order
-- waits without them.
SELECT o.id AS order_id, o.status AS order_status, o.replacing->>'id' AS replacing, r.id AS request_id, r.status
FROM trading.orders AS o
FULL JOIN (SELECT id, order_id, status, quantity FROM trading.replace_requests WHERE status IN ('SENT', 'UNRESOLVED')) AS r
    ON r.order_id = o.id
WHERE (r.id IS NOT NULL AND r.id IS DISTINCT FROM (o.replacing->>'id')::uuid)
    OR (r.id IS NOT NULL AND r.quantity <> (o.replacing->'terms'->>'quantity')::numeric)
    OR (o.replacing IS NOT NULL AND o.status IN ('DENIED', 'REJECTED', 'FILLED', 'CANCELED', 'EXPIRED', 'REPLACED'))
    OR (o.replacing IS NOT NULL AND NOT EXISTS (SELECT FROM trading.replace_requests AS known
        WHERE known.id = (o.replacing->>'id')::uuid AND known.order_id = o.id
            AND known.status IN ('SENT', 'UNRESOLVED', 'ACCEPTED')));
