# `make help` lists all targets.
# `make test` and `make demo` need git, make, some Python 3 and Python 3.13; they install the rest.

.DEFAULT_GOAL := help
.PHONY: help setup demo quick test bare check quality cuts dirty mutants faults soak figures bench lock clean

# The resampler's matrices are small, so more threads would only cost time.
export OPENBLAS_NUM_THREADS := 1
# Settings of another Python installation would break ours.
unexport PYTHONHOME PYTHONPATH
# Each of many processes would compile all files again.
unexport PYTHONDONTWRITEBYTECODE

# Where there is room in memory, quick tests write their many small files there.
MEMORY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 1000000 { print "TMPDIR=/dev/shm" }')

BIN := .venv/bin
COMPILE := .uv/bin/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
	--custom-compile-command "make lock"

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## Install uv into .uv/, and the Python packages and offhook into .venv/ (only if needed)
	@requirements/setup.sh

demo: setup ## Listen to a call without a phone, a key or a server
	@$(BIN)/offhook demo

quick: setup ## Run the tests that use no socket and no process (see tests/lanes.py)
	@$(MEMORY) $(BIN)/pytest --numprocesses logical -m "not real"

test: check ## Run every check and every test, those that compute on what the others leave of the cores
	@$(BIN)/pytest --numprocesses 11 --durations 15 --junitxml out/tests.xml

bare: ## Run setup and every test in a new clone, with only the programs of a new machine
	@tests/bare.sh

check: setup ## Run only the checks: ruff, mypy and the import contracts
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

cuts: setup ## Interrupt calls from seeds, and those of world files after every step (make test: some)
	@$(BIN)/python -m tests.worlds.cuts

dirty: setup ## Make calls as dirty as real ones, and compare each with the same call when it is clean
	@$(BIN)/python -m tests.worlds.dirty

mutants: setup ## Plant bugs in the code, one at a time, and check that a test catches each
	@$(BIN)/python -m tests.mutants

faults: setup ## Inject every fault of the fault table, and print each result beside its demand
	@$(BIN)/python -m tests.faults

soak: setup ## Run 100 000 short calls in one process, and check that no memory or task leaks
	@$(BIN)/python -m tests.soak

figures: setup ## Measure the figures that the documents claim, and print them
	@set -e; for bench in tests/benchmarks/bench_*.py; do echo "== $$bench"; $(BIN)/python "$$bench"; done

bench: setup ## Measure the CPU time and the delay of a call, beside a plain bridge (18 min)
	@$(BIN)/python -m tests.benchmarks.calls

quality: setup ## Send speech both ways through the server, and fail if its quality suffers
	@$(BIN)/python -m tests.benchmarks.quality

lock: ## Lock pyproject.toml's requirements, with hashes; "make lock U=--upgrade" takes newer versions
	@requirements/setup.sh uv
	@$(COMPILE) $(U) pyproject.toml --output-file requirements/runtime.txt
	@$(COMPILE) $(U) pyproject.toml --extra mcp --output-file requirements/mcp.txt
	@$(COMPILE) $(U) pyproject.toml --group dev --output-file requirements/dev.txt
	@$(COMPILE) $(U) --group build --output-file requirements/build.txt
	@$(COMPILE) $(U) --group compiled --no-deps --output-file requirements/compiled.txt
	@$(COMPILE) $(U) --group pipecat --no-deps --output-file requirements/pipecat.txt
	@$(COMPILE) $(U) --group uv --output-file requirements/uv.txt

clean: ## Remove all files that setup and the checks created
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf tests/judges/javascript/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
