-- Open lots hold what their position holds and cost what it says they cost; every lot is what came less what was sold
-- of it; every sale is the sum of its lots; and under either method cost and profit are the same money. What is sold short
-- has lots below zero, where the account may sell short; elsewhere no lot is below zero.
SELECT concat(account_id, ' ', symbol) AS what, p.quantity AS found, l.quantity AS expected
FROM portfolio.positions AS p
FULL JOIN (SELECT account_id, symbol, sum(quantity) AS quantity, sum(cost) AS cost
    FROM portfolio.lots GROUP BY account_id, symbol) AS l USING (account_id, symbol)
LEFT JOIN account.accounts AS a ON a.id = account_id
WHERE (CASE WHEN a.short_selling THEN coalesce(p.quantity, 0) ELSE greatest(coalesce(p.quantity, 0), 0) END)
        <> coalesce(l.quantity, 0)
    OR coalesce(p.fifo_cost, 0) <> coalesce(l.cost, 0)
UNION ALL
SELECT concat(account_id, ' ', currency), sum(cost - realised_pnl), sum(fifo_cost - fifo_realised_pnl)
FROM portfolio.positions GROUP BY account_id, currency
HAVING sum(cost - realised_pnl) <> sum(fifo_cost - fifo_realised_pnl)
UNION ALL
SELECT l.id::text, l.quantity, l.opened_quantity + l.adjusted_quantity - coalesce(s.quantity, 0)
FROM portfolio.lots AS l
LEFT JOIN (SELECT lot_id, sum(quantity) AS quantity, sum(cost) AS cost FROM portfolio.lot_sales GROUP BY lot_id) AS s
    ON s.lot_id = l.id
WHERE l.quantity <> l.opened_quantity + l.adjusted_quantity - coalesce(s.quantity, 0)
    OR l.cost <> l.opened_cost - coalesce(s.cost, 0)
    OR (l.quantity = 0 AND l.cost <> 0) OR l.quantity * l.cost < 0 OR l.quantity * l.opened_quantity < 0
UNION ALL
SELECT coalesce(s.journal_id, p.journal_id)::text, s.fifo_cost, p.cost
FROM portfolio.sales AS s
FULL JOIN (SELECT journal_id, sum(quantity) AS quantity, sum(cost) AS cost, sum(proceeds) AS proceeds
    FROM portfolio.lot_sales GROUP BY journal_id) AS p ON p.journal_id = s.journal_id
WHERE s.fifo_cost IS DISTINCT FROM coalesce(p.cost, 0) OR s.quantity * coalesce(p.quantity, 0) < 0
    OR abs(s.quantity) < abs(p.quantity)
    OR (s.quantity = p.quantity AND s.proceeds <> p.proceeds)
UNION ALL
SELECT l.id::text, NULL, NULL FROM portfolio.lots AS l WHERE NOT EXISTS (SELECT FROM account.journals AS j WHERE j.id = l.id);
