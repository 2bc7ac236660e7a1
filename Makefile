# Every target sets itself up from a bare Python 3.11 with venv and pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH_JSON ?= build/benchmarks.ndjson
export PYTHONDONTWRITEBYTECODE ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test check format bench fuzz test-deps lock clean
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tanqiao needs Python 3.11 or newer; set PYTHON=python3.x"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.clients: $(STAMP) requirements-clients.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-clients.lock
	@touch $@

$(VENV)/.peers: $(STAMP) requirements-bench.lock
	$(BIN)/pip install --quiet --require-hashes -r requirements-bench.lock
	@touch $@

demo: $(STAMP) ## the main job on sandbox cities: convert, audit, verify, tamper; move points
	$(BIN)/tanqiao demo

test: $(STAMP) ## all tests
	$(BIN)/python -m pytest -n auto --dist loadgroup

check: $(STAMP) ## format, lint, types, imports, sizes, docstrings, mappings
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tools.check_sizes
	$(BIN)/python -m tools.check_mappings

format: $(STAMP) ## format the code and mend what can be mended
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --fix --quiet .

bench: $(STAMP) $(VENV)/.peers ## time each stage beside a peer or bound (TANQIAO_BENCH_ROWS=200000)
	$(BIN)/python -m benchmarks --json $(BENCH_JSON)

test-deps: $(VENV)/.clients ## what the tests need besides (Debian: Go, x/mod, bc, Node.js, Java, Chromium; npm; openapi-generator)
	sh tools/test_deps.sh

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= adapter mapping strict note receipt policy
fuzz: $(STAMP) ## fuzz every parser for a while (FUZZ_SECONDS=600, FUZZ_TARGETS=adapter)
	$(BIN)/pip install --quiet 'atheris>=3.0'
	for target in $(FUZZ_TARGETS); do $(BIN)/python -m tests.fuzz $$target --seconds $(FUZZ_SECONDS) || exit 1; done

lock: ## remake the lock files from pyproject.toml (needs uv)
	uv pip compile --quiet --generate-hashes --no-annotate --no-header --no-emit-index-url \
		--universal --python-version 3.11 --group dev pyproject.toml -o requirements.lock
	uv pip compile --quiet --generate-hashes --no-annotate --no-header --no-emit-index-url \
		--universal --python-version 3.11 --group bench -c requirements.lock -o requirements-bench.lock
	uv pip compile --quiet --generate-hashes --no-annotate --no-header --no-emit-index-url \
		--universal --python-version 3.11 --group clients -c requirements.lock -o requirements-clients.lock

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
