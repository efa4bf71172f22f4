# shellcheck shell=bash
# The tools a newcomer must have brought along. Each missing one gets a sentence and the way to get it.

# version_at_least HAVE WANT
version_at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# missing_build_tools -> one sentence a line; nothing when all is there
missing_build_tools() {
    local have want
    want=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$ROOT/Cargo.toml")
    if ! command -v cargo >/dev/null; then
        say "cargo is missing: install Rust from https://rustup.rs and open a new shell."
    else
        have=$(rustc --version 2>/dev/null | cut -d' ' -f2)
        version_at_least "${have:-0}" "$want" || say "Rust $want or newer is needed, this is ${have:-unknown}: run 'rustup update stable'."
    fi
    command -v cc >/dev/null || say "A C compiler is missing: run 'apt install build-essential'."
    if ! command -v node >/dev/null; then
        say "node is missing: install Node.js 20.19 or newer from https://nodejs.org or with your package manager."
    else
        have=$(node --version)
        version_at_least "${have#v}" 20.19 || say "Node.js 20.19 or newer is needed, this is ${have#v}: get one from https://nodejs.org."
    fi
    command -v npm >/dev/null || say "npm is missing: it comes with Node.js from https://nodejs.org (Debian: 'apt install npm')."
}

# missing_run_tools -> what is needed even when nothing is built
missing_run_tools() {
    command -v python3 >/dev/null || say "python3 is missing: run 'apt install python3'."
    command -v flock >/dev/null && command -v setpriv >/dev/null && command -v setsid >/dev/null ||
        say "util-linux (flock, setpriv, setsid) is missing: run 'apt install util-linux'."
}

# require_tools LIST... -> LIST is build or run; ends the script with a sentence for each tool that is missing
require_tools() {
    local list missing=
    # rustup's folder is not yet on the PATH of a shell that was open while it was installed.
    command -v cargo >/dev/null || PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin
    for list in "$@"; do
        missing+=$("missing_${list}_tools" && printf .)
        missing=${missing%.}
    done
    [[ -z $missing ]] && return 0
    complain "${missing%$'\n'}"
    exit 1
}

# apt_install PACKAGE... -> installs Debian packages when we may; fails silently otherwise
apt_install() {
    ((EUID == 0)) && command -v apt-get >/dev/null || return 1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >"$STATE_DIR/logs/apt.log" 2>&1 && return 0
    apt-get update -q >>"$STATE_DIR/logs/apt.log" 2>&1 || return 1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >>"$STATE_DIR/logs/apt.log" 2>&1
}
