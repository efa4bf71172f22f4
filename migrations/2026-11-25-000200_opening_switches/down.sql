ALTER TABLE account.accounts DROP COLUMN opening_margin, DROP COLUMN opening_short_selling;
