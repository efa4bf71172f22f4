-- Orders that no program of ours writes: unknown words, prices that do not fit the type, amounts below zero, no account.
SELECT o.id, o.status, o.order_type, o.side, o.quantity, o.limit_price, o.worst_price, o.held, o.denials::text
FROM trading.orders AS o
WHERE o.side NOT IN ('buy', 'sell')
   OR o.status NOT IN ('PENDING_NEW', 'NEW', 'PARTIALLY_FILLED', 'SUSPENDED', 'DONE_FOR_DAY', 'DENIED', 'REJECTED',
        'FILLED', 'CANCELED', 'EXPIRED', 'REPLACED')
   OR o.quantity <= 0 OR o.limit_price <= 0 OR o.worst_price <= 0
   OR o.fees_max < 0 OR o.filled_quantity < 0 OR o.held < 0
   OR (o.order_type = 'limit') <> (o.limit_price IS NOT NULL)
   OR (o.status <> 'DENIED' AND o.worst_price IS NULL)
   OR (o.status = 'DENIED') <> (o.denials IS NOT NULL)
   OR NOT EXISTS (SELECT FROM account.accounts AS a WHERE a.id = o.account_id);
