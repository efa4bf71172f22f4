-- Every execution has exactly one journal, of its account, quantity and price, and no journal of a fill is without one; one that was taken back has exactly one journal that does so.
SELECT e.account_id, e.execution_id, e.journal_id, j.id AS found_journal_id, j.execution_id AS found_execution_id
FROM trading.executions AS e
FULL JOIN (SELECT id, account_id, execution_id FROM account.journals WHERE kind = 'fill') AS j
    ON j.account_id = e.account_id AND j.execution_id = e.execution_id
WHERE e.journal_id IS DISTINCT FROM j.id
UNION ALL
SELECT e.account_id, e.execution_id, e.journal_id, NULL, NULL
FROM trading.executions AS e
JOIN account.postings AS p ON p.journal_id = e.journal_id AND p.ledger_account = 'shares'
WHERE abs(p.amount) <> e.quantity
UNION ALL
SELECT e.account_id, e.execution_id, e.reversed_by, r.id, NULL
FROM trading.executions AS e
LEFT JOIN account.journals AS r ON r.reverses = e.journal_id
WHERE e.reversed_by IS NOT NULL AND e.reversed_by IS DISTINCT FROM r.id;
