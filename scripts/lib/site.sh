# shellcheck shell=bash
# Checks the production set-up as far as a machine without Docker can: nginx reads its site, Compose's file is sound.

# make_certificate FOLDER -> a certificate nobody trusts, good enough for nginx to read
make_certificate() {
    mkdir -p "$1"
    openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost \
        -keyout "$1/privkey.pem" -out "$1/fullchain.pem" 2>/dev/null
}

nginx_site() {
    local folder=$STATE_DIR/nginx nginx
    provide_command nginx nginx || return "$SKIPPED"
    provide_command openssl openssl || return "$SKIPPED"
    nginx=$(PATH=$PATH:/usr/sbin command -v nginx)
    make_certificate "$folder/certificates" || return 1
    # Host names of the Compose network and low ports mean nothing here; all else is read as it stands.
    sed -E "s#/etc/nginx/certificates#$folder/certificates#; s#/dev/stdout#$folder/access.log#; s#listen (\[::\]:)?(80|443)\b#listen \110\2#" \
        nginx/gaemi.conf >"$folder/gaemi.conf"
    sed -E 's/server [a-z-]+:/server 127.0.0.1:/' nginx/upstreams.conf >"$folder/upstreams.conf"
    cat >"$folder/nginx.conf" <<CONF
pid $folder/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    include $folder/upstreams.conf;
    include $folder/gaemi.conf;
}
CONF
    "$nginx" -t -q -e stderr -c "$folder/nginx.conf" && say "nginx reads the site"
}

# provide_yaml -> python3 can read YAML, with the system's package or a private one
provide_yaml() {
    export PYTHONPATH=$STATE_DIR/python${PYTHONPATH:+:$PYTHONPATH}
    python3 -c 'import yaml' 2>/dev/null && return 0
    python3 -m pip install --quiet --target "$STATE_DIR/python" pyyaml==6.0.3 >"$STATE_DIR/logs/pyyaml.log" 2>&1 && return 0
    apt_install python3-yaml && python3 -c 'import yaml' 2>/dev/null
}

compose_file() {
    if docker compose version 2>/dev/null | grep -q 'Compose version'; then
        # Whatever it cannot do without, it gets.
        local -a required
        mapfile -t required < <(sed -nE 's/.*\$\{([A-Z_]+):\?.*/\1=check/p' docker-compose.yml | sort -u)
        env "${required[@]}" docker compose -f docker-compose.yml config --quiet || return 1
    fi
    provide_yaml || { complain "PyYAML is missing: run 'apt install python3-yaml'."; return "$SKIPPED"; }
    python3 scripts/check-compose docker-compose.yml
}
