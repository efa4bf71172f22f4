-- Cash in every currency, legs that settle later, and more ways for money and shares to move.

-- An account can hold every currency. The rows exist from its first moment, as that of its base currency always has:
-- locking them is how movements of one account are decided one after another.
INSERT INTO account.balances (account_id, commodity)
SELECT a.id, c.currency FROM account.accounts AS a CROSS JOIN (VALUES ('KRW'), ('USD')) AS c (currency)
ON CONFLICT DO NOTHING;

-- How the profit of sales is told. Both figures are kept side by side, so changing it rewrites nothing.
ALTER TABLE account.accounts ADD COLUMN cost_method text NOT NULL DEFAULT 'average'
    CHECK (cost_method IN ('average', 'fifo'));

ALTER TABLE account.journals DROP CONSTRAINT journals_kind_check;
ALTER TABLE account.journals ADD CONSTRAINT journals_kind_check CHECK (kind IN (
    'deposit', 'withdrawal', 'transfer_out', 'transfer_in', 'exchange_out', 'exchange_in', 'fill', 'settlement',
    'dividend', 'split', 'cash_in_lieu', 'symbol_change', 'shares_in', 'shares_out', 'reversal', 'recost', 'carry_over'));
-- Journals that were made together and only make sense together: both sides of a transfer, both legs of an exchange.
ALTER TABLE account.journals ADD COLUMN link_id uuid;
CREATE INDEX journals_linked ON account.journals (link_id) WHERE link_id IS NOT NULL;
-- A journal is reversed once.
CREATE UNIQUE INDEX journals_reversed_once ON account.journals (reverses) WHERE reverses IS NOT NULL;
ALTER TABLE account.journals ADD CONSTRAINT journals_reversal_check CHECK ((kind = 'reversal') = (reverses IS NOT NULL));
-- By execution, for a broker that cancels or corrects a trade.
CREATE INDEX journals_of_execution ON account.journals (account_id, execution_id) WHERE execution_id IS NOT NULL;

ALTER TABLE account.postings DROP CONSTRAINT postings_ledger_account_check;
ALTER TABLE account.postings ADD CONSTRAINT postings_ledger_account_check CHECK (ledger_account IN (
    'cash', 'receivable', 'payable', 'shares', 'position_cost', 'market', 'commission', 'tax', 'realised_pnl',
    'deposits', 'transfers', 'exchange', 'exchange_fee', 'dividend', 'opening_equity', 'broker_difference'));
-- The movements of one symbol: what a correction counts anew, and who gets a dividend.
CREATE INDEX postings_of_symbol ON account.postings (account_id, symbol, journal_id) WHERE ledger_account = 'shares';

-- What trades have promised and not yet settled, by the day on which they settle: a cache of the receivable and payable
-- postings (what is owed to others is below zero), which the settlement of the day takes away.
CREATE TABLE account.unsettled (
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    account_id  uuid NOT NULL REFERENCES account.accounts (id),
    commodity   text NOT NULL,
    settle_date date NOT NULL,
    receivable  numeric(28, 9) NOT NULL,
    payable     numeric(28, 9) NOT NULL,
    PRIMARY KEY (account_id, commodity, settle_date)
) WITH (fillfactor = 70);
CREATE INDEX unsettled_due ON account.unsettled (settle_date);

-- Fills were booked to cash at once until now. Those that settle only after today are turned into legs, in one journal
-- for each account, currency and day.
WITH today (commodity, day) AS (VALUES
    ('KRW', (now() AT TIME ZONE 'Asia/Seoul')::date), ('USD', (now() AT TIME ZONE 'America/New_York')::date)),
pending AS (
    SELECT gen_random_uuid() AS id, p.account_id, p.commodity, j.settle_date, max(j.trade_date) AS trade_date,
        coalesce(sum(p.amount) FILTER (WHERE p.amount > 0), 0) AS receivable,
        coalesce(sum(p.amount) FILTER (WHERE p.amount < 0), 0) AS payable
    FROM account.journals AS j
    JOIN account.postings AS p ON p.journal_id = j.id AND p.ledger_account = 'cash'
    JOIN today AS t ON t.commodity = p.commodity AND j.settle_date > t.day
    WHERE j.kind = 'fill'
    GROUP BY p.account_id, p.commodity, j.settle_date
),
journals AS (
    INSERT INTO account.journals (id, account_id, idempotency_key, kind, trade_date, settle_date, created_at)
    SELECT id, account_id, 'carry_over:' || commodity || ':' || settle_date, 'carry_over', trade_date, settle_date, now()
    FROM pending
),
postings AS (
    INSERT INTO account.postings (journal_id, line, account_id, ledger_account, commodity, amount)
    SELECT pending.id, line.number, pending.account_id, line.ledger_account, pending.commodity, line.amount
    FROM pending CROSS JOIN LATERAL (VALUES
        (1, 'cash', -receivable), (2, 'receivable', receivable), (3, 'cash', -payable), (4, 'payable', payable)
    ) AS line (number, ledger_account, amount)
    WHERE line.amount <> 0
)
INSERT INTO account.unsettled (account_id, commodity, settle_date, receivable, payable)
SELECT account_id, commodity, settle_date, receivable, payable FROM pending;

-- The application's role owns these tables, so it could grant itself again what is taken here, and the triggers would
-- still refuse. Locking a row of a journal, as every reference to it does, needs the right to update one of its columns.
REVOKE UPDATE, DELETE, TRUNCATE ON account.journals, account.postings FROM PUBLIC, CURRENT_USER;
GRANT UPDATE (id) ON account.journals TO CURRENT_USER;
