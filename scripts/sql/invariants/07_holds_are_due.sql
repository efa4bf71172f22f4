-- Every open order holds what its open part can still cost, an ended one nothing, and a balance holds what its orders hold.
-- While other terms are asked for, a purchase holds what is dearer: those alone, or what is open by the present ones and
-- what those add to it; a sale holds the shares of whichever is more. Two exits for the same
-- shares hold together what neither has sold. A purchase whose broker was sent an amount of money holds what is left of it.
WITH open AS (
    SELECT o.id, o.account_id, o.side, o.held, cash.currency, o.symbol, o.worst_price, o.commission + o.tax AS charged,
        o.status IN ('DENIED', 'REJECTED', 'FILLED', 'CANCELED', 'EXPIRED', 'REPLACED') AS has_ended,
        greatest(o.quantity - o.filled_quantity, 0) AS leaves, o.fees_max,
        greatest((o.replacing->'terms'->>'quantity')::numeric - o.filled_quantity, 0) AS asked_leaves,
        (o.replacing->'terms'->>'worstPrice')::numeric AS asked_worst_price,
        (o.replacing->'terms'->>'feesMax')::numeric AS asked_fees_max,
        o.replacing IS NOT NULL AS is_changing,
        CASE WHEN o.sends_amount THEN greatest(o.notional - o.filled_notional, 0) END AS unspent,
        CASE WHEN o.group_left IS NOT NULL THEN greatest(o.group_left - coalesce(o.sibling_held, 0), 0) END AS group_part,
        CASE cash.currency WHEN 'USD' THEN 100 ELSE 1 END AS units
    FROM trading.orders AS o
    CROSS JOIN LATERAL (SELECT CASE WHEN o.symbol LIKE '%.%' THEN 'KRW' ELSE 'USD' END AS currency) AS cash
),
parts AS (
    SELECT open.*,
        CASE WHEN leaves = 0 THEN 0 ELSE ceil(worst_price * leaves * units) / units + greatest(fees_max - charged, 0) END
            AS present,
        CASE WHEN asked_leaves = 0 THEN 0
            ELSE ceil(asked_worst_price * asked_leaves * units) / units + greatest(asked_fees_max - charged, 0) END
            AS asked,
        CASE WHEN leaves = 0 AND asked_leaves = 0 THEN 0
            ELSE ceil((worst_price * leaves + asked_worst_price * greatest(asked_leaves - leaves, 0)) * units) / units
                + greatest(greatest(fees_max, asked_fees_max) - charged, 0) END AS crossed
    FROM open
),
due AS (
    SELECT id, account_id, held, CASE WHEN side = 'buy' THEN currency ELSE symbol END AS commodity,
        CASE
            WHEN has_ended THEN 0
            WHEN side = 'sell' THEN least(greatest(leaves, asked_leaves), group_part)
            WHEN unspent IS NOT NULL THEN ceil(unspent * units) / units + greatest(fees_max - charged, 0)
            WHEN is_changing THEN greatest(asked, crossed)
            ELSE present
        END AS held_due
    FROM parts
)
SELECT id::text AS what, held AS found, held_due AS expected FROM due WHERE held <> held_due
UNION ALL
SELECT concat(account_id, ' ', commodity), b.held, d.held
FROM (SELECT account_id, commodity, held FROM account.balances) AS b
FULL JOIN (SELECT account_id, commodity, sum(held) AS held FROM due GROUP BY account_id, commodity) AS d
    USING (account_id, commodity)
WHERE coalesce(b.held, 0) <> coalesce(d.held, 0);
