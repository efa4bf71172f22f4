-- Codes for whoever has lost the authenticator app. Only hashes are stored, and a used one stays as a trace until they are
-- replaced.
CREATE TABLE auth.recovery_codes (
    user_id                uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE,
    code_hash              bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    created_at             timestamptz NOT NULL,
    used_at                timestamptz,
    PRIMARY KEY (user_id, code_hash)
);
