-- Who halted an account: its owner, or something that must not be.
ALTER TABLE trading.halts ADD COLUMN kind text NOT NULL DEFAULT 'incident' CHECK (kind IN ('incident', 'owner'));
