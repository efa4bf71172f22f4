ALTER TABLE trading.executions DROP COLUMN session_date;
