-- The checks are not made again: rows written since may be of types that the old ones did not know.
DROP TABLE trading.halted_symbols;
DROP TABLE trading.replace_requests;
ALTER TABLE trading.orders
    DROP CONSTRAINT IF EXISTS orders_day_of_gtd,
    DROP CONSTRAINT IF EXISTS orders_prices_of_type,
    DROP CONSTRAINT IF EXISTS orders_time_in_force_check,
    DROP CONSTRAINT IF EXISTS orders_order_type_check,
    DROP COLUMN stop_price, DROP COLUMN trail_amount, DROP COLUMN trail_percent, DROP COLUMN expire_date,
    DROP COLUMN notional, DROP COLUMN triggered_at, DROP COLUMN original, DROP COLUMN replacing;
COMMENT ON COLUMN trading.orders.worst_price IS NULL;
