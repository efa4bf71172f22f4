-- What the simulator has drawn from the prices of a share in whose market orders with friction wait: the price from which
-- its bands are counted, and the interruption that lasts. One row a share, written with the orders that it concerns.
CREATE TABLE broker.simulator_markets (
    symbol          text PRIMARY KEY,
    session_date    date NOT NULL,
    -- The hours of that session; absent where prices have no real time.
    opens_at        timestamptz,
    closes_at       timestamptz,
    reference_price numeric(28, 9) NOT NULL CHECK (reference_price > 0),
    -- Since when the price has been at its band.
    limit_since     timestamptz,
    interruption    text CHECK (interruption IN ('volatility_interruption', 'trading_pause')),
    began_at        timestamptz,
    ends_at         timestamptz,
    CHECK ((opens_at IS NULL) = (closes_at IS NULL)),
    CHECK (num_nonnulls(interruption, began_at, ends_at) IN (0, 3)),
    CHECK (ends_at >= began_at)
) WITH (fillfactor = 80);
