DROP TABLE auth.recovery_codes;
