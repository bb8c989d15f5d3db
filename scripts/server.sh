#!/usr/bin/env bash
# Starts and stops the built server in the background.
#
#   scripts/server.sh start         start it (again, when it was rebuilt), wait until it is ready, print its address
#   scripts/server.sh phone         run it in the foreground for phones on the local network, with TLS and QR codes
#   scripts/server.sh stop          stop it; what it keeps stays
#   scripts/server.sh clean-data    stop it and delete everything it keeps
#
# SERVER_CONFIG names another settings file than gourmetgram.toml.
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

BINARY=$(server_binary)

# The binary with its settings file.
GOURMETGRAM=("$BINARY" ${SERVER_CONFIG:+--config "$SERVER_CONFIG"})

# setting SECTION NAME: its value after gourmetgram.toml and the environment had their say; "" is the top section.
setting() {
    awk -v section="$1" -v name="$2" '
        /^\[/ { current = substr($0, 2, length($0) - 2) }
        current == section && $1 == name { gsub(/^[^"]*"|"$/, ""); print; exit }' <<<"$SETTINGS"
}

# Line 1 of the pid file is the process, line 2 the address it was started on.
running_pid() {
    local pid
    [[ -f "$PID_FILE" ]] && pid=$(sed -n 1p "$PID_FILE") && kill -0 "$pid" 2>/dev/null &&
        [[ "$(ps -o comm= -p "$pid")" == *gourmetgram ]] && printf '%s\n' "$pid"
}

# http_status HOST PORT PATH: the status line's number, nothing where nobody answers.
http_status() {
    (
        exec 3<>"/dev/tcp/$1/$2"
        printf 'GET %s HTTP/1.0\r\nHost: %s:%s\r\n\r\n' "$3" "$1" "$2" >&3
        read -r -t 2 _ status _ <&3
        printf '%s\n' "$status"
    ) 2>/dev/null || true
}

is_taken() {
    (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

# The link of a first start, while it is good. It stands in this file and not in the log.
show_operator_link() {
    local file="$DATA/operator-link"
    if [[ -n "$(find "$file" -mmin -15 2>/dev/null)" ]]; then
        say "Become its operator: this link works once, for 15 minutes from the start" "$(<"$file")"
    fi
}

start() {
    local pid listen host port address
    if pid=$(running_pid); then
        address=$(sed -n 2p "$PID_FILE")
        if [[ ! "$BINARY" -nt "$PID_FILE" ]]; then
            say "GourmetGram is already running (process $pid):" "$address"
            show_operator_link
            return
        fi
        say "The server was rebuilt: restarting it"
        stop
    fi

    listen=$(setting server listen)
    host=${listen%:*}
    port=${listen##*:}
    host=${host#[}
    host=${host%]}
    # "All addresses" is nothing a browser can be sent to.
    case $host in
    0.0.0.0 | ::) host=127.0.0.1 ;;
    esac
    address="http://$host:$port"
    [[ $host == *:* ]] && address="http://[$host]:$port"
    if is_taken "$host" "$port"; then
        fail "something else already listens on $address" \
            "Stop it, or choose another port: GOURMETGRAM__SERVER__LISTEN=127.0.0.1:8081 make run"
    fi

    mkdir -p "$DATA"
    nohup "${GOURMETGRAM[@]}" serve </dev/null >>"$LOG" 2>&1 &
    pid=$!
    printf '%s\n%s\n' "$pid" "$address" >"$PID_FILE"
    local deadline=$((SECONDS + 60))
    until [[ "$(http_status "$host" "$port" /readyz)" == 200 ]]; do
        if ! kill -0 "$pid" 2>/dev/null; then
            rm -f "$PID_FILE"
            tail -n 15 "$LOG" >&2
            fail "the server stopped while starting; above are the last lines of $LOG" \
                "Settings it ran with: $BINARY serve --print-config" "What they mean: docs/operations.md"
        fi
        if ((SECONDS >= deadline)); then
            tail -n 15 "$LOG" >&2
            fail "the server runs but is not ready after a minute; above are the last lines of $LOG" \
                "What it waits for: $address/readyz" "Stop it: make stop"
        fi
        sleep 0.1
    done
    say "GourmetGram is running (log: $LOG; stop it: make stop):" "$address"
    show_operator_link
}

# In the foreground: its codes are for the eyes of whoever started it, and nobody leaves it open to the network unseen.
phone() {
    local pid
    if pid=$(running_pid); then
        fail "GourmetGram is already running (process $pid), on this computer only" "First: make stop"
    fi
    exec "${GOURMETGRAM[@]}" serve --phone
}

stop() {
    local pid
    if ! pid=$(running_pid); then
        rm -f "$PID_FILE"
        say "GourmetGram is not running"
        return
    fi
    kill -TERM "$pid"
    # It finishes running requests and the uploads to S3 it can: server.shutdown_grace_seconds, and some.
    local deadline=$((SECONDS + 30))
    while kill -0 "$pid" 2>/dev/null; do
        if ((SECONDS >= deadline)); then
            fail "the server (process $pid) did not stop within 30 seconds" \
                "Nothing acknowledged is lost when it is killed: kill -9 $pid"
        fi
        sleep 0.1
    done
    rm -f "$PID_FILE"
    say "GourmetGram is stopped"
}

clean_data() {
    if [[ ! -d "$DATA" ]]; then
        say "There is nothing to delete: $DATA does not exist"
        return
    fi
    local folder
    folder=$(cd "$DATA" && pwd)
    if [[ "$ROOT/" == "$folder"/* || "$HOME/" == "$folder"/* || "$folder" == / ]]; then
        fail "not deleted: $folder holds more than GourmetGram's data" "Delete by hand what should go."
    fi
    say "This deletes $folder ($(du -sh "$DATA" | cut -f1)): every photo, prediction and correction kept there."
    if [[ "${CONFIRM:-}" != yes ]]; then
        [[ -t 0 ]] || fail "not deleted, because there is nobody to ask" "To mean it: CONFIRM=yes make clean-data"
        local answer
        read -r -p "Type yes to delete it: " answer
        [[ "$answer" == yes ]] || fail "not deleted"
    fi
    stop
    if [[ -d "$DATA/label-studio" ]]; then
        LABEL_STUDIO_FOLDER="$DATA/label-studio" scripts/label-studio.sh stop
    fi
    rm -rf "$DATA"
    say "Deleted $DATA"
}

# Only starting needs the settings to be right: what runs can be stopped while they are being edited.
SETTINGS=""
if [[ ${1:-} == start || ${1:-} == phone ]]; then
    [[ -x "$BINARY" ]] || fail "the server has not been built" "Run: make run"
    SETTINGS=$("${GOURMETGRAM[@]}" serve --print-config) || fail "the server does not accept its settings (see above)" \
        "Correct gourmetgram.toml or the GOURMETGRAM__ variables; every setting is in docs/operations.md"
elif [[ -x "$BINARY" ]]; then
    SETTINGS=$("${GOURMETGRAM[@]}" serve --print-config 2>/dev/null) || true
fi
DATA=$(setting "" data_dir)
DATA=${DATA:-${GOURMETGRAM__DATA_DIR:-data}}
PID_FILE="$DATA/gourmetgram.pid"
LOG="$DATA/gourmetgram.log"

case ${1:-} in
start) start ;;
phone) phone ;;
stop) stop ;;
clean-data) clean_data ;;
*) fail "usage: scripts/server.sh start|phone|stop|clean-data" ;;
esac
