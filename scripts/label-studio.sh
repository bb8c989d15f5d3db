#!/usr/bin/env bash
# Label Studio on this computer, in the very version the tests meet, with the settings GourmetGram needs of it.
#
#   scripts/label-studio.sh start          install it (once), start it unless it runs, say how to come in
#   scripts/label-studio.sh url            print the address of the running one
#   scripts/label-studio.sh environment    print what the tests read about the running one, as variables
#   scripts/label-studio.sh stop           stop it; what it keeps stays
#
# LABEL_STUDIO_PORT            where it listens; else where it listened last, else on a free port
# LABEL_STUDIO_LEGACY_TOKENS   on (default): tokens of both kinds open it; off: personal access tokens only
# LABEL_STUDIO_FOLDER          where it keeps everything: data/label-studio
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

FOLDER="${LABEL_STUDIO_FOLDER:-data/label-studio}"
LOG="$FOLDER/label-studio.log"
PROGRAM="$GOURMETGRAM_CACHE/venvs/label-studio/bin/label-studio"
LEGACY_TOKENS=${LABEL_STUDIO_LEGACY_TOKENS:-on}
# The first start makes a database, step by step; a busy computer takes its time.
PATIENCE=1200

running_pid() {
    local pid
    [[ -f "$FOLDER/pid" ]] && pid=$(<"$FOLDER/pid") && kill -0 "$pid" 2>/dev/null &&
        [[ "$(ps -o args= -p "$pid")" == *label-studio* ]] && printf '%s\n' "$pid"
}

is_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

choose_port() {
    local last
    if [[ -n "${LABEL_STUDIO_PORT:-}" ]]; then
        if is_taken "$LABEL_STUDIO_PORT"; then
            fail "something else already listens on port $LABEL_STUDIO_PORT" \
                "Name another (LABEL_STUDIO_PORT=8095 make label-studio), or none for a free one."
        fi
        printf '%s\n' "$LABEL_STUDIO_PORT"
        return
    fi
    last=$(sed -n 's/.*://p' "$FOLDER/url" 2>/dev/null || true)
    if [[ -n "$last" ]] && ! is_taken "$last"; then
        printf '%s\n' "$last"
    else
        free_port
    fi
}

# secret NAME COMMAND...: what the command prints, made once and kept for this user's eyes.
secret() {
    local file="$FOLDER/$1"
    shift
    if [[ ! -s "$file" ]]; then
        (umask 077 && "$@" >"$file") || return
    fi
    cat "$file"
}

random_text() {
    python3 -c 'import secrets; print(secrets.token_hex(20))'
}

is_healthy() {
    [[ "$(python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=5).status)' \
        "$1/health" 2>/dev/null)" == 200 ]]
}

