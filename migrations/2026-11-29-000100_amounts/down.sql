ALTER TABLE trading.orders DROP COLUMN sends_amount;
ALTER TABLE broker.sent_orders DROP COLUMN notional;
