# shellcheck shell=bash
# The private Postgres and Redis together: what of them is wanted, running, and how it is stopped.

# private_processes -> the names of those that are ours; an URL in the settings replaces its process
private_processes() {
    [[ -n ${GIVEN_DATABASE_URL:-} ]] || printf 'postgres '
    [[ -n ${GIVEN_REDIS_URL:-} ]] || printf 'redis '
}

# start_private -> both are up and answering
start_private() {
    local started
    GIVEN_DATABASE_URL=${DATABASE_URL:-}
    GIVEN_REDIS_URL=${REDIS_URL:-}
    choose_engine_user
    if [[ $ENGINE_DIR != "$STATE_DIR" ]]; then
        say "  the user '$ENGINE_USER' cannot enter $STATE_DIR, so the database is kept in $ENGINE_DIR"
        [[ -n $GIVEN_DATABASE_URL || $SECRETS_ARE_NEW == no ]] || postgres_set_aside
    fi
    provide_engines "$(postgres_data_major)"
    choose_sockets
    if [[ -z $GIVEN_DATABASE_URL ]]; then
        started=$(now_millis)
        postgres_create
        start_process postgres
        wait_until postgres "$POSTGRES_START_SECONDS_MAX" postgres_is_ready
        step_done "Postgres ($("$POSTGRES_BIN/postgres" --version | cut -d' ' -f3), private)" "$started"
    fi
    if [[ -z $GIVEN_REDIS_URL ]]; then
        started=$(now_millis)
        start_process redis
        wait_until redis "$REDIS_START_SECONDS_MAX" redis_is_ready
        REDIS_URL=$(redis_url)
        step_done "Redis (private)" "$started"
    fi
}

stop_private() {
    stop_processes TERM "$STOP_SECONDS_MAX" redis
    # Fast shutdown: Postgres ends its sessions and writes a checkpoint.
    stop_processes INT "$POSTGRES_STOP_SECONDS_MAX" postgres
}

# provide_database -> role and database of the server in the private cluster
provide_database() {
    [[ -z $GIVEN_DATABASE_URL ]] || return 0
    postgres_provide_role gaemi GAEMI_DATABASE_PASSWORD 'NOCREATEDB NOCREATEROLE'
    postgres_provide_database gaemi gaemi
    DATABASE_URL=$(postgres_url gaemi "$GAEMI_DATABASE_PASSWORD" gaemi)
}

# take_lock -> nobody else works on the state of this checkout while this script runs
take_lock() {
    exec 9>"$STATE_DIR/run/lock"
    flock -n 9 || die "Gaemi is already running from this checkout ($(cat "$STATE_DIR/run/address" 2>/dev/null || printf 'still starting')); stop that one first."
}
