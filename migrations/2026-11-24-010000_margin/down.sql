ALTER TABLE portfolio.lot_sales DROP CONSTRAINT lot_sales_quantity_check;
ALTER TABLE portfolio.lot_sales ADD CONSTRAINT lot_sales_quantity_check CHECK (quantity > 0);
DROP INDEX portfolio.lots_open;
ALTER TABLE portfolio.lots DROP COLUMN is_open;
ALTER TABLE portfolio.lots DROP CONSTRAINT lots_quantity_check;
ALTER TABLE portfolio.lots ADD CONSTRAINT lots_quantity_check CHECK (quantity >= 0);
ALTER TABLE portfolio.lots ADD COLUMN is_open boolean NOT NULL GENERATED ALWAYS AS (quantity > 0) STORED;
CREATE INDEX lots_open ON portfolio.lots (account_id, symbol, acquired_on, id) WHERE is_open;
DROP INDEX account.accounts_with_margin;
ALTER TABLE account.accounts
    DROP CONSTRAINT accounts_short_selling_check,
    DROP COLUMN margin_called_at, DROP COLUMN margin_charged_through, DROP COLUMN short_selling, DROP COLUMN margin;
