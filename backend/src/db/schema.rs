//! The tables this program's modules speak of, as diesel needs them. Each is used by its own module's store alone.
#![allow(missing_docs, reason = "the tables and their columns are described in the migrations")]

diesel::table! {
    auth.users (id) {
        id -> Uuid,
        email -> Text,
        password_hash -> Text,
        display_name -> Nullable<Text>,
        language -> Text,
        totp_secret -> Nullable<Binary>,
        totp_enabled -> Bool,
        totp_last_step -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    auth.sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        created_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        revoked_because -> Nullable<Text>,
    }
}

diesel::table! {
    auth.refresh_tokens (token_hash) {
        token_hash -> Binary,
        session_id -> Uuid,
        issued_at -> Timestamptz,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    auth.recovery_codes (user_id, code_hash) {
        user_id -> Uuid,
        code_hash -> Binary,
        created_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    auth.login_attempts (id) {
        id -> BigInt,
        subject -> Binary,
        attempted_at -> Timestamptz,
    }
}

diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::allow_tables_to_appear_in_same_query!(refresh_tokens, sessions);
