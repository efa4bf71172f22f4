-- Accounts that may buy on credit and sell short.
ALTER TABLE account.accounts
    ADD COLUMN margin boolean NOT NULL DEFAULT false,
    ADD COLUMN short_selling boolean NOT NULL DEFAULT false,
    -- The last day for which interest and borrow fees were looked at.
    ADD COLUMN margin_charged_through date,
    -- Since when its equity is below what must stay its own.
    ADD COLUMN margin_called_at timestamptz,
    ADD CONSTRAINT accounts_short_selling_check CHECK (margin OR NOT short_selling);
CREATE INDEX accounts_with_margin ON account.accounts (id) WHERE margin;

-- More kinds of movements, beside those that are known by now.
DO $$
DECLARE
    known text;
BEGIN
    SELECT pg_get_expr(conbin, conrelid) INTO known FROM pg_constraint
    WHERE conrelid = 'account.journals'::regclass AND conname = 'journals_kind_check';
    ALTER TABLE account.journals DROP CONSTRAINT journals_kind_check;
    EXECUTE format('ALTER TABLE account.journals ADD CONSTRAINT journals_kind_check CHECK (%s OR kind IN (%L, %L))',
        known, 'interest', 'borrow_fee');
    SELECT pg_get_expr(conbin, conrelid) INTO known FROM pg_constraint
    WHERE conrelid = 'account.postings'::regclass AND conname = 'postings_ledger_account_check';
    ALTER TABLE account.postings DROP CONSTRAINT postings_ledger_account_check;
    EXECUTE format('ALTER TABLE account.postings ADD CONSTRAINT postings_ledger_account_check CHECK (%s OR ledger_account = %L)',
        known, 'interest');
END
$$;

-- A lot of shares sold short counts them, and what they have brought, below zero.
DROP INDEX portfolio.lots_open;
ALTER TABLE portfolio.lots DROP COLUMN is_open;
ALTER TABLE portfolio.lots DROP CONSTRAINT lots_quantity_check;
ALTER TABLE portfolio.lots ADD CONSTRAINT lots_quantity_check CHECK (quantity * sign(opened_quantity) >= 0);
ALTER TABLE portfolio.lots ADD COLUMN is_open boolean NOT NULL GENERATED ALWAYS AS (quantity <> 0) STORED;
CREATE INDEX lots_open ON portfolio.lots (account_id, symbol, acquired_on, id) WHERE is_open;
ALTER TABLE portfolio.lot_sales DROP CONSTRAINT lot_sales_quantity_check;
ALTER TABLE portfolio.lot_sales ADD CONSTRAINT lot_sales_quantity_check CHECK (quantity <> 0);
