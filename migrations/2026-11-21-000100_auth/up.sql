-- Users, logins, sessions. Owned by the backend's module `auth`.
CREATE SCHEMA auth;

CREATE TABLE auth.users (
    id                     uuid PRIMARY KEY,
    -- As typed at registration; compared without regard to case.
    email                  text NOT NULL,
    password_hash          text NOT NULL,
    display_name           text,
    language               text NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'ko')),
    -- The authenticator's secret, encrypted with the user's id as associated data. Present but not enabled while
    -- waiting for the first code.
    totp_secret            bytea,
    totp_enabled           boolean NOT NULL DEFAULT false,
    -- Time step of the last code accepted: a code works once.
    totp_last_step         bigint NOT NULL DEFAULT 0,
    created_at             timestamptz NOT NULL DEFAULT now(),
    updated_at             timestamptz NOT NULL DEFAULT now(),
    CHECK (NOT totp_enabled OR totp_secret IS NOT NULL)
);
CREATE UNIQUE INDEX users_email_unique ON auth.users (lower(email));

-- One login and everything refreshed from it.
CREATE TABLE auth.sessions (
    id                     uuid PRIMARY KEY,
    user_id                uuid NOT NULL REFERENCES auth.users ON DELETE CASCADE,
    created_at             timestamptz NOT NULL,
    revoked_at             timestamptz,
    revoked_because        text CHECK (revoked_because IN ('logout', 'reuse', 'two_factor_changed', 'password_changed')),
    CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
);
CREATE INDEX sessions_live_of_user ON auth.sessions (user_id) WHERE revoked_at IS NULL;

-- Only the hash is stored: whoever reads the table cannot log in with it.
CREATE TABLE auth.refresh_tokens (
    token_hash             bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id             uuid NOT NULL REFERENCES auth.sessions ON DELETE CASCADE,
    issued_at              timestamptz NOT NULL,
    expires_at             timestamptz NOT NULL,
    used_at                timestamptz
);
CREATE INDEX refresh_tokens_of_session ON auth.refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_expiry ON auth.refresh_tokens (expires_at);

-- Failed logins, counted per email and per address. The subject is a hash: the table tells nobody which emails were tried.
CREATE TABLE auth.login_attempts (
    id                     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject                bytea NOT NULL CHECK (octet_length(subject) = 32),
    attempted_at           timestamptz NOT NULL
);
CREATE INDEX login_attempts_by_subject ON auth.login_attempts (subject, attempted_at);
CREATE INDEX login_attempts_by_time ON auth.login_attempts (attempted_at);
