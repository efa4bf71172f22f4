ALTER TABLE portfolio.positions DROP COLUMN dividends, DROP COLUMN fifo_cost, DROP COLUMN fifo_realised_pnl;
DROP TABLE portfolio.lot_sales;
DROP TABLE portfolio.sales;
DROP TABLE portfolio.lots;
