# shellcheck shell=bash
# A whole server for the checks: started by scripts/start with recorded prices on free ports, and put to the test itself.

SERVER_READY_SECONDS_MAX=90
# How long the server may be away after one of its processes was killed.
HEAL_SECONDS_MAX=10
SERVER_PROCESSES=(market-data broker-connector backend redis postgres)

# Brokers that stand in for real ones, each with the address where it takes orders and tells what happened to them.
STAND_INS=(alpaca kiwoom)
STAND_IN_PIDS=()

# start_stand_ins -> programs that speak as Alpaca and Kiwoom do; the whole server is told to trade there
start_stand_ins() {
    local at programs deadline=$((SECONDS + SERVER_READY_SECONDS_MAX))
    local -a ports
    programs=$(program_directory debug)
    mapfile -t ports < <(free_ports "${#STAND_INS[@]}")
    for at in "${!STAND_INS[@]}"; do
        "$programs/${STAND_INS[at]}-stand-in" "127.0.0.1:${ports[at]}" >"$STATE_DIR/logs/${STAND_INS[at]}.log" 2>&1 &
        STAND_IN_PIDS+=($!)
    done
    for at in "${!STAND_INS[@]}"; do
        until [[ -s $STATE_DIR/logs/${STAND_INS[at]}.log ]]; do
            ((SECONDS < deadline)) || { say "the stand-in of ${STAND_INS[at]} did not start"; return 1; }
            sleep "$POLL_SECONDS"
        done
    done
    export GAEMI_ALPACA_PAPER_URL=http://127.0.0.1:${ports[0]}
    export GAEMI_KIWOOM_PAPER_URL=http://127.0.0.1:${ports[1]} GAEMI_KIWOOM_PAPER_STREAM_URL=http://127.0.0.1:${ports[1]}
}

stop_stand_ins() {
    local pid
    for pid in "${STAND_IN_PIDS[@]}"; do
        kill -s INT "$pid" 2>/dev/null || true
        wait "$pid" || true
    done
    STAND_IN_PIDS=()
}

# start_script ARGUMENT... -> scripts/start of this checkout on the state and the ports of the whole server
start_script() {
    GAEMI_STATE_DIR=$SERVER_STATE GAEMI_SETTINGS_FILE=/dev/null GAEMI_PROVIDERS=replay,synthetic \
        GAEMI_BACKEND_PORT=${SERVER_PORTS[0]} GAEMI_MARKET_DATA_PORT=${SERVER_PORTS[1]} \
        GAEMI_BROKER_CONNECTOR_PORT=${SERVER_PORTS[2]} exec scripts/start --debug-build --no-build "$@"
}

show_server_log() { cat "$STATE_DIR/logs/server.log" >&2; }

start_whole_server() {
    local deadline=$((SECONDS + SERVER_READY_SECONDS_MAX))
    mapfile -t SERVER_PORTS < <(free_ports 3)
    : "${SERVER_STATE:=$STATE_DIR/server}"
    (start_script) >"$STATE_DIR/logs/server.log" 2>&1 &
    SERVER_PID=$!
    until [[ -e $SERVER_STATE/run/address ]]; do
        if ! kill -0 "$SERVER_PID" 2>/dev/null || ((SECONDS >= deadline)); then
            show_server_log
            return 1
        fi
        sleep "$POLL_SECONDS"
    done
    SERVER_ADDRESS=$(<"$SERVER_STATE/run/address")
    show_server_log 2>&1
}

# refuse_second_start -> the same checkout twice, and a port that is taken: each gets its sentence
refuse_second_start() {
    local answer
    ! answer=$( (start_script) 2>&1) || { say "a second start was not refused"; return 1; }
    [[ $answer == *"already running"* ]] || { say "$answer"; return 1; }
    ! answer=$( (SERVER_STATE=$STATE_DIR/other start_script) 2>&1) || { say "taken ports were not noticed"; return 1; }
    [[ $answer == *"port ${SERVER_PORTS[0]} "*"is taken"* ]] || { say "$answer"; return 1; }
}

