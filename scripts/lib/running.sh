# shellcheck shell=bash
# The database of the server that runs from this checkout, for scripts that ask it something.

# find_database_programs -> POSTGRES_BIN, the folder of psql and pg_dump
find_database_programs() {
    local psql
    choose_engine_user
    find_postgres && return 0
    psql=$(command -v psql) || die "psql is missing: run scripts/start once, or 'apt install postgresql-client'."
    POSTGRES_BIN=$(dirname "$psql")
}

# find_database -> PG* variables for DATABASE_URL of the environment, else for the server that runs from this checkout
find_database() {
    load_settings
    read_run_settings "$STATE_DIR/run/urls.env"
    [[ -n ${DATABASE_URL:-} ]] || die "no database: start the server with scripts/start, or set DATABASE_URL."
    use_database_url "$DATABASE_URL"
}
