# shellcheck shell=bash
# Builds the page and the three programs; what has not changed is not built again.

# run_long COMMAND... -> runs it so that a stop signal reaches this script at once, and then the command and its children
run_long() {
    local status=0
    setsid "$@" </dev/null 9>&- &
    LONG_PID=$!
    wait "$LONG_PID" || status=$?
    LONG_PID=
    return "$status"
}

# tree_hash FOLDER -> changes when any source file in it changes
tree_hash() {
    (
        cd "$1" || exit 1
        find . \( -name node_modules -o -name dist -o -name test-results -o -name playwright-report \) -prune -o -type f -print0 |
            LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
    )
}

# install_page_packages -> npm ci, when the lock file is another than the one installed
install_page_packages() {
    local stamp=$ROOT/frontend/node_modules/.gaemi-installed lock
    lock=$(sha256sum <"$ROOT/frontend/package-lock.json")
    [[ ! -e $stamp || $(<"$stamp") != "$lock" ]] || return 0
    run_long npm --prefix "$ROOT/frontend" ci --no-audit --no-fund --loglevel=error || return 1
    printf '%s' "$lock" >"$stamp"
}

# build_page -> frontend/dist
build_page() {
    local stamp=$ROOT/frontend/node_modules/.gaemi-built hash
    hash=$(tree_hash "$ROOT/frontend")
    [[ -e $ROOT/frontend/dist/index.html && -e $stamp && $(<"$stamp") == "$hash" ]] && return 0
    install_page_packages || return 1
    run_long npm --prefix "$ROOT/frontend" run build || return 1
    # The compiler does not notice a folder that was not there before.
    touch "$ROOT/backend/src/spa.rs"
    printf '%s' "$hash" >"$stamp"
}

# build_programs PROFILE -> the page goes into the backend's release binary, so it must be there first
build_programs() {
    local -a options=(--locked --bin backend --bin market-data --bin broker-connector)
    [[ $1 == debug ]] || options+=(--release)
    run_long cargo build "${options[@]}"
}

# program_directory PROFILE
program_directory() {
    local target=${CARGO_TARGET_DIR:-target}
    [[ $target == /* ]] || target=$ROOT/$target
    printf '%s/%s' "$target" "$1"
}
