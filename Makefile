# The commands of this project. `make help` lists them.

# A cmake that scripts/deps had to bring as a wheel stands here.
export PATH := $(CURDIR)/.deps/bin:$(PATH)

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
CARGO ?= cargo
say = @printf '\n==> %s\n' '$(1)'

.PHONY: help demo test lint deps bench test-long bench-compare chaos chaos-ledger chaos-root fuzz
.DEFAULT_GOAL := help

help: ## list the commands
	@awk -F ':.* ## ' '/^[a-z-]+:.* ## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: ## build raptorgate and run it before a built-in agent backend
	@scripts/deps build
	$(call say,building raptorgate (the first build takes two to four minutes))
	$(CARGO) build -p raptorgate --bin raptorgate
	@exec $(TARGET_DIR)/debug/raptorgate demo $(DEMO_FLAGS)

test: ## run all tests
	@scripts/deps test
	$(call say,building the programs that the tests start)
	$(CARGO) build --workspace --bins
	$(call say,running all tests)
	$(CARGO) test --workspace
	@printf '\n==> all tests passed\n'

lint: ## check format and lints
	@scripts/deps build
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

deps: ## bring what building and testing need (cmake, Python packages)
	@scripts/deps test

bench: ## CPU per request beside bare Pingora, each filter alone and all (BENCH=load|micro|tokens)
	@scripts/deps build
	@scripts/bench $(BENCH)

fuzz: ## look for inputs that break a law, with libFuzzer (TARGET=name, SECONDS=60 for each)
	@scripts/deps fuzz
	@scripts/fuzz '$(TARGET)' '$(SECONDS)'

bench-compare: ## measure nginx, HAProxy, Envoy, bare Pingora and raptorgate side by side (QUICK=1: a rough look)
	@scripts/deps compare
	@QUICK=$(QUICK) scripts/bench compare

chaos-ledger: ## kill gateways and Redis under load, then compare ledger and backend (SECONDS=40 SEED=7)
	@scripts/deps test
	$(CARGO) build --workspace --bins
	@exec $(TARGET_DIR)/debug/chaos-ledger $(or $(SECONDS),40) $(or $(SEED),7)

test-long chaos chaos-root:
	@echo 'make $@: not in this release; it arrives with a later one (see CHANGELOG.md)' >&2; exit 2
