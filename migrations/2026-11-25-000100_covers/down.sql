ALTER TABLE trading.close_requests RENAME COLUMN close_max TO sell_max;
ALTER TABLE trading.close_requests DROP COLUMN side;
