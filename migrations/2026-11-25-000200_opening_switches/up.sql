-- What an account was opened with. Its switches may be set otherwise later, and the same opening sent again must still be told
-- from another one under the same key.
ALTER TABLE account.accounts
    ADD COLUMN opening_margin boolean NOT NULL DEFAULT false,
    ADD COLUMN opening_short_selling boolean NOT NULL DEFAULT false;
-- Of accounts that are there already only their switches of now are known.
UPDATE account.accounts SET opening_margin = margin, opening_short_selling = short_selling WHERE margin;
