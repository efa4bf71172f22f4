-- Refuses to run once there is a movement that the tables did not know before.
GRANT UPDATE, DELETE, TRUNCATE ON account.journals, account.postings TO CURRENT_USER;
DROP TABLE account.unsettled;
DROP INDEX account.postings_of_symbol;
ALTER TABLE account.postings DROP CONSTRAINT postings_ledger_account_check;
ALTER TABLE account.postings ADD CONSTRAINT postings_ledger_account_check CHECK (ledger_account IN
    ('cash', 'shares', 'position_cost', 'market', 'commission', 'tax', 'realised_pnl', 'deposits'));
DROP INDEX account.journals_of_execution;
ALTER TABLE account.journals DROP CONSTRAINT journals_reversal_check;
DROP INDEX account.journals_reversed_once;
DROP INDEX account.journals_linked;
ALTER TABLE account.journals DROP COLUMN link_id;
ALTER TABLE account.journals DROP CONSTRAINT journals_kind_check;
ALTER TABLE account.journals ADD CONSTRAINT journals_kind_check CHECK (kind IN ('deposit', 'fill'));
ALTER TABLE account.accounts DROP COLUMN cost_method;
