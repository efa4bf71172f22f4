# shellcheck shell=bash
# TCP ports: is one free, who has it, and does the process behind it answer.

HTTP_TIMEOUT_SECONDS=2

# port_is_free HOST PORT
port_is_free() {
    python3 - "$1" "$2" 2>/dev/null <<'PY'
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
with socket.socket(family) as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((host, port))
    probe.listen(1)
PY
}

# port_owner PORT -> " (held by NAME, process PID)" when it can be known
port_owner() {
    command -v ss >/dev/null || return 0
    ss -Hltnp "sport = :$1" 2>/dev/null |
        sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/ (held by \1, process \2)/p' | head -n 1
}

# require_port SETTING HOST PORT [FLAG] -> ends the script when the port cannot be ours
require_port() {
    [[ $3 =~ ^[0-9]+$ ]] && (($3 >= 1 && $3 <= 65535)) || die "$1 must be a port number from 1 to 65535, not '$3'."
    port_is_free "$2" "$3" || die "port $3 on $2 is taken$(port_owner "$3"); stop that program or choose another port with ${4:-}$1."
}

# free_ports COUNT -> that many ports nobody listens on at this moment, one a line
free_ports() {
    python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for listener in held:
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1])
PY
}

# connectable HOST -> the address at which a process bound to HOST is reached from here
connectable() {
    case $1 in
    0.0.0.0) printf 127.0.0.1 ;;
    ::) printf ::1 ;;
    *) printf '%s' "$1" ;;
    esac
}

# http_ok HOST PORT PATH -> does a GET answer 200
http_ok() {
    (
        exec 3<>"/dev/tcp/$(connectable "$1")/$2" || exit 1
        printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$3" >&3
        IFS= read -r -t "$HTTP_TIMEOUT_SECONDS" line <&3 && [[ $line == HTTP/1.*' 200 '* ]]
    ) 2>/dev/null
}
