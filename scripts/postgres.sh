#!/usr/bin/env bash
# A throw-away PostgreSQL for the tests: its own folder, its own port, nothing survives `stop`.
# PostgreSQL refuses to run as root, so for root it runs as an ordinary user.
#
#   scripts/postgres.sh start     start it unless it runs, and print its URL
#   scripts/postgres.sh url       print the URL of the running one
#   scripts/postgres.sh stop      stop it and delete its data
#   scripts/postgres.sh find      print the folder of PostgreSQL's programs
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

# One per checkout, where that user may enter.
FOLDER="${TMPDIR:-/tmp}/gourmetgram-postgres-$EUID-$(printf '%s' "$ROOT" | cksum | cut -d' ' -f1)"

# Debian keeps them off PATH, one folder a version: the newest is taken.
find_programs() {
    local folder
    for folder in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) "$(dirname "$(command -v pg_ctl || echo /none)")"; do
        if [[ -x "$folder/initdb" && -x "$folder/pg_ctl" ]]; then
            printf '%s\n' "$folder"
            return
        fi
    done
    fail "PostgreSQL's server programs (initdb, pg_ctl) were not found" \
        "On Debian or Ubuntu: apt-get install postgresql"
}

# as_owner COMMAND...: as the user the server runs as.
as_owner() {
    if [[ $EUID -eq 0 ]]; then
        (cd / && runuser -u "$(owner)" -- "$@")
    else
        "$@"
    fi
}

owner() {
    if [[ $EUID -ne 0 ]]; then
        id -un
    elif id postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}

is_running() {
    [[ -f "$FOLDER/url" ]] && as_owner "$PROGRAMS/pg_ctl" status --pgdata "$FOLDER/data" >/dev/null 2>&1
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Speed before safety: what it holds is worth nothing after the tests. The password keeps other users of the machine
# out of a server that runs as somebody.
start() {
    if is_running; then
        cat "$FOLDER/url"
        return
    fi
    stop
    mkdir -m 700 "$FOLDER"
    local password port attempt
    password=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
    printf '%s\n' "$password" >"$FOLDER/password"
    chown -R "$(owner)" "$FOLDER"
    as_owner "$PROGRAMS/initdb" --pgdata "$FOLDER/data" --username gourmetgram --pwfile "$FOLDER/password" \
        --auth scram-sha-256 --encoding UTF8 --locale C --no-sync >"$FOLDER/initdb.log" 2>&1 ||
        fail "PostgreSQL's initdb failed:" "$(tail -n 3 "$FOLDER/initdb.log")"
    as_owner tee -a "$FOLDER/data/postgresql.conf" >/dev/null <<-SETTINGS
		listen_addresses = '127.0.0.1'
		unix_socket_directories = ''
		max_connections = 200
		fsync = off
		synchronous_commit = off
		full_page_writes = off
	SETTINGS
    # Somebody may take the port between our asking and our using it.
    for attempt in 1 2 3; do
        port=$(free_port)
        if as_owner "$PROGRAMS/pg_ctl" start --wait --silent --pgdata "$FOLDER/data" --log "$FOLDER/data/server.log" \
            --options "-p $port" </dev/null >"$FOLDER/start.log" 2>&1; then
            printf 'postgres://gourmetgram:%s@127.0.0.1:%s/postgres\n' "$password" "$port" | tee "$FOLDER/url"
            return
        fi
    done
    fail "PostgreSQL did not start (tried $attempt times):" "$(tail -n 5 "$FOLDER/data/server.log")"
}

stop() {
    if is_running; then
        as_owner "$PROGRAMS/pg_ctl" stop --wait --silent --mode immediate --pgdata "$FOLDER/data"
    fi
    rm -rf "$FOLDER"
}

PROGRAMS=$(find_programs)
case ${1:-} in
start) start ;;
stop) stop ;;
url)
    is_running || fail "the tests' PostgreSQL is not running" "Start it: scripts/postgres.sh start"
    cat "$FOLDER/url"
    ;;
find) say "$PROGRAMS" ;;
*) fail "usage: scripts/postgres.sh start|url|stop|find" ;;
esac
