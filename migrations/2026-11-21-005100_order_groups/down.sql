ALTER TABLE trading.orders
    DROP COLUMN group_id, DROP COLUMN sibling_id, DROP COLUMN group_left, DROP COLUMN sibling_held;
DROP TABLE trading.group_legs;
DROP TABLE trading.order_groups;
