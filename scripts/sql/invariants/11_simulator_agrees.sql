-- What the simulator has executed of an order is what it has reported, and nothing works there that has ended here.
SELECT s.order_id, s.status, s.filled_quantity, r.quantity AS reported_quantity, NULL AS our_status
FROM broker.simulator_orders AS s
LEFT JOIN (SELECT order_id, sum(quantity) AS quantity FROM broker.execution_reports
           WHERE kind = 'fill' GROUP BY order_id) AS r ON r.order_id = s.order_id
WHERE s.filled_quantity <> coalesce(r.quantity, 0)
UNION ALL
SELECT s.order_id, s.status, s.filled_quantity, NULL, o.status
FROM broker.simulator_orders AS s JOIN trading.orders AS o ON o.id = s.order_id
WHERE s.status IN ('NEW', 'PARTIALLY_FILLED')
    AND o.status IN ('DENIED', 'REJECTED', 'FILLED', 'CANCELED', 'EXPIRED', 'REPLACED');
