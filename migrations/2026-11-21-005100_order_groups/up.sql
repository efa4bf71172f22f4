-- Orders that belong together: one cancels the other, one starts the other, or an entry with its two exits.
CREATE TABLE trading.order_groups (
    id                  uuid PRIMARY KEY,
    account_id          uuid NOT NULL REFERENCES account.accounts (id),
    user_id             uuid NOT NULL,
    client_group_id     text NOT NULL,
    kind                text NOT NULL CHECK (kind IN ('oco', 'oto', 'bracket')),
    symbol              text NOT NULL,
    quantity            numeric(28, 9) NOT NULL CHECK (quantity > 0),
    status              text NOT NULL CHECK (status IN ('ACTIVE', 'DONE')),
    cancel_requested_at timestamptz,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    UNIQUE (account_id, client_group_id)
);
CREATE INDEX order_groups_active ON trading.order_groups (id) WHERE status = 'ACTIVE';
CREATE INDEX order_groups_of_account ON trading.order_groups (account_id, id);

-- A leg that waits is no order yet: it becomes one, under the id it was given at the start, when its turn comes.
CREATE TABLE trading.group_legs (
    group_id uuid NOT NULL REFERENCES trading.order_groups (id),
    leg      text NOT NULL CHECK (leg IN ('entry', 'take_profit', 'stop_loss', 'then')),
    order_id uuid NOT NULL UNIQUE,
    wish     json NOT NULL,
    state    text NOT NULL CHECK (state IN ('WAITING', 'PLACED', 'DROPPED', 'REFUSED')),
    -- Why it could not become an order.
    denials  json,
    PRIMARY KEY (group_id, leg),
    CHECK ((state = 'REFUSED') = (denials IS NOT NULL))
);

ALTER TABLE trading.orders
    ADD COLUMN group_id     uuid,
    -- The other exit for the same shares.
    ADD COLUMN sibling_id   uuid,
    -- How many of the shares that both exits are for neither has sold.
    ADD COLUMN group_left   numeric(28, 9),
    -- How many of them the other exit holds; what is left of them is held by this one.
    ADD COLUMN sibling_held numeric(28, 9);
