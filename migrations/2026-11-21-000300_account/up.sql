-- Accounts and their double-entry ledger.
CREATE SCHEMA account;

CREATE TABLE account.accounts (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES auth.users (id),
    name       text NOT NULL,
    broker     text NOT NULL CHECK (broker IN ('simulator')),
    currency   text NOT NULL CHECK (currency IN ('KRW', 'USD')),
    status     text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'closed')),
    created_at timestamptz NOT NULL
);
CREATE INDEX accounts_of_user ON account.accounts (user_id, id);

-- Every movement of money or shares is one journal whose postings sum to zero per commodity.
CREATE TABLE account.journals (
    id              uuid PRIMARY KEY,
    account_id      uuid NOT NULL REFERENCES account.accounts (id),
    idempotency_key text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('deposit', 'fill')),
    execution_id    text,
    trade_date      date NOT NULL,
    settle_date     date NOT NULL,
    reverses        uuid REFERENCES account.journals (id),
    created_at      timestamptz NOT NULL,
    UNIQUE (account_id, idempotency_key),
    CHECK ((kind = 'fill') = (execution_id IS NOT NULL))
);

CREATE TABLE account.postings (
    journal_id     uuid NOT NULL REFERENCES account.journals (id),
    line           smallint NOT NULL,
    account_id     uuid NOT NULL,
    ledger_account text NOT NULL CHECK (ledger_account IN
        ('cash', 'shares', 'position_cost', 'market', 'commission', 'tax', 'realised_pnl', 'deposits')),
    symbol         text,
    commodity      text NOT NULL,
    amount         numeric(28, 9) NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (journal_id, line)
);
CREATE INDEX postings_of_account ON account.postings (account_id, ledger_account, commodity);

CREATE FUNCTION account.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % of % refused', TG_OP, TG_TABLE_NAME;
END
$$;
CREATE TRIGGER journals_are_append_only BEFORE UPDATE OR DELETE ON account.journals
    FOR EACH ROW EXECUTE FUNCTION account.refuse_change();
CREATE TRIGGER postings_are_append_only BEFORE UPDATE OR DELETE ON account.postings
    FOR EACH ROW EXECUTE FUNCTION account.refuse_change();
CREATE TRIGGER journals_are_never_truncated BEFORE TRUNCATE ON account.journals
    FOR EACH STATEMENT EXECUTE FUNCTION account.refuse_change();
CREATE TRIGGER postings_are_never_truncated BEFORE TRUNCATE ON account.postings
    FOR EACH STATEMENT EXECUTE FUNCTION account.refuse_change();

-- Cached sums of the cash and share postings, and what open orders have reserved of them. The cash row exists from
-- the account's first moment: locking it is how orders of one account are decided one after another.
CREATE TABLE account.balances (
    account_id uuid NOT NULL REFERENCES account.accounts (id),
    commodity  text NOT NULL,
    total      numeric(28, 9) NOT NULL DEFAULT 0,
    held       numeric(28, 9) NOT NULL DEFAULT 0 CHECK (held >= 0),
    PRIMARY KEY (account_id, commodity)
) WITH (fillfactor = 70);
