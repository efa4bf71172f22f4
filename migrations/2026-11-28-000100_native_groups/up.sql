-- Groups that their broker works as one order of its own.
ALTER TABLE trading.order_groups ADD COLUMN is_native boolean NOT NULL DEFAULT false;
-- How an order of such a group belongs to the others there.
ALTER TABLE trading.orders ADD COLUMN contingency json;
-- What was sent as one: which order brought the others, and which of them this is.
ALTER TABLE broker.sent_orders
    ADD COLUMN leader_id  uuid,
    ADD COLUMN leg        text CHECK (leg IN ('leader', 'take_profit', 'stop_loss')),
    -- When it became an order here; what happens to it before waits for that.
    ADD COLUMN claimed_at timestamptz,
    ADD CHECK (leader_id IS NULL OR leg IN ('take_profit', 'stop_loss'));
CREATE INDEX sent_orders_of_leader ON broker.sent_orders (leader_id) WHERE leader_id IS NOT NULL;
