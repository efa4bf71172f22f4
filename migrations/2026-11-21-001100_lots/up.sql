-- First in, first out, beside the average cost: the same shares, told apart by when they came. Everything here follows
-- from the journals and is counted anew when one is reversed, so invariants take the place of references.

-- One lot a movement that brought shares; its id is that journal's. The oldest trade date is sold first, and on one day
-- what was booked first.
CREATE TABLE portfolio.lots (
    id                uuid PRIMARY KEY,
    account_id        uuid NOT NULL,
    symbol            text NOT NULL,
    acquired_on       date NOT NULL,
    opened_quantity   numeric(28, 9) NOT NULL,
    opened_cost       numeric(28, 9) NOT NULL,
    -- What splits have added or taken away since.
    adjusted_quantity numeric(28, 9) NOT NULL DEFAULT 0,
    quantity          numeric(28, 9) NOT NULL CHECK (quantity >= 0),
    cost              numeric(28, 9) NOT NULL,
    -- The index asks this instead of the quantity: a lot that stays open is then rewritten without touching it.
    is_open           boolean NOT NULL GENERATED ALWAYS AS (quantity > 0) STORED
) WITH (fillfactor = 80);
CREATE INDEX lots_open ON portfolio.lots (account_id, symbol, acquired_on, id) WHERE is_open;

-- What each sale has brought and what it took away under either method.
CREATE TABLE portfolio.sales (
    journal_id   uuid PRIMARY KEY,
    account_id   uuid NOT NULL,
    symbol       text NOT NULL,
    sold_on      date NOT NULL,
    quantity     numeric(28, 9) NOT NULL,
    proceeds     numeric(28, 9) NOT NULL,
    average_cost numeric(28, 9) NOT NULL,
    fifo_cost    numeric(28, 9) NOT NULL
);
CREATE INDEX sales_of_account ON portfolio.sales (account_id, journal_id);

-- Which lots a sale has taken from.
CREATE TABLE portfolio.lot_sales (
    journal_id uuid NOT NULL,
    lot_id     uuid NOT NULL,
    quantity   numeric(28, 9) NOT NULL CHECK (quantity > 0),
    cost       numeric(28, 9) NOT NULL,
    proceeds   numeric(28, 9) NOT NULL,
    PRIMARY KEY (journal_id, lot_id)
);
CREATE INDEX lot_sales_of_lot ON portfolio.lot_sales (lot_id);

ALTER TABLE portfolio.positions
    ADD COLUMN dividends numeric(28, 9) NOT NULL DEFAULT 0,
    ADD COLUMN fifo_cost numeric(28, 9) NOT NULL DEFAULT 0,
    ADD COLUMN fifo_realised_pnl numeric(28, 9) NOT NULL DEFAULT 0;

-- The fills so far, each with its shares and what they were worth. Purchases and sales lie on one line of shares bought
-- and shares sold; where a sale's stretch covers a lot's, it took from it.
CREATE TEMPORARY TABLE traded ON COMMIT DROP AS
SELECT j.id, j.account_id, s.symbol, j.trade_date, s.amount AS shares,
    abs(coalesce(m.notional, 0)) AS notional, abs(coalesce(m.cost, 0)) AS cost,
    sum(abs(s.amount)) OVER (PARTITION BY j.account_id, s.symbol, s.amount > 0 ORDER BY j.trade_date, j.id) AS through
FROM account.journals AS j
JOIN account.postings AS s ON s.journal_id = j.id AND s.ledger_account = 'shares'
LEFT JOIN (SELECT journal_id, sum(amount) AS notional, sum(amount) FILTER (WHERE ledger_account = 'position_cost') AS cost
    FROM account.postings WHERE ledger_account IN ('position_cost', 'realised_pnl') GROUP BY journal_id) AS m
    ON m.journal_id = j.id
WHERE j.kind = 'fill';

CREATE TEMPORARY TABLE taken ON COMMIT DROP AS
SELECT sale.id AS journal_id, lot.id AS lot_id,
    least(sale.through, lot.through) - greatest(sale.through + sale.shares, lot.through - lot.shares) AS quantity,
    -- Cumulative and rounded, so that the parts of a lot's cost add up to it; so do the parts of the proceeds.
    round(lot.notional * (least(sale.through, lot.through) - lot.through + lot.shares) / lot.shares, digits.minor)
        - round(lot.notional * (greatest(sale.through + sale.shares, lot.through - lot.shares) - lot.through + lot.shares)
            / lot.shares, digits.minor) AS cost,
    round(sale.notional * (least(sale.through, lot.through) - sale.through - sale.shares) / -sale.shares, digits.minor)
        - round(sale.notional * (greatest(sale.through + sale.shares, lot.through - lot.shares) - sale.through - sale.shares)
            / -sale.shares, digits.minor) AS proceeds
FROM traded AS sale
JOIN traded AS lot ON lot.account_id = sale.account_id AND lot.symbol = sale.symbol AND lot.shares > 0
    AND lot.through > sale.through + sale.shares AND lot.through - lot.shares < sale.through
CROSS JOIN LATERAL (SELECT CASE WHEN sale.symbol LIKE '%.%' THEN 0 ELSE 2 END AS minor) AS digits
WHERE sale.shares < 0;

INSERT INTO portfolio.lots (id, account_id, symbol, acquired_on, opened_quantity, opened_cost, quantity, cost)
SELECT t.id, t.account_id, t.symbol, t.trade_date, t.shares, t.notional,
    t.shares - coalesce(gone.quantity, 0), t.notional - coalesce(gone.cost, 0)
FROM traded AS t
LEFT JOIN (SELECT lot_id, sum(quantity) AS quantity, sum(cost) AS cost FROM taken GROUP BY lot_id) AS gone ON gone.lot_id = t.id
WHERE t.shares > 0;

INSERT INTO portfolio.sales (journal_id, account_id, symbol, sold_on, quantity, proceeds, average_cost, fifo_cost)
SELECT t.id, t.account_id, t.symbol, t.trade_date, -t.shares, t.notional, t.cost, coalesce(gone.cost, 0)
FROM traded AS t
LEFT JOIN (SELECT journal_id, sum(cost) AS cost FROM taken GROUP BY journal_id) AS gone ON gone.journal_id = t.id
WHERE t.shares < 0;

INSERT INTO portfolio.lot_sales (journal_id, lot_id, quantity, cost, proceeds)
SELECT journal_id, lot_id, quantity, cost, proceeds FROM taken;

UPDATE portfolio.positions AS p
SET fifo_cost = coalesce((SELECT sum(l.cost) FROM portfolio.lots AS l
        WHERE l.account_id = p.account_id AND l.symbol = p.symbol AND l.is_open), 0),
    fifo_realised_pnl = coalesce((SELECT sum(s.proceeds - s.fifo_cost) FROM portfolio.sales AS s
        WHERE s.account_id = p.account_id AND s.symbol = p.symbol), 0);
