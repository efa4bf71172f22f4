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

-- How far events have been told. Writing it before telling makes everything up to there durable, also what was
-- committed without waiting for the disk.
CREATE TABLE events.told (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    last_id   bigint NOT NULL
);
INSERT INTO events.told (last_id) VALUES (0);

CREATE INDEX events_of_user ON events.events (user_id, id);
