-- The trading day of the price at which an execution happened, where that was known: prices that are played again are of another
-- day than the one on the clock.
ALTER TABLE trading.executions ADD COLUMN session_date date;
