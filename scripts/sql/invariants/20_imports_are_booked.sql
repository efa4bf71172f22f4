-- Every line that was taken over is a movement of its account, and every import has as many lines as it says.
SELECT l.import_id, l.line, l.account_id
FROM activity.import_lines AS l JOIN activity.imports AS i ON i.id = l.import_id
WHERE l.account_id <> i.account_id
    OR NOT EXISTS (SELECT FROM account.journals AS j WHERE j.account_id = l.account_id AND j.idempotency_key IN (
        'trade:' || l.import_id || ':' || l.line, 'split:' || l.import_id || ':' || l.line,
        'import:' || l.import_id || ':' || l.line))
UNION ALL
SELECT i.id, i.booked, i.account_id
FROM activity.imports AS i
WHERE i.reset_at IS NULL
    AND i.booked <> (SELECT count(*) FROM activity.import_lines AS l WHERE l.import_id = i.id);