# refuse_wrong_settings -> a source of prices that does not exist is told before anything is started
refuse_wrong_settings() {
    local answer SERVER_STATE=$STATE_DIR/wrong
    local -a SERVER_PORTS
    mapfile -t SERVER_PORTS < <(free_ports 3)
    ! answer=$( (start_script --providers foo) 2>&1) ||
        { say "an unknown provider was not refused"; return 1; }
    [[ $answer == *'GAEMI_PROVIDERS names "foo"'* ]] || { say "$answer"; return 1; }
    [[ ! -e $STATE_DIR/wrong/postgres && ! -e $STATE_DIR/wrong/secrets.env ]] || { say "something was started"; return 1; }
}

# start_anew -> with its state folder removed a server starts from nothing, also where the database is elsewhere: the
# folder is closed to the user of Postgres
start_anew() {
    local SERVER_STATE=$STATE_DIR/closed/server SERVER_PID='' status=0
    mkdir -p -m 0700 "$STATE_DIR/closed"
    start_whole_server && stop_whole_server && rm -rf "$SERVER_STATE" && start_whole_server && stop_whole_server || status=1
    remove_closed_state
    return "$status"
}

# remove_closed_state -> what start_anew may have left outside of the throw-away folder
remove_closed_state() {
    local STATE_DIR=$SERVER_STATE
    ((EUID != 0)) || rm -rf "/var/lib/gaemi/$(state_hash)"
}

whole_server_is_ready() {
    local port
    for port in "${SERVER_PORTS[@]}"; do
        http_ok 127.0.0.1 "$port" /ready || return 1
    done
}

# heal NAME -> kills the process and waits until another one has taken its place and all are ready
heal() {
    local file=$SERVER_STATE/run/$1.pid before deadline=$((SECONDS + HEAL_SECONDS_MAX)) started
    before=$(<"$file")
    started=$(now_millis)
    kill -s KILL "$before" || return 1
    until [[ $(<"$file") != "$before" ]] && whole_server_is_ready; do
        if ((SECONDS >= deadline)); then
            say "$1 did not heal within $HEAL_SECONDS_MAX s"
            show_server_log
            return 1
        fi
        sleep "$POLL_SECONDS"
    done
    step_done "$1 killed, ready again" "$started"
}

heal_whole_server() {
    local name
    for name in "${SERVER_PROCESSES[@]}"; do
        heal "$name" || return 1
    done
}

# first_calls -> the README's first calls, pasted as they stand, end with an order that is filled
first_calls() {
    local answers folder=$STATE_DIR/first-calls
    provide_command jq jq && provide_command curl curl || return "$SKIPPED"
    mkdir -p "$folder"
    # shellcheck disable=SC2016 # the backquotes are Markdown's
    sed -n '/^## First calls/,/^## /{/^```sh$/,/^```$/{/^```/d;p}}' README.md |
        sed "s#http://127.0.0.1:8000#$SERVER_ADDRESS#" >"$folder/calls.sh"
    answers=$(cd "$folder" && bash calls.sh 2>&1) || { say "$answers"; return 1; }
    [[ $answers == *'event: execution'* && $answers == *'"state": "filled"'* ]] || { say "$answers"; return 1; }
}

check_books() { GAEMI_STATE_DIR=$SERVER_STATE GAEMI_SETTINGS_FILE=/dev/null scripts/check-books; }

back_up() {
    local folder=$STATE_DIR/backups
    local -a environment=(env "GAEMI_STATE_DIR=$SERVER_STATE" GAEMI_SETTINGS_FILE=/dev/null)
    "${environment[@]}" scripts/backup "$folder" || return 1
    back_up_nightly "$folder-nightly"
}

