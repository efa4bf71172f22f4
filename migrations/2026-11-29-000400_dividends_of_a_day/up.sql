-- A share can pay two dividends of one day, such as a regular and a special one: they are told apart by their amounts.
ALTER TABLE portfolio.corporate_applications ADD COLUMN amount_per_share numeric(28, 9) NOT NULL DEFAULT 0;
UPDATE portfolio.corporate_applications AS a SET amount_per_share = c.amount_per_share
FROM portfolio.corporate_actions AS c WHERE c.id = a.action_id AND c.amount_per_share IS NOT NULL;
DROP INDEX portfolio.corporate_applications_once;
-- The same action entered twice is applied once.
CREATE UNIQUE INDEX corporate_applications_once
    ON portfolio.corporate_applications (account_id, symbol, kind, ex_date, amount_per_share) WHERE ex_date IS NOT NULL;
