ALTER TABLE trading.halts DROP COLUMN kind;
