-- Corporate actions: what a company does to its shares, applied once to each account that holds them.

CREATE TABLE portfolio.corporate_actions (
    id               uuid PRIMARY KEY,
    user_id          uuid NOT NULL REFERENCES auth.users (id),
    idempotency_key  text NOT NULL,
    -- One account; without it, every account of the user.
    account_id       uuid REFERENCES account.accounts (id),
    kind             text NOT NULL CHECK (kind IN ('split', 'cash_dividend', 'symbol_change')),
    symbol           text NOT NULL,
    new_symbol       text,
    new_shares       numeric(28, 9) CHECK (new_shares > 0),
    old_shares       numeric(28, 9) CHECK (old_shares > 0),
    fraction_price   numeric(28, 9) CHECK (fraction_price > 0),
    amount_per_share numeric(28, 9) CHECK (amount_per_share > 0),
    withholding_rate numeric(28, 9) CHECK (withholding_rate BETWEEN 0 AND 1),
    -- Shares acquired from this day on have no part in it; without it, all shares have that are held when it is applied.
    ex_date          date,
    -- The day from which it is applied, on the market's calendar.
    effective_on     date NOT NULL,
    status           text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'applied')),
    created_at       timestamptz NOT NULL,
    applied_at       timestamptz,
    UNIQUE (user_id, idempotency_key),
    CHECK ((kind = 'split') = (new_shares IS NOT NULL AND old_shares IS NOT NULL)),
    CHECK ((kind = 'cash_dividend') = (amount_per_share IS NOT NULL AND withholding_rate IS NOT NULL)),
    CHECK ((kind = 'symbol_change') = (new_symbol IS NOT NULL)),
    CHECK ((status = 'applied') = (applied_at IS NOT NULL))
);
CREATE INDEX corporate_actions_waiting ON portfolio.corporate_actions (effective_on, id) WHERE status = 'waiting';
CREATE INDEX corporate_actions_of_user ON portfolio.corporate_actions (user_id, id);

-- What each has done to an account.
CREATE TABLE portfolio.corporate_applications (
    action_id       uuid NOT NULL REFERENCES portfolio.corporate_actions (id),
    account_id      uuid NOT NULL REFERENCES account.accounts (id),
    kind            text NOT NULL,
    symbol          text NOT NULL,
    ex_date         date,
    quantity_before numeric(28, 9) NOT NULL,
    quantity_after  numeric(28, 9) NOT NULL,
    -- Dividend before tax, or what a fraction has brought.
    cash            numeric(28, 9) NOT NULL,
    withheld        numeric(28, 9) NOT NULL,
    applied_at      timestamptz NOT NULL,
    PRIMARY KEY (action_id, account_id)
);
-- The same action entered twice is applied once.
CREATE UNIQUE INDEX corporate_applications_once ON portfolio.corporate_applications (account_id, symbol, kind, ex_date)
    WHERE ex_date IS NOT NULL;

-- By which ratio a journal has counted shares anew: needed when a trade before it is taken back.
CREATE TABLE portfolio.splits (
    journal_id uuid PRIMARY KEY REFERENCES account.journals (id),
    new_shares numeric(28, 9) NOT NULL,
    old_shares numeric(28, 9) NOT NULL,
    before_day date
);
