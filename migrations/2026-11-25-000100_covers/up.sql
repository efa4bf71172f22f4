-- A position below zero is closed by a purchase.
ALTER TABLE trading.close_requests ADD COLUMN side text NOT NULL DEFAULT 'sell' CHECK (side IN ('buy', 'sell'));
ALTER TABLE trading.close_requests ALTER COLUMN side DROP DEFAULT;
-- The most that may be sold or bought back.
ALTER TABLE trading.close_requests RENAME COLUMN sell_max TO close_max;
