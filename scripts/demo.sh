#!/usr/bin/env bash
# A server to look around in: with a data directory of its own, filled with photos of dishes that nobody cooked.
#
#   scripts/demo.sh start    start it, fill it (once), print its address
#   scripts/demo.sh stop     stop it; what it keeps stays
#   scripts/demo.sh clean    stop it and delete everything it keeps, without asking: it can be made again
#
# It must never touch anything real. So it has settings of its own, in its own folder, and takes none from
# gourmetgram.toml or from the environment but the port: DEMO_PORT (8090), and the one after it for its S3 server.
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

DEMO="$ROOT/data-demo"
PORT=${DEMO_PORT:-8090}
PHOTOS=300

while IFS= read -r name; do
    unset "$name"
done < <(compgen -e | grep -E '^(GOURMETGRAM_(_|TOKEN)|AWS_)' || true)

export SERVER_CONFIG="$DEMO/gourmetgram.toml"
BINARY="$(cargo metadata --format-version 1 --no-deps --offline | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/gourmetgram"
URL="http://127.0.0.1:$PORT"

write_settings() {
    mkdir -p "$DEMO"
    cat >"$SERVER_CONFIG" <<SETTINGS
# Written by scripts/demo.sh.
data_dir = "$DEMO"

[server]
listen = "127.0.0.1:$PORT"

[embedded_s3]
listen = "127.0.0.1:$((PORT + 1))"
SETTINGS
}

# The token that lets the replay send photos of the past.
make_token() {
    local token
    if [[ -s "$DEMO/replay.token" ]]; then
        return
    fi
    token=$("$BINARY" --config "$SERVER_CONFIG" user token add "replay-$$" \
        --scope predictions:write,predictions:backdate,predictions:read,feedback:write) ||
        fail "no access token could be made"
    (umask 077 && printf '%s\n' "$token" >"$DEMO/replay.token")
}

start() {
    write_settings
    scripts/server.sh start
    make_token
    say "" "Sending $PHOTOS photos of dishes that nobody cooked, as the past week's (about a minute):"
    "$BINARY" replay --made "$PHOTOS" --over 7d --rhythm --speedup 10000 --url "$URL" \
        --token-file "$DEMO/replay.token" || fail "the demonstration is not complete (why stands above)" \
        "The same again goes on where it stopped: make demo"
    say "" "The demonstration is ready. Every photo in it is simulated; it keeps apart from make run's data." \
        "$URL" "As its operator: $BINARY --config $SERVER_CONFIG user link" \
        "Stop it: make stop. Delete it: make clean-demo"
}

case ${1:-} in
start) start ;;
stop)
    if [[ -f "$SERVER_CONFIG" ]]; then
        scripts/server.sh stop
    fi
    ;;
clean)
    if [[ -f "$SERVER_CONFIG" ]]; then
        scripts/server.sh stop
    fi
    rm -rf "$DEMO"
    say "The demonstration is deleted"
    ;;
*) fail "usage: scripts/demo.sh start|stop|clean" ;;
esac
