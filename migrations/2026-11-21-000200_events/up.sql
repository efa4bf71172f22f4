-- Domain events: what happened, in the order in which it became visible, for everybody who reacts to it.
CREATE SCHEMA events;

CREATE TABLE events.events (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    uuid NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('order', 'execution', 'balance', 'position', 'account')),
    payload    json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE events.events IS
    'Append-only until its retention ends. Writers take one advisory lock before they draw ids and hold it to their commit, so a reader that has seen id N has seen all before it.';

CREATE INDEX events_of_user ON events.events (user_id, id);
