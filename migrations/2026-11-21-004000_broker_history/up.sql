-- What is known of brokers' histories, beyond the plain life of an order.

-- More kinds of reports, whatever the others are by now.
DO $$
DECLARE kinds text;
BEGIN
    SELECT pg_get_expr(conbin, conrelid) INTO kinds FROM pg_constraint
    WHERE conrelid = 'broker.execution_reports'::regclass AND conname = 'execution_reports_kind_check';
    ALTER TABLE broker.execution_reports DROP CONSTRAINT execution_reports_kind_check;
    EXECUTE format('ALTER TABLE broker.execution_reports ADD CONSTRAINT execution_reports_kind_check CHECK (%s OR kind = ANY (%L))',
        kinds, ARRAY['suspended', 'resumed', 'done_for_day', 'trade_canceled', 'trade_corrected']);
END
$$;
-- A correction carries an execution as a fill does.
ALTER TABLE broker.execution_reports DROP CONSTRAINT execution_reports_check;
ALTER TABLE broker.execution_reports ADD CONSTRAINT execution_reports_executions CHECK
    ((kind IN ('fill', 'trade_corrected')) = (execution_id IS NOT NULL AND quantity IS NOT NULL AND price IS NOT NULL
        AND commission IS NOT NULL AND tax IS NOT NULL));
-- The execution that is undone, by a line that undoes or corrects one.
ALTER TABLE broker.execution_reports ADD COLUMN undone_execution_id text;
ALTER TABLE broker.execution_reports ADD CONSTRAINT execution_reports_undo CHECK
    ((kind IN ('trade_canceled', 'trade_corrected')) = (undone_execution_id IS NOT NULL));
CREATE UNIQUE INDEX execution_reports_undone_once ON broker.execution_reports (account_id, undone_execution_id)
    WHERE undone_execution_id IS NOT NULL;

-- How far a broker's history was read to its end.
CREATE TABLE broker.recoveries (
    account_id uuid PRIMARY KEY,
    through    timestamptz NOT NULL
);
-- The simulator's sums of executions up to a line of the journal, so that telling what an account holds does not mean
-- reading its whole history: an object of symbols, each with its shares and its cash.
CREATE TABLE broker.simulator_checkpoints (
    account_id uuid PRIMARY KEY,
    journal_id bigint NOT NULL,
    totals     json NOT NULL
);
-- Orders that a broker without client order ids has under a number of its own, and orders there that are not ours.
CREATE TABLE broker.order_links (
    account_id      uuid NOT NULL,
    broker_order_id text NOT NULL,
    order_id        uuid NOT NULL UNIQUE,
    PRIMARY KEY (account_id, broker_order_id)
);