start() {
    local pid port url password token began=$SECONDS
    case $LEGACY_TOKENS in
    on | off) ;;
    *) fail "LABEL_STUDIO_LEGACY_TOKENS is '$LEGACY_TOKENS'" "It is on or off." ;;
    esac
    if ! pid=$(running_pid); then
        scripts/setup.sh label-studio
        mkdir -p "$FOLDER"
        chmod 700 "$FOLDER"
        port=$(choose_port)
        url="http://127.0.0.1:$port"
        password=$(secret password random_text)
        token=$(secret token random_text)
        [[ -d "$FOLDER/data" ]] || say "Label Studio makes its database: a minute or two, this once"
        # It keeps what it knows here and tells nobody: no look for newer versions, no figures about use, no error reports.
        # It refuses addresses on this computer and on private networks unless told otherwise. GourmetGram, its S3 server and
        # this Label Studio are on one computer, so photos and webhooks would never arrive. Leave that protection on where
        # people you do not trust may make projects.
        # User and password go by the environment: arguments can be read by everybody on this computer.
        env LABEL_STUDIO_BASE_DATA_DIR="$(cd "$FOLDER" && pwd)/data" DJANGO_DB=sqlite \
            LATEST_VERSION_CHECK=false COLLECT_ANALYTICS=false SENTRY_DSN= FRONTEND_SENTRY_DSN= \
            SSRF_PROTECTION_ENABLED=false LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK=true \
            LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN=true \
            LABEL_STUDIO_USERNAME=gourmetgram@example.com LABEL_STUDIO_PASSWORD="$password" LABEL_STUDIO_USER_TOKEN="$token" \
            nohup "$PROGRAM" start --no-browser --internal-host 127.0.0.1 --port "$port" </dev/null >>"$LOG" 2>&1 &
        pid=$!
        printf '%s\n' "$pid" >"$FOLDER/pid"
        printf '%s\n' "$url" >"$FOLDER/url"
    fi
    url=$(<"$FOLDER/url")
    local said=$SECONDS
    until is_healthy "$url"; do
        if ! kill -0 "$pid" 2>/dev/null; then
            rm -f "$FOLDER/pid"
            tail -n 15 "$LOG" >&2
            fail "Label Studio stopped while starting; above are the last lines of $LOG"
        fi
        if ((SECONDS - began >= PATIENCE)); then
            tail -n 15 "$LOG" >&2
            fail "Label Studio is not ready after $((PATIENCE / 60)) minutes; above are the last lines of $LOG" \
                "Stop it: scripts/label-studio.sh stop"
        fi
        if ((SECONDS - said >= 15)); then
            say "  still starting, after $((SECONDS - began)) s"
            said=$SECONDS
        fi
        sleep 0.5
    done
    allow_tokens
    say "Label Studio is running (log: $LOG; stop it: scripts/label-studio.sh stop):" "$url" \
        "user                    gourmetgram@example.com" \
        "password                $(<"$FOLDER/password")"
    if [[ $LEGACY_TOKENS == on ]]; then
        say "legacy token            $(<"$FOLDER/token")"
    fi
    say "personal access token   $(<"$FOLDER/personal-token")"
}

# look_after_tokens ORDER: see scripts/label_studio_tokens.py.
look_after_tokens() {
    LABEL_STUDIO_PASSWORD=$(<"$FOLDER/password") "$(dirname "$PROGRAM")/python" \
        scripts/label_studio_tokens.py "$(<"$FOLDER/url")" gourmetgram@example.com "$1"
}

# Which tokens open it is a setting of its organisation, and a personal access token is shown once, when it is made.
allow_tokens() {
    if ! secret personal-token look_after_tokens make >/dev/null || ! look_after_tokens "legacy-$LEGACY_TOKENS"; then
        fail "Label Studio runs, but its tokens could not be set (why stands above; its log: $LOG)"
    fi
}

stop() {
    local pid deadline=$((SECONDS + 20))
    if ! pid=$(running_pid); then
        rm -f "$FOLDER/pid"
        say "Label Studio is not running"
        return
    fi
    kill -TERM "$pid"
    while kill -0 "$pid" 2>/dev/null; do
        if ((SECONDS >= deadline)); then
            kill -KILL "$pid"
        fi
        sleep 0.1
    done
    rm -f "$FOLDER/pid"
    say "Label Studio is stopped"
}

must_run() {
    running_pid >/dev/null || fail "Label Studio is not running" "Start it: make label-studio"
}

case ${1:-} in
start) start ;;
stop) stop ;;
url)
    must_run
    cat "$FOLDER/url"
    ;;
environment)
    must_run
    say "export GOURMETGRAM_TEST_LABEL_STUDIO_URL=$(<"$FOLDER/url")" \
        "export GOURMETGRAM_TEST_LABEL_STUDIO_TOKEN=$(<"$FOLDER/token")" \
        "export GOURMETGRAM_TEST_LABEL_STUDIO_PERSONAL_TOKEN=$(<"$FOLDER/personal-token")"
    ;;
*) fail "usage: scripts/label-studio.sh start|url|environment|stop" ;;
esac
