-- Orders that no program of ours writes: unknown words, prices that do not fit the type, amounts below zero, no account.
SELECT o.id, o.status, o.order_type, o.side, o.quantity, o.limit_price, o.worst_price, o.held, o.denials::text
FROM trading.orders AS o
WHERE o.side NOT IN ('buy', 'sell')
   OR o.origin NOT IN ('OWN', 'EXTERNAL', 'MARGIN_CALL')
   OR o.status NOT IN ('PENDING_NEW', 'NEW', 'PARTIALLY_FILLED', 'SUSPENDED', 'DONE_FOR_DAY', 'DENIED', 'REJECTED',
        'FILLED', 'CANCELED', 'EXPIRED', 'REPLACED')
   OR o.order_type NOT IN ('market', 'limit', 'stop', 'stop_limit', 'trailing_stop')
   OR o.time_in_force NOT IN ('day', 'gtc', 'ioc', 'fok', 'opg', 'cls', 'gtd')
   OR (o.time_in_force = 'gtd') <> (o.expire_date IS NOT NULL)
   OR o.quantity <= 0 OR o.limit_price <= 0 OR o.worst_price <= 0
   OR o.stop_price <= 0 OR o.trail_amount <= 0 OR o.trail_percent <= 0 OR o.notional <= 0
   OR o.fees_max < 0 OR o.filled_quantity < 0 OR o.held < 0
   OR (o.order_type IN ('limit', 'stop_limit')) <> (o.limit_price IS NOT NULL)
   OR (o.order_type IN ('stop', 'stop_limit')) <> (o.stop_price IS NOT NULL)
   OR num_nonnulls(o.trail_amount, o.trail_percent) <> CASE o.order_type WHEN 'trailing_stop' THEN 1 ELSE 0 END
   OR (o.sends_amount AND (o.notional IS NULL OR o.side <> 'buy' OR o.order_type <> 'market' OR o.time_in_force <> 'day'
        OR o.group_id IS NOT NULL OR o.replacing IS NOT NULL))
   OR (o.status <> 'DENIED' AND o.worst_price IS NULL)
   OR (o.status = 'DENIED') <> (o.denials IS NOT NULL)
   OR o.is_open <> (o.status IN ('PENDING_NEW', 'NEW', 'PARTIALLY_FILLED', 'SUSPENDED', 'DONE_FOR_DAY'))
   OR o.ended_as IS DISTINCT FROM CASE WHEN o.is_open THEN NULL ELSE o.status END
   OR NOT EXISTS (SELECT FROM account.accounts AS a WHERE a.id = o.account_id);
