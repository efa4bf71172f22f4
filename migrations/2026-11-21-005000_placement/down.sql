-- The checks are not made again: rows written since may be of types that the old ones did not know.
ALTER TABLE trading.orders ADD FOREIGN KEY (account_id) REFERENCES account.accounts (id);
