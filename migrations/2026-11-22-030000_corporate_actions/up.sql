-- What changed the count or the worth of a share, as a source tells it. Nothing here is booked: like the bars, these
-- tables can be emptied at any time and fill again.

-- When a source was last asked for all it knows of a share.
CREATE TABLE market.action_lists (
    id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    symbol   text NOT NULL CHECK (length(symbol) BETWEEN 1 AND 10),
    source   text NOT NULL CHECK (length(source) BETWEEN 1 AND 32),
    asked_at timestamptz NOT NULL,
    UNIQUE (symbol, source)
);

CREATE TABLE market.corporate_actions (
    list_id     integer NOT NULL REFERENCES market.action_lists ON DELETE CASCADE,
    ex_date     date NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('split', 'dividend')),
    -- Of a split: so many new shares for so many old ones.
    numerator   numeric CHECK (numerator > 0),
    denominator numeric CHECK (denominator > 0),
    -- Of a dividend: cash for one share, counted in the shares of the day on which the source was asked.
    amount      numeric CHECK (amount > 0),
    PRIMARY KEY (list_id, ex_date, kind),
    CHECK ((kind = 'split') = (numerator IS NOT NULL AND denominator IS NOT NULL)),
    CHECK ((kind = 'dividend') = (amount IS NOT NULL))
);
