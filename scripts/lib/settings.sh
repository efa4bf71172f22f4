# shellcheck shell=bash
# Where the checkout is, where its state lives, and the settings a person may have written down.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
STATE_DIR=${GAEMI_STATE_DIR:-$ROOT/.gaemi}

# Names that a settings file may set. Anything else in it belongs to other programs (Compose) and is left alone.
SETTING_NAME='^(GAEMI_[A-Z0-9_]+|DATABASE_URL|REDIS_URL)$'

SECRET_NAME='^(GAEMI_(JWT_SECRET|ENCRYPTION_KEY|INTERNAL_TOKEN|REPLAY_CONTROL_TOKEN|MARKET_DATA_TOKEN|DATABASE_(ADMIN_)?PASSWORD|ALPACA_(KEY_ID|SECRET_KEY)|ALPHA_VANTAGE_KEY|KIWOOM_PRICES_(APP_KEY|SECRET_KEY)|BROKER_KEY(_NEXT)?)|DATABASE_URL|REDIS_URL)$'

# read_settings FILE -> sets the shell variables named in FILE, unless they are set already.
# The file is read as text and never executed: a value with $( ) in it is just that value.
read_settings() {
    local line name value
    [[ -r $1 ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        [[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Z0-9_]+)=(.*)$ ]] || continue
        name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]}
        if [[ $value =~ ^\"([^\"]*)\" || $value =~ ^\'([^\']*)\' ]]; then
            value=${BASH_REMATCH[1]}
        else
            value=${value%%[[:space:]]#*}
            value=${value%"${value##*[![:space:]]}"}
        fi
        [[ $name =~ $SETTING_NAME && -z ${!name+set} && -n $value ]] && printf -v "$name" '%s' "$value"
    done <"$1"
    return 0
}

# read_run_settings FILE -> as read_settings, for a file that scripts/start wrote for other scripts
read_run_settings() {
    local SETTING_NAME='^(DATABASE_URL|REDIS_URL|GAEMI_URL|POSTGRES_SOCKET_DIR|REDIS_SOCKET_DIR)$'
    read_settings "$1"
}

# load_settings -> reads `.env` of the checkout (or $GAEMI_SETTINGS_FILE) and hands its settings on to the processes.
load_settings() {
    local name
    cd "$ROOT" || exit 1
    read_settings "${GAEMI_SETTINGS_FILE:-$ROOT/.env}"
    # State may have been relocated by the file just read.
    STATE_DIR=${GAEMI_STATE_DIR:-$STATE_DIR}
    [[ $STATE_DIR == /* ]] || STATE_DIR=$ROOT/$STATE_DIR
    while IFS= read -r name; do
        if [[ $name =~ $SECRET_NAME ]]; then
            # Handed to the processes that need it, and not to every build tool on the way.
            export -n "${name?}"
        elif [[ $name =~ $SETTING_NAME ]]; then
            export "${name?}"
        fi
    done < <(compgen -v)
}

# make_state_directory -> the folder of everything that is made while running. Others may not read it. Root's may be
# entered (not listed), because Postgres lives inside it as another user; each folder in it is closed on its own.
make_state_directory() {
    local mode=0700
    ((EUID != 0)) || mode=0711
    mkdir -p "$STATE_DIR" 2>/dev/null || die "cannot make the folder $STATE_DIR; set GAEMI_STATE_DIR to a folder you may write to."
    STATE_DIR=$(cd "$STATE_DIR" && pwd -P)
    [[ -O $STATE_DIR || $EUID == 0 ]] || die "$STATE_DIR belongs to $(stat -c %U "$STATE_DIR"); start as that user, or set GAEMI_STATE_DIR to a folder of yours."
    chmod "$mode" "$STATE_DIR"
    mkdir -p -m 0700 "$STATE_DIR/logs" "$STATE_DIR/run"
}

# state_hash -> a short name for this state folder, for what must live outside of it.
state_hash() { printf '%s' "$STATE_DIR" | sha256sum | cut -c1-12; }
