-- The truth about orders: what is unknown, what differs, what a person must look at.

-- Whose order it is: placed here, or found at the broker.
ALTER TABLE trading.orders ADD COLUMN origin text NOT NULL DEFAULT 'OWN' CHECK (origin IN ('OWN', 'EXTERNAL'));

-- An execution that was undone later; the journal that undid it.
ALTER TABLE trading.executions ADD COLUMN reversed_by uuid UNIQUE REFERENCES account.journals (id);

-- What is being asked about an order whose fate is unknown.
CREATE TABLE trading.inquiries (
    order_id         uuid PRIMARY KEY REFERENCES trading.orders (id),
    -- When it may have left for a broker that takes an order sent twice for two. Written before the first byte.
    sent_at          timestamptz,
    -- Questions asked so far, complete histories in a row that did not have it, and when to ask again.
    tries            integer NOT NULL DEFAULT 0,
    absences         integer NOT NULL DEFAULT 0,
    next_at          timestamptz,
    -- Since when only a person can say.
    given_up_at      timestamptz
);
INSERT INTO trading.inquiries (order_id, next_at)
SELECT id, now() FROM trading.orders WHERE status = 'PENDING_NEW' AND unresolved_since IS NOT NULL;
CREATE INDEX inquiries_due ON trading.inquiries (next_at) WHERE next_at IS NOT NULL;

-- Lines of the brokers' journal that speak of what is not known here (yet): applied once it is.
CREATE TABLE trading.orphan_reports (
    report_id  bigint PRIMARY KEY,
    account_id uuid NOT NULL,
    order_id   uuid NOT NULL
);
CREATE INDEX orphan_reports_of_account ON trading.orphan_reports (account_id, order_id, report_id);

ALTER TABLE trading.incidents ADD COLUMN account_id uuid;
ALTER TABLE trading.incidents ADD COLUMN user_id uuid;
ALTER TABLE trading.incidents ADD COLUMN acknowledged_at timestamptz;
ALTER TABLE trading.incidents ADD COLUMN note text;
UPDATE trading.incidents AS i SET account_id = o.account_id, user_id = o.user_id
FROM trading.orders AS o WHERE o.id = i.order_id;
CREATE INDEX incidents_of_user ON trading.incidents (user_id, id);
CREATE INDEX incidents_not_acknowledged ON trading.incidents (user_id, id) WHERE acknowledged_at IS NULL;
CREATE INDEX incidents_of_account ON trading.incidents (account_id, kind);

-- Accounts in which nothing new is placed until a person says so.
CREATE TABLE trading.halts (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account.accounts (id),
    reason     text NOT NULL,
    halted_at  timestamptz NOT NULL,
    lifted_at  timestamptz
);
CREATE UNIQUE INDEX one_halt_at_a_time ON trading.halts (account_id) WHERE lifted_at IS NULL;

-- Each comparison with a broker. One that agreed and was nobody's wish takes the place of the one before.
CREATE TABLE trading.reconciliations (
    id               uuid PRIMARY KEY,
    account_id       uuid NOT NULL REFERENCES account.accounts (id),
    reason           text NOT NULL CHECK (reason IN ('start', 'timer', 'request')),
    outcome          text NOT NULL CHECK (outcome IN ('agreed', 'differed', 'failed')),
    -- Why it failed.
    detail           text,
    orders_asked     bigint NOT NULL,
    reports_added    bigint NOT NULL,
    started_at       timestamptz NOT NULL,
    ended_at         timestamptz NOT NULL
);
CREATE INDEX reconciliations_of_account ON trading.reconciliations (account_id, id);
CREATE TABLE trading.reconciliation_differences (
    reconciliation_id uuid NOT NULL REFERENCES trading.reconciliations (id) ON DELETE CASCADE,
    line              integer NOT NULL,
    kind              text NOT NULL,
    order_id          uuid,
    -- The symbol or the currency.
    commodity         text,
    ours              text NOT NULL,
    theirs            text NOT NULL,
    -- What was done about it.
    action            text NOT NULL,
    PRIMARY KEY (reconciliation_id, line)
);

-- The movements of an account that no broker knows of: what its books hold beside trading is the sum of these.
CREATE INDEX journals_beside_trading ON account.journals (account_id)
    WHERE kind NOT IN ('fill', 'settlement', 'carry_over', 'recost', 'broker_difference');
-- One more kind, whatever the others are by now.
DO $$
DECLARE kinds text;
BEGIN
    SELECT pg_get_expr(conbin, conrelid) INTO kinds FROM pg_constraint
    WHERE conrelid = 'account.journals'::regclass AND conname = 'journals_kind_check';
    ALTER TABLE account.journals DROP CONSTRAINT journals_kind_check;
    EXECUTE format('ALTER TABLE account.journals ADD CONSTRAINT journals_kind_check CHECK (%s OR kind = %L)',
        kinds, 'broker_difference');
END
$$;

-- The program's own list of kinds is the only one.
ALTER TABLE events.events DROP CONSTRAINT IF EXISTS events_kind_check;
