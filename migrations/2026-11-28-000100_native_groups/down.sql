DROP INDEX broker.sent_orders_of_leader;
ALTER TABLE broker.sent_orders DROP COLUMN leader_id, DROP COLUMN leg, DROP COLUMN claimed_at;
ALTER TABLE trading.orders DROP COLUMN contingency;
ALTER TABLE trading.order_groups DROP COLUMN is_native;
