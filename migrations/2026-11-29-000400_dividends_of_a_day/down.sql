DROP INDEX portfolio.corporate_applications_once;
ALTER TABLE portfolio.corporate_applications DROP COLUMN amount_per_share;
CREATE UNIQUE INDEX corporate_applications_once ON portfolio.corporate_applications (account_id, symbol, kind, ex_date)
    WHERE ex_date IS NOT NULL;
