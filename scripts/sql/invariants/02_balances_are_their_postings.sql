-- Every cached balance of cash or shares is the sum of its postings, what is promised for later days included.
SELECT account_id, commodity, b.total AS cached, p.total AS posted
FROM (SELECT account_id, commodity, total FROM account.balances) AS b
FULL JOIN (SELECT account_id, commodity, sum(amount) AS total FROM account.postings
           WHERE ledger_account IN ('cash', 'receivable', 'payable', 'shares') GROUP BY account_id, commodity) AS p
    USING (account_id, commodity)
WHERE coalesce(b.total, 0) <> coalesce(p.total, 0);
