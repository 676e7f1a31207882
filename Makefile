# Python 3.11 to 3.14 and make are all that these targets need; each installs what it uses into .venv, once.

SESSION ?= config/demo.toml
CANDLES ?=
SPEED ?= 600
DURATION ?=
SESSION_ID ?=
KILLS ?= 200
PARTS ?=
REASON ?= make kill
TESTS ?= tests
WORKERS ?= 2
# With NATIVE=1 these run the code that mypyc has compiled, as the images do; the benchmarks measure that.
COMPILED := demo backtest replay test soak bench
NATIVE ?= $(if $(filter bench,$(MAKECMDGOALS)),1)

VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest $(TESTS)

# A supervisor starts processes again and again; compiling their modules each time would cost more than their work.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo backtest replay test test-docker soak bench native check generate lock up down kill clean

help: ## List the targets
	@echo "Leitstand: make <target>"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; \
		do printf '  %-12s %s\n' "$$name" "$$text"; done

demo: $(VENV)/demo.stamp ## Trade one dry-run session with embedded servers (SESSION= CANDLES= SPEED= DURATION=)
	@exec $(PY) -m deploy.embedded.demo --session '$(SESSION)' --speed '$(SPEED)' \
		$(if $(DURATION),--duration '$(DURATION)') $(foreach file,$(CANDLES),--candles '$(file)')

backtest: $(VENV)/demo.stamp ## The same decisions over history, without the bus (SESSION= CANDLES=)
	@exec $(PY) -m services.runner backtest --session '$(SESSION)' $(foreach file,$(CANDLES),--candles '$(file)')

replay: $(VENV)/demo.stamp ## Decide a recorded session again and compare (SESSION_ID=, by default the newest; ALL=1)
	@exec $(PY) -m deploy.embedded.stored services.runner replay $(if $(ALL),--all) $(SESSION_ID)

test: $(VENV)/all.stamp ## All tests that need no container engine (TESTS= narrows; WORKERS= side by side)
	@$(if $(NATIVE),cd build/native && ../../)$(PYTEST) -m "not docker" --numprocesses $(WORKERS) --dist worksteal

test-docker: $(VENV)/all.stamp ## The tests that need a container engine; skipped without one
	@if docker info >/dev/null 2>&1; then $(PYTEST) -m docker; \
		else echo "No container engine answers here: the tests marked docker are skipped."; fi

soak: $(VENV)/all.stamp ## Kill the stack's processes at random, hundreds of times, and compare (KILLS=200)
	@SOAK=1 $(PY) -m pytest tests/property --numprocesses $(WORKERS) --dist worksteal
	@$(PY) -m tests.soak --kills $(KILLS) --results bench/results/soak.json
	@$(PY) -m tests.trials.storm --kills $(KILLS) --results bench/results/storm.json
	@$(PY) -m tests.trials.storm --venue alpaca --kills $(KILLS) --results bench/results/storm_alpaca.json
	@$(PY) -m tests.trials.week --results bench/results/week.json
	@$(PY) -m tests.trials.kills --results bench/results/kills.json
	@$(PY) -m tests.trials.week --venue alpaca --results bench/results/week_alpaca.json

bench: $(VENV)/all.stamp ## The benchmarks, each beside its reference (PARTS= narrows, FULL=1)
	@$(PY) -m bench $(if $(FULL),--full) --results bench/results/latest.json $(PARTS)

ifneq ($(NATIVE),)
$(COMPILED): native
$(COMPILED): export PYTHONPATH := $(CURDIR)/build/native
$(COMPILED): export PYTHONSAFEPATH := 1
endif

# What a target exports its prerequisites get, too; this one reads the sources themselves.
native: $(VENV)/all.stamp ## Compile what decides, folds and reads facts into build/native; NATIVE=1 runs it
	@env -u PYTHONPATH -u PYTHONSAFEPATH $(PY) -m deploy.native

check: $(VENV)/all.stamp ## Lint, format, strict types, import contracts, generated files and the lock up to date
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports
	@$(PY) -m shared.schemas.generate --check
	@$(PY) -m deploy.grafana.dashboards --check
	@$(PY) -m deploy.lock --check

generate: $(VENV)/all.stamp ## Write the schemas, the AsyncAPI document and the dashboards anew
	@$(PY) -m shared.schemas.generate
	@$(PY) -m deploy.grafana.dashboards

lock: $(VENV)/lock.stamp ## Compile requirements/*.txt from pyproject.toml
	@$(PY) -m deploy.lock

up: ## Build and start the whole stack in containers, then print its URLs
	@docker compose up -d --build --wait
	@echo "Grafana    http://127.0.0.1:3000"
	@echo "Desk       http://127.0.0.1:8080 (with DESK_TOKEN set)"
	@echo "Prometheus http://127.0.0.1:9090"
	@echo "NATS       nats://127.0.0.1:4222 (monitoring http://127.0.0.1:8222)"

down: ## Stop the containers
	@docker compose down

kill: $(VENV)/demo.stamp ## Emergency stop of everything (REASON="…")
	@exec $(PY) -m services.risk kill --reason="$$REASON"
kill: export REASON := $(REASON)

clean: ## Remove what was installed and cached; sessions in data/ stay
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .grimp_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/python.stamp: requirements/build.txt
	@found=; for name in python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' >/dev/null 2>&1; \
		then found=$$name; break; fi; done; \
	if [ -z "$$found" ]; then \
		echo "Leitstand needs Python 3.11 to 3.14; python3 here is $$(python3 --version 2>&1)." >&2; exit 1; fi; \
	rm -rf $(VENV); $$found -m venv $(VENV) || { \
		echo "$$found cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	@touch $@

# Everything is pinned by hash, the build backend of the one source package included.
$(VENV)/%.stamp: requirements/%.txt $(VENV)/python.stamp
	@echo "Installing $< into $(VENV) (once, a few minutes) …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation --no-compile -r $<
	@$(PY) -m compileall -qq --workers 0 $(VENV)/lib || true # on every core; a package's own broken example is no matter
	@touch $@
