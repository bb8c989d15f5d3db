# Each line below is a command one could type; what they have in common is in scripts/.

# Tools that are not there yet are installed into this folder; one outside the checkout can serve several.
export GOURMETGRAM_CACHE ?= $(CURDIR)/.tools
export PATH := $(GOURMETGRAM_CACHE)/tools/bin:$(PATH)

.NOTPARALLEL:
.PHONY: help run build phone label-studio stop clean-data demo clean-demo image test test-rust e2e smoke screenshots pictures bench bench-setup bench-forward bench-photo bench-device bench-serve bench-start bench-page bench-lighthouse bench-review bench-explore bench-selecting bench-export bench-tags bench-evaluating verify verify-golden statistics lint audit clean

help: ## what there is
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | awk -F '\t' '{ printf "make %-12s %s\n", $$1, $$2 }'

run: build ## build what changed, start the server in the background, print its address
	@scripts/server.sh start

build: ## the server with its pages, in release (slow the first time)
	scripts/setup.sh rust wasm-bindgen npm:frontend
	frontend/build.sh release
	cargo build --release -p gourmetgram

phone: build ## serve phones on the local network with TLS, and show a QR code (Ctrl-C ends it)
	@scripts/server.sh phone

demo: build ## a server of its own with 400 made-up photos of the past week, to look around in
	@scripts/demo.sh start

label-studio: ## start Label Studio on this computer (installs it the first time), say how to come in
	@scripts/label-studio.sh start

stop: ## stop the server, the demonstration's, and Label Studio; what they keep stays
	@scripts/server.sh stop
	@scripts/demo.sh stop
	@scripts/label-studio.sh stop

clean-data: ## stop the server and delete everything it keeps (asks first)
	@scripts/server.sh clean-data

clean-demo: ## stop the demonstration and delete it (it can be made again)
	@scripts/demo.sh clean

image: build ## the server in a container image, by Podman, Docker or Buildah
	scripts/image.sh

test: ## every test, with the set-up they need
	@scripts/test.sh all

test-rust: ## the Rust tests only
	@scripts/test.sh rust

e2e: ## the browser tests only (Chromium)
	@scripts/test.sh e2e

smoke: ## the smoke run in Firefox and WebKitGTK only
	@scripts/test.sh smoke

screenshots: ## every page and state, both themes, desktop and phone: end2end/screenshots/index.html
	@scripts/test.sh screenshots

pictures: screenshots ## the pictures that README and docs show, made anew from the screenshots
	npm --prefix end2end run --silent publish-pictures

bench: bench-setup ## measure beside other people's servers; the tables go into docs/benchmarks.md
	python3 bench/run.py all

bench-setup: build ## what measuring needs: our release build, and the peers in Python environments of their own (6 GB)
	cargo build --release -p gourmetgram-bench
	scripts/setup.sh bench-onnxruntime npm:end2end npm:bench/peers system
	scripts/setup.sh bench-torch || echo "going on without torch"

# One part of it, when everything is set up.
bench-forward bench-photo bench-device bench-serve bench-start bench-page bench-lighthouse bench-review:
	python3 bench/run.py $(@:bench-%=%)

bench-explore: ## how long pages of the photo list take, up to a million photos (PostgreSQL too, if one is named)
	cargo run --release -p gourmetgram --example explore

bench-evaluating: ## how long the dashboard takes, up to a million predictions (PostgreSQL too, if one is named)
	cargo run --release -p gourmetgram --example evaluating

bench-selecting: ## how long a campaign takes to choose photos, of up to a million (PostgreSQL too, if one is named)
	cargo run --release -p gourmetgram --example selecting

bench-export: build ## how long taking up to a million predictions out takes, and how much memory
	cargo run --release -p gourmetgram --example exporting

bench-tags: build ## what choosing photos asks of S3, beside the tutorial's loop over every object's tags
	scripts/setup.sh python bench-onnxruntime
	python3 bench/tags.py

verify: ## our statistics beside other people's tools, the whole simulation, replays of real photos (half an hour)
	@scripts/verify.sh all

verify-golden: ## ask those tools anew and keep what they say for the tests (read the difference before you commit it)
	@scripts/verify.sh golden

statistics: ## the tables and pictures of docs/statistics.md, made anew from the simulation (half an hour)
	@scripts/verify.sh publish

lint: ## formatting, clippy, documentation, licences; a warning is an error
	scripts/setup.sh rust deny shellcheck
	cargo fmt --all --check
	cargo clippy --locked --workspace --exclude gourmetgram-frontend --all-targets -- -D warnings
	cargo clippy --locked -p gourmetgram-frontend --target wasm32-unknown-unknown -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --exclude gourmetgram-frontend --no-deps --document-private-items
	cargo deny --log-level error check bans licenses sources
	shellcheck .ci/run scripts/*.sh

audit: ## known vulnerabilities in dependencies (asks the RustSec database on GitHub)
	scripts/setup.sh deny
	scripts/audit.sh

clean: ## delete what was built; what the server keeps stays
	cargo clean
	rm -rf .tools frontend/node_modules end2end/node_modules bench/peers/node_modules
