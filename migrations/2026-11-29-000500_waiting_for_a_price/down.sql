ALTER TABLE broker.simulator_orders DROP COLUMN waits_for_price;
