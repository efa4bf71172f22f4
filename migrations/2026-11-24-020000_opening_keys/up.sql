-- The caller's own name for an opening, so that one whose answer was lost can be asked for again.
ALTER TABLE account.accounts ADD COLUMN opening_key text CHECK (char_length(opening_key) BETWEEN 1 AND 128);
CREATE UNIQUE INDEX accounts_opened_once ON account.accounts (user_id, opening_key) WHERE opening_key IS NOT NULL;
