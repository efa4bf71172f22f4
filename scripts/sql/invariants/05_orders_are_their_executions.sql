-- Every order's filled quantity, value and fees are those of its executions that stand, and exceed the order, or
-- the terms it is asked to get, only with an incident.
-- What an amount of money was estimated to buy is no bound before the broker has said how many shares it was.
-- The value of each execution is rounded in its ninth digit, halves up.
SELECT o.id AS order_id, o.quantity, o.filled_quantity, e.quantity AS executed_quantity, o.filled_notional, e.notional
FROM trading.orders AS o
LEFT JOIN (SELECT order_id, sum(quantity) AS quantity, sum(round(quantity * price, 9)) AS notional,
        sum(commission) AS commission, sum(tax) AS tax
    FROM trading.executions WHERE reversed_by IS NULL GROUP BY order_id) AS e ON e.order_id = o.id
WHERE (o.filled_quantity, o.filled_notional, o.commission, o.tax)
        IS DISTINCT FROM (coalesce(e.quantity, 0), coalesce(e.notional, 0), coalesce(e.commission, 0), coalesce(e.tax, 0))
    OR (o.status = 'FILLED' AND (o.filled_quantity < o.quantity OR o.sends_amount AND o.original IS NULL))
    OR (NOT (o.sends_amount AND o.original IS NULL)
        AND o.filled_quantity > greatest(o.quantity, (o.replacing->'terms'->>'quantity')::numeric)
        AND NOT EXISTS (SELECT FROM trading.incidents AS i WHERE i.order_id = o.id AND i.kind = 'overfill'));
