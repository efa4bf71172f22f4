-- Several migrations had each added to what was known before. Postgres reads the text of a CHECK anew for each statement
-- that writes: one list is read sooner than five, two of which name the same.
ALTER TABLE account.journals DROP CONSTRAINT journals_kind_check;
ALTER TABLE account.journals ADD CONSTRAINT journals_kind_check CHECK (kind IN (
    'fill', 'settlement', 'deposit', 'withdrawal', 'transfer_out', 'transfer_in', 'exchange_out', 'exchange_in',
    'dividend', 'withholding', 'interest', 'borrow_fee', 'fee', 'split', 'cash_in_lieu', 'symbol_change',
    'shares_in', 'shares_out', 'reversal', 'recost', 'carry_over', 'trade', 'reset', 'broker_difference'));
ALTER TABLE account.postings DROP CONSTRAINT postings_ledger_account_check;
ALTER TABLE account.postings ADD CONSTRAINT postings_ledger_account_check CHECK (ledger_account IN (
    'cash', 'receivable', 'payable', 'shares', 'position_cost', 'market', 'commission', 'tax', 'realised_pnl',
    'deposits', 'transfers', 'exchange', 'exchange_fee', 'dividend', 'opening_equity', 'broker_difference',
    'interest'));
