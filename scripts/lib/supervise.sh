# shellcheck shell=bash
# Starts processes, starts a fallen one again, and stops them all. Every process is in a session of its own, so Ctrl-C
# reaches this script only and the order of stopping is ours; should the script itself be killed, the kernel tells them.

RESTART_DELAY_SECONDS_MAX=30
# A process that stood this long has recovered: its next fall counts as the first.
STEADY_SECONDS=60
STOP_SECONDS_MAX=10
POSTGRES_STOP_SECONDS_MAX=30
LOG_BYTES_MAX=10485760
POLL_SECONDS=0.2

# PROCESS_DELAY holds the seconds to wait before the next start; PROCESS_AWAITED names those that were started again and
# have not answered yet.
declare -A PROCESS_PID=() PROCESS_SINCE=() PROCESS_DELAY=() PROCESS_DUE=() PROCESS_AWAITED=()

# start_process NAME -> calls launch_NAME, which becomes the process; its output goes to logs/NAME.log
start_process() {
    local log=$STATE_DIR/logs/$1.log launch=launch_${1//-/_}
    if [[ -e $log ]] && (($(stat -c %s "$log") > LOG_BYTES_MAX)); then
        mv "$log" "$log.1"
    fi
    # The lock of this script (9) must not be inherited: it says that the script runs, not its children.
    (
        trap - EXIT INT TERM HUP
        # A log file is read with many programs; colours belong on a screen.
        export NO_COLOR=1
        # The allocator's huge pages turn small idle programs into large ones.
        export MIMALLOC_ALLOW_THP=${MIMALLOC_ALLOW_THP:-0}
        # What was freed goes back to the system after a tenth of a second, so that nobody keeps what starting took.
        export MIMALLOC_PURGE_DELAY=${MIMALLOC_PURGE_DELAY:-100}
        "$launch"
    ) </dev/null >>"$log" 2>&1 9>&- &
    PROCESS_PID[$1]=$!
    printf '%s\n' "$!" >"$STATE_DIR/run/$1.pid"
    PROCESS_SINCE[$1]=$SECONDS
    unset "PROCESS_DUE[$1]"
}

is_running() { [[ -n ${PROCESS_PID[$1]:-} ]] && kill -0 "${PROCESS_PID[$1]}" 2>/dev/null; }

# how_it_ended NAME -> "was killed by signal 9", of a process that has ended
how_it_ended() {
    local status=0
    wait "${PROCESS_PID[$1]}" 2>/dev/null || status=$?
    if ((status > 128)); then
        printf 'was killed by signal %d' "$((status - 128))"
    else
        printf 'ended with status %d' "$status"
    fi
}

show_log() {
    complain "The last lines of $STATE_DIR/logs/$1.log:"
    tail -n 20 "$STATE_DIR/logs/$1.log" | sed 's/^/    /' >&2
}

# wait_until NAME SECONDS_MAX COMMAND... -> until the command succeeds; ends the script when the process falls or time is up
wait_until() {
    local name=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@"; do
        if ! is_running "$name"; then
            how_it_ended "$name" >"$STATE_DIR/run/ended"
            show_log "$name"
            die "$name $(<"$STATE_DIR/run/ended") before it was ready."
        fi
        if ((SECONDS >= deadline)); then
            show_log "$name"
            die "$name was not ready in time."
        fi
        sleep "$POLL_SECONDS"
    done
}

# note_fall NAME -> says what happened and when it will be started again
note_fall() {
    local delay
    ((SECONDS - PROCESS_SINCE[$1] < STEADY_SECONDS)) || PROCESS_DELAY[$1]=0
    # At once, then after 1, 2, 4 ... seconds.
    delay=${PROCESS_DELAY[$1]:-0}
    PROCESS_DELAY[$1]=$((delay * 2 <= RESTART_DELAY_SECONDS_MAX ? (delay == 0 ? 1 : delay * 2) : RESTART_DELAY_SECONDS_MAX))
    how_it_ended "$1" >"$STATE_DIR/run/ended"
    say "$(date -u +%FT%TZ) $1 $(<"$STATE_DIR/run/ended"); starting it again in $delay s"
    PROCESS_DUE[$1]=$((SECONDS + delay))
    PROCESS_PID[$1]=
}

# note_return NAME -> says once that a process that had fallen answers again; ready_NAME tells
note_return() {
    [[ -n ${PROCESS_AWAITED[$1]:-} ]] || return 0
    "ready_${1//-/_}" || return 0
    unset "PROCESS_AWAITED[$1]"
    say "$(date -u +%FT%TZ) $1 is back"
}

# watch_processes NAME... -> never returns; a signal's trap ends the script
watch_processes() {
    local name
    while true; do
        for name in "$@"; do
            if [[ -n ${PROCESS_DUE[$name]:-} ]]; then
                if ((SECONDS >= PROCESS_DUE[$name])); then
                    start_process "$name"
                    PROCESS_AWAITED[$name]=yes
                fi
            elif ! is_running "$name"; then
                note_fall "$name"
            else
                note_return "$name"
            fi
        done
        sleep "$POLL_SECONDS"
    done
}

# ended_within SECONDS NAME...
ended_within() {
    local deadline=$((SECONDS + $1)) name
    shift
    for name in "$@"; do
        while is_running "$name"; do
            ((SECONDS < deadline)) || return 1
            sleep 0.05
        done
    done
}

# stop_processes SIGNAL SECONDS_MAX NAME... -> asks all of them at once, then kills those that did not listen
stop_processes() {
    local signal=$1 seconds_max=$2 name
    shift 2
    for name in "$@"; do
        ! is_running "$name" || kill -s "$signal" "${PROCESS_PID[$name]}" 2>/dev/null || true
    done
    ended_within "$seconds_max" "$@" && return 0
    for name in "$@"; do
        if is_running "$name"; then
            complain "$name did not stop within $seconds_max s and is killed"
            kill -s KILL "${PROCESS_PID[$name]}" 2>/dev/null || true
        fi
    done
    ended_within 5 "$@" || true
}
