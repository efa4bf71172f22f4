DROP TABLE broker.order_links;
DROP TABLE broker.simulator_checkpoints;
DROP TABLE broker.recoveries;
DROP INDEX broker.execution_reports_undone_once;
ALTER TABLE broker.execution_reports DROP CONSTRAINT execution_reports_undo;
ALTER TABLE broker.execution_reports DROP COLUMN undone_execution_id;
