# shellcheck shell=bash
# What a script tells its reader: one line a step, and one clear sentence when it must give up.

# Milliseconds since the epoch, without starting a process.
now_millis() {
    local now=$EPOCHREALTIME
    printf '%s' "$((${now/[.,]/} / 1000))"
}

# seconds_since MILLIS -> "3.2"
seconds_since() {
    local elapsed=$(($(now_millis) - $1))
    printf '%d.%d' "$((elapsed / 1000))" "$((elapsed % 1000 / 100))"
}

say() { printf '%s\n' "$*"; }

complain() { printf '%s\n' "$*" >&2; }

die() {
    printf 'Error: %s\n' "$*" >&2
    exit 1
}

# step_done WHAT STARTED_MILLIS
step_done() { printf '  %-44s %6s s\n' "$1" "$(seconds_since "$2")"; }
