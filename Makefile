# Every target sets up what it needs. `make` alone shows this list.
# The newest Python here of those that are supported. VERSION=3.11 takes that one, in an environment of its own.
SUPPORTED := 3.14 3.13 3.12 3.11
find_python = $(lastword $(sort $(wildcard $(HOME)/.pyenv/versions/$(1).*/bin/python))) $(shell command -v python$(1))
PYTHON ?= $(firstword $(foreach version,$(or $(VERSION),$(SUPPORTED)),$(call find_python,$(version))))
VENV := $(if $(VERSION),.cache/python$(VERSION),.venv)
BIN := $(VENV)/bin
PORT ?= 8000
STAGE ?= production
# PROCESSES= for one process, whose output is not held back.
PROCESSES ?= -n 3 --dist worksteal
# For each supported Python the newest versions that it can have, every file by its hash, from whichever index, and no index named.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version $(lastword $(SUPPORTED)) --no-annotate --no-header --no-emit-index-url --generate-hashes
# $(1): a virtual environment. What is built from its source is built by the versions that the file names, too.
define install
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.txt > $(1)/uv.txt
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)/uv.txt
	@UV_SYSTEM_CERTS=1 $(1)/bin/uv pip install --quiet --python $(1)/bin/python --require-hashes -r $< --build-constraints $<
endef

.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-sqlite test-postgres test-apps e2e package figures rehearsal bench screenshots lint lock sbom audit clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/ready ## Make the virtual environment, .venv (the other targets do so by themselves)

run: $(VENV)/ready ## Start everything on this machine, send one flash sale, serve admin and outbox (PORT=8000)
	@$(BIN)/python manage.py run --port $(PORT)

demo: $(VENV)/ready ## Play the demo once in a new database, print every message; fails if one is missing
	@mkdir -p .cache && rm -f .cache/demo.sqlite3*
	@DATABASE_URL=sqlite:///$(CURDIR)/.cache/demo.sqlite3 $(BIN)/python manage.py demo

# What is about size runs small, or, with SLOW=1 as .ci/run sets it, at the size that is promised.
test: lint test-sqlite test-postgres ## The whole suite: lint, then all tests on SQLite and on PostgreSQL (SLOW=1: at full size)

test-sqlite: $(VENV)/ready ## All tests on SQLite (ARGS="-k name" for some)
	$(BIN)/python -m pytest $(PROCESSES) $(ARGS)

# The cluster is thrown away with its database; dropping that before would wait for whoever still looks at it.
# Tests that use no database are run once, with SQLite.
test-postgres: $(VENV)/ready ## All tests on a PostgreSQL started for them
	$(BIN)/python -m notifier.local.postgres $(POSTGRES_ARGS) -- $(BIN)/python -m pytest --reuse-db --only-database $(PROCESSES) $(ARGS)

# In an environment of their own: what runs on Lambda, and the apps that docs/recipes.md has signals of.
test-apps: .cache/apps/ready ## The recipes for other apps' signals, each with the real app
	.cache/apps/bin/python -m pytest -c tests/apps/pytest.ini --confcutdir tests/apps tests/apps $(ARGS)

# The tests of one file build on one another.
e2e: $(VENV)/ready ## Deploy to a local AWS with the real zappa, use it, update it under load, take it down
	$(BIN)/python -m notifier.local.postgres $(POSTGRES_ARGS) -- $(BIN)/python -m pytest tests/e2e -p no:randomly $(PROCESSES) --dist loadfile $(ARGS)

package: $(VENV)/ready ## Build what goes to Lambda and print its size (STAGE=production)
	@mkdir -p .cache && $(BIN)/zappa package $(STAGE) --output .cache/$(STAGE).zip

figures: $(VENV)/ready ## Measure packages, deploy, update and cold starts, beside a bare function
	@$(BIN)/python -m notifier.local.postgres --required -- $(BIN)/python -m tests.e2e.figures

# In no test and no CI: it is of AWS itself.
rehearsal: $(VENV)/ready ## Deploy to a real account under a throw-away name, use it, take it down (ARGS="--sender you@example.com")
	@$(BIN)/python -m tests.rehearsal $(ARGS)

bench: $(VENV)/ready ## Measure, in one run and as ratios (ARGS="--long": with 100,000 mails)
	@$(BIN)/python -m tests.bench $(ARGS)

screenshots: $(VENV)/ready ## Look at every page of the admin, at two widths, light and dark, and at the README's (needs Chromium)
	@$(BIN)/python -m tests.screenshots

lint: $(VENV)/ready ## Style, likely bugs, which way imports may point, and the types of what crosses packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

lock: $(VENV)/ready ## Pin what requirements*.in ask for
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) -c requirements.txt requirements-chat.in -o requirements-chat.txt
	$(LOCK) -c requirements.txt -c requirements-chat.txt requirements-dev.in -o requirements-dev.txt
	$(LOCK) -c requirements-dev.txt tests/apps/requirements.in -o tests/apps/requirements.txt

# It stands in the package as well.
sbom: package ## Write what the package for Lambda holds, with versions and licences: .cache/STAGE.cdx.json
	@$(BIN)/python -c 'import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read("sbom.cdx.json").decode())' \
		.cache/$(STAGE).zip > .cache/$(STAGE).cdx.json && echo .cache/$(STAGE).cdx.json

audit: $(VENV)/ready ## Ask for known advisories about all that is pinned; says so where nobody can be asked
	@PIP_AUDIT=$(BIN)/pip-audit .ci/audit

clean: ## Remove what the targets made, the virtual environment too
	rm -rf $(VENV) .cache db.sqlite3* .pytest_cache .ruff_cache .coverage

$(VENV)/ready: requirements-dev.txt
	@$(or $(PYTHON),python$(VERSION)) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; choose it with PYTHON=…")'
	@echo "Setting up $(VENV) with $(PYTHON) (once) …"
	@$(PYTHON) -m venv --clear $(VENV)
	$(call install,$(VENV))
	@touch $@

.cache/apps/ready: tests/apps/requirements.txt
	@echo "Setting up .cache/apps, the other apps (once) …"
	@$(PYTHON) -m venv --clear .cache/apps
	$(call install,.cache/apps)
	@touch $@
