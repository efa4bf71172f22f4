-- What the brokers have reported and we have applied is what our books say, execution by execution.
SELECT account_id, execution_id, r.order_id AS reported_order, e.order_id AS booked_order,
    r.quantity AS reported_quantity, e.quantity AS booked_quantity
FROM (SELECT account_id, execution_id, order_id, quantity, price, commission, tax
      FROM broker.execution_reports
      WHERE kind = 'fill' AND id <= (SELECT last_id FROM trading.report_cursor)) AS r
FULL JOIN trading.executions AS e USING (account_id, execution_id)
WHERE (r.order_id, r.quantity, r.price, r.commission, r.tax)
    IS DISTINCT FROM (e.order_id, e.quantity, e.price, e.commission, e.tax);