# back_up_nightly FOLDER -> where there is no backup one is made at once, none twice, and a missed one is told
back_up_nightly() {
    local process second status=0
    local -a backups
    if scripts/backup-nightly --fresh "$1" 2>/dev/null; then say "an empty folder counts as backed up"; return 1; fi
    "${environment[@]}" scripts/backup-nightly "$1" &
    process=$!
    for ((second = 0; second < 60; second++)); do
        scripts/backup-nightly --fresh "$1" 2>/dev/null && break
        sleep 1
    done
    kill "$process" && wait "$process" || status=1
    "${environment[@]}" timeout 3 scripts/backup-nightly "$1" || true
    backups=("$1"/gaemi-*)
    ((${#backups[@]} == 1)) || { say "${#backups[@]} backups where one was due"; status=1; }
    mv "${backups[0]}" "$1/gaemi-20200102T030405Z"
    if scripts/backup-nightly --fresh "$1"; then say "a missed backup is not told"; status=1; fi
    return "$status"
}

# restore_elsewhere -> on a machine that has nothing but the secrets, the backup becomes a server again: every table is as it
# was, the books balance, and who had an account logs in; restored a second time it is refused
restore_elsewhere() {
    local old=$SERVER_STATE SERVER_STATE=$STATE_DIR/restored SERVER_PID='' answer status=0
    local -a backup=("$STATE_DIR"/backups/gaemi-*) restore=(env "GAEMI_STATE_DIR=$SERVER_STATE" GAEMI_SETTINGS_FILE=/dev/null scripts/restore)
    ! answer=$("${restore[@]}" "${backup[0]}" 2>&1) || { say "a restore without secrets was not refused"; return 1; }
    [[ $answer == *'secrets.env'* ]] || { say "$answer"; return 1; }
    cp "$old/secrets.env" "$old/broker.key" "$SERVER_STATE/"
    "${restore[@]}" "${backup[0]}" || return 1
    ! answer=$("${restore[@]}" "${backup[0]}" 2>&1) || { say "a restore into what is not empty was not refused"; return 1; }
    [[ $answer == *'into an empty one only'* ]] || { say "$answer"; return 1; }
    start_whole_server || return 1
    answer=$(curl -sS "$SERVER_ADDRESS/api/auth/login" -H 'Content-Type: application/json' \
        -d '{"email":"me@example.com","password":"violet kettle orbit"}') && [[ $answer == *accessToken* ]] ||
        { say "nobody can log in: $answer"; status=1; }
    check_books || status=1
    stop_whole_server && return "$status"
}

# tear_answers -> a server that trades at the stand-ins loses its connector between an order and its answer: nothing is lost, and
# nothing is sent twice
tear_answers() {
    local SERVER_STATE=$STATE_DIR/torn SERVER_PID='' alpaca=${GAEMI_ALPACA_PAPER_URL#http://} kiwoom=${GAEMI_KIWOOM_PAPER_URL#http://}
    local status=0
    local -a ports
    mapfile -t ports < <(free_ports 2)
    local -x GAEMI_ALPACA_PAPER_URL=http://127.0.0.1:${ports[0]}
    local -x GAEMI_KIWOOM_PAPER_URL=http://127.0.0.1:${ports[1]} GAEMI_KIWOOM_PAPER_STREAM_URL=http://127.0.0.1:${ports[1]}
    start_whole_server || return 1
    python3 "$ROOT/scripts/lib/killed_connector.py" "$SERVER_ADDRESS" "$SERVER_STATE/run/broker-connector.pid" \
        "${ports[0]}" "$alpaca" "${ports[1]}" "$kiwoom" && check_books || status=1
    stop_whole_server && return "$status"
}

# halt_whole_server -> the operator's switch is seen within a second, and trading goes on when it is lifted
halt_whole_server() {
    local -a halt=(env "GAEMI_STATE_DIR=$SERVER_STATE" GAEMI_SETTINGS_FILE=/dev/null scripts/halt)
    local log=$SERVER_STATE/logs/backend.log
    "${halt[@]}" "a drill" && sleep 1 && ! "${halt[@]}" --status && grep -q 'halted in all accounts.*' "$log" || return 1
    "${halt[@]}" --lift && sleep 1 && "${halt[@]}" --status && grep -q 'the halt file is gone' "$log"
}

# stop_whole_server -> asked to stop, it ends well and leaves no process behind
stop_whole_server() {
    local name pid status=0 pids=()
    [[ -n ${SERVER_PID:-} ]] || return 0
    for name in "${SERVER_PROCESSES[@]}"; do
        pids+=("$(cat "$SERVER_STATE/run/$name.pid" 2>/dev/null || true)")
    done
    kill -s TERM "$SERVER_PID" 2>/dev/null || true
    wait "$SERVER_PID" || status=$?
    SERVER_PID=
    ((status == 0)) || { show_server_log; return 1; }
    for pid in "${pids[@]}"; do
        [[ -z $pid ]] || ! kill -0 "$pid" 2>/dev/null || { say "process $pid was left behind"; return 1; }
    done
}
