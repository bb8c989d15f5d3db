#!/usr/bin/env bash
# Sets up what building and testing need. Each part is idempotent, silent when nothing is missing, and says what it
# does when something is.
#
#   scripts/setup.sh PART...      parts: the names at the end of this file
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

NEXTEST_VERSION=0.9.143
DENY_VERSION=0.20.2
GECKODRIVER_VERSION=0.36.0
PYTHON_REQUIREMENTS=server/object-store/tests/requirements.txt

# The Rust the workspace is written for, with its browser target and the tools `make lint` calls.
setup_rust() {
    has cargo || fail "cargo was not found" \
        "Install Rust with rustup (https://rustup.rs), open a new terminal, and run this again."
    local wanted found
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    found=$(rustc --version | cut -d' ' -f2)
    if [[ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n1)" != "$wanted" ]]; then
        fail "Rust $found is too old: this needs $wanted or newer" "Run: rustup update stable"
    fi
    has cc || fail "no C compiler (cc) was found: Rust needs one to link" \
        "On Debian or Ubuntu: apt-get install build-essential" \
        "On macOS: xcode-select --install"
    if [[ ! -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]]; then
        has rustup || fail "this Rust has no wasm32-unknown-unknown target, and there is no rustup to add it" \
            "Install Rust with rustup (https://rustup.rs), or your distribution's package for that target."
        say "Adding the Rust target wasm32-unknown-unknown"
        rustup target add wasm32-unknown-unknown || fail "rustup could not add wasm32-unknown-unknown" \
            "Check that https://static.rust-lang.org can be reached, then run: rustup target add wasm32-unknown-unknown"
    fi
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    cargo fetch --locked --target "$host" --target wasm32-unknown-unknown ||
        fail "the Rust packages named in Cargo.lock could not be fetched" \
            "If Cargo.toml was changed, update the lock file: cargo check" \
            "Else check that crates.io can be reached from here."
}

# cargo_tool CRATE COMMAND VERSION MINUTES: a program from crates.io, in exactly this version.
# Debug builds, because these run for seconds and their release profiles compile for many minutes.
cargo_tool() {
    local crate=$1 command=$2 version=$3 minutes=$4 found
    found=$($command --version 2>/dev/null | awk 'NR == 1 { print $2 }' || true)
    if [[ "$found" == "$version" ]]; then
        return
    fi
    say "Installing $crate $version into $GOURMETGRAM_CACHE/tools (${found:+found $found; }once, about $minutes min)"
    CARGO_TARGET_DIR="$GOURMETGRAM_CACHE/tools/target" \
        cargo install "$crate" --version "$version" --locked --debug --root "$GOURMETGRAM_CACHE/tools" ||
        fail "$crate $version could not be installed" \
            "Check that https://crates.io can be reached, then run: scripts/setup.sh ${crate%-cli}"
    rm -rf "$GOURMETGRAM_CACHE/tools/target"
}

# The command must have the very version of the library the front end is linked with: Cargo.lock says which.
setup_wasm_bindgen() {
    local version
    version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' Cargo.lock)
    cargo_tool wasm-bindgen-cli wasm-bindgen "$version" 1
}

# Any nextest will do, so one that is already there is taken as it is.
setup_nextest() {
    if has cargo-nextest; then
        return
    fi
    cargo_tool cargo-nextest "cargo nextest" "$NEXTEST_VERSION" 3
}

setup_deny() {
    cargo_tool cargo-deny cargo-deny "$DENY_VERSION" 1
}

# setup_npm FOLDER: the packages of FOLDER/package-lock.json, installed again only when it changes.
setup_npm() {
    local folder=$1 installed="$1/node_modules/.gourmetgram-lock"
    has npm || fail "npm was not found" "Install Node.js 20 or newer (https://nodejs.org), and run this again."
    if cmp -s "$folder/package-lock.json" "$installed"; then
        return
    fi
    say "Installing the Node packages of $folder/"
    # Playwright drives the system's browser: it need not bring its own.
    PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error ||
        fail "npm could not install the packages of $folder/" \
            "Check that https://registry.npmjs.org can be reached, then run: npm ci --prefix $folder"
    cp "$folder/package-lock.json" "$installed"
}

# python_environment NAME REQUIREMENTS: packages from PyPI, in an environment of their own under $GOURMETGRAM_CACHE/venvs.
python_environment() {
    local venv="$GOURMETGRAM_CACHE/venvs/$1" requirements=$2 wanted
    has python3 || fail "python3 was not found" "Install Python 3.9 or newer, and run this again."
    wanted="$(python3 --version) $(git hash-object "$requirements")"
    if [[ -f "$venv/.installed-from" && "$(<"$venv/.installed-from")" == "$wanted" ]]; then
        return
    fi
    say "Installing $requirements into $venv"
    rm -rf "$venv"
    python3 -m venv "$venv" || fail "python3 could not make a virtual environment in $venv" \
        "On Debian or Ubuntu: apt-get install python3-venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements" ||
        fail "pip could not install $requirements" "Check that https://pypi.org can be reached, and run this again."
    printf '%s\n' "$wanted" >"$venv/.installed-from"
}

# Programs that tests and checks drive and that come from the system: a browser, PostgreSQL's server, strace.
setup_system() {
    local missing=()
    [[ -x "${CHROMIUM:-/usr/bin/chromium}" ]] || missing+=(chromium)
    "$ROOT/scripts/postgres.sh" find >/dev/null 2>&1 || missing+=(postgresql)
    if [[ "$(uname)" == Linux ]]; then
        has strace || missing+=(strace)
    fi
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    if ((${#missing[@]})); then
        install_packages "${missing[@]}"
    fi
    # Chromium's engine alone, which most browser tests take half the time in. Where it cannot be had they do without.
    if [[ -z "${CHROMIUM:-}" && ! -x /usr/bin/chromium-headless-shell ]] && may_install_packages &&
        apt-cache show chromium-headless-shell >/dev/null 2>&1; then
        (install_packages chromium-headless-shell) || say "The browser tests take the whole of Chromium instead, and longer"
    fi
}

# Browsers for the smoke run, each with its WebDriver server. Where packages cannot be installed the smoke run skips what
# is missing and says so: unlike Chromium, these are no reason to run no tests at all.
setup_browsers() {
    local missing=()
    [[ -x "${FIREFOX:-/usr/bin/firefox-esr}" ]] || missing+=(firefox-esr)
    has WebKitWebDriver || missing+=(webkit2gtk-driver)
    has Xvfb || missing+=(xvfb)
    if ((${#missing[@]})); then
        if ! may_install_packages; then
            say "Not here, and this user may not install them: ${missing[*]} (the smoke run will skip what needs them)"
            return
        fi
        install_packages "${missing[@]}"
    fi
    # Firefox speaks WebDriver through it. Debian has no package of it.
    cargo_tool geckodriver geckodriver "$GECKODRIVER_VERSION" 2
}

# Prometheus' programs, unpacked and not installed: Debian's package would start a service. Where it cannot be had, the tests
# that need it are skipped and say so.
setup_prometheus() {
    if has prometheus && has promtool; then
        return
    fi
    local log="$GOURMETGRAM_CACHE/prometheus.log" work
    work=$(mktemp -d)
    mkdir -p "$GOURMETGRAM_CACHE/tools/bin"
    if has apt-get && has dpkg && (cd "$work" && apt-get download -q prometheus && dpkg -x prometheus_*.deb .) \
        >"$log" 2>&1; then
        install -m 0755 "$work/usr/bin/prometheus" "$work/usr/bin/promtool" "$GOURMETGRAM_CACHE/tools/bin"
    else
        say "Prometheus is not here and could not be downloaded (see $log): the tests that need it will be skipped"
    fi
    rm -rf "$work"
}

setup_shellcheck() {
    has shellcheck || install_packages shellcheck
}

# as_administrator COMMAND...: fails where this user is none.
as_administrator() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

may_install_packages() {
    has apt-get && as_administrator true 2>/dev/null
}

# install_packages PACKAGE...: Debian's, where this user may.
install_packages() {
    if ! may_install_packages; then
        fail "these programs are missing, and this user may not install them: $*" \
            "On Debian or Ubuntu, as an administrator: apt-get install $*" \
            "Elsewhere: install what your system calls them; CHROMIUM=/path/of/it names the browser."
    fi
    say "Installing Debian packages: $*"
    local log="$GOURMETGRAM_CACHE/apt.log"
    mkdir -p "$GOURMETGRAM_CACHE"
    # Another program may be installing packages right now: it is waited for.
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o DPkg::Lock::Timeout=300)
    if ! { as_administrator "${apt[@]}" update && as_administrator "${apt[@]}" install --no-install-recommends "$@"; } \
        >"$log" 2>&1; then
        tail -n 5 "$log" >&2
        fail "apt-get could not install $* (all it said: $log)" "Install by hand: apt-get install $*"
    fi
}

PARTS="rust wasm-bindgen nextest deny npm:FOLDER python notebook label-studio bench-onnxruntime bench-torch \
verify-scikit-learn verify-statsmodels verify-irrcac verify-evidently verify-nannyml verify-ppi-py system browsers prometheus shellcheck"
(($#)) || fail "which part?" "Usage: scripts/setup.sh PART... ($PARTS)"
for part in "$@"; do
    case $part in
    rust) setup_rust ;;
    wasm-bindgen) setup_wasm_bindgen ;;
    nextest) setup_nextest ;;
    deny) setup_deny ;;
    npm:*) setup_npm "${part#npm:}" ;;
    # Other people's S3 clients and server, which the storage tests talk to.
    python) python_environment tests "$PYTHON_REQUIREMENTS" ;;
    # What the example in examples/notebook runs with.
    notebook) python_environment notebook examples/notebook/requirements.txt ;;
    label-studio) python_environment label-studio server/label-studio/requirements.txt ;;
    # What we are measured beside.
    bench-onnxruntime | bench-torch) python_environment "$part" "bench/peers/requirements-${part#bench-}.txt" ;;
    # What our statistics are compared with.
    verify-scikit-learn | verify-statsmodels | verify-irrcac | verify-evidently | verify-nannyml | verify-ppi-py)
        python_environment "$part" "evaluation/peers/requirements-${part#verify-}.txt" ;;
    system) setup_system ;;
    browsers) setup_browsers ;;
    prometheus) setup_prometheus ;;
    shellcheck) setup_shellcheck ;;
    *) fail "there is no part called '$part'" "Parts: $PARTS" ;;
    esac
done
