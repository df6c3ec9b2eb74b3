# Reel Ballers: `make up` brings the whole system up and ends with a reel; `make test` passes the tests.
# Needs Python 3.11 and make; everything else comes from the locks.
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
VIDEO ?=
LOCK ?=
SEEDS ?= 0:100000
STACK ?= local
TESTS ?= tests
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Bytecode once at set-up: without it every command spends seconds on imports.
unexport PYTHONDONTWRITEBYTECODE
unexport PIP_FIND_LINKS

PYTEST_WORKERS ?= 3
.PHONY: help up down dev smoke doctor setup test browser check fix lock bench bench-gpu soak coverage picture clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

up: setup ## bring everything up and make one reel (VIDEO=path.mp4 takes your own recording)
	@$(BIN)/python -m infra.local up $(if $(VIDEO),"$(VIDEO)")

down: ## stop what `make up` and `make dev` started, and only that
	@test ! -x $(BIN)/python || $(BIN)/python -m infra.local down

dev: setup ## API with reload on 8000 and Vite on 5173, against the local cloud
	@$(BIN)/python -m infra.local dev

smoke: setup ## check a stack by its outputs alone (STACK=local)
	@$(BIN)/python -m infra.local smoke "$(STACK)"

doctor: setup ## what ails a stack, and what to do about it (STACK=local)
	@$(BIN)/python -m infra.local doctor "$(STACK)"

setup: .venv/.stamp app/web/node_modules/.stamp ## install what the locks say

.venv/.stamp: requirements/dev.lock
	@echo "setting up Python (once)"
	@test -x $(BIN)/uv || { $(PYTHON) -m venv .venv && $(BIN)/pip install --quiet --disable-pip-version-check \
		"$$(grep -oE '^uv==[0-9.]+' $<)"; }
	@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode $<
	@touch $@

app/web/node_modules/.stamp: app/web/package-lock.json | .venv/.stamp
	@echo "setting up the web tools (once)"
	@cd app/web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

test: setup browser ## all tests, the end-to-end run included
	@cd app/web && npm run --silent test
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadscope --no-loadscope-reorder

browser: # Debian's Chromium for the page tests, where it can be had without asking
	@command -v chromium chromium-browser google-chrome > /dev/null || { test "$$(id -u)" = 0 && command -v apt-get > /dev/null \
		&& echo "installing Chromium (once)" && apt-get -qq update && apt-get -qq install --yes chromium > /dev/null; } \
		|| echo "no Chromium: the page tests are skipped (Debian: apt-get install chromium)"

check: setup ## formatting, types, import directions; changes nothing
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@cd app/web && npm run --silent check

fix: setup ## what `check` can mend by itself
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@cd app/web && npm run --silent fix

coverage: setup browser ## how much of infra/ the tests run, subprocesses included; fails below 95 %
	@rm -f .coverage .coverage.*
	@COVERAGE_FILE=$(CURDIR)/.coverage $(BIN)/coverage run -m pytest -q -n $(PYTEST_WORKERS) --dist loadscope --no-loadscope-reorder $(TESTS)
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage report --fail-under=95

bench: setup ## the measured figures, one JSON object a line, each a ratio against a baseline of the same run
	@$(BIN)/python -m bench

bench-gpu: setup ## everything that needs a GPU, where there is one; keeps the result in docs/
	@$(BIN)/python -m bench.gpu

soak: setup ## the library under SEEDS (0:100000) of faults, crashes and pauses in simulated time: half an hour
	@$(BIN)/python -m tests.library.simulation --seeds $(SEEDS) --jobs $$(nproc)

picture: setup ## draw the stacks from their plans into docs/
	@$(BIN)/python -m infra.picture

lock: .venv/.stamp ## write the locks anew (LOCK=--upgrade takes newer versions)
	@for group in dev image gpu networks; do $(BIN)/uv pip compile --quiet $(LOCK) pyproject.toml --group $$group \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		$$([ $$group = dev ] || echo --constraints requirements/dev.lock) --output-file requirements/$$group.lock; done
	@$(BIN)/python -m infra.fly_config

clean: down ## forget the local cloud, its state and all reels
	@rm -rf .local
