#!/usr/bin/env bash
# Our statistics beside other people's tools, the whole simulation, and replays of real photos. A changed number fails.
#
#   scripts/verify.sh all        all of it; ends with the first thing that does not hold
#   scripts/verify.sh peers      the comparison with other people's tools only
#   scripts/verify.sh golden     keep what those tools say now as the golden values of the tests
#   scripts/verify.sh publish    write the tables and pictures of docs/statistics.md anew
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

PEERS=(scikit-learn statsmodels irrcac ppi-py evidently nannyml)
GOLDEN=evaluation/tests/golden
RESULTS="${CARGO_TARGET_DIR:-$ROOT/target}/verify"

# Each in an environment of its own. None of them may ask the network for anything.
ask_peers() {
    local peer
    scripts/setup.sh "${PEERS[@]/#/verify-}"
    mkdir -p "$RESULTS/peers"
    for peer in "${PEERS[@]}"; do
        say "Asking $peer"
        DO_NOT_TRACK=1 NML_DISABLE_USAGE_LOGGING=1 PYTHONWARNINGS=ignore \
            "$GOURMETGRAM_CACHE/venvs/verify-$peer/bin/python" evaluation/peers/answers.py "$peer" "$RESULTS/peers" ||
            fail "$peer gave no answers (why stands above)"
    done
}

compare_peers() {
    cargo run --release -p gourmetgram-evaluation --example peers -- "$RESULTS/peers" "$@" ||
        fail "our numbers and other people's are apart, or theirs are not what they were" \
            "If a newer version of theirs is right, keep its numbers: make verify-golden"
}

# The simulation asserts its own claims; replays assert theirs.
simulate() {
    say "Simulating 20,000 replicates a scenario (minutes on each core)"
    cargo run --release -p gourmetgram-evaluation --example simulate >"$RESULTS/simulation.md" ||
        fail "the simulation does not hold what docs/statistics.md claims" "Its tables: $RESULTS/simulation.md"
}

replay() {
    say "Replaying what two models said about real photos"
    # The server's package has the pages inside.
    scripts/setup.sh wasm-bindgen npm:frontend
    frontend/build.sh release
    cargo run --release -p gourmetgram --example replays >"$RESULTS/replays.md" ||
        fail "replays do not hold what docs/statistics.md claims" "Their tables: $RESULTS/replays.md"
}

tables() {
    python3 evaluation/publishing/tables.py "$1" docs/statistics.md "$RESULTS/simulation.md" "$RESULTS/replays.md"
}

scripts/setup.sh rust
mkdir -p "$RESULTS"
case ${1:-} in
all)
    ask_peers
    compare_peers "$GOLDEN"
    simulate
    replay
    tables check
    say "" "Every number is where its peer says, and every interval holds as often as docs/statistics.md says."
    ;;
peers)
    ask_peers
    compare_peers "$GOLDEN"
    ;;
golden)
    ask_peers
    compare_peers
    cp "$RESULTS"/peers/*.json "$GOLDEN/"
    git --no-pager diff --stat -- "$GOLDEN"
    ;;
publish)
    simulate
    replay
    tables write
    cargo run --release -p gourmetgram-evaluation --example simulate -- samples >"$RESULTS/samples.csv"
    python3 evaluation/publishing/pictures.py "$RESULTS/simulation.md" "$RESULTS/samples.csv" docs/pictures
    ;;
*) fail "verify what?" "Usage: scripts/verify.sh all|peers|golden|publish" ;;
esac
