-- What an action has done to an account is in its books, and every split in the books says by which ratio it counted.
SELECT a.action_id::text AS what, a.account_id, a.kind
FROM portfolio.corporate_applications AS a
WHERE NOT EXISTS (SELECT FROM account.journals AS j WHERE j.account_id = a.account_id AND j.idempotency_key IN (
    concat('split:', a.action_id), concat('cash_in_lieu:', a.action_id), concat('dividend:', a.action_id),
    concat('symbol_change:', a.action_id)))
UNION ALL
SELECT j.id::text, j.account_id, j.kind
FROM account.journals AS j LEFT JOIN portfolio.splits AS s ON s.journal_id = j.id
WHERE (j.kind = 'split') <> (s.journal_id IS NOT NULL);
