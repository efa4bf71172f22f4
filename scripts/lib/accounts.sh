# shellcheck shell=bash
# Which system user runs Postgres, and where that user's files can be.
# Postgres refuses to run as root, so root drops to a real system user; anybody else runs it as himself.

# choose_engine_user -> ENGINE_USER, ENGINE_DIR (data and sockets) and WHEELS_DIR (unpacked programs, shared by all
# state folders of the checkout)
choose_engine_user() {
    ENGINE_DIR=$STATE_DIR
    WHEELS_DIR=$ROOT/.gaemi/wheels
    ENGINE_USER=$(id -un)
    ((EUID == 0)) || return 0
    choose_system_user
    as_engine_user test -x "$ROOT" || WHEELS_DIR=/var/lib/gaemi/wheels
    as_engine_user test -x "$STATE_DIR" && return 0
    ENGINE_DIR=/var/lib/gaemi/$(state_hash)
    mkdir -p -m 0711 "$ENGINE_DIR"
}

# choose_system_user -> ENGINE_USER for root: whose the data already is, else the system's postgres, else one of our own
choose_system_user() {
    ENGINE_USER=$(stat -c %U "$STATE_DIR/postgres" 2>/dev/null || printf root)
    [[ $ENGINE_USER == root || $ENGINE_USER == UNKNOWN ]] || return 0
    ENGINE_USER=postgres
    ! getent passwd postgres >/dev/null || return 0
    ENGINE_USER=gaemi
    getent passwd gaemi >/dev/null || useradd --system --user-group --no-create-home \
        --home-dir /nonexistent --shell /usr/sbin/nologin gaemi ||
        die "cannot add the system user 'gaemi', which has to run Postgres because Postgres refuses to run as root."
}

# as_engine_user COMMAND... -> runs it as the user of Postgres, from a folder that user can stand in
as_engine_user() {
    if ((EUID == 0)); then
        (cd / && exec setpriv --reuid="$ENGINE_USER" --regid="$ENGINE_USER" --init-groups -- "$@")
    else
        "$@"
    fi
}

# engine_directory PATH -> a folder that only the user of Postgres can enter (and root)
engine_directory() {
    mkdir -p "$1"
    chmod 0700 "$1"
    ((EUID != 0)) || chown "$ENGINE_USER:" "$1"
}
