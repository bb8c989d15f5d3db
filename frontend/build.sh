#!/usr/bin/env bash
# Builds what the browser loads into target/site/: `frontend/build.sh [dev|release]` (default: release).
#
# 1. cargo compiles the bundles (frontend/src/bin/) to WebAssembly,
# 2. wasm-bindgen writes the JavaScript around it,
# 3. wasm-opt makes it smaller (release only),
# 4. the same for the crate gourmetgram-worker, the classifier on the visitor's device: once with vector instructions, and
#    once without,
# 5. bundle.mjs puts all of it with style/, public/ and the typeface into target/site/, named by content.
#
# Run it as often as you like: a step whose input did not change is skipped.
set -euo pipefail

mode="${1:-release}"
case "$mode" in
dev) profile=wasm-dev ;;
release) profile=wasm-release ;;
*)
    echo "usage: frontend/build.sh [dev|release]" >&2
    exit 2
    ;;
esac

repository="$(cd "$(dirname "$0")/.." && pwd)"
cd "$repository"
tools="${GOURMETGRAM_CACHE:-$repository/.tools}"
staging="target/frontend/$mode"

say() { echo "frontend: $*"; }
fail() {
    echo "frontend: $1" >&2
    echo "          $2" >&2
    exit 1
}

# The crate and the tool must be the same version to the letter: they share an unstable format.
wanted="$(sed -n 's/^wasm-bindgen = "=\(.*\)"$/\1/p' Cargo.toml)"
[ -n "$wanted" ] || fail "Cargo.toml does not pin wasm-bindgen." "Write it as: wasm-bindgen = \"=x.y.z\""

find_wasm_bindgen() {
    local candidate found=""
    for candidate in "$tools/tools/bin/wasm-bindgen" "$repository/.tools/bin/wasm-bindgen" "$(command -v wasm-bindgen || true)"; do
        [ -n "$candidate" ] && [ -x "$candidate" ] || continue
        found="$("$candidate" --version | cut -d' ' -f2) at $candidate"
        [ "${found%% *}" = "$wanted" ] && echo "$candidate" && return
    done
    fail "wasm-bindgen $wanted is needed; found: ${found:-none}." \
        "cargo install wasm-bindgen-cli --version $wanted --locked --debug --root .tools"
}
wasm_bindgen="$(find_wasm_bindgen)"

command -v node >/dev/null || fail "node is needed and not installed." "Install Node.js 20 or newer."
if ! cmp -s frontend/package-lock.json frontend/node_modules/.gourmetgram-lock; then
    say "installing the npm packages of frontend/package-lock.json"
    npm ci --prefix frontend --no-audit --no-fund --silent ||
        fail "npm could not install the packages of frontend/." "Read its message above; it needs the npm registry once."
    cp frontend/package-lock.json frontend/node_modules/.gourmetgram-lock
fi

# What the compiler is told, with and without vector instructions. It takes the place of .cargo/config.toml. Panics name
# their file: without the folders of whoever builds this.
flags() {
    echo "-C target-feature=${1}simd128 --cfg getrandom_backend=\"wasm_js\"" \
        "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src/="
}

say "compiling to WebAssembly (profile $profile)"
# Without vectors: they gain nothing here, and a browser that has none would not open the page.
RUSTFLAGS="$(flags -)" \
    cargo build --quiet --package gourmetgram-frontend --bins --target wasm32-unknown-unknown --profile "$profile" ||
    fail "the browser's side does not compile." "If the target is missing: rustup target add wasm32-unknown-unknown"
target_directory="$(cargo metadata --format-version 1 --no-deps |
    node -e 'process.stdin.on("data", c => (s = (globalThis.s ?? "") + c)).on("end", () => console.log(JSON.parse(s).target_directory))')"
compiled="$target_directory/wasm32-unknown-unknown/$profile"
bundles=(frontend/src/bin/*.rs)
bundles=("${bundles[@]##*/}")
bundles=("${bundles[@]%.rs}")

stamp="$(cd "$compiled" && sha256sum "${bundles[@]/%/.wasm}" "$repository/frontend/build.sh" "$repository/frontend/package-lock.json" | cut -d' ' -f1 | tr '\n' ' ')$wanted"
if [ "$(cat "$staging.stamp" 2>/dev/null)" = "$stamp" ]; then
    say "JavaScript and WebAssembly are up to date"
else
    say "wasm-bindgen $wanted"
    rm -rf "$staging" "$staging.stamp"
    mkdir -p "$staging"
    keep_names=--remove-name-section
    [ "$mode" = dev ] && keep_names=--no-demangle
    for bundle in "${bundles[@]}"; do
        "$wasm_bindgen" "$compiled/$bundle.wasm" --target web --no-typescript --remove-producers-section \
            "$keep_names" --out-name "$bundle" --out-dir "$staging"
        [ "$mode" = release ] || continue
        # -Oz leaves more and smaller functions, which weigh as much compressed; a browser compiles each at its first call.
        say "wasm-opt -O2 $bundle"
        frontend/node_modules/.bin/wasm-opt -O2 --enable-bulk-memory --enable-sign-ext \
            --enable-mutable-globals --enable-nontrapping-float-to-int --enable-reference-types --enable-multivalue \
            "$staging/${bundle}_bg.wasm" --output "$staging/${bundle}_bg.wasm"
    done
    echo "$stamp" >"$staging.stamp"
fi

# The worker's module has one profile for both modes: without optimisation it would answer after seconds.
build_worker() {
    local kind="$1" folder="target/frontend/worker/$1" built stamp
    RUSTFLAGS="$(flags "$2")" \
        cargo build --quiet --package gourmetgram-worker --lib --target wasm32-unknown-unknown --profile worker ||
        fail "the classifier for devices does not compile." "If the target is missing: rustup target add wasm32-unknown-unknown"
    built="$target_directory/wasm32-unknown-unknown/worker/gourmetgram_worker.wasm"
    stamp="$(sha256sum "$built" "$0" | cut -d' ' -f1 | tr '\n' ' ')$wanted"
    [ "$(cat "$folder.stamp" 2>/dev/null)" = "$stamp" ] && return
    say "wasm-bindgen $wanted, the classifier for devices ($kind)"
    rm -rf "$folder" "$folder.stamp"
    mkdir -p "$folder"
    "$wasm_bindgen" "$built" --target web --no-typescript --remove-producers-section --remove-name-section \
        --out-name classifier --out-dir "$folder"
    echo "$stamp" >"$folder.stamp"
}
say "compiling the classifier for devices"
build_worker simd +
build_worker plain -

node frontend/bundle.mjs "$mode" "$staging"
