# shellcheck shell=bash
# Secrets are made once, kept in one file that only its owner can read, and never printed.

# random_hex BYTES
random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

# load_secrets -> sets GAEMI_JWT_SECRET, GAEMI_ENCRYPTION_KEY, GAEMI_INTERNAL_TOKEN and the passwords of the private
# cluster as shell variables; they are not exported here, each process is given the ones it needs. SECRETS_ARE_NEW says
# whether this start has made them.
load_secrets() {
    local file=$STATE_DIR/secrets.env name
    SECRETS_ARE_NEW=no
    if [[ ! -e $file ]]; then
        (
            umask 077
            for name in GAEMI_JWT_SECRET GAEMI_ENCRYPTION_KEY GAEMI_INTERNAL_TOKEN \
                GAEMI_DATABASE_PASSWORD GAEMI_DATABASE_ADMIN_PASSWORD; do
                printf '%s=%s\n' "$name" "$(random_hex 32)"
            done >"$file.new"
            mv "$file.new" "$file"
        )
        SECRETS_ARE_NEW=yes
    fi
    chmod 0600 "$file"
    read_settings "$file"
    [[ ${GAEMI_ENCRYPTION_KEY:-} =~ ^[0-9a-fA-F]{64}$ ]] ||
        die "GAEMI_ENCRYPTION_KEY must be 64 hex digits (set in the environment, .env or $file)."
    ((${#GAEMI_JWT_SECRET} >= 32)) || die "GAEMI_JWT_SECRET must have at least 32 characters."
    [[ -n ${GAEMI_INTERNAL_TOKEN:-} ]] || die "GAEMI_INTERNAL_TOKEN is missing from $file."
    provide_broker_key
}

# provide_broker_key -> the key under which the keys of brokers are stored, in a file of its own, so that
# `broker-connector rotate-key` can change it
provide_broker_key() {
    [[ -z ${GAEMI_BROKER_KEY:-}${GAEMI_BROKER_KEY_FILE:-} ]] || return 0
    GAEMI_BROKER_KEY_FILE=$STATE_DIR/broker.key
    [[ -e $GAEMI_BROKER_KEY_FILE ]] || (
        umask 077
        random_hex 32 >"$GAEMI_BROKER_KEY_FILE.new"
        mv "$GAEMI_BROKER_KEY_FILE.new" "$GAEMI_BROKER_KEY_FILE"
    )
}
