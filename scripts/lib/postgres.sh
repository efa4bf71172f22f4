# shellcheck shell=bash
# A private Postgres cluster: Unix socket only, passwords on it, closed folder. The server's own role is no superuser.

POSTGRES_START_SECONDS_MAX=60

# url_encode TEXT
url_encode() { python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.argv[1], safe=""), end="")' "$1"; }

# postgres_data_major -> major version of the existing cluster, or nothing
postgres_data_major() {
    [[ ! -e $ENGINE_DIR/postgres/PG_VERSION ]] || cat "$ENGINE_DIR/postgres/PG_VERSION"
}

# postgres_set_aside -> a cluster outside of the state folder whose secrets went with that folder opens to nobody: it makes
# room for a new one, and is not removed, because somebody may still have the secrets
postgres_set_aside() {
    local old
    [[ -e $ENGINE_DIR/postgres ]] || return 0
    old=$ENGINE_DIR/postgres.$(date -u +%Y%m%dT%H%M%SZ)
    mv "$ENGINE_DIR/postgres" "$old"
    say "  the database of an earlier start, whose secrets are gone, is now $old; remove it if nobody needs it"
}

# postgres_create -> initdb, unless it was done before; the folder gets its name only when the cluster in it is whole. One that
# is thrown away at the end (POSTGRES_IS_THROWN_AWAY) need not survive that the machine stops; that its processes are killed, it
# survives all the same.
postgres_create() {
    local data=${POSTGRES_DATA_DIR:-$ENGINE_DIR/postgres} password_file
    [[ ! -e $data ]] || return 0
    rm -rf "$data.new"
    engine_directory "$data.new"
    password_file=$(mktemp "$ENGINE_DIR/password.XXXXXX")
    printf '%s' "$GAEMI_DATABASE_ADMIN_PASSWORD" >"$password_file"
    ((EUID != 0)) || chown "$ENGINE_USER:" "$password_file"
    if ! as_engine_user "$POSTGRES_BIN/initdb" --pgdata="$data.new" --username=gaemi_admin --pwfile="$password_file" \
        --auth-local=scram-sha-256 --auth-host=reject --encoding=UTF8 --no-locale >"$STATE_DIR/logs/initdb.log" 2>&1; then
        rm -f "$password_file"
        complain "$(tail -n 20 "$STATE_DIR/logs/initdb.log")"
        die "the private Postgres cluster could not be made."
    fi
    rm -f "$password_file"
    cat >>"$data.new/postgresql.conf" <<'CONF'
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 200
timezone = 'UTC'
log_timezone = 'UTC'
jit = off
CONF
    [[ ${POSTGRES_IS_THROWN_AWAY:-no} == no ]] ||
        printf '%s\n' 'fsync = off' 'full_page_writes = off' 'max_wal_size = 256MB' >>"$data.new/postgresql.conf"
    mv "$data.new" "$data"
}

# launch_postgres -> becomes the server, in the foreground, its log on standard error
launch_postgres() {
    local -a drop=()
    ((EUID != 0)) || drop=(--reuid="$ENGINE_USER" --regid="$ENGINE_USER" --init-groups)
    cd /
    # Should this script be killed, the kernel asks Postgres to stop fast.
    exec setsid setpriv "${drop[@]}" --pdeathsig INT -- \
        "$POSTGRES_BIN/postgres" -D "${POSTGRES_DATA_DIR:-$ENGINE_DIR/postgres}" -k "$POSTGRES_SOCKET_DIR"
}

# admin_psql ARGUMENT... -> psql as the cluster's administrator; the password goes by the environment, not by `ps`
admin_psql() {
    PGHOST=$POSTGRES_SOCKET_DIR PGPORT=5432 PGUSER=gaemi_admin PGPASSWORD=$GAEMI_DATABASE_ADMIN_PASSWORD \
        PGDATABASE=${ADMIN_DATABASE:-postgres} PGCONNECT_TIMEOUT=5 \
        "$POSTGRES_BIN/psql" -X -q -v ON_ERROR_STOP=1 "$@"
}

# postgres_is_ready -> does it answer; a cluster that was made with another password will never, so that ends the script
postgres_is_ready() {
    local answer
    answer=$(admin_psql -c 'SELECT 1' 2>&1) && return 0
    [[ $answer != *"password authentication failed"* ]] ||
        die "the database in $ENGINE_DIR/postgres was made with other secrets than those in $STATE_DIR/secrets.env: put the old secrets.env back, or move $ENGINE_DIR/postgres away to start anew."
    return 1
}

# postgres_provide_role ROLE PASSWORD_VARIABLE ROLE_OPTIONS -> makes the role or sets its password anew
postgres_provide_role() {
    # shellcheck disable=SC2016 # the dollars are SQL's
    PASSWORD=${!2} admin_psql -v role="$1" -v options="$3" <<'SQL'
\getenv password PASSWORD
SELECT format('CREATE ROLE %I', :'role') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" LOGIN NOSUPERUSER :options PASSWORD :'password';
SQL
}

# postgres_provide_database ROLE DATABASE -> the database belongs to the role, and nobody else may connect
postgres_provide_database() {
    admin_psql -v role="$1" -v database="$2" <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'role')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
}

# postgres_url ROLE PASSWORD DATABASE
postgres_url() {
    printf 'postgres://%s:%s@%s:5432/%s' "$1" "$2" "$(url_encode "$POSTGRES_SOCKET_DIR")" "$3"
}

# use_database_url URL -> PG* variables for psql and pgbench, so that no password shows in `ps`
use_database_url() {
    local assignment
    while IFS= read -r -d '' assignment; do
        export "${assignment?}"
    done < <(DATABASE_URL=$1 python3 "$ROOT/scripts/lib/database_url.py")
}
