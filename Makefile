# dev    install what the build lacks, build, and run the whole thing on loopback
# test   install what the tests need, then everything CI runs
# bench  the benchmarks with release builds; writes benches/RESULTS.md, VERIFY.md and RECORD.md
# lint   formatting and lints alone
# fuzz   each target for a minute, side by side

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
export CARGO_INCREMENTAL ?= 1

VENV := $(CURDIR)/target/venv
FUZZ_TARGETS ?= jsonrpc sse listing policy_text
FUZZ_SECONDS ?= 60
CORPORA ?= $(abspath $(CURDIR)/../shared/corpora)

.PHONY: dev test bench lint build-tools test-tools rust-tests fuzz docs deny layers examples clients conformance attacks load-smoke

dev: build-tools
	cargo build --profile first-run -p gatewright
	./target/first-run/gatewright dev $(ARGS)

# pingora builds zlib-ng, which needs cmake; ring needs a C compiler.
build-tools:
	@.ci/need cmake:cmake cc:gcc

test-tools: build-tools
	@.ci/need nginx:nginx-light promtool:prometheus node:nodejs npm:npm python3:python3 openssl:openssl curl:curl taskset:util-linux c++:g++ slowhttptest:slowhttptest \
	  nats-server:nats-server mkfs.ext4:e2fsprogs fsfreeze:util-linux
	@.ci/npm gateway/tests/clients
	@.ci/npm gateway/tests/conformance
	@.ci/tool cargo-nextest 0.9.143
	@.ci/tool cargo-deny 0.18.9

test: test-tools lint deny layers rust-tests fuzz docs examples clients conformance attacks load-smoke
	@echo "all parts of make test passed"

lint:
	cargo fmt --all -- --check
	cargo clippy --workspace --all-targets -- -D warnings

deny:
	cargo deny check bans licenses sources

# The layers below the proxy build and pass without pingora.
layers:
	cargo check -p gatewright --no-default-features --all-targets

rust-tests:
	cargo build --workspace --bins
	@test -d $(CORPORA) || echo "no corpora at $(CORPORA): set CORPORA to try the parser against them too"
	GATEWRIGHT_CORPORA=$(CORPORA) cargo nextest run --workspace $$(test -d $(CORPORA) || echo "-E not(test(corpus))")
	cargo test --workspace --doc

# libFuzzer itself is C++.
fuzz:
	gateway/fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

examples:
	GATEWRIGHT=$(CURDIR)/target/debug/gatewright EVERYTHING=$(CURDIR)/target/debug/everything examples/01-first-call/run.sh
	GATEWRIGHT=$(CURDIR)/target/debug/gatewright OFFICE=$(CURDIR)/target/debug/office examples/02-data-analysis/run.sh
	GATEWRIGHT=$(CURDIR)/target/debug/gatewright OFFICE=$(CURDIR)/target/debug/office examples/03-customer-support/run.sh

clients:
	GATEWRIGHT=$(CURDIR)/target/debug/gatewright GATEWRIGHT_VENV=$(VENV) node gateway/tests/clients/run.mjs

conformance:
	GATEWRIGHT=$(CURDIR)/target/debug/gatewright EVERYTHING=$(CURDIR)/target/debug/everything GATEWRIGHT_VENV=$(VENV) \
	  node gateway/tests/conformance/through-gateway.mjs

# Floods and slow senders from outside, while good traffic must not notice.
attacks:
	GATEWRIGHT=$(CURDIR)/target/debug/gatewright GATEWRIGHT_VENV=$(VENV) node gateway/tests/attacks/run.mjs

load-smoke:
	GATEWRIGHT_BIN=$(CURDIR)/target/debug/gatewright target/debug/load --quick
	target/debug/verify --quick
	target/debug/decide --quick
	target/debug/record --quick

bench: test-tools
	cargo build --release -p gatewright -p gatewright-benches --bins
	target/release/verify --write
	target/release/decide --write
	target/release/record --write
	target/release/load --scenario call,list,list-sse,large --write $(ARGS)
