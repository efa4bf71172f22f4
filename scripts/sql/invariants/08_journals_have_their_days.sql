-- No journal settles before it was traded, every fill settles on a later day than it was traded, and what a day has
-- promised is what is kept for it: nothing is promised for a day that is past.
SELECT id::text AS what, kind, trade_date, settle_date
FROM account.journals
WHERE settle_date < trade_date OR (kind = 'fill' AND settle_date = trade_date)
UNION ALL
SELECT concat(account_id, ' ', commodity), 'unsettled', NULL, settle_date
FROM (SELECT p.account_id, p.commodity, j.settle_date,
        coalesce(sum(p.amount) FILTER (WHERE p.ledger_account = 'receivable'), 0) AS receivable,
        coalesce(sum(p.amount) FILTER (WHERE p.ledger_account = 'payable'), 0) AS payable
    FROM account.postings AS p JOIN account.journals AS j ON j.id = p.journal_id
    WHERE p.ledger_account IN ('receivable', 'payable') GROUP BY p.account_id, p.commodity, j.settle_date) AS promised
FULL JOIN account.unsettled AS u USING (account_id, commodity, settle_date)
WHERE (coalesce(promised.receivable, 0), coalesce(promised.payable, 0))
        IS DISTINCT FROM (coalesce(u.receivable, 0), coalesce(u.payable, 0))
    OR ((coalesce(u.receivable, 0) <> 0 OR coalesce(u.payable, 0) <> 0)
        AND settle_date < (now() AT TIME ZONE CASE commodity WHEN 'KRW' THEN 'Asia/Seoul' ELSE 'America/New_York' END)::date);
