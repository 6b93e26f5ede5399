# The developer's whole interface; `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/igpipe

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SOURCES := igpipe tests grafana/dashboards $(wildcard benchmarks)

export RUFF_CACHE_DIR := $(CACHE)/ruff
export MYPY_CACHE_DIR := $(CACHE)/mypy
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis
# Tests start dozens of processes, each of which would compile all of igpipe.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help venv check test cluster test-cluster test-servers test-long test-long-cluster tap test-tap demo bench generate manifests requirements clean

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-19s%s\n", $$1, $$2}' Makefile

venv: $(STAMP) ## Create the virtual environment (again when the requirements change)

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "igpipe needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

check: $(STAMP) ## Lint, format, types, layers, spelling, generated files
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir $(CACHE)/import-linter
	$(BIN)/codespell
	$(BIN)/igpipe generate --check
	$(BIN)/python -m grafana.dashboards --check

# Some wait for processes, so one more than two cores have.
test: $(STAMP) ## Run the tests (ARGS="tests/web -k page")
	$(BIN)/pytest -n 3 --dist worksteal -q -o cache_dir=$(CACHE)/pytest $(ARGS)

cluster: $(STAMP) ## Leave a real cluster of two nodes running on this machine (ARGS=stop ends it)
	@$(BIN)/python -m tests.cluster $(or $(ARGS),up) || test $$? = 3

# Its status 3 means that this machine cannot, which it has said.
test-cluster: $(STAMP) ## Run the tests that need a real cluster (ARGS="-k debug")
	@$(BIN)/python -m tests.cluster check || { test $$? = 3 && exit; }; \
	$(BIN)/python -m tests.cluster install; \
	$(BIN)/pytest -n 3 --durations 12 -q -o cache_dir=$(CACHE)/pytest tests/cluster $(ARGS)

# Mostly waiting, so all kinds of servers at once; each test is with its server.
test-servers: $(STAMP) ## Run the tests against real servers (ARGS="-k loki"); the first time builds them
	@$(BIN)/python -m tests.servers.install
	$(BIN)/pytest -n 3 --durations 12 -q -o cache_dir=$(CACHE)/pytest tests/servers $(ARGS)

test-long: $(STAMP) ## Run what takes minutes: damaged spools, kills, outages; also on a real cluster
	IGPIPE_LONG=1 $(BIN)/pytest -n 2 -q -o cache_dir=$(CACHE)/pytest --timeout 1200 tests/spool tests/long
	$(MAKE) --no-print-directory test-long-cluster

test-long-cluster: $(STAMP) ## Run the part of it that needs a real cluster (ARGS="-k outage")
	@$(BIN)/python -m tests.cluster check || { test $$? = 3 && exit; }; \
	$(BIN)/python -m tests.cluster install; \
	$(BIN)/pytest --durations 0 -q -o cache_dir=$(CACHE)/pytest tests/cluster/long $(ARGS)

TAP_VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' igpipe/__init__.py)
TAPS := $(foreach arch,amd64 arm64,$(CACHE)/tap/igpipe-tap-$(arch))

tap: $(TAPS) ## Build igpipe-tap, the helper on the node, for amd64 and arm64 (needs Go)
	@ls -l $(TAPS)

$(TAPS): $(CACHE)/tap/igpipe-tap-%: $(wildcard tap/*.go) tap/go.mod tap/go.sum igpipe/__init__.py
	@mkdir -p $(@D)
	cd tap && CGO_ENABLED=0 GOOS=linux GOARCH=$* go build -trimpath -buildvcs=false \
		-ldflags '-s -w -X main.version=$(TAP_VERSION)' -o $@ .

# Executions, not seconds: until Go 1.27 a fuzzer that time ends may fail with "context deadline
# exceeded" on a busy machine (go.dev/issue/75804).
test-tap: ## Format, vet, race detector and fuzzing of igpipe-tap (needs Go)
	@cd tap && test -z "$$(gofmt -l .)" || { gofmt -d .; exit 1; }
	cd tap && go vet ./... && go test -race ./...
	cd tap && for target in FuzzFrame FuzzCollector FuzzNamespace; do \
		go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(or $(FUZZ),100000x) .; done

demo: $(STAMP) ## Run igpipe on a simulated cluster (ARGS="--for 60s --faults")
	$(BIN)/igpipe demo $(ARGS)

bench: $(STAMP) ## Run the benchmarks and write their table
	$(BIN)/python -m benchmarks $(ARGS)

generate: $(STAMP) ## Write the files that are made from code: config/, deploy/, grafana/, docs/config.md, docs/metrics.md
	$(BIN)/igpipe generate
	$(BIN)/python -m grafana.dashboards

# Apart from the others, for it needs Helm, which the first time is built.
manifests: $(STAMP) ## Write deploy/manifests: what the chart makes of its defaults
	$(BIN)/python -m tests.servers.helm

# Pins with hashes and without the address of any index, for every platform, so that the same files
# serve whoever has a mirror. Run it after a change of the dependencies in pyproject.toml.
PIN := uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header

requirements: ## Pin the dependencies again (needs uv)
	$(PIN) --output-file requirements/run.txt
	$(PIN) --extra dev --output-file requirements/dev.txt

clean: ## Remove the virtual environment, build results and caches
	rm -rf $(VENV) build dist *.egg-info $(CACHE)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
