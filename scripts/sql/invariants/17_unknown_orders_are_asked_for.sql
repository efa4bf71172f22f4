-- Every order whose fate nobody knows is being asked for or was put before a person, and what is halted has a reason.
SELECT o.id::text AS what, o.status AS found
FROM trading.orders AS o
WHERE o.status = 'PENDING_NEW' AND o.unresolved_since IS NOT NULL
    AND NOT EXISTS (SELECT FROM trading.inquiries AS i WHERE i.order_id = o.id AND i.next_at IS NOT NULL)
UNION ALL
SELECT i.order_id::text, 'given up without an incident'
FROM trading.inquiries AS i
WHERE i.given_up_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM trading.incidents AS t WHERE t.order_id = i.order_id AND t.kind = 'unresolved_order')
UNION ALL
SELECT id::text, 'an execution of a refused order without a halt'
FROM trading.incidents AS t
WHERE t.kind = 'fill_of_refused_order'
    AND NOT EXISTS (SELECT FROM trading.halts AS h WHERE h.account_id = t.account_id
        AND t.occurred_at BETWEEN h.halted_at AND coalesce(h.lifted_at, 'infinity'));
