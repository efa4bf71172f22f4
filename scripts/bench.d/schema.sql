-- Tables as small as an order's acceptance allows; `:naccts` accounts with plenty of money.
CREATE TABLE purse (id bigint PRIMARY KEY, money numeric(20, 6) NOT NULL, reserved numeric(20, 6) NOT NULL DEFAULT 0) WITH (fillfactor = 70);
CREATE TABLE instruction (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purse_id bigint NOT NULL REFERENCES purse (id),
    client_key uuid NOT NULL,
    instrument int NOT NULL,
    quantity numeric(20, 6) NOT NULL CHECK (quantity > 0),
    limit_price numeric(20, 6) NOT NULL,
    is_open boolean NOT NULL DEFAULT true,
    made_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (purse_id, client_key)
);
CREATE INDEX ON instruction (purse_id, instrument) WHERE is_open;
CREATE TABLE to_send (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instruction_id bigint NOT NULL,
    document jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO purse (id, money) SELECT number, 1e12 FROM generate_series(1, :naccts) AS number;
VACUUM ANALYZE purse;
