#!/usr/bin/env bash
# A server to look around in: with a data directory of its own, filled with photos of dishes that nobody cooked, which
# simulated visitors judge and simulated annotators label.
#
#   scripts/demo.sh start    start it, fill it (once), print its address
#   scripts/demo.sh stop     stop it; what it keeps stays
#   scripts/demo.sh clean    stop it and delete everything it keeps, without asking: it can be made again
#
# It must never touch anything real. So it has settings of its own, in its own folder, and takes none from
# gourmetgram.toml or from the environment but the port: DEMO_PORT (8090), and the one after it for its S3 server. A test
# names another folder (DEMO_FOLDER) and takes fewer photos (DEMO_PHOTOS).
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

DEMO="${DEMO_FOLDER:-$ROOT/data-demo}"
PORT=${DEMO_PORT:-8090}
PHOTOS=${DEMO_PHOTOS:-400}
CAMPAIGN="Demonstration"

while IFS= read -r name; do
    unset "$name"
done < <(compgen -e | grep -E '^(GOURMETGRAM_(_|TOKEN)|AWS_)' || true)

export SERVER_CONFIG="$DEMO/gourmetgram.toml"
BINARY=$(server_binary)
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

# The token that lets the replay send photos of the past, and label some of them.
make_token() {
    local token
    if [[ -s "$DEMO/demo.token" ]]; then
        return
    fi
    token=$("$BINARY" --config "$SERVER_CONFIG" user token add "demonstration-$$" --scope admin,predictions:backdate) ||
        fail "no access token could be made"
    (umask 077 && printf '%s\n' "$token" >"$DEMO/demo.token")
}

# What says how accurate the model is: everything doubtful, and half of all.
make_campaign() {
    local known
    known=$("$BINARY" --config "$SERVER_CONFIG" campaign list --json) || fail "the campaigns cannot be listed"
    if [[ "$known" == *"\"$CAMPAIGN\""* ]]; then
        return
    fi
    "$BINARY" --config "$SERVER_CONFIG" campaign create --file - >/dev/null <<CREATE || fail "no campaign could be made"
{
    "name": "$CAMPAIGN",
    "rule": {
        "kind": "continuous",
        "unsure": { "measure": "confidence", "threshold": 0.7 },
        "random": { "rate": 0.5 }
    }
}
CREATE
}

start() {
    if [[ -e "$DEMO/replay.token" ]]; then
        say "The demonstration there is, is of an earlier version: it is made anew"
        clean
    fi
    write_settings
    scripts/server.sh start
    make_token
    make_campaign
    say "" "Sending $PHOTOS photos of dishes that nobody cooked, as the past week's, and labelling some (about a minute):"
    "$BINARY" replay --made "$PHOTOS" --over 7d --rhythm --speedup 10000 --label "$CAMPAIGN" --label-share 0.9 \
        --url "$URL" --token-file "$DEMO/demo.token" || fail "the demonstration is not complete (why stands above)" \
        "The same again goes on where it stopped: make demo"
    say "" "The demonstration is ready. Every photo in it is simulated; it keeps apart from make run's data." \
        "$URL" "How accurate the model is: $URL/dashboard. Photos left to label: $URL/review" \
        "As its operator: $BINARY --config $SERVER_CONFIG user link" \
        "Stop it: make stop. Delete it: make clean-demo"
}

clean() {
    if [[ -f "$SERVER_CONFIG" ]]; then
        scripts/server.sh stop
    fi
    rm -rf "$DEMO"
}

case ${1:-} in
start) start ;;
stop)
    if [[ -f "$SERVER_CONFIG" ]]; then
        scripts/server.sh stop
    fi
    ;;
clean)
    clean
    say "The demonstration is deleted"
    ;;
*) fail "usage: scripts/demo.sh start|stop|clean" ;;
esac
