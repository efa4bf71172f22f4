-- What a broker did beside orders is in the books once with the cash that it moved, as far as it was taken in, unless a person was told that it could not be.
SELECT a.id, a.account_id, a.word, a.amount, a.is_undone, p.amount AS booked
FROM broker.activities AS a
LEFT JOIN account.journals AS j ON j.account_id = a.account_id
    AND j.idempotency_key = 'activity:' || a.activity_id || CASE WHEN a.is_undone THEN ':undone' ELSE '' END
LEFT JOIN account.postings AS p ON p.journal_id = j.id AND p.ledger_account = 'cash'
WHERE (a.id <= (SELECT last_id FROM trading.activity_cursor) OR a.id IN (SELECT id FROM trading.activities_ahead))
    -- The books have no parts of a cent or a won.
    AND abs(coalesce(p.amount, 0) - CASE WHEN a.is_undone THEN -a.amount ELSE a.amount END)
        > CASE a.currency WHEN 'KRW' THEN 0.5 ELSE 0.005 END
    AND NOT EXISTS (SELECT FROM trading.incidents AS i WHERE i.account_id = a.account_id AND i.kind = 'unbooked_activity')
UNION ALL
SELECT NULL, j.account_id, j.idempotency_key, NULL, NULL, NULL
FROM account.journals AS j
WHERE starts_with(j.idempotency_key, 'activity:') AND NOT EXISTS (SELECT FROM broker.activities AS a
    WHERE a.account_id = j.account_id
        AND (a.id <= (SELECT last_id FROM trading.activity_cursor) OR a.id IN (SELECT id FROM trading.activities_ahead))
        AND j.idempotency_key = 'activity:' || a.activity_id || CASE WHEN a.is_undone THEN ':undone' ELSE '' END);
