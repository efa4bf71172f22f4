-- Two exits for the same shares know what the other has sold and holds; a leg that was placed is an order, one that waits
-- is none; a group that has ended has no open order.
SELECT o.id::text AS what, concat_ws(' ', o.group_left, o.sibling_held) AS found,
    concat_ws(' ', greatest(coalesce(e.filled_quantity, g.quantity) - o.filled_quantity - s.filled_quantity, 0),
        CASE WHEN o.sibling_held IS NOT NULL THEN s.held END) AS expected
FROM trading.orders AS o
JOIN trading.orders AS s ON s.id = o.sibling_id
JOIN trading.order_groups AS g ON g.id = o.group_id
LEFT JOIN trading.group_legs AS l ON l.group_id = g.id AND l.leg = 'entry'
LEFT JOIN trading.orders AS e ON e.id = l.order_id
WHERE o.group_left IS DISTINCT FROM
        greatest(coalesce(e.filled_quantity, g.quantity) - o.filled_quantity - s.filled_quantity, 0)
   OR (o.sibling_held IS NULL) <> (s.sibling_held IS NOT NULL)
   OR (o.sibling_held IS NOT NULL AND o.sibling_held <> s.held)
UNION ALL
SELECT concat(l.group_id, ' ', l.leg), l.state, coalesce(o.status, 'no order')
FROM trading.group_legs AS l
JOIN trading.order_groups AS g ON g.id = l.group_id
LEFT JOIN trading.orders AS o ON o.id = l.order_id
WHERE (l.state = 'PLACED') <> (o.id IS NOT NULL)
   OR (g.status = 'DONE' AND (l.state = 'WAITING' OR o.is_open));
