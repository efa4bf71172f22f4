# shellcheck shell=bash
# Where the Unix sockets of the private Postgres and Redis live. A socket's path may have 107 bytes at most, so below a
# deep checkout they move to a short folder of their own; the choice is written to run/sockets.

SOCKET_PATH_BYTES_MAX=107
POSTGRES_SOCKET_NAME=.s.PGSQL.5432

# byte_length TEXT
byte_length() {
    local LC_ALL=C
    printf '%s' "${#1}"
}

# short_socket_directory -> a folder of ours, whatever a stranger may have put in its place before
short_socket_directory() {
    local base=${XDG_RUNTIME_DIR:-/tmp} folder
    # Root's runtime folder cannot be entered by the user of Postgres.
    ((EUID != 0)) || base=/run
    folder=$base/gaemi-$(state_hash)
    mkdir -p -m 0700 "$folder"
    [[ ! -L $folder && -O $folder ]] || die "$folder belongs to somebody else; remove it or set GAEMI_STATE_DIR to a shorter path."
    ((EUID == 0)) && chmod 0711 "$folder" || chmod 0700 "$folder"
    printf '%s' "$folder"
}

# choose_sockets -> POSTGRES_SOCKET_DIR and REDIS_SOCKET_DIR, both existing and closed to others
choose_sockets() {
    local base=$ENGINE_DIR
    if (($(byte_length "$base/postgres-socket/$POSTGRES_SOCKET_NAME") > SOCKET_PATH_BYTES_MAX)); then
        base=$(short_socket_directory)
    fi
    POSTGRES_SOCKET_DIR=$base/postgres-socket
    REDIS_SOCKET_DIR=$base/redis-socket
    engine_directory "$POSTGRES_SOCKET_DIR"
    mkdir -p -m 0700 "$REDIS_SOCKET_DIR"
    printf 'POSTGRES_SOCKET_DIR=%s\nREDIS_SOCKET_DIR=%s\n' "$POSTGRES_SOCKET_DIR" "$REDIS_SOCKET_DIR" >"$STATE_DIR/run/sockets"
}
