#!/usr/bin/env bash
# Runs once, when the database is made: the servers' own role owns the database and is no superuser.
set -euo pipefail
psql -X -q -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv password GAEMI_DATABASE_PASSWORD
CREATE ROLE gaemi LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE gaemi OWNER gaemi;
REVOKE ALL ON DATABASE gaemi FROM PUBLIC;
SQL
