ALTER TABLE trading.reconciliations DROP COLUMN failure;
ALTER TABLE trading.incidents DROP COLUMN facts;
