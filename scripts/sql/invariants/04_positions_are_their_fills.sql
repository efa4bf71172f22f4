-- Every position has the quantity, cost, profit, dividends and fees of its movements, and its cost is gone when its shares are:
-- above zero for shares held, below zero for shares sold short.
SELECT account_id, symbol, p.quantity, l.quantity AS posted_quantity, p.cost, l.cost AS posted_cost,
    p.realised_pnl, l.realised_pnl AS posted_realised_pnl, p.commission, l.commission AS posted_commission,
    p.tax, l.tax AS posted_tax, p.dividends, l.dividends AS posted_dividends
FROM portfolio.positions AS p
FULL JOIN (SELECT account_id, symbol,
        coalesce(sum(amount) FILTER (WHERE ledger_account = 'shares'), 0) AS quantity,
        coalesce(sum(amount) FILTER (WHERE ledger_account = 'position_cost'), 0) AS cost,
        -coalesce(sum(amount) FILTER (WHERE ledger_account = 'realised_pnl'), 0) AS realised_pnl,
        coalesce(sum(amount) FILTER (WHERE ledger_account = 'commission'), 0) AS commission,
        coalesce(sum(amount) FILTER (WHERE ledger_account = 'tax'), 0) AS tax,
        -coalesce(sum(amount) FILTER (WHERE ledger_account = 'dividend'), 0) AS dividends
    FROM account.postings WHERE symbol IS NOT NULL GROUP BY account_id, symbol) AS l
    USING (account_id, symbol)
WHERE (p.quantity, p.cost, p.realised_pnl, p.commission, p.tax, p.dividends)
        IS DISTINCT FROM (l.quantity, l.cost, l.realised_pnl, l.commission, l.tax, l.dividends)
    OR (p.quantity = 0 AND p.cost <> 0) OR p.quantity * p.cost < 0;
