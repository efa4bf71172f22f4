-- Accounts at brokers beside the simulator.
ALTER TABLE account.accounts DROP CONSTRAINT accounts_broker_check,
    ADD CONSTRAINT accounts_broker_check CHECK (broker IN ('simulator', 'alpaca', 'kiwoom'));
ALTER TABLE broker.accounts DROP CONSTRAINT accounts_broker_check,
    ADD CONSTRAINT accounts_broker_check CHECK (broker IN ('simulator', 'alpaca', 'kiwoom')),
    -- The broker's own number of the account, once it has said it.
    ADD COLUMN broker_number text;

-- No two of our accounts are one of the broker's.
CREATE UNIQUE INDEX accounts_broker_number ON broker.accounts (broker, broker_number);

-- What an account shows its broker, encrypted; the key is not in the database.
CREATE TABLE broker.credentials (
    account_id  uuid PRIMARY KEY REFERENCES broker.accounts (account_id),
    sealed      bytea NOT NULL,
    -- When the broker last let us in with it.
    accepted_at timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL DEFAULT now()
);

-- What an account held when it was connected: what came before is no business of ours.
CREATE TABLE broker.openings (
    account_id uuid PRIMARY KEY REFERENCES broker.accounts (account_id),
    currency   text NOT NULL CHECK (currency IN ('KRW', 'USD')),
    cash       numeric(28, 9) NOT NULL,
    -- Movements beside trading that this cash contains although their day is not over.
    movements  text[] NOT NULL DEFAULT '{}',
    opened_at  timestamptz NOT NULL
);

-- Orders that were, or may have been, sent to a broker that keeps its books itself. Written before the first byte leaves.
CREATE TABLE broker.sent_orders (
    order_id        uuid PRIMARY KEY,
    account_id      uuid NOT NULL REFERENCES broker.accounts (account_id),
    symbol          text NOT NULL,
    side            text NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity        numeric(28, 9) NOT NULL CHECK (quantity > 0),
    submitted_at    timestamptz NOT NULL,
    -- The broker's newest number of it; absent until it has answered.
    broker_order_id text,
    -- When the journal was seen to tell its end.
    ended_at        timestamptz
);
CREATE INDEX sent_orders_working ON broker.sent_orders (account_id, submitted_at) WHERE ended_at IS NULL;

-- At some brokers an order gets a new number with new terms.
ALTER TABLE broker.order_links DROP CONSTRAINT order_links_order_id_key;
CREATE INDEX order_links_of_order ON broker.order_links (order_id);
