-- Whether the broker was sent the order's amount of money: the quantity is an estimate until the broker says how many shares
-- it was, and what is held is what is left of the amount.
ALTER TABLE trading.orders ADD COLUMN sends_amount boolean NOT NULL DEFAULT false;
-- The amount of money that an order was sent for; its quantity is an estimate then.
ALTER TABLE broker.sent_orders ADD COLUMN notional numeric(28, 9) CHECK (notional > 0);
