-- What an account takes over from elsewhere, and accounts that begin anew. Owned by the backend's module `activity`.
CREATE SCHEMA activity;

-- More kinds of movements, beside those that are known by now.
DO $$
DECLARE
    known text;
BEGIN
    SELECT pg_get_expr(conbin, conrelid) INTO known FROM pg_constraint
    WHERE conrelid = 'account.journals'::regclass AND conname = 'journals_kind_check';
    ALTER TABLE account.journals DROP CONSTRAINT journals_kind_check;
    EXECUTE format('ALTER TABLE account.journals ADD CONSTRAINT journals_kind_check CHECK (%s OR kind IN (%L, %L, %L))',
        known, 'trade', 'fee', 'reset');
END
$$;

-- A file that was taken over, whole or not at all.
CREATE TABLE activity.imports (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account.accounts (id),
    user_id    uuid NOT NULL,
    file_hash  bytea NOT NULL CHECK (octet_length(file_hash) = 32),
    -- What it was answered with, as text: it is given back as it was.
    report     text NOT NULL,
    booked     integer NOT NULL CHECK (booked >= 0),
    created_at timestamptz NOT NULL,
    -- When the account began anew; the file may then be taken over again.
    reset_at   timestamptz
);
CREATE UNIQUE INDEX imports_once ON activity.imports (account_id, file_hash) WHERE reset_at IS NULL;
CREATE INDEX imports_of_account ON activity.imports (account_id, created_at, id);

-- The lines that were booked, by what makes each of them itself.
CREATE TABLE activity.import_lines (
    account_id uuid NOT NULL,
    key        bytea NOT NULL CHECK (octet_length(key) = 32),
    import_id  uuid NOT NULL REFERENCES activity.imports (id),
    line       integer NOT NULL CHECK (line > 0),
    PRIMARY KEY (account_id, key)
);

-- Wishes of accounts of play money to begin anew: each waits until the open orders have been taken back.
CREATE TABLE activity.resets (
    id               uuid PRIMARY KEY,
    account_id       uuid NOT NULL REFERENCES account.accounts (id),
    user_id          uuid NOT NULL,
    key              text NOT NULL,
    opening_amount   numeric(28, 9) CHECK (opening_amount > 0),
    opening_currency text,
    status           text NOT NULL CHECK (status IN ('WAITING', 'DONE', 'FAILED')),
    reason           text,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    UNIQUE (account_id, key),
    CHECK ((opening_amount IS NULL) = (opening_currency IS NULL))
);
CREATE UNIQUE INDEX resets_open ON activity.resets (account_id) WHERE status = 'WAITING';
