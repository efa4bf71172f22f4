-- What the brokers have reported and we have applied is what our books say, execution by execution; what waits for its order is kept.
WITH applied AS (
    SELECT * FROM broker.execution_reports AS r
    WHERE id <= (SELECT last_id FROM trading.report_cursor)
        AND NOT EXISTS (SELECT FROM trading.orphan_reports AS o WHERE o.report_id = r.id)
)
SELECT account_id, execution_id, r.order_id AS reported_order, e.order_id AS booked_order,
    r.quantity AS reported_quantity, e.quantity AS booked_quantity
FROM (SELECT account_id, execution_id, order_id, quantity, price, commission, tax
      FROM applied WHERE kind IN ('fill', 'trade_corrected')) AS r
FULL JOIN trading.executions AS e USING (account_id, execution_id)
WHERE (r.order_id, r.quantity, r.price, r.commission, r.tax)
    IS DISTINCT FROM (e.order_id, e.quantity, e.price, e.commission, e.tax)
UNION ALL
SELECT account_id, execution_id, u.order_id, e.order_id, NULL, NULL
FROM (SELECT account_id, undone_execution_id AS execution_id, order_id
      FROM applied WHERE kind IN ('trade_canceled', 'trade_corrected')) AS u
FULL JOIN (SELECT * FROM trading.executions WHERE reversed_by IS NOT NULL) AS e USING (account_id, execution_id)
WHERE u.order_id IS DISTINCT FROM e.order_id;
