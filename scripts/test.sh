#!/usr/bin/env bash
# Runs the tests, also on a machine where nothing is set up yet, and ends with one line of counts.
# A set-up step that fails ends the run; a suite that fails does not keep the others from running.
#
#   scripts/test.sh all|rust|e2e|smoke|screenshots
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

SUITES=${1:-}
case $SUITES in
all) steps_total=12 ;;
rust) steps_total=8 ;;
smoke) steps_total=6 ;;
e2e | screenshots) steps_total=5 ;;
*) fail "which tests?" "Usage: scripts/test.sh all|rust|e2e|smoke|screenshots" ;;
esac

# The browser's entry point is left out: it is compiled for the browser, with features the server must not have.
WORKSPACE=(--workspace --exclude gourmetgram-frontend)

steps_begun=0
passed=0
failed=0
skipped=0
details=()
failures=()
# What this run started, and ends.
started=()

wants() {
    [[ $SUITES == all || $SUITES == "$1" ]]
}

# step NAME COMMAND...: announces, runs and times one step; its status is the command's.
step() {
    local name=$1 began=$SECONDS status=0
    shift
    steps_begun=$((steps_begun + 1))
    printf '\n[%s/%s] %s\n' "$steps_begun" "$steps_total" "$name"
    "$@" || status=$?
    printf '[%s/%s] %s: %s in %s s\n' "$steps_begun" "$steps_total" "$name" \
        "$( ((status)) && echo FAILED || echo passed)" "$((SECONDS - began))"
    return $status
}

# prepare NAME COMMAND...: a step without which no test can be trusted.
prepare() {
    step "$@" || fail "the tests did not run: \"$1\" failed (why stands above)" "After putting that right: make test"
}

# suite NAME AGAIN COMMAND...: a suite of tests, and the command that runs it alone.
suite() {
    local name=$1 again=$2
    shift 2
    step "$name" "$@" || failures+=("$name (alone: $again)")
}

# count PASSED FAILED SKIPPED
count() {
    passed=$((passed + $1))
    failed=$((failed + $2))
    skipped=$((skipped + $3))
}

# count_junit REPORT: adds a report's tests to the counts, and keeps what it has to say about single tests.
count_junit() {
    local report counts detail
    # A suite that broke before it could report counts as one failure.
    report=$(python3 scripts/junit_counts.py "$1" 2>/dev/null) || { count 0 1 0 && return 1; }
    read -r -a counts <<<"$report"
    count "${counts[@]}"
    while IFS= read -r detail; do
        details+=("$detail")
    done < <(sed 1d <<<"$report" | sed '/^$/d')
}

install_system_packages() {
    scripts/setup.sh system
}

install_tools() {
    scripts/setup.sh rust wasm-bindgen nextest prometheus python notebook npm:frontend npm:end2end
}

install_browsers() {
    scripts/setup.sh browsers
}

stop_started() {
    local script
    for script in ${started[@]+"${started[@]}"}; do
        "$script" stop
    done
    if [[ -n "${LABEL_STUDIO_FOLDER:-}" ]]; then
        rm -rf "$LABEL_STUDIO_FOLDER"
    fi
    if [[ -n "$in_memory" ]]; then
        rm -rf "$in_memory"
    fi
}
trap stop_started EXIT

# Tests make and delete whole databases and thousands of small files, each brought to the disk before it counts: in memory
# that takes a third less time. Only where there is plenty of it, and TMPDIR names no other place.
in_memory=
keep_in_memory() {
    local at=/dev/shm
    [[ -z "${TMPDIR:-}" && -d $at && -w $at ]] || return 0
    (($(df --output=avail --block-size=1G $at | tail -n 1) >= 8)) || return 0
    (($(awk '/^MemAvailable/ { print int($2 / 1024 / 1024) }' /proc/meminfo) >= 12)) || return 0
    in_memory=$(mktemp -d $at/gourmetgram-tests.XXXXXX) || return 0
    # Some of it is run: examples of the documentation, for one.
    printf '#!/bin/sh\n' >"$in_memory/runs"
    chmod 755 "$in_memory/runs"
    if ! "$in_memory/runs" 2>/dev/null; then
        rm -rf "$in_memory"
        in_memory=
        return 0
    fi
    # PostgreSQL runs as somebody else and has to come by.
    chmod 711 "$in_memory"
    export TMPDIR=$in_memory
    say "What tests write goes to $in_memory, and away with them"
}

