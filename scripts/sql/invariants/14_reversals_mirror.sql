-- What a reversal takes back it takes back whole: per commodity and symbol, cash and promises counted as one, the two
-- sum to zero. Linked journals come in pairs.
SELECT r.id AS journal_id, p.commodity, sum(p.amount) AS rest
FROM account.journals AS r
JOIN account.postings AS p ON p.journal_id IN (r.id, r.reverses)
WHERE r.reverses IS NOT NULL
GROUP BY r.id, p.commodity, p.symbol,
    CASE WHEN p.ledger_account IN ('receivable', 'payable') THEN 'cash' ELSE p.ledger_account END
HAVING sum(p.amount) <> 0
UNION ALL
SELECT link_id, NULL, count(*) FROM account.journals WHERE link_id IS NOT NULL GROUP BY link_id HAVING count(*) <> 2;
