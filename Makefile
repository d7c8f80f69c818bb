# Every target is one tool or a list of targets; `make help` lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV = $(shell $(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
DATA ?=
NAME ?=
PORT ?= 8080
IMAGES := core data trainer evaluator monitor deployer serving
LOCK := uv pip compile --quiet --system-certs --universal --python-version 3.11 --generate-hashes --no-annotate \
    --no-header --no-emit-index-url --custom-compile-command "make lock"
BIN := .venv/bin
READY := .venv/ready

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(READY) ## The whole loop on this machine; DATA=folder [NAME=dataset] for your own images
	@$(BIN)/python -m pipelines loop --data "$(DATA)" --name "$(NAME)"

.PHONY: retrain
retrain: $(READY) ## After `make run`: label what drifted, train heir and challenger, compare
	@$(BIN)/python -m pipelines retrain

.PHONY: serve
serve: $(READY) ## Keep the last models served on PORT (8080)
	@$(BIN)/python -m pipelines serve --port $(PORT)

.PHONY: test
test: $(READY) lint ## Style, types, architecture and all tests
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

.PHONY: prove-recovery
prove-recovery: $(READY) ## Kill runs with SIGKILL at three places; all must end as if undisturbed
	@$(BIN)/python -m tests.proofs.recovery

.PHONY: lint
lint: $(READY) ## Format, style and static types
	@$(BIN)/ruff format --quiet --check . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

.PHONY: format
format: $(READY) ## Rewrite the code in the house's format
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

.PHONY: compile
compile: $(READY) ## Every pipeline to build/<name>.yaml
	@$(BIN)/python compile.py

.PHONY: lock
lock: $(READY) ## Resolve the dependencies of pyproject.toml again, for everything and for each image
	@PATH="$(BIN):$$PATH"; $(LOCK) --upgrade --group all --output-file requirements.txt
	@PATH="$(BIN):$$PATH"; for image in $(IMAGES); do \
	    $(LOCK) --group $$image --constraint requirements.txt \
	        --output-file images/$$image/requirements.txt || exit 1; done

.PHONY: clean
clean: ## Forget state, builds and caches; the environment stays
	@rm -rf .state build .mypy_cache .ruff_cache .hypothesis
	@find components pipelines tests -name __pycache__ -prune -exec rm -rf {} +

.PHONY: setup
setup: $(READY) ## The environment alone, from hash-locked requirements

# pip brings uv, at its locked digest, and uv installs the rest; where uv cannot reach the
# package index that pip is set up for, pip installs it all.
$(READY): requirements.txt
	@echo "setting up .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; v = sys.version_info; \
	    sys.exit(None if (3, 11) <= v < (3, 14) else f"Python {v[0]}.{v[1]} found, 3.11 to 3.13 wanted")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || if [ "$$(id -u)" = 0 ]; then \
	    apt-get update -qq && apt-get install -qq -y $(VENV); else \
	    echo "$(VENV) is missing: sudo apt-get install $(VENV)"; exit 2; fi
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@awk '/^[a-z]/ {on = /^uv==/} on' requirements.txt >.venv/uv.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --system-certs --require-hashes -r requirements.txt || \
	    $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@touch $@
