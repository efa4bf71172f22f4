# shellcheck shell=bash
# A private Redis: a cache on a Unix socket. It writes nothing to disk, because nothing in it may be needed.

REDIS_START_SECONDS_MAX=20
REDIS_MEMORY_MAX=64mb

launch_redis() {
    cd "$REDIS_SOCKET_DIR" || exit 1
    exec setsid setpriv --pdeathsig TERM -- "$REDIS_SERVER" --port 0 --unixsocket "$REDIS_SOCKET_DIR/redis.sock" \
        --unixsocketperm 700 --save '' --appendonly no --daemonize no --dir "$REDIS_SOCKET_DIR" \
        --maxmemory "$REDIS_MEMORY_MAX" --maxmemory-policy allkeys-lru
}

redis_is_ready() {
    python3 - "$REDIS_SOCKET_DIR/redis.sock" 2>/dev/null <<'PY'
import socket, sys
with socket.socket(socket.AF_UNIX) as connection:
    connection.settimeout(2)
    connection.connect(sys.argv[1])
    connection.sendall(b"PING\r\n")
    sys.exit(0 if connection.recv(16).startswith(b"+PONG") else 1)
PY
}

redis_url() { printf 'redis+unix://%s/redis.sock' "$REDIS_SOCKET_DIR"; }
