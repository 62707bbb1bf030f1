# What can be done here, one line each: make help.
# make test and make demo need git, make, some Python 3 and Python 3.13; they set up the rest.

.DEFAULT_GOAL := help
.PHONY: help setup demo quick test bare check quality cuts mutants faults soak figures bench lock clean

# The resampler's matrices are small: more threads cost more than they bring.
export OPENBLAS_NUM_THREADS := 1
# What another Python was told would reach ours.
unexport PYTHONHOME PYTHONPATH

BIN := .venv/bin
COMPILE := .uv/bin/uv pip compile --quiet --universal --python-version 3.13 --generate-hashes \
	--custom-compile-command "make lock"

help: ## Show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## Bring uv, Python packages and offhook into .uv/ and .venv/ (nothing when current)
	@requirements/setup.sh

demo: setup ## Hear a call without a phone, a key or a server
	@$(BIN)/offhook demo

quick: setup ## Run the tests that compute: no socket, no process (see tests/lanes.py)
	@$(BIN)/pytest --numprocesses logical -m "not real"

test: check ## Run every check and every test: first those that compute, then the real ones
	@$(BIN)/pytest --numprocesses 4 --durations 15 --junitxml out/tests.xml

bare: ## Run setup and every test in a scratch clone, with no other program than a new machine has
	@tests/bare.sh

check: setup ## Run the checks alone: ruff, mypy, import contracts
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

cuts: setup ## Cut calls drawn by seeds, and those of world files after every step (make test: some)
	@$(BIN)/python -m tests.worlds.cuts

mutants: setup ## Plant faults, one at a time, and see each caught by recorded calls, worlds or tests
	@$(BIN)/python -m tests.mutants

faults: setup ## Inject every fault of the table; print what is reached beside what is demanded
	@$(BIN)/python -m tests.faults

soak: setup ## Run 100 000 short calls in one process, and see that nothing of them stays
	@$(BIN)/python -m tests.soak

figures: setup ## Measure, and print what the README and the design claim
	@set -e; for bench in tests/benchmarks/bench_*.py; do echo "== $$bench"; $(BIN)/python "$$bench"; done

bench: setup ## Measure what a call costs and how late it is made, beside a plain bridge (14 min)
	@$(BIN)/python -m tests.benchmarks.calls

quality: setup ## Send real prompts both ways through the server; fail if they suffer
	@$(BIN)/python -m tests.benchmarks.quality

lock: ## Compile requirements/*.txt from pyproject.toml, with hashes; "make lock U=--upgrade" moves on
	@requirements/setup.sh uv
	@$(COMPILE) $(U) pyproject.toml --output-file requirements/runtime.txt
	@$(COMPILE) $(U) pyproject.toml --group dev --output-file requirements/dev.txt
	@$(COMPILE) $(U) --group build --output-file requirements/build.txt
	@$(COMPILE) $(U) --group compiled --no-deps --output-file requirements/compiled.txt
	@$(COMPILE) $(U) --group pipecat --no-deps --output-file requirements/pipecat.txt
	@$(COMPILE) $(U) --group uv --output-file requirements/uv.txt

clean: ## Remove what setup and the checks made
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf tests/judges/javascript/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
