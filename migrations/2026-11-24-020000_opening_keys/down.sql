ALTER TABLE account.accounts DROP COLUMN opening_key;
