-- What the broker connector knows: accounts at brokers, the simulator's orders, and the journal of reports.
CREATE SCHEMA broker;

CREATE TABLE broker.accounts (
    account_id   uuid PRIMARY KEY,
    broker       text NOT NULL CHECK (broker IN ('simulator')),
    currency     text NOT NULL CHECK (currency IN ('KRW', 'USD')),
    connected_at timestamptz NOT NULL DEFAULT now()
);

-- Orders as the simulator knows them: what was submitted, and where it stands.
CREATE TABLE broker.simulator_orders (
    order_id         uuid PRIMARY KEY,
    -- Place in the queue: of two orders at one price the smaller is served first.
    sequence         bigint NOT NULL UNIQUE,
    account_id       uuid NOT NULL,
    symbol           text NOT NULL,
    side             text NOT NULL CHECK (side IN ('buy', 'sell')),
    order_type       text NOT NULL CHECK (order_type IN ('market', 'limit')),
    time_in_force    text NOT NULL CHECK (time_in_force IN ('day', 'gtc')),
    quantity         numeric(28, 9) NOT NULL CHECK (quantity > 0),
    limit_price      numeric(28, 9) CHECK (limit_price > 0),
    protection_price numeric(28, 9) CHECK (protection_price > 0),
    submitted_at     timestamptz NOT NULL,
    accepted_at      timestamptz NOT NULL,
    expires_at       timestamptz,
    status           text NOT NULL CHECK (status IN ('NEW', 'PARTIALLY_FILLED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED')),
    filled_quantity  numeric(28, 9) NOT NULL DEFAULT 0 CHECK (filled_quantity BETWEEN 0 AND quantity),
    commission       numeric(28, 9) NOT NULL DEFAULT 0 CHECK (commission >= 0),
    tax              numeric(28, 9) NOT NULL DEFAULT 0 CHECK (tax >= 0),
    -- Why it was refused or taken back: a stable word, and the same for people.
    reason           text,
    message          text,
    updated_at       timestamptz NOT NULL,
    CHECK (status <> 'FILLED' OR filled_quantity = quantity)
) WITH (fillfactor = 80);
CREATE INDEX simulator_orders_working ON broker.simulator_orders (sequence)
    WHERE status IN ('NEW', 'PARTIALLY_FILLED');
CREATE INDEX simulator_orders_of_account ON broker.simulator_orders (account_id, sequence);

-- The journal: everything brokers reported, in the order in which it became known. Whoever appends takes
-- pg_advisory_xact_lock(7202611) first, so that ids become visible in increasing order.
CREATE TABLE broker.execution_reports (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    broker          text NOT NULL,
    account_id      uuid NOT NULL,
    order_id        uuid NOT NULL,
    broker_order_id text NOT NULL,
    report_id       text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('accepted', 'rejected', 'fill', 'canceled', 'expired')),
    symbol          text NOT NULL,
    side            text NOT NULL CHECK (side IN ('buy', 'sell')),
    execution_id    text,
    quantity        numeric(28, 9) CHECK (quantity > 0),
    price           numeric(28, 9) CHECK (price > 0),
    commission      numeric(28, 9) CHECK (commission >= 0),
    tax             numeric(28, 9) CHECK (tax >= 0),
    reason          text,
    occurred_at     timestamptz NOT NULL,
    recorded_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, report_id),
    -- Exactly a fill carries an execution.
    CHECK ((kind = 'fill') = (execution_id IS NOT NULL AND quantity IS NOT NULL AND price IS NOT NULL
        AND commission IS NOT NULL AND tax IS NOT NULL)),
    CHECK (kind <> 'rejected' OR reason IS NOT NULL)
);
CREATE UNIQUE INDEX execution_reports_executions ON broker.execution_reports (account_id, execution_id)
    WHERE execution_id IS NOT NULL;
CREATE INDEX execution_reports_of_order ON broker.execution_reports (order_id);

CREATE FUNCTION broker.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'broker.execution_reports is append-only';
END
$$;
CREATE TRIGGER execution_reports_append_only
    BEFORE UPDATE OR DELETE ON broker.execution_reports
    FOR EACH ROW EXECUTE FUNCTION broker.refuse_change();
CREATE TRIGGER execution_reports_never_truncated
    BEFORE TRUNCATE ON broker.execution_reports
    FOR EACH STATEMENT EXECUTE FUNCTION broker.refuse_change();
