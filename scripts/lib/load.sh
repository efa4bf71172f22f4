# shellcheck shell=bash
# Loads every part of the library; sourcing it runs nothing.
LIBRARY=$(dirname "${BASH_SOURCE[0]}")
source "$LIBRARY/say.sh"
source "$LIBRARY/settings.sh"
source "$LIBRARY/secrets.sh"
source "$LIBRARY/tools.sh"
source "$LIBRARY/accounts.sh"
source "$LIBRARY/engines.sh"
source "$LIBRARY/sockets.sh"
source "$LIBRARY/postgres.sh"
source "$LIBRARY/redis.sh"
source "$LIBRARY/ports.sh"
source "$LIBRARY/build.sh"
source "$LIBRARY/supervise.sh"
source "$LIBRARY/private.sh"
source "$LIBRARY/running.sh"
