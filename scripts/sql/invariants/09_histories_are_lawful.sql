-- Every order's events are numbered without a gap, follow the state table, and end where the order stands; none is without its order.
WITH steps AS (
    SELECT e.order_id, e.sequence, e.event, e.status,
        lag(e.status) OVER history AS before,
        row_number() OVER history AS expected_sequence,
        lead(e.sequence) OVER history IS NULL AS is_last
    FROM trading.order_history AS e
    WINDOW history AS (PARTITION BY e.order_id ORDER BY e.sequence)
),
-- What was executed and is taken back is open again.
undone (before, after) AS (VALUES
    ('FILLED', ARRAY['NEW', 'PARTIALLY_FILLED']),
    ('PARTIALLY_FILLED', ARRAY['NEW'])
),
lawful (before, after) AS (VALUES
    ('PENDING_NEW', ARRAY['NEW', 'PARTIALLY_FILLED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED', 'SUSPENDED', 'DONE_FOR_DAY']),
    ('NEW', ARRAY['PARTIALLY_FILLED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED', 'SUSPENDED', 'DONE_FOR_DAY', 'REPLACED']),
    ('PARTIALLY_FILLED', ARRAY['FILLED', 'CANCELED', 'EXPIRED', 'SUSPENDED', 'DONE_FOR_DAY', 'REPLACED']),
    ('SUSPENDED', ARRAY['NEW', 'PARTIALLY_FILLED', 'FILLED', 'CANCELED', 'EXPIRED', 'DONE_FOR_DAY', 'REPLACED']),
    ('DONE_FOR_DAY', ARRAY['NEW', 'PARTIALLY_FILLED', 'FILLED', 'CANCELED', 'EXPIRED', 'SUSPENDED', 'REPLACED'])
)
SELECT s.order_id, s.sequence, s.before, s.status
FROM steps AS s LEFT JOIN lawful AS l ON l.before = s.before
WHERE s.sequence <> s.expected_sequence
    OR (s.before IS NULL AND s.status NOT IN ('PENDING_NEW', 'DENIED'))
    OR (s.before IS NOT NULL AND s.before <> s.status AND NOT coalesce(s.status = ANY (l.after), false)
        AND NOT (s.event IN ('trade_canceled', 'trade_corrected')
            AND EXISTS (SELECT FROM undone AS u WHERE u.before = s.before AND s.status = ANY (u.after))))
UNION ALL
SELECT coalesce(o.id, s.order_id), o.event_sequence, s.status, o.status
FROM trading.orders AS o FULL JOIN (SELECT * FROM steps WHERE is_last) AS s ON s.order_id = o.id
WHERE (s.sequence, s.status) IS DISTINCT FROM (o.event_sequence, o.status);
