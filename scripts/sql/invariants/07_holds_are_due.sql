-- Every open order holds what its open part can still cost, an ended one nothing, and a balance holds what its orders hold.
WITH due AS (
    SELECT o.id, o.account_id, o.held,
        CASE WHEN o.side = 'buy' THEN cash.currency ELSE o.symbol END AS commodity,
        CASE
            WHEN o.status IN ('DENIED', 'REJECTED', 'FILLED', 'CANCELED', 'EXPIRED', 'REPLACED') THEN 0
            WHEN o.side = 'sell' THEN o.quantity - o.filled_quantity
            ELSE ceil(o.worst_price * (o.quantity - o.filled_quantity) * CASE cash.currency WHEN 'USD' THEN 100 ELSE 1 END)
                    / CASE cash.currency WHEN 'USD' THEN 100 ELSE 1 END
                + greatest(o.fees_max - o.commission - o.tax, 0)
        END AS held_due
    FROM trading.orders AS o
    CROSS JOIN LATERAL (SELECT CASE WHEN o.symbol LIKE '%.%' THEN 'KRW' ELSE 'USD' END AS currency) AS cash
)
SELECT id::text AS what, held AS found, held_due AS expected FROM due WHERE held <> held_due
UNION ALL
SELECT concat(account_id, ' ', commodity), b.held, d.held
FROM (SELECT account_id, commodity, held FROM account.balances) AS b
FULL JOIN (SELECT account_id, commodity, sum(held) AS held FROM due GROUP BY account_id, commodity) AS d
    USING (account_id, commodity)
WHERE coalesce(b.held, 0) <> coalesce(d.held, 0);
