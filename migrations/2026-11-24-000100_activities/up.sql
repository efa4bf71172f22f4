-- What brokers did in accounts beside orders: dividends, fees, interest, money and shares that came or went.

-- Written by the connector as the brokers list it, each once; read by the books in the order of its ids.
CREATE TABLE broker.activities (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES broker.accounts (account_id),
    -- The broker's own number of it.
    activity_id text NOT NULL,
    -- Whether this line says that the broker took it back.
    is_undone   boolean NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('dividend', 'withholding', 'fee', 'interest', 'transfer', 'shares', 'other')),
    -- The broker's own word for it.
    word        text NOT NULL,
    symbol      text,
    currency    text NOT NULL CHECK (currency IN ('KRW', 'USD')),
    -- Cash that came or (below zero) went.
    amount      numeric(28, 9) NOT NULL,
    -- Shares that it is about.
    quantity    numeric(28, 9),
    -- The broker's day.
    day         date NOT NULL,
    appended_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, activity_id, is_undone)
);
CREATE INDEX activities_of_account ON broker.activities (account_id, id);

-- How far the list of an account was read to its end.
CREATE TABLE broker.activity_readings (
    account_id uuid PRIMARY KEY REFERENCES broker.accounts (account_id),
    through    timestamptz NOT NULL
);

-- How far the books have taken it in.
CREATE TABLE trading.activity_cursor (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    last_id   bigint NOT NULL
);
INSERT INTO trading.activity_cursor (last_id) VALUES (0);

-- More kinds of journals and one more ledger account, whatever the others are by now.
DO $$
DECLARE words text;
BEGIN
    SELECT pg_get_expr(conbin, conrelid) INTO words FROM pg_constraint
    WHERE conrelid = 'account.journals'::regclass AND conname = 'journals_kind_check';
    ALTER TABLE account.journals DROP CONSTRAINT journals_kind_check;
    EXECUTE format('ALTER TABLE account.journals ADD CONSTRAINT journals_kind_check CHECK (%s OR kind = ANY (%L))',
        words, ARRAY['interest', 'withholding']);
    SELECT pg_get_expr(conbin, conrelid) INTO words FROM pg_constraint
    WHERE conrelid = 'account.postings'::regclass AND conname = 'postings_ledger_account_check';
    ALTER TABLE account.postings DROP CONSTRAINT postings_ledger_account_check;
    EXECUTE format('ALTER TABLE account.postings ADD CONSTRAINT postings_ledger_account_check CHECK (%s OR ledger_account = %L)',
        words, 'interest');
END
$$;