start_postgres() {
    if [[ -n "${GOURMETGRAM_TEST_POSTGRES_URL:-}" ]]; then
        say "Taking the one GOURMETGRAM_TEST_POSTGRES_URL names"
        return
    fi
    # One that was started by hand is used and left running.
    if ! scripts/postgres.sh url >/dev/null 2>&1; then
        started+=(scripts/postgres.sh)
    fi
    GOURMETGRAM_TEST_POSTGRES_URL=$(scripts/postgres.sh start) || return
    export GOURMETGRAM_TEST_POSTGRES_URL
    say "Listening on ${GOURMETGRAM_TEST_POSTGRES_URL##*@}"
}

# One of its own, apart from the one `make label-studio` starts.
start_label_studio() {
    if [[ -n "${GOURMETGRAM_TEST_LABEL_STUDIO_URL:-}" ]]; then
        say "Taking the one GOURMETGRAM_TEST_LABEL_STUDIO_URL names"
        return
    fi
    LABEL_STUDIO_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/gourmetgram-label-studio.XXXXXX") || return
    export LABEL_STUDIO_FOLDER
    started+=(scripts/label-studio.sh)
    # Not how to come in: that is in no log.
    scripts/label-studio.sh start | awk '/^user /{ quiet = 1 } !quiet { print; fflush() }' || return
    eval "$(scripts/label-studio.sh environment)"
}

# Compiles the server and the Rust tests together: alone, the server would get its dependencies with other features,
# and they would be compiled twice.
compile() {
    cargo nextest run "${WORKSPACE[@]}" --no-run
}

run_rust_tests() {
    local report=target/nextest/default/junit.xml status=0
    rm -f "$report"
    cargo nextest run "${WORKSPACE[@]}" || status=$?
    count_junit "$report" || status=1
    return $status
}

run_doc_tests() {
    local output status=0
    output=$(mktemp)
    cargo test --doc "${WORKSPACE[@]}" 2>&1 | tee "$output" || status=$?
    # shellcheck disable=SC2046 # three numbers, three words
    count $(awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
        END { print passed + 0, failed + 0, ignored + 0 }' "$output")
    rm -f "$output"
    return $status
}

run_agreement() {
    local status=0
    node classifier/tests/browser/check.mjs || status=$?
    count $((status == 0)) $((status != 0)) 0
    return $status
}

# run_playwright SCRIPT REPORTERS: a script of end2end/package.json.
run_playwright() {
    local report status=0
    report=$(mktemp)
    PLAYWRIGHT_JUNIT_OUTPUT_FILE="$report" PLAYWRIGHT_JUNIT_INCLUDE_PROJECT_IN_TEST_NAME=1 PLAYWRIGHT_HTML_OPEN=never \
        npm --prefix end2end run "$1" -- --reporter="$2" || status=$?
    count_junit "$report" || status=1
    rm -f "$report"
    return $status
}

prepare "Programs from the system" install_system_packages
prepare "Rust, Node and Python tools" install_tools

prepare "Front end" frontend/build.sh dev
if [[ $SUITES != screenshots ]]; then
    keep_in_memory
fi
if wants rust; then
    prepare "A throw-away PostgreSQL" start_postgres
    prepare "A throw-away Label Studio" start_label_studio
fi
prepare "Compiling the server and its tests" compile
if wants rust; then
    suite "Rust tests" "make test-rust" run_rust_tests
    suite "Examples in the documentation" "cargo test --doc ${WORKSPACE[*]}" run_doc_tests
fi
if [[ $SUITES == all ]]; then
    suite "The classifier in the browser agrees with the server's" "node classifier/tests/browser/check.mjs" run_agreement
fi
if wants e2e; then
    suite "Browser tests" "make e2e" run_playwright test list,junit,html
fi
if wants smoke; then
    prepare "Firefox and WebKitGTK" install_browsers
    suite "Smoke run in Firefox and WebKitGTK" "make smoke" run_playwright smoke list,junit
fi
if [[ $SUITES == screenshots ]]; then
    prepare "Pictures of the pages, into end2end/screenshots/" npm --prefix end2end run screenshots
    exit
fi

printf '\n'
if ((${#details[@]})); then
    printf '%s\n' "${details[@]}"
fi
if ((${#failures[@]})); then
    printf 'Failed: %s\n' "${failures[@]}"
fi
printf '%s passed, %s failed, %s skipped in %s min %02d s\n' \
    "$passed" "$failed" "$skipped" $((SECONDS / 60)) $((SECONDS % 60))
((${#failures[@]} == 0))
