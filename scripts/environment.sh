# shellcheck shell=bash
# Sourced by every script here: strict mode, where tools are kept, and one way to speak.
set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$ROOT"

# Tools and Python environments live here; a folder outside the checkout is shared between checkouts.
export GOURMETGRAM_CACHE="${GOURMETGRAM_CACHE:-$ROOT/.tools}"
export PATH="$GOURMETGRAM_CACHE/tools/bin:$PATH"

# say LINE...
say() {
    printf "%s\n" "$@"
}

# fail WHAT NEXT...: says what went wrong, then what to do about it, and ends the script.
fail() {
    local what=$1
    shift
    printf '\nerror: %s\n' "$what" >&2
    if (($#)); then
        printf '  %s\n' "$@" >&2
    fi
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# The release build, or the binary that GOURMETGRAM_BIN names.
server_binary() {
    if [[ -n "${GOURMETGRAM_BIN:-}" ]]; then
        printf '%s\n' "$GOURMETGRAM_BIN"
        return
    fi
    local target
    target=$(cargo metadata --format-version 1 --no-deps --offline | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    printf '%s\n' "$target/release/gourmetgram"
}
